//! Two members who are one person, and members who are to be forgotten.

use super::ground::*;
use perkgate_domain::decision::{Decision, Wake, WakeTime, WakeWhom};
use perkgate_domain::event::{Event, Forget, Merge};
use perkgate_domain::ledger::{Account, RewardState};
use perkgate_domain::plan::{Fate, Settlement};
use perkgate_domain::rules::{CatalogueReward, Downgrade, Level, Measure, Tiers, Window};

/// `mem_a` becomes one with `mem_b`, and stays.
fn merge(shop: &mut Shop, when: &str) -> Settlement {
    shop.visitor("mem_a");
    shop.tell(Event::Merge(Merge { id: when.into(), at: at(when), other: "mem_b".into() }), None, &[])
}

fn buy(shop: &mut Shop, who: &str, when: &str, points: i64) -> Settlement {
    shop.visitor(who);
    shop.buy(when, &[300], vec![earn("points", points)])
}

fn owes(shop: &mut Shop, who: &str, points: i64) {
    let bought = buy(shop, who, "2026-04-01 10:00", points);
    shop.buy("2026-04-01 11:00", &[300], vec![spend("points", points)]);
    shop.refund("2026-04-01 12:00", &bought, cancelled());
    assert_eq!(shop.available("points"), -points);
}

#[test]
fn everything_of_one_becomes_the_others() {
    let mut shop = Shop::new();
    shop.rules().rewards.insert("mug".into(), item(Some(2)));
    buy(&mut shop, "mem_a", "2026-05-01 10:00", 5);
    shop.visitor("mem_b");
    shop.rows.members.get_mut(&shop.member).expect("known").tags = vec!["vip".into()];
    let bought = shop.buy("2026-04-01 10:00", &[300], vec![earn("points", 9), earn_on("points", 4, (Some(90), None))]);
    let mug = shop.tell(redeem("k", at("2026-05-02 10:00"), "mug"), None, &[]);
    let settled = merge(&mut shop, "2026-05-02 10:01");
    assert_eq!((settled.cause.as_ref(), shop.stands("points")), (None, [12, 4, 2, 0, 0]));
    let member = shop.record();
    assert_eq!((member.visits, member.spent, member.tags.as_slice()), (2, 600, &["vip".to_owned()][..]));
    assert_eq!(member.first_purchase_at, Some(at("2026-04-01 10:00")));
    let gone = &shop.rows.members[&"mem_b".into()];
    assert_eq!((stands(gone, "points"), gone.due_at), ([0, 0, 0, 0, 0], None));
    assert_eq!(gone.merged_into, Some("mem_a".into()));
    // Each in its own chain, through an account that ends at zero.
    assert!(settled.postings.iter().all(|one| one.source == Account::Transfer || one.destination == Account::Transfer));
    // What the other had can be given back, and refunded.
    assert_eq!(shop.held()[0].id, mug.rewards[0].id);
    shop.tell(undo("u", at("2026-05-02 10:02"), &mug.rewards[0].id), None, &[]);
    shop.refund("2026-05-03 10:00", &bought, cancelled());
    assert_eq!((shop.stands("points"), shop.record().visits), ([5, 0, 0, 0, 13], 1));
}

#[test]
fn whoever_has_something_pays_what_the_other_owes() {
    for (owing, having) in [("mem_a", "mem_b"), ("mem_b", "mem_a")] {
        let mut shop = Shop::new();
        owes(&mut shop, owing, 6);
        buy(&mut shop, having, "2026-05-01 10:00", 10);
        merge(&mut shop, "2026-05-02 10:00");
        assert_eq!(shop.stands("points"), [4, 0, 6, 0, 6], "{owing} owes");
    }
    let mut shop = Shop::new();
    owes(&mut shop, "mem_a", 6);
    owes(&mut shop, "mem_b", 5);
    merge(&mut shop, "2026-05-02 10:00");
    assert_eq!(shop.stands("points"), [-11, 0, 11, 0, 11]);
}

#[test]
fn a_debt_is_paid_with_what_is_lost_first() {
    let mut shop = Shop::new();
    owes(&mut shop, "mem_b", 6);
    shop.visitor("mem_a");
    shop.buy("2026-05-01 10:00", &[300], vec![earn("points", 5), earn_on("points", 8, (None, Some(3)))]);
    merge(&mut shop, "2026-05-02 10:00");
    shop.wait("2026-06-01 00:00");
    assert_eq!(shop.stands("points"), [5, 0, 6, 2, 6]);
}

#[test]
fn what_fell_due_for_who_goes_fell_due_before_they_went() {
    let mut shop = Shop::new();
    owes(&mut shop, "mem_a", 6);
    shop.visitor("mem_b");
    shop.buy("2026-05-01 10:00", &[300], vec![earn_on("points", 10, (None, Some(0)))]);
    let bought = shop.rows.lots.values().last().map(|lot| lot.entry).expect("earned");
    // Nobody looked in between: the ten are lost all the same, and pay no debt.
    merge(&mut shop, "2026-05-05 10:00");
    assert_eq!(shop.stands("points"), [-6, 0, 6, 10, 6]);
    let refund = perkgate_domain::purchase::Refund { id: "r".into(), at: at("2026-05-06 10:00"), ..cancelled() };
    shop.tell(Event::Refund(refund), Some(bought), &[]);
    assert_eq!(shop.stands("points"), [-6, 0, 6, 0, 16]);
}

#[test]
fn the_higher_tier_stays_and_what_counts_is_added_up() {
    let level = |name: &str, at| Level { name: name.into(), at, multiplier_milli: 1_000, tag: None };
    for (one, other, after) in [(12, 20, "gold"), (20, 12, "gold"), (12, 12, "gold"), (3, 12, "silver")] {
        let mut shop = Shop::new();
        shop.rules().tiers = Some(Tiers {
            by: Measure::Points("points".into()),
            window: Window::Rolling(30),
            downgrade: Downgrade::OneStep,
            grace_days: 0,
            levels: vec![level("silver", 10), level("gold", 20)],
        });
        buy(&mut shop, "mem_a", "2026-05-01 10:00", one);
        buy(&mut shop, "mem_b", "2026-05-01 11:00", other);
        merge(&mut shop, "2026-05-02 10:00");
        assert_eq!((shop.record().tier.as_deref(), shop.record().climb.days.len()), (Some(after), 1), "{one} {other}");
    }
}

#[test]
fn a_merge_that_cannot_be_changes_nothing() {
    let mut shop = Shop::new();
    buy(&mut shop, "mem_a", "2026-05-01 10:00", 5);
    buy(&mut shop, "mem_b", "2026-05-01 10:00", 5);
    merge(&mut shop, "2026-05-02 10:00");
    for (other, why) in [("mem_a", "with themselves"), ("mem_x", "not known"), ("mem_b", "already")] {
        let mut book = shop.rows.book(&shop.merchant.id);
        let event = Event::Merge(Merge { id: other.into(), at: at("2026-05-03 10:00"), other: other.into() });
        let entry = shop.entry(event, None);
        let settled = shop.settle_in(&mut book, &entry, &[]);
        assert!(settled.cause.as_ref().is_some_and(|cause| cause.contains(why)), "{other}: {:?}", settled.cause);
        assert!(settled.postings.is_empty() && settled.member.is_none() && settled.fate.is_none());
        // The batch goes on with both.
        assert_eq!(book.members.len(), 2);
    }
}

#[test]
fn who_is_forgotten_leaves_postings_and_nothing_else() {
    let mut shop = Shop::new();
    shop.rules().rewards.insert("mug".into(), CatalogueReward { valid_days: Some(3), ..item(Some(2)) });
    let wake = Wake {
        key: "birthday".into(),
        when: Some(WakeTime::Moment(at("2026-07-01 10:00"))),
        whom: WakeWhom::Member,
        data: vec![],
    };
    let tag = Decision::Tag { name: "vip".into(), present: true };
    let says = vec![earn("points", 5), tag, Decision::Remember { bytes: vec![1] }, Decision::Wake(wake)];
    shop.buy("2026-05-01 10:00", &[300], says);
    let mug = shop.tell(redeem("k", at("2026-05-02 10:00"), "mug"), None, &[]);
    let settled = shop.tell(Event::Forget(Forget { id: "f".into(), at: at("2026-05-03 10:00") }), None, &[]);
    assert_eq!(settled.fate, Some(Fate::Forgotten));
    let member = shop.record();
    assert!(!member.consent && member.tags.is_empty() && member.locale.is_none() && member.referrer.is_none());
    assert!(
        shop.rows.wakes.is_empty()
            && shop.rows.book(&shop.merchant.id).members.values().all(|one| one.memories.is_empty())
    );
    // The ledger goes on as if nothing had been.
    assert_eq!((shop.stands("points"), shop.record().visits), ([3, 0, 2, 0, 0], 1));
    shop.wait("2026-06-01 00:00");
    assert_eq!(shop.rows.rewards[&mug.rewards[0].id].state, RewardState::Lapsed);
}
