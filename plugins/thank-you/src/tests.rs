//! The rule as an ordinary function.

use super::*;
use perkgate::sample::{facts_with_member, line, purchase};

fn said(visits: i64, spent: i64, total: i64, json: &str) -> Vec<(String, String)> {
    let mut facts = facts_with_member();
    let member = facts.member.as_mut().expect("a member");
    (member.visits, member.spent) = (visits, spent);
    member.first_purchase_at = (visits > 0).then_some(1);
    messages(&facts, total, json)
}

fn messages(facts: &Facts, total: i64, json: &str) -> Vec<(String, String)> {
    let settings = serde_json::from_str(json).expect("settings");
    let decisions = thank_you(&purchase([line("cup", total)]), facts, settings).expect("decides");
    decisions
        .into_iter()
        .map(|decision| {
            let Decision::Message(message) = decision else { panic!("{decision:?}") };
            (message.key, message.text.replace('\u{a0}', " "))
        })
        .collect()
}

fn keys(said: &[(String, String)]) -> Vec<&str> {
    said.iter().map(|(key, _)| key.as_str()).collect()
}

#[test]
fn the_first_purchase_is_welcomed_once() {
    assert_eq!(keys(&said(0, 0, 500, "{}")), ["first-purchase"]);
    assert!(said(1, 500, 500, "{}").is_empty());
    assert!(said(0, 0, 500, r#"{"first_purchase":false}"#).is_empty());
    let mut returned = facts_with_member();
    returned.member.as_mut().expect("a member").first_purchase_at = Some(1);
    assert!(messages(&returned, 500, "{}").is_empty());
}

#[test]
fn visits_are_listed_or_every_so_many() {
    let json = r#"{"visits":[3],"visits_every":5}"#;
    let answered: Vec<i64> = (1..=10).filter(|visit| !said(visit - 1, 0, 1, json).is_empty()).collect();
    assert_eq!(answered, [1, 3, 5, 10]);
    assert_eq!(said(4, 0, 1, json)[0].1, "Máte u nás už 5 nákupov. Ďakujeme, Kaváreň pri moste.");
}

#[test]
fn a_milestone_is_reached_once_and_the_highest_counts() {
    let json = r#"{"milestones":["100.00","200"]}"#;
    assert!(said(3, 9_000, 999, json).is_empty());
    assert_eq!(said(3, 9_000, 1_000, json)[0].1, "Nakúpili ste u nás už za 100,00 €. Ďakujeme, Kaváreň pri moste.");
    assert!(said(3, 10_000, 500, json).is_empty());
    assert_eq!(keys(&said(3, 0, 50_000, json)), ["milestone"]);
    assert!(said(3, 0, 50_000, json)[0].1.contains("200,00 €"));
}

#[test]
fn the_members_language_and_the_merchants_own_texts_are_used() {
    let mut facts = facts_with_member();
    let member = facts.member.as_mut().expect("a member");
    member.locale = Some("hu-HU".to_owned());
    assert!(messages(&facts, 1, "{}")[0].1.starts_with("Ďakujeme"));
    let json = r#"{"texts":{"first_purchase":{"hu":{"subject":"Köszönjük","text":"Köszönjük, {shop}!"}}}}"#;
    assert_eq!(messages(&facts, 1, json)[0].1, "Köszönjük, Kaváreň pri moste!");
    facts.member.as_mut().expect("a member").locale = Some("de".to_owned());
    assert!(messages(&facts, 1, json)[0].1.starts_with("Danke"));
}

#[test]
fn consent_is_the_gateways_business() {
    let mut facts = facts_with_member();
    facts.member.as_mut().expect("a member").consent = false;
    assert_eq!(messages(&facts, 1, "{}").len(), 1);
}

#[test]
fn money_of_another_currency_reaches_no_milestone() {
    let mut facts = facts_with_member();
    facts.merchant.currency = "CZK".to_owned();
    assert_eq!(keys(&messages(&facts, 50_000, r#"{"milestones":["1"]}"#)), ["first-purchase"]);
}
