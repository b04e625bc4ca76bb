//! What failed and is not tried again by itself for a while: entries that failed for good, and members for whom what is due cannot be
//! seen to. Each holds up its own member and nobody else.

use crate::store::engine::{Engine, Set, Tx};
use crate::store::{StalledView, StoreError};
use perkgate_domain::ids::{EntryId, MerchantId};
use perkgate_domain::limits::{RETRIES, RETRY_MOST_MS, RETRY_MS};
use perkgate_domain::time::Moment;

/// Makes members wait: twice as long each time, and after [`RETRIES`] until somebody asks.
pub(super) async fn stall(tx: &mut Tx, members: &Set) -> Result<(), StoreError> {
    tx.run(
        "insert into stalled_members (merchant_id, member_id, cause, failing_since, attempts, wait_ms, not_before)
         select k.merchant_id, k.member_id, k.cause, k.at, 1, $1, k.at + $1 from {k} where true
         on conflict (merchant_id, member_id) do update set
             cause = excluded.cause,
             attempts = stalled_members.attempts + 1,
             wait_ms = case when stalled_members.wait_ms * 2 > $2 then $2 else stalled_members.wait_ms * 2 end,
             not_before = case when stalled_members.attempts + 1 >= $3 then 9223372036854775807
                               else excluded.not_before - $1
                                    + case when stalled_members.wait_ms * 2 > $2 then $2 else stalled_members.wait_ms * 2 end
                          end",
        &[RETRY_MS.into(), RETRY_MOST_MS.into(), RETRIES.into()],
        &[members],
    )
    .await?;
    Ok(())
}

/// Forgets members for whom nothing is due any more: their own entries, or a later look, have seen to it.
pub(in crate::store) async fn recover(engine: &Engine, now: Moment) -> Result<u64, StoreError> {
    if engine.row("select member_id from stalled_members limit 1", &[]).await?.is_none() {
        return Ok(0);
    }
    let mut tx = engine.write().await?;
    let recovered = tx
        .run(
            "delete from stalled_members where not exists (
                 select 1 from members m where m.merchant_id = stalled_members.merchant_id
                        and m.member_id = stalled_members.member_id and m.due_at <= $1
             ) and not exists (
                 select 1 from wakes w where w.merchant_id = stalled_members.merchant_id
                        and w.member_id = stalled_members.member_id and w.at <= $1
             )",
            &[now.into()],
            &[],
        )
        .await?;
    tx.commit().await?;
    Ok(recovered)
}

/// Tries again what failed: everything, or what is one merchant's, or one entry. Answers how much there is of it.
pub(in crate::store) async fn retry(
    engine: &Engine,
    merchant: Option<&MerchantId>,
    entry: Option<EntryId>,
) -> Result<u64, StoreError> {
    let (whose, which) = (merchant.map_or("", MerchantId::as_str), entry.map_or(0, |entry| entry.0));
    let mut tx = engine.write().await?;
    let mut count = tx
        .run(
            "update waiting set state = 'queued', attempts = 0, not_before = 0, leased_until = 0
             where (state = 'failed' or (state = 'queued' and attempts > 0)) and ($1 = '' or merchant_id = $1)
                   and ($2 = 0 or entry_id = $2)",
            &[whose.into(), which.into()],
            &[],
        )
        .await?;
    if entry.is_none() {
        count += tx
            .run(
                "update stalled_members set attempts = 0, wait_ms = $2, not_before = 0 where $1 = '' or merchant_id = $1",
                &[whose.into(), RETRY_MS.into()],
                &[],
            )
            .await?;
    }
    tx.commit().await?;
    Ok(count)
}

/// What does not go on by itself, or only after a wait, the longest failing first.
pub(in crate::store) async fn list(
    engine: &Engine,
    merchant: &MerchantId,
    most: i64,
) -> Result<Vec<StalledView>, StoreError> {
    let mut stalled = Vec::new();
    let entries = engine
        .rows(
            "select w.entry_id, w.source_id, w.member_id, w.state, w.cause, w.attempts, w.failing_since, w.not_before, e.kind,
                    e.external_id, coalesce(a.received_at, e.happened_at) as received_at
             from waiting w join entries e on e.entry_id = w.entry_id left join arrivals a on a.arrival_id = e.arrival_id
             where w.merchant_id = $1 and (w.state in ('failed', 'parked') or (w.state = 'queued' and w.attempts > 0))
             order by w.entry_id limit $2",
            &[merchant.into(), most.into()],
            &[],
        )
        .await?;
    for row in &entries {
        stalled.push(StalledView {
            entry: Some(EntryId(row.get("entry_id")?)),
            kind: row.get("kind")?,
            id: row.get("external_id")?,
            source: row.get("source_id")?,
            member: row.get("member_id")?,
            state: row.get("state")?,
            cause: row.get("cause")?,
            attempts: row.get("attempts")?,
            since: row.get::<Option<i64>>("failing_since")?.or(row.get("received_at")?).map(Moment),
            next: Some(row.get("not_before")?).filter(|at| *at > 0).map(Moment),
        });
    }
    let members = engine
        .rows(
            "select member_id, cause, attempts, failing_since, not_before from stalled_members
             where merchant_id = $1 order by failing_since limit $2",
            &[merchant.into(), most.into()],
            &[],
        )
        .await?;
    for row in &members {
        let until = Some(row.get("not_before")?).filter(|at: &i64| *at < i64::MAX);
        stalled.push(StalledView {
            entry: None,
            kind: "due".to_owned(),
            id: String::new(),
            source: String::new(),
            member: row.get("member_id")?,
            state: if until.is_some() { "queued" } else { "failed" }.to_owned(),
            cause: row.get("cause")?,
            attempts: row.get("attempts")?,
            since: Some(Moment(row.get("failing_since")?)),
            next: until.map(Moment),
        });
    }
    Ok(stalled)
}
