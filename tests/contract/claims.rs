//! Who may work on what: leases by the database's clock, and one member's entries never apart.

use super::data::{LEASE, SHOP, admission, bought, claim, email, entry, journalled, purchase, refund, says, settled};
use super::ground::{Ground, HOUR};
use perkgate_domain::ids::EntryId;
use perkgate_domain::plan::QueuedEntry;
use perkgate_domain::time::Moment;
use perkgate_gateway::store::{AdmissionResult, Claim, PutOff, Store};
use perkgate_tests::NOON;

on_both! {
    nobody_gets_what_is_held_until_its_lease_ends
    the_callers_clock_says_nothing_about_leases
    what_is_put_off_waits_for_the_callers_clock
    a_later_entry_waits_for_the_same_members_earlier_one
    nothing_of_a_member_is_claimed_while_something_of_theirs_is_held
    a_lease_is_renewed_and_given_back
    many_claim_at_once_and_nothing_twice
}

async fn claimed(store: &dyn Store, claim: &Claim) -> Vec<EntryId> {
    store.claim_entries(claim).await.expect("a claim").iter().map(|entry| entry.id).collect()
}

async fn nobody_gets_what_is_held_until_its_lease_ends(ground: &Ground) {
    let another = ground.another().await;
    let arrival = journalled(ground, &[SHOP], LEASE).await[0];
    let (_, ready) = says(ground, SHOP, vec![entry(purchase("1"), &[email("jana")])], LEASE).await;
    for store in [ground.store(), another.as_ref()] {
        assert!(store.claim_arrivals(&claim()).await.expect("a claim").is_empty());
        assert!(claimed(store, &claim()).await.is_empty());
    }
    ground.leases_end().await;
    let arrivals = another.claim_arrivals(&claim()).await.expect("a claim");
    assert_eq!(arrivals.iter().map(|unread| unread.id).collect::<Vec<_>>(), [arrival]);
    let entries = another.claim_entries(&claim()).await.expect("a claim");
    assert_eq!(entries, ready, "as it was admitted");
    // Now the other process holds them.
    assert!(ground.store().claim_arrivals(&claim()).await.expect("a claim").is_empty());
    assert!(claimed(ground.store(), &claim()).await.is_empty());
    assert_eq!(another.still_queued(&[entries[0].id, EntryId(9_999)]).await.expect("a look"), [entries[0].id]);
}

async fn the_callers_clock_says_nothing_about_leases(ground: &Ground) {
    let now = ground.now().await;
    let arrivals = journalled(ground, &[SHOP, SHOP], LEASE).await;
    let first = bought(ground, SHOP, "1", "jana").await;
    let off = |by: i64| Claim { now: Moment(now + by), ..claim() };
    for by in [-HOUR, HOUR, 10_000 * HOUR] {
        assert!(ground.store().claim_arrivals(&off(by)).await.expect("a claim").is_empty(), "{by} ms off");
        assert!(claimed(ground.store(), &off(by)).await.is_empty(), "{by} ms off");
    }
    ground.leases_end().await;
    assert_eq!(ground.store().claim_arrivals(&off(-HOUR)).await.expect("a claim").len(), arrivals.len());
    assert_eq!(claimed(ground.store(), &off(-HOUR)).await, [first.id]);
    // And what was claimed by a clock that is slow is held for as long as by any other.
    let until = ground.number("select min(leased_until) from inbox").await;
    let held = ground.number("select min(leased_until) from waiting").await;
    let wanted = now + LEASE..=ground.now().await + LEASE;
    assert!(wanted.contains(&until) && wanted.contains(&held), "{wanted:?}: {until}, {held}");
}

async fn what_is_put_off_waits_for_the_callers_clock(ground: &Ground) {
    let store = ground.store();
    let ids = journalled(ground, &[SHOP, SHOP], LEASE).await;
    let at = NOON.plus_ms(5_000);
    let later = admission(ids[0], SHOP, AdmissionResult::Later("the platform is down".to_owned(), at));
    let asking = admission(ids[1], SHOP, AdmissionResult::Asking(at));
    store.admit(&[later, asking], LEASE).await.expect("they go back");
    let entry = bought(ground, SHOP, "1", "jana").await;
    let off = PutOff::entry(entry.id, NOON, at, "no plugin loads");
    store.settle(&[], &[off]).await.expect("it goes back");

    let early = Claim { now: Moment(at.0 - 1), ..claim() };
    assert!(store.claim_arrivals(&early).await.expect("a claim").is_empty());
    assert!(claimed(store, &early).await.is_empty());
    let view = store.arrival(ids[0]).await.expect("it is read").expect("it is there");
    assert_eq!((view.state.as_str(), view.note.as_deref()), ("new", Some("the platform is down")));

    let on_time = Claim { now: at, ..claim() };
    let arrivals = store.claim_arrivals(&on_time).await.expect("a claim");
    let attempts: Vec<_> = arrivals.iter().map(|unread| (unread.id, unread.attempts)).collect();
    assert_eq!(attempts, [(ids[0], 1), (ids[1], 0)], "asking is no failure");
    let entries = store.claim_entries(&on_time).await.expect("a claim");
    assert_eq!(entries, [QueuedEntry { attempts: 1, ..entry }]);
}

async fn a_later_entry_waits_for_the_same_members_earlier_one(ground: &Ground) {
    let store = ground.store();
    let first = bought(ground, SHOP, "1", "jana").await;
    // Behind what is held: answered by nobody's admission and no claim.
    let told = vec![entry(purchase("2"), &[email("jana")]), entry(purchase("3"), &[email("tom")])];
    let (_, ready) = says(ground, SHOP, told, LEASE).await;
    assert_eq!(ready.iter().map(|entry| entry.event.external_id()).collect::<Vec<_>>(), ["3"]);
    store.hold(&[], &[ready[0].id], 0).await.expect("tom's is given back");
    assert_eq!(claimed(store, &claim()).await, [ready[0].id], "only tom's");

    let off = PutOff::entry(first.id, NOON, NOON.plus_ms(HOUR), "later");
    store.settle(&[], &[off]).await.expect("it goes back");
    assert!(claimed(store, &claim()).await.is_empty(), "the second waits for the first, which waits for its time");
    let late = Claim { now: NOON.plus_ms(HOUR), ..claim() };
    let both = store.claim_entries(&late).await.expect("a claim");
    let ids: Vec<_> = both.iter().map(|entry| entry.event.external_id()).collect();
    assert_eq!(ids, ["1", "2"], "together, in the order of the journal");
}

/// A refund that came before its purchase is older than what its member bought meanwhile.
async fn nothing_of_a_member_is_claimed_while_something_of_theirs_is_held(ground: &Ground) {
    let (_, ready) = says(ground, SHOP, vec![entry(refund("r1", "1"), &[])], LEASE).await;
    assert!(ready.is_empty(), "it waits for its purchase");
    let first = bought(ground, SHOP, "1", "jana").await;
    settled(ground, &[first]).await;
    // Woken and free; but before anybody claims it, somebody is at work on something newer of hers.
    ground.by_hand("update waiting set leased_until = 9000000000000").await.expect("the refund is kept back");
    let (_, mut ready) = says(ground, SHOP, vec![entry(purchase("2"), &[email("jana")])], LEASE).await;
    assert!(ready.pop().is_none(), "what is behind an older one waits");
    ground
        .by_hand(
            "update waiting set leased_until = case when purchase_id is null then 9000000000000 else 0 end
             where state = 'queued'",
        )
        .await
        .expect("now the newer one is held");
    assert!(claimed(ground.store(), &claim()).await.is_empty(), "two processes never work on one member");
    ground.by_hand("update waiting set leased_until = 0").await.expect("nothing is held");
    assert_eq!(claimed(ground.store(), &claim()).await.len(), 2);
}

async fn a_lease_is_renewed_and_given_back(ground: &Ground) {
    let another = ground.another().await;
    let arrivals = journalled(ground, &[SHOP], LEASE).await;
    let entry = bought(ground, SHOP, "1", "jana").await;
    ground.leases_end().await;
    ground.store().hold(&arrivals, &[entry.id], LEASE).await.expect("they are held on");
    assert!(another.claim_arrivals(&claim()).await.expect("a claim").is_empty());
    assert!(claimed(another.as_ref(), &claim()).await.is_empty());
    ground.store().hold(&arrivals, &[entry.id], 0).await.expect("they are given back");
    assert_eq!(another.claim_arrivals(&claim()).await.expect("a claim").len(), 1);
    assert_eq!(claimed(another.as_ref(), &claim()).await, [entry.id]);
    // Nothing that is done already is brought back by a late renewal.
    let done = admission(arrivals[0], SHOP, AdmissionResult::Nothing("fine".to_owned()));
    another.admit(&[done], LEASE).await.expect("it ends");
    ground.store().hold(&arrivals, &[], 0).await.expect("too late, and harmless");
    assert_eq!(ground.count("inbox").await, 0);
}

async fn many_claim_at_once_and_nothing_twice(ground: &Ground) {
    let merchants: Vec<String> = (0..10).map(|number| format!("m{number}")).collect();
    let names: Vec<&str> = merchants.iter().flat_map(|name| [name.as_str(); 12]).collect();
    journalled(ground, &names, 0).await;
    for name in &merchants {
        let told = (0..12).map(|number| entry(purchase(&number.to_string()), &[email(&format!("{}", number % 5))]));
        says(ground, name, told.collect(), 0).await;
    }
    let stores = [ground.shared(), ground.another().await];
    let mut claimers = tokio::task::JoinSet::new();
    for claimer in 0..12 {
        let store = stores[claimer % 2].clone();
        let claim = Claim { most: 25, after: format!("m{}", claimer % 10), ..claim() };
        claimers.spawn(async move {
            let arrivals = store.claim_arrivals(&claim).await.expect("a claim");
            let entries = store.claim_entries(&claim).await.expect("a claim");
            let arrivals: Vec<_> = arrivals.iter().map(|unread| unread.id).collect();
            let entries: Vec<_> = entries.into_iter().map(|entry| (entry.merchant, entry.member, entry.id)).collect();
            (arrivals, entries)
        });
    }
    let (mut arrivals, mut entries) = (Vec::new(), Vec::new());
    let mut owners = std::collections::BTreeMap::new();
    for (claimer, (some, others)) in claimers.join_all().await.into_iter().enumerate() {
        arrivals.extend(some);
        for (merchant, member, id) in others {
            let owner = *owners.entry((merchant, member)).or_insert(claimer);
            assert_eq!(owner, claimer, "one member's entries are in two hands");
            entries.push(id);
        }
    }
    let (all_arrivals, all_entries) = (arrivals.len(), entries.len());
    arrivals.sort_unstable();
    arrivals.dedup();
    entries.sort_unstable();
    entries.dedup();
    assert_eq!((arrivals.len(), entries.len()), (all_arrivals, all_entries), "something was claimed twice");
    assert!(all_arrivals >= 100 && all_entries >= 50, "{all_arrivals} arrivals, {all_entries} entries");
}
