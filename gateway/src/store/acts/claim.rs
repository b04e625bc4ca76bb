//! Turns at the queues: whoever claims takes some of every merchant's work, oldest first, and holds it for a while. Merchants come in
//! the order of their names, from where the last claim ended; each is found by one step along an index, so a backlog of one costs the
//! others nothing.

use super::rows::{arrival_of, document};
use crate::store::engine::{Cell, Dialect, Engine, Kind, Row, Set, Tx};
use crate::store::{Claim, StoreError, UnreadArrival};
use perkgate_domain::ids::{ArrivalId, EntryId};
use perkgate_domain::plan::QueuedEntry;
use perkgate_domain::time::Moment;
use std::collections::BTreeSet;

/// Whose turn it is: `$1` is the merchant behind whom turns begin, `$2` how many get one, and who is before comes after the rest. They
/// share `$3` rows evenly.
macro_rules! turns {
    ($table:literal) => {
        concat!(
            "with recursive ahead (merchant_id, turn) as (
                 select (select min(merchant_id) from ", $table, " and merchant_id > $1), 1
                 union all
                 select (select min(merchant_id) from ", $table, " and merchant_id > ahead.merchant_id), ahead.turn + 1
                 from ahead where ahead.merchant_id is not null and ahead.turn < $2
             ),
             around (merchant_id, turn) as (
                 select (select min(merchant_id) from ", $table, " and merchant_id <= $1), 1
                 union all
                 select (select min(merchant_id) from ", $table, " and merchant_id > around.merchant_id and merchant_id <= $1),
                        around.turn + 1
                 from around where around.merchant_id is not null and around.turn < $2
             ),
             turns (merchant_id) as (
                 select merchant_id from (
                     select merchant_id, 0 as later, turn from ahead where merchant_id is not null
                     union all
                     select merchant_id, 1 as later, turn from around where merchant_id is not null
                 ) both_ways order by later, turn limit $2
             ),
             share (most) as (select case when count(*) > $3 or count(*) = 0 then 1 else $3 / count(*) end from turns) "
        )
    };
}

/// Of one merchant: arrivals that may be read now, which is `$4` by the caller's clock.
const ARRIVALS_OF: &str = "select i.arrival_id from inbox i
    where i.merchant_id = turns.merchant_id and i.not_before <= $4 and i.leased_until <= {now}
    order by i.arrival_id limit (select most from share)";

/// Of one merchant: entries that may be settled now. What is behind an entry of the same member that is held, put off or failed waits for it. A
/// refund may be older than what of its member is held already, since it was woken only now: it waits too.
const ENTRIES_OF: &str = "select w.entry_id from waiting w
    where w.state = 'queued' and w.merchant_id = turns.merchant_id and w.not_before <= $4 and w.leased_until <= {now}
          and not exists (select 1 from waiting b
                          where b.state = 'queued' and b.merchant_id = w.merchant_id and b.member_id = w.member_id
                                and b.entry_id < w.entry_id and (b.not_before > $4 or b.leased_until > {now}))
          and not exists (select 1 from waiting b
                          where b.state = 'failed' and b.merchant_id = w.merchant_id and b.member_id = w.member_id
                                and b.entry_id < w.entry_id)
          and (w.purchase_id is null
               or not exists (select 1 from waiting b
                              where b.state = 'queued' and b.merchant_id = w.merchant_id and b.member_id = w.member_id
                                    and b.entry_id > w.entry_id and b.leased_until > {now}))
    order by w.entry_id limit (select most from share)";

/// Bytes of large arrivals (see the index `arrivals_large`) in one claim, which has one at least.
const LARGE_TOGETHER: i64 = 8 * 1024 * 1024;

/// What is claimed, and how.
struct Queue {
    table: &'static str,
    /// Its key.
    id: &'static str,
    /// A row, if there is anything in it.
    peek: &'static str,
    turns: &'static str,
    of_one: &'static str,
    /// Whether some of it may be large.
    may_be_large: bool,
    /// What was leased, `k`, with all that is needed to work on it.
    read: &'static str,
}

const ARRIVALS: Queue = Queue {
    table: "inbox",
    id: "arrival_id",
    peek: "select merchant_id from inbox order by merchant_id limit 1",
    turns: turns!("inbox where leased_until >= 0"),
    of_one: ARRIVALS_OF,
    may_be_large: true,
    read:
        "select a.arrival_id, a.merchant_id, a.source_id, a.topic, a.dedupe, a.test, a.sealed, a.received_at, i.fetched,
                  i.attempts
           from {k} join arrivals a on a.arrival_id = k.id join inbox i on i.arrival_id = k.id
           order by a.arrival_id",
};

const ENTRIES: Queue = Queue {
    table: "waiting",
    id: "entry_id",
    peek: "select merchant_id from waiting where state = 'queued' order by merchant_id limit 1",
    turns: turns!("waiting where state = 'queued'"),
    of_one: ENTRIES_OF,
    may_be_large: false,
    read: "select e.entry_id, e.merchant_id, e.source_id, e.arrival_id, w.member_id, e.purchase_entry, e.document, w.attempts
           from {k} join entries e on e.entry_id = k.id join waiting w on w.entry_id = k.id
           order by e.entry_id",
};

pub(in crate::store) async fn arrivals(engine: &Engine, claim: &Claim) -> Result<Vec<UnreadArrival>, StoreError> {
    take(engine, claim, &ARRIVALS).await?.iter().map(unread).collect()
}

/// An entry that does not read back fails at once, for a person to look at; the others are answered.
pub(in crate::store) async fn entries(engine: &Engine, claim: &Claim) -> Result<Vec<QueuedEntry>, StoreError> {
    let rows = take(engine, claim, &ENTRIES).await?;
    let mut entries = Vec::with_capacity(rows.len());
    let mut damaged = Set::new("k", &[("entry_id", Kind::Int), ("cause", Kind::Text)]);
    for row in &rows {
        match queued(row) {
            Ok(entry) => entries.push(entry),
            Err(error @ StoreError::Corrupt { .. }) => {
                let id: i64 = row.get("entry_id")?;
                tracing::error!(entry = id, "the entry cannot be read and waits for a person: {error}");
                damaged.push([id.into(), error.to_string().into()]);
            }
            Err(error) => return Err(error),
        }
    }
    if !damaged.is_empty() {
        let mut tx = engine.write().await?;
        tx.run(
            "update waiting set state = 'failed', attempts = attempts + 1, cause = k.cause, leased_until = 0,
                    failing_since = coalesce(failing_since, $1)
             from {k} where waiting.entry_id = k.entry_id",
            &[claim.now.into()],
            &[&damaged],
        )
        .await?;
        tx.commit().await?;
    }
    Ok(entries)
}

async fn take(engine: &Engine, claim: &Claim, queue: &Queue) -> Result<Vec<Row>, StoreError> {
    // Mostly nothing waits, and finding that out should not take the writer's lock.
    if engine.row(queue.peek, &[]).await?.is_none() {
        return Ok(Vec::new());
    }
    let mut tx = engine.write().await?;
    let mut ids = lease(&mut tx, claim, queue).await?;
    if queue.may_be_large {
        give_back_large(&mut tx, &mut ids).await?;
    }
    let rows = tx.rows(queue.read, &[], &[&Set::of_ids("k", ids)]).await?;
    tx.commit().await?;
    Ok(rows)
}

fn unread(row: &Row) -> Result<UnreadArrival, StoreError> {
    Ok(UnreadArrival {
        id: ArrivalId(row.get("arrival_id")?),
        merchant: row.get::<&str>("merchant_id")?.into(),
        source: row.get::<&str>("source_id")?.into(),
        topic: row.get("topic")?,
        dedupe: row.get("dedupe")?,
        test: row.get::<i64>("test")? != 0,
        sealed: row.get("sealed")?,
        fetched: row.get("fetched")?,
        received_at: Moment(row.get("received_at")?),
        attempts: row.get("attempts")?,
    })
}

fn queued(row: &Row) -> Result<QueuedEntry, StoreError> {
    Ok(QueuedEntry {
        id: EntryId(row.get("entry_id")?),
        merchant: row.get::<&str>("merchant_id")?.into(),
        source: row.get::<&str>("source_id")?.into(),
        arrival: arrival_of(row)?,
        event: document("event", row.get("document")?)?,
        member: row.get::<Option<&str>>("member_id")?.map(Into::into),
        purchase: row.get::<Option<i64>>("purchase_entry")?.map(EntryId),
        born: false,
        attempts: row.get("attempts")?,
    })
}

/// Takes turns and writes the leases. One process at a time: two would take one member's entries apart.
async fn lease(tx: &mut Tx, claim: &Claim, queue: &Queue) -> Result<Vec<i64>, StoreError> {
    let Queue { table, id, turns, of_one, .. } = queue;
    let picked = match tx.dialect() {
        Dialect::Postgres => {
            tx.run("select pg_advisory_xact_lock(1347110740, 1)", &[], &[]).await?;
            format!("select p.{id} from turns cross join lateral ({of_one}) p")
        }
        // No lateral joins here, but a sub-select may look at the row beside it.
        Dialect::Sqlite => format!("select p.{id} from turns join {table} p on p.{id} in ({of_one})"),
    };
    let statement = format!(
        "{turns}, picked ({id}) as ({picked})
         update {table} set leased_until = {{now}} + $5 where {id} in (select {id} from picked) returning {id}"
    );
    let whose = format!("{turns} select merchant_id from turns");
    let (turns, most) = (claim.turns.max(1), claim.most.max(1));
    let (mut after, mut passed) = (claim.after.clone(), BTreeSet::new());
    loop {
        let lease: [Cell<'_>; 5] =
            [(&after).into(), turns.into(), most.into(), claim.now.into(), claim.lease_ms.into()];
        let rows = tx.rows(&statement, &lease, &[]).await?;
        let ids = rows.iter().map(|row| row.get(id)).collect::<Result<BTreeSet<i64>, _>>()?;
        if !ids.is_empty() {
            return Ok(ids.into_iter().collect());
        }
        // All that these merchants have is held by others or put off, and must not stand in the way of the rest.
        let rows = tx.rows(&whose, &lease[..3], &[]).await?;
        let served = rows.iter().map(|row| row.get("merchant_id")).collect::<Result<Vec<String>, _>>()?;
        let (all, before) = (served.len() < turns, passed.len());
        let Some(last) = served.last().cloned() else { return Ok(Vec::new()) };
        passed.extend(served);
        if all || passed.len() == before {
            return Ok(Vec::new());
        }
        after = last;
    }
}

/// Keeps of the large ones only the first few: a backlog of them must not be read into memory at once. The rest is claimed later.
async fn give_back_large(tx: &mut Tx, ids: &mut Vec<i64>) -> Result<(), StoreError> {
    let (Some(first), Some(last)) = (ids.iter().min().copied(), ids.iter().max().copied()) else { return Ok(()) };
    // Left to itself, SQLite walks the arrivals.
    let arrivals = match tx.dialect() {
        Dialect::Sqlite => "arrivals a indexed by arrivals_large",
        Dialect::Postgres => "arrivals a",
    };
    // A length is read without the bytes.
    let weigh = format!(
        "select a.arrival_id as id, cast(length(a.sealed) as bigint) as bytes from {arrivals}
         where length(a.sealed) > 65536 and a.arrival_id between $1 and $2 order by a.arrival_id"
    );
    let large = tx.rows(&weigh, &[first.into(), last.into()], &[]).await?;
    let (mut sum, mut over) = (0, BTreeSet::new());
    for row in &large {
        let (id, bytes): (i64, i64) = (row.get("id")?, row.get("bytes")?);
        if ids.contains(&id) {
            sum += bytes;
            if sum > LARGE_TOGETHER && sum > bytes {
                over.insert(id);
            }
        }
    }
    if over.is_empty() {
        return Ok(());
    }
    ids.retain(|id| !over.contains(id));
    let over = Set::of_ids("k", over);
    tx.run("update inbox set leased_until = 0 where arrival_id in (select k.id from {k})", &[], &[&over]).await?;
    Ok(())
}

pub(in crate::store) async fn hold(
    engine: &Engine,
    arrivals: &[ArrivalId],
    entries: &[EntryId],
    lease_ms: i64,
) -> Result<(), StoreError> {
    let arrivals = Set::of_ids("k", arrivals.iter().map(|arrival| arrival.0));
    let entries = Set::of_ids("k", entries.iter().map(|entry| entry.0));
    let mut tx = engine.write().await?;
    for (table, id, ids) in [("inbox", "arrival_id", arrivals), ("waiting", "entry_id", entries)] {
        let until = "case when $1 > 0 then {now} + $1 else 0 end";
        let statement = match tx.dialect() {
            Dialect::Sqlite => {
                format!("update {table} set leased_until = {until} from {{k}} where {table}.{id} = k.id")
            }
            // Whoever has a row locked is just ending it, and must not be waited for: they may be waiting for us.
            Dialect::Postgres => format!(
                "update {table} set leased_until = {until}
                 from (select q.{id} from {{k}} join {table} q on q.{id} = k.id for update of q skip locked) h
                 where {table}.{id} = h.{id}"
            ),
        };
        tx.run(&statement, &[lease_ms.into()], &[&ids]).await?;
    }
    tx.commit().await
}

pub(in crate::store) async fn still_queued(engine: &Engine, entries: &[EntryId]) -> Result<Vec<EntryId>, StoreError> {
    let ids = Set::of_ids("k", entries.iter().map(|entry| entry.0));
    let queued = "select w.entry_id from {k} join waiting w on w.entry_id = k.id and w.state = 'queued'";
    let rows = engine.rows(queued, &[], &[&ids]).await?;
    rows.iter().map(|row| Ok(EntryId(row.get("entry_id")?))).collect()
}
