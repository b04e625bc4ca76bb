//! Arrivals and rejections: what came in, as it came.

use super::audit;
use super::keys::keyed_text;
use super::rows::digest;
use crate::store::engine::{Cell, Engine, Kind, Set, Tx};
use crate::store::{Appended, NewArrival, NewRejection, StoreError};
use perkgate_domain::ids::{ArrivalId, Digest};
use std::collections::{BTreeMap, HashMap};

type Key = (String, String, String);

pub(in crate::store) async fn append(
    engine: &Engine,
    arrivals: &[NewArrival],
    lease_ms: i64,
) -> Result<Vec<Appended>, StoreError> {
    let mut tx = engine.write().await?;
    let keyed: Vec<(Key, &NewArrival)> =
        arrivals.iter().map(|arrival| (key(arrival, &arrival.dedupe), arrival)).collect();
    let mut fresh = insert(&mut tx, &keyed).await?;
    let queue = waiting_rows(&keyed, &fresh);
    // A new arrival is its own answer; only what was known before is looked up.
    let known = existing(&mut tx, &keyed, &fresh).await?;
    let mut answers = Vec::with_capacity(arrivals.len());
    let mut conflicts = Vec::new();
    for (index, (key, arrival)) in keyed.iter().enumerate() {
        let (id, digest, new) = match (fresh.get_mut(key), known.get(key)) {
            (Some((id, digest, new)), _) => (*id, *digest, std::mem::take(new)),
            (None, Some((id, digest))) => (*id, *digest, false),
            (None, None) => {
                return Err(StoreError::Corrupt {
                    what: "arrival",
                    detail: "it vanished while it was journalled".to_owned(),
                });
            }
        };
        answers.push(if new {
            Appended::Accepted(id)
        } else if digest == arrival.digest {
            Appended::Duplicate(id)
        } else {
            conflicts.push(index);
            Appended::Conflict(id)
        });
    }
    tx.run(
        "insert into inbox (arrival_id, merchant_id, leased_until)
         select k.arrival_id, k.merchant_id, case when $1 > 0 then {now} + $1 else 0 end from {k} order by k.place",
        &[lease_ms.into()],
        &[&queue],
    )
    .await?;
    if !conflicts.is_empty() {
        keep_apart(&mut tx, &keyed, &conflicts, &mut answers).await?;
    }
    // Who asks for the same again is told what became of the first one: only that is in the log.
    let done = arrivals.iter().zip(&answers).filter_map(|(arrival, appended)| match appended {
        Appended::Accepted(id) => Some((arrival.note.as_ref()?, Some(*id))),
        Appended::Duplicate(_) | Appended::Conflict(_) => None,
    });
    audit::write(&mut tx, done).await?;
    tx.commit().await?;
    Ok(answers)
}

/// Keeps contradictions under a key of their own, read by nobody.
async fn keep_apart(
    tx: &mut Tx,
    keyed: &[(Key, &NewArrival)],
    conflicts: &[usize],
    answers: &mut [Appended],
) -> Result<(), StoreError> {
    let apart: Vec<(Key, &NewArrival)> = conflicts
        .iter()
        .map(|index| {
            let arrival = keyed[*index].1;
            (key(arrival, &format!("{}#{}", arrival.dedupe, keyed_text(&arrival.digest))), arrival)
        })
        .collect();
    let fresh = insert(tx, &apart).await?;
    let known = existing(tx, &apart, &fresh).await?;
    let mut ended = Set::new("k", &[("arrival_id", Kind::Int), ("merchant_id", Kind::Text)]);
    for (key, (id, _, _)) in &fresh {
        ended.push([(*id).into(), (&key.0).into()]);
    }
    tx.run(
        "insert into readings (arrival_id, merchant_id, state) select k.arrival_id, k.merchant_id, 'conflict' from {k}",
        &[],
        &[&ended],
    )
    .await?;
    for (index, (key, _)) in conflicts.iter().zip(&apart) {
        let id = fresh.get(key).map(|(id, _, _)| *id).or_else(|| known.get(key).map(|(id, _)| *id));
        if let Some(id) = id {
            answers[*index] = Appended::Conflict(id);
        }
    }
    Ok(())
}

fn key(arrival: &NewArrival, dedupe: &str) -> Key {
    (arrival.merchant.to_string(), arrival.source.to_string(), dedupe.to_owned())
}

/// The rows of the inbox, in the order of the journal.
fn waiting_rows(keyed: &[(Key, &NewArrival)], fresh: &HashMap<Key, (ArrivalId, Digest, bool)>) -> Set {
    let in_order: BTreeMap<ArrivalId, &str> =
        keyed.iter().filter_map(|(key, _)| fresh.get(key).map(|(id, _, _)| (*id, key.0.as_str()))).collect();
    let mut queue = Set::new("k", &[("arrival_id", Kind::Int), ("merchant_id", Kind::Text)]);
    for (id, merchant) in in_order {
        queue.push([id.into(), merchant.into()]);
    }
    queue
}

/// Inserts what is new; answers the keys that were, with number, digest, and that nobody was told yet.
async fn insert(
    tx: &mut Tx,
    arrivals: &[(Key, &NewArrival)],
) -> Result<HashMap<Key, (ArrivalId, Digest, bool)>, StoreError> {
    let mut rows = Set::new(
        "k",
        &[
            ("merchant_id", Kind::Text),
            ("source_id", Kind::Text),
            ("topic", Kind::Text),
            ("dedupe", Kind::Text),
            ("test", Kind::Int),
            ("digest", Kind::Bytes),
            ("sealed", Kind::Bytes),
            ("received_at", Kind::Int),
        ],
    );
    // Two processes that journal the same retries take their locks in the same order.
    let mut sorted: Vec<_> = arrivals.iter().collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    for ((merchant, source, dedupe), arrival) in sorted {
        rows.push([
            merchant.into(),
            source.into(),
            (&arrival.topic).into(),
            dedupe.into(),
            arrival.test.into(),
            arrival.digest.into(),
            (&arrival.sealed).into(),
            arrival.received_at.into(),
        ]);
    }
    let inserted = tx
        .rows(
            "insert into arrivals (merchant_id, source_id, topic, dedupe, test, digest, keyed, sealed, received_at)
             select k.merchant_id, k.source_id, k.topic, k.dedupe, k.test, k.digest, 1, k.sealed, k.received_at
             from {k} where true order by k.place
             on conflict do nothing
             returning arrival_id, merchant_id, source_id, dedupe, digest",
            &[],
            &[&rows],
        )
        .await?;
    inserted
        .iter()
        .map(|row| {
            let key = (row.get("merchant_id")?, row.get("source_id")?, row.get("dedupe")?);
            Ok((key, (ArrivalId(row.get("arrival_id")?), digest(row, "digest")?, true)))
        })
        .collect()
}

/// What was journalled before under these keys.
async fn existing(
    tx: &mut Tx,
    arrivals: &[(Key, &NewArrival)],
    fresh: &HashMap<Key, (ArrivalId, Digest, bool)>,
) -> Result<HashMap<Key, (ArrivalId, Digest)>, StoreError> {
    let mut keys = Set::new("k", &[("merchant_id", Kind::Text), ("source_id", Kind::Text), ("dedupe", Kind::Text)]);
    for (key, _) in arrivals.iter().filter(|(key, _)| !fresh.contains_key(key)) {
        keys.push([(&key.0).into(), (&key.1).into(), (&key.2).into()]);
    }
    let rows = tx
        .rows(
            "select a.arrival_id, a.merchant_id, a.source_id, a.dedupe, a.digest
             from {k} join arrivals a
             on a.merchant_id = k.merchant_id and a.source_id = k.source_id and a.dedupe = k.dedupe",
            &[],
            &[&keys],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let key = (row.get("merchant_id")?, row.get("source_id")?, row.get("dedupe")?);
            Ok((key, (ArrivalId(row.get("arrival_id")?), digest(row, "digest")?)))
        })
        .collect()
}

pub(in crate::store) async fn reject(
    engine: &Engine,
    rejections: &[NewRejection],
    keep: i64,
) -> Result<(), StoreError> {
    let mut rows = Set::new(
        "k",
        &[
            ("merchant_id", Kind::Text),
            ("source_id", Kind::Text),
            ("cause", Kind::Text),
            ("detail", Kind::Text),
            ("digest", Kind::Bytes),
            ("bytes", Kind::Int),
            ("sealed", Kind::Bytes),
            ("received_at", Kind::Int),
        ],
    );
    for rejection in rejections {
        rows.push([
            (&rejection.merchant).into(),
            (&rejection.source).into(),
            rejection.cause.into(),
            (&rejection.detail).into(),
            rejection.digest.into(),
            rejection.bytes.into(),
            rejection.sealed.as_ref().into(),
            rejection.received_at.into(),
        ]);
    }
    let mut tx = engine.write().await?;
    tx.run(
        "insert into rejections (merchant_id, source_id, cause, detail, digest, keyed, bytes, sealed, received_at)
         select k.merchant_id, k.source_id, k.cause, k.detail, k.digest, 1, k.bytes, k.sealed, k.received_at
         from {k} order by k.place",
        &[],
        &[&rows],
    )
    .await?;
    tx.run(
        "delete from rejections where rejection_id in (
             select r.rejection_id
             from (select distinct k.merchant_id, k.source_id from {k}) s
             join rejections r on r.merchant_id = s.merchant_id and r.source_id = s.source_id
             where r.rejection_id <= (
                 select o.rejection_id from rejections o
                 where o.merchant_id = s.merchant_id and o.source_id = s.source_id
                 order by o.rejection_id desc limit 1 offset $1))",
        &[keep.into()],
        &[&rows],
    )
    .await?;
    tx.commit().await
}

/// Parked arrivals are read again: by `serve` at its start, since a newer gateway may understand them, and when programmes change.
pub(in crate::store) async fn unpark(engine: &Engine) -> Result<u64, StoreError> {
    let parked = "select count(*) as parked from readings where state = 'parked'";
    let waits = engine.row(parked, &[]).await?.map_or(Ok(0), |row| row.get::<i64>("parked"))?;
    if waits == 0 {
        return Ok(0);
    }
    let mut tx = engine.write().await?;
    let taken: Vec<(i64, String, Option<Vec<u8>>)> = tx
        .rows("delete from readings where state = 'parked' returning arrival_id, merchant_id, fetched", &[], &[])
        .await?
        .iter()
        .map(|row| Ok((row.get("arrival_id")?, row.get("merchant_id")?, row.get("fetched")?)))
        .collect::<Result<_, StoreError>>()?;
    if let Some(first) = taken.iter().map(|(arrival, _, _)| *arrival).min() {
        // Once they are read, their bytes may have been kept for long enough.
        let statement = "update sweeps set seen = $1 - 1 where what = 'arrivals' and seen >= $1";
        tx.run(statement, &[first.into()], &[]).await?;
    }
    let columns = [("arrival_id", Kind::Int), ("merchant_id", Kind::Text), ("fetched", Kind::Bytes)];
    let mut rows = Set::new("k", &columns);
    for (arrival, merchant, fetched) in &taken {
        rows.push([Cell::Int(*arrival), merchant.into(), fetched.as_ref().into()]);
    }
    let count = tx
        .run(
            "insert into inbox (arrival_id, merchant_id, fetched, leased_until)
             select k.arrival_id, k.merchant_id, k.fetched, 0 from {k} order by k.place",
            &[],
            &[&rows],
        )
        .await?;
    tx.commit().await?;
    Ok(count)
}
