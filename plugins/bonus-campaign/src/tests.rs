//! The rule as an ordinary function.

use super::*;
use perkgate::sample::{facts, line, purchase};

fn of(id: &str, category: &str, total: i64) -> Line {
    Line { category: Some(category.to_owned()), ..line(id, total) }
}

/// A coffee for 3.00, a cake for 4.00, a newspaper for 2.00.
fn coffee_and_cake() -> Purchase {
    purchase([of("cup", "Coffee", 300), of("cake", "Cake", 400), of("press", "Press", 200)])
}

fn decide(purchase: &Purchase, facts: &Facts, json: &str) -> Decide {
    bonus_campaign(purchase, facts, serde_json::from_str(json).expect("settings"))
}

fn earned(purchase: &Purchase, json: &str) -> Option<Earn> {
    decide(purchase, &facts(), json).expect("decides").into_iter().next().map(|decision| {
        let Decision::Earn(earn) = decision else { panic!("{decision:?}") };
        earn
    })
}

fn amount(json: &str) -> i64 {
    earned(&coffee_and_cake(), json).map_or(0, |earn| earn.amount)
}

#[test]
fn goods_bought_together_count_double() {
    let together = r#"{"multiplier":"2","on":"matching","name":"Sweet",
        "all_of":[{"categories":["coffee"]},{"categories":["cake"],"skus":["pie"]}]}"#;
    let earn = earned(&coffee_and_cake(), together).expect("earns");
    assert_eq!((earn.amount, earn.reason.as_str()), (7, "Sweet: 2 times the points"));
    assert_eq!(earn.shares, [Share::new("cup", 3), Share::new("cake", 4)]);
    assert_eq!(earned(&purchase([of("cup", "coffee", 300), line("pie", 100)]), together).expect("earns").amount, 4);
    assert_eq!(earned(&purchase([of("cup", "coffee", 300)]), together), None);
    assert!(log::take().iter().any(|(_, text)| text.contains("wants together")));
}

#[test]
fn what_was_free_makes_no_combination() {
    let free = purchase([of("cup", "Coffee", 300), of("cake", "Cake", 0)]);
    let together = r#"{"extra_points":5,"all_of":[{"categories":["coffee"]},{"categories":["cake"]}]}"#;
    assert_eq!(earned(&free, together), None);
}

#[test]
fn the_multiplier_is_about_everything_unless_it_is_about_what_matches() {
    let dish = |on: &str| format!(r#"{{"multiplier":"3","on":"{on}","any_of":{{"skus":["cake","soup"]}}}}"#);
    assert_eq!([amount(&dish("purchase")), amount(&dish("matching"))], [18, 8]);
    assert_eq!(amount(r#"{"multiplier":"1.5","rounding":"up"}"#), 5);
}

#[test]
fn a_fixed_bonus_lies_on_what_matches() {
    let earn = earned(&coffee_and_cake(), r#"{"extra_points":50,"any_of":{"categories":["coffee","cake"]}}"#);
    let earn = earn.expect("earns");
    assert_eq!((earn.amount, earn.reason.as_str()), (50, "Bonus campaign: 50 extra"));
    assert_eq!(earn.shares, [Share::new("cup", 21), Share::new("cake", 29)]);
    let mut abroad = coffee_and_cake();
    abroad.currency = "CZK".to_owned();
    assert_eq!(earned(&abroad, r#"{"extra_points":9}"#).expect("money does not matter").amount, 9);
    assert!(matches!(decide(&abroad, &facts(), r#"{"multiplier":"2"}"#), Err(Refusal::Unsupported(_))));
}

#[test]
fn the_campaign_has_its_days_and_hours() {
    // The sample's day is Saturday, 21 November 2026, noon.
    for (when, given) in [
        (r#""from":"2026-11-21","until":"2026-11-21""#, true),
        (r#""from":"2026-11-22""#, false),
        (r#""until":"2026-11-20""#, false),
        (r#""weekdays":[6],"hours":{"from":"11:00","to":"12:01"}"#, true),
        (r#""weekdays":[7]"#, false),
        (r#""hours":{"from":"08:00","to":"12:00"}"#, false),
    ] {
        assert_eq!(amount(&format!(r#"{{"extra_points":5,{when}}}"#)) == 5, given, "{when}");
    }
}

#[test]
fn once_a_day_is_once_a_day() {
    let json = r#"{"extra_points":5,"once_a_day":true,"valid_days":14}"#;
    let first = decide(&coffee_and_cake(), &facts(), json).expect("decides");
    let [Decision::Earn(earn), Decision::Remember(memory)] = &first[..] else { panic!("{first:?}") };
    assert_eq!(earn.valid_days, Some(14));
    let mut later = Facts { memory: memory.clone(), ..facts() };
    assert_eq!(decide(&coffee_and_cake(), &later, json), Ok(vec![]));
    later.local.day += 1;
    assert_eq!(decide(&coffee_and_cake(), &later, json).expect("decides").len(), 2);
}

#[test]
fn settings_that_make_no_sense_are_named() {
    for json in [
        "{}",
        r#"{"multiplier":"1"}"#,
        r#"{"extra_points":0}"#,
        r#"{"multiplier":"2","extra_points":5}"#,
        r#"{"multiplier":"2","any_of":{}}"#,
        r#"{"multiplier":"2","all_of":[{}]}"#,
        r#"{"multiplier":"2","per":"0"}"#,
    ] {
        let refused = decide(&coffee_and_cake(), &facts(), json);
        assert!(matches!(refused, Err(Refusal::NotConfigured(_))), "{json}: {refused:?}");
    }
}
