//! The rule as an ordinary function.

use super::*;
use perkgate::sample::{facts, line, purchase};

const WINDOWS: &str =
    r#""windows":[{"weekdays":[1,2,3,4],"from":"14:00","to":"16:00"},{"weekdays":[5],"from":"22:00","to":"02:00"}]"#;

fn decide(purchase: &Purchase, (weekday, hour, minute): (u8, u8, u8), more: &str) -> Decide {
    let facts = Facts { local: LocalTime { weekday, hour, minute, ..facts().local }, ..facts() };
    let settings = serde_json::from_str(&format!("{{{WINDOWS}{more}}}")).expect("settings");
    happy_hour(purchase, &facts, settings)
}

fn earned(purchase: &Purchase, when: (u8, u8, u8), more: &str) -> i64 {
    match &decide(purchase, when, more).expect("decides")[..] {
        [] => 0,
        [Decision::Earn(earn)] => earn.amount,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_window_has_its_days_and_may_pass_midnight() {
    let bought = purchase([line("cup", 1000)]);
    for (when, happy) in [
        ((1, 14, 0), true),
        ((4, 15, 59), true),
        ((4, 16, 0), false),
        ((5, 15, 0), false),
        ((5, 22, 0), true),
        ((6, 1, 59), true),
        ((5, 1, 0), false),
        ((6, 22, 0), false),
    ] {
        assert_eq!(earned(&bought, when, "") == 10, happy, "{when:?}");
    }
}

#[test]
fn only_goods_of_the_categories_count_double() {
    let mut cup = line("cup", 300);
    cup.category = Some("Coffee".to_owned());
    let mut tip = line("tip", 100);
    tip.kind = LineKind::Tip;
    let bought = purchase([cup, line("cake", 400), tip]);
    assert_eq!(earned(&bought, (1, 14, 0), ""), 7);
    assert_eq!(earned(&bought, (1, 14, 0), r#","categories":["coffee"]"#), 3);
    assert_eq!(earned(&bought, (1, 14, 0), r#","categories":["tea"]"#), 0);
}

#[test]
fn the_rate_is_multiplied_exactly_and_rounded_once() {
    let bought = purchase([line("cup", 350)]);
    assert_eq!(earned(&bought, (1, 14, 0), r#","multiplier":"1.5","points":10"#), 17);
    assert_eq!(earned(&bought, (1, 14, 0), r#","multiplier":"1.5","points":10,"rounding":"nearest""#), 18);
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let bought = purchase([line("cup", 1000)]);
    for more in [r#","multiplier":"1""#, r#","points":0"#, r#","per":"0""#] {
        assert!(matches!(decide(&bought, (1, 14, 0), more), Err(Refusal::NotConfigured(_))), "{more}");
    }
    let none = serde_json::from_str(r#"{"windows":[]}"#).expect("settings");
    assert!(matches!(happy_hour(&bought, &facts(), none), Err(Refusal::NotConfigured(_))));
}
