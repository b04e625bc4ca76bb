//! The rules as ordinary functions: a friend, their refunds, and their referrer.

use super::*;
use perkgate::sample::{NOW, facts_with_member, line, purchase, refund, woken};

const BOTH: &str = r#"{"friend":{"points":100},"referrer":{"points":200},"min_total":"20.00","messages":false}"#;

fn settings(json: &str) -> Settings {
    serde_json::from_str(json).expect("settings")
}

/// What the decisions are, in a word each.
fn words(decisions: &[Decision]) -> Vec<String> {
    let word = |decision: &Decision| match decision {
        Decision::Earn(earn) => format!("earn {}", earn.amount),
        Decision::Message(message) => format!("message {}", message.key),
        Decision::Wake(wake) => {
            assert_eq!((wake.key.as_str(), wake.whom), ("friend/mem_sample", WakeWhom::Referrer));
            let at = wake.when.map(|when| match when {
                WakeTime::Moment(at) => (at - NOW) / DAY,
                WakeTime::Civil(time) => panic!("{time:?}"),
            });
            at.map_or("cancel".to_owned(), |days| format!("wake in {days}"))
        }
        Decision::Remember(_) => "remember".to_owned(),
        other => panic!("{other:?}"),
    };
    decisions.iter().map(word).collect()
}

/// A member as the gateway tells of them: what they remember and how often they came goes on from entry to entry.
struct Story {
    facts: Facts,
}

impl Story {
    fn new(referred: bool) -> Self {
        let referral = Referral { code: "REF1".to_owned(), referred };
        Self { facts: Facts { referral: Some(referral), ..facts_with_member() } }
    }

    fn keep(&mut self, decisions: &[Decision]) -> Vec<String> {
        if let Some(Decision::Remember(memory)) = decisions.last() {
            self.facts.memory.clone_from(memory);
        }
        words(decisions)
    }

    fn buys(&mut self, id: &str, total: i64, json: &str) -> Vec<String> {
        let bought = Purchase { id: id.to_owned(), ..purchase([line("cup", total)]) };
        let decisions = on_purchase(&bought, &self.facts, settings(json)).expect("decides");
        let member = self.facts.member.as_mut().expect("a member");
        member.visits += 1;
        member.first_purchase_at = Some(NOW);
        self.keep(&decisions)
    }

    fn gives_back(&mut self, id: &str, total: i64, refund: &Refund) -> Vec<String> {
        let bought = Purchase { id: id.to_owned(), ..purchase([line("cup", total)]) };
        let decisions = on_refund(refund, &bought, &self.facts, settings(BOTH)).expect("decides");
        self.keep(&decisions)
    }

    fn is_called(&mut self, json: &str) -> Vec<String> {
        let decisions = on_wake(&woken("friend/mem_friend"), &self.facts, settings(json)).expect("decides");
        self.keep(&decisions)
    }
}

#[test]
fn a_friend_gets_theirs_at_once_and_the_referrer_is_called_after_the_wait() {
    let mut friend = Story::new(true);
    assert_eq!(friend.buys("1", 2000, BOTH), ["earn 100", "wake in 14", "remember"]);
    assert!(friend.buys("2", 5000, BOTH).is_empty());
}

#[test]
fn the_first_purchase_that_costs_enough_counts() {
    let mut friend = Story::new(true);
    assert_eq!(friend.buys("1", 1999, BOTH), ["earn 100", "remember"]);
    assert_eq!(friend.buys("2", 2000, BOTH), ["wake in 14", "remember"]);
    let mut abroad = Story::new(true);
    abroad.facts.merchant.currency = "CZK".to_owned();
    assert_eq!(abroad.buys("1", 999_999, BOTH), ["earn 100", "remember"]);
}

#[test]
fn nothing_for_whoever_came_alone_bought_before_or_paid_nothing() {
    assert!(Story::new(false).buys("1", 2000, BOTH).is_empty());
    let mut old = Story::new(true);
    old.facts.member.as_mut().expect("a member").first_purchase_at = Some(1);
    assert!(old.buys("1", 2000, BOTH).is_empty());
    let mut free = Story::new(true);
    assert_eq!(free.buys("1", 0, BOTH), ["remember"]);
    assert_eq!(free.buys("2", 2000, BOTH), ["earn 100", "wake in 14", "remember"]);
}

#[test]
fn a_complete_refund_calls_the_referrer_off_and_the_next_purchase_counts() {
    let mut friend = Story::new(true);
    friend.buys("1", 2000, BOTH);
    let complete = Refund { complete: true, ..refund(2000) };
    assert!(friend.gives_back("other", 2000, &complete).is_empty());
    assert_eq!(friend.gives_back("1", 2000, &complete), ["cancel", "remember"]);
    // The friend's own gift comes once.
    assert_eq!(friend.buys("2", 2000, BOTH), ["wake in 14", "remember"]);
}

#[test]
fn partial_refunds_add_up() {
    let mut friend = Story::new(true);
    friend.buys("1", 3000, BOTH);
    assert_eq!(friend.gives_back("1", 3000, &refund(600)), ["remember"]);
    assert_eq!(friend.gives_back("1", 3000, &refund(400)), ["remember"]);
    assert_eq!(friend.gives_back("1", 3000, &refund(1)), ["cancel", "remember"]);
    assert!(friend.gives_back("1", 3000, &refund(1)).is_empty());
}

#[test]
fn after_the_wait_a_refund_changes_nothing() {
    let mut friend = Story::new(true);
    friend.buys("1", 2000, BOTH);
    friend.facts.now += 14 * DAY;
    assert!(friend.gives_back("1", 2000, &Refund { complete: true, ..refund(2000) }).is_empty());
    assert!(friend.buys("2", 2000, BOTH).is_empty());
}

#[test]
fn a_referrer_is_given_within_the_limits() {
    let json = r#"{"referrer":{"points":200},"max_friends":3,"max_per_month":2}"#;
    let mut referrer = Story::new(false);
    let given = ["earn 200", "message referral", "remember"];
    assert_eq!(referrer.is_called(json), given);
    assert_eq!(referrer.is_called(json), given);
    assert!(referrer.is_called(json).is_empty());
    (referrer.facts.local.month, referrer.facts.local.day) = (12, 1);
    assert_eq!(referrer.is_called(json), given);
    assert!(referrer.is_called(json).is_empty(), "three friends altogether");
    assert!(log::take().iter().any(|(_, text)| text.contains("for 3 friends")));
}

#[test]
fn one_memory_serves_both_sides() {
    let mut member = Story::new(true);
    member.buys("1", 2000, BOTH);
    member.is_called(BOTH);
    assert!(member.buys("2", 2000, BOTH).is_empty(), "still knows to have been a friend");
    assert_eq!(member.gives_back("1", 2000, &refund(1000)), ["cancel", "remember"]);
}

#[test]
fn a_code_is_told_once_after_so_many_visits() {
    let json = r#"{"invite_after_visits":2}"#;
    let mut member = Story::new(false);
    assert!(member.buys("1", 500, json).is_empty());
    assert_eq!(member.buys("2", 500, json), ["message referral-invite", "remember"]);
    assert!(member.buys("3", 500, json).is_empty());
    assert!(Story::new(false).buys("1", 500, "{}").is_empty());
}

#[test]
fn without_a_gift_nobody_is_called() {
    let mut friend = Story::new(true);
    assert_eq!(friend.buys("1", 2000, r#"{"friend":{"points":5}}"#), ["earn 5", "message referral-friend", "remember"]);
    assert!(Story::new(false).is_called("{}").is_empty());
    assert_eq!(on_wake(&woken("other"), &facts_with_member(), settings(BOTH)), Ok(vec![]));
}
