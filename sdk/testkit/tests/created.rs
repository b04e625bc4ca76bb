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

/// A rule of every kind; the one about joins panics where there is a referrer. One is named as its argument, which is no mistake.
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

#[perkgate::profiles]
fn said(profile: &Profile, facts: &Facts) -> Decide {
    let Some(birthday) = facts.birthday else { return Ok(vec![]) };
    let next = Date::of(&facts.local).next(birthday);
    Ok(vec![Wake::civil("birthday", next.at(9, 0)).with(profile.source.as_bytes()).into()])
}

#[perkgate::wakes]
fn woken(woken: &Woken, facts: &Facts) -> Decide {
    let bought: i64 = facts.history.iter().map(|visit| visit.total).sum();
    let why = format!("{:?} {}", woken.cause, String::from_utf8_lossy(&woken.data));
    Ok(vec![Earn::points(bought).valid_days(30).because(why).into(), Wake::cancel(&woken.key).into()])
}

#[perkgate::redemptions]
fn taken(redemption: &Redemption, _facts: &Facts) -> Decide {
    Ok(vec![Tag { name: redemption.reward.clone(), present: redemption.step == RedemptionStep::Redeemed }.into()])
}

#[perkgate::answers]
fn answered(answer: &Answer, _facts: &Facts) -> Decide {
    let text = answer.text.clone().unwrap_or_default();
    Ok(vec![Task::new(&answer.key, format!("A score of {}", answer.score), text).into()])
}
"#;

/// What the plugin with a rule of every kind asks for.
const EVERY_MANIFEST: &str = r#"
id = "every-kind"
version = "0.1.0"
contract = "1.0"
title = "Every kind"
facts = ["birthday", "history"]
decisions = ["earn", "wake", "tag", "task"]
wakes = ["installed"]
"#;

#[test]
fn one_plugin_may_have_a_rule_of_every_kind() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = tempfile::tempdir().expect("a directory");
    let into = dir.path().join("every-kind");
    create("every-kind", &into, &here.join("../rust")).expect("made");
    std::fs::write(into.join("src/lib.rs"), EVERY_KIND).expect("written");
    std::fs::write(into.join("plugin.toml"), EVERY_MANIFEST).expect("written");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../wasm-plugins");
    let bench = Bench::new(&build_in(&into, &target).expect("builds").component).expect("loads");
    let shown = |case: &str| bench.run(&Case::parse(case).expect(case)).to_string();
    assert!(shown(r#"{"purchase":{"lines":[{"total":450}]}}"#).contains("\"amount\":450"));
    let refund = shown(r#"{"purchase":{"lines":[{"total":450}]},"refund":{"amount":100}}"#);
    assert!(refund.contains("sorry") && refund.contains("350"), "{refund}");
    assert!(shown(r#"{"join":{}}"#).contains("welcome"));
    let profile = shown(r#"{"profile":{},"facts":{"birthday":{"month":2,"day":29}}}"#);
    for part in [r#""civil":{"#, r#""year":2027"#, r#""day":28"#, r#""hour":9"#, r#""data":"74696c6c""#] {
        assert!(profile.contains(part), "{part} is not in:\n{profile}");
    }
    let woken = shown(
        r#"{"woken":{"cause":"installed","key":"k","data":"6869"},"facts":{"history":[{"total":5},{"total":6}]}}"#,
    );
    for part in [r#""amount":11"#, r#""valid_days":30"#, "Installed hi", r#""when":null"#] {
        assert!(woken.contains(part), "{part} is not in:\n{woken}");
    }
    let taken = |undone| shown(&format!(r#"{{"redemption":{{"undone":{undone}}}}}"#));
    assert!(taken(false).contains(r#""present":true"#) && taken(true).contains(r#""present":false"#));
    let answer = shown(r#"{"answer":{"key":"first","scale":"csat","score":2,"text":"A long queue."}}"#);
    assert!(answer.contains("A score of 2") && answer.contains("A long queue."), "{answer}");
    // A panic is the plugin's fault, and its sentence is not lost.
    let panic = shown(r#"{"join":{"referrer":"anna"}}"#);
    assert!(panic.contains("the fault \"trap\" (blame: \"plugin\")"), "{panic}");
    assert!(panic.contains("referrers are not expected"), "{panic}");
}
