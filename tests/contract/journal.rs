//! The journal's promises: everything once, in order, and held by whoever wrote it down.

use super::data::{LEASE, SHOP, accepted, admission, arrival, claim, journalled};
use super::ground::Ground;
use perkgate_domain::ids::Digest;
use perkgate_gateway::store::{AdmissionResult, Appended, NewArrival, NewRejection};
use perkgate_tests::NOON;
use std::collections::{BTreeMap, BTreeSet};
use tokio::task::JoinSet;

on_both! {
    answers_come_in_the_order_given
    a_key_told_by_many_at_once_is_new_to_one
    what_is_journalled_is_held_or_left
    rejections_are_kept_and_bounded
    what_was_parked_is_read_again
    a_nul_in_a_sentence_harms_nobody
}

async fn answers_come_in_the_order_given(ground: &Ground) {
    let batch = [
        arrival(SHOP, "b", "second"),
        arrival(SHOP, "a", "first"),
        arrival(SHOP, "a", "first"),
        arrival(SHOP, "b", "something else"),
        arrival("other", "a", "first"),
        arrival(SHOP, "c", "third"),
    ];
    let told = ground.store().append(&batch, 0).await.expect("they are journalled");
    let (b, a, c) = (accepted(&told[0]), accepted(&told[1]), accepted(&told[5]));
    assert_eq!(told[2], Appended::Duplicate(a));
    let Appended::Conflict(apart) = told[3] else { panic!("a contradiction: {told:?}") };
    let other = accepted(&told[4]);
    assert_eq!(BTreeSet::from([a, b, c, other, apart]).len(), 5, "{told:?}");

    // Again, and from another process: the same numbers.
    let another = ground.another().await;
    let again = another.append(&batch, 0).await.expect("they are known");
    let known = [b, a, a].map(Appended::Duplicate);
    assert_eq!(again[..3], known);
    assert_eq!(again[3], Appended::Conflict(apart));
    assert_eq!(again[4..], [other, c].map(Appended::Duplicate));

    let states = [(a, "new"), (apart, "conflict")];
    for (number, state) in states {
        assert_eq!(another.arrival(number).await.expect("it is read").expect("it is there").state, state);
    }
    let conflicts = another.arrivals(&SHOP.into(), "conflict", 10).await.expect("they are listed");
    assert_eq!(conflicts.iter().map(|view| view.arrival).collect::<Vec<_>>(), [apart]);
    let unread = another.claim_arrivals(&claim()).await.expect("a claim");
    let unread: BTreeSet<_> = unread.iter().map(|unread| unread.id).collect();
    assert_eq!(unread, BTreeSet::from([a, b, c, other]), "contradictions are read by nobody");
    assert!(another.append(&[], LEASE).await.expect("nothing is journalled").is_empty());
}

async fn a_key_told_by_many_at_once_is_new_to_one(ground: &Ground) {
    const KEYS: usize = 30;
    let stores = [ground.shared(), ground.another().await];
    let mut tellers = JoinSet::new();
    for teller in 0..20 {
        let store = stores[teller % 2].clone();
        // Each in another order; two of them say something else under the first key.
        let batch: Vec<NewArrival> = (0..KEYS)
            .map(|place| (place + teller) % KEYS)
            .map(|number| {
                let body = if number == 0 && teller >= 18 { "another tale" } else { "the same" };
                arrival(SHOP, &format!("k{number}"), body)
            })
            .collect();
        tellers.spawn(async move { (batch.clone(), store.append(&batch, LEASE).await.expect("it is journalled")) });
    }
    let mut told: BTreeMap<String, Vec<(Digest, Appended)>> = BTreeMap::new();
    for (batch, answers) in tellers.join_all().await {
        for (arrival, answer) in batch.into_iter().zip(answers) {
            told.entry(arrival.dedupe).or_default().push((arrival.digest, answer));
        }
    }
    assert_eq!(told.len(), KEYS);
    for (key, answers) in told {
        let mut first = answers.iter().filter(|(_, answer)| matches!(answer, Appended::Accepted(_)));
        let (digest, id) = first.next().map(|(digest, answer)| (*digest, accepted(answer))).expect("one is new");
        assert!(first.next().is_none(), "{key} is new twice");
        for (theirs, answer) in &answers {
            match answer {
                Appended::Conflict(apart) => assert!(*theirs != digest && *apart != id, "{key}"),
                Appended::Accepted(same) | Appended::Duplicate(same) => {
                    assert_eq!((*theirs, *same), (digest, id), "{key}");
                }
            }
        }
    }
    assert_eq!(ground.count("inbox").await, 30);
    assert_eq!(ground.number("select count(*) from arrivals").await, 31, "the other tale is kept once");
}

async fn what_is_journalled_is_held_or_left(ground: &Ground) {
    let another = ground.another().await;
    let before = ground.now().await;
    let held = journalled(ground, &[SHOP], LEASE).await;
    let until = ground.number("select leased_until from inbox").await;
    assert!((before + LEASE..=ground.now().await + LEASE).contains(&until), "by the database's clock: {until}");
    assert!(another.claim_arrivals(&claim()).await.expect("a claim").is_empty());
    let left = journalled(ground, &[SHOP], 0).await;
    let claimed = another.claim_arrivals(&claim()).await.expect("a claim");
    let [unread] = claimed.as_slice() else { panic!("one is free: {claimed:?}") };
    assert_eq!((unread.id, unread.merchant.as_str(), unread.source.as_str()), (left[0], SHOP, "eshop"));
    assert_eq!(
        (unread.topic.as_str(), unread.test, unread.received_at, unread.attempts),
        ("orders/paid", false, NOON, 0)
    );
    assert_eq!(unread.sealed, unread.dedupe.as_bytes());
    assert_eq!(ground.store().depth().await.expect("a count").arrivals, 2);
    assert!(held[0] < left[0], "numbers rise");
}

fn rejection(source: &str, number: i64) -> NewRejection {
    NewRejection {
        merchant: SHOP.into(),
        source: source.into(),
        cause: "bad_signature",
        detail: format!("forgery\0 {number}"),
        digest: Digest::of(b"forged"),
        bytes: number,
        sealed: (number % 2 == 0).then(|| vec![7; 3]),
        received_at: NOON,
    }
}

async fn rejections_are_kept_and_bounded(ground: &Ground) {
    let store = ground.store();
    let first: Vec<_> = (0..4).map(|number| rejection("eshop", number)).chain([rejection("till", 100)]).collect();
    store.reject(&first, 3).await.expect("they are kept");
    store.reject(&[rejection("eshop", 4)], 3).await.expect("one more");
    store.reject(&[], 3).await.expect("nothing");
    let kept = store.rejections(&SHOP.into(), 10).await.expect("they are listed");
    let of: Vec<_> = kept.iter().map(|kept| (kept.source.as_str(), kept.bytes)).collect();
    assert_eq!(of, [("eshop", 4), ("till", 100), ("eshop", 3), ("eshop", 2)], "newest first, three of a source");
    assert_eq!(kept[0].cause, "bad_signature");
    assert_eq!(kept[0].detail, "forgery\u{fffd} 4");
    assert_eq!(store.rejections(&SHOP.into(), 1).await.expect("they are listed").len(), 1);
    assert!(store.rejections(&"other".into(), 9).await.expect("they are listed").is_empty());
}

async fn what_was_parked_is_read_again(ground: &Ground) {
    let store = ground.store();
    assert_eq!(store.unpark().await.expect("nothing is parked"), 0);
    let ids = journalled(ground, &[SHOP, "other"], LEASE).await;
    let mut first = admission(ids[0], SHOP, AdmissionResult::Parked("no connector".to_owned()));
    first.fetched = Some(vec![1, 2]);
    let second = admission(ids[1], "other", AdmissionResult::Nothing("a draft".to_owned()));
    assert!(store.admit(&[first, second], LEASE).await.expect("they end").is_empty());
    assert_eq!(store.depth().await.expect("a count").parked, 1);
    let view = store.arrival(ids[0]).await.expect("it is read").expect("it is there");
    assert_eq!((view.state.as_str(), view.note.as_deref()), ("parked", Some("no connector")));

    assert_eq!(store.unpark().await.expect("it is taken up"), 1);
    let again = ground.another().await.claim_arrivals(&claim()).await.expect("a claim");
    let [unread] = again.as_slice() else { panic!("only what was parked: {again:?}") };
    assert_eq!((unread.id, unread.fetched.as_deref()), (ids[0], Some(&[1, 2][..])));
    assert_eq!(store.depth().await.expect("a count").parked, 0);
}

async fn a_nul_in_a_sentence_harms_nobody(ground: &Ground) {
    let ids = journalled(ground, &[SHOP, SHOP], LEASE).await;
    let quoting = "no product `a\0b`".to_owned();
    let poison = admission(ids[0], SHOP, AdmissionResult::Parked(quoting));
    let good = admission(ids[1], SHOP, AdmissionResult::Nothing("fine".to_owned()));
    ground.store().admit(&[poison, good], LEASE).await.expect("the whole batch ends");
    let view = ground.store().arrival(ids[0]).await.expect("it is read").expect("it is there");
    assert_eq!(view.note.as_deref(), Some("no product `a\u{fffd}b`"));
    assert_eq!(ground.count("inbox").await, 0);
}
