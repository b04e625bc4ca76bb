//! Caps: obeyed up to the last unit, beyond that refused whole, and told of once for each period.

use super::ground::*;
use perkgate_domain::decision::{FaultKind, Outcome};
use perkgate_domain::event::Event;
use perkgate_domain::plan::Settlement;
use perkgate_domain::programme::WalletCaps;

fn cap(change: impl FnOnce(&mut WalletCaps)) -> WalletCaps {
    let mut caps = WalletCaps::default();
    change(&mut caps);
    caps
}

fn capped(change: impl FnOnce(&mut WalletCaps)) -> Shop {
    let mut shop = Shop::new();
    shop.installations[0].caps.insert("points".into(), cap(change));
    shop
}

/// Nothing, or the name of the cap that it goes beyond.
fn beyond(settled: &Settlement) -> Option<String> {
    let fault = settled.decisions[0].ruling.as_ref()?;
    assert_eq!(fault.kind, FaultKind::Cap, "{fault:?}");
    assert!(settled.postings.is_empty() && settled.lots.is_empty() && settled.counters.is_empty());
    Some(fault.detail.rsplit("caps.").next()?.trim_end_matches(')').to_owned())
}

fn buy(shop: &mut Shop, when: &str, points: i64) -> Option<String> {
    beyond(&shop.buy(when, &[300], vec![earn("points", points)]))
}

#[test]
fn a_cap_for_one_purchase_counts_all_that_a_verdict_gives() {
    let mut shop = capped(|caps| caps.per_purchase = Some(10));
    assert_eq!(buy(&mut shop, "2026-05-01 10:00", 10), None);
    assert_eq!(buy(&mut shop, "2026-05-01 11:00", 11).as_deref(), Some("points_per_purchase"));
    let twice = shop.buy("2026-05-01 12:00", &[300], vec![earn("points", 6), earn("stamps", 50), earn("points", 5)]);
    assert_eq!(beyond(&twice).as_deref(), Some("points_per_purchase"));
    assert_eq!((shop.available("points"), shop.available("stamps")), (10, 0));
}

#[test]
fn a_cap_for_a_members_day_is_each_members_own() {
    let mut shop = capped(|caps| caps.per_member_day = Some(10));
    assert_eq!(buy(&mut shop, "2026-05-01 10:00", 6), None);
    assert_eq!(buy(&mut shop, "2026-05-01 23:59", 5).as_deref(), Some("points_per_member_day"));
    assert_eq!(buy(&mut shop, "2026-05-01 23:59", 4), None);
    assert_eq!(buy(&mut shop, "2026-05-02 00:00", 10), None);
    shop.visitor("mem_b");
    assert_eq!(buy(&mut shop, "2026-05-01 12:00", 10), None);
}

#[test]
fn caps_for_days_months_and_ever_are_everybodys() {
    type Change = fn(&mut WalletCaps);
    let cases: [(Change, &str, &str, &str); 3] = [
        (|caps| caps.per_day = Some(10), "points_per_day", "2026-05-01 23:59", "2026-05-02 00:00"),
        (|caps| caps.per_month = Some(10), "points_per_month", "2026-05-31 23:59", "2026-06-01 00:00"),
        (|caps| caps.total = Some(10), "points_total", "2030-12-31 23:59", ""),
    ];
    for (change, name, last, next) in cases {
        let mut shop = capped(change);
        assert_eq!(buy(&mut shop, "2026-05-01 10:00", 6), None);
        shop.visitor("mem_b");
        assert_eq!(buy(&mut shop, last, 5).as_deref(), Some(name));
        assert_eq!(buy(&mut shop, last, 4), None);
        assert_eq!(buy(&mut shop, last, 1).as_deref(), Some(name));
        if !next.is_empty() {
            assert_eq!(buy(&mut shop, next, 10), None);
        }
    }
}

#[test]
fn the_merchants_caps_are_over_all_plugins_together() {
    type Change = fn(&mut WalletCaps);
    let changes: [Change; 4] = [
        |caps| caps.per_purchase = Some(10),
        |caps| caps.per_member_day = Some(10),
        |caps| caps.per_day = Some(10),
        |caps| caps.total = Some(10),
    ];
    for change in changes {
        let mut shop = Shop::new();
        shop.installations.push(installation("birthday"));
        shop.rules().caps.insert("points".into(), cap(change));
        let order = shop.order("2026-05-01 10:00", &[300]);
        let says = |points| Outcome::Decided(vec![earn("points", points)]);
        let settled = shop.tell(Event::Purchase(order), None, &[("points", says(6)), ("birthday", says(5))]);
        assert_eq!(settled.decisions[0].ruling, None);
        let why = settled.decisions[1].ruling.as_ref().expect("refused");
        assert!(why.detail.contains("all plugins together"), "{}", why.detail);
        assert_eq!(shop.available("points"), 6);
    }
}

#[test]
fn what_was_refused_uses_nothing_up() {
    let mut shop = capped(|caps| (caps.per_day, caps.total) = (Some(10), Some(100)));
    assert!(buy(&mut shop, "2026-05-01 10:00", 11).is_some());
    let unpaid = shop.buy("2026-05-01 10:00", &[300], vec![earn("points", 10), spend("points", 11)]);
    assert_eq!(unpaid.decisions[0].ruling.as_ref().map(|fault| fault.kind), Some(FaultKind::Invalid));
    assert_eq!(buy(&mut shop, "2026-05-01 10:00", 10), None);
}

#[test]
fn a_refund_gives_no_room_back() {
    let mut shop = capped(|caps| caps.total = Some(10));
    let bought = shop.buy("2026-05-01 10:00", &[300], vec![earn("points", 10)]);
    shop.refund("2026-05-02 10:00", &bought, cancelled());
    assert_eq!(buy(&mut shop, "2026-05-03 10:00", 1).as_deref(), Some("points_total"));
}

#[test]
fn the_merchant_is_told_once_for_each_period() {
    let mut shop = capped(|caps| (caps.per_day, caps.per_purchase) = (Some(10), Some(20)));
    for when in ["2026-05-01 10:00", "2026-05-01 11:00", "2026-05-02 10:00"] {
        assert!(buy(&mut shop, when, 11).is_some() && buy(&mut shop, when, 21).is_some());
    }
    let titles: Vec<&str> = shop.rows.tasks.values().map(|task| task.title.as_str()).collect();
    assert_eq!(titles.iter().filter(|title| title.contains("per_day")).count(), 2, "{titles:?}");
    assert_eq!(titles.iter().filter(|title| title.contains("per_purchase")).count(), 2, "{titles:?}");
    assert!(shop.rows.tasks.values().all(|task| task.member.is_none() && task.key == "cap"));
}
