//! What failed waits alone: its member's later entries behind it, nobody else's; and it goes on when somebody asks.

use super::data::{LEASE, SHOP, bought, claim, email, entry, purchase, says};
use super::ground::Ground;
use perkgate_domain::limits::RETRIES;
use perkgate_domain::time::Moment;
use perkgate_gateway::store::{Claim, Postponed, PutOff};
use perkgate_tests::NOON;

on_both! {
    what_failed_for_good_holds_up_its_member_and_nobody_else
    a_member_whose_due_work_fails_is_left_alone_for_longer_and_longer
}

async fn what_failed_for_good_holds_up_its_member_and_nobody_else(ground: &Ground) {
    let store = ground.store();
    let first = bought(ground, SHOP, "1", "jana").await;
    let failed = PutOff { what: Postponed::Entry(first.id), until: None, at: NOON, why: "a row is damaged".to_owned() };
    store.settle(&[], &[failed]).await.expect("it is put aside");
    let (_, ready) = says(ground, SHOP, vec![entry(purchase("2"), &[email("jana")])], LEASE).await;
    assert!(ready.is_empty(), "it waits behind the first");
    let (_, ready) = says(ground, SHOP, vec![entry(purchase("3"), &[email("tom")])], LEASE).await;
    assert_eq!(ready.len(), 1, "nobody else waits");
    let late = Claim { now: Moment(i64::MAX / 2), ..claim() };
    assert!(store.claim_entries(&late).await.expect("a claim").is_empty(), "no time brings it back");

    let listed = store.stalled(&SHOP.into(), 10).await.expect("a list");
    assert_eq!(listed.len(), 1);
    let item = &listed[0];
    assert_eq!(
        (item.entry, item.state.as_str(), item.cause.as_deref()),
        (Some(first.id), "failed", Some("a row is damaged"))
    );
    assert_eq!((item.attempts, item.since), (1, Some(NOON)));
    assert_eq!(store.depth().await.expect("a look").failed, 1);

    assert_eq!(store.retry(Some(&"other".into()), None).await.expect("nothing"), 0);
    assert_eq!(store.retry(Some(&SHOP.into()), Some(first.id)).await.expect("it is asked for"), 1);
    let both = store.claim_entries(&claim()).await.expect("a claim");
    let ids: Vec<_> = both.iter().map(|entry| entry.event.external_id()).collect();
    assert_eq!(ids, ["1", "2"], "together, in the order of the journal");
    assert_eq!(both[0].attempts, 0);
}

async fn a_member_whose_due_work_fails_is_left_alone_for_longer_and_longer(ground: &Ground) {
    let store = ground.store();
    let jana = bought(ground, SHOP, "1", "jana").await;
    let member = jana.member.clone().expect("jana");
    ground.by_hand("update members set due_at = 5").await.expect("by hand");
    let due = async |now: Moment| !store.due_members(now, 10).await.expect("a look").is_empty();
    assert!(due(NOON).await);
    let mut now = NOON;
    for attempt in 1..=RETRIES {
        let what = Postponed::Member(SHOP.into(), member.clone());
        let put_off = PutOff { what, until: None, at: now, why: "a row is damaged".to_owned() };
        store.settle(&[], &[put_off]).await.expect("it is put off");
        let wait = 1_000_i64.saturating_mul(1 << (attempt - 1)).min(600_000);
        assert!(!due(now.plus_ms(wait - 1)).await, "attempt {attempt}");
        assert_eq!(due(now.plus_ms(wait)).await, attempt < RETRIES, "attempt {attempt}");
        now = now.plus_ms(wait);
    }
    let listed = store.stalled(&SHOP.into(), 10).await.expect("a list");
    let item = listed.iter().find(|item| item.kind == "due").expect("the member is listed");
    assert_eq!((item.state.as_str(), item.attempts, item.since), ("failed", RETRIES, Some(NOON)));

    assert_eq!(store.retry(None, None).await.expect("it is asked for"), 1);
    assert!(due(now).await, "it is tried again");
    assert_eq!(store.recover(now).await.expect("a look"), 0, "something is still due");
    ground.by_hand("update members set due_at = null").await.expect("by hand");
    assert_eq!(store.recover(now).await.expect("a look"), 1, "its own entries have seen to it");
}
