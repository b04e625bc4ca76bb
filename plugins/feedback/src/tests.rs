//! The rules as ordinary functions.

use super::*;
use perkgate::sample::{answer, facts_with_member, line, purchase, refund, woken};

fn settings(json: &str) -> Settings {
    serde_json::from_str(json).expect("settings")
}

/// What the decisions are, in a word each. The memory is kept.
fn keep(facts: &mut Facts, decisions: Decide) -> Vec<String> {
    let mut words = Vec::new();
    for decision in decisions.expect("decides") {
        words.push(match decision {
            Decision::Wake(Wake { when: Some(WakeTime::Moment(at)), .. }) => {
                format!("ask in {} h", (at - facts.now) / HOUR)
            }
            Decision::Wake(Wake { when: None, .. }) => "call off".to_owned(),
            Decision::Ask(ask) => format!("ask {:?}", ask.scale),
            Decision::Earn(earn) => format!("earn {}", earn.amount),
            Decision::Tag(tag) => format!("tag {}", tag.name),
            Decision::Task(task) => format!("task {}", task.title),
            Decision::Message(message) => format!("message {}", message.key),
            Decision::Remember(memory) => {
                facts.memory = memory;
                "remember".to_owned()
            }
            other => panic!("{other:?}"),
        });
    }
    words
}

fn buys(facts: &mut Facts, id: &str, json: &str) -> Vec<String> {
    let bought = Purchase { id: id.to_owned(), ..purchase([line("cup", 300)]) };
    let decisions = on_purchase(&bought, facts, settings(json));
    keep(facts, decisions)
}

fn is_called(facts: &mut Facts, json: &str) -> Vec<String> {
    let decisions = on_wake(&woken(ASK), facts, settings(json));
    keep(facts, decisions)
}

fn answers(scale: Scale, score: u8, json: &str) -> Vec<String> {
    let mut facts = facts_with_member();
    facts.referral = Some(Referral { code: "REF1".to_owned(), referred: false });
    let decisions = on_answer(&answer(PURCHASE, scale, score), &facts, settings(json));
    keep(&mut facts, decisions)
}

#[test]
fn a_purchase_is_asked_about_once_and_not_again_for_long() {
    let json = r#"{"after_hours":2,"at_most_days":30}"#;
    let mut facts = facts_with_member();
    assert_eq!(buys(&mut facts, "1", json), ["ask in 2 h", "remember"]);
    assert!(buys(&mut facts, "2", json).is_empty(), "there will be a question already");
    facts.now += 2 * HOUR;
    assert_eq!(is_called(&mut facts, json), ["ask Scale::Nps", "remember"]);
    assert!(is_called(&mut facts, json).is_empty());
    facts.now += 30 * 24 * HOUR - 1;
    assert!(buys(&mut facts, "3", json).is_empty());
    facts.now += 1;
    assert_eq!(buys(&mut facts, "4", json), ["ask in 2 h", "remember"]);
    assert!(log::take().iter().any(|(_, text)| text.contains("asked not long ago")));
}

#[test]
fn a_refund_of_that_purchase_calls_the_question_off() {
    let mut facts = facts_with_member();
    buys(&mut facts, "1", "{}");
    let gives_back = |facts: &mut Facts, id: &str| {
        let bought = Purchase { id: id.to_owned(), ..purchase([line("cup", 300)]) };
        let decisions = on_refund(&refund(100), &bought, facts);
        keep(facts, decisions)
    };
    assert!(gives_back(&mut facts, "other").is_empty());
    assert_eq!(gives_back(&mut facts, "1"), ["call off", "remember"]);
    assert!(is_called(&mut facts, "{}").is_empty());
    // The next purchase may be asked about: nobody was asked yet.
    assert_eq!(buys(&mut facts, "2", "{}"), ["ask in 24 h", "remember"]);
}

#[test]
fn a_question_that_never_came_does_not_keep_others_from_coming() {
    let mut facts = facts_with_member();
    buys(&mut facts, "1", "{}");
    facts.now += 24 * HOUR;
    assert_eq!(buys(&mut facts, "2", "{}"), ["ask in 24 h", "remember"]);
}

#[test]
fn the_lot_falls_on_a_share_of_the_purchases() {
    let asked = (0..100).filter(|dice| {
        let mut facts = Facts { dice: *dice, ..facts_with_member() };
        !buys(&mut facts, "1", r#"{"share_percent":25}"#).is_empty()
    });
    assert_eq!(asked.count(), 25);
    let mut facts = Facts { dice: u64::MAX, ..facts_with_member() };
    assert!(!buys(&mut facts, "1", "{}").is_empty());
}

#[test]
fn the_question_is_in_the_members_language_with_the_link_left_to_the_gateway() {
    let mut facts = facts_with_member();
    buys(&mut facts, "1", "{}");
    facts.member.as_mut().expect("a member").locale = Some("hu".to_owned());
    let json = r#"{"scale":"csat","valid_days":7,"thanks":{"points":5},
        "texts":{"ask_csat":{"hu":{"subject":"S","text":"{link} {gift}"}}}}"#;
    let decisions = on_wake(&woken(ASK), &facts, settings(json)).expect("decides");
    let Decision::Ask(ask) = &decisions[0] else { panic!("{decisions:?}") };
    assert_eq!((ask.key.as_str(), ask.scale, ask.valid_days), (PURCHASE, Scale::Csat, 7));
    assert_eq!((ask.locale.as_str(), ask.text.as_str()), ("hu", "{link} 5 points"));
}

#[test]
fn answers_lead_to_thanks_tags_tasks_and_messages() {
    let json = r#"{"thanks":{"points":20}}"#;
    assert_eq!(answers(Scale::Nps, 10, json), ["earn 20", "tag promoter", "message promoter"]);
    assert_eq!(answers(Scale::Nps, 7, json), ["earn 20"]);
    assert_eq!(answers(Scale::Nps, 6, "{}"), ["tag detractor", "task Nespokojný zákazník: 6 z 10"]);
    assert_eq!(answers(Scale::Csat, 1, "{}"), ["tag detractor", "task Nespokojný zákazník: 1 z 5"]);
    let quiet = r#"{"tags":false,"tasks":false,"messages":false}"#;
    assert!(answers(Scale::Csat, 1, quiet).is_empty() && answers(Scale::Csat, 5, quiet).is_empty());
}

#[test]
fn without_a_code_the_delighted_are_thanked_all_the_same() {
    let facts = facts_with_member();
    let decisions = on_answer(&answer(PURCHASE, Scale::Nps, 9), &facts, settings("{}")).expect("decides");
    let Some(Decision::Message(message)) = decisions.last() else { panic!("{decisions:?}") };
    assert_eq!(message.text, "Ďakujeme za skvelé hodnotenie! Kaváreň pri moste");
}

#[test]
fn what_a_member_wrote_is_no_template_and_may_be_missing() {
    let said = |text: Option<&str>| {
        let answer = Answer { text: text.map(str::to_owned), ..answer(PURCHASE, Scale::Nps, 0) };
        let decisions = on_answer(&answer, &facts_with_member(), settings("{}")).expect("decides");
        let Some(Decision::Task(task)) = decisions.last() else { panic!("{decisions:?}") };
        task.text.clone()
    };
    assert!(said(Some("{shop}")).ends_with(": {shop}"));
    assert!(said(None).ends_with(": –") && said(Some("  ")).ends_with(": –"));
}
