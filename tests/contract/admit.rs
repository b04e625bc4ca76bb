//! From arrivals to entries: what happened is taken once, whoever tells it, however often and at the same time as whom.

use super::data::{
    LEASE, SHOP, admission, book, bought, claim, earns, email, entry, join, journalled, purchase, refund, says,
    settled, standing,
};
use super::ground::Ground;
use perkgate_domain::ids::Digest;
use perkgate_gateway::store::{AdmissionResult, NewEntry};
use sqlx::{Connection as _, PgConnection};
use std::collections::BTreeSet;
use tokio::task::JoinSet;

on_both! {
    a_happening_is_taken_once_for_ever
    arrivals_end_as_they_were_read
    a_refund_waits_for_its_purchase
    what_nobody_claimed_is_claimed_by_a_later_telling
    two_who_admit_at_once_make_one_of_everything
    an_arrival_admitted_twice_counts_once
}

async fn state(ground: &Ground, arrival: perkgate_domain::ids::ArrivalId) -> (String, String) {
    let view = ground.store().arrival(arrival).await.expect("it is read").expect("it is there");
    (view.state, view.note.unwrap_or_default())
}

async fn a_happening_is_taken_once_for_ever(ground: &Ground) {
    let told = || entry(purchase("1"), &[email("jana")]);
    let otherwise = || NewEntry { told: Digest::of(b"otherwise"), ..told() };
    // Within one batch: twice the same, and once something else; a join of the same id is another thing.
    let ids = journalled(ground, &[SHOP, SHOP, SHOP, "other"], LEASE).await;
    let entries = |entries| AdmissionResult::Entries(entries);
    let batch = [
        admission(ids[0], SHOP, entries(vec![told(), entry(join("1"), &[email("jana")])])),
        admission(ids[1], SHOP, entries(vec![told()])),
        admission(ids[2], SHOP, entries(vec![otherwise()])),
        admission(ids[3], "other", entries(vec![told()])),
    ];
    let ready = ground.store().admit(&batch, LEASE).await.expect("they are admitted");
    assert_eq!(ready.len(), 3, "a purchase and a join here, a purchase there: {ready:?}");
    assert_eq!(state(ground, ids[0]).await.0, "read");
    let (said, note) = state(ground, ids[1]).await;
    assert!(said == "read" && note.contains("known already"), "{said}: {note}");
    let (said, note) = state(ground, ids[2]).await;
    assert!(said == "conflict" && note.contains("something else"), "{said}: {note}");

    settled(ground, &[ready[2].clone()]).await;
    settled(ground, &[ready[0].clone()]).await;
    settled(ground, &[ready[1].clone()]).await;
    // And for ever.
    for (telling, ends) in [(told(), "read"), (otherwise(), "conflict")] {
        let (arrival, ready) = says(ground, SHOP, vec![telling], LEASE).await;
        assert!(ready.is_empty());
        let view = ground.store().arrival(arrival).await.expect("it is read").expect("it is there");
        assert_eq!(view.state, ends);
        assert!(view.entry.is_some(), "it is linked to what it speaks of");
    }
    assert_eq!(ground.count("entries").await, 3);
    let told = ground.store().explain(&SHOP.into(), &"eshop".into(), "#1").await.expect("a look").expect("the order");
    assert_eq!(told.arrivals.len(), 5, "all that spoke of it");
}

async fn arrivals_end_as_they_were_read(ground: &Ground) {
    let ids = journalled(ground, &[SHOP; 4], LEASE).await;
    let why = |text: &str| text.to_owned();
    let mut asked = admission(ids[3], SHOP, AdmissionResult::Parked(why("no such order")));
    asked.fetched = Some(b"{}".to_vec());
    let batch = [
        admission(ids[0], SHOP, AdmissionResult::Nothing(why("a draft"))),
        admission(ids[1], SHOP, AdmissionResult::Test(why("a test"))),
        admission(ids[2], SHOP, AdmissionResult::Entries(vec![])),
        asked,
    ];
    assert!(ground.store().admit(&batch, LEASE).await.expect("they end").is_empty());
    for (id, ends) in
        ids.iter().zip([("nothing", "a draft"), ("test", "a test"), ("read", ""), ("parked", "no such order")])
    {
        assert_eq!(state(ground, *id).await, (why(ends.0), why(ends.1)));
    }
    assert_eq!(ground.count("inbox").await, 0);
    assert!(ground.store().admit(&[], LEASE).await.expect("nothing").is_empty());
}

async fn a_refund_waits_for_its_purchase(ground: &Ground) {
    let (_, ready) = says(ground, SHOP, vec![entry(refund("r1", "1"), &[])], LEASE).await;
    assert!(ready.is_empty());
    assert_eq!(ground.store().depth().await.expect("a count").parked, 1);
    assert!(ground.store().claim_entries(&claim()).await.expect("a claim").is_empty());
    // The same id of another source or merchant is another purchase.
    settled(ground, &[bought(ground, "other", "1", "jana").await]).await;
    assert_eq!(ground.store().depth().await.expect("a count").parked, 1);

    let purchase = bought(ground, SHOP, "1", "jana").await;
    // Told while the purchase is being settled: it waits too.
    let (_, ready) = says(ground, SHOP, vec![entry(refund("r2", "1"), &[])], LEASE).await;
    assert!(ready.is_empty());
    settled(ground, std::slice::from_ref(&purchase)).await;
    let woken = ground.another().await.claim_entries(&claim()).await.expect("a claim");
    let told: Vec<_> = woken.iter().map(|entry| (entry.event.external_id(), entry.purchase, &entry.member)).collect();
    assert_eq!(told, [("r1", Some(purchase.id), &purchase.member), ("r2", Some(purchase.id), &purchase.member)]);
    assert_eq!(ground.store().depth().await.expect("a count").parked, 0);
}

async fn what_nobody_claimed_is_claimed_by_a_later_telling(ground: &Ground) {
    let (first, ready) = says(ground, SHOP, vec![entry(purchase("1"), &[])], LEASE).await;
    assert!(ready.is_empty(), "it waits for a member: {ready:?}");
    let nobodys = ground.store().arrival(first).await.expect("a look").and_then(|arrival| arrival.entry);
    // Its refund comes to nobody, and waits as it does.
    let (_, ready) = says(ground, SHOP, vec![entry(refund("r1", "1"), &[])], LEASE).await;
    assert!(ready.is_empty(), "it waits too: {ready:?}");
    assert!(ground.store().claim_entries(&claim()).await.expect("a claim").is_empty());

    let (arrival, ready) = says(ground, SHOP, vec![entry(purchase("1"), &[email("jana")])], LEASE).await;
    assert!(ready.is_empty(), "it is queued for a claim");
    assert!(state(ground, arrival).await.1.contains("who made"));
    let claimed = ground.store().claim_entries(&claim()).await.expect("a claim");
    let [purchase] = claimed.as_slice() else { panic!("the purchase, and not yet its refund: {claimed:?}") };
    assert!(Some(purchase.id) == nobodys && purchase.member.is_some());
    settled(ground, &claimed).await;
    let claimed = ground.store().claim_entries(&claim()).await.expect("a claim");
    assert_eq!(claimed.iter().map(|entry| entry.event.external_id()).collect::<Vec<_>>(), ["r1"]);
    assert_eq!(claimed[0].member, purchase.member);
}

async fn two_who_admit_at_once_make_one_of_everything(ground: &Ground) {
    const ORDERS: usize = 12;
    let stores = [ground.shared(), ground.another().await];
    let mut admitting = JoinSet::new();
    for teller in 0..8 {
        // Each arrival tells of all orders, in another order, by customers known by two keys.
        let arrival = journalled(ground, &[SHOP], LEASE).await[0];
        let told = (0..ORDERS).map(|place| {
            let number = (place * 5 + teller) % ORDERS;
            let keys = [email(&format!("a{number}")), email(&format!("b{number}"))];
            entry(purchase(&number.to_string()), &keys)
        });
        let admission = admission(arrival, SHOP, AdmissionResult::Entries(told.collect()));
        let store = stores[teller % 2].clone();
        admitting.spawn(async move { store.admit(&[admission], LEASE).await.expect("it is admitted") });
    }
    let ready: Vec<_> = admitting.join_all().await.concat();
    assert_eq!(ready.len(), ORDERS, "each order is handed to one of them");
    let distinct: BTreeSet<_> = ready.iter().map(|entry| (entry.id, entry.member.clone())).collect();
    assert_eq!(distinct.len(), ORDERS);
    for (table, rows) in [("entries", 12), ("members", 12), ("member_keys", 36), ("readings", 8), ("inbox", 0)] {
        assert_eq!(ground.count(table).await, rows, "{table}");
    }
}

async fn an_arrival_admitted_twice_counts_once(ground: &Ground) {
    // Its lease ran out: two processes have read it, and one of them otherwise than the other.
    let arrival = journalled(ground, &[SHOP], LEASE).await[0];
    let read = |id: &str| {
        let told = vec![entry(purchase(id), &[email("jana")])];
        admission(arrival, SHOP, AdmissionResult::Entries(told))
    };
    let another = ground.another().await;
    let (one, other) = ([read("1")], [read("2")]);
    let (one, other) = tokio::join!(ground.store().admit(&one, LEASE), another.admit(&other, LEASE));
    let (one, other) = (one.expect("it is admitted"), other.expect("it is admitted"));
    assert_eq!(one.len() + other.len(), 1, "{one:?} {other:?}");
    assert_eq!(ground.count("entries").await, 1);
}

/// The refund is admitted by one process while another commits its purchase: whoever is second sees the first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_told_while_its_purchase_settles_is_woken() {
    let name = "a_refund_told_while_its_purchase_settles_is_woken";
    let Some(ground) = Ground::postgres(name).await else { return };
    let bought = bought(&ground, SHOP, "1", "jana").await;
    let member = standing(&book(&ground, std::slice::from_ref(&bought)).await, &bought);
    let settlement = earns(&bought, member, 1);
    let arrival = journalled(&ground, &[SHOP], LEASE).await[0];

    // Admitting stops before its last statement, which writes to this table; settling never touches it.
    let mut hand = PgConnection::connect(&ground.url).await.expect("a connection");
    let mut held = hand.begin().await.expect("a transaction");
    sqlx::query("lock table readings in exclusive mode").execute(&mut *held).await.expect("a lock");
    let store = ground.shared();
    let told = admission(arrival, SHOP, AdmissionResult::Entries(vec![entry(refund("r1", "1"), &[])]));
    let admitting = tokio::spawn(async move { store.admit(&[told], LEASE).await });
    waits(&ground, "insert into readings%").await;
    let store = ground.another().await;
    let settling = tokio::spawn(async move { store.settle(&[settlement], &[]).await });
    // It waits for the one that admits. (If it did not, it would be done by now, and nobody would wake the refund.)
    waits(&ground, "delete from waiting%").await;
    held.rollback().await.expect("the lock is gone");
    admitting.await.expect("no panic").expect("it is admitted");
    settling.await.expect("no panic").expect("it settles");
    let woken = ground.store().claim_entries(&claim()).await.expect("a claim");
    assert_eq!(woken.iter().map(|entry| entry.event.external_id()).collect::<Vec<_>>(), ["r1"]);
}

/// Waits until some connection of this database waits for a lock in such a statement.
async fn waits(ground: &Ground, statement: &str) {
    let question = format!(
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
         and query ilike '{statement}'"
    );
    perkgate_tests::until("a statement waits for a lock", async || (ground.number(&question).await > 0).then_some(()))
        .await;
}
