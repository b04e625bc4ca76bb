//! A refund inverts the record: exactly the refunded lines' shares, whatever became of the lot meanwhile.

use super::ground::*;
use perkgate_domain::ledger::{Account, RewardState};
use perkgate_domain::money::Currency;
use perkgate_domain::plan::EntryState;
use perkgate_domain::purchase::Refund;

const SHARES: &[(&str, i64)] = &[("0", 9), ("1", 2)];

#[test]
fn refunding_a_line_takes_back_exactly_its_share() {
    let mut shop = Shop::new();
    let bought = shop.buy("2026-03-01 10:00", &[300, 100], vec![shared("points", SHARES)]);
    let settled = shop.refund("2026-03-02 10:00", &bought, back(300, &[("0", 4000, 0)]));
    assert_eq!(settled.postings[0].destination, Account::Reversed);
    assert_eq!((shop.available("points"), shop.record().spent, shop.record().visits), (2, 100, 1));
    shop.refund("2026-03-03 10:00", &bought, back(100, &[("1", 0, 100)]));
    assert_eq!((shop.available("points"), shop.record().spent, shop.record().visits), (0, 0, 0));
    assert_eq!(shop.stands("points"), [0, 0, 0, 0, 11]);
}

#[test]
fn many_parts_add_up_to_the_whole() {
    let mut shop = Shop::new();
    let bought = shop.buy("2026-03-01 10:00", &[300, 100], vec![shared("points", SHARES)]);
    let taken: Vec<i64> = (0..8)
        .map(|_| {
            shop.refund("2026-03-02 10:00", &bought, back(50, &[]));
            shop.stands("points")[4]
        })
        .collect();
    // Rounded down, in the member's favour, until the last cent.
    assert_eq!(taken, [1, 2, 3, 5, 6, 7, 8, 11]);
}

#[test]
fn a_cancelled_order_gives_back_what_is_left() {
    let mut shop = Shop::new();
    let bought = shop.buy("2026-03-01 10:00", &[300, 100], vec![shared("points", SHARES)]);
    shop.refund("2026-03-02 10:00", &bought, back(150, &[("0", 2000, 0)]));
    assert_eq!(shop.available("points"), 11 - 4);
    shop.refund("2026-03-03 10:00", &bought, cancelled());
    assert_eq!((shop.available("points"), shop.record().visits), (0, 0));
    // More than everything cannot be taken back.
    let settled = shop.refund("2026-03-04 10:00", &bought, back(400, &[]));
    assert!(settled.postings.is_empty());
}

#[test]
fn a_stamp_taken_back_reopens_the_card_unless_its_reward_was_used() {
    for used in [false, true] {
        let mut shop = Shop::new();
        let first = shop.buy("2026-03-01 10:00", &[300], vec![earn("stamps", 1)]);
        let filled = shop.buy("2026-03-02 10:00", &[300], vec![earn("stamps", 1), coffee(2)]);
        assert_eq!((shop.available("stamps"), shop.held().len()), (0, 1));
        if used {
            let mut order = shop.order("2026-03-03 10:00", &[300]);
            order.codes = vec![filled.rewards[0].code.clone()];
            shop.tell(perkgate_domain::event::Event::Purchase(order), None, &[]);
        }
        let settled = shop.refund("2026-03-04 10:00", &first, back(300, &[]));
        if used {
            assert!(settled.reward_states.is_empty());
            assert_eq!(shop.stands("stamps"), [-1, 0, 2, 0, 1]);
        } else {
            assert_eq!(settled.reward_states, [(filled.rewards[0].id.clone(), RewardState::Withdrawn)]);
            assert_eq!((shop.stands("stamps"), shop.held().len()), ([1, 0, 0, 0, 1], 0));
        }
    }
}

#[test]
fn a_purchase_given_back_takes_its_unused_rewards_along() {
    let mut shop = Shop::new();
    shop.buy("2026-03-01 10:00", &[300], vec![earn("stamps", 5)]);
    let bought = shop.buy("2026-03-02 10:00", &[300], vec![coffee(2), offer(None, None)]);
    let part = shop.refund("2026-03-03 10:00", &bought, back(299, &[]));
    assert!(part.reward_states.is_empty());
    shop.refund("2026-03-04 10:00", &bought, back(1, &[]));
    assert_eq!((shop.held().len(), shop.stands("stamps")), (0, [5, 0, 0, 0, 0]));
}

#[test]
fn a_refund_in_another_currency_waits_and_takes_nothing() {
    let mut shop = Shop::new();
    let bought = shop.buy("2026-03-01 10:00", &[300], vec![earn("points", 9)]);
    let koruna = Currency::parse("CZK").expect("known");
    let settled = shop.refund("2026-03-02 10:00", &bought, Refund { currency: koruna, ..back(300, &[]) });
    assert!(settled.state == EntryState::Parked && settled.cause.is_some());
    assert_eq!(shop.available("points"), 9);
    // All of it is all of it, in any currency.
    shop.refund("2026-03-03 10:00", &bought, Refund { currency: koruna, ..cancelled() });
    assert_eq!(shop.available("points"), 0);
}

#[test]
fn what_is_pending_is_taken_from_pending() {
    let mut shop = Shop::new();
    let bought = shop.buy("2026-03-01 10:00", &[300], vec![earn_on("points", 9, (Some(14), None))]);
    shop.refund("2026-03-02 10:00", &bought, back(100, &[]));
    assert_eq!(shop.stands("points"), [0, 6, 0, 0, 3]);
    shop.wait("2026-03-15 10:00");
    shop.refund("2026-03-16 10:00", &bought, back(100, &[]));
    assert_eq!(shop.stands("points"), [3, 0, 0, 0, 6]);
}

#[test]
fn what_was_lost_is_taken_from_what_was_lost() {
    let mut shop = Shop::new();
    let bought = shop.buy("2026-03-01 10:00", &[300], vec![earn_on("points", 9, (None, Some(1)))]);
    shop.buy("2026-03-01 11:00", &[300], vec![spend("points", 2), earn("points", 1)]);
    shop.wait("2026-03-03 00:00");
    assert_eq!(shop.stands("points"), [1, 0, 2, 7, 0]);
    shop.refund("2026-03-04 10:00", &bought, cancelled());
    // Seven were lost, two were spent: one of these is there, the other is owed.
    assert_eq!(shop.stands("points"), [-1, 0, 2, 0, 9]);
}

#[test]
fn of_a_lot_partly_spent_the_rest_is_taken_first() {
    let mut shop = Shop::new();
    let bought = shop.buy("2026-03-01 10:00", &[300], vec![earn_on("points", 9, (None, Some(5)))]);
    shop.buy("2026-03-01 11:00", &[300], vec![earn("points", 20)]);
    shop.buy("2026-03-02 10:00", &[300], vec![spend("points", 4)]);
    let settled = shop.refund("2026-03-03 10:00", &bought, back(200, &[]));
    // Six of nine: five are left of it, one is taken from the other lot.
    assert_eq!(settled.postings.iter().map(|posting| posting.amount).collect::<Vec<_>>(), [5, 1]);
    assert_eq!(shop.stands("points"), [19, 0, 4, 0, 6]);
}

#[test]
fn a_refund_that_comes_late_meets_the_day_as_it_is() {
    let mut shop = Shop::new();
    let bought = shop.buy("2026-03-01 10:00", &[300], vec![earn_on("points", 9, (Some(2), Some(9)))]);
    shop.wait("2026-03-20 00:00");
    assert_eq!(shop.stands("points"), [0, 0, 0, 9, 0]);
    shop.refund("2026-03-02 10:00", &bought, cancelled());
    assert_eq!(shop.stands("points"), [0, 0, 0, 0, 9]);
}
