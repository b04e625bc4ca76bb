//! What a refund does about units that were spent: the merchant's choice, for every state a lot can be in.

use super::ground::*;
use perkgate_domain::rules::RefundPolicy::{self, Negative, PendingOnly, ToZero};

/// What had become of the lot of nine before its purchase was given back; two more are pending and three available.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Pending,
    Matured,
    PartlySpent,
    AllSpent,
    Expired,
}

fn after(policy: RefundPolicy, fate: Fate) -> ([i64; 5], i64) {
    let mut shop = Shop::new();
    shop.wallet("points").refunds = policy;
    let matures = if matches!(fate, Fate::Pending) { 30 } else { 1 };
    let bought = shop.buy("2026-03-01 10:00", &[300], vec![earn_on("points", 9, (Some(matures), Some(10)))]);
    shop.wait("2026-03-02 10:00");
    match fate {
        Fate::Pending | Fate::Matured => {}
        Fate::PartlySpent => drop(shop.buy("2026-03-03 10:00", &[300], vec![spend("points", 5)])),
        Fate::AllSpent => drop(shop.buy("2026-03-03 10:00", &[300], vec![spend("points", 9)])),
        Fate::Expired => shop.wait("2026-03-20 00:00"),
    }
    shop.buy("2026-03-20 10:00", &[300], vec![earn_on("points", 2, (Some(60), None)), earn("points", 3)]);
    shop.refund("2026-03-21 10:00", &bought, cancelled());
    let forgiven = shop.rows.lots.values().map(|lot| lot.forgiven).sum();
    (shop.stands("points"), forgiven)
}

#[test]
fn every_policy_meets_every_fate() {
    // What is left, or was lost, is always taken; the rest of the lot differs. (Part of it expires on 12 March.)
    for (policy, fate, stands, forgiven) in [
        (PendingOnly, Fate::Pending, [3, 2, 0, 0, 9], 0),
        (ToZero, Fate::Pending, [3, 2, 0, 0, 9], 0),
        (Negative, Fate::Pending, [3, 2, 0, 0, 9], 0),
        (PendingOnly, Fate::Matured, [3, 2, 0, 0, 9], 0),
        (ToZero, Fate::Matured, [3, 2, 0, 0, 9], 0),
        (Negative, Fate::Matured, [3, 2, 0, 0, 9], 0),
        (PendingOnly, Fate::PartlySpent, [3, 0, 5, 0, 6], 3),
        (ToZero, Fate::PartlySpent, [0, 0, 5, 0, 9], 0),
        (Negative, Fate::PartlySpent, [0, 0, 5, 0, 9], 0),
        (PendingOnly, Fate::AllSpent, [3, 0, 9, 0, 2], 7),
        (ToZero, Fate::AllSpent, [0, 0, 9, 0, 5], 4),
        (Negative, Fate::AllSpent, [-4, 0, 9, 0, 9], 0),
        (PendingOnly, Fate::Expired, [3, 2, 0, 0, 9], 0),
        (ToZero, Fate::Expired, [3, 2, 0, 0, 9], 0),
        (Negative, Fate::Expired, [3, 2, 0, 0, 9], 0),
    ] {
        assert_eq!(after(policy, fate), (stands, forgiven), "{policy:?} {fate:?}");
    }
}

#[test]
fn what_was_let_be_is_not_asked_for_again() {
    let mut shop = Shop::new();
    shop.wallet("points").refunds = PendingOnly;
    let bought = shop.buy("2026-03-01 10:00", &[300], vec![earn("points", 9)]);
    shop.buy("2026-03-02 10:00", &[300], vec![spend("points", 9)]);
    shop.refund("2026-03-03 10:00", &bought, back(100, &[]));
    shop.buy("2026-03-04 10:00", &[300], vec![earn_on("points", 9, (Some(9), None))]);
    shop.refund("2026-03-05 10:00", &bought, back(200, &[]));
    // Three were let be; of the other six all are taken from what is pending now.
    assert_eq!(shop.stands("points"), [0, 3, 9, 0, 6]);
}

#[test]
fn what_was_let_be_is_taken_when_it_comes_back() {
    let mut shop = Shop::new();
    shop.wallet("points").refunds = ToZero;
    shop.rules().rewards.insert("mug".into(), item(Some(9)));
    let bought = shop.buy("2026-03-01 10:00", &[300], vec![earn("points", 9)]);
    let taken = shop.tell(redeem("k", at("2026-03-01 10:01"), "mug"), None, &[]);
    shop.refund("2026-03-01 10:02", &bought, cancelled());
    assert_eq!(shop.stands("points"), [0, 0, 9, 0, 0]);
    // Buying, taking a mug, giving the purchase back and then the mug leaves nothing.
    shop.tell(undo("u", at("2026-03-01 10:03"), &taken.rewards[0].id), None, &[]);
    assert_eq!(shop.stands("points"), [0, 0, 0, 0, 9]);
}

#[test]
fn what_returns_goes_to_where_a_refund_took_it_instead() {
    let mut shop = Shop::new();
    shop.rules().rewards.insert("mug".into(), item(Some(9)));
    let bought = shop.buy("2026-03-01 10:00", &[300], vec![earn_on("points", 9, (None, Some(1)))]);
    shop.buy("2026-03-01 10:00", &[300], vec![earn("points", 9)]);
    let taken = shop.tell(redeem("k", at("2026-03-01 10:01"), "mug"), None, &[]);
    // The nine that would be lost soon paid for the mug; now the lasting ones have paid for it.
    shop.refund("2026-03-01 10:02", &bought, cancelled());
    assert_eq!(shop.stands("points"), [0, 0, 9, 0, 9]);
    shop.tell(undo("u", at("2026-03-01 10:03"), &taken.rewards[0].id), None, &[]);
    shop.wait("2026-04-01 00:00");
    assert_eq!(shop.stands("points"), [9, 0, 0, 0, 9]);
}
