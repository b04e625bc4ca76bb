//! Plugins that misbehave, beside one that does not: contained, blamed and told; the entry and the others go on.

use super::{BY_JANA, JANA, ORDER};
use perkgate_domain::decision::{Blame, Fault, FaultKind, Outcome};
use perkgate_domain::plan::DecisionRecord;
use perkgate_gateway::store::ExplainView;
use perkgate_tests::programme::{ESHOP, POINTS, STAMPS, plugin_file};
use perkgate_tests::{FakeShop, Ground, Sale, TestGateway, hostile};
use std::collections::BTreeMap;

/// Component, and what it is blamed for.
const GUESTS: &[(&str, FaultKind)] = &[
    ("loop", FaultKind::Fuel),
    ("trap", FaultKind::Trap),
    ("recursion", FaultKind::Stack),
    ("memory-bomb", FaultKind::Memory),
    ("log-flood", FaultKind::Log),
    ("result-huge", FaultKind::Result),
    ("result-million", FaultKind::Result),
    ("points-max", FaultKind::Invalid),
    ("share-unknown", FaultKind::Invalid),
];

fn fault(made: &DecisionRecord) -> Option<&Fault> {
    match &made.outcome {
        Outcome::Fault(fault) => Some(fault),
        _ => made.ruling.as_ref(),
    }
}

fn faults(told: &ExplainView) -> BTreeMap<&str, (Blame, FaultKind)> {
    let of = |made: &'_ DecisionRecord| fault(made).map(|fault| (fault.blame, fault.kind));
    told.decisions
        .iter()
        .map(|made| &made.record)
        .filter_map(|made| Some((made.installation.as_str(), of(made)?)))
        .collect()
}

fn meal() -> Sale {
    Sale::new(ORDER, &[("Obed", 1, 1250)]).by(JANA)
}

async fn settled(gateway: &TestGateway, sale: &Sale) -> ExplainView {
    FakeShop::at(gateway, "eshop").sells(sale).await;
    gateway.settle().await;
    gateway.explain("eshop", sale.id).await
}

#[tokio::test]
async fn a_house_full_of_hostile_guests_spoils_nobodys_points() {
    let installed: Vec<String> = GUESTS.iter().map(|(name, _)| plugin_file(name)).collect();
    // Before, between and after the honest ones.
    let (before, after) = installed.split_at(GUESTS.len() / 2);
    let pieces: Vec<&str> = [ESHOP]
        .into_iter()
        .chain(before.iter().map(String::as_str))
        .chain([POINTS])
        .chain(after.iter().map(String::as_str))
        .chain([STAMPS])
        .collect();
    let mut ground = Ground::of(&pieces);
    for (name, _) in GUESTS {
        ground = ground.file(&format!("{name}.wasm"), hostile(name));
    }
    let gateway = ground.open().await;

    let told = settled(&gateway, &meal()).await;
    assert_eq!(told.entry.state, "settled");
    assert_eq!(gateway.balance(BY_JANA, "points").await, 12);
    assert_eq!(gateway.balance(BY_JANA, "stamps").await, 1);
    let wanted: BTreeMap<&str, _> = GUESTS.iter().map(|(name, kind)| (*name, (Blame::Plugin, *kind))).collect();
    assert_eq!(faults(&told), wanted);
    for made in &told.decisions {
        let made = &made.record;
        if let Some(fault) = fault(made) {
            assert!(fault.detail.len() > 10, "{} says what happened: {}", made.installation, fault.detail);
        }
    }
    // A plugin's fault only repeats itself: the entry was not put off for it, and the next one settles as well.
    settled(&gateway, &Sale { id: ORDER + 1, ..meal() }).await;
    assert_eq!(gateway.balance(BY_JANA, "points").await, 24);
    let (_, metrics) = gateway.page("/metrics").await;
    assert!(metrics.contains(r#"perkgate_faults_total{what="plugin",how="fuel"} 2"#), "{metrics}");
    let mut ours = metrics.lines().filter(|line| line.contains(r#"what="host""#));
    assert!(ours.all(|line| line.ends_with(" 0")), "nothing of it is ours: {metrics}");
    gateway.close().await;
}

#[tokio::test]
async fn beyond_a_grant_or_a_cap_a_verdict_is_refused_whole() {
    let mine = |id: &str, rest: &str| format!("\n[[plugins]]\nid = \"{id}\"\nplugin = \"points-per-spend\"\n{rest}\n");
    let ungranted = mine("ungranted", "");
    let beyond = mine("beyond", "grants = [\"earn\"]\ncaps = { points_per_purchase = 11 }");
    let within = mine("within", "grants = [\"earn\"]\ncaps = { points_per_purchase = 12 }");
    let daily = mine("daily", "grants = [\"earn\"]\ncaps = { points_per_day = 20 }");
    let gateway = TestGateway::open(&[ESHOP, POINTS, &ungranted, &beyond, &within, &daily]).await;

    let told = settled(&gateway, &meal()).await;
    let wanted = [("beyond", (Blame::Plugin, FaultKind::Cap)), ("ungranted", (Blame::Plugin, FaultKind::NotGranted))];
    assert_eq!(faults(&told), wanted.into());
    assert_eq!(
        gateway.balance(BY_JANA, "points").await,
        3 * 12,
        "the plain one, the one within its cap, and the daily one"
    );
    let detail = |id: &str| {
        let made = told
            .decisions
            .iter()
            .map(|made| &made.record)
            .find(|made| made.installation.as_str() == id)
            .expect("it decided");
        fault(made).map(|fault| fault.detail.clone()).unwrap_or_default()
    };
    assert!(detail("ungranted").contains("`grants`"), "the refusal names the line to add: {}", detail("ungranted"));
    assert!(detail("beyond").contains("points_per_purchase"), "{}", detail("beyond"));

    // The day's cap of 20 has 8 left, for all members together.
    let told = settled(&gateway, &Sale { id: ORDER + 1, email: Some("petr@example.com".to_owned()), ..meal() }).await;
    assert_eq!(faults(&told)["daily"], (Blame::Plugin, FaultKind::Cap));
    assert_eq!(gateway.balance("email:petr@example.com", "points").await, 2 * 12);
    // Nothing happens later than it arrives, so the clock goes on too.
    gateway.later(86_400);
    let tomorrow = meal().at.plus_ms(86_400_000);
    let told = settled(&gateway, &Sale { id: ORDER + 2, at: tomorrow, ..meal() }).await;
    assert!(!faults(&told).contains_key("daily"), "another day");
    gateway.close().await;
}

#[tokio::test]
async fn in_the_shadow_everything_is_decided_and_nothing_follows() {
    let shadow = format!("{STAMPS}mode = \"shadow\"\n");
    let gateway = TestGateway::open(&[ESHOP, POINTS, &shadow]).await;
    let told = settled(&gateway, &meal()).await;
    let made = told
        .decisions
        .iter()
        .map(|made| &made.record)
        .find(|made| made.installation.as_str() == "stamp-card")
        .expect("it decided");
    assert!(made.shadow && matches!(&made.outcome, Outcome::Decided(decisions) if decisions.len() == 1));
    assert_eq!(gateway.balance(BY_JANA, "stamps").await, 0);
    assert_eq!(gateway.balance(BY_JANA, "points").await, 12);
    gateway.close().await;
}
