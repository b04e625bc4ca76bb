//! The rules as ordinary functions.

use super::*;
use perkgate::sample::{NOW, facts_with_member, line, purchase, woken};

/// A day in milliseconds.
const DAY: i64 = 86_400_000;

fn settings(json: &str) -> Settings {
    serde_json::from_str(json).expect("settings")
}

/// A member with so many visits, the latest so many days ago, each `gap` days after the one before.
fn regular(visits: i64, latest: i64, gap: i64) -> Facts {
    let mut facts = facts_with_member();
    let visit = |index: i64| Visit {
        at: NOW - (latest + index * gap) * DAY,
        total: 500,
        currency: "EUR".to_owned(),
        channel: Channel::InStore,
        location: None,
    };
    facts.history = (0..visits.min(20)).map(visit).collect();
    let member = facts.member.as_mut().expect("a member");
    (member.visits, member.last_purchase_at) = (visits, Some(NOW - latest * DAY));
    facts
}

/// What the decisions are, in a word each; of a wake, in how many days it is. Tags and memory are kept.
fn keep(facts: &mut Facts, decisions: &[Decision]) -> Vec<String> {
    let mut words = Vec::new();
    for decision in decisions {
        words.push(match decision {
            Decision::Task(task) => format!("task {}", task.key),
            Decision::Tag(tag) => {
                let tags = &mut facts.member.as_mut().expect("a member").tags;
                tags.retain(|name| *name != tag.name);
                if tag.present {
                    tags.push(tag.name.clone());
                }
                format!("{} {}", if tag.present { "put" } else { "take" }, tag.name)
            }
            Decision::Wake(Wake { when: Some(WakeTime::Civil(time)), .. }) => {
                format!("look in {}", Date::new(time.year, time.month, time.day).since(facts.today()))
            }
            Decision::Remember(memory) => {
                facts.memory.clone_from(memory);
                "remember".to_owned()
            }
            other => panic!("{other:?}"),
        });
    }
    words
}

fn looked(facts: &mut Facts, json: &str) -> Vec<String> {
    let decisions = on_wake(&woken(LOOK), facts, settings(json)).expect("decides");
    keep(facts, &decisions)
}

fn bought(facts: &mut Facts, json: &str) -> Vec<String> {
    let decisions = on_purchase(&purchase([line("cup", 300)]), facts, settings(json)).expect("decides");
    keep(facts, &decisions)
}

#[test]
fn a_regular_is_late_after_twice_their_rhythm() {
    assert_eq!(looked(&mut regular(6, 19, 10), "{}"), ["put occasional", "look in 1"]);
    assert_eq!(looked(&mut regular(6, 20, 10), "{}"), ["put at-risk", "task late", "remember", "look in 346"]);
    assert_eq!(looked(&mut regular(6, 20, 10), r#"{"factor":"2.5"}"#), ["put occasional", "look in 5"]);
}

#[test]
fn nobody_is_late_before_the_least_days_or_without_a_rhythm() {
    assert_eq!(looked(&mut regular(6, 13, 2), "{}"), ["put occasional", "look in 1"]);
    assert_eq!(looked(&mut regular(4, 100, 5), "{}"), ["put occasional", "look in 81"]);
    assert_eq!(looked(&mut regular(4, 100, 5), r#"{"min_visits":4}"#)[0], "put at-risk");
    // Ten purchases in one day are no rhythm.
    assert_eq!(looked(&mut regular(10, 50, 0), "{}"), ["put champion", "look in 11"]);
    assert!(looked(&mut facts_with_member(), "{}").is_empty());
}

#[test]
fn one_task_for_a_lapse_and_another_for_the_next() {
    let mut facts = regular(6, 20, 10);
    assert!(looked(&mut facts, "{}").contains(&"task late".to_owned()));
    assert_eq!(looked(&mut facts, "{}"), ["look in 346"]);
    assert_eq!(bought(&mut facts, "{}"), ["put occasional", "take at-risk", "look in 20"]);
    let mut again = Facts { memory: facts.memory.clone(), ..regular(7, 21, 10) };
    assert!(looked(&mut again, "{}").contains(&"task late".to_owned()));
}

#[test]
fn whoever_is_gone_is_not_late() {
    let mut facts = regular(6, 366, 10);
    facts.member.as_mut().expect("a member").tags = vec!["at-risk".to_owned()];
    assert_eq!(looked(&mut facts, "{}"), ["take at-risk"]);
    assert_eq!(looked(&mut regular(6, 365, 10), "{}"), ["put at-risk", "task late", "remember", "look in 1"]);
}

#[test]
fn segments_change_by_purchases_and_by_time() {
    let json = r#"{"champion":{"visits":3,"days":30},"occasional":{"days":90}}"#;
    let mut facts = regular(1, 10, 10);
    assert_eq!(bought(&mut facts, json), ["put occasional", "look in 91"]);
    facts.member.as_mut().expect("a member").visits = 2;
    assert_eq!(bought(&mut facts, json), ["put champion", "take occasional", "look in 31"]);
    let member = facts.member.as_mut().expect("a member");
    (member.visits, member.last_purchase_at) = (3, Some(NOW - 31 * DAY));
    assert_eq!(looked(&mut facts, json), ["put occasional", "take champion", "look in 60"]);
    facts.member.as_mut().expect("a member").last_purchase_at = Some(NOW - 91 * DAY);
    assert_eq!(looked(&mut facts, json), ["take occasional"]);
}

#[test]
fn tasks_and_tags_can_be_left_out() {
    let mut facts = regular(6, 20, 10);
    assert_eq!(looked(&mut facts, r#"{"tags":false}"#), ["task late", "remember", "look in 346"]);
    assert_eq!(looked(&mut regular(6, 20, 10), r#"{"tasks":false}"#), ["put at-risk", "look in 346"]);
}

#[test]
fn the_task_is_in_the_merchants_language_or_words() {
    let mut facts = regular(6, 20, 10);
    facts.member.as_mut().expect("a member").locale = Some("en".to_owned());
    let json = r#"{"texts":{"late":{"sk":{"subject":"Pozor","text":"{rhythm}, {days}"}}}}"#;
    let decisions = on_wake(&woken(LOOK), &facts, settings(json)).expect("decides");
    let task = decisions.iter().find_map(|decision| match decision {
        Decision::Task(task) => Some((task.title.as_str(), task.text.as_str())),
        _ => None,
    });
    assert_eq!(task, Some(("Pozor", "10 dní, 20 dní")));
}

#[test]
fn a_purchase_told_of_late_is_not_the_latest() {
    let mut facts = regular(6, 20, 10);
    let old = Purchase { placed_at: NOW - 300 * DAY, ..purchase([line("cup", 300)]) };
    let decisions = on_purchase(&old, &facts, settings("{}")).expect("decides");
    assert_eq!(keep(&mut facts, &decisions)[0], "put at-risk");
}
