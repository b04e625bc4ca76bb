//! What was forgotten stays forgotten: raw bytes that came in and no row leads to are looked through for whoever was forgotten, batch by
//! batch, also those that come later. The caller opens them and says whom they name; here the keys are held against those of the
//! forgotten.

use super::forget::NOTHING;
use crate::store::engine::{Cell, Engine, Kind as Column, Row, Set, Tx};
use crate::store::{Kept, KeptPage, Looked, StoreError};
use perkgate_domain::ids::{ArrivalId, MerchantId};
use std::collections::BTreeMap;

/// How what names nobody who is a member ends. What is `read` is found by its entry.
const LOOSE: &str = "('nothing', 'test', 'conflict', 'parked')";
/// Said of what was emptied.
const NOTE: &str = "its bytes were removed: whom they named was forgotten";

/// The next bytes of one merchant to be looked through; none if there are no more.
pub(in crate::store) async fn erasable(engine: &Engine, most: usize) -> Result<Option<KeptPage>, StoreError> {
    let mut tx = engine.read().await?;
    let waits = format!(
        "select e.merchant_id, e.arrivals_seen, e.rejections_seen from erasures e
         where e.done = 0
               or exists (select 1 from readings r where r.merchant_id = e.merchant_id and r.state in {LOOSE}
                          and r.arrival_id > e.arrivals_seen)
               or exists (select 1 from rejections r where r.merchant_id = e.merchant_id
                          and r.rejection_id > e.rejections_seen)
         order by e.merchant_id limit 1"
    );
    let Some(row) = tx.row(&waits, &[]).await? else {
        tx.commit().await?;
        return Ok(None);
    };
    let merchant = MerchantId::from(row.get::<&str>("merchant_id")?);
    let seen: (i64, i64) = (row.get("arrivals_seen")?, row.get("rejections_seen")?);
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let arrivals = format!(
        "select r.arrival_id as number, a.source_id, a.sealed, r.fetched from readings r
         join arrivals a on a.arrival_id = r.arrival_id
         where r.merchant_id = $1 and r.state in {LOOSE} and r.arrival_id > $2 order by r.arrival_id limit $3"
    );
    let rejections = "select rejection_id as number, source_id, sealed, null as fetched from rejections
         where merchant_id = $1 and rejection_id > $2 order by rejection_id limit $3";
    let kept = |rows: Vec<Row>| rows.iter().map(kept).collect::<Result<Vec<_>, StoreError>>();
    let values = |seen: i64| [Cell::from(&merchant), seen.into(), limit.into()];
    let arrivals = kept(tx.rows(&arrivals, &values(seen.0), &[]).await?)?;
    let rejections = kept(tx.rows(rejections, &values(seen.1), &[]).await?)?;
    tx.commit().await?;
    Ok(Some(KeptPage { merchant, seen, arrivals, rejections }))
}

fn kept(row: &Row) -> Result<Kept, StoreError> {
    Ok(Kept {
        number: row.get("number")?,
        source: row.get::<&str>("source_id")?.into(),
        sealed: row.get::<Option<Vec<u8>>>("sealed")?.unwrap_or_default(),
        fetched: row.get::<Option<Vec<u8>>>("fetched")?,
    })
}

/// Empties those that name somebody forgotten, and goes on behind the page. Answers how many were emptied. What is parked and came after
/// the forgetting may be a new order by the same person's own will: it stays until it is read.
pub(in crate::store) async fn erase(engine: &Engine, looked: &Looked) -> Result<u64, StoreError> {
    let mut tx = engine.write().await?;
    let merchant = &looked.page.merchant;
    let mut emptied = 0;
    for (rejections, named) in [(false, &looked.arrivals), (true, &looked.rejections)] {
        let mut set = Set::new("k", &[("number", Column::Int), ("kind", Column::Text), ("hash", Column::Bytes)]);
        for (number, key) in named {
            set.push([(*number).into(), key.kind.as_str().into(), key.hash.into()]);
        }
        let hits = if rejections {
            "select distinct k.number from {k} join forgotten f on f.merchant_id = $1 and f.kind = k.kind and f.hash = k.hash"
        } else {
            "select distinct k.number from {k} join forgotten f on f.merchant_id = $1 and f.kind = k.kind and f.hash = k.hash
             join arrivals a on a.arrival_id = k.number join readings r on r.arrival_id = k.number
             where r.state <> 'parked' or a.received_at <= f.at"
        };
        let rows = tx.rows(hits, &[merchant.into()], &[&set]).await?;
        let hits = rows.iter().map(|row| row.get("number")).collect::<Result<Vec<i64>, _>>()?;
        let hits = Set::of_ids("k", hits);
        emptied += if rejections {
            let statement = "update rejections set sealed = null where rejection_id in (select k.id from {k})";
            tx.run(statement, &[], &[&hits]).await?
        } else {
            let statement = "update readings set fetched = null, note = $1,
                                    state = case when state = 'parked' then 'nothing' else state end
                             where arrival_id in (select k.id from {k})";
            tx.run(statement, &[NOTE.into()], &[&hits]).await?;
            empty(&mut tx, &hits).await?
        };
    }
    let (seen, last) = (looked.page.seen, looked.page.last());
    let caught_up = looked.page.arrivals.is_empty() && looked.page.rejections.is_empty();
    // Somebody may have been forgotten meanwhile: then it begins again. What was emptied is still in the log.
    tx.run(
        "update erasures set arrivals_seen = $2, rejections_seen = $3,
                done = case when $4 = 1 then 1 when $7 > 0 then 0 else done end
         where merchant_id = $1 and arrivals_seen = $5 and rejections_seen = $6",
        &[
            merchant.into(),
            last.0.into(),
            last.1.into(),
            caught_up.into(),
            seen.0.into(),
            seen.1.into(),
            i64::try_from(emptied).unwrap_or(i64::MAX).into(),
        ],
        &[],
    )
    .await?;
    tx.commit().await?;
    if caught_up {
        // The log beside SQLite's file still has the pages of before.
        engine.truncate_log().await?;
    }
    Ok(emptied)
}

async fn empty(tx: &mut Tx, arrivals: &Set) -> Result<u64, StoreError> {
    let statement = "update arrivals set sealed = $1 where arrival_id in (select k.id from {k})";
    tx.run(statement, &[NOTHING.into()], &[arrivals]).await
}

/// What ended just now and came before what was looked through last (it was parked, or its platform was asked) is looked through too.
pub(super) async fn look_again<'a>(
    tx: &mut Tx,
    ended: impl Iterator<Item = (&'a str, ArrivalId)>,
) -> Result<(), StoreError> {
    let mut first: BTreeMap<&str, i64> = BTreeMap::new();
    for (merchant, arrival) in ended {
        let lowest = first.entry(merchant).or_insert(arrival.0);
        *lowest = (*lowest).min(arrival.0);
    }
    let mut rows = Set::new("k", &[("merchant_id", Column::Text), ("arrival_id", Column::Int)]);
    for (merchant, arrival) in first {
        rows.push([merchant.into(), arrival.into()]);
    }
    tx.run(
        "update erasures set arrivals_seen = k.arrival_id - 1
         from {k} where erasures.merchant_id = k.merchant_id and erasures.arrivals_seen >= k.arrival_id",
        &[],
        &[&rows],
    )
    .await?;
    Ok(())
}

/// A late telling of what somebody did who was forgotten since: it is read, and its bytes are not kept.
pub(super) async fn late(tx: &mut Tx, told: impl Iterator<Item = ArrivalId>) -> Result<(), StoreError> {
    let told = Set::of_ids("k", told.map(|arrival| arrival.0));
    let rows = tx
        .rows(
            "select k.id from {k} join readings r on r.arrival_id = k.id join entries e on e.entry_id = r.entry_id
             join members m on m.merchant_id = e.merchant_id and m.member_id = e.member_id
             where m.forgotten_at is not null",
            &[],
            &[&told],
        )
        .await?;
    let late = rows.iter().map(|row| row.get("id")).collect::<Result<Vec<i64>, _>>()?;
    let late = Set::of_ids("k", late);
    empty(tx, &late).await?;
    tx.run("update readings set fetched = null where arrival_id in (select k.id from {k})", &[], &[&late]).await?;
    Ok(())
}

impl KeptPage {
    /// How far one has seen behind it.
    fn last(&self) -> (i64, i64) {
        let last = |kept: &[Kept], seen| kept.last().map_or(seen, |kept| kept.number);
        (last(&self.arrivals, self.seen.0), last(&self.rejections, self.seen.1))
    }
}
