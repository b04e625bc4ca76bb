//! Channels: whose turn it is to be sent to, and which of them fail.

use super::audit;
use super::rows::moment;
use crate::store::engine::{Engine, Kind, Row, Set, Tx};
use crate::store::{Actor, ChannelView, Claim, Note, StoreError};
use perkgate_domain::delivery::Attempt;
use perkgate_domain::health::Health;
use perkgate_domain::ids::{ChannelId, MerchantId};
use perkgate_domain::limits::BreakerLimits;
use perkgate_domain::time::Moment;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};

/// A column of the first delivery, by merchant and channel, behind a place.
macro_rules! next_place {
    ($column:literal, $after:literal) => {
        concat!(
            "(select d.",
            $column,
            " from deliveries d where d.state = 'due' and (d.merchant_id, d.channel_id) > ",
            $after,
            " order by d.merchant_id, d.channel_id limit 1)"
        )
    };
}

/// Channels that have something to send, in order: `$1` and `$2` are the merchant and channel behind whom turns begin, `$3` how many
/// get one. A step along an index for each, however much waits.
const TURNS: &str = concat!(
    "with recursive turns (merchant_id, channel_id, turn) as (
        select ",
    next_place!("merchant_id", "($1, $2)"),
    ", ",
    next_place!("channel_id", "($1, $2)"),
    ", 1
        union all
        select ",
    next_place!("merchant_id", "(turns.merchant_id, turns.channel_id)"),
    ",
               ",
    next_place!("channel_id", "(turns.merchant_id, turns.channel_id)"),
    ", turns.turn + 1
        from turns where turns.merchant_id is not null and turns.turn < $3
    ) select merchant_id, channel_id from turns where merchant_id is not null"
);

/// Channels with something to send that may be sent to.
pub(super) struct Open {
    /// Nothing is known against them.
    pub(super) well: Set,
    /// They failed: one delivery shows whether the receiver is back.
    pub(super) probed: Set,
    /// All that were looked at, in the order of their turns.
    pub(super) seen: Vec<(MerchantId, ChannelId)>,
}

pub(super) async fn open_channels(
    engine: &Engine,
    claim: &Claim,
    after: &str,
    full: &[(MerchantId, ChannelId)],
    breaker: &BreakerLimits,
) -> Result<Open, StoreError> {
    let (merchant, channel) = after.split_once('/').unwrap_or_default();
    let values = |merchant: &str, channel: &str| {
        [merchant.to_owned().into(), channel.to_owned().into(), claim.turns.max(1).into()]
    };
    let mut found = Vec::new();
    for row in engine.rows(TURNS, &values(merchant, channel), &[]).await? {
        found.push(place(&row)?);
    }
    if found.len() < claim.turns.max(1) && !after.is_empty() {
        // Those before come after the rest.
        for row in engine.rows(TURNS, &values("", ""), &[]).await? {
            let place = place(&row)?;
            if !found.contains(&place) {
                found.push(place);
            }
        }
        found.truncate(claim.turns.max(1));
    }
    let mut asked = Set::new("k", &[("merchant_id", Kind::Text), ("channel_id", Kind::Text)]);
    for (merchant, channel) in &found {
        asked.push([merchant.into(), channel.into()]);
    }
    let mut failing = HashMap::new();
    for row in engine.rows(HEALTH, &[], &[&asked]).await? {
        failing.insert(place(&row)?, health(&row)?);
    }
    let columns = [("merchant_id", Kind::Text), ("channel_id", Kind::Text)];
    let mut open = Open { well: Set::new("k", &columns), probed: Set::new("k", &columns), seen: Vec::new() };
    for place in found.iter().filter(|place| !full.contains(place)) {
        let row = [(&place.0).into(), (&place.1).into()];
        match failing.get(place) {
            Some(health) if health.disabled_at.is_some() || health.closed_until > claim.now => {}
            Some(health) if health.is_tripped(breaker) => open.probed.push(row),
            _ => open.well.push(row),
        }
    }
    open.seen = found;
    Ok(open)
}

fn place(row: &Row) -> Result<(MerchantId, ChannelId), StoreError> {
    Ok((row.get::<&str>("merchant_id")?.into(), row.get::<&str>("channel_id")?.into()))
}

const HEALTH: &str =
    "select f.* from {k} join failing_channels f on f.merchant_id = k.merchant_id and f.channel_id = k.channel_id";

fn health(row: &Row) -> Result<Health, StoreError> {
    Ok(Health {
        failures: row.get("failures")?,
        failing_since: moment(row, "failing_since")?,
        closed_until: Moment(row.get("closed_until")?),
        disabled_at: moment(row, "disabled_at")?,
        reason: row.get("reason")?,
    })
}

pub(super) async fn update_health<'a>(
    tx: &mut Tx,
    attempts: impl Iterator<Item = &'a Attempt>,
    breaker: &BreakerLimits,
) -> Result<(), StoreError> {
    let mut by_channel: BTreeMap<(&MerchantId, &ChannelId), Vec<&Attempt>> = BTreeMap::new();
    for attempt in attempts {
        by_channel.entry((&attempt.merchant, &attempt.channel)).or_default().push(attempt);
    }
    let mut places = Set::new("k", &[("merchant_id", Kind::Text), ("channel_id", Kind::Text)]);
    for (merchant, channel) in by_channel.keys() {
        places.push([(*merchant).into(), (*channel).into()]);
    }
    let mut known = HashMap::new();
    for row in tx.rows(HEALTH, &[], &[&places]).await? {
        known.insert(place(&row)?, health(&row)?);
    }
    let mut failing = Set::new(
        "k",
        &[
            ("merchant_id", Kind::Text),
            ("channel_id", Kind::Text),
            ("failures", Kind::Int),
            ("failing_since", Kind::Int),
            ("closed_until", Kind::Int),
            ("disabled_at", Kind::Int),
            ("reason", Kind::Text),
        ],
    );
    let mut well = Set::new("k", &[("merchant_id", Kind::Text), ("channel_id", Kind::Text)]);
    for ((merchant, channel), mut attempts) in by_channel {
        attempts.sort_by_key(|attempt| (attempt.at, attempt.number));
        let before = known.remove(&(merchant.clone(), channel.clone()));
        let was_failing = before.is_some();
        let after = attempts.iter().fold(before.unwrap_or_default(), |health, attempt| health.after(attempt, breaker));
        match after.failing_since {
            Some(since) => failing.push([
                merchant.into(),
                channel.into(),
                after.failures.into(),
                since.into(),
                after.closed_until.into(),
                after.disabled_at.into(),
                after.reason.as_ref().into(),
            ]),
            None if was_failing => well.push([merchant.into(), channel.into()]),
            None => {}
        }
    }
    tx.run(
        "delete from failing_channels where (merchant_id, channel_id) in (select k.merchant_id, k.channel_id from {k})",
        &[],
        &[&well],
    )
    .await?;
    tx.run(
        "insert into failing_channels (merchant_id, channel_id, failures, failing_since, closed_until, disabled_at, reason)
         select k.merchant_id, k.channel_id, k.failures, k.failing_since, k.closed_until, k.disabled_at, k.reason
         from {k} where true order by k.place
         on conflict (merchant_id, channel_id) do update set failures = excluded.failures,
             failing_since = excluded.failing_since, closed_until = excluded.closed_until,
             disabled_at = excluded.disabled_at, reason = excluded.reason",
        &[],
        &[&failing],
    )
    .await?;
    Ok(())
}

pub(in crate::store) async fn failing(engine: &Engine, merchant: &MerchantId) -> Result<Vec<ChannelView>, StoreError> {
    let rows = engine
        .rows("select * from failing_channels where merchant_id = $1 order by channel_id", &[merchant.into()], &[])
        .await?;
    rows.iter()
        .map(|row| Ok(ChannelView { channel: row.get::<&str>("channel_id")?.into(), health: health(row)? }))
        .collect()
}

pub(in crate::store) async fn resume(
    engine: &Engine,
    merchant: &MerchantId,
    channel: &ChannelId,
    now: Moment,
    by: &Actor,
) -> Result<bool, StoreError> {
    let mut tx = engine.write().await?;
    let statement = "delete from failing_channels where merchant_id = $1 and channel_id = $2";
    let done = tx.run(statement, &[merchant.into(), channel.into()], &[]).await?;
    if done == 1 {
        let note = Note::new(Some(merchant), by, "channel.resume", now).now(json!({"channel": channel}));
        audit::write(&mut tx, std::iter::once((&note, None))).await?;
    }
    tx.commit().await?;
    Ok(done == 1)
}
