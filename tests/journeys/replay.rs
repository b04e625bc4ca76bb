//! Replay: every stored decision is made again from its stored facts by the component of that digest, to the same outcome and fuel.

use super::{JANA, ORDER};
use perkgate_domain::purchase::Event;
use perkgate_gateway::decide;
use perkgate_gateway::store::{DecisionView, ExplainView};
use perkgate_tests::programme::{ESHOP, OFFER, OWN, POINTS, STAMPS, THANKS, plugin_file};
use perkgate_tests::{FakeShop, Ground, Sale, TestGateway, hostile};

/// What a decision was about.
fn event(told: &ExplainView, made: &DecisionView) -> Event {
    if made.entry == told.entry.id {
        return Event::Purchase(told.purchase.clone());
    }
    let refund = told.refunds.iter().find(|(entry, _)| entry.id == made.entry);
    Event::Refund(refund.map(|(_, refund)| refund.clone()).expect("the decision is on the purchase or a refund of it"))
}

/// Makes every decision on an order again; answers how many there were.
async fn again(gateway: &TestGateway, source: &str, order: u64) -> usize {
    let told = gateway.explain(source, order).await;
    let (host, store) = (&gateway.gateway().host, &gateway.gateway().store);
    for view in &told.decisions {
        let made = &view.record;
        let component = store.component(made.digest).await.expect("components are read").expect("it is kept");
        let plugin = host.load(&component).expect("it loads as it did");
        let settings = store.settings(&gateway.merchant(), made.installation.as_str(), made.settings_revision).await;
        assert_eq!(settings.expect("settings are read").as_deref(), Some(made.facts.settings.as_str()));
        let verdict = decide::again(&plugin, &event(&told, view), source, Some(&told.purchase), &made.facts)
            .expect("the purchase is at hand");
        let who = format!("{} on {order}", made.installation);
        assert_eq!(verdict.outcome, made.outcome, "{who}");
        assert_eq!(verdict.fuel, made.fuel, "{who}");
        assert_eq!(verdict.log, made.log, "{who}");
    }
    told.decisions.len()
}

#[tokio::test]
async fn every_decision_can_be_made_again() {
    let guests = ["loop", "trap", "honest-log"];
    let installed: Vec<String> = guests.iter().map(|name| plugin_file(name)).collect();
    let pieces: Vec<&str> =
        [ESHOP, OWN, POINTS, STAMPS, OFFER, THANKS].into_iter().chain(installed.iter().map(String::as_str)).collect();
    let mut ground = Ground::of(&pieces);
    for name in guests {
        ground = ground.file(&format!("{name}.wasm"), hostile(name));
    }
    let mut gateway = ground.open().await;
    let (eshop, own) = (FakeShop::at(&gateway, "eshop"), FakeShop::at(&gateway, "own"));
    let sale = |id, price| Sale::new(id, &[("Obed", 1, price), ("Káva", 2, 199)]).by(JANA);
    for number in 0..4_u64 {
        eshop.sells(&sale(ORDER + number, 1_000 + i64::try_from(number).unwrap_or(0))).await;
    }
    own.sells(&sale(5, 333)).await;
    eshop.refunds(77, &sale(ORDER, 1_000), &[(1, 1)]).await;
    gateway.settle().await;

    // The rules change, and so does the host: what was decided is still decided the same.
    let tenfold = POINTS.replace("points = 1", "points = 10");
    gateway.reapply(&[ESHOP, OWN, &tenfold]).await;
    gateway.restart().await;
    let mut made = 0;
    for number in 0..4 {
        made += again(&gateway, "eshop", ORDER + number).await;
    }
    made += again(&gateway, "own", 5).await;
    assert!(made >= 5 * 7, "seven plugins decided on five purchases, and {made} decisions are stored");
    gateway.close().await;
}
