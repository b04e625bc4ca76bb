//! The rules as ordinary functions.

use super::*;
use perkgate::sample::{NOW, facts_with_member, line, purchase, woken};

/// A day in milliseconds.
const DAY: i64 = 86_400_000;
const GROWING: &str = r#"{"messages":false,"steps":[
    {"days":45,"gift":{"points":10}},{"days":60,"gift":{"points":20}},{"days":90,"gift":{"points":30}}]}"#;

fn settings(json: &str) -> Settings {
    serde_json::from_str(json).expect("settings")
}

/// A member whose visits were so many days ago, the latest first.
fn visited(days_ago: &[i64]) -> Facts {
    let mut facts = facts_with_member();
    facts.history = days_ago
        .iter()
        .map(|days| Visit {
            at: NOW - days * DAY,
            total: 500,
            currency: "EUR".to_owned(),
            channel: Channel::InStore,
            location: None,
        })
        .collect();
    facts.member.as_mut().expect("a member").last_purchase_at = days_ago.first().map(|days| NOW - days * DAY);
    facts
}

/// What the decisions are, in a word each; of a wake, in how many days it is.
fn words(decisions: &[Decision], facts: &Facts) -> Vec<String> {
    let word = |decision: &Decision| match decision {
        Decision::Earn(earn) => format!("earn {}", earn.amount),
        Decision::Message(message) => format!("message {}", message.key),
        Decision::Tag(tag) => format!("{} {}", if tag.present { "put" } else { "take" }, tag.name),
        Decision::Wake(Wake { when: Some(WakeTime::Civil(time)), .. }) => {
            assert_eq!((time.hour, time.minute), (10, 0));
            format!("wake in {}", Date::new(time.year, time.month, time.day).since(facts.today()))
        }
        Decision::Remember(_) => "remember".to_owned(),
        other => panic!("{other:?}"),
    };
    decisions.iter().map(word).collect()
}

fn called(facts: &mut Facts, cause: WakeCause, json: &str) -> Vec<String> {
    let woken = Woken { cause, ..woken(WAKE) };
    let decisions = on_wake(&woken, facts, settings(json)).expect("decides");
    for decision in &decisions {
        if let Decision::Remember(memory) = decision {
            facts.memory.clone_from(memory);
        }
    }
    words(&decisions, facts)
}

fn bought(facts: &Facts, json: &str) -> Vec<String> {
    let decisions = on_purchase(&purchase([line("cup", 300)]), facts, settings(json)).expect("decides");
    words(&decisions, facts)
}

/// The same member so many days later.
fn later(facts: &Facts, days: i64) -> Facts {
    let mut facts = facts.clone();
    let (year, month, day) = facts.today().plus_days(days).parts();
    facts.local = LocalTime { year, month, day, ..facts.local };
    facts.now += days * DAY;
    facts
}

#[test]
fn steps_follow_each_other_until_the_last() {
    let mut facts = visited(&[45]);
    assert_eq!(called(&mut facts, WakeCause::Asked, GROWING), ["earn 10", "remember", "wake in 15"]);
    let mut facts = later(&facts, 15);
    assert_eq!(called(&mut facts, WakeCause::Asked, GROWING), ["earn 20", "remember", "wake in 30"]);
    let mut facts = later(&facts, 30);
    assert_eq!(called(&mut facts, WakeCause::Asked, GROWING), ["earn 30", "remember"]);
    assert!(called(&mut facts, WakeCause::Asked, GROWING).is_empty());
}

#[test]
fn a_purchase_begins_anew() {
    let mut facts = visited(&[61]);
    called(&mut facts, WakeCause::Asked, GROWING);
    assert_eq!(bought(&facts, GROWING), ["wake in 45"]);
    // The wake replaces the one before, and the memory is about another lapse now.
    facts.member.as_mut().expect("a member").last_purchase_at = Some(facts.now);
    let mut facts = later(&facts, 45);
    assert_eq!(called(&mut facts, WakeCause::Asked, GROWING), ["earn 10", "remember", "wake in 15"]);
}

#[test]
fn a_purchase_told_of_late_repeats_nothing() {
    let mut facts = visited(&[50]);
    called(&mut facts, WakeCause::Asked, GROWING);
    let old = Purchase { placed_at: NOW - 300 * DAY, ..purchase([line("cup", 300)]) };
    let decisions = on_purchase(&old, &facts, settings(GROWING)).expect("decides");
    assert_eq!(words(&decisions, &facts), ["wake in 10"]);
}

#[test]
fn a_late_installation_does_only_the_highest_step() {
    let mut facts = visited(&[70]);
    // The sample's time is past the hour.
    assert_eq!(called(&mut facts, WakeCause::Installed, GROWING), ["wake in 1"]);
    let mut facts = later(&facts, 1);
    assert_eq!(called(&mut facts, WakeCause::Asked, GROWING), ["earn 20", "remember", "wake in 19"]);
    let mut long = visited(&[400]);
    assert_eq!(called(&mut long, WakeCause::Installed, GROWING), ["wake in 1"]);
    assert_eq!(called(&mut long, WakeCause::Asked, GROWING), ["earn 30", "remember"]);
    let limited = GROWING.replacen('{', r#"{"max_days":365,"#, 1);
    assert!(called(&mut visited(&[400]), WakeCause::Installed, &limited).is_empty());
    assert!(called(&mut visited(&[]), WakeCause::Installed, GROWING).is_empty());
}

#[test]
fn from_four_visits_on_the_members_own_rhythm_counts_if_it_is_longer() {
    // Weekly: twice seven is less than 45.
    assert_eq!(bought(&visited(&[7, 14, 21]), GROWING), ["wake in 45"]);
    // Every fifty days; three visits are no rhythm yet.
    assert_eq!(bought(&visited(&[50, 100]), GROWING), ["wake in 45"]);
    assert_eq!(bought(&visited(&[50, 100, 150]), GROWING), ["wake in 100"]);
    let other = GROWING.replacen('{', r#"{"rhythm_factor":"1.5","#, 1);
    assert_eq!(bought(&visited(&[50, 100, 150]), &other), ["wake in 75"]);
    let none = GROWING.replacen('{', r#"{"rhythm_factor":"0","#, 1);
    assert_eq!(bought(&visited(&[50, 100, 150]), &none), ["wake in 45"]);
    // The later steps keep their distance.
    let mut facts = visited(&[100, 150, 200, 250]);
    assert_eq!(called(&mut facts, WakeCause::Asked, GROWING), ["earn 10", "remember", "wake in 15"]);
}

#[test]
fn both_groups_are_tagged_and_one_gets_nothing() {
    let part = |percent: u8| GROWING.replacen('{', &format!(r#"{{"hold_out_percent":{percent},"#), 1);
    let mut held_out = visited(&[45]);
    assert_eq!(called(&mut held_out, WakeCause::Asked, &part(100)), ["put win-back-holdout", "remember"]);
    assert!(called(&mut held_out, WakeCause::Asked, &part(100)).is_empty());
    let treated = (0..100).map(|id| format!("mem_{id}")).find(|id| Group::of(id, "1", 50) == Group::Treated);
    let mut facts = visited(&[45]);
    facts.member.as_mut().expect("a member").id = treated.expect("one of many");
    let said = called(&mut facts, WakeCause::Asked, &part(50));
    assert_eq!(said, ["put win-back-treated", "earn 10", "remember", "wake in 15"]);
}

#[test]
fn a_steps_own_text_goes_before_the_others() {
    let json = r#"{"steps":[{"days":45,"texts":{"hu":{"subject":"S","text":"{days}"}}}],
        "texts":{"first":{"hu":{"subject":"S","text":"x"},"sk":{"subject":"S","text":"sk {shop}"}}}}"#;
    let said = |locale: &str| {
        let mut facts = visited(&[46]);
        facts.member.as_mut().expect("a member").locale = Some(locale.to_owned());
        let decisions = on_wake(&woken(WAKE), &facts, settings(json)).expect("decides");
        let Decision::Message(message) = &decisions[0] else { panic!("{decisions:?}") };
        message.text.clone()
    };
    assert_eq!((said("hu"), said("sk")), ("46 days".to_owned(), "sk Kaváreň pri moste".to_owned()));
    assert!(said("de").starts_with("Wir haben Sie lange nicht gesehen"));
}

#[test]
fn settings_that_make_no_sense_are_named() {
    for json in [r#"{"steps":[]}"#, r#"{"steps":[{"days":9},{"days":9}]}"#, r#"{"rhythm_factor":"-1"}"#] {
        let refused = on_wake(&woken(WAKE), &visited(&[0, 1, 2, 3]), settings(json));
        assert!(matches!(refused, Err(Refusal::NotConfigured(_))), "{json}: {refused:?}");
    }
}
