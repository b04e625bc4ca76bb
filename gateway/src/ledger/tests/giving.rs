//! What a verdict gives: postings, lots, offers, messages; whole or not at all.

use super::ground::*;
use perkgate_domain::decision::{Decision, FaultKind, Message, Outcome};
use perkgate_domain::delivery::DeliveryState;
use perkgate_domain::ledger::{Account, RewardState};
use perkgate_domain::programme::Mode;

#[test]
fn earning_posts_from_issued_to_available_and_links_the_chain() {
    let mut shop = Shop::new();
    let settled = shop.buy("2026-03-01 10:00", &[300, 100], vec![earn("points", 7)]);
    assert_eq!(settled.postings.len(), 1);
    assert_eq!(settled.postings[0].source, Account::Issued);
    assert_eq!(settled.postings[0].destination, Account::Available("mem_a".into()));
    assert_eq!(settled.postings[0].hash, settled.postings[0].link(&[0; 32]));
    // No shares given: by what the lines cost, and they add up.
    assert_eq!(settled.lots[0].shares.iter().map(|share| share.amount).collect::<Vec<_>>(), [5, 2]);
    let member = shop.record();
    assert_eq!((shop.available("points"), member.visits, member.spent), (7, 1, 400));
    assert_eq!((member.first_purchase_at, member.last_purchase_at), (Some(settled.at), Some(settled.at)));
}

#[test]
fn a_verdict_counts_whole_or_not_at_all() {
    let mut shop = Shop::new();
    let settled = shop.buy("2026-03-01 10:00", &[300], vec![earn("stamps", 1), coffee(10)]);
    assert_eq!(settled.decisions[0].ruling.as_ref().map(|fault| fault.kind), Some(FaultKind::Invalid));
    assert!(settled.postings.is_empty() && settled.lots.is_empty() && settled.rewards.is_empty());
    assert_eq!((shop.available("stamps"), shop.record().visits), (0, 1));
}

#[test]
fn one_verdict_that_cannot_be_leaves_the_others_alone() {
    let mut shop = Shop::new();
    shop.installations.push(installation("stamps"));
    let bought = shop.order("2026-03-01 10:00", &[300]);
    let says = [
        ("points", Outcome::Decided(vec![earn("points", 3)])),
        ("stamps", Outcome::Decided(vec![earn("stamps", 1), spend("points", 4)])),
    ];
    let settled = shop.tell(perkgate_domain::event::Event::Purchase(bought), None, &says);
    assert!(settled.decisions[0].ruling.is_none() && settled.decisions[1].ruling.is_some());
    assert_eq!((shop.available("points"), shop.available("stamps")), (3, 0));
}

#[test]
fn a_shadow_is_recorded_and_moves_nothing() {
    let mut shop = Shop::new();
    shop.installations[0].mode = Mode::Shadow;
    let settled = shop.buy("2026-03-01 10:00", &[300], vec![earn("points", 3)]);
    assert!(settled.decisions[0].shadow && settled.postings.is_empty());
}

#[test]
fn an_offer_runs_out_and_is_held_once() {
    let mut shop = Shop::new();
    let first = shop.buy("2026-03-01 10:00", &[300], vec![offer(Some(1), Some(1))]);
    assert_eq!(first.rewards[0].expires_at, Some(at("2026-03-03 00:00")));
    let second = shop.buy("2026-03-02 10:00", &[300], vec![offer(Some(1), Some(1))]);
    assert!(second.rewards.is_empty() && second.decisions[0].notes[0].contains("already"));
    // By then the first has lapsed: the member does not hold it, and still had the only one.
    let third = shop.buy("2026-03-03 10:00", &[300], vec![offer(Some(1), Some(1))]);
    assert!(third.rewards.is_empty() && third.decisions[0].notes[0].contains("run out"));
    assert_eq!(shop.rows.rewards[&first.rewards[0].id].state, RewardState::Lapsed);
}

#[test]
fn an_offer_needs_a_partner() {
    let mut shop = Shop::new();
    shop.installations[0].partner = None;
    let settled = shop.buy("2026-03-01 10:00", &[300], vec![offer(None, None)]);
    assert_eq!(settled.decisions[0].ruling.as_ref().map(|fault| fault.kind), Some(FaultKind::NotGranted));
}

#[test]
fn no_consent_no_message() {
    let mut shop = Shop::new();
    let message =
        Decision::Message(Message { key: "hi".into(), subject: "Hi".into(), text: "Hi".into(), locale: "en".into() });
    let settled = shop.buy("2026-03-01 10:00", &[300], vec![message.clone()]);
    assert_eq!(settled.deliveries[0].state, DeliveryState::Due);
    shop.rows.members.get_mut(&shop.member).expect("known").consent = false;
    let settled = shop.buy("2026-03-02 10:00", &[300], vec![message]);
    assert_eq!(settled.deliveries[0].state, DeliveryState::Suppressed);
}

#[test]
fn whatever_a_verdict_did_before_it_failed_is_gone() {
    let mut shop = Shop::new();
    shop.buy("2026-03-01 10:00", &[300], vec![earn("stamps", 5)]);
    let before = shop.rows.clone();
    let says = vec![earn("points", 3), spend("stamps", 2), offer(Some(9), None), coffee(1), spend("stamps", 3)];
    let settled = shop.buy("2026-03-02 10:00", &[300], says);
    assert!(settled.decisions[0].ruling.is_some());
    assert!(settled.counters.is_empty() && settled.rewards.is_empty() && settled.postings.is_empty());
    assert_eq!(before.members[&shop.member].wallets, shop.record().wallets);
}
