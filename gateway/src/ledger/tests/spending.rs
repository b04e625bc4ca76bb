//! Spending takes what is lost first, and what is owed is filled by whatever comes next.

use super::ground::*;
use perkgate_domain::ledger::{Expiry, TrancheKey};
use perkgate_domain::rules::{Activity, ExpiryRule};

fn left(shop: &Shop, expires: Expiry) -> i64 {
    shop.record().wallets["points"].left(TrancheKey::available(expires))
}

#[test]
fn spending_takes_what_is_lost_first() {
    let mut shop = Shop::new();
    shop.buy("2026-05-01 10:00", &[300], vec![earn("points", 5)]);
    shop.buy("2026-05-01 11:00", &[300], vec![earn_on("points", 5, (None, Some(9)))]);
    shop.buy("2026-05-01 12:00", &[300], vec![earn_on("points", 5, (None, Some(3)))]);
    shop.buy("2026-05-02 10:00", &[300], vec![spend("points", 8)]);
    let [soon, later] = ["2026-05-05 00:00", "2026-05-11 00:00"].map(|end| left(&shop, Expiry::At(at(end))));
    assert_eq!((soon, later, left(&shop, Expiry::Never)), (0, 2, 5));
}

#[test]
fn what_slides_is_spent_by_where_its_end_is_now() {
    let mut shop = Shop::new();
    shop.wallet("points").expires = ExpiryRule::Sliding { days: 10, by: Activity::Purchase };
    shop.buy("2026-05-01 10:00", &[300], vec![earn("points", 5), earn_on("points", 5, (None, Some(15)))]);
    shop.buy("2026-05-02 10:00", &[300], vec![spend("points", 3)]);
    let fixed = Expiry::At(at("2026-05-17 00:00"));
    assert_eq!((left(&shop, Expiry::Sliding), left(&shop, fixed)), (2, 5));
    // That purchase moves the sliding end behind the fixed one.
    shop.buy("2026-05-08 10:00", &[300], vec![]);
    shop.buy("2026-05-08 11:00", &[300], vec![spend("points", 3)]);
    assert_eq!((left(&shop, Expiry::Sliding), left(&shop, fixed)), (2, 2));
}

#[test]
fn nobody_spends_more_than_they_have() {
    let mut shop = Shop::new();
    shop.buy("2026-05-01 10:00", &[300], vec![earn("points", 5)]);
    let more = shop.buy("2026-05-02 10:00", &[300], vec![spend("points", 6)]);
    let why = more.decisions[0].ruling.as_ref().expect("refused");
    assert!(why.detail.contains("the member has 5"), "{}", why.detail);
    assert_eq!(shop.stands("points"), [5, 0, 0, 0, 0]);
}

#[test]
fn what_is_owed_is_filled_by_the_next_earning_and_never_expires() {
    let mut shop = Shop::new();
    shop.wallet("points").expires = ExpiryRule::Days { days: 5, round: None };
    let first = shop.buy("2026-05-01 10:00", &[300], vec![earn("points", 10)]);
    shop.buy("2026-05-01 11:00", &[300], vec![spend("points", 10)]);
    shop.refund("2026-05-01 12:00", &first, cancelled());
    assert_eq!(shop.stands("points"), [-10, 0, 10, 0, 10]);
    shop.wait("2026-07-01 00:00");
    assert_eq!(shop.stands("points"), [-10, 0, 10, 0, 10]);
    shop.buy("2026-07-01 10:00", &[300], vec![earn("points", 4)]);
    assert_eq!(shop.stands("points"), [-6, 0, 10, 0, 10]);
    shop.buy("2026-07-02 10:00", &[300], vec![earn("points", 9)]);
    assert_eq!((shop.available("points"), left(&shop, Expiry::At(at("2026-07-08 00:00")))), (3, 3));
    // Only what was left beyond the debt can be lost.
    shop.wait("2026-08-01 00:00");
    assert_eq!(shop.stands("points"), [0, 0, 10, 3, 10]);
}

#[test]
fn what_is_pending_fills_what_is_owed_when_it_matures() {
    let mut shop = Shop::new();
    let first = shop.buy("2026-05-01 10:00", &[300], vec![earn("points", 10)]);
    shop.buy("2026-05-01 11:00", &[300], vec![spend("points", 10)]);
    shop.refund("2026-05-01 12:00", &first, cancelled());
    shop.buy("2026-05-02 10:00", &[300], vec![earn_on("points", 12, (Some(3), None))]);
    assert_eq!(shop.stands("points"), [-10, 12, 10, 0, 10]);
    shop.wait("2026-05-05 10:00");
    assert_eq!(shop.stands("points"), [2, 0, 10, 0, 10]);
    assert_eq!(left(&shop, Expiry::Never), 2);
}
