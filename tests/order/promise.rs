//! What order is promised to plugins, and what a stamp card makes of a purchase that comes late: `gateway/decisions/0010`.

use perkgate_domain::ids::EntryId;
use perkgate_domain::time::Moment;
use perkgate_tests::programme::{ESHOP, OWN, STAMPS};
use perkgate_tests::{FakeShop, NOON, Sale, TestGateway};

const PETER: &str = "peter@example.com";
const BY_PETER: &str = "email:peter@example.com";

/// Peter's visit so many hours before noon; the earliest has the largest number.
fn visit(hours: u64) -> Sale {
    Sale::new(7_000 + hours, &[("Lungo", 1, 210)]).by(PETER).at(hours_ago(hours))
}

fn hours_ago(hours: u64) -> Moment {
    NOON.plus_ms(-3_600_000 * i64::try_from(hours).expect("hours"))
}

/// Stamps on the card, and rewards.
async fn card(gateway: &TestGateway) -> (i64, usize) {
    gateway.settle().await;
    let peter = gateway.member(BY_PETER).await;
    (peter.member.wallets["stamps"].available, peter.rewards.len())
}

#[tokio::test]
async fn entries_are_decided_in_the_order_of_their_numbers_at_the_time_they_happened() {
    let gateway = TestGateway::open(&[OWN, STAMPS]).await;
    let till = FakeShop::at(&gateway, "own");
    // Told from the latest to the earliest, and out of a backlog.
    for hours in 1..=6 {
        till.sells(&visit(hours)).await;
    }
    gateway.settle().await;
    let mut told: Vec<(EntryId, i64, Moment, Moment)> = Vec::new();
    for hours in 1..=6 {
        let order = gateway.explain("own", visit(hours).id).await;
        let [decision] = order.decisions.as_slice() else { panic!("one plugin decides") };
        let facts = &decision.record.facts;
        let member = facts.member.as_ref().expect("a stamp card is told about the member");
        told.push((order.entry.id, member.visits, facts.now, order.entry.at));
        assert_eq!(facts.now, hours_ago(hours), "when it happened, not when it is decided");
    }
    assert!(told.is_sorted(), "admitted as they were told: {told:?}");
    let visits: Vec<i64> = told.iter().map(|(_, visits, ..)| *visits).collect();
    assert_eq!(visits, [0, 1, 2, 3, 4, 5], "each sees what the one before it left");
    gateway.close().await;
}

#[tokio::test]
async fn a_late_purchase_is_stamped_when_it_arrives_and_moves_no_reward() {
    let gateway = TestGateway::open(&[OWN, STAMPS]).await;
    let till = FakeShop::at(&gateway, "own");
    till.sells(&visit(3)).await;
    assert_eq!(card(&gateway).await, (1, 0));
    till.sells(&visit(1)).await;
    assert_eq!(card(&gateway).await, (0, 1), "the card of two is full");
    let filled = gateway.member(BY_PETER).await.rewards[0].clone();

    // It lay between the two, and would have filled the card.
    till.sells(&visit(2)).await;
    assert_eq!(card(&gateway).await, (1, 1), "it begins the next card");
    let still = gateway.member(BY_PETER).await.rewards[0].clone();
    assert_eq!((&still.id, &still.code, still.issued_at), (&filled.id, &filled.code, hours_ago(1)));
    let last = gateway.explain("own", visit(1).id).await;
    assert_eq!(still.entry, last.entry.id, "the reward is of the purchase that filled the card when it arrived");
    let late = gateway.explain("own", visit(2).id).await;
    assert_eq!(late.postings[0].at, hours_ago(2), "and its stamp is of the time of the purchase");

    let peter = gateway.member(BY_PETER).await.member;
    let seen = (peter.visits, peter.first_purchase_at, peter.last_purchase_at);
    assert_eq!(seen, (3, Some(hours_ago(3)), Some(hours_ago(1))));
    gateway.close().await;
}

#[tokio::test]
async fn a_card_that_a_refund_left_full_gives_its_reward_with_the_next_visit() {
    let gateway = TestGateway::open(&[ESHOP, STAMPS]).await;
    let eshop = FakeShop::at(&gateway, "eshop");
    for hours in [4, 3, 2] {
        eshop.sells(&visit(hours)).await;
        gateway.settle().await;
    }
    assert_eq!(card(&gateway).await, (1, 1));
    // What filled the card is given back: its reward goes with it, and two visits are left on a card of two.
    eshop.cancels(&visit(3)).await;
    assert_eq!(card(&gateway).await, (2, 0), "a refund gives no rewards");
    eshop.sells(&visit(1)).await;
    assert_eq!(card(&gateway).await, (1, 1), "three visits: one full card, and one stamp");
    gateway.close().await;
}
