//! Arrivals and rejections: what came in, as it came.

use super::rows::set;
use crate::store::{Appended, NewArrival, NewRejection, StoreError, UnreadArrival};
use perkgate_domain::ids::{ArrivalId, Digest};
use perkgate_domain::time::Moment;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use std::collections::HashMap;

type Key = (String, String, String);

pub(super) async fn append(pool: &SqlitePool, arrivals: &[NewArrival]) -> Result<Vec<Appended>, StoreError> {
    let mut tx = pool.begin_with("begin immediate").await?;
    let keyed: Vec<(Key, &NewArrival)> =
        arrivals.iter().map(|arrival| (key(arrival, &arrival.dedupe), arrival)).collect();
    let mut fresh = insert(&mut tx, &keyed, "new").await?;
    let mut known = existing(&mut tx, &keyed).await?;
    let mut answers = Vec::with_capacity(arrivals.len());
    let mut conflicts = Vec::new();
    for (index, (key, arrival)) in keyed.iter().enumerate() {
        let Some((id, digest)) = known.get(key) else {
            return Err(StoreError::Corrupt {
                what: "arrival",
                detail: "it vanished while it was journalled".to_owned(),
            });
        };
        if fresh.remove(key).is_some() {
            answers.push(Appended::Accepted(*id));
        } else if *digest == arrival.digest {
            answers.push(Appended::Duplicate(*id));
        } else {
            conflicts.push(index);
            answers.push(Appended::Conflict(*id));
        }
    }
    if !conflicts.is_empty() {
        let apart: Vec<(Key, &NewArrival)> = conflicts
            .iter()
            .map(|index| {
                (
                    key(keyed[*index].1, &format!("{}#{}", keyed[*index].1.dedupe, keyed[*index].1.digest)),
                    keyed[*index].1,
                )
            })
            .collect();
        insert(&mut tx, &apart, "conflict").await?;
        known = existing(&mut tx, &apart).await?;
        for (index, (key, _)) in conflicts.into_iter().zip(&apart) {
            if let Some((id, _)) = known.get(key) {
                answers[index] = Appended::Conflict(*id);
            }
        }
    }
    tx.commit().await?;
    Ok(answers)
}

fn key(arrival: &NewArrival, dedupe: &str) -> Key {
    (arrival.merchant.to_string(), arrival.source.to_string(), dedupe.to_owned())
}

/// Inserts what is new; answers the keys that were.
async fn insert(
    tx: &mut SqliteConnection,
    arrivals: &[(Key, &NewArrival)],
    state: &str,
) -> Result<HashMap<Key, i64>, StoreError> {
    let rows: Vec<_> = arrivals
        .iter()
        .map(|((merchant, source, dedupe), arrival)| {
            (
                merchant,
                source,
                &arrival.topic,
                dedupe,
                i64::from(arrival.test),
                hex::encode(arrival.digest.as_bytes()),
                hex::encode(&arrival.sealed),
                arrival.received_at.0,
            )
        })
        .collect();
    let inserted = sqlx::query(
        "insert into arrivals (merchant_id, source_id, topic, dedupe, test, digest, sealed, received_at, state)
         select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, unhex(value ->> 5), unhex(value ->> 6),
                value ->> 7, $2
         from json_each($1) where true
         on conflict do nothing
         returning arrival_id, merchant_id, source_id, dedupe",
    )
    .bind(set(&rows)?)
    .bind(state)
    .fetch_all(tx)
    .await?;
    inserted
        .iter()
        .map(|row| {
            Ok((
                (row.try_get("merchant_id")?, row.try_get("source_id")?, row.try_get("dedupe")?),
                row.try_get("arrival_id")?,
            ))
        })
        .collect()
}

/// What is journalled under these keys.
async fn existing(
    tx: &mut SqliteConnection,
    arrivals: &[(Key, &NewArrival)],
) -> Result<HashMap<Key, (ArrivalId, Digest)>, StoreError> {
    let keys: Vec<&Key> = arrivals.iter().map(|(key, _)| key).collect();
    let rows = sqlx::query(
        "select a.arrival_id, a.merchant_id, a.source_id, a.dedupe, a.digest
         from json_each($1) k join arrivals a
         on a.merchant_id = k.value ->> 0 and a.source_id = k.value ->> 1 and a.dedupe = k.value ->> 2",
    )
    .bind(set(&keys)?)
    .fetch_all(tx)
    .await?;
    rows.iter()
        .map(|row| {
            let key = (row.try_get("merchant_id")?, row.try_get("source_id")?, row.try_get("dedupe")?);
            Ok((key, (ArrivalId(row.try_get("arrival_id")?), super::rows::digest(row, "digest")?)))
        })
        .collect()
}

pub(super) async fn reject(pool: &SqlitePool, rejections: &[NewRejection], keep: i64) -> Result<(), StoreError> {
    let rows: Vec<_> = rejections
        .iter()
        .map(|rejection| {
            (
                rejection.merchant.as_str(),
                rejection.source.as_str(),
                rejection.cause,
                &rejection.detail,
                hex::encode(rejection.digest.as_bytes()),
                rejection.bytes,
                rejection.sealed.as_ref().map(hex::encode),
                rejection.received_at.0,
            )
        })
        .collect();
    let set = set(&rows)?;
    let mut tx = pool.begin_with("begin immediate").await?;
    sqlx::query(
        "insert into rejections (merchant_id, source_id, cause, detail, digest, bytes, sealed, received_at)
         select value ->> 0, value ->> 1, value ->> 2, value ->> 3, unhex(value ->> 4), value ->> 5, unhex(value ->> 6), value ->> 7
         from json_each($1)",
    )
    .bind(&set)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "delete from rejections where rejection_id in (
             select r.rejection_id
             from (select distinct value ->> 0 as merchant_id, value ->> 1 as source_id from json_each($1)) s
             join rejections r on r.merchant_id = s.merchant_id and r.source_id = s.source_id
             where r.rejection_id <= (
                 select o.rejection_id from rejections o
                 where o.merchant_id = s.merchant_id and o.source_id = s.source_id
                 order by o.rejection_id desc limit 1 offset $2))",
    )
    .bind(&set)
    .bind(keep)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}

pub(super) async fn unread(pool: &SqlitePool, now: Moment, most: usize) -> Result<Vec<UnreadArrival>, StoreError> {
    let rows = sqlx::query(
        "select arrival_id, merchant_id, source_id, topic, dedupe, test, sealed, fetched, received_at, attempts
         from arrivals where state = 'new' and not_before <= $1 order by not_before, arrival_id limit $2",
    )
    .bind(now.0)
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(UnreadArrival {
                id: ArrivalId(row.try_get("arrival_id")?),
                merchant: row.try_get::<&str, _>("merchant_id")?.into(),
                source: row.try_get::<&str, _>("source_id")?.into(),
                topic: row.try_get("topic")?,
                dedupe: row.try_get("dedupe")?,
                test: row.try_get::<i64, _>("test")? != 0,
                sealed: row.try_get("sealed")?,
                fetched: row.try_get("fetched")?,
                received_at: Moment(row.try_get("received_at")?),
                attempts: row.try_get("attempts")?,
            })
        })
        .collect()
}

/// Parked arrivals are read again: by `serve` at its start, since a newer gateway may understand them.
pub(super) async fn unpark(pool: &SqlitePool) -> Result<u64, StoreError> {
    let done =
        sqlx::query("update arrivals set state = 'new', not_before = 0 where state = 'parked'").execute(pool).await?;
    Ok(done.rows_affected())
}
