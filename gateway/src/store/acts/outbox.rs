//! Deliveries, their attempts, and the channels that fail.

use super::audit;
use super::channels::{Open, open_channels, update_health};
use super::rows::{arrival_of, delivery, json, owner};
use crate::store::engine::{Dialect, Engine, Kind, Row, Set, Tx};
use crate::store::{Actor, Claim, ContactField, DeliveryView, DueRow, Note, StoreError};
use perkgate_domain::delivery::{Attempt, Delivery, Next, TOO_OLD};
use perkgate_domain::ids::{ChannelId, DeliveryId, MemberId, MerchantId};
use perkgate_domain::limits::{BreakerLimits, MESSAGE_AGE_MS};
use perkgate_domain::time::Moment;
use serde_json::json;
use std::collections::{BTreeSet, HashMap};

/// What the settling commit writes into the outbox.
pub(super) async fn insert<'a>(tx: &mut Tx, deliveries: impl Iterator<Item = &'a Delivery>) -> Result<(), StoreError> {
    let mut rows = Set::new(
        "k",
        &[
            ("delivery_id", Kind::Text),
            ("merchant_id", Kind::Text),
            ("channel_id", Kind::Text),
            ("entry_id", Kind::Int),
            ("installation_id", Kind::Text),
            ("member_id", Kind::Text),
            ("message", Kind::Text),
            ("state", Kind::Text),
            ("note", Kind::Text),
            ("created_at", Kind::Int),
        ],
    );
    for delivery in deliveries {
        rows.push([
            (&delivery.id).into(),
            (&delivery.merchant).into(),
            (&delivery.channel).into(),
            delivery.entry.into(),
            (&delivery.installation).into(),
            (&delivery.member).into(),
            json("message", &delivery.message)?.into(),
            delivery.state.as_str().into(),
            delivery.note.as_ref().into(),
            delivery.created_at.into(),
        ]);
    }
    tx.run(
        "insert into deliveries (delivery_id, merchant_id, channel_id, entry_id, installation_id, member_id, message, state, note,
                                 created_at, next_at)
         select k.delivery_id, k.merchant_id, k.channel_id, k.entry_id, k.installation_id, k.member_id, k.message, k.state, k.note,
                k.created_at, k.created_at
         from {k}",
        &[],
        &[&rows],
    )
    .await?;
    Ok(())
}

pub(in crate::store) async fn due(
    engine: &Engine,
    claim: &Claim,
    per_channel: usize,
    full: &[(MerchantId, ChannelId)],
    breaker: &BreakerLimits,
) -> Result<Vec<DueRow>, StoreError> {
    let (mut after, mut passed) = (claim.after.clone(), BTreeSet::new());
    loop {
        let open = open_channels(engine, claim, &after, full, breaker).await?;
        let due = take(engine, claim, &open, per_channel).await?;
        let (all, before) = (open.seen.len() < claim.turns.max(1), passed.len());
        let last = open.seen.last().map(|(merchant, channel)| format!("{merchant}/{channel}")).unwrap_or_default();
        passed.extend(open.seen);
        // Channels that wait, fail or are full must not stand in the way of the rest.
        if !due.is_empty() || all || passed.len() == before {
            return Ok(due);
        }
        after = last;
    }
}

/// Leases of the open channels, in the order of their turns.
async fn take(engine: &Engine, claim: &Claim, open: &Open, per_channel: usize) -> Result<Vec<DueRow>, StoreError> {
    if open.well.is_empty() && open.probed.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = engine.write().await?;
    let mut rows = lease(&mut tx, claim, &open.well, per_channel).await?;
    rows.extend(lease(&mut tx, claim, &open.probed, 1).await?);
    let mut due = Vec::with_capacity(rows.len());
    let mut late = BTreeSet::new();
    let mut damaged = Set::new("k", &[("delivery_id", Kind::Text), ("note", Kind::Text)]);
    for row in &rows {
        let attempts: i64 = row.get("attempts")?;
        let attempt = u32::try_from(attempts + 1).unwrap_or(u32::MAX);
        match delivery(row) {
            Ok(delivery) => {
                // Its turn came long ago: its channel was disabled, or no gateway ran.
                if claim.now.since_ms(Moment(row.get("next_at")?)) > MESSAGE_AGE_MS {
                    late.insert(delivery.id.clone());
                }
                due.push(DueRow { delivery, attempt, arrival: arrival_of(row)?, contact: Vec::new() });
            }
            Err(error @ StoreError::Corrupt { .. }) => {
                let id: String = row.get("delivery_id")?;
                tracing::error!(delivery = id, "the delivery cannot be read and is given up: {error}");
                damaged.push([id.into(), error.to_string().into()]);
            }
            Err(error) => return Err(error),
        }
    }
    // One that does not read back must not stand in the way of the others.
    tx.run(
        "update deliveries set state = 'dead', note = k.note, leased_until = 0
         from {k} where deliveries.delivery_id = k.delivery_id",
        &[],
        &[&damaged],
    )
    .await?;
    withdraw(&mut tx, &mut due, &late).await?;
    contacts(&mut tx, &mut due).await?;
    tx.commit().await?;
    let turns: HashMap<_, _> =
        open.seen.iter().zip(0..).map(|((merchant, channel), turn)| ((merchant, channel), turn)).collect();
    due.sort_by_key(|DueRow { delivery, .. }| {
        turns.get(&(&delivery.merchant, &delivery.channel)).copied().unwrap_or(0)
    });
    Ok(due)
}

async fn lease(tx: &mut Tx, claim: &Claim, channels: &Set, per_channel: usize) -> Result<Vec<Row>, StoreError> {
    const OF_ONE: &str = "select d.delivery_id from deliveries d
        where d.state = 'due' and d.merchant_id = k.merchant_id and d.channel_id = k.channel_id and d.next_at <= $1
              and d.leased_until <= {now}
        order by d.next_at limit $4";
    let picked = match tx.dialect() {
        Dialect::Postgres => {
            tx.run("select pg_advisory_xact_lock(1347110740, 2)", &[], &[]).await?;
            format!("select p.delivery_id from {{k}} cross join lateral ({OF_ONE}) p limit $3")
        }
        Dialect::Sqlite => {
            format!("select p.delivery_id from {{k}} join deliveries p on p.delivery_id in ({OF_ONE}) limit $3")
        }
    };
    let statement = format!(
        "with picked (delivery_id) as ({picked})
         update deliveries set leased_until = {{now}} + $2 where delivery_id in (select delivery_id from picked)
         returning *, (select e.arrival_id from entries e where e.entry_id = deliveries.entry_id) as arrival_id"
    );
    tx.rows(&statement, &[claim.now.into(), claim.lease_ms.into(), claim.most.into(), per_channel.into()], &[channels])
        .await
}

/// What is not to be sent any more: consent may have been withdrawn since a message was written, and what is `late` is not true any more.
async fn withdraw(tx: &mut Tx, due: &mut Vec<DueRow>, late: &BTreeSet<DeliveryId>) -> Result<(), StoreError> {
    let mut rows =
        Set::new("k", &[("delivery_id", Kind::Text), ("merchant_id", Kind::Text), ("member_id", Kind::Text)]);
    for DueRow { delivery, .. } in due.iter() {
        rows.push([(&delivery.id).into(), (&delivery.merchant).into(), (&delivery.member).into()]);
    }
    let unwilling = tx
        .rows(
            "select k.delivery_id from {k} join members m on m.merchant_id = k.merchant_id and m.member_id = k.member_id
             where m.consent = 0",
            &[],
            &[&rows],
        )
        .await?;
    let unwilling = unwilling.iter().map(|row| row.get("delivery_id")).collect::<Result<BTreeSet<String>, _>>()?;
    let mut rows = Set::new("k", &[("delivery_id", Kind::Text), ("note", Kind::Text)]);
    for id in due.iter().map(|row| &row.delivery.id) {
        if unwilling.contains(id.as_str()) {
            rows.push([id.into(), "the member does not agree to messages any more".into()]);
        } else if late.contains(id) {
            rows.push([id.into(), TOO_OLD.into()]);
        }
    }
    tx.run(
        "update deliveries set state = 'suppressed', note = k.note from {k} where deliveries.delivery_id = k.delivery_id",
        &[],
        &[&rows],
    )
    .await?;
    due.retain(|row| !unwilling.contains(row.delivery.id.as_str()) && !late.contains(&row.delivery.id));
    Ok(())
}

async fn contacts(tx: &mut Tx, due: &mut [DueRow]) -> Result<(), StoreError> {
    let owners: BTreeSet<(&MerchantId, &MemberId)> =
        due.iter().map(|row| (&row.delivery.merchant, &row.delivery.member)).collect();
    let mut rows = Set::new("k", &[("merchant_id", Kind::Text), ("member_id", Kind::Text)]);
    for (merchant, member) in owners {
        rows.push([merchant.into(), member.into()]);
    }
    let found = tx
        .rows(
            "select c.* from {k} join contacts c on c.merchant_id = k.merchant_id and c.member_id = k.member_id",
            &[],
            &[&rows],
        )
        .await?;
    let mut contacts: HashMap<(MerchantId, MemberId), Vec<ContactField>> = HashMap::new();
    for row in &found {
        let field = ContactField { field: row.get("field")?, sealed: row.get("sealed")? };
        contacts.entry(owner(row)?).or_default().push(field);
    }
    for row in due {
        let owner = (row.delivery.merchant.clone(), row.delivery.member.clone());
        row.contact = contacts.get(&owner).cloned().unwrap_or_default();
    }
    Ok(())
}

pub(in crate::store) async fn record(
    engine: &Engine,
    attempts: &[Attempt],
    breaker: &BreakerLimits,
) -> Result<(), StoreError> {
    let mut rows = Set::new(
        "k",
        &[
            ("delivery_id", Kind::Text),
            ("number", Kind::Int),
            ("at", Kind::Int),
            ("took_ms", Kind::Int),
            ("status", Kind::Int),
            ("error", Kind::Text),
            ("state", Kind::Text),
            ("next_at", Kind::Int),
        ],
    );
    for attempt in attempts {
        let (state, next) = match attempt.next {
            Next::Delivered => ("delivered", 0),
            Next::Retry(at) => ("due", at.0),
            Next::Dead => ("dead", 0),
        };
        rows.push([
            (&attempt.delivery).into(),
            i64::from(attempt.number).into(),
            attempt.at.into(),
            attempt.took_ms.into(),
            attempt.status.map(i64::from).into(),
            attempt.error.as_ref().into(),
            state.into(),
            next.into(),
        ]);
    }
    let mut tx = engine.write().await?;
    let new = tx
        .rows(
            "insert into attempts (delivery_id, number, at, took_ms, status, error)
             select k.delivery_id, k.number, k.at, k.took_ms, k.status, k.error from {k} where true
             on conflict do nothing
             returning delivery_id, number, at",
            &[],
            &[&rows],
        )
        .await?;
    tx.run(
        "update deliveries set attempts = k.number, state = k.state, note = k.error, next_at = k.next_at, leased_until = 0
         from {k} where deliveries.delivery_id = k.delivery_id and deliveries.state = 'due'",
        &[],
        &[&rows],
    )
    .await?;
    // A commit whose answer was lost is recorded again: what it counted is not counted twice.
    let new = new
        .iter()
        .map(|row| Ok((row.get("delivery_id")?, row.get("number")?, row.get("at")?)))
        .collect::<Result<BTreeSet<(String, i64, i64)>, StoreError>>()?;
    let is_new =
        |attempt: &&Attempt| new.contains(&(attempt.delivery.to_string(), i64::from(attempt.number), attempt.at.0));
    update_health(&mut tx, attempts.iter().filter(is_new), breaker).await?;
    tx.commit().await
}

pub(in crate::store) async fn list(
    engine: &Engine,
    merchant: &MerchantId,
    state: &str,
    most: i64,
) -> Result<Vec<DeliveryView>, StoreError> {
    let rows = engine
        .rows(
            "select * from deliveries where merchant_id = $1 and state = $2 order by created_at desc, delivery_id limit $3",
            &[merchant.into(), state.into(), most.into()],
            &[],
        )
        .await?;
    rows.iter().map(|row| Ok(DeliveryView { delivery: delivery(row)?, attempts: row.get("attempts")? })).collect()
}

pub(in crate::store) async fn resend(
    engine: &Engine,
    merchant: &MerchantId,
    delivery: &DeliveryId,
    now: Moment,
    by: &Actor,
) -> Result<bool, StoreError> {
    let mut tx = engine.write().await?;
    let done = tx
        .run(
            "update deliveries set state = 'due', attempts = 0, next_at = $3, leased_until = 0
             where merchant_id = $1 and delivery_id = $2 and state = 'dead'",
            &[merchant.into(), delivery.into(), now.into()],
            &[],
        )
        .await?;
    if done == 1 {
        let note = Note::new(Some(merchant), by, "delivery.resend", now).now(json!({"delivery": delivery}));
        audit::write(&mut tx, std::iter::once((&note, None))).await?;
    }
    tx.commit().await?;
    Ok(done == 1)
}
