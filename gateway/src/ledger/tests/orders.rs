//! Any order of the same refunds of one purchase comes to the same: balance, spend and visits.

use super::ground::*;
use perkgate_domain::purchase::Refund;
use proptest::prelude::*;

/// A purchase's lines with their shares, and refunds of it.
fn histories() -> impl Strategy<Value = (Vec<(i64, i64)>, Vec<Refund>)> {
    let lines = prop::collection::vec((0_i64..5_000, 0_i64..50), 1..5);
    let part = (0_usize..6, 0_i64..5_000, 0_i64..3_000);
    let refund = (0_i64..6_000, prop::collection::vec(part, 0..3), prop::bool::weighted(0.1));
    let refunds = prop::collection::vec(refund, 1..6).prop_map(|refunds| {
        let made = refunds.into_iter().map(|(amount, parts, complete)| {
            let names: Vec<String> = parts.iter().map(|(line, ..)| line.to_string()).collect();
            let parts = names.iter().zip(parts).map(|(name, (_, pieces, money))| (name.as_str(), pieces, money));
            Refund { complete, ..back(amount, &parts.collect::<Vec<_>>()) }
        });
        made.collect()
    });
    (lines, refunds)
}

fn after(lines: &[(i64, i64)], refunds: &[Refund]) -> (i64, i64, i64) {
    let mut shop = Shop::new();
    let totals: Vec<i64> = lines.iter().map(|(total, _)| *total).collect();
    let ids: Vec<String> = (0..lines.len()).map(|index| index.to_string()).collect();
    let shares: Vec<(&str, i64)> = ids.iter().zip(lines).map(|(id, (_, share))| (id.as_str(), *share)).collect();
    let amount: i64 = shares.iter().map(|(_, share)| share).sum();
    let decisions = if amount > 0 { vec![shared("points", &shares)] } else { vec![] };
    let bought = shop.buy("2026-03-01 10:00", &totals, decisions);
    for refund in refunds {
        let before = shop.available("points");
        shop.refund("2026-03-02 10:00", &bought, refund.clone());
        assert!(shop.available("points") <= before, "a refund never gives");
    }
    assert!((0..=amount).contains(&shop.available("points")), "never more is taken back than was given");
    (shop.available("points"), shop.record().spent, shop.record().visits)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_refunds_does_not_matter((lines, refunds) in histories(), turn in 0_usize..6) {
        let mut turned = refunds.clone();
        turned.rotate_left(turn % refunds.len());
        prop_assert_eq!(after(&lines, &refunds), after(&lines, &turned));
        turned.reverse();
        prop_assert_eq!(after(&lines, &refunds), after(&lines, &turned));
    }
}
