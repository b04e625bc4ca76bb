//! Every decision: by name, and as the JSON it is stored as.

use super::*;
use crate::manifest::DECISIONS;
use serde_json::json;
use std::collections::BTreeSet;

/// At least one decision of every kind.
fn every() -> Vec<Decision> {
    let text = |text: &str| text.to_owned();
    let price = Some(Price { wallet: text("points"), amount: 5 });
    let civil = CivilTime { year: 2027, month: 3, day: 8, hour: 9, minute: 0 };
    let wake = |when, whom| Decision::Wake(Wake { key: text("birthday"), when, whom, data: vec![0, 255] });
    vec![
        Decision::Earn(Earn {
            wallet: text("points"),
            amount: 5,
            shares: vec![Share { line: text("1"), amount: 5 }],
            matures_days: Some(14),
            valid_days: Some(365),
            reason: text("Because."),
        }),
        Decision::Spend(Spend { wallet: text("points"), amount: 5, reason: text("Because.") }),
        Decision::Reward(Reward { key: text("coffee"), title: text("Coffee"), price, valid_days: Some(7) }),
        Decision::Offer(Offer {
            key: text("museum"),
            title: text("Museum"),
            text: text("Two for one."),
            limit: Some(50),
            valid_days: None,
        }),
        Decision::Tier { name: Some(text("gold")) },
        Decision::Tier { name: None },
        Decision::Tag { name: text("regular"), present: true },
        Decision::Message(Message { key: text("k"), subject: text("s"), text: text("t"), locale: text("sk") }),
        wake(Some(WakeTime::Moment(Moment(7))), WakeWhom::Member),
        wake(Some(WakeTime::Civil(civil)), WakeWhom::Referrer),
        wake(None, WakeWhom::Member),
        Decision::Task(Task { key: text("call"), title: text("Call Anna"), text: text("She gave a 2.") }),
        Decision::Ask(Ask {
            key: text("first"),
            scale: Scale::Csat,
            subject: text("s"),
            text: text("How was it? {link}"),
            locale: text("sk"),
            valid_days: 14,
        }),
        Decision::Remember { bytes: vec![1, 2, 3] },
    ]
}

#[test]
fn every_decision_is_one_a_manifest_may_ask_for() {
    let names: BTreeSet<&str> = every().iter().map(Decision::name).collect();
    assert_eq!(names, DECISIONS.iter().copied().collect());
    assert_eq!(names.len(), DECISIONS.len(), "none is listed twice");
}

#[test]
fn a_decision_reads_back_from_its_json() {
    for decision in every() {
        let json = serde_json::to_value(&decision).expect("JSON");
        assert_eq!(json["type"], decision.name());
        assert_eq!(serde_json::from_value::<Decision>(json).expect("a decision"), decision);
    }
}

#[test]
fn a_lot_without_terms_of_its_own_is_stored_as_before() {
    let stored = json!({ "type": "earn", "wallet": "points", "amount": 5, "shares": [], "reason": "Because." });
    let Ok(Decision::Earn(earn)) = serde_json::from_value::<Decision>(stored.clone()) else { panic!("an earn") };
    assert_eq!((earn.matures_days, earn.valid_days), (None, None));
    assert_eq!(serde_json::to_value(Decision::Earn(earn)).expect("JSON"), stored);
}

#[test]
fn a_wake_says_when_in_one_of_two_ways() {
    let wake = |when: serde_json::Value| {
        let json = json!({ "type": "wake", "key": "k", "when": when, "whom": "member", "data": "00ff" });
        match serde_json::from_value::<Decision>(json) {
            Ok(Decision::Wake(wake)) => Some((wake.when, wake.data)),
            _ => None,
        }
    };
    let data = vec![0, 255];
    assert_eq!(wake(json!({ "moment": 7 })), Some((Some(WakeTime::Moment(Moment(7))), data.clone())));
    assert_eq!(wake(json!(null)), Some((None, data)));
    assert_eq!(wake(json!("soon")), None);
    assert_eq!(wake(json!({ "civil": { "year": 2027, "month": 3 } })), None, "half a time is none");
}
