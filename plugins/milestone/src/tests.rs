//! The rule as an ordinary function.

use super::*;
use perkgate::sample::{self, line, purchase};

fn having(visits: i64, spent: i64) -> Facts {
    let mut facts = sample::facts_with_member();
    facts.merchant.locale = "en".to_owned();
    let member = facts.member.as_mut().expect("a member");
    (member.visits, member.spent) = (visits, spent);
    facts
}

fn on(facts: &mut Facts, day: &str) {
    let (year, month, day) = Date::parse(day).expect(day).parts();
    facts.local = LocalTime { year, month, day, ..facts.local };
}

/// Keeps the memory, and tells the rest in words.
fn told(decided: Decide, facts: &mut Facts) -> Vec<String> {
    let mut told = Vec::new();
    for decision in decided.expect("decides") {
        match decision {
            Decision::Earn(earn) => told.push(format!("{} for {}", earn.amount, earn.reason)),
            Decision::Reward(reward) => told.push(reward.title),
            Decision::Message(message) => told.push(message.key),
            Decision::Wake(Wake { key, when: Some(WakeTime::Civil(time)), .. }) => {
                told.push(format!("{key} {} {}", Date::new(time.year, time.month, time.day), time.hour));
            }
            Decision::Remember(memory) => facts.memory = memory,
            other => panic!("{other:?}"),
        }
    }
    told
}

fn settings(json: &str) -> Settings {
    serde_json::from_str(json).expect("settings")
}

fn buys(facts: &mut Facts, total: i64, json: &str) -> Vec<String> {
    let decided = milestones(&purchase([line("cup", total)]), facts, settings(json));
    told(decided, facts)
}

const VISITS: &str = r#"{"visits":[{"at":3},{"every":5,"points":50},{"at":10,"reward":{"title":"Free coffee"}}]}"#;

#[test]
fn visits_are_named_or_divided_and_a_name_goes_first() {
    let given: Vec<(i64, Vec<String>)> = (1..=15)
        .map(|visit| (visit, buys(&mut having(visit - 1, 0), 300, VISITS)))
        .filter(|(_, told)| !told.is_empty())
        .collect();
    let five = |number: i64| vec![format!("50 for Milestone: {number} purchases"), "milestone-visit".to_owned()];
    let ten = vec!["Free coffee".to_owned(), "milestone-visit".to_owned()];
    assert_eq!(given, [(3, vec!["milestone-visit".into()]), (5, five(5)), (10, ten), (15, five(15))]);
}

#[test]
fn goods_given_back_and_bought_again_bring_nothing() {
    let json = r#"{"visits":[{"at":5,"points":50}],"spent":[{"at":"100.00","points":10}]}"#;
    let mut facts = having(4, 9_900);
    assert_eq!(buys(&mut facts, 300, json).len(), 4);
    assert!(buys(&mut facts, 300, json).is_empty());
    facts.member.as_mut().expect("a member").spent = 0;
    assert!(buys(&mut facts, 20_000, json).is_empty());
}

#[test]
fn everything_a_purchase_reaches_is_given_and_nothing_older() {
    let json =
        r#"{"spent":[{"at":"500","points":5},{"at":"100","points":1},{"at":"200","points":2},{"at":"50","points":9}]}"#;
    let mut facts = having(3, 9_000);
    let told = buys(&mut facts, 15_000, json);
    assert_eq!(told[0], "1 for Milestone: 100.00 EUR spent");
    assert_eq!(told[2], "2 for Milestone: 200.00 EUR spent");
    assert_eq!(told.len(), 4);
    let mut abroad = purchase([line("cup", 99_999)]);
    abroad.currency = "CZK".to_owned();
    assert_eq!(milestones(&abroad, &having(3, 9_000), settings(json)), Ok(vec![]));
}

#[test]
fn an_answer_stays_within_the_gateways_limit() {
    let steps: Vec<String> =
        (1..=20).map(|at| format!(r#"{{"at":"{at}","points":{at},"reward":{{"title":"X"}}}}"#)).collect();
    let json = format!(
        r#"{{"spent":[{}],"visits":[{{"every":1,"points":1}}],"anniversaries":[{{"every":1}}]}}"#,
        steps.join(",")
    );
    let mut facts = having(0, 0);
    let told = buys(&mut facts, 2_000, &json);
    assert!(told.len() < 32 && told.contains(&"20 for Milestone: 20.00 EUR spent".to_owned()), "{told:?}");
}

const YEARLY: &str = r#"{"anniversaries":[{"every":1,"points":20},{"at":2,"reward":{"title":"Cake"}}]}"#;

#[test]
fn anniversaries_come_every_year() {
    let mut facts = having(0, 0);
    let joins = |facts: &mut Facts| told(joined(&sample::join(), &facts.clone(), settings(YEARLY)), facts);
    let wakes =
        |facts: &mut Facts| told(anniversary(&sample::woken(ANNIVERSARY), &facts.clone(), settings(YEARLY)), facts);
    assert_eq!(joins(&mut facts), ["anniversary 2027-11-21 9"]);
    assert!(joins(&mut facts).is_empty(), "it was asked for");
    on(&mut facts, "2027-11-21");
    let first = wakes(&mut facts);
    assert_eq!(first, ["20 for Milestone: 1 year with the shop", "milestone-anniversary", "anniversary 2028-11-21 9"]);
    on(&mut facts, "2028-11-21");
    assert_eq!(wakes(&mut facts), ["Cake", "milestone-anniversary", "anniversary 2029-11-21 9"]);
}

#[test]
fn members_there_were_already_are_looked_after_and_a_leap_day_is_kept() {
    // 2024-02-29, noon.
    let mut facts = having(7, 9_000);
    facts.member.as_mut().expect("a member").joined_at = 1_709_204_400_000;
    let woken = Woken { cause: WakeCause::Installed, key: String::new(), ..sample::woken("") };
    let decided = anniversary(&woken, &facts, settings(YEARLY));
    assert_eq!(told(decided, &mut facts), ["anniversary 2027-02-28 9"]);
    on(&mut facts, "2027-02-28");
    let decided = anniversary(&sample::woken(ANNIVERSARY), &facts, settings(YEARLY));
    assert_eq!(
        told(decided, &mut facts)[0..3],
        ["20 for Milestone: 3 years with the shop", "milestone-anniversary", "anniversary 2028-02-29 9"]
    );
    assert_eq!(anniversary(&woken, &facts, settings("{}")), Ok(vec![]), "no anniversaries, no wakes");
}

#[test]
fn whoever_is_first_known_by_a_purchase_is_looked_after_too() {
    let mut facts = having(0, 0);
    assert_eq!(buys(&mut facts, 300, YEARLY), ["anniversary 2027-11-21 9"]);
    assert!(buys(&mut facts, 300, YEARLY).is_empty());
}

#[test]
fn settings_that_make_no_sense_are_named() {
    for json in [
        r#"{"visits":[{"points":5}]}"#,
        r#"{"visits":[{"at":5,"every":5}]}"#,
        r#"{"anniversaries":[{"every":0}]}"#,
        r#"{"spent":[{"at":"5","points":0}]}"#,
        r#"{"spent":[{"at":"0.005"}]}"#,
        r#"{"hour":24}"#,
    ] {
        let refused = milestones(&purchase([line("cup", 300)]), &having(0, 0), settings(json));
        assert!(matches!(refused, Err(Refusal::NotConfigured(_))), "{json}: {refused:?}");
    }
}
