//! When what is earned may be spent.

use super::ground::*;
use perkgate_domain::decision::Outcome;
use perkgate_domain::event::{Event, Join};
use perkgate_domain::rules::Maturity;

#[test]
fn points_mature_after_days_at_the_same_time_of_day() {
    let mut shop = Shop::new();
    shop.wallet("points").matures = Maturity::Days(14);
    // Between the two the clocks go forward.
    shop.buy("2026-03-20 10:00", &[300], vec![earn("points", 7)]);
    assert_eq!(shop.stands("points"), [0, 7, 0, 0, 0]);
    assert_eq!(shop.record().due_at, Some(at("2026-04-03 10:00")));
    shop.wait("2026-04-03 09:59");
    assert_eq!(shop.stands("points"), [0, 7, 0, 0, 0]);
    shop.wait("2026-04-03 10:00");
    assert_eq!(shop.stands("points"), [7, 0, 0, 0, 0]);
    assert_eq!(shop.record().due_at, None);
}

#[test]
fn what_matures_is_seen_to_before_the_next_entry_of_that_moment() {
    let mut shop = Shop::new();
    shop.wallet("points").matures = Maturity::Days(1);
    shop.buy("2026-03-01 10:00", &[300], vec![earn("points", 7)]);
    let spent = shop.buy("2026-03-02 10:00", &[300], vec![spend("points", 7)]);
    assert_eq!(spent.decisions[0].ruling, None);
    assert_eq!(shop.due.len(), 1);
    assert_eq!(shop.due[0].postings[0].at, at("2026-03-02 10:00"));
}

#[test]
fn a_date_matures_everything_before_it_and_nothing_after_it() {
    let mut shop = Shop::new();
    shop.wallet("points").matures = Maturity::On(at("2026-12-24 00:00"));
    shop.buy("2026-03-01 10:00", &[300], vec![earn("points", 7)]);
    shop.wait("2026-12-23 23:59");
    assert_eq!(shop.stands("points"), [0, 7, 0, 0, 0]);
    shop.wait("2026-12-24 00:00");
    shop.buy("2026-12-24 00:00", &[300], vec![earn("points", 1)]);
    assert_eq!(shop.stands("points"), [8, 0, 0, 0, 0]);
}

#[test]
fn windows_are_those_of_purchases() {
    let mut shop = Shop::new();
    shop.wallet("points").matures = Maturity::ReturnWindow;
    shop.wallet("stamps").matures = Maturity::RefundWindow;
    shop.rules().return_window_days = Some(14);
    shop.refund_window_days = Some(30);
    shop.buy("2026-05-01 10:00", &[300], vec![earn("points", 7), earn("stamps", 1)]);
    assert_eq!((shop.stands("points"), shop.stands("stamps")), ([0, 7, 0, 0, 0], [0, 1, 0, 0, 0]));
    shop.wait("2026-05-15 10:00");
    assert_eq!((shop.stands("points"), shop.stands("stamps")), ([7, 0, 0, 0, 0], [0, 1, 0, 0, 0]));
    shop.wait("2026-05-31 10:00");
    assert_eq!(shop.available("stamps"), 1);
    // Nobody can return having joined.
    let join = Event::Join(Join { id: "j".into(), at: at("2026-06-01 10:00"), referrer: None });
    shop.tell(join, None, &[("points", Outcome::Decided(vec![earn("points", 5)]))]);
    assert_eq!(shop.available("points"), 12);
    // A source that tells no window has none.
    shop.refund_window_days = None;
    shop.buy("2026-06-02 10:00", &[300], vec![earn("stamps", 1)]);
    assert_eq!(shop.available("stamps"), 2);
}

#[test]
fn days_of_the_earns_own_come_before_the_wallets() {
    let mut shop = Shop::new();
    shop.wallet("points").matures = Maturity::Days(14);
    shop.buy(
        "2026-05-01 10:00",
        &[300],
        vec![earn_on("points", 1, (Some(2), None)), earn_on("points", 2, (Some(0), None))],
    );
    assert_eq!(shop.stands("points"), [2, 1, 0, 0, 0]);
    shop.wait("2026-05-03 10:00");
    assert_eq!(shop.stands("points"), [3, 0, 0, 0, 0]);
}

#[test]
fn a_late_purchase_has_matured_when_it_comes() {
    let mut shop = Shop::new();
    shop.wallet("points").matures = Maturity::Days(14);
    shop.buy("2026-06-01 10:00", &[300], vec![earn("points", 1)]);
    shop.wait("2026-06-15 10:00");
    let late = shop.buy("2026-05-20 10:00", &[300], vec![earn("points", 2)]);
    assert_eq!(shop.stands("points"), [3, 0, 0, 0, 0]);
    assert_eq!(late.postings.last().map(|posting| posting.at), Some(at("2026-06-03 10:00")));
    assert_eq!(shop.record().first_purchase_at, Some(at("2026-05-20 10:00")));
}
