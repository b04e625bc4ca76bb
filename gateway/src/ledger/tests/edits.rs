//! An order changed after it was paid: the difference is posted, and later refunds go by the order as it is now.

use super::ground::*;
use perkgate_domain::decision::{Decision, Outcome, Refusal};
use perkgate_domain::event::{Edit, Event};
use perkgate_domain::ids::EntryId;
use perkgate_domain::money::Currency;
use perkgate_domain::plan::{EntryState, Settlement};
use perkgate_domain::rules::ExpiryRule;

fn edited(shop: &mut Shop, when: &str, bought: EntryId, totals: &[i64], outcome: Outcome) -> Settlement {
    let purchase = purchase("p1", at("2026-03-01 10:00"), totals);
    let edit = Event::Edit(Edit { id: when.into(), at: at(when), purchase });
    shop.tell(edit, Some(bought), &[("points", outcome)])
}

fn decided(decisions: Vec<Decision>) -> Outcome {
    Outcome::Decided(decisions)
}

#[test]
fn more_becomes_a_lot_of_its_own() {
    let mut shop = Shop::new();
    let bought = shop.buy("2026-03-01 10:00", &[300], vec![shared("points", &[("0", 3)])]);
    let says = decided(vec![shared("points", &[("0", 3), ("1", 2)])]);
    let settled = edited(&mut shop, "2026-03-02 10:00", bought.entry, &[300, 200], says);
    assert_eq!((settled.lots.len(), settled.lots[0].amount), (1, 2));
    assert_eq!((shop.available("points"), shop.record().spent, shop.record().visits), (5, 500, 1));
    shop.refund("2026-03-03 10:00", &bought, back(200, &[("1", 4000, 0)]));
    assert_eq!((shop.available("points"), shop.record().spent), (3, 300));
    shop.refund("2026-03-04 10:00", &bought, cancelled());
    assert_eq!((shop.stands("points"), shop.record().visits), ([0, 0, 0, 0, 5], 0));
}

#[test]
fn less_is_taken_off_the_lot_that_has_it() {
    let mut shop = Shop::new();
    let bought = shop.buy("2026-03-01 10:00", &[300, 200], vec![shared("points", &[("0", 3), ("1", 2)])]);
    edited(&mut shop, "2026-03-02 10:00", bought.entry, &[300], decided(vec![shared("points", &[("0", 3)])]));
    assert_eq!((shop.stands("points"), shop.record().spent), ([3, 0, 0, 0, 2], 300));
    shop.refund("2026-03-03 10:00", &bought, back(100, &[]));
    assert_eq!(shop.stands("points"), [2, 0, 0, 0, 3]);
}

#[test]
fn an_order_that_earns_nothing_any_more_gives_everything_back() {
    for says in [decided(vec![]), Outcome::Refused(Refusal::Unsupported("too small".into()))] {
        let mut shop = Shop::new();
        let bought = shop.buy("2026-03-01 10:00", &[300], vec![earn("points", 3)]);
        edited(&mut shop, "2026-03-02 10:00", bought.entry, &[100], says);
        assert_eq!(shop.stands("points"), [0, 0, 0, 0, 3]);
    }
}

#[test]
fn who_does_not_decide_any_more_keeps_what_the_lines_keep() {
    let mut shop = Shop::new();
    let bought = shop.buy("2026-03-01 10:00", &[300, 200], vec![shared("points", &[("0", 9), ("1", 2)])]);
    shop.installations[0].mode = perkgate_domain::programme::Mode::Shadow;
    edited(&mut shop, "2026-03-02 10:00", bought.entry, &[100, 900], decided(vec![earn("points", 50)]));
    assert_eq!(shop.stands("points"), [5, 0, 0, 0, 6]);
}

#[test]
fn an_edit_and_a_refund_mind_no_order() {
    let story = |refund_first: bool| {
        let mut shop = Shop::new();
        shop.wallet("points").expires = ExpiryRule::Days { days: 90, round: None };
        let bought = shop.buy("2026-03-01 10:00", &[100, 80], vec![shared("points", &[("0", 10), ("1", 7)])]);
        let says = || decided(vec![shared("points", &[("0", 10), ("1", 3)])]);
        if refund_first {
            shop.refund("2026-03-02 10:00", &bought, back(30, &[("0", 0, 30)]));
            edited(&mut shop, "2026-03-02 10:00", bought.entry, &[50, 80], says());
        } else {
            edited(&mut shop, "2026-03-02 10:00", bought.entry, &[50, 80], says());
            shop.refund("2026-03-02 10:00", &bought, back(30, &[("0", 0, 30)]));
        }
        (shop.stands("points"), shop.record().spent)
    };
    assert_eq!(story(true), story(false));
    assert_eq!(story(true), ([7, 0, 0, 0, 10], 100));
}

#[test]
fn an_edit_and_its_refund_may_be_in_one_batch() {
    let mut shop = Shop::new();
    let bought = shop.buy("2026-03-01 10:00", &[300], vec![shared("points", &[("0", 3)])]);
    let mut book = shop.rows.book(&shop.merchant.id);
    let when = at("2026-03-02 10:00");
    let order = purchase("p1", at("2026-03-01 10:00"), &[300, 200]);
    let edit = Event::Edit(Edit { id: "e".into(), at: when, purchase: order });
    let edit = shop.entry(edit, Some(bought.entry));
    let says = decided(vec![shared("points", &[("0", 3), ("1", 2)])]);
    shop.settle_in(&mut book, &edit, &[("points", says)]);
    let refund = perkgate_domain::purchase::Refund { id: "r".into(), at: when, ..back(200, &[("1", 4000, 0)]) };
    let refund = shop.entry(Event::Refund(refund), Some(bought.entry));
    shop.settle_in(&mut book, &refund, &[]);
    assert_eq!(shop.stands("points"), [3, 0, 0, 0, 2]);
}

#[test]
fn an_edit_makes_no_message_memory_or_reward_twice() {
    let mut shop = Shop::new();
    let bought = shop.buy("2026-03-01 10:00", &[300], vec![earn("points", 3), offer(None, None)]);
    let says = decided(vec![earn("points", 3), offer(None, None), Decision::Remember { bytes: vec![1] }]);
    let settled = edited(&mut shop, "2026-03-02 10:00", bought.entry, &[300], says);
    assert!(settled.rewards.is_empty() && settled.memories.is_empty() && settled.postings.is_empty());
    assert_eq!(settled.decisions.len(), 1);
}

#[test]
fn an_order_in_another_currency_waits() {
    let mut shop = Shop::new();
    let bought = shop.buy("2026-03-01 10:00", &[300], vec![earn("points", 3)]);
    let mut order = purchase("p1", at("2026-03-01 10:00"), &[300]);
    order.currency = Currency::parse("CZK").expect("known");
    let edit = Event::Edit(Edit { id: "e".into(), at: at("2026-03-02 10:00"), purchase: order });
    assert_eq!(shop.tell(edit, Some(bought.entry), &[]).state, EntryState::Parked);
}
