//! However often and by however many topics a platform tells of a sale: it is one purchase, and the first telling counts.

use super::{BY_JANA, JANA, ORDER};
use perkgate_tests::programme::{ESHOP, POINTS, STAMPS};
use perkgate_tests::{FakeShop, Reply, Sale, TestGateway};
use std::sync::Arc;
use tokio::task::JoinSet;

fn coffee() -> Sale {
    Sale::new(ORDER, &[("Flat white", 2, 320)]).by(JANA)
}

async fn standing(gateway: &TestGateway) -> (i64, i64, i64) {
    gateway.settle().await;
    let jana = gateway.member(BY_JANA).await.member;
    (jana.wallets["points"].available, jana.wallets["stamps"].available, jana.visits)
}

async fn state_of(gateway: &TestGateway, reply: &Reply) -> (String, String) {
    let arrival = gateway.arrival(reply.arrival()).await;
    (arrival.state, arrival.note.unwrap_or_default())
}

#[tokio::test]
async fn two_topics_and_a_repetition_are_one_purchase() {
    let gateway = TestGateway::open(&[ESHOP, POINTS, STAMPS]).await;
    let eshop = FakeShop::at(&gateway, "eshop");
    let body = eshop.body(&coffee());

    eshop.delivers(Some("orders/create"), "created", body.clone()).await.is(200, "accepted");
    let paid = eshop.delivers(Some("orders/paid"), "paid", body.clone()).await.is(200, "accepted");
    let again = eshop.delivers(Some("orders/paid"), "paid", body).await.is(200, "duplicate");

    assert_eq!(standing(&gateway).await, (6, 1, 1));
    assert_eq!(again.arrival(), paid.arrival(), "the repetition is told the first one's number");
    let (state, note) = state_of(&gateway, &paid).await;
    assert_eq!(state, "read");
    assert!(note.contains("known already"), "{note}");
    assert_eq!(gateway.explain("eshop", ORDER).await.arrivals.len(), 2);
    gateway.close().await;
}

#[tokio::test]
async fn an_order_that_is_paid_later_counts_then() {
    let gateway = TestGateway::open(&[ESHOP, POINTS, STAMPS]).await;
    let eshop = FakeShop::at(&gateway, "eshop");
    let created = eshop.tells(Some("orders/create"), eshop.body(&coffee().unpaid())).await.is(200, "accepted");
    gateway.settle().await;
    let (state, note) = state_of(&gateway, &created).await;
    assert_eq!(state, "nothing");
    assert!(note.contains("`pending`"), "{note}");
    assert!(gateway.find_order("eshop", &ORDER.to_string()).await.is_none());

    eshop.tells(Some("orders/paid"), eshop.body(&coffee())).await.is(200, "accepted");
    assert_eq!(standing(&gateway).await, (6, 1, 1));
    gateway.close().await;
}

#[tokio::test]
async fn a_contradiction_is_kept_and_changes_nothing() {
    let gateway = TestGateway::open(&[ESHOP, POINTS, STAMPS]).await;
    let eshop = FakeShop::at(&gateway, "eshop");
    eshop.sells(&coffee()).await;
    let before = standing(&gateway).await;

    let dearer = Sale { extra: 500, ..coffee() };
    let other = eshop.tells(Some("orders/updated"), eshop.body(&dearer)).await.is(200, "accepted");

    assert_eq!(standing(&gateway).await, before);
    let (state, note) = state_of(&gateway, &other).await;
    assert_eq!(state, "conflict");
    assert!(note.contains("something else"), "{note}");
    let told = gateway.explain("eshop", ORDER).await;
    assert_eq!(told.purchase.total, coffee().total());
    let states: Vec<&str> = told.arrivals.iter().map(|arrival| arrival.state.as_str()).collect();
    assert_eq!(states, ["read", "conflict"], "whoever asks sees that there is another telling");
    gateway.close().await;
}

#[tokio::test]
async fn other_bytes_under_one_delivery_id_are_kept_apart() {
    let gateway = TestGateway::open(&[ESHOP, POINTS, STAMPS]).await;
    let eshop = FakeShop::at(&gateway, "eshop");
    let first = eshop.delivers(None, "one-id", eshop.body(&coffee())).await.is(200, "accepted");
    let before = standing(&gateway).await;

    let foreign = Sale::new(ORDER + 1, &[("Obed", 1, 1000)]).by(JANA);
    let second = eshop.delivers(None, "one-id", eshop.body(&foreign)).await.is(200, "duplicate");
    let third = eshop.delivers(None, "one-id", eshop.body(&foreign)).await.is(200, "duplicate");

    assert_eq!(standing(&gateway).await, before);
    assert!(gateway.find_order("eshop", &foreign.id.to_string()).await.is_none());
    assert_ne!(second.arrival(), first.arrival());
    assert_eq!(third.arrival(), second.arrival(), "the same other bytes are kept once");
    assert_eq!(state_of(&gateway, &second).await.0, "conflict");
    gateway.close().await;
}

#[tokio::test]
async fn twenty_tellings_at_once_are_one_purchase() {
    let gateway = TestGateway::open(&[ESHOP, POINTS, STAMPS]).await;
    let eshop = Arc::new(FakeShop::at(&gateway, "eshop"));
    let mut tellings = JoinSet::new();
    for telling in 0..20 {
        let eshop = Arc::clone(&eshop);
        // Half of them are repetitions of one delivery, half have ids of their own.
        let delivery = if telling % 2 == 0 { "same".to_owned() } else { format!("own-{telling}") };
        tellings.spawn(async move { eshop.delivers(None, &delivery, eshop.body(&coffee())).await });
    }
    let replies = tellings.join_all().await;
    assert!(replies.iter().all(|reply| reply.status == 200), "{replies:?}");
    let accepted = replies.iter().filter(|reply| reply.word() == "accepted").count();
    assert_eq!(accepted, 11, "ten of their own, and one of the same");
    assert_eq!(standing(&gateway).await, (6, 1, 1));
    gateway.close().await;
}
