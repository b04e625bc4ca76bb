//! When what is earned is lost, and the fixed order within one moment.

use super::ground::*;
use perkgate_domain::facts::MonthDay;
use perkgate_domain::ledger::Expiry;
use perkgate_domain::rules::{Activity, ExpiryRule, Maturity, Round};

#[test]
fn days_end_with_a_day_of_the_shops_calendar() {
    let mut shop = Shop::new();
    shop.wallet("points").expires = ExpiryRule::Days { days: 30, round: None };
    let settled = shop.buy("2026-03-15 10:00", &[300], vec![earn("points", 7)]);
    // The clocks go forward in between, and the day still ends at midnight.
    assert_eq!(settled.lots[0].expires, Expiry::At(at("2026-04-15 00:00")));
    shop.wait("2026-04-14 23:59");
    assert_eq!(shop.stands("points"), [7, 0, 0, 0, 0]);
    shop.wait("2026-04-15 00:00");
    assert_eq!(shop.stands("points"), [0, 0, 0, 7, 0]);
    assert_eq!(shop.rows.lots.values().map(|lot| lot.expired).sum::<i64>(), 7);
}

#[test]
fn days_are_rounded_to_the_end_of_month_quarter_or_year() {
    for (round, end) in
        [(Round::Month, "2026-07-01 00:00"), (Round::Quarter, "2026-07-01 00:00"), (Round::Year, "2027-01-01 00:00")]
    {
        let mut shop = Shop::new();
        shop.wallet("points").expires = ExpiryRule::Days { days: 30, round: Some(round) };
        let settled = shop.buy("2026-05-10 10:00", &[300], vec![earn("points", 7)]);
        assert_eq!(settled.lots[0].expires, Expiry::At(at(end)), "{round:?}");
    }
    // The last day that counts is the month's last: that month's end, not the next one's.
    let mut shop = Shop::new();
    shop.wallet("points").expires = ExpiryRule::Days { days: 30, round: Some(Round::Month) };
    let settled = shop.buy("2026-05-01 10:00", &[300], vec![earn("points", 7)]);
    assert_eq!(settled.lots[0].expires, Expiry::At(at("2026-06-01 00:00")));
}

#[test]
fn fixed_dates_end_whatever_was_earned_before_them() {
    let mut shop = Shop::new();
    let dates = [(3, 31), (9, 30)].map(|(month, day)| MonthDay { month, day });
    shop.wallet("points").expires = ExpiryRule::Dates(dates.to_vec());
    for (bought, end) in [
        ("2026-03-31 23:59", "2026-04-01 00:00"),
        ("2026-04-01 00:00", "2026-10-01 00:00"),
        ("2026-10-01 00:00", "2027-04-01 00:00"),
    ] {
        let settled = shop.buy(bought, &[300], vec![earn("points", 1)]);
        assert_eq!(settled.lots[0].expires, Expiry::At(at(end)));
    }
    assert_eq!(shop.stands("points"), [1, 0, 0, 2, 0]);
}

#[test]
fn days_of_the_earns_own_come_before_the_wallets() {
    let mut shop = Shop::new();
    shop.wallet("points").expires = ExpiryRule::Days { days: 300, round: None };
    shop.buy("2026-05-01 10:00", &[300], vec![earn_on("points", 1, (None, Some(0))), earn("points", 2)]);
    shop.wait("2026-05-02 00:00");
    assert_eq!(shop.stands("points"), [2, 0, 0, 1, 0]);
}

#[test]
fn what_matures_late_can_be_spent_for_a_day() {
    let mut shop = Shop::new();
    shop.wallet("points").matures = Maturity::Days(10);
    shop.wallet("points").expires = ExpiryRule::Days { days: 3, round: None };
    shop.wallet("stamps").matures = Maturity::Days(10);
    shop.wallet("stamps").expires = ExpiryRule::Sliding { days: 3, by: Activity::Purchase };
    shop.buy("2026-05-01 10:00", &[300], vec![earn("points", 7), earn("stamps", 1)]);
    shop.wait("2026-05-11 10:00");
    assert_eq!((shop.available("points"), shop.available("stamps")), (7, 1));
    shop.wait("2026-05-12 00:00");
    assert_eq!((shop.stands("points"), shop.stands("stamps")), ([0, 0, 0, 7, 0], [0, 0, 0, 1, 0]));
}

#[test]
fn sliding_moves_on_with_every_purchase() {
    let mut shop = Shop::new();
    shop.wallet("points").expires = ExpiryRule::Sliding { days: 30, by: Activity::Purchase };
    shop.buy("2026-05-01 10:00", &[300], vec![earn("points", 7)]);
    assert_eq!(shop.record().due_at, Some(at("2026-06-01 00:00")));
    // Buying counts although it earns nothing; one that comes late does not set the end back.
    shop.buy("2026-05-20 10:00", &[300], vec![]);
    shop.buy("2026-05-02 10:00", &[300], vec![]);
    assert_eq!(shop.record().due_at, Some(at("2026-06-20 00:00")));
    shop.wait("2026-06-20 00:00");
    assert_eq!(shop.stands("points"), [0, 0, 0, 7, 0]);
}

#[test]
fn sliding_by_redemption_moves_on_with_rewards_only() {
    for (by, end) in [(Activity::Redemption, "2026-06-16 00:00"), (Activity::Any, "2026-06-20 00:00")] {
        let mut shop = Shop::new();
        shop.wallet("points").expires = ExpiryRule::Sliding { days: 30, by };
        shop.rules().rewards.insert("mug".into(), item(Some(2)));
        shop.buy("2026-05-01 10:00", &[300], vec![earn("points", 7)]);
        shop.tell(redeem("k", at("2026-05-16 10:00"), "mug"), None, &[]);
        shop.buy("2026-05-20 10:00", &[300], vec![]);
        assert_eq!(shop.record().due_at, Some(at(end)), "{by:?}");
    }
}

#[test]
fn points_that_mature_today_can_be_spent_before_they_expire_today() {
    let mut shop = Shop::new();
    let mug = perkgate_domain::rules::CatalogueReward { automatic: true, ..item(Some(5)) };
    shop.rules().rewards.insert("mug".into(), mug);
    // Four points are lost at midnight; one matures at that very moment.
    shop.wallet("points").matures = Maturity::On(at("2026-05-02 00:00"));
    shop.buy("2026-05-01 10:00", &[300], vec![earn_on("points", 4, (Some(0), Some(0))), earn("points", 1)]);
    assert_eq!(shop.stands("points"), [4, 1, 0, 0, 0]);
    shop.wait("2026-05-02 00:00");
    assert_eq!(shop.stands("points"), [0, 0, 5, 0, 0]);
    assert_eq!(shop.held().len(), 1);
    assert_eq!(shop.due.len(), 1);
}

#[test]
fn a_late_purchase_may_be_lost_when_it_comes() {
    let mut shop = Shop::new();
    shop.wallet("points").expires = ExpiryRule::Days { days: 10, round: None };
    shop.buy("2026-06-01 10:00", &[300], vec![earn("points", 1)]);
    let late = shop.buy("2026-05-01 10:00", &[300], vec![earn("points", 2)]);
    assert_eq!(shop.stands("points"), [1, 0, 0, 2, 0]);
    assert_eq!(late.postings.last().map(|posting| posting.at), Some(at("2026-05-12 00:00")));
}

#[test]
fn a_gateway_that_was_down_comes_to_the_same() {
    let story = |watchful: bool| {
        let mut shop = Shop::new();
        shop.wallet("points").matures = Maturity::Days(5);
        shop.wallet("points").expires = ExpiryRule::Days { days: 20, round: None };
        for day in ["2026-05-01 10:00", "2026-05-08 10:00", "2026-05-25 10:00", "2026-06-20 10:00"] {
            if watchful {
                shop.wait(day);
            }
            shop.buy(day, &[300], vec![earn("points", 10)]);
            shop.buy(day, &[300], vec![spend("points", 3)]);
        }
        shop.wait("2026-08-01 00:00");
        shop.stands("points")
    };
    assert_eq!(story(true), story(false));
    assert_eq!(story(true), [0, 0, 6, 34, 0]);
}
