//! The rules as ordinary functions.

use super::*;
use perkgate::sample::{facts_with_member, join, line, profile, purchase, woken};

fn settings(json: &str) -> Settings {
    serde_json::from_str(json).expect("settings")
}

/// Facts on a day at nine, of somebody born on `month` and `day` who joined years ago.
fn on(date: &str, (month, day): (u8, u8), memory: &[u8]) -> Facts {
    let mut facts = facts_with_member();
    let today = Date::parse(date).expect(date);
    let (year, of, at) = today.parts();
    facts.now += today.since(facts.today()) * DAY;
    facts.local = LocalTime { year, month: of, day: at, hour: 9, weekday: today.weekday(), ..facts.local };
    facts.birthday = Some(MonthDay { month, day });
    facts.memory = memory.to_vec();
    facts.member.as_mut().expect("a member").joined_at = 1;
    facts
}

/// When the wake is and for which birthday.
fn planned(decisions: &[Decision]) -> (String, String) {
    let Some(Decision::Wake(wake)) = decisions.last() else { panic!("{decisions:?}") };
    let when = match wake.when {
        Some(WakeTime::Civil(time)) => format!("{} {}", Date::new(time.year, time.month, time.day), time.hour),
        Some(WakeTime::Moment(at)) => format!("at {at}"),
        None => "never".to_owned(),
    };
    (when, String::from_utf8(wake.data.clone()).expect("text"))
}

fn plan(facts: &Facts, json: &str) -> (String, String) {
    planned(&on_profile(&profile(), facts, settings(json)).expect("decides"))
}

fn called(facts: &Facts, birthday: &str, json: &str) -> Vec<Decision> {
    let woken = Woken { data: birthday.as_bytes().to_vec(), ..woken(BIRTHDAY) };
    on_wake(&woken, facts, settings(json)).expect("decides")
}

fn memory(decisions: &[Decision]) -> Option<Vec<u8>> {
    decisions.iter().find_map(|decision| match decision {
        Decision::Remember(memory) => Some(memory.clone()),
        _ => None,
    })
}

fn text(expected: (&str, &str)) -> (String, String) {
    (expected.0.to_owned(), expected.1.to_owned())
}

#[test]
fn everything_that_tells_of_a_member_asks_for_the_next_birthday() {
    let facts = on("2026-11-21", (3, 8), b"");
    let expected = text(("2027-03-08 9", "2027-03-08"));
    assert_eq!(plan(&facts, "{}"), expected);
    assert_eq!(planned(&on_join(&join(), &facts, settings("{}")).expect("decides")), expected);
    let bought = on_purchase(&purchase([line("cup", 300)]), &facts, settings("{}")).expect("decides");
    assert_eq!(planned(&bought), expected);
    let installed = Woken { cause: WakeCause::Installed, ..woken("") };
    assert_eq!(planned(&on_wake(&installed, &facts, settings("{}")).expect("decides")), expected);
}

#[test]
fn without_a_birthday_nothing_is_asked_for_and_a_profile_calls_off() {
    let facts = Facts { birthday: None, ..on("2026-11-21", (3, 8), b"") };
    assert_eq!(on_join(&join(), &facts, settings("{}")), Ok(vec![]));
    assert_eq!(plan(&facts, "{}").0, "never");
}

#[test]
fn the_call_is_days_before_or_as_soon_as_may_be() {
    let json = r#"{"days_before":7,"hour":8}"#;
    assert_eq!(plan(&on("2026-11-21", (12, 24), b""), json), text(("2026-12-17 8", "2026-12-24")));
    // Five days before it is late, but not too late.
    assert_eq!(plan(&on("2026-12-19", (12, 24), b""), json), text(("2026-12-20 8", "2026-12-24")));
    // On the day, past the hour.
    let (when, birthday) = plan(&on("2026-12-24", (12, 24), b""), json);
    assert_eq!((when.starts_with("at "), birthday.as_str()), (true, "2026-12-24"));
    // A call in the year before.
    assert_eq!(plan(&on("2026-11-21", (1, 3), b""), json), text(("2026-12-27 8", "2027-01-03")));
}

#[test]
fn a_gift_once_a_year_and_then_the_next() {
    let json = r#"{"gift":{"points":50}}"#;
    let mut memory_kept = Vec::new();
    for year in 2026..2030 {
        let birthday = Date::new(year, 2, 29).to_string();
        let decisions = called(&on(&birthday, (2, 29), &memory_kept), &birthday, json);
        assert!(
            matches!(&decisions[..], [Decision::Earn(_), Decision::Message(_), Decision::Remember(_), _]),
            "{year}"
        );
        let next = Date::new(year + 1, 2, 29).to_string();
        assert_eq!(planned(&decisions), (format!("{next} 9"), next));
        memory_kept = memory(&decisions).expect("remembers");
        // Whatever happens the same day asks for the next year too.
        assert_eq!(plan(&on(&birthday, (2, 29), &memory_kept), json), planned(&decisions));
    }
}

#[test]
fn moving_the_birthday_brings_no_second_gift() {
    let given = memory(&called(&on("2026-06-01", (6, 1), b""), "2026-06-01", "{}")).expect("remembers");
    // Later in the same year: it had its gift.
    assert_eq!(plan(&on("2026-07-01", (12, 24), &given), "{}").1, "2027-12-24");
    // Early in the next: 300 days are not over.
    assert_eq!(plan(&on("2026-07-01", (1, 5), &given), "{}").1, "2028-01-05");
    assert_eq!(plan(&on("2026-07-01", (6, 1), &given), "{}").1, "2027-06-01");
    // A wake that was asked for before the memory was written gives nothing either.
    assert_eq!(memory(&called(&on("2026-12-24", (12, 24), &given), "2026-12-24", "{}")), None);
}

#[test]
fn a_wake_for_a_birthday_that_is_no_longer_theirs_gives_nothing() {
    let decisions = called(&on("2026-11-21", (3, 8), b""), "2026-11-21", "{}");
    assert_eq!((memory(&decisions), planned(&decisions).1.as_str()), (None, "2027-03-08"));
    let nobody = Facts { birthday: None, ..on("2026-11-21", (3, 8), b"") };
    assert!(called(&nobody, "2026-11-21", "{}").is_empty());
    assert_eq!(planned(&called(&on("2026-11-21", (3, 8), b""), "\u{fffd}", "{}")).1, "2027-03-08");
}

#[test]
fn whoever_joined_just_before_waits_a_year() {
    let mut facts = on("2026-11-21", (11, 25), b"");
    facts.member.as_mut().expect("a member").joined_at = facts.now;
    assert_eq!(plan(&facts, r#"{"min_days_member":4}"#).1, "2026-11-25");
    assert_eq!(plan(&facts, r#"{"min_days_member":5}"#).1, "2027-11-25");
    // However many days are wanted, it ends.
    assert_eq!(plan(&facts, r#"{"min_days_member":60000}"#).1, "2029-11-25");
    assert_eq!(memory(&called(&facts, "2026-11-25", r#"{"min_days_member":5}"#)), None);
}

#[test]
fn the_message_can_be_left_out() {
    let decisions = called(&on("2026-03-08", (3, 8), b""), "2026-03-08", r#"{"message":false}"#);
    assert!(matches!(&decisions[..], [Decision::Remember(_), Decision::Wake(_)]), "{decisions:?}");
}
