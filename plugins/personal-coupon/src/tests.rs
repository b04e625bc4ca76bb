//! The rule as an ordinary function.

use super::*;
use perkgate::sample::{self, line, purchase};

fn favourite(name: &str, purchases: u32) -> Favourite {
    Favourite { sku: None, name: name.to_owned(), category: Some("Káva".to_owned()), purchases, last_at: sample::NOW }
}

/// A member with so many purchases whose favourites are a flat white and a cake.
fn having(visits: i64) -> Facts {
    let mut facts = sample::facts_with_member();
    facts.merchant.locale = "en".to_owned();
    facts.member.as_mut().expect("a member").visits = visits;
    facts.favourites = vec![favourite("Flat white", 6), favourite("Cake", 3)];
    facts
}

fn settings(every: &str, more: &str) -> Settings {
    serde_json::from_str(&format!(r#"{{"every":{every},"percent":20{more}}}"#)).expect("settings")
}

/// Keeps the memory, and tells the rest in words.
fn told(decisions: Decide, facts: &mut Facts) -> Vec<String> {
    let mut told = Vec::new();
    for decision in decisions.expect("decides") {
        match decision {
            Decision::Reward(reward) => told.push(reward.title),
            Decision::Message(message) => told.push(message.text),
            Decision::Wake(Wake { when: Some(WakeTime::Civil(time)), .. }) => {
                told.push(format!("wake {} {}", Date::new(time.year, time.month, time.day), time.hour));
            }
            Decision::Remember(memory) => facts.memory = memory,
            other => panic!("{other:?}"),
        }
    }
    told
}

fn visit(facts: &mut Facts, settings: Settings) -> Vec<String> {
    let decided = personal_coupon_on_visit(&purchase([line("cup", 300)]), facts, settings);
    told(decided, facts)
}

const TENTH: &str = r#"{"visits":10}"#;

#[test]
fn every_so_many_visits_there_is_a_coupon_and_never_the_same_twice() {
    let mut facts = having(0);
    let mut given = Vec::new();
    for number in 1..=30 {
        facts.member.as_mut().expect("a member").visits = number - 1;
        if let [title, ..] = &visit(&mut facts, settings(TENTH, ""))[..] {
            given.push((number, title.clone()));
        }
    }
    let (flat, cake) = ("20% off your favourite: Flat white".to_owned(), "20% off your favourite: Cake".to_owned());
    assert_eq!(given, [(10, flat.clone()), (20, cake), (30, flat)]);
}

#[test]
fn the_message_says_until_when_in_the_members_language() {
    let mut facts = having(9);
    facts.member.as_mut().expect("a member").locale = Some("sk".to_owned());
    let said = visit(&mut facts, settings(TENTH, ""));
    assert_eq!(said[0], "Zľava 20\u{a0}%: Flat white");
    assert!(
        said[1].ends_with("kupujete najradšej: Flat white. Platí do 5. 12. 2026. Kaváreň pri moste"),
        "{}",
        said[1]
    );
}

#[test]
fn a_visit_given_back_and_made_again_brings_no_second_coupon() {
    let mut facts = having(9);
    assert_eq!(visit(&mut facts, settings(TENTH, "")).len(), 2);
    assert!(visit(&mut facts, settings(TENTH, "")).is_empty());
}

#[test]
fn without_another_favourite_it_waits() {
    let mut facts = having(9);
    facts.favourites.truncate(1);
    assert_eq!(visit(&mut facts, settings(TENTH, "")).len(), 2);
    facts.member.as_mut().expect("a member").visits = 19;
    assert!(visit(&mut facts, settings(TENTH, "")).is_empty());
    assert!(log::take().iter().any(|(_, text)| text.contains("no favourite but that of the last one")));
    facts.member.as_mut().expect("a member").visits = 20;
    facts.favourites.push(favourite("Cake", 2));
    assert_eq!(visit(&mut facts, settings(TENTH, ""))[0], "20% off your favourite: Cake");
}

#[test]
fn a_favourite_was_bought_often_enough_and_is_not_excluded() {
    for (more, title) in [
        (r#","item_purchases":7"#, None),
        (r#","exclude_categories":["KÁVA"]"#, None),
        (r#","exclude_skus":["flat"]"#, Some("20% off your favourite: Cake")),
        (r#","minimum_purchases":11"#, None),
        (r#","minimum_purchases":10"#, Some("20% off your favourite: Flat white")),
    ] {
        let mut facts = having(9);
        facts.favourites[0].sku = Some("flat".to_owned());
        assert_eq!(visit(&mut facts, settings(TENTH, more)).first().map(String::as_str), title, "{more}");
    }
}

#[test]
fn every_so_many_days_a_purchase_brings_the_next_coupon() {
    let monthly = r#"{"days":30}"#;
    let mut facts = having(5);
    assert_eq!(visit(&mut facts, settings(monthly, "")), ["wake 2026-12-21 10"]);
    assert!(visit(&mut facts, settings(monthly, "")).is_empty(), "one wake is enough");
    let wake = |facts: &mut Facts| {
        let decided = personal_coupon_on_day(&sample::woken(COUPON), facts, settings(monthly, ""));
        told(decided, facts)
    };
    facts.local = LocalTime { month: 12, ..facts.local };
    assert_eq!(wake(&mut facts)[0], "20% off your favourite: Flat white");
    facts.local.day = 22;
    assert_eq!(visit(&mut facts, settings(monthly, "")), ["wake 2027-01-20 10"]);
    facts.local = LocalTime { year: 2027, month: 1, day: 20, ..facts.local };
    facts.favourites.truncate(1);
    assert!(wake(&mut facts).is_empty());
    assert_eq!(visit(&mut facts, settings(monthly, "")), ["wake 2027-01-21 10"], "the next try");
}

#[test]
fn own_texts_stand_in_and_settings_that_make_no_sense_are_named() {
    let mut facts = having(9);
    let own = r#","texts":{"title":{"en":"{item} −{percent} %"}}"#;
    assert_eq!(visit(&mut facts, settings(TENTH, own))[0], "Flat white −20 %");
    let wrong = [
        (r#"{"visits":0}"#, ""),
        (r#"{"days":0}"#, ""),
        (TENTH, r#","valid_days":0"#),
        (TENTH, r#","hour":24"#),
        (TENTH, r#","texts":{"title":{"en":"{sku}"}}"#),
    ];
    for (every, more) in wrong {
        let refused = personal_coupon_on_visit(&purchase([]), &having(9), settings(every, more));
        assert!(matches!(refused, Err(Refusal::NotConfigured(_))), "{every} {more}: {refused:?}");
    }
}
