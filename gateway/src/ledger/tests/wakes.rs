//! Wakes: asked for, replaced, called off, bounded, and about whoever brought the member.

use super::ground::*;
use perkgate_domain::decision::{CivilTime, Decision, FaultKind, Wake, WakeTime, WakeWhom};
use perkgate_domain::event::{Kind, WakeCause};
use perkgate_domain::limits::{WAKE_MS, WAKES};
use perkgate_domain::time::Moment;

fn wake(key: &str, when: Option<WakeTime>) -> Decision {
    Decision::Wake(Wake { key: key.into(), when, whom: WakeWhom::Member, data: key.as_bytes().to_vec() })
}

fn then(text: &str) -> WakeTime {
    WakeTime::Moment(at(text))
}

fn waiting(shop: &Shop, key: &str) -> Option<Moment> {
    waits(shop, "points", WakeCause::Asked, key)
}

#[test]
fn a_wake_comes_at_its_time_with_what_was_handed_over() {
    let mut shop = Shop::new();
    shop.buy(
        "2026-05-01 10:00",
        &[100],
        vec![wake("b", Some(then("2026-05-03 10:00"))), wake("a", Some(then("2026-05-02 10:00")))],
    );
    shop.wait("2026-05-02 09:59");
    assert!(shop.called.is_empty());
    // Before the next entry, however late that is.
    shop.buy("2026-05-09 10:00", &[100], vec![]);
    let called: Vec<_> = shop.called.iter().map(|woken| (woken.at, woken.data.as_slice())).collect();
    assert_eq!(called, [(at("2026-05-02 10:00"), &b"a"[..]), (at("2026-05-03 10:00"), &b"b"[..])]);
    assert!(shop.rows.wakes.is_empty());
}

#[test]
fn a_later_wake_replaces_an_earlier_one_and_none_calls_it_off() {
    let mut shop = Shop::new();
    shop.buy("2026-05-01 10:00", &[100], vec![wake("a", Some(then("2026-05-02 10:00")))]);
    shop.buy("2026-05-01 11:00", &[100], vec![wake("a", Some(then("2026-06-02 10:00")))]);
    assert_eq!(waiting(&shop, "a"), Some(at("2026-06-02 10:00")));
    shop.buy("2026-05-10 10:00", &[100], vec![wake("a", None), wake("never asked for", None)]);
    assert_eq!((waiting(&shop, "a"), shop.called.len()), (None, 0));
}

#[test]
fn nobody_is_woken_again_within_a_minute() {
    let mut shop = Shop::new();
    let settled = shop.buy(
        "2026-05-01 10:00",
        &[100],
        vec![wake("a", Some(then("2026-05-01 10:00"))), wake("b", Some(then("2020-01-01 00:00")))],
    );
    for key in ["a", "b"] {
        assert_eq!(waiting(&shop, key), Some(settled.at.plus_ms(WAKE_MS)));
    }
}

#[test]
fn a_civil_time_is_the_shops() {
    let mut shop = Shop::new();
    let civil = CivilTime { year: 2026, month: 7, day: 14, hour: 9, minute: 30 };
    shop.buy("2026-05-01 10:00", &[100], vec![wake("a", Some(WakeTime::Civil(civil)))]);
    assert_eq!(waiting(&shop, "a"), Some(at("2026-07-14 09:30")));
}

#[test]
fn an_installation_waits_for_so_many_wakes_and_no_more() {
    let mut shop = Shop::new();
    let when = Some(then("2026-06-01 10:00"));
    let many = |from: usize, to: usize| (from..to).map(|number| wake(&number.to_string(), when)).collect::<Vec<_>>();
    let settled = shop.buy("2026-05-01 10:00", &[100], many(0, WAKES));
    assert_eq!((settled.decisions[0].ruling.as_ref(), shop.rows.wakes.len()), (None, WAKES));
    let over = shop.buy("2026-05-02 10:00", &[100], vec![earn("points", 1), wake("one more", when)]);
    assert_eq!(over.decisions[0].ruling.as_ref().map(|fault| fault.kind), Some(FaultKind::Result));
    assert_eq!((shop.rows.wakes.len(), shop.available("points")), (WAKES, 0));
    // Replacing one, or calling one off first, makes room.
    let replaced = shop.buy("2026-05-03 10:00", &[100], vec![wake("0", when), wake("1", None), wake("one more", when)]);
    assert_eq!((replaced.decisions[0].ruling.as_ref(), shop.rows.wakes.len()), (None, WAKES));
    // What one says does not use up another's.
    shop.installations.push(installation("birthday"));
    let other = shop.buy_as("birthday", "2026-05-04 10:00", &[100], vec![wake("0", when)]);
    assert_eq!((other.decisions[0].ruling.as_ref(), shop.rows.wakes.len()), (None, WAKES + 1));
}

#[test]
fn a_wake_may_be_about_whoever_brought_the_member() {
    let mut shop = Shop::new();
    let about = Decision::Wake(Wake {
        key: "thanks".into(),
        when: Some(then("2026-05-01 10:05")),
        whom: WakeWhom::Referrer,
        data: vec![],
    });
    let nobody = shop.buy("2026-05-01 10:00", &[100], vec![about.clone()]);
    assert!(nobody.wakes.is_empty() && nobody.decisions[0].notes[0].contains("nobody brought"));
    shop.visitor("mem_b");
    shop.rows.members.get_mut(&shop.member).expect("known").referrer = Some("mem_a".into());
    shop.buy("2026-05-01 10:00", &[100], vec![about]);
    assert_eq!(waiting(&shop, "thanks"), None);
    shop.member = "mem_a".into();
    assert_eq!(waiting(&shop, "thanks"), Some(at("2026-05-01 10:05")));
}

#[test]
fn what_falls_due_at_one_moment_comes_before_its_wakes() {
    let mut shop = Shop::new();
    let says = vec![earn_on("points", 3, (Some(1), None)), wake("a", Some(then("2026-05-02 10:00")))];
    shop.buy("2026-05-01 10:00", &[100], says);
    shop.wait("2026-05-02 10:00");
    let kinds: Vec<_> = shop.due.iter().map(|settled| settled.born.as_ref().map(|entry| entry.event.kind())).collect();
    assert_eq!(kinds, [Some(Kind::Due), Some(Kind::Wake)]);
}
