//! The rules as ordinary functions.

use super::*;
use perkgate::sample::{NOW, facts_with_member, join, line, purchase, woken};

/// A day in milliseconds.
const DAY: i64 = 86_400_000;
const DAILY: &str = r#"{"every":"daily"}"#;

fn settings(json: &str) -> Settings {
    serde_json::from_str(json).expect("settings")
}

/// Facts of Saturday, 21 November, 12:00, with amounts of points and the days until their last day.
fn coming(amounts: &[(i64, i64)]) -> Facts {
    let amount = |(amount, days): &(i64, i64)| Coming {
        wallet: "points".to_owned(),
        amount: *amount,
        matures_at: None,
        expires_at: Some(NOW + days * DAY + DAY / 2),
    };
    Facts { coming: amounts.iter().map(amount).collect(), ..facts_with_member() }
}

/// The messages' texts and how many days from today the next look is. The memory is kept.
fn looked(facts: &mut Facts, json: &str) -> (Vec<String>, i64) {
    let decisions = on_wake(&woken(LOOK), facts, settings(json)).expect("decides");
    let mut texts = Vec::new();
    for decision in &decisions {
        match decision {
            Decision::Message(message) => texts.push(message.text.clone()),
            Decision::Remember(memory) => facts.memory.clone_from(memory),
            Decision::Wake(_) => {}
            other => panic!("{other:?}"),
        }
    }
    (texts, planned(facts, &decisions))
}

fn planned(facts: &Facts, decisions: &[Decision]) -> i64 {
    let Some(Decision::Wake(Wake { when: Some(WakeTime::Civil(time)), .. })) = decisions.last() else {
        panic!("{decisions:?}")
    };
    Date::new(time.year, time.month, time.day).since(facts.today())
}

fn later(facts: &Facts, days: i64) -> Facts {
    let today = facts.today().plus_days(days);
    let (year, month, day) = today.parts();
    let local = LocalTime { year, month, day, weekday: today.weekday(), ..facts.local };
    Facts { local, now: facts.now + days * DAY, ..facts.clone() }
}

#[test]
fn what_expires_within_the_days_is_spoken_of_once() {
    let mut facts = coming(&[(120, 14), (500, 15)]);
    let (texts, next) = looked(&mut facts, DAILY);
    assert_eq!(texts, ["Nezabudnite využiť: 120 bodov. Platnosť sa končí 5. 12. 2026. Kaváreň pri moste"]);
    assert_eq!(next, 1);
    assert!(looked(&mut facts, DAILY).0.is_empty());
    let mut tomorrow = later(&facts, 1);
    assert!(looked(&mut tomorrow, DAILY).0[0].contains("500 bodov"));
    assert!(looked(&mut tomorrow, DAILY).0.is_empty());
}

#[test]
fn several_days_and_lots_of_a_day_are_one_message() {
    let (texts, _) = looked(&mut coming(&[(10, 3), (20, 3), (30, 5)]), DAILY);
    let said =
        "Nezabudnite využiť: 60 bodov. Platnosť sa končí postupne od 24. 11. 2026 do 26. 11. 2026. Kaváreň pri moste";
    assert_eq!(texts, [said]);
}

#[test]
fn too_little_waits_until_it_is_enough() {
    let json = r#"{"every":"daily","min_amount":50}"#;
    let mut facts = coming(&[(30, 10), (30, 15)]);
    assert!(looked(&mut facts, json).0.is_empty());
    let mut tomorrow = later(&facts, 1);
    assert!(looked(&mut tomorrow, json).0[0].contains("60 bodov"));
}

#[test]
fn what_cannot_be_used_yet_or_never_expires_is_not_spoken_of() {
    let mut facts = coming(&[(10, 3), (20, 4)]);
    facts.coming[0].matures_at = Some(NOW + DAY);
    facts.coming[1].expires_at = None;
    assert!(looked(&mut facts, DAILY).0.is_empty());
    facts.coming[0].matures_at = Some(NOW);
    assert_eq!(looked(&mut facts, DAILY).0.len(), 1);
    let other = r#"{"every":"daily","wallets":["stamps"]}"#;
    assert!(looked(&mut coming(&[(10, 3)]), other).0.is_empty());
}

#[test]
fn weekly_looks_miss_nothing_between_them() {
    // The next Monday is in two days, the one after in nine; two days before would be too late for what expires in between.
    let mut facts = later(&coming(&[(10, 8)]), 2);
    let (texts, next) = looked(&mut facts, r#"{"days_before":2}"#);
    assert_eq!((texts.len(), next), (1, 7));
}

#[test]
fn the_next_look_is_in_time_and_not_before() {
    let planned_for = |amounts: &[(i64, i64)], json: &str| {
        let facts = coming(amounts);
        let decisions = on_purchase(&purchase([line("cup", 300)]), &facts, settings(json)).expect("decides");
        planned(&facts, &decisions)
    };
    assert_eq!(planned_for(&[(10, 20)], DAILY), 6);
    // What a purchase earns is not known yet; it is seen before it comes within the days.
    assert_eq!(planned_for(&[], DAILY), 14);
    assert_eq!(planned_for(&[(10, 300)], DAILY), 14);
    assert_eq!(planned_for(&[(10, 3)], DAILY), 1);
    // Mondays are in 2, 9 and 16 days.
    assert_eq!(planned_for(&[(10, 20)], "{}"), 9);
    assert_eq!(planned_for(&[], "{}"), 9);
}

#[test]
fn joins_and_the_installation_ask_for_a_look_without_one() {
    let facts = coming(&[(10, 3)]);
    assert_eq!(on_join(&join(), &facts, settings("{}")).expect("decides").len(), 1);
    let installed = Woken { cause: WakeCause::Installed, ..woken("") };
    assert_eq!(on_wake(&installed, &facts, settings("{}")).expect("decides").len(), 1);
}

#[test]
fn the_memory_forgets_what_is_past() {
    let mut facts = coming(&[(10, 3)]);
    looked(&mut facts, DAILY);
    let old = facts.memory.clone();
    let mut month = Facts { coming: coming(&[(10, 33)]).coming, ..later(&facts, 30) };
    looked(&mut month, DAILY);
    assert_ne!(month.memory, old);
    assert_eq!(month.memory.len(), old.len());
}

#[test]
fn own_texts_have_the_placeholders_of_their_occasion() {
    let json = r#"{"every":"daily","texts":{"one_day":{"sk":{"subject":"S","text":"{last}"}}}}"#;
    let refused = on_wake(&woken(LOOK), &coming(&[(10, 3)]), settings(json));
    assert!(matches!(refused, Err(Refusal::NotConfigured(why)) if why.contains("{last}")));
}
