//! Earning per spend: rounding, discounts, shares.

use super::*;
use crate::sample::{self, line};

fn rate(points: i64, per: i64, rounding: Rounding) -> Rate {
    Rate { points, per, rounding }
}

fn everything(_: &crate::Line) -> bool {
    true
}

#[test]
fn rounding_is_done_once_and_by_its_name() {
    let purchase = sample::purchase([line("a", 150), line("b", 149)]);
    let eligible = Eligible::of(&purchase, Basis::AfterTax, everything);
    let earns = |rounding| per_spend(&eligible, rate(1, 100, rounding)).expect("earns").amount;
    // 2.99: by line and down it would be 2 all the same, but up it would be 4.
    assert_eq!((earns(Rounding::Down), earns(Rounding::Nearest), earns(Rounding::Up)), (2, 3, 3));
    let half = Eligible { lines: vec![("a", 250)] };
    assert_eq!(per_spend(&half, rate(1, 100, Rounding::Nearest)).expect("earns").amount, 3);
    assert_eq!(per_spend(&half, rate(1, 250, Rounding::Up)).expect("earns").amount, 1);
}

#[test]
fn shares_add_up_and_the_largest_remainder_gets_what_is_left() {
    let eligible = Eligible { lines: vec![("a", 333), ("b", 333), ("c", 334)] };
    let earned = per_spend(&eligible, rate(1, 100, Rounding::Down)).expect("earns");
    assert_eq!(earned.amount, 10);
    assert_eq!(earned.shares, [Share::new("a", 3), Share::new("b", 3), Share::new("c", 4)]);
}

#[test]
fn money_off_the_whole_purchase_makes_every_line_cheaper() {
    let mut shipping = line("shipping", 500);
    shipping.kind = LineKind::Shipping;
    let mut off = line("off", -300);
    off.kind = LineKind::Discount;
    let purchase = sample::purchase([line("a", 600), line("b", 400), shipping, off]);
    let eligible = Eligible::of(&purchase, Basis::AfterTax, |line| line.kind == LineKind::Item);
    assert_eq!(eligible.lines, [("a", 480), ("b", 320)]);
}

#[test]
fn a_discount_beyond_the_purchase_leaves_nothing() {
    let mut off = line("off", -300);
    off.kind = LineKind::Discount;
    let purchase = sample::purchase([line("a", 100), off]);
    assert_eq!(Eligible::of(&purchase, Basis::AfterTax, everything).total(), 0);
    assert_eq!(per_spend(&Eligible::default(), rate(1, 100, Rounding::Up)), Ok(Earned::default()));
}

#[test]
fn before_tax_leaves_the_tax_out() {
    let mut taxed = line("a", 1200);
    taxed.tax = 200;
    let purchase = sample::purchase([taxed]);
    assert_eq!(Eligible::of(&purchase, Basis::BeforeTax, everything).total(), 1000);
}

#[test]
fn the_largest_amounts_do_not_overflow() {
    let eligible = Eligible { lines: vec![("a", i64::MAX), ("b", i64::MAX)] };
    assert_eq!(per_spend(&eligible, rate(1, 1, Rounding::Nearest)).expect("fits").amount, i64::MAX);
    assert!(matches!(per_spend(&eligible, rate(2, 1, Rounding::Down)), Err(Refusal::Unsupported(_))));
    assert!(matches!(per_spend(&eligible, rate(0, 1, Rounding::Down)), Err(Refusal::NotConfigured(_))));
}

#[test]
fn parts_of_any_amount_add_up() {
    for amount in [0, 1, 7, 100, i64::MAX] {
        for weights in [&[1, 1, 1][..], &[5, 0, 3], &[i64::MAX, i64::MAX], &[0, 0], &[-4, 2]] {
            let parts = share(amount, weights);
            assert_eq!(parts.iter().map(|part| i128::from(*part)).sum::<i128>(), i128::from(amount), "{weights:?}");
        }
    }
    assert!(share(5, &[]).is_empty());
}
