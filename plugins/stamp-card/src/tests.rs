//! The rule as an ordinary function.

use super::*;
use perkgate::Balance;
use perkgate::sample::{facts_with_member, line, purchase};

fn settings(more: &str) -> Settings {
    serde_json::from_str(&format!(r#"{{"reward":{{"title":"Free coffee"}}{more}}}"#)).expect("settings")
}

fn holding(stamps: i64) -> Facts {
    let mut facts = facts_with_member();
    let member = facts.member.as_mut().expect("a member");
    member.balances = vec![Balance { wallet: "stamps".to_owned(), available: stamps, pending: 0 }];
    facts
}

/// Stamps earned with their shares, and rewards given.
fn summary(decisions: &[Decision]) -> (i64, Vec<(&str, i64)>, usize) {
    let earn = decisions.iter().find_map(|decision| match decision {
        Decision::Earn(earn) => Some(earn),
        _ => None,
    });
    let shares = earn.map(|earn| earn.shares.iter().map(|share| (share.line.as_str(), share.amount)).collect());
    let rewards = decisions.iter().filter(|decision| matches!(decision, Decision::Reward(_))).count();
    (earn.map_or(0, |earn| earn.amount), shares.unwrap_or_default(), rewards)
}

fn pieces(id: &str, pieces: i64, category: &str) -> Line {
    Line { quantity_milli: pieces * 1000, category: Some(category.to_owned()), ..line(id, pieces * 300) }
}

#[test]
fn a_visit_is_one_stamp_on_the_most_expensive_line() {
    let bought = purchase([line("cup", 300), line("cake", 500), line("pie", 500)]);
    let decisions = stamp_card(&bought, &holding(0), settings("")).expect("decides");
    assert_eq!(summary(&decisions), (1, vec![("cake", 1)], 0));
}

#[test]
fn a_full_card_gives_a_reward_that_costs_the_card() {
    let decisions = stamp_card(&purchase([line("cup", 300)]), &holding(9), settings("")).expect("decides");
    let [Decision::Earn(_), Decision::Reward(reward)] = &decisions[..] else { panic!("{decisions:?}") };
    let price = reward.price.as_ref().expect("a price");
    assert_eq!((reward.key.as_str(), price.wallet.as_str(), price.amount), ("full-card", "stamps", 10));
}

#[test]
fn several_cards_fill_at_once_and_the_rest_carries_over() {
    let bought = purchase([pieces("cup", 14, "coffee"), pieces("tea", 3, "tea")]);
    let decisions = stamp_card(&bought, &holding(4), settings(r#","per":"item","goal":5"#)).expect("decides");
    assert_eq!(summary(&decisions), (17, vec![("cup", 14), ("tea", 3)], 4));
}

#[test]
fn an_answer_stays_within_the_gateways_limit() {
    let bought = purchase([pieces("cup", 400, "coffee")]);
    let decisions = stamp_card(&bought, &holding(0), settings(r#","per":"item","goal":1,"daily_limit":1000"#));
    assert_eq!(decisions.expect("decides").len(), 32);
}

#[test]
fn a_debt_is_worked_off_first() {
    let decisions = stamp_card(&purchase([line("cup", 300)]), &holding(-3), settings(r#","goal":1"#)).expect("decides");
    assert_eq!(summary(&decisions).2, 0);
}

#[test]
fn a_category_counts_its_pieces_and_what_is_free_counts_nothing() {
    let free = Line { total: 0, ..pieces("gift", 1, "coffee") };
    let weighed = Line { quantity_milli: 350, ..pieces("beans", 1, "COFFEE") };
    let bought = purchase([pieces("cup", 2, "coffee"), pieces("tea", 5, "tea"), free, weighed]);
    let decisions = stamp_card(&bought, &holding(0), settings(r#","per":"category","categories":["Coffee"]"#));
    assert_eq!(summary(&decisions.expect("decides")), (3, vec![("cup", 2), ("beans", 1)], 0));
}

#[test]
fn a_day_has_a_limit() {
    let limited = r#","per":"item","daily_limit":3"#;
    let bought = purchase([pieces("cup", 2, "coffee"), pieces("tea", 2, "tea")]);
    let decisions = stamp_card(&bought, &holding(0), settings(limited)).expect("decides");
    assert_eq!(summary(&decisions), (3, vec![("cup", 2), ("tea", 1)], 0));
    let Some(Decision::Remember(memory)) = decisions.last() else { panic!("{decisions:?}") };
    let later = Facts { memory: memory.clone(), ..holding(3) };
    assert_eq!(stamp_card(&bought, &later, settings(limited)), Ok(vec![]));
    let mut tomorrow = later;
    tomorrow.local.day += 1;
    assert_eq!(summary(&stamp_card(&bought, &tomorrow, settings(limited)).expect("decides")).0, 3);
}

#[test]
fn the_minimum_is_in_the_shops_currency() {
    let mut bought = purchase([line("cup", 499)]);
    assert_eq!(stamp_card(&bought, &holding(0), settings(r#","minimum":"5.00""#)), Ok(vec![]));
    bought.currency = "CZK".to_owned();
    assert!(matches!(stamp_card(&bought, &holding(0), settings(r#","minimum":"5.00""#)), Err(Refusal::Unsupported(_))));
    assert!(stamp_card(&bought, &holding(0), settings("")).is_ok());
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let bought = purchase([line("cup", 300)]);
    for more in [r#","goal":0"#, r#","daily_limit":0"#, r#","per":"category""#, r#","categories":["tea"]"#] {
        let refused = stamp_card(&bought, &holding(0), settings(more));
        assert!(matches!(refused, Err(Refusal::NotConfigured(_))), "{more}: {refused:?}");
    }
}
