//! Codes that purchases name: a member's own, another's, nobody's, old ones, and the one code everybody shares.

use super::ground::*;
use perkgate_domain::event::Event;
use perkgate_domain::ids::RewardId;
use perkgate_domain::ledger::RewardState;
use perkgate_domain::plan::{EntryState, QueuedEntry, Settlement};
use perkgate_domain::rules::{Audience, CatalogueReward};

/// A member with a mug.
fn with_mug() -> (Shop, Settlement) {
    let mut shop = Shop::new();
    shop.rules().rewards.insert("mug".into(), CatalogueReward { valid_days: Some(9), ..item(Some(5)) });
    shop.buy("2026-05-01 10:00", &[300], vec![earn("points", 12)]);
    let taken = shop.tell(redeem("k", at("2026-05-01 11:00"), "mug"), None, &[]);
    (shop, taken)
}

fn ordering(shop: &Shop, when: &str, code: &str) -> Event {
    Event::Purchase(perkgate_domain::purchase::Purchase { codes: vec![code.into()], ..shop.order(when, &[300]) })
}

fn use_at(shop: &mut Shop, when: &str, code: &str) -> Settlement {
    let order = ordering(shop, when, code);
    shop.tell(order, None, &[])
}

fn state(shop: &Shop, id: &RewardId) -> RewardState {
    shop.rows.rewards[id].state
}

#[test]
fn a_code_is_used_once_however_it_is_typed() {
    let (mut shop, taken) = with_mug();
    let mug = &taken.rewards[0];
    let used = use_at(&mut shop, "2026-05-02 10:00", &format!(" {} ", mug.code.to_ascii_lowercase()));
    assert_eq!((used.cause.as_ref(), used.used.as_slice()), (None, &[mug.id.clone()][..]));
    assert_eq!(state(&shop, &mug.id), RewardState::Used);
    assert_eq!(shop.rows.rewards[&mug.id].used_in, Some(used.entry));
    let twice = use_at(&mut shop, "2026-05-03 10:00", &mug.code);
    assert!(twice.used.is_empty() && twice.cause.as_ref().is_some_and(|cause| cause.contains("was used before")));
    assert_eq!(shop.rows.rewards[&mug.id].used_in, Some(used.entry));
    // A used reward does not return, nor does it lapse.
    let back = shop.tell(undo("u", at("2026-05-01 11:01"), &mug.id), None, &[]);
    assert!(back.cause.is_some());
    shop.wait("2026-06-01 00:00");
    assert_eq!((state(&shop, &mug.id), shop.stands("points")), (RewardState::Used, [7, 0, 5, 0, 0]));
}

#[test]
fn a_code_is_used_whoever_uses_it() {
    let (mut shop, taken) = with_mug();
    shop.visitor("mem_b");
    let used = use_at(&mut shop, "2026-05-02 10:00", &taken.rewards[0].code);
    assert!(used.cause.as_ref().is_some_and(|cause| cause.contains("given to another member")));
    assert_eq!(state(&shop, &taken.rewards[0].id), RewardState::Used);
}

#[test]
fn a_purchase_of_nobody_uses_codes_too() {
    let (mut shop, taken) = with_mug();
    let order = ordering(&shop, "2026-05-02 10:00", &taken.rewards[0].code);
    let entry = QueuedEntry { member: None, ..shop.entry(order, None) };
    let mut book = shop.rows.book(&shop.merchant.id);
    let settled = shop.settle_in(&mut book, &entry, &[]);
    assert_eq!((settled.state, settled.used.len()), (EntryState::Unclaimed, 1));
    assert_eq!(state(&shop, &taken.rewards[0].id), RewardState::Used);
}

#[test]
fn a_code_that_lapsed_is_said_to_have() {
    let (mut shop, taken) = with_mug();
    let late = use_at(&mut shop, "2026-05-11 00:00", &taken.rewards[0].code);
    assert!(
        late.used.is_empty() && late.cause.as_ref().is_some_and(|cause| cause.contains("lapsed")),
        "{:?}",
        late.cause
    );
    assert_eq!(state(&shop, &taken.rewards[0].id), RewardState::Lapsed);
}

#[test]
fn within_a_batch_a_reward_ends_once() {
    // Given back and used.
    let (mut shop, taken) = with_mug();
    let mug = taken.rewards[0].clone();
    let mut book = shop.rows.book(&shop.merchant.id);
    let entry = shop.entry(undo("u", at("2026-05-01 11:05"), &mug.id), None);
    shop.settle_in(&mut book, &entry, &[]);
    let order = ordering(&shop, "2026-05-01 11:06", &mug.code);
    let entry = shop.entry(order, None);
    let settled = shop.settle_in(&mut book, &entry, &[]);
    assert!(settled.used.is_empty() && settled.cause.as_ref().is_some_and(|cause| cause.contains("was undone before")));
    assert_eq!((state(&shop, &mug.id), shop.available("points")), (RewardState::Undone, 12));
    // Used by somebody else, and given back.
    let (mut shop, taken) = with_mug();
    let mug = taken.rewards[0].clone();
    shop.visitor("mem_b");
    let mut book = shop.rows.book(&shop.merchant.id);
    let order = ordering(&shop, "2026-05-01 11:05", &mug.code);
    let entry = shop.entry(order, None);
    shop.settle_in(&mut book, &entry, &[]);
    shop.visitor("mem_a");
    let entry = shop.entry(undo("u", at("2026-05-01 11:06"), &mug.id), None);
    let settled = shop.settle_in(&mut book, &entry, &[]);
    assert!(settled.reward_states.is_empty() && settled.cause.is_some());
    assert_eq!((state(&shop, &mug.id), shop.available("points")), (RewardState::Used, 7));
}

#[test]
fn a_reward_of_this_very_batch_can_be_used() {
    let (mut shop, _) = with_mug();
    let mut book = shop.rows.book(&shop.merchant.id);
    let entry = shop.entry(redeem("k2", at("2026-05-02 10:00"), "mug"), None);
    let taken = shop.settle_in(&mut book, &entry, &[]);
    let order = ordering(&shop, "2026-05-02 10:01", &taken.rewards[0].code);
    let entry = shop.entry(order, None);
    let used = shop.settle_in(&mut book, &entry, &[]);
    assert_eq!(used.used, [taken.rewards[0].id.clone()]);
}

#[test]
fn a_shared_coupon_counts_when_it_is_used() {
    let mut shop = Shop::new();
    let coupon = CatalogueReward {
        code: Some("SPRING".into()),
        stock: Some(3),
        per_member: Some(2),
        until: Some(at("2026-06-01 00:00")),
        ..item(None)
    };
    shop.rules().rewards.insert("spring".into(), coupon);
    let refusal = |shop: &mut Shop, when: &str| use_at(shop, when, "spring").cause;
    assert_eq!(refusal(&mut shop, "2026-05-01 10:00"), None);
    assert_eq!(refusal(&mut shop, "2026-05-02 10:00"), None);
    let third = refusal(&mut shop, "2026-05-03 10:00").expect("two for each");
    assert!(third.contains("SPRING") && third.contains("a member may have 2"), "{third}");
    shop.visitor("mem_b");
    assert_eq!(refusal(&mut shop, "2026-05-03 10:00"), None);
    assert!(refusal(&mut shop, "2026-05-03 11:00").is_some_and(|why| why.contains("there are 3")));
    assert!(refusal(&mut shop, "2026-06-01 00:00").is_some_and(|why| why.contains("at that time")));
    assert!(shop.rows.rewards.is_empty());
}

#[test]
fn a_shared_coupon_has_its_audience_and_other_codes_mean_nothing() {
    let mut shop = Shop::new();
    let audience = Some(Audience::Tag("vip".into()));
    shop.rules()
        .rewards
        .insert("spring".into(), CatalogueReward { code: Some("SPRING".into()), audience, ..item(None) });
    assert!(use_at(&mut shop, "2026-05-01 10:00", "SPRING").cause.is_some());
    let other = use_at(&mut shop, "2026-05-01 11:00", "WELCOME10");
    assert_eq!((other.cause, other.counters.len()), (None, 0));
}
