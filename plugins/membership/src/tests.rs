//! The rule as an ordinary function, over the life of a pass.

use super::*;
use crate::pass::{Pass, State};
use perkgate::RefundLine;
use perkgate::sample::{self, line, purchase};

/// A member over time: what the gateway would keep for them.
struct Story {
    settings: String,
    facts: Facts,
}

impl Story {
    /// The sample's member on Saturday, 21 November 2026, at noon, in English.
    fn with(more: &str) -> Self {
        let mut facts = sample::facts_with_member();
        facts.merchant.locale = "en".to_owned();
        Self { settings: format!(r#"{{"skus":["pass"],"length":{{"days":30}}{more}}}"#), facts }
    }

    fn at(&mut self, day: &str, hour: u8) -> &mut Self {
        let (year, month, day) = Date::parse(day).expect(day).parts();
        self.facts.local = LocalTime { year, month, day, hour, ..self.facts.local };
        self
    }

    fn tags(&mut self) -> &mut Vec<String> {
        &mut self.facts.member.as_mut().expect("a member").tags
    }

    /// Keeps what was decided, and tells it in words.
    fn keep(&mut self, decided: Decide) -> Vec<String> {
        let mut told = Vec::new();
        for decision in decided.expect("decides") {
            told.push(match decision {
                Decision::Earn(earn) => format!("earn {}", earn.amount),
                Decision::Reward(reward) => format!("reward {}", reward.title),
                Decision::Tag(tag) => format!("{}{}", if tag.present { '+' } else { '-' }, tag.name),
                Decision::Message(message) => format!("{}: {}", message.key, message.text),
                Decision::Wake(Wake { when: Some(WakeTime::Civil(time)), .. }) => {
                    format!("wake {} {}", Date::new(time.year, time.month, time.day), time.hour)
                }
                Decision::Wake(Wake { when: None, .. }) => "no wake".to_owned(),
                Decision::Remember(memory) => {
                    self.facts.memory = memory;
                    continue;
                }
                other => panic!("{other:?}"),
            });
        }
        told
    }

    fn settings(&self) -> Settings {
        serde_json::from_str(&self.settings).expect("settings")
    }

    fn buys(&mut self, purchase: &Purchase) -> Vec<String> {
        let decided = membership(purchase, &self.facts, self.settings());
        self.keep(decided)
    }

    fn wakes(&mut self) -> Vec<String> {
        let decided = due(&sample::woken("next"), &self.facts, self.settings());
        self.keep(decided)
    }

    fn returns(&mut self, refund: &Refund, purchase: &Purchase) -> Vec<String> {
        let decided = take_back(refund, purchase, &self.facts, self.settings());
        self.keep(decided)
    }
}

fn pass(id: &str) -> Purchase {
    Purchase { id: id.to_owned(), ..purchase([line("pass", 3000)]) }
}

fn complete() -> Refund {
    Refund { complete: true, ..sample::refund(3000) }
}

const STARTED: &str = "pass-started: Your membership is valid up to and including";

#[test]
fn a_pass_is_bought_reminded_of_and_ends() {
    let mut story = Story::with("");
    let bought = story.buys(&pass("1"));
    let started = format!("{STARTED} 20 December 2026. Thank you, Kaváreň pri moste.");
    assert_eq!(bought, ["+member-pass", started.as_str(), "wake 2026-12-14 9"]);
    assert!(story.at("2026-12-01", 8).buys(&purchase([line("cup", 300)])).is_empty());
    let reminded = story.at("2026-12-14", 9).wakes();
    assert!(
        reminded[0].starts_with("pass-reminder: Your membership is only valid up to and including 20 December 2026.")
    );
    assert_eq!(reminded[1..], ["wake 2026-12-21 0"]);
    let ended = story.at("2026-12-21", 0).wakes();
    assert_eq!(ended[0], "-member-pass");
    assert!(ended[1].starts_with("pass-ended: Your membership was valid until 20 December 2026."));
    assert_eq!(ended.len(), 2);
    assert!(story.wakes().is_empty(), "it is over once");
}

#[test]
fn another_pass_extends_what_is_left_and_months_go_by_the_calendar() {
    let mut story = Story::with(r#","length":{"months":1}"#);
    story.settings = r#"{"skus":["pass"],"length":{"months":1},"remind_days":0}"#.to_owned();
    assert_eq!(story.at("2027-01-31", 10).buys(&pass("1"))[2], "wake 2027-02-28 0");
    let extended = story.at("2027-02-10", 10).buys(&pass("2"));
    assert_eq!(
        extended,
        [format!("{STARTED} 27 March 2027. Thank you, Kaváreň pri moste."), "wake 2027-03-28 0".into()]
    );
    let two = Line { quantity_milli: 2000, ..line("pass", 6000) };
    assert_eq!(story.at("2027-03-27", 23).buys(&purchase([two]))[1], "wake 2027-05-28 0");
}

#[test]
fn a_short_pass_is_not_reminded_of() {
    let mut story = Story::with("");
    story.settings = r#"{"skus":["pass"],"length":{"days":1}}"#.to_owned();
    assert_eq!(
        story.buys(&pass("1"))[1..],
        [format!("{STARTED} 21 November 2026. Thank you, Kaváreň pri moste."), "wake 2026-11-22 0".into()]
    );
}

#[test]
fn a_valid_pass_earns_extra_points_but_not_on_itself() {
    let mut story = Story::with(r#","extra":{"points":1,"per":"1.00"}"#);
    assert!(!story.buys(&pass("1")).iter().any(|told| told.starts_with("earn")));
    let both = Purchase { id: "2".to_owned(), ..purchase([line("pass", 3000), line("cup", 350)]) };
    assert_eq!(story.buys(&both)[0], "earn 3");
    let mut abroad = purchase([line("cup", 350)]);
    abroad.currency = "CZK".to_owned();
    assert!(story.buys(&abroad).is_empty());
    story.at("2027-01-20", 0).wakes();
    assert!(story.buys(&purchase([line("cup", 350)])).is_empty(), "it is over");
}

#[test]
fn the_reward_comes_at_once_and_every_period() {
    let mut story = Story::with(r#","reward":{"title":"Free coffee","every":{"days":14}},"remind_days":0"#);
    let first = story.buys(&pass("1"));
    assert_eq!([&first[2], &first[4]], ["reward Free coffee", "wake 2026-12-05 9"]);
    assert_eq!(first[3], "pass-reward: As a member you have a new reward with us: Free coffee. Kaváreň pri moste");
    assert_eq!(story.at("2026-12-05", 9).wakes()[2], "wake 2026-12-19 9");
    // The third would be due after the end; the extension brings it back.
    let third = story.at("2026-12-19", 9).wakes();
    assert_eq!([&third[0], &third[2]], ["reward Free coffee", "wake 2026-12-21 0"]);
    assert_eq!(story.buys(&pass("2"))[1], "wake 2027-01-02 9");
}

#[test]
fn a_pause_keeps_the_days_that_are_left() {
    let mut story = Story::with(r#","pause_tag":"on-holiday","reward":{"title":"Free coffee","every":{"days":10}}"#);
    assert_eq!(story.buys(&pass("1")).last().expect("a wake"), "wake 2026-11-22 0", "each day has a look");
    story.tags().push("on-holiday".to_owned());
    assert_eq!(story.at("2026-11-22", 0).wakes(), ["-member-pass", "wake 2026-11-23 0"]);
    assert_eq!(story.at("2026-12-30", 0).wakes(), ["wake 2026-12-31 0"]);
    assert_eq!(story.at("2026-12-30", 10).buys(&pass("2")), ["wake 2026-12-31 0"], "it is longer, and still paused");
    story.tags().clear();
    assert_eq!(story.at("2026-12-31", 0).wakes(), ["+member-pass", "wake 2027-01-01 0"]);
    let Pass { state: State::Running { end, reward }, .. } = Pass::recall(&story.facts.memory) else { panic!("runs") };
    // 29 of 30 days were left, and 30 were bought; the reward was due in nine days.
    assert_eq!((end.to_string(), reward), ("2027-02-28".to_owned(), Date::parse("2027-01-09")));
}

#[test]
fn a_refund_takes_the_time_off_again() {
    let mut story = Story::with("");
    story.buys(&pass("1"));
    story.buys(&pass("2"));
    assert_eq!(story.returns(&complete(), &pass("2")), ["wake 2026-12-14 9"]);
    assert!(story.returns(&complete(), &pass("2")).is_empty(), "once");
    assert!(story.returns(&complete(), &pass("3")).is_empty(), "never bought");
    assert!(log::take().iter().any(|(_, text)| text.starts_with("no time is taken off")));
    let ended = story.at("2026-11-25", 12).returns(&complete(), &pass("1"));
    assert!(ended[1].starts_with("pass-ended: Your membership was valid until 25 November 2026."));
    assert_eq!([&ended[0], &ended[2]], ["-member-pass", "no wake"]);
}

#[test]
fn a_part_of_a_refund_takes_a_part_of_the_time() {
    let mut story = Story::with(r#","remind_days":0"#);
    let three = purchase([Line { quantity_milli: 3000, ..line("pass", 9000) }, line("cup", 300)]);
    assert_eq!(story.buys(&three)[2], "wake 2027-02-19 0");
    let line = |line: &str, quantity_milli, amount| RefundLine { line: line.to_owned(), quantity_milli, amount };
    let refund = |part| Refund { lines: vec![part], ..sample::refund(1) };
    assert_eq!(story.returns(&refund(line("pass", 1000, 3000)), &three), ["wake 2027-01-20 0"]);
    assert_eq!(story.returns(&refund(line("pass", 0, 3000)), &three), ["wake 2026-12-21 0"]);
    assert!(story.returns(&refund(line("cup", 1000, 300)), &three).is_empty());
    assert!(story.returns(&sample::refund(1000), &three).is_empty(), "it says nothing about the pass");
}

#[test]
fn what_was_used_up_is_not_taken_off_a_later_pass() {
    let mut story = Story::with("");
    story.buys(&pass("1"));
    story.at("2026-12-21", 0).wakes();
    story.at("2027-03-01", 12).buys(&pass("2"));
    assert!(story.returns(&complete(), &pass("1")).is_empty());
}

#[test]
fn more_passes_than_anybody_buys_are_none() {
    let of = |pieces: i64| purchase([Line { quantity_milli: pieces * 1000, ..line("pass", 3000) }]);
    assert!(Story::with("").buys(&of(101)).is_empty());
    assert!(log::take().iter().any(|(_, text)| text.contains("a mistake at the till")));
    assert_eq!(Story::with("").buys(&of(100)).len(), 3);
}

#[test]
fn settings_that_make_no_sense_are_named() {
    for json in [
        r#"{"skus":[],"length":{"days":1}}"#,
        r#"{"skus":["pass"],"length":{"days":0}}"#,
        r#"{"skus":["pass"],"length":{"months":1},"reward":{"title":"X","every":{"months":0}}}"#,
        r#"{"skus":["pass"],"length":{"months":1},"hour":24}"#,
    ] {
        let settings = serde_json::from_str(json).expect("settings");
        let refused = membership(&pass("1"), &sample::facts_with_member(), settings);
        assert!(matches!(refused, Err(Refusal::NotConfigured(_))), "{json}: {refused:?}");
    }
}
