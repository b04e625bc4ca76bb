//! Packing a core module and reading the component back; `plugin.toml`; and what each refusal names.

use perkgate_domain::event::{Kind, WakeCause};
use perkgate_domain::ids::Digest;
use perkgate_domain::limits::MANIFEST_BYTES;
use perkgate_domain::manifest::{Fact, Manifest};
use perkgate_pack::{PackError, embed, inspect, manifest_toml, pack};
use std::collections::BTreeSet;
use std::path::Path;
use wit_component::StringEncoding;

const TOML: &str = r#"
id = "points"
version = "1.2.0"
contract = "1.0"
title = "Points"
facts = ["member", "balances"]
decisions = ["earn"]

[settings]
type = "object"
required = ["points"]
properties.points = { type = "integer", minimum = 1 }
properties.factor = { type = "number", multipleOf = 0.5 }
"#;

fn no_file(name: &str) -> std::io::Result<String> {
    panic!("nobody asked for {name}")
}

fn manifest() -> Manifest {
    manifest_toml(TOML, no_file).unwrap_or_else(|error| panic!("{error}"))
}

/// A core module as a toolchain leaves it, for one of the worlds in `sdk/wit`: its functions, and the world beside them.
fn module(world: &str, import: &str, exports: &[&str]) -> Vec<u8> {
    let function = |name: &&str| format!("(func (export \"{name}\") (param i32) (result i32) unreachable)");
    let functions = exports.iter().map(function).collect::<Vec<_>>().join("\n");
    let text = format!(
        "(module {import} (memory (export \"memory\") 1) {functions}
           (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) unreachable))"
    );
    let built = || {
        let mut module = wat::parse_str(text).ok()?;
        let mut resolve = wit_parser::Resolve::default();
        let (package, _) = resolve.push_dir(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../wit"))).ok()?;
        let world = resolve.select_world(&[package], Some(world)).ok()?;
        wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).ok()?;
        Some(module)
    };
    built().unwrap_or_else(|| panic!("no module for {world}"))
}

const PURCHASES: &str = "perkgate:plugin/purchases@1.0.0#decide";
const LOG: &str = r#"(import "perkgate:plugin/log@1.0.0" "write" (func (param i32 i32 i32)))"#;

#[test]
fn what_is_packed_reads_back() {
    let core = module("purchase-plugin", LOG, &[PURCHASES]);
    let plugin = pack(&core, &manifest()).expect("packs");
    let inspection = inspect(&plugin).expect("reads");
    assert_eq!(inspection.manifest, manifest());
    assert_eq!(inspection.digest, Digest::of(&plugin));
    assert_eq!(inspection.bytes, plugin.len());
    assert_eq!(inspection.exports, BTreeSet::from([Kind::Purchase]));
    assert_eq!(pack(&core, &manifest()).expect("packs"), plugin, "the same input, the same plugin");
}

/// Every interface of the contract: its small world, its name, the kind of entry it is about.
const INTERFACES: [(&str, &str, Kind); 7] = [
    ("purchase-plugin", "purchases", Kind::Purchase),
    ("refund-plugin", "refunds", Kind::Refund),
    ("join-plugin", "joins", Kind::Join),
    ("profile-plugin", "profiles", Kind::Profile),
    ("wake-plugin", "wakes", Kind::Wake),
    ("redemption-plugin", "redemptions", Kind::Redemption),
    ("answer-plugin", "answers", Kind::Answer),
];

#[test]
fn each_exported_interface_is_a_kind() {
    let decide = |interface: &str| format!("perkgate:plugin/{interface}@1.0.0#decide");
    for (world, interface, kind) in INTERFACES {
        let plugin = pack(&module(world, "", &[&decide(interface)]), &manifest()).expect(world);
        assert_eq!(inspect(&plugin).expect(world).exports, BTreeSet::from([kind]), "{world}");
    }
    let all = INTERFACES.map(|(_, interface, _)| decide(interface));
    let all = pack(&module("plugin", LOG, &all.each_ref().map(String::as_str)), &manifest()).expect("packs");
    assert_eq!(inspect(&all).expect("reads").exports, INTERFACES.map(|(.., kind)| kind).into());
}

#[test]
fn the_contract_has_no_other_interface() {
    let mut resolve = wit_parser::Resolve::default();
    let wit = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../wit"));
    let (package, _) = resolve.push_dir(wit).expect("the contract");
    let mut names: Vec<&str> = resolve.packages[package].interfaces.keys().map(String::as_str).collect();
    names.retain(|name| !["types", "log"].contains(name));
    assert_eq!(names, INTERFACES.map(|(_, interface, _)| interface));
    // For every interface there is a world of its own, and one of them all.
    let worlds: BTreeSet<&str> = resolve.packages[package].worlds.keys().map(String::as_str).collect();
    let expected = INTERFACES.iter().map(|(world, ..)| *world).chain(["plugin"]).collect();
    assert_eq!(worlds, expected);
}

/// A component whose `decide` does nothing, exported by this name.
fn exporting(name: &str) -> Vec<u8> {
    let text = format!(
        "(component (core module $m (func (export \"decide\"))) (core instance $i (instantiate $m))
           (func $f (canon lift (core func $i \"decide\"))) (instance $e (export \"decide\" (func $f)))
           (export \"{name}\" (instance $e)))"
    );
    let component = wat::parse_str(text).ok().and_then(|component| embed(&component, &manifest()).ok());
    component.unwrap_or_else(|| panic!("no component for {name}"))
}

#[test]
fn an_interface_is_known_by_its_name_and_major_version() {
    for (_, interface, kind) in INTERFACES {
        for version in ["1.0.0", "1.7.2"] {
            let component = exporting(&format!("perkgate:plugin/{interface}@{version}"));
            assert_eq!(inspect(&component).expect(interface).exports, BTreeSet::from([kind]));
        }
        let newer = exporting(&format!("perkgate:plugin/{interface}@2.0.0"));
        assert!(matches!(inspect(&newer), Err(PackError::NewerContract(name)) if name.contains("@2.0.0")));
    }
    let unknown = inspect(&exporting("perkgate:plugin/auctions@1.0.0")).expect_err("unknown").to_string();
    assert!(unknown.contains("auctions") && unknown.contains("update it"), "{unknown}");
    let nothing = inspect(&exporting("acme:till/purchases@1.0.0")).expect_err("nothing of ours").to_string();
    for (_, interface, _) in INTERFACES {
        assert!(nothing.contains(interface), "{nothing}");
    }
}

#[test]
fn a_module_for_wasi_is_told_how_to_be_built() {
    let clock = r#"(import "wasi_snapshot_preview1" "clock_time_get" (func (param i32 i64 i32) (result i32)))"#;
    let error = pack(&module("purchase-plugin", clock, &[PURCHASES]), &manifest()).expect_err("foreign");
    assert!(matches!(&error, PackError::ForeignModuleImport { name, .. } if name == "clock_time_get"));
    let sentence = error.to_string();
    assert!(sentence.contains("clock_time_get") && sentence.contains("wasm32-unknown-unknown"), "{sentence}");
}

#[test]
fn what_is_no_module_is_refused() {
    assert!(matches!(pack(b"#!/bin/sh", &manifest()), Err(PackError::NotAModule(_))));
    let plain = wat::parse_str("(module)").expect("text");
    assert!(matches!(pack(&plain, &manifest()), Err(PackError::NoExport | PackError::Encode(_))));
    let component = pack(&module("purchase-plugin", "", &[PURCHASES]), &manifest()).expect("packs");
    assert!(matches!(pack(&component, &manifest()), Err(PackError::NotAModule(_))));
    // A world whose function the module lacks.
    assert!(matches!(pack(&module("purchase-plugin", "", &[]), &manifest()), Err(PackError::Encode(_))));
}

#[test]
fn a_component_has_one_manifest() {
    let decide = r#"(component
        (core module $m (func (export "decide"))) (core instance $i (instantiate $m))
        (func $f (canon lift (core func $i "decide"))) (instance $e (export "decide" (func $f)))
        (export "perkgate:plugin/purchases@1.0.0" (instance $e)))"#;
    let component = wat::parse_str(decide).expect("text");
    assert!(matches!(inspect(&component), Err(PackError::NoManifest)));
    let once = embed(&component, &manifest()).expect("embeds");
    assert_eq!(inspect(&once).expect("reads").manifest, manifest());
    let twice = embed(&once, &manifest()).expect("embeds");
    assert!(matches!(inspect(&twice), Err(PackError::Manifests(2))));
    let damaged: Vec<u8> =
        String::from_utf8_lossy(&once).replace("\"contract\":\"1.0\"", "\"contract\":\"9.9\"").into();
    assert!(inspect(&damaged).is_err());
    let mut long = manifest();
    long.summary = "x".repeat(MANIFEST_BYTES);
    assert!(matches!(embed(&component, &long), Err(PackError::Manifest(_))));
}

#[test]
fn a_manifest_inside_does_not_count() {
    // The section of a nested component is not the plugin's.
    let nested = format!(
        "(component (component (@custom \"{}\" \"{{}}\")) (core module $m (func (export \"decide\")))
           (core instance $i (instantiate $m)) (func $f (canon lift (core func $i \"decide\")))
           (instance $e (export \"decide\" (func $f))) (export \"perkgate:plugin/purchases@1.0.0\" (instance $e)))",
        perkgate_pack::SECTION
    );
    assert!(matches!(inspect(&wat::parse_str(nested).expect("text")), Err(PackError::NoManifest)));
}

#[test]
fn a_manifest_is_read_with_its_schema() {
    let manifest = manifest();
    assert_eq!(manifest.facts, BTreeSet::from([Fact::Member, Fact::Balances]));
    assert_eq!(manifest.settings["properties"]["points"]["minimum"], 1);
    assert_eq!(manifest.settings["properties"]["factor"]["multipleOf"], 0.5);
    let file = "id = 'a'\nversion = '1'\ncontract = '1.0'\ntitle = 'A'\nsettings = 'settings.schema.json'\n";
    let named = manifest_toml(file, |name| {
        assert_eq!(name, "settings.schema.json");
        Ok("{\"type\":\"object\"}".to_owned())
    });
    assert_eq!(named.expect("reads").settings["type"], "object");
}

#[test]
fn whatever_a_plugin_is_woken_by_is_read() {
    let minimal = "id = 'a'\nversion = '1'\ncontract = '1.0'\ntitle = 'A'\n";
    let read = |line: &str| manifest_toml(&format!("{minimal}{line}\n"), no_file).expect(line);
    assert_eq!(read("").wakes, BTreeSet::new());
    let wakes = read("wakes = ['tier', 'installed']").wakes;
    assert_eq!(wakes, BTreeSet::from([WakeCause::Installed, WakeCause::Tier]));
    // It is embedded and read back with the rest.
    let woken = read("wakes = ['installed']");
    let plugin = pack(&module("wake-plugin", LOG, &["perkgate:plugin/wakes@1.0.0#decide"]), &woken).expect("packs");
    assert_eq!(inspect(&plugin).expect("reads").manifest.wakes, BTreeSet::from([WakeCause::Installed]));
    let deaf = pack(&module("purchase-plugin", LOG, &[PURCHASES]), &woken).expect_err("nothing to call").to_string();
    assert!(deaf.contains("`wakes` names \"installed\"") && deaf.contains("no rule about wakes"), "{deaf}");
    let facts = read("facts = ['birthday', 'tier', 'referral', 'history', 'favourites', 'coming']").facts;
    let all = [Fact::Birthday, Fact::Tier, Fact::Referral, Fact::History, Fact::Favourites, Fact::Coming];
    assert_eq!(facts, BTreeSet::from(all));
}

#[test]
fn a_mistake_in_the_manifest_is_named() {
    let minimal = "id = 'a'\nversion = '1'\ncontract = '1.0'\ntitle = 'A'\n";
    let says = |text: String, words: &[&str]| {
        let error = manifest_toml(&text, |_| Err(std::io::Error::other("no such file"))).expect_err("a mistake");
        let sentence = error.to_string();
        assert!(words.iter().all(|word| sentence.contains(word)), "{sentence}");
    };
    assert!(manifest_toml(minimal, no_file).is_ok());
    says(format!("{minimal}wallets = 3\n"), &["line 5", "wallets"]);
    says(format!("{minimal}id = 'b'\n"), &["line 5"]);
    says("id = 'a'\n".to_owned(), &["version"]);
    says(format!("{minimal}facts = ['shoe-size']\n"), &["line 5", "shoe-size"]);
    says(format!("{minimal}facts = ['balances']\n"), &["member"]);
    says(format!("{minimal}decisions = ['wish']\n"), &["wish", "earn"]);
    says(format!("{minimal}wakes = ['asked']\n"), &["`wakes`", "asked", "`decisions`"]);
    says(format!("{minimal}wakes = ['always']\n"), &["line 5", "always", "installed", "tier"]);
    says(format!("{minimal}wakes = 'tier'\n"), &["line 5"]);
    says(format!("{minimal}settings = 7\n"), &["line 5", "settings"]);
    says(format!("{minimal}settings = 'gone.json'\n"), &["gone.json", "no such file"]);
    says(format!("{minimal}settings = {{ from = 2026-11-21 }}\n"), &["line 5", "date"]);
    says(minimal.replace("1.0", "2.0"), &["contract", "2.0"]);
    let text = manifest_toml(&format!("{minimal}settings = 'x.json'\n"), |_| Ok("{".to_owned()));
    assert!(matches!(text, Err(PackError::Settings { .. })));
}
