//! Hosts, plugins made from `tests/hostile`, and something to decide on.

#![expect(clippy::expect_used, reason = "tests stop where their ground is missing")]

use perkgate_domain::decision::{Decision, Fault, Outcome, Verdict};
use perkgate_domain::facts::{Facts, LocalTime, MemberFacts, MerchantFacts};
use perkgate_domain::limits::CallLimits;
use perkgate_domain::manifest::{CONTRACT, Manifest};
use perkgate_domain::member::Balance;
use perkgate_domain::money::Currency;
use perkgate_domain::purchase::{Channel, Line, LineKind, Purchase};
use perkgate_domain::time::Moment;
use perkgate_plugin_host::{Call, Compiler, Host, HostConfig, Plugin};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(crate) const KEY: [u8; 32] = [7; 32];

pub(crate) fn host(limits: CallLimits) -> Host {
    Host::new(HostConfig { limits, cache_dir: None, cache_key: KEY, instances: 2, compiler: Compiler::Here })
        .expect("a host")
}

pub(crate) fn caching_host(dir: &Path, cache_key: [u8; 32]) -> Host {
    let cache_dir = Some(dir.to_owned());
    compiling_host(cache_dir, cache_key, Compiler::Here)
}

pub(crate) fn compiling_host(cache_dir: Option<PathBuf>, cache_key: [u8; 32], compiler: Compiler) -> Host {
    let config = HostConfig { limits: CallLimits::default(), cache_dir, cache_key, instances: 2, compiler };
    Host::new(config).expect("a host")
}

pub(crate) fn manifest() -> Manifest {
    Manifest {
        id: "under-test".into(),
        version: "1.0.0".into(),
        contract: CONTRACT.into(),
        title: "A plugin under test".into(),
        summary: String::new(),
        facts: [].into(),
        decisions: ["earn".to_owned()].into(),
        wakes: [].into(),
        settings: serde_json::Value::Null,
    }
}

fn hostile(file: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/hostile")).join(file)
}

fn read(file: &str) -> String {
    let path = hostile(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file in `tests/hostile`, without its ending.
pub(crate) fn all() -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(hostile(""))
        .expect("tests/hostile")
        .filter_map(|file| file.ok()?.file_name().to_str()?.strip_suffix(".wat").map(str::to_owned))
        .collect();
    names.sort_unstable();
    names
}

/// The component of `tests/hostile/<name>.wat`, put together as the README there says, with a manifest.
pub(crate) fn component(name: &str) -> Vec<u8> {
    let file = read(&format!("{name}.wat"));
    if file.contains("(component") { embedded(name, &file) } else { component_of(name, &file) }
}

/// A component of this text, put together as from a file that has none of its own.
pub(crate) fn component_of(name: &str, text: &str) -> Vec<u8> {
    let export = if text.contains("(export \"perkgate:") { String::new() } else { read("export.part") };
    embedded(name, &format!("(component\n{}\n{text}\n{export}\n)", read("contract.part")))
}

fn embedded(name: &str, text: &str) -> Vec<u8> {
    let component = wat::parse_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    perkgate_pack::embed(&component, &manifest()).expect("a good manifest")
}

pub(crate) fn load(host: &Host, name: &str) -> Plugin {
    host.load(&component(name)).unwrap_or_else(|error| panic!("{name}.wat does not load: {error}"))
}

/// A purchase of 12.34 with the lines `a` and `b`.
pub(crate) fn purchase() -> Purchase {
    let line = |id: &str, total| Line {
        id: id.into(),
        sku: Some(format!("SKU-{id}")),
        name: "Coffee, beans, 250 g".into(),
        category: None,
        quantity_milli: 1000,
        unit: total,
        total,
        tax: 0,
        kind: LineKind::Item,
    };
    Purchase {
        id: "1001".into(),
        reference: None,
        channel: Channel::Online,
        placed_at: Moment(1_795_000_000_000),
        currency: Currency::parse("EUR").expect("known"),
        total: 1234,
        tax: 0,
        discount: 0,
        unaccounted: 0,
        unaccounted_reason: None,
        lines: vec![line("a", 1000), line("b", 234)],
        codes: vec!["AUTUMN".into()],
        location: None,
    }
}

pub(crate) fn facts() -> Facts {
    Facts {
        now: Moment(1_795_000_000_000),
        local: LocalTime { year: 2026, month: 11, day: 21, hour: 9, minute: 30, weekday: 6, offset_minutes: 60 },
        merchant: MerchantFacts {
            id: "kavarna".into(),
            name: "Kavárna U Mosta".into(),
            currency: Currency::parse("EUR").expect("known"),
            timezone: "Europe/Bratislava".into(),
            locale: "sk".into(),
        },
        member: Some(MemberFacts {
            id: "mem_1".into(),
            locale: Some("sk".into()),
            joined_at: Moment(0),
            visits: 3,
            spent: 4200,
            first_purchase_at: Some(Moment(1)),
            last_purchase_at: None,
            tier: Some("gold".into()),
            tags: vec!["regular".into()],
            consent: true,
            balances: BTreeMap::from([("points".into(), Balance { available: 42, pending: 0 })]),
        }),
        settings: "{}".into(),
        memory: vec![1, 2, 3],
        dice: 4,
        birthday: None,
        standing: None,
        referral: None,
        history: vec![],
        favourites: vec![],
        coming: vec![],
    }
}

pub(crate) fn decide(plugin: &Plugin) -> Verdict {
    plugin.decide(Call::Purchase { source: "eshop", purchase: &purchase() }, &facts())
}

/// Runs one of the files under these limits.
pub(crate) fn run(name: &str, limits: CallLimits) -> Verdict {
    decide(&load(&host(limits), name))
}

pub(crate) fn decisions(verdict: &Verdict) -> &[Decision] {
    match &verdict.outcome {
        Outcome::Decided(decisions) => decisions,
        other => panic!("decisions were expected: {other:?}"),
    }
}

pub(crate) fn fault(verdict: &Verdict) -> &Fault {
    match &verdict.outcome {
        Outcome::Fault(fault) => fault,
        other => panic!("a fault was expected: {other:?}"),
    }
}

/// How many units the first decision earns.
pub(crate) fn earned(verdict: &Verdict) -> i64 {
    match decisions(verdict) {
        [Decision::Earn(earn), ..] => earn.amount,
        other => panic!("earning was expected: {other:?}"),
    }
}
