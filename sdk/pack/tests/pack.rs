//! Packing a core module and reading the component back; `plugin.toml`; and what each refusal names.

use perkgate_domain::ids::Digest;
use perkgate_domain::limits::MANIFEST_BYTES;
use perkgate_domain::manifest::{Fact, Manifest};
use perkgate_domain::purchase::Kind;
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
        wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).ok()?;
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

#[test]
fn each_exported_interface_is_a_kind() {
    let (refunds, joins) = ("perkgate:plugin/refunds@1.0.0#decide", "perkgate:plugin/joins@1.0.0#decide");
    let plugin = pack(&module("refund-plugin", "", &[refunds]), &manifest()).expect("packs");
    assert_eq!(inspect(&plugin).expect("reads").exports, BTreeSet::from([Kind::Refund]));
    let all = pack(&module("plugin", LOG, &[PURCHASES, refunds, joins]), &manifest()).expect("packs");
    assert_eq!(inspect(&all).expect("reads").exports, BTreeSet::from([Kind::Purchase, Kind::Refund, Kind::Join]));
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
    says(format!("{minimal}settings = 7\n"), &["line 5", "settings"]);
    says(format!("{minimal}settings = 'gone.json'\n"), &["gone.json", "no such file"]);
    says(format!("{minimal}settings = {{ from = 2026-11-21 }}\n"), &["line 5", "date"]);
    says(minimal.replace("1.0", "2.0"), &["contract", "2.0"]);
    let text = manifest_toml(&format!("{minimal}settings = 'x.json'\n"), |_| Ok("{".to_owned()));
    assert!(matches!(text, Err(PackError::Settings { .. })));
}
