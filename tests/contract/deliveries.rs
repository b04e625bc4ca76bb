//! Messages on their way: turns between channels, receivers that fail left alone, and every attempt counted once.

use super::data::{LEASE, SHOP, anna, book, claim, delivery, earns, email, entry, join, purchase, says, standing};
use super::ground::{Ground, HOUR};
use perkgate_domain::delivery::{Attempt, Next, TOO_OLD};
use perkgate_domain::ids::ChannelId;
use perkgate_domain::limits::BreakerLimits;
use perkgate_domain::time::Moment;
use perkgate_gateway::store::{Claim, ContactField, DueRow, NewEntry};
use perkgate_tests::NOON;
use std::collections::{BTreeMap, BTreeSet};

on_both! {
    what_is_due_is_held_with_what_it_takes_to_send_it
    a_lease_on_a_delivery_goes_by_the_databases_clock
    channels_take_turns
    every_channel_gets_its_turn
    channels_with_nothing_to_send_stand_in_nobodys_way
    a_failing_channel_is_left_alone_and_probed
    a_disabled_channel_is_claimed_when_it_is_resumed
    what_waited_for_days_is_not_sent
    an_attempt_recorded_twice_counts_once
    whoever_withdraws_consent_hears_no_more
    a_dead_letter_is_sent_again
}

const LIMITS: BreakerLimits =
    BreakerLimits { trip: 2, pause_ms: 30_000, longest_pause_ms: 60_000, disable_ms: 10 * HOUR };

/// A member who agreed, with messages in these channels of these merchants: so many each.
async fn written(ground: &Ground, merchant: &str, channels: &[(&str, i64)]) {
    let told = NewEntry {
        consent: Some(true),
        contact: vec![ContactField { field: "email".to_owned(), sealed: vec![1, 2, 3] }],
        ..entry(purchase(&ground.count("entries").await.to_string()), &[email("jana")])
    };
    let (_, ready) = says(ground, merchant, vec![told], LEASE).await;
    let member = standing(&book(ground, &ready).await, &ready[0]);
    let mut settlement = earns(&ready[0], member, 1);
    let jana = ready[0].member.clone().expect("jana");
    settlement.deliveries = channels
        .iter()
        .flat_map(|(channel, count)| (0..*count).map(|number| (*channel, number)))
        .map(|(channel, number)| delivery(ready[0].id, &jana, merchant, channel, number))
        .collect();
    ground.store().settle(&[settlement], &[]).await.expect("it settles");
}

fn at(seconds: i64) -> Claim {
    Claim { now: NOON.plus_ms(seconds * 1_000), most: 100, ..claim() }
}

async fn due(ground: &Ground, claim: &Claim, per_channel: usize) -> Vec<DueRow> {
    ground.store().due(claim, per_channel, &[], &LIMITS).await.expect("a claim")
}

fn by_channel(due: &[DueRow]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for row in due {
        *counts.entry(format!("{}/{}", row.delivery.merchant, row.delivery.channel)).or_default() += 1;
    }
    counts
}

fn attempt(row: &DueRow, after_ms: i64, next: Next) -> Attempt {
    Attempt {
        delivery: row.delivery.id.clone(),
        merchant: row.delivery.merchant.clone(),
        channel: row.delivery.channel.clone(),
        number: row.attempt,
        at: NOON.plus_ms(after_ms),
        took_ms: 0,
        status: (next == Next::Delivered).then_some(204),
        error: (next != Next::Delivered).then(|| "connection\0 refused".to_owned()),
        next,
    }
}

fn fails(row: &DueRow, after_ms: i64) -> Attempt {
    attempt(row, after_ms, Next::Retry(NOON.plus_ms(after_ms)))
}

async fn record(ground: &Ground, attempts: &[Attempt]) {
    ground.store().record(attempts, &LIMITS).await.expect("they are recorded");
}

async fn what_is_due_is_held_with_what_it_takes_to_send_it(ground: &Ground) {
    written(ground, SHOP, &[("mail", 3)]).await;
    let early = Claim { now: Moment(NOON.0 - 1), ..at(0) };
    assert!(due(ground, &early, 9).await.is_empty(), "it is not due yet");
    let rows = due(ground, &at(1), 2).await;
    let [first, second] = rows.as_slice() else { panic!("two of a channel: {rows:?}") };
    let numbers = |row: &DueRow| row.delivery.created_at.since_ms(NOON);
    assert_eq!(BTreeSet::from([numbers(first), numbers(second)]), BTreeSet::from([0, 1]), "the oldest first");
    assert_eq!((first.attempt, first.contact.len(), first.delivery.message.text.as_str()), (1, 1, "Come again."));
    assert_eq!((first.contact[0].field.as_str(), first.contact[0].sealed.as_slice()), ("email", &[1, 2, 3][..]));
    assert_eq!(ground.another().await.due(&at(1), 9, &[], &LIMITS).await.expect("a claim").len(), 1, "the rest");
    assert_eq!(ground.store().depth().await.expect("a count").deliveries, 3);

    record(ground, &[attempt(first, 10, Next::Delivered), fails(second, 20_000)]).await;
    let listed = async |state: &str| {
        let views = ground.store().deliveries(&SHOP.into(), state, 10).await.expect("they are listed");
        views.into_iter().map(|view| (view.delivery.id, view.attempts, view.delivery.note)).collect::<Vec<_>>()
    };
    assert_eq!(listed("delivered").await, [(first.delivery.id.clone(), 1, None)]);
    let note = Some("connection\u{fffd} refused".to_owned());
    assert!(listed("due").await.contains(&(second.delivery.id.clone(), 1, note)), "its channel still failing");
    assert!(due(ground, &at(19), 9).await.is_empty());
    let again = due(ground, &at(20), 9).await;
    assert_eq!(again.iter().map(|row| (&row.delivery.id, row.attempt)).collect::<Vec<_>>(), [(&second.delivery.id, 2)]);
}

async fn a_lease_on_a_delivery_goes_by_the_databases_clock(ground: &Ground) {
    written(ground, SHOP, &[("mail", 1)]).await;
    assert_eq!(due(ground, &at(1), 9).await.len(), 1);
    for seconds in [1, 3_600, 1_000_000_000] {
        assert!(due(ground, &at(seconds), 9).await.is_empty(), "{seconds} s later by the caller's clock");
    }
    ground.leases_end().await;
    assert_eq!(due(ground, &at(1), 9).await.len(), 1, "whoever had it died");
}

async fn channels_take_turns(ground: &Ground) {
    written(ground, SHOP, &[("hook", 300), ("mail", 1), ("push", 2)]).await;
    let full = [(SHOP.into(), ChannelId::from("push"))];
    let rows = ground.store().due(&at(1), 4, &full, &LIMITS).await.expect("a claim");
    let wanted = [("kavarna/hook", 4), ("kavarna/mail", 1)].map(|(channel, count)| (channel.to_owned(), count));
    assert_eq!(by_channel(&rows), BTreeMap::from(wanted), "none of a channel that is full");
    let rows = due(ground, &at(1), 4).await;
    assert_eq!(by_channel(&rows).get("kavarna/push"), Some(&2));
    let few = Claim { most: 3, ..at(1) };
    assert_eq!(due(ground, &few, 9).await.len(), 3, "and no more in all than was asked for");
}

async fn every_channel_gets_its_turn(ground: &Ground) {
    let names: Vec<String> = (0..30).map(|number| format!("c{number:02}")).collect();
    let channels: Vec<(&str, i64)> = names.iter().map(|name| (name.as_str(), 5)).collect();
    written(ground, SHOP, &channels).await;
    written(ground, "another", &channels[..3]).await;
    let (mut after, mut served) = (String::new(), BTreeSet::new());
    for _ in 0..9 {
        let rows = due(ground, &Claim { turns: 8, most: 4, after: after.clone(), ..at(1) }, 1).await;
        served.extend(by_channel(&rows).into_keys());
        let last = rows.last().expect("something is due");
        after = format!("{}/{}", last.delivery.merchant, last.delivery.channel);
    }
    assert_eq!(served.len(), 33, "in nine claims of four rows");
}

async fn channels_with_nothing_to_send_stand_in_nobodys_way(ground: &Ground) {
    let names: Vec<String> = (0..12).map(|number| format!("c{number:02}")).collect();
    let channels: Vec<(&str, i64)> = names.iter().map(|name| (name.as_str(), 1)).collect();
    written(ground, SHOP, &channels).await;
    // Their receivers fail: what they have waits.
    let first = due(ground, &at(1), 9).await;
    let failed: Vec<_> = first.iter().map(|row| attempt(row, 1_000, Next::Retry(NOON.plus_ms(HOUR)))).collect();
    record(ground, &failed).await;
    written(ground, "zoo", &[("mail", 1)]).await;
    let few = Claim { turns: 4, ..at(2) };
    assert_eq!(by_channel(&due(ground, &few, 9).await).into_keys().collect::<Vec<_>>(), ["zoo/mail"]);
    assert!(due(ground, &few, 9).await.is_empty(), "and then it ends");
}

async fn a_failing_channel_is_left_alone_and_probed(ground: &Ground) {
    written(ground, SHOP, &[("hook", 10), ("mail", 1)]).await;
    let rows = due(ground, &at(1), 2).await;
    let hooks: Vec<_> = rows.iter().filter(|row| row.delivery.channel.as_str() == "hook").collect();
    record(ground, &[fails(hooks[0], 1_000), fails(hooks[1], 1_001)]).await;
    let view = ground.store().failing(&SHOP.into()).await.expect("they are listed");
    let [channel] = view.as_slice() else { panic!("one fails: {view:?}") };
    assert_eq!((channel.channel.as_str(), channel.health.failures), ("hook", 2));
    assert_eq!(channel.health.closed_until, NOON.plus_ms(31_001));

    assert!(due(ground, &at(30), 5).await.is_empty(), "it is left alone");
    let probe = due(ground, &at(32), 5).await;
    assert_eq!(by_channel(&probe), BTreeMap::from([("kavarna/hook".to_owned(), 1)]), "one shows whether it is back");
    record(ground, &[fails(&probe[0], 32_000)]).await;
    assert!(due(ground, &at(33), 5).await.is_empty(), "it is not");
    let probe = due(ground, &at(93), 5).await;
    record(ground, &[attempt(&probe[0], 93_000, Next::Delivered)]).await;
    assert!(ground.store().failing(&SHOP.into()).await.expect("they are listed").is_empty());
    assert_eq!(due(ground, &at(94), 5).await.len(), 5, "the rest follow");
}

async fn a_disabled_channel_is_claimed_when_it_is_resumed(ground: &Ground) {
    written(ground, SHOP, &[("hook", 2)]).await;
    let row = &due(ground, &at(1), 1).await[0];
    record(ground, &[fails(row, 0), Attempt { number: 2, ..fails(row, 11 * HOUR) }]).await;
    let view = ground.store().failing(&SHOP.into()).await.expect("they are listed");
    assert!(view[0].health.disabled_at.is_some());
    assert!(view[0].health.reason.as_deref().is_some_and(|reason| reason.contains("connection")));
    assert!(due(ground, &at(100_000_000), 5).await.is_empty(), "however long");
    let store = ground.store();
    assert!(!store.resume(&"other".into(), &"hook".into(), NOON, &anna()).await.expect("nothing"));
    assert!(store.resume(&SHOP.into(), &"hook".into(), NOON, &anna()).await.expect("it is resumed"));
    assert!(!store.resume(&SHOP.into(), &"hook".into(), NOON, &anna()).await.expect("it is well"));
    assert_eq!(due(ground, &at(2 * 86_400), 5).await.len(), 2);
}

async fn what_waited_for_days_is_not_sent(ground: &Ground) {
    written(ground, SHOP, &[("hook", 2)]).await;
    let row = &due(ground, &at(1), 1).await[0];
    // Its next turn is in four days; the other one's was at once.
    record(ground, &[attempt(row, 1_000, Next::Retry(at(4 * 86_400).now))]).await;
    let sent = due(ground, &at(4 * 86_400), 5).await;
    assert_eq!(sent.iter().map(|row| &row.delivery.id).collect::<Vec<_>>(), [&row.delivery.id]);
    let kept = ground.store().deliveries(&SHOP.into(), "suppressed", 9).await.expect("they are listed");
    assert_eq!(kept.iter().map(|kept| kept.delivery.note.as_deref()).collect::<Vec<_>>(), [Some(TOO_OLD)]);
}

async fn an_attempt_recorded_twice_counts_once(ground: &Ground) {
    written(ground, SHOP, &[("hook", 1)]).await;
    let row = &due(ground, &at(1), 1).await[0];
    let failed = [fails(row, 1_000)];
    for _ in 0..3 {
        record(ground, &failed).await;
    }
    assert_eq!(ground.store().failing(&SHOP.into()).await.expect("they are listed")[0].health.failures, 1);
    assert_eq!(ground.count("attempts").await, 1);
    let row = &due(ground, &at(2), 1).await[0];
    assert_eq!(row.attempt, 2);
    record(ground, &[attempt(row, 2_000, Next::Delivered)]).await;
    // A failure that comes in late does not bring back what was delivered.
    record(ground, &[fails(row, 2_500)]).await;
    assert_eq!(ground.store().deliveries(&SHOP.into(), "delivered", 9).await.expect("they are listed").len(), 1);
    record(ground, &[]).await;
}

async fn whoever_withdraws_consent_hears_no_more(ground: &Ground) {
    written(ground, SHOP, &[("mail", 2)]).await;
    let no = NewEntry { consent: Some(false), ..entry(join("no"), &[email("jana")]) };
    says(ground, SHOP, vec![no], LEASE).await;
    assert!(due(ground, &at(1), 9).await.is_empty());
    let kept = ground.store().deliveries(&SHOP.into(), "suppressed", 9).await.expect("they are listed");
    assert_eq!(kept.len(), 2);
    assert!(kept[0].delivery.note.as_deref().is_some_and(|note| note.contains("does not agree")));
    assert_eq!(ground.store().depth().await.expect("a count").deliveries, 0);
}

async fn a_dead_letter_is_sent_again(ground: &Ground) {
    written(ground, SHOP, &[("mail", 1)]).await;
    let row = &due(ground, &at(1), 9).await[0];
    let (id, store) = (&row.delivery.id, ground.store());
    assert!(!store.resend(&SHOP.into(), id, NOON, &anna()).await.expect("it is not dead"));
    record(ground, &[attempt(row, 1_000, Next::Dead)]).await;
    assert!(due(ground, &at(1_000), 9).await.is_empty());
    assert!(!store.resend(&"other".into(), id, NOON, &anna()).await.expect("it is another's"));
    assert!(store.resend(&SHOP.into(), id, NOON.plus_ms(60_000), &anna()).await.expect("it is dead"));
    assert!(due(ground, &at(59), 9).await.is_empty());
    let again = due(ground, &at(60), 9).await;
    assert_eq!(again.iter().map(|row| row.attempt).collect::<Vec<_>>(), [1]);
}
