//! One purchase, end to end: a signed webhook goes in; points, a stamp, a partner's offer and a message come out.

use super::{BY_JANA, JANA, ORDER};
use perkgate_domain::decision::{Decision, Outcome};
use perkgate_domain::delivery::DeliveryState;
use perkgate_domain::ledger::RewardState;
use perkgate_gateway::clock::Clock as _;
use perkgate_tests::programme::{ESHOP, OFFER, POINTS, STAMPS, THANKS, webhook};
use perkgate_tests::{FakeInbox, FakeShop, Ground, Sale, TestGateway};

#[tokio::test]
async fn a_signed_order_gives_points_a_stamp_an_offer_and_a_message() {
    let inbox = FakeInbox::open().await;
    let channel = webhook(&inbox.url());
    let gateway = Ground::of(&[ESHOP, POINTS, STAMPS, OFFER, THANKS, &channel]).at_present().open().await;
    let eshop = FakeShop::at(&gateway, "eshop");
    let at = gateway.clock().now().plus_ms(-60_000);
    let sale = Sale::new(ORDER, &[("Flat white", 2, 320), ("Medovník", 1, 625)]).by(JANA).consenting().at(at);

    eshop.sells(&sale).await;
    gateway.sent().await;

    let jana = gateway.member(BY_JANA).await;
    assert_eq!((jana.member.visits, jana.member.spent), (1, 1265));
    assert_eq!(jana.member.wallets["points"].available, 12);
    assert_eq!(jana.member.wallets["stamps"].available, 1);
    let [offer] = jana.rewards.as_slice() else { panic!("one offer: {:?}", jana.rewards) };
    assert_eq!(offer.partner.as_ref().map(perkgate_domain::ids::PartnerId::as_str), Some("kino-lumiere"));
    assert_eq!((offer.key.as_str(), offer.code.len(), offer.state), ("kino", 10, RewardState::Issued));

    let messages = inbox.got();
    let [message] = messages.as_slice() else { panic!("one message: {messages:?}") };
    assert!(message.verified, "the official library verifies it");
    assert_eq!(message.body["data"]["to"]["email"], JANA);
    assert_eq!(message.body["data"]["subject"], "Ďakujeme za prvý nákup");
    gateway.close().await;
}

#[tokio::test]
async fn explain_tells_who_decided_what_and_why() {
    let gateway = TestGateway::open(&[ESHOP, POINTS, STAMPS, OFFER, THANKS]).await;
    let eshop = FakeShop::at(&gateway, "eshop");
    let sale = Sale::new(ORDER, &[("Flat white", 2, 320), ("Medovník", 1, 625)]).by(JANA);
    eshop.sells(&sale).await;
    gateway.settle().await;

    let told = gateway.explain("eshop", ORDER).await;
    assert_eq!(told.entry.state, "settled");
    assert_eq!(told.entry.member, Some(gateway.member(BY_JANA).await.member.id));
    assert_eq!(told.purchase.id, ORDER.to_string());
    let lines: Vec<String> = told.purchase.lines.iter().map(|line| line.id.clone()).collect();
    assert_eq!(lines, [sale.line(0).to_string(), sale.line(1).to_string()]);

    let installations: Vec<&str> = told.decisions.iter().map(|made| made.record.installation.as_str()).collect();
    assert_eq!(installations, ["points-per-spend", "stamp-card", "partner-offer", "thank-you"]);
    assert!(
        told.decisions
            .iter()
            .map(|made| &made.record)
            .all(|made| made.fuel > 0 && made.ruling.is_none() && made.settings_revision == 1)
    );
    let Outcome::Decided(decisions) = &told.decisions[0].record.outcome else { panic!("points are decided") };
    let [Decision::Earn(earn)] = decisions.as_slice() else { panic!("points are earned: {decisions:?}") };
    assert_eq!((earn.amount, earn.shares.iter().map(|share| share.amount).sum::<i64>()), (12, 12));
    assert!(!earn.reason.is_empty());

    let posted: Vec<(&str, i64)> =
        told.postings.iter().map(|posting| (posting.wallet.as_str(), posting.amount)).collect();
    assert_eq!(posted, [("points", 12), ("stamps", 1)]);
    assert!(told.deliveries.is_empty(), "there is no channel");
    assert!(told.decisions[3].record.notes.iter().any(|note| note.contains("no channel")));
    // By the number that staff read, too.
    assert_eq!(gateway.explain("eshop", format!("#{}", sale.id % 100_000)).await.entry.id, told.entry.id);
    gateway.close().await;
}

#[tokio::test]
async fn a_restart_forgets_nothing_and_repeats_nothing() {
    let inbox = FakeInbox::open().await;
    let channel = webhook(&inbox.url());
    let mut gateway = TestGateway::open(&[ESHOP, POINTS, THANKS, &channel]).await;
    let eshop = FakeShop::at(&gateway, "eshop");
    let first = Sale::new(ORDER, &[("Flat white", 1, 320)]).by(JANA).consenting();
    eshop.delivers(None, "first", eshop.body(&first)).await.is(200, "accepted");
    gateway.sent().await;

    gateway.restart().await;

    eshop.delivers(None, "first", eshop.body(&first)).await.is(200, "duplicate");
    eshop.sells(&Sale::new(ORDER + 1, &[("Espresso", 1, 250)]).by(JANA)).await;
    gateway.sent().await;
    assert_eq!(gateway.balance(BY_JANA, "points").await, 3 + 2);
    assert_eq!(inbox.got().len(), 1);
    let told = gateway.explain("eshop", ORDER).await;
    assert_eq!(told.deliveries[0].delivery.state, DeliveryState::Delivered);
    gateway.close().await;
}

#[tokio::test]
async fn the_operator_sees_it() {
    let gateway = TestGateway::open(&[ESHOP, POINTS]).await;
    let eshop = FakeShop::at(&gateway, "eshop");
    eshop.sells(&Sale::new(ORDER, &[("Flat white", 1, 320)]).by(JANA)).await;
    eshop.posts(&[], b"{}".to_vec()).await.is(401, "rejected");
    gateway.settle().await;
    for probe in ["/healthz", "/readyz"] {
        assert_eq!((eshop.gets(probe).await.0, gateway.page(probe).await.0), (200, 200), "{probe}");
    }
    // What they say about everybody's business is the operator's alone.
    assert_eq!((eshop.gets("/metrics").await.0, eshop.gets("/health").await.0), (404, 404));
    let (status, metrics) = gateway.page("/metrics").await;
    assert_eq!(status, 200);
    for line in [
        r#"perkgate_arrivals_total{what="accepted"} 1"#,
        r#"perkgate_rejections_total{what="bad_signature"} 1"#,
        r#"perkgate_settled_total{what="purchase",how="settled"} 1"#,
    ] {
        assert!(metrics.contains(line), "`{line}` is missing in\n{metrics}");
    }
    assert!(!metrics.contains(JANA) && !metrics.contains("jana"));
    gateway.close().await;
}
