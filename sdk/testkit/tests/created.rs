//! From `create` to points: the template, copied out of the checkout, builds and passes its cases.

use perkgate_testkit::{Bench, Case, build_in, build_plugin, create, run_cases};
use std::path::Path;

#[test]
fn a_created_plugin_builds_and_passes_its_cases() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = tempfile::tempdir().expect("a directory");
    let into = dir.path().join("double-tuesday");
    create("double-tuesday", &into, &here.join("../rust")).expect("made");
    // The workspace's own directory for plugins: only the new plugin itself is left to compile.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../wasm-plugins");
    let built = build_in(&into, &target).expect("builds");
    assert_eq!(built.manifest.id, "double-tuesday");
    let bench = Bench::new(&built.component).expect("loads");
    let report = run_cases(&into.join("cases"), &bench).expect("readable cases");
    assert!(report.passed(), "{report}");
    let case = Case::read(&into.join("cases/first.json")).expect("a case");
    let shown = bench.run(&case).to_string();
    assert!(shown.contains("\"amount\":5") && shown.contains("fuel "), "{shown}");
}

#[test]
fn a_case_that_does_not_hold_says_where() {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template");
    let bench = Bench::new(&build_plugin(&template).expect("builds").component).expect("loads");
    let dir = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
    write(
        "amount.json",
        r#"{"settings":{"points":5},"purchase":{"lines":[{"total":450}]},"expect":{"decisions":[{"type":"earn","amount":6}]}}"#,
    );
    write("kind.json", r#"{"join":{},"expect":{"decisions":[]}}"#);
    write("refusal.json", r#"{"purchase":{"lines":[{"total":450}]},"expect":{"decisions":[]}}"#);
    let report = run_cases(dir.path(), &bench).expect("readable cases").to_string();
    for said in ["decisions[0].amount: expected 6, got 5", "no rule about joins", "missing field `points`"] {
        assert!(report.contains(said), "{said:?} is not in:\n{report}");
    }
}

/// A rule of every kind; the one about joins panics where there is a referrer.
const EVERY_KIND: &str = r#"
use perkgate::prelude::*;

#[perkgate::purchases]
fn bought(purchase: &Purchase, _facts: &Facts) -> Decide {
    Ok(vec![Earn::points(purchase.total).because("bought").into()])
}

#[perkgate::refunds]
fn returned(refund: &Refund, purchase: &Purchase, _facts: &Facts) -> Decide {
    Ok(vec![Earn::new("sorry", purchase.total - refund.amount).because("returned").into()])
}

#[perkgate::joins]
fn joined(join: &Join, _facts: &Facts) -> Decide {
    assert!(join.referrer.is_none(), "referrers are not expected");
    Ok(vec![Earn::new("welcome", 1).because("joined").into()])
}
"#;

#[test]
fn one_plugin_may_have_a_rule_of_every_kind() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = tempfile::tempdir().expect("a directory");
    let into = dir.path().join("every-kind");
    create("every-kind", &into, &here.join("../rust")).expect("made");
    std::fs::write(into.join("src/lib.rs"), EVERY_KIND).expect("written");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../wasm-plugins");
    let bench = Bench::new(&build_in(&into, &target).expect("builds").component).expect("loads");
    let shown = |case: &str| bench.run(&Case::parse(case).expect(case)).to_string();
    assert!(shown(r#"{"purchase":{"lines":[{"total":450}]}}"#).contains("\"amount\":450"));
    let refund = shown(r#"{"purchase":{"lines":[{"total":450}]},"refund":{"amount":100}}"#);
    assert!(refund.contains("sorry") && refund.contains("350"), "{refund}");
    assert!(shown(r#"{"join":{}}"#).contains("welcome"));
    // A panic is the plugin's fault, and its sentence is not lost.
    let panic = shown(r#"{"join":{"referrer":"anna"}}"#);
    assert!(panic.contains("the fault \"trap\" (blame: \"plugin\")"), "{panic}");
    assert!(panic.contains("referrers are not expected"), "{panic}");
}
