//! The ladder: up at once, down only when the time is over, and kinder after a change of the rules.

use super::ground::*;
use perkgate_domain::decision::Decision;
use perkgate_domain::event::WakeCause;
use perkgate_domain::rules::{Downgrade, Level, Measure, Tiers, Window};

fn level(name: &str, at: i64) -> Level {
    Level { name: name.into(), at, multiplier_milli: 1_000, tag: (name == "gold").then(|| "vip".into()) }
}

/// Silver for ten points, gold for twenty.
fn ladder(window: Window) -> Shop {
    let mut shop = Shop::new();
    let levels = vec![level("silver", 10), level("gold", 20)];
    let by = Measure::Points("points".into());
    shop.rules().tiers = Some(Tiers { by, window, downgrade: Downgrade::OneStep, grace_days: 0, levels });
    shop
}

fn rules(shop: &mut Shop) -> &mut Tiers {
    shop.rules().tiers.as_mut().expect("there is a ladder")
}

fn buy(shop: &mut Shop, when: &str, points: i64) {
    shop.buy(when, &[100], vec![earn("points", points)]);
}

fn tier(shop: &Shop) -> Option<&str> {
    shop.record().tier.as_deref()
}

#[test]
fn up_at_once_and_over_a_step_if_need_be() {
    let mut shop = ladder(Window::Rolling(30));
    shop.watchers.push("points".into());
    buy(&mut shop, "2026-05-01 10:00", 9);
    assert_eq!(tier(&shop), None);
    buy(&mut shop, "2026-05-02 10:00", 1);
    assert_eq!((tier(&shop), shop.record().climb.since), (Some("silver"), Some(at("2026-05-02 10:00"))));
    assert_eq!(waits(&shop, "points", WakeCause::Tier, "silver"), Some(at("2026-05-02 10:00")));
    buy(&mut shop, "2026-05-03 10:00", 10);
    assert_eq!((tier(&shop), shop.record().tags.as_slice()), (Some("gold"), &["vip".to_owned()][..]));
    // Whoever watches is told of the last change only.
    shop.wait("2026-05-03 10:00");
    assert_eq!(shop.called.iter().map(|woken| woken.key.as_str()).collect::<Vec<_>>(), ["silver", "gold"]);
    let mut shop = ladder(Window::Rolling(30));
    buy(&mut shop, "2026-05-01 10:00", 25);
    assert_eq!(tier(&shop), Some("gold"));
}

#[test]
fn a_rolling_tier_ends_when_what_it_took_counts_no_more() {
    let mut shop = ladder(Window::Rolling(30));
    buy(&mut shop, "2026-05-01 10:00", 6);
    buy(&mut shop, "2026-05-11 10:00", 6);
    assert_eq!(shop.record().climb.until, Some(at("2026-05-31 00:00")));
    shop.wait("2026-05-30 23:59");
    assert_eq!(tier(&shop), Some("silver"));
    shop.wait("2026-05-31 00:00");
    assert_eq!((tier(&shop), shop.record().climb.until), (None, None));
}

#[test]
fn a_step_down_or_to_what_is_earned() {
    for (downgrade, after) in [(Downgrade::OneStep, Some("silver")), (Downgrade::ToEarned, None)] {
        let mut shop = ladder(Window::Rolling(30));
        rules(&mut shop).downgrade = downgrade;
        buy(&mut shop, "2026-05-01 10:00", 20);
        shop.wait("2026-05-31 00:00");
        assert_eq!((tier(&shop), shop.record().tags.len()), (after, 0), "{downgrade:?}");
        // One step at a time, a day each without grace.
        shop.wait("2026-06-01 00:00");
        assert_eq!(tier(&shop), None);
    }
}

#[test]
fn grace_is_time_to_come_back() {
    let mut shop = ladder(Window::Rolling(30));
    rules(&mut shop).grace_days = 5;
    buy(&mut shop, "2026-05-01 10:00", 10);
    assert_eq!(shop.record().climb.until, Some(at("2026-06-05 00:00")));
    shop.wait("2026-06-04 23:59");
    assert_eq!(tier(&shop), Some("silver"));
    buy(&mut shop, "2026-06-04 23:59", 10);
    shop.wait("2026-06-20 00:00");
    assert_eq!((tier(&shop), shop.record().climb.since), (Some("silver"), Some(at("2026-05-01 10:00"))));
    shop.wait("2026-07-09 00:00");
    assert_eq!(tier(&shop), None);
}

#[test]
fn a_calendar_tier_lasts_for_the_next_year_too() {
    let mut shop = ladder(Window::Calendar);
    buy(&mut shop, "2026-05-01 10:00", 20);
    assert_eq!(shop.record().climb.until, Some(at("2028-01-01 00:00")));
    buy(&mut shop, "2027-03-01 10:00", 12);
    shop.wait("2027-12-31 23:59");
    assert_eq!(tier(&shop), Some("gold"));
    // By what the year that ended came to.
    shop.wait("2028-01-01 00:00");
    assert_eq!((tier(&shop), shop.record().climb.until), (Some("silver"), Some(at("2029-01-01 00:00"))));
    shop.wait("2029-01-01 00:00");
    assert_eq!(tier(&shop), None);
}

#[test]
fn a_year_of_membership_begins_with_joining() {
    let mut shop = ladder(Window::Membership);
    shop.rows.members.get_mut(&shop.member).expect("known").joined_at = at("2026-03-15 12:00");
    buy(&mut shop, "2027-03-14 23:59", 6);
    buy(&mut shop, "2027-03-15 00:00", 6);
    assert_eq!(tier(&shop), None, "two halves of two years");
    buy(&mut shop, "2027-03-16 00:00", 6);
    assert_eq!((tier(&shop), shop.record().climb.until), (Some("silver"), Some(at("2029-03-15 00:00"))));
}

#[test]
fn raised_thresholds_take_nothing_before_its_time_and_are_kinder_once() {
    let mut shop = ladder(Window::Calendar);
    buy(&mut shop, "2026-05-01 10:00", 10);
    rules(&mut shop).levels[0].at = 50;
    rules(&mut shop).levels[1].at = 90;
    buy(&mut shop, "2027-05-01 10:00", 12);
    assert_eq!((tier(&shop), shop.record().climb.until), (Some("silver"), Some(at("2028-01-01 00:00"))));
    // Twelve are as many as it took then, if not as many as it takes now.
    shop.wait("2028-01-01 00:00");
    assert_eq!((tier(&shop), shop.record().climb.until), (Some("silver"), Some(at("2029-01-01 00:00"))));
    buy(&mut shop, "2028-05-01 10:00", 12);
    shop.wait("2029-01-01 00:00");
    assert_eq!(tier(&shop), None);
}

#[test]
fn a_level_that_is_removed_is_kept_until_its_time_is_over() {
    let mut shop = ladder(Window::Rolling(30));
    buy(&mut shop, "2026-05-01 10:00", 10);
    rules(&mut shop).levels.remove(0);
    buy(&mut shop, "2026-05-02 10:00", 1);
    assert_eq!(tier(&shop), Some("silver"));
    shop.wait("2026-05-31 00:00");
    assert_eq!(tier(&shop), None);
}

#[test]
fn a_ladder_meets_who_is_on_no_step_of_it() {
    let mut shop = Shop::new();
    let say = |name: Option<&str>| Decision::Tier { name: name.map(str::to_owned) };
    shop.buy("2026-05-01 10:00", &[100], vec![say(Some("friend"))]);
    let mut with_ladder = ladder(Window::Rolling(30));
    shop.merchant.rules.tiers = with_ladder.rules().tiers.take();
    shop.buy("2026-05-02 10:00", &[100], vec![]);
    assert_eq!((tier(&shop), shop.record().climb.until), (Some("friend"), Some(at("2026-06-01 10:00"))));
    shop.wait("2026-06-01 10:00");
    assert_eq!(tier(&shop), None);
    shop.buy("2026-06-02 10:00", &[100], vec![say(Some("gold"))]);
    assert_eq!((tier(&shop), shop.record().tags.len()), (Some("gold"), 1));
    shop.buy("2026-06-03 10:00", &[100], vec![say(None)]);
    assert_eq!((tier(&shop), shop.record().tags.len()), (None, 0));
}

#[test]
fn a_refund_lessens_what_counts_and_takes_no_tier_before_its_time() {
    let mut shop = ladder(Window::Rolling(30));
    let bought = shop.buy("2026-05-01 10:00", &[100], vec![earn("points", 10)]);
    shop.refund("2026-05-02 10:00", &bought, cancelled());
    assert_eq!((tier(&shop), shop.record().climb.days.len()), (Some("silver"), 0));
    shop.wait("2026-05-31 00:00");
    assert_eq!(tier(&shop), None);
}

#[test]
fn tiers_go_by_spend_or_visits_too() {
    for (by, refund, visits) in [(Measure::Spend, back(60, &[]), 1), (Measure::Visits, cancelled(), 2)] {
        let mut shop = ladder(Window::Rolling(30));
        rules(&mut shop).levels = vec![level("silver", if by == Measure::Spend { 100 } else { 2 })];
        rules(&mut shop).by = by;
        let mut first = None;
        for day in 1..=visits {
            first = Some(shop.buy(&format!("2026-05-0{day} 10:00"), &[100], vec![]));
        }
        assert_eq!(tier(&shop), Some("silver"));
        shop.refund("2026-05-05 10:00", &first.expect("bought"), refund);
        assert_eq!(
            shop.record().climb.days.iter().map(|(_, amount)| amount).sum::<i64>(),
            if visits == 1 { 40 } else { 1 }
        );
    }
}

#[test]
fn points_that_mature_today_are_counted_when_they_were_earned() {
    let mut shop = ladder(Window::Rolling(30));
    shop.buy("2026-05-01 10:00", &[100], vec![earn_on("points", 10, (Some(20), None))]);
    assert_eq!((tier(&shop), shop.stands("points")), (Some("silver"), [0, 10, 0, 0, 0]));
}
