//! Turns between merchants: a backlog keeps nobody out, everybody's turn comes, and who has nothing to do stands in nobody's way.

use super::data::{LEASE, admission, claim, email, entry, journalled, purchase, says, settled};
use super::ground::Ground;
use perkgate_domain::ids::MerchantId;
use perkgate_gateway::store::{AdmissionResult, Claim};
use perkgate_tests::NOON;
use std::collections::{BTreeMap, BTreeSet};

on_both! {
    a_backlog_keeps_nobody_out
    a_hundred_merchants_all_get_their_turn
    no_more_are_served_than_turns
    who_has_nothing_to_do_stands_in_nobodys_way
}

fn counts<'a>(merchants: impl Iterator<Item = &'a MerchantId>) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for merchant in merchants {
        *counts.entry(merchant.as_str()).or_default() += 1;
    }
    counts
}

async fn a_backlog_keeps_nobody_out(ground: &Ground) {
    const BACKLOG: usize = 4_000;
    journalled(ground, &vec!["busy"; BACKLOG], 0).await;
    let told = (0..BACKLOG).map(|number| entry(purchase(&number.to_string()), &[email(&number.to_string())]));
    says(ground, "busy", told.collect(), 0).await;
    journalled(ground, &["calm"], 0).await;
    says(ground, "calm", vec![entry(purchase("1"), &[email("jana")])], 0).await;

    let batch = Claim { most: 100, ..claim() };
    let arrivals = ground.store().claim_arrivals(&batch).await.expect("a claim");
    let wanted = BTreeMap::from([("busy", 50), ("calm", 1)]);
    assert_eq!(counts(arrivals.iter().map(|unread| &unread.merchant)), wanted);
    let entries = ground.store().claim_entries(&batch).await.expect("a claim");
    assert_eq!(counts(entries.iter().map(|entry| &entry.merchant)), wanted);
    // Alone, the busy one has it all; and oldest first.
    let calm: Vec<_> = entries.into_iter().filter(|entry| entry.merchant.as_str() == "calm").collect();
    settled(ground, &calm).await;
    let entries = ground.store().claim_entries(&batch).await.expect("a claim");
    assert_eq!(counts(entries.iter().map(|entry| &entry.merchant)), BTreeMap::from([("busy", 100)]));
    assert_eq!(entries[0].event.external_id(), "50");
}

/// The last by turns that begin behind `after`.
fn last<'a>(after: &str, merchants: impl Iterator<Item = &'a MerchantId>) -> String {
    let last = merchants.max_by_key(|merchant| (merchant.as_str() <= after, *merchant));
    last.map(ToString::to_string).unwrap_or_default()
}

async fn a_hundred_merchants_all_get_their_turn(ground: &Ground) {
    let names: Vec<String> = (0..100).map(|number| format!("m{number:02}")).collect();
    // The first ones' are the newest: who is last by age is not who is last by turns.
    for _ in 0..2 {
        let newest_first: Vec<&str> = names.iter().rev().map(String::as_str).collect();
        journalled(ground, &newest_first, 0).await;
        for (number, name) in newest_first.iter().enumerate() {
            let order = format!("{number}/{}", ground.count("entries").await);
            says(ground, name, vec![entry(purchase(&order), &[email(&order)])], 0).await;
        }
    }
    let (mut after_arrivals, mut after_entries) = (String::new(), String::new());
    let (mut arrivals, mut entries) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..7 {
        let some = Claim { turns: 16, most: 16, after: after_arrivals.clone(), ..claim() };
        let claimed = ground.store().claim_arrivals(&some).await.expect("a claim");
        after_arrivals = last(&after_arrivals, claimed.iter().map(|unread| &unread.merchant));
        arrivals.extend(claimed.into_iter().map(|unread| unread.merchant));
        let some = Claim { after: after_entries.clone(), ..some };
        let claimed = ground.store().claim_entries(&some).await.expect("a claim");
        after_entries = last(&after_entries, claimed.iter().map(|entry| &entry.merchant));
        entries.extend(claimed.into_iter().map(|entry| entry.merchant));
    }
    assert_eq!((arrivals.len(), entries.len()), (100, 100), "in seven claims of sixteen turns");
}

async fn no_more_are_served_than_turns(ground: &Ground) {
    journalled(ground, &["a", "b", "c", "d", "e", "f"], 0).await;
    let some = Claim { turns: 3, most: 30, after: "d".to_owned(), ..claim() };
    let claimed = ground.store().claim_arrivals(&some).await.expect("a claim");
    let served: BTreeSet<_> = claimed.iter().map(|unread| unread.merchant.as_str()).collect();
    assert_eq!(served, BTreeSet::from(["e", "f", "a"]), "those behind, then those before");
    // More merchants than rows: a row each, and no more than were asked for.
    let some = Claim { turns: 3, most: 2, ..claim() };
    journalled(ground, &["a", "b", "c", "a", "b", "c"], 0).await;
    assert!(ground.store().claim_arrivals(&some).await.expect("a claim").len() <= 3);
}

async fn who_has_nothing_to_do_stands_in_nobodys_way(ground: &Ground) {
    let names: Vec<String> = (0..20).map(|number| format!("m{number:02}")).collect();
    let busy: Vec<&str> = names.iter().map(String::as_str).collect();
    // Another process holds all that these have, or it was put off.
    let held = journalled(ground, &busy, LEASE).await;
    for name in &busy[..10] {
        says(ground, name, vec![entry(purchase("1"), &[email("jana")])], LEASE).await;
    }
    let off = NOON.plus_ms(1_000);
    let later: Vec<_> = held[..10]
        .iter()
        .zip(&busy)
        .map(|(id, name)| admission(*id, name, AdmissionResult::Later("down".to_owned(), off)))
        .collect();
    ground.store().admit(&later, LEASE).await.expect("they go back");
    journalled(ground, &["zoo"], 0).await;
    says(ground, "zoo", vec![entry(purchase("1"), &[email("jana")])], 0).await;

    let few = Claim { turns: 4, most: 8, ..claim() };
    let arrivals = ground.store().claim_arrivals(&few).await.expect("a claim");
    assert_eq!(counts(arrivals.iter().map(|unread| &unread.merchant)), BTreeMap::from([("zoo", 1)]));
    let entries = ground.store().claim_entries(&few).await.expect("a claim");
    assert_eq!(counts(entries.iter().map(|entry| &entry.merchant)), BTreeMap::from([("zoo", 1)]));
    assert!(ground.store().claim_entries(&few).await.expect("a claim").is_empty(), "and then it ends");
}
