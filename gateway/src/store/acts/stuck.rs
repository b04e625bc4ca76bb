//! What stands still, and whether the database takes a write. Every statement reads an index of what waits, which is short when all is
//! well.

use crate::store::engine::{Cell, Engine};
use crate::store::{FailingChannel, Leases, Parked, StoreError, StuckView, Waiting};
use perkgate_domain::time::Moment;

/// When an entry came: its arrival's time, or its own if nothing arrived for it.
const ENTRY_CAME: &str = "select coalesce(a.received_at, e.happened_at) as since
    from entries e left join arrivals a on a.arrival_id = e.arrival_id where e.entry_id = $1";
const ARRIVAL_CAME: &str = "select received_at as since from arrivals where arrival_id = $1";

/// Writes something that changes nothing, durably.
pub(in crate::store) async fn probe(engine: &Engine) -> Result<(), StoreError> {
    let mut tx = engine.write().await?;
    tx.run("update lead set leased_until = leased_until where only_row = 1", &[], &[]).await?;
    tx.commit().await
}

pub(in crate::store) async fn stuck(engine: &Engine, now: Moment) -> Result<StuckView, StoreError> {
    let arrivals = "select count(*) as count, min(arrival_id) as oldest from inbox";
    let parked = "select count(*) as count, min(arrival_id) as oldest from readings where state = 'parked'";
    let entries = "select count(*) as count, min(entry_id) as oldest from waiting where state = 'queued'";
    let put_off =
        "select count(*) as count, min(entry_id) as oldest from waiting where state = 'queued' and attempts > 0";
    let failed = "select count(*) as count, min(entry_id) as oldest from waiting where state = 'failed'";
    let stalled = "select count(*) as count, min(failing_since) as oldest from stalled_members";
    let stalled = engine.row(stalled, &[]).await?;
    let stalled = stalled.map(|row| -> Result<_, StoreError> {
        Ok(Waiting { count: row.get("count")?, since: row.get::<Option<i64>>("oldest")?.map(Moment) })
    });
    Ok(StuckView {
        arrivals: waiting(engine, arrivals, ARRIVAL_CAME).await?,
        entries: waiting(engine, entries, ENTRY_CAME).await?,
        put_off: waiting(engine, put_off, ENTRY_CAME).await?,
        failed: waiting(engine, failed, ENTRY_CAME).await?,
        stalled_members: stalled.transpose()?.unwrap_or_default(),
        parked_arrivals: waiting(engine, parked, ARRIVAL_CAME).await?,
        parked_entries: parked_entries(engine).await?,
        due_since: due_since(engine, now).await?,
        deliveries: deliveries(engine, now).await?,
        channels: channels(engine).await?,
        leases: leases(engine).await?,
    })
}

async fn waiting(engine: &Engine, counted: &str, came: &str) -> Result<Waiting, StoreError> {
    let Some(row) = engine.row(counted, &[]).await? else { return Ok(Waiting::default()) };
    let since = match row.get::<Option<i64>>("oldest")? {
        Some(oldest) => since(engine, came, oldest).await?,
        None => None,
    };
    Ok(Waiting { count: row.get("count")?, since })
}

async fn since(engine: &Engine, came: &str, oldest: i64) -> Result<Option<Moment>, StoreError> {
    let row = engine.row(came, &[Cell::Int(oldest)]).await?;
    row.map(|row| Ok(Moment(row.get("since")?))).transpose()
}

async fn parked_entries(engine: &Engine) -> Result<Vec<Parked>, StoreError> {
    let statement = "select coalesce(cause, '') as cause, count(*) as count, min(entry_id) as oldest from waiting
                     where state = 'parked' group by coalesce(cause, '') order by count(*) desc limit 20";
    let mut parked = Vec::new();
    for row in engine.rows(statement, &[], &[]).await? {
        let since = since(engine, ENTRY_CAME, row.get("oldest")?).await?;
        parked.push(Parked { cause: row.get("cause")?, waiting: Waiting { count: row.get("count")?, since } });
    }
    Ok(parked)
}

async fn due_since(engine: &Engine, now: Moment) -> Result<Option<Moment>, StoreError> {
    let mut first: Option<i64> = None;
    for statement in [
        "select min(due_at) as at from members where due_at <= $1",
        "select min(at) as at from wakes where at <= $1 and not_before <= $1",
    ] {
        let row = engine.row(statement, &[now.into()]).await?;
        let at = row.map_or(Ok(None), |row| row.get::<Option<i64>>("at"))?;
        first = [first, at].into_iter().flatten().min();
    }
    Ok(first.map(Moment))
}

async fn deliveries(engine: &Engine, now: Moment) -> Result<Waiting, StoreError> {
    let statement = "select count(*) as count, min(d.next_at) as oldest from deliveries d
                     where d.state = 'due' and d.next_at <= $1
                           and not exists (select 1 from failing_channels f
                                           where f.merchant_id = d.merchant_id and f.channel_id = d.channel_id)";
    let Some(row) = engine.row(statement, &[now.into()]).await? else { return Ok(Waiting::default()) };
    Ok(Waiting { count: row.get("count")?, since: row.get::<Option<i64>>("oldest")?.map(Moment) })
}

async fn channels(engine: &Engine) -> Result<Vec<FailingChannel>, StoreError> {
    let statement = "select merchant_id, channel_id, failures, failing_since, disabled_at from failing_channels
                     order by failing_since limit 200";
    let rows = engine.rows(statement, &[], &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(FailingChannel {
                merchant: row.get::<&str>("merchant_id")?.into(),
                channel: row.get::<&str>("channel_id")?.into(),
                failures: row.get("failures")?,
                since: Moment(row.get("failing_since")?),
                disabled: row.get::<Option<i64>>("disabled_at")?.is_some(),
            })
        })
        .collect()
}

async fn leases(engine: &Engine) -> Result<Leases, StoreError> {
    let statement = "select (select count(*) from inbox where leased_until > {now}) as arrivals,
                            (select count(*) from waiting where state = 'queued' and leased_until > {now}) as entries,
                            (select name from lead where leased_until > {now}) as scheduler";
    let Some(row) = engine.row(statement, &[]).await? else { return Ok(Leases::default()) };
    Ok(Leases { arrivals: row.get("arrivals")?, entries: row.get("entries")?, scheduler: row.get("scheduler")? })
}
