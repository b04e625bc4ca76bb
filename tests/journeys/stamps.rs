//! The stamp card: full, it gives a reward with a code; a visit given back takes the unused reward with it.

use super::{BY_JANA, JANA};
use perkgate_domain::ledger::RewardState;
use perkgate_tests::programme::{ESHOP, STAMPS};
use perkgate_tests::{FakeShop, Sale, TestGateway};

fn visit(number: u64) -> Sale {
    Sale::new(1_000 + number, &[("Espresso", 1, 250)]).by(JANA)
}

async fn stamps(gateway: &TestGateway) -> i64 {
    gateway.settle().await;
    gateway.balance(BY_JANA, "stamps").await
}

#[tokio::test]
async fn a_full_card_gives_a_reward_with_a_code() {
    let gateway = TestGateway::open(&[ESHOP, STAMPS]).await;
    let eshop = FakeShop::at(&gateway, "eshop");
    eshop.sells(&visit(1)).await;
    assert_eq!(stamps(&gateway).await, 1);
    assert!(gateway.member(BY_JANA).await.rewards.is_empty());

    eshop.sells(&visit(2)).await;
    assert_eq!(stamps(&gateway).await, 0, "the reward costs the full card");
    let rewards = gateway.member(BY_JANA).await.rewards;
    let [reward] = rewards.as_slice() else { panic!("one reward: {rewards:?}") };
    assert_eq!((reward.key.as_str(), reward.title.as_str()), ("free-coffee", "Káva zadarmo"));
    assert!(reward.code.len() == 10 && reward.code.chars().all(|char| char.is_ascii_alphanumeric()), "{}", reward.code);
    assert_eq!((reward.state, reward.partner.as_ref()), (RewardState::Issued, None));

    eshop.sells(&visit(3)).await;
    eshop.sells(&visit(4)).await;
    assert_eq!(stamps(&gateway).await, 0);
    let rewards = gateway.member(BY_JANA).await.rewards;
    assert_eq!(rewards.len(), 2);
    assert_ne!(rewards[0].code, rewards[1].code);
    gateway.close().await;
}

/// Whether the visit that is given back began the card or filled it.
async fn given_back(gateway: &TestGateway, which: u64) {
    let eshop = FakeShop::at(gateway, "eshop");
    eshop.sells(&visit(1)).await;
    gateway.settle().await;
    eshop.sells(&visit(2)).await;
    assert_eq!(stamps(gateway).await, 0);

    eshop.cancels(&visit(which)).await;
    assert_eq!(stamps(gateway).await, 1, "the card is open again, with the other visit's stamp");
    let jana = gateway.member(BY_JANA).await;
    assert!(jana.rewards.is_empty(), "{:?}", jana.rewards);
    assert_eq!(jana.member.visits, 1);
    let told = gateway.explain("eshop", visit(2).id).await;
    assert_eq!(told.rewards[0].state, RewardState::Withdrawn);
    let old_code = told.rewards[0].code.clone();

    eshop.sells(&visit(3)).await;
    assert_eq!(stamps(gateway).await, 0);
    let rewards = gateway.member(BY_JANA).await.rewards;
    assert_eq!(rewards.len(), 1, "the next visit fills it again");
    assert_ne!(rewards[0].code, old_code, "a withdrawn code stays withdrawn");
}

#[tokio::test]
async fn giving_back_the_visit_that_filled_the_card_withdraws_the_reward() {
    let gateway = TestGateway::open(&[ESHOP, STAMPS]).await;
    given_back(&gateway, 2).await;
    gateway.close().await;
}

#[tokio::test]
async fn giving_back_an_earlier_visit_withdraws_the_reward_too() {
    let gateway = TestGateway::open(&[ESHOP, STAMPS]).await;
    given_back(&gateway, 1).await;
    gateway.close().await;
}
