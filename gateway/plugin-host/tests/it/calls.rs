//! What a good component is given and gives: fresh instances, determinism, kinds of entry.

use crate::support::{component, decide, decisions, earned, facts, fault, host, load, purchase, run};
use perkgate_domain::decision::{Blame, Decision, FaultKind, LogLevel, Outcome, Refusal};
use perkgate_domain::event::{Join, Kind};
use perkgate_domain::ids::Digest;
use perkgate_domain::limits::CallLimits;
use perkgate_domain::time::Moment;
use perkgate_plugin_host::Call;

#[test]
fn a_rule_decides_on_what_it_is_given() {
    let host = host(CallLimits::default());
    let plugin = load(&host, "honest-points");
    assert_eq!(plugin.digest(), Digest::of(&component("honest-points")));
    assert_eq!(plugin.manifest(), &crate::support::manifest());
    let verdict = decide(&plugin);
    let [Decision::Earn(earn)] = decisions(&verdict) else { panic!("{verdict:?}") };
    assert_eq!((earn.wallet.as_str(), earn.amount, earn.reason.as_str()), ("points", 12, "A point for every 1.00."));
    assert!(earn.shares.is_empty());
    let mut dearer = purchase();
    dearer.total = 99_900;
    assert_eq!(earned(&plugin.decide(Call::Purchase { source: "eshop", purchase: &dearer }, &facts())), 999);
}

#[test]
fn shares_come_back() {
    let verdict = run("honest-share", CallLimits::default());
    let [Decision::Earn(earn)] = decisions(&verdict) else { panic!("{verdict:?}") };
    assert_eq!((earn.shares[0].line.as_str(), earn.shares[0].amount), ("a", 5));
}

#[test]
fn a_refusal_is_no_fault() {
    let verdict = run("honest-refusal", CallLimits::default());
    assert_eq!(verdict.outcome, Outcome::Refused(Refusal::Unsupported("It is Sunday.".into())));
}

#[test]
fn what_is_logged_comes_back() {
    let verdict = run("honest-log", CallLimits::default());
    assert_eq!(verdict.log.len(), 3);
    assert!(verdict.log.iter().all(|line| line.level == LogLevel::Info && line.text == "hello"));
}

#[test]
fn nothing_is_left_for_the_next_decision() {
    let host = host(CallLimits::default());
    let plugin = load(&host, "honest-state");
    for _ in 0..20 {
        assert_eq!(earned(&decide(&plugin)), 2);
    }
    let purchase = purchase();
    let mut live = plugin.live().expect("an instance");
    let counts: Vec<_> = (0..3)
        .map(|_| earned(&live.decide(Call::Purchase { source: "eshop", purchase: &purchase }, &facts())))
        .collect();
    assert_eq!(counts, [2, 4, 6]);
}

#[test]
fn the_same_facts_give_the_same_verdict_on_every_host() {
    for name in ["honest-points", "honest-nan", "honest-log", "honest-remember", "trap"] {
        let first = run(name, CallLimits::default());
        let second = run(name, CallLimits::default());
        assert_eq!(first, second, "{name}");
        assert!(first.fuel > 0, "{name}");
    }
}

#[test]
fn nans_are_canonical() {
    let verdict = run("honest-nan", CallLimits::default());
    let [Decision::Remember { bytes }] = decisions(&verdict) else { panic!("{verdict:?}") };
    assert_eq!(bytes[..], 0x7ff8_0000_0000_0000_u64.to_le_bytes());
}

#[test]
fn a_plugin_handles_what_it_exports() {
    let host = host(CallLimits::default());
    let plugin = load(&host, "honest-points");
    assert!(plugin.handles(Kind::Purchase));
    assert!(!plugin.handles(Kind::Refund) && !plugin.handles(Kind::Join));
    let join = Join { id: "7".into(), at: Moment(0), referrer: None };
    let verdict = plugin.decide(Call::Join { source: "eshop", join: &join }, &facts());
    assert_eq!((fault(&verdict).blame, fault(&verdict).kind), (Blame::Host, FaultKind::Host));
}

#[test]
fn joins_and_refunds_are_told_apart() {
    let host = host(CallLimits::default());
    let plugin = load(&host, "honest-kinds");
    assert!(!plugin.handles(Kind::Purchase));
    assert!(plugin.handles(Kind::Refund) && plugin.handles(Kind::Join));
    let join = Join { id: "7".into(), at: Moment(0), referrer: Some("mem_2".into()) };
    assert_eq!(earned(&plugin.decide(Call::Join { source: "eshop", join: &join }, &facts())), 5, "bytes of `mem_2`");
    let purchase = purchase();
    let refund = perkgate_domain::purchase::Refund {
        id: "r1".into(),
        purchase: purchase.id.clone(),
        at: Moment(0),
        currency: purchase.currency,
        amount: 321,
        complete: false,
        lines: vec![perkgate_domain::purchase::RefundLine { line: "b".into(), quantity_milli: 1000, amount: 234 }],
    };
    let verdict = plugin.decide(Call::Refund { refund: &refund, source: "eshop", purchase: &purchase }, &facts());
    assert_eq!(earned(&verdict), 321 + 234);
}

#[test]
fn a_plugin_outlives_its_host() {
    let plugin = load(&host(CallLimits { fuel: u64::MAX, deadline_ms: 20, ..CallLimits::default() }), "loop");
    // The deadline's clock must still run.
    assert_eq!(fault(&decide(&plugin)).kind, FaultKind::Deadline);
}
