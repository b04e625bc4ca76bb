//! A thin webhook: Square's payment does not say what was bought, so the gateway asks, and asks again when nobody answers.

use super::{BY_JANA, JANA};
use perkgate_tests::programme::{POINTS, STAMPS, TILL};
use perkgate_tests::{FakePlatform, FakeShop, Sale, TestGateway, until};

/// The purchase of `payment-7`, and what is in its lines.
async fn bought(gateway: &TestGateway) -> Vec<(String, i64)> {
    let told = gateway.explain("till", "payment-7").await;
    assert_eq!(told.entry.state, "settled");
    told.purchase.lines.into_iter().map(|line| (line.name, line.total)).collect()
}

fn lunch() -> Sale {
    Sale::new(7, &[("Obed", 1, 890), ("Káva", 2, 190)]).by(JANA)
}

#[tokio::test]
async fn with_credentials_the_order_is_fetched_and_its_lines_are_known() {
    let platform = FakePlatform::open().await;
    platform.knows(&lunch());
    let till = format!("{TILL}{}", platform.api());
    let gateway = TestGateway::open(&[&till, POINTS, STAMPS]).await;
    let square = FakeShop::at(&gateway, "till");
    square.sells(&lunch()).await;
    gateway.settle().await;
    assert_eq!(bought(&gateway).await, [("Obed".to_owned(), 890), ("Káva".to_owned(), 380)]);
    assert_eq!(gateway.balance(BY_JANA, "points").await, 12);
    assert_eq!(platform.asked(), 1);
    gateway.close().await;
}

#[tokio::test]
async fn a_platform_in_trouble_is_asked_again_later() {
    let platform = FakePlatform::open().await;
    platform.knows(&lunch());
    platform.will_say(&[500, 429]);
    let till = format!("{TILL}{}", platform.api());
    let gateway = TestGateway::open(&[&till, POINTS]).await;
    let square = FakeShop::at(&gateway, "till");
    let reply = square.sells(&lunch()).await;
    let waits = async |for_status: &str| {
        let what = format!("the arrival waits because of {for_status}");
        until(&what, async || {
            let arrival = gateway.arrival(reply.arrival()).await;
            arrival.note.filter(|note| arrival.state == "new" && note.contains(for_status))
        })
        .await
    };
    let note = waits("500").await;
    assert!(!note.contains("sq0atp"), "no credentials in notes: {note}");
    assert!(gateway.find_order("till", "payment-7").await.is_none());
    gateway.later(10);
    waits("429").await;
    assert_eq!(platform.asked(), 2);
    gateway.later(120);
    gateway.settle().await;
    assert_eq!(platform.asked(), 3);
    assert_eq!(bought(&gateway).await.len(), 2);
    assert_eq!(gateway.balance(BY_JANA, "points").await, 12);
    gateway.close().await;
}

#[tokio::test]
async fn without_credentials_the_payment_is_one_line() {
    let gateway = TestGateway::open(&[TILL, POINTS]).await;
    let square = FakeShop::at(&gateway, "till");
    square.tells(None, square.body(&lunch().unpaid())).await.is(200, "accepted");
    square.sells(&lunch()).await;
    gateway.settle().await;
    assert_eq!(bought(&gateway).await, [("Payment".to_owned(), 1270)]);
    assert_eq!(gateway.balance(BY_JANA, "points").await, 12);
    gateway.close().await;
}
