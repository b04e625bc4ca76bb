//! Refunds invert the record of what was earned: in parts, repeated, in any order, and whatever has become of the rule since.

use super::{BY_JANA, JANA, ORDER};
use perkgate_tests::programme::{ESHOP, OWN, POINTS, STAMPS};
use perkgate_tests::{FakeShop, Sale, TestGateway};

const REFUND: u64 = 5_095_629_690_001;

/// 17 euros: 10 points lie on the cakes, 7 on the lunch.
fn lunch(id: u64) -> Sale {
    Sale::new(id, &[("Medovník", 2, 500), ("Obed", 1, 700)]).by(JANA)
}

async fn points(gateway: &TestGateway) -> i64 {
    gateway.settle().await;
    gateway.balance(BY_JANA, "points").await
}

#[tokio::test]
async fn parts_add_up_to_the_whole() {
    let gateway = TestGateway::open(&[ESHOP, POINTS, STAMPS]).await;
    let eshop = FakeShop::at(&gateway, "eshop");
    let sale = lunch(ORDER);
    eshop.sells(&sale).await;
    assert_eq!(points(&gateway).await, 17);

    eshop.refunds(REFUND, &sale, &[(0, 1)]).await;
    assert_eq!(points(&gateway).await, 12, "half of what the cakes earned");
    eshop.refunds(REFUND + 1, &sale, &[(1, 1)]).await;
    assert_eq!(points(&gateway).await, 5, "all of what the lunch earned");
    assert_eq!(gateway.member(BY_JANA).await.member.visits, 1, "something was still bought");
    eshop.refunds(REFUND + 2, &sale, &[(0, 1)]).await;
    assert_eq!(points(&gateway).await, 0);

    let jana = gateway.member(BY_JANA).await.member;
    assert_eq!((jana.visits, jana.spent), (0, 0));
    assert_eq!(jana.wallets["stamps"].available, 0);
    let told = gateway.explain("eshop", ORDER).await;
    let states: Vec<&str> = told.refunds.iter().map(|(entry, _)| entry.state.as_str()).collect();
    assert_eq!(states, ["settled", "settled", "settled"]);
    gateway.close().await;
}

#[tokio::test]
async fn a_repeated_refund_changes_nothing() {
    let gateway = TestGateway::open(&[ESHOP, POINTS]).await;
    let eshop = FakeShop::at(&gateway, "eshop");
    let sale = lunch(ORDER);
    eshop.sells(&sale).await;
    // Under three delivery ids: Shopify tells twice, and a poll found it as well.
    for _ in 0..3 {
        eshop.refunds(REFUND, &sale, &[(0, 1)]).await;
        assert_eq!(points(&gateway).await, 12);
    }
    assert_eq!(gateway.explain("eshop", ORDER).await.refunds.len(), 1);
    gateway.close().await;
}

#[tokio::test]
async fn a_refund_that_overtakes_its_purchase_waits_for_it() {
    let gateway = TestGateway::open(&[ESHOP, POINTS, STAMPS]).await;
    let eshop = FakeShop::at(&gateway, "eshop");
    let sale = lunch(ORDER);
    eshop.refunds(REFUND, &sale, &[(0, 1)]).await;
    gateway.settle().await;
    assert_eq!(gateway.depth().await.parked, 1);

    eshop.sells(&sale).await;
    assert_eq!(points(&gateway).await, 12);
    assert_eq!(gateway.depth().await.parked, 0);
    let told = gateway.explain("eshop", ORDER).await;
    assert_eq!((told.refunds[0].0.state.as_str(), told.refunds[0].0.cause.as_deref()), ("settled", None));
    gateway.close().await;
}

#[tokio::test]
async fn no_order_of_tellings_ends_differently() {
    let gateway = TestGateway::open(&[OWN, POINTS, STAMPS]).await;
    let till = FakeShop::at(&gateway, "own");
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let mut ends = Vec::new();
    for (number, order) in (1_u64..).zip(orders) {
        let who = format!("guest{number}@example.com");
        let sale = Sale { email: Some(who.clone()), ..lunch(number) };
        for telling in order {
            match telling {
                0 => till.sells(&sale).await,
                1 => till.refunds(number * 10, &sale, &[(0, 1)]).await,
                _ => till.refunds(number * 10 + 1, &sale, &[(0, 1), (1, 1)]).await,
            };
            gateway.settle().await;
        }
        let guest = gateway.member(&format!("email:{who}")).await.member;
        let wallet = |name: &str| guest.wallets.get(name).map_or(0, |wallet| wallet.available);
        ends.push((order, (wallet("points"), wallet("stamps"), guest.visits, guest.spent)));
    }
    for (order, end) in ends {
        assert_eq!(end, (0, 0, 0, 0), "told in the order {order:?}");
    }
    gateway.close().await;
}

#[tokio::test]
async fn a_full_refund_takes_back_what_was_earned_whatever_became_of_the_rule() {
    let mut gateway = TestGateway::open(&[ESHOP, POINTS]).await;
    let eshop = FakeShop::at(&gateway, "eshop");
    let paused = format!("{POINTS}mode = \"paused\"\n");
    let tenfold = POINTS.replace("points = 1", "points = 10");
    let futures: [(&str, &[&str]); 4] = [
        ("unchanged", &[ESHOP, POINTS]),
        ("paused", &[ESHOP, &paused]),
        ("with other settings", &[ESHOP, &tenfold]),
        ("removed", &[ESHOP]),
    ];
    for (number, (future, pieces)) in (0..).zip(futures) {
        gateway.reapply(&[ESHOP, POINTS]).await;
        let sale = lunch(ORDER + number);
        eshop.sells(&sale).await;
        assert_eq!(points(&gateway).await, 17, "{future}");

        gateway.reapply(pieces).await;
        eshop.cancels(&sale).await;

        assert_eq!(points(&gateway).await, 0, "{future}");
        let told = gateway.explain("eshop", sale.id).await;
        let moved: Vec<(i64, bool)> =
            told.postings.iter().map(|posting| (posting.amount, posting.source.ends_with("/available"))).collect();
        assert_eq!(moved, [(17, false), (17, true)], "{future}: the exact inverse");
    }
    gateway.close().await;
}

#[tokio::test]
async fn a_partial_refund_goes_by_the_old_rate_after_the_rate_was_raised() {
    let mut gateway = TestGateway::open(&[ESHOP, POINTS]).await;
    let eshop = FakeShop::at(&gateway, "eshop");
    let sale = lunch(ORDER);
    eshop.sells(&sale).await;
    gateway.settle().await;
    let tenfold = POINTS.replace("points = 1", "points = 10");
    assert!(gateway.reapply(&[ESHOP, &tenfold]).await);
    eshop.refunds(REFUND, &sale, &[(1, 1)]).await;
    assert_eq!(points(&gateway).await, 10, "seven points lay on the lunch, not seventy");
    gateway.close().await;
}
