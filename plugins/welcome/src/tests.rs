//! The rules as ordinary functions.

use super::*;
use perkgate::sample::{facts_with_member, join, line, purchase, woken};

fn settings(json: &str) -> Settings {
    serde_json::from_str(json).expect("settings")
}

/// What the decisions are, in a word each.
fn words(decisions: &[Decision]) -> Vec<String> {
    let word = |decision: &Decision| match decision {
        Decision::Earn(earn) => format!("earn {}", earn.amount),
        Decision::Reward(reward) => format!("reward {}", reward.title),
        Decision::Message(message) => format!("message {}", message.key),
        Decision::Wake(Wake { when: None, key, .. }) => format!("cancel {key}"),
        Decision::Wake(wake) => format!("wake {}", wake.key),
        Decision::Remember(_) => "remember".to_owned(),
        other => panic!("{other:?}"),
    };
    decisions.iter().map(word).collect()
}

fn remembered(decisions: &[Decision]) -> Facts {
    let memory = decisions.iter().find_map(|decision| match decision {
        Decision::Remember(memory) => Some(memory.clone()),
        _ => None,
    });
    Facts { memory: memory.expect("remembers"), ..facts_with_member() }
}

fn bought(facts: &Facts, json: &str) -> Vec<String> {
    words(&on_purchase(&purchase([line("cup", 300)]), facts, settings(json)).expect("decides"))
}

#[test]
fn joining_is_welcomed_once_for_ever() {
    let json = r#"{"gift":{"points":100,"reward":{"title":"Coffee"}}}"#;
    let decisions = on_join(&join(), &facts_with_member(), settings(json)).expect("decides");
    assert_eq!(words(&decisions), ["earn 100", "reward Coffee", "message welcome", "remember"]);
    let again = remembered(&decisions);
    assert_eq!(on_join(&join(), &again, settings(json)), Ok(vec![]));
    assert!(bought(&again, json).is_empty(), "nothing was asked for, so there is nothing to call off");
    assert_eq!(bought(&again, r#"{"remind_after_days":7}"#), ["cancel reminder"]);
}

#[test]
fn where_no_join_comes_the_first_purchase_is_the_welcome() {
    assert_eq!(bought(&facts_with_member(), r#"{"remind_after_days":7}"#), ["message welcome", "remember"]);
    assert_eq!(bought(&facts_with_member(), r#"{"gift":{"points":5},"message":false}"#), ["earn 5", "remember"]);
}

#[test]
fn customers_from_before_the_plugin_are_not_new() {
    let mut facts = facts_with_member();
    facts.member.as_mut().expect("a member").first_purchase_at = Some(1);
    assert!(bought(&facts, "{}").is_empty());
    assert_eq!(on_join(&join(), &facts, settings("{}")), Ok(vec![]));
}

#[test]
fn the_second_message_comes_at_the_hour_if_there_was_no_purchase() {
    let json = r#"{"remind_after_days":3,"hour":17}"#;
    let decisions = on_join(&join(), &facts_with_member(), settings(json)).expect("decides");
    let Decision::Wake(wake) = &decisions[1] else { panic!("{decisions:?}") };
    let Some(WakeTime::Civil(time)) = wake.when else { panic!("{wake:?}") };
    assert_eq!((time.month, time.day, time.hour), (11, 24, 17));

    let mut facts = remembered(&decisions);
    let woken = woken(REMINDER);
    let said = |facts: &Facts, json| words(&on_wake(&woken, facts, settings(json)).expect("decides"));
    assert_eq!(said(&facts, json), ["message reminder"]);
    assert!(said(&facts, "{}").is_empty(), "the merchant has taken it out");
    facts.member.as_mut().expect("a member").first_purchase_at = Some(1);
    assert!(said(&facts, json).is_empty());
}

#[test]
fn a_gift_the_merchant_spoke_of_must_be_there() {
    let own = r#"{"texts":{"welcome":{"sk":{"subject":"S","text":"{gift}"}}}}"#;
    let refused = on_join(&join(), &facts_with_member(), settings(own));
    assert!(matches!(refused, Err(Refusal::NotConfigured(why)) if why.contains("{gift}")));
    let given = own.replacen('{', r#"{"gift":{"points":1},"#, 1);
    assert!(on_join(&join(), &facts_with_member(), settings(&given)).is_ok());
}
