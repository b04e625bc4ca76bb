//! What is kept for a time and no longer: raw bytes, rejections, deliveries with their attempts, what members wrote. A bounded number of
//! rows each time, so that nobody waits for it. What replay needs (entries, decisions, components) stays.

use super::forget::{Emptied, NOTHING};
use crate::store::engine::{Cell, Engine, Kind as Column, Row, Set, Tx};
use crate::store::{StoreError, Sweep, Swept};
use perkgate_domain::delivery::DeliveryState;
use perkgate_domain::event::{Event, Kind};
use perkgate_domain::ids::{EntryId, MerchantId};

pub(in crate::store) async fn sweep(engine: &Engine, sweep: &Sweep) -> Result<Swept, StoreError> {
    let mut tx = engine.write().await?;
    let mut swept = Swept::default();
    bodies(&mut tx, sweep, &mut swept).await?;
    rejections(&mut tx, sweep, &mut swept).await?;
    deliveries(&mut tx, sweep, &mut swept).await?;
    answers(&mut tx, sweep, &mut swept).await?;
    tasks(&mut tx, sweep, &mut swept).await?;
    tx.commit().await?;
    Ok(swept)
}

/// How far one sweep has come.
async fn seen(tx: &mut Tx, what: &str) -> Result<i64, StoreError> {
    let row = tx.row("select seen from sweeps where what = $1", &[what.into()]).await?;
    row.map_or(Ok(0), |row| row.get("seen"))
}

async fn has_seen(tx: &mut Tx, what: &str, number: i64) -> Result<(), StoreError> {
    tx.run("update sweeps set seen = $2 where what = $1", &[what.into(), number.into()], &[]).await?;
    Ok(())
}

fn is_full(rows: &[Row], sweep: &Sweep) -> bool {
    i64::try_from(rows.len()).unwrap_or(i64::MAX) >= sweep.most
}

/// In the order in which they came, up to the first that is to be kept or is not read yet. What is parked is passed by: when it is read,
/// the sweep begins again at it (`journal::unpark`).
async fn bodies(tx: &mut Tx, sweep: &Sweep, swept: &mut Swept) -> Result<(), StoreError> {
    let after = seen(tx, "arrivals").await?;
    let rows = tx
        .rows(
            "select a.arrival_id, a.received_at, r.state from arrivals a left join readings r on r.arrival_id = a.arrival_id
             where a.arrival_id > $1 order by a.arrival_id limit $2",
            &[after.into(), sweep.most.into()],
            &[],
        )
        .await?;
    let (mut last, mut over) = (after, Vec::new());
    let mut through = true;
    for row in &rows {
        let state: Option<&str> = row.get("state")?;
        let number: i64 = row.get("arrival_id")?;
        if row.get::<i64>("received_at")? >= sweep.bodies.0 || state.is_none() {
            through = false;
            break;
        }
        last = number;
        if state != Some("parked") {
            over.push(number);
        }
    }
    swept.more |= through && is_full(&rows, sweep);
    let over = Set::of_ids("k", over);
    let statement = "update arrivals set sealed = $1 where arrival_id in (select k.id from {k}) and sealed <> $1";
    swept.bodies = tx.run(statement, &[NOTHING.into()], &[&over]).await?;
    let statement =
        "update readings set fetched = null where arrival_id in (select k.id from {k}) and fetched is not null";
    tx.run(statement, &[], &[&over]).await?;
    if last > after {
        has_seen(tx, "arrivals", last).await?;
    }
    Ok(())
}

async fn rejections(tx: &mut Tx, sweep: &Sweep, swept: &mut Swept) -> Result<(), StoreError> {
    swept.rejections = tx
        .run(
            "delete from rejections where rejection_id in
                 (select o.rejection_id from (select rejection_id, received_at from rejections order by rejection_id limit $2) o
                  where o.received_at < $1)",
            &[sweep.rejections.into(), sweep.most.into()],
            &[],
        )
        .await?;
    swept.more |= i64::try_from(swept.rejections).unwrap_or(i64::MAX) >= sweep.most;
    Ok(())
}

async fn deliveries(tx: &mut Tx, sweep: &Sweep, swept: &mut Swept) -> Result<(), StoreError> {
    for state in [DeliveryState::Delivered, DeliveryState::Dead, DeliveryState::Suppressed] {
        let rows = tx
            .rows(
                "select d.delivery_id from merchants m
                 join deliveries d on d.merchant_id = m.merchant_id and d.state = $1 and d.created_at < $2 limit $3",
                &[state.as_str().into(), sweep.deliveries.into(), sweep.most.into()],
                &[],
            )
            .await?;
        let mut gone = Set::new("k", &[("delivery_id", Column::Text)]);
        for row in &rows {
            gone.push([row.get::<String>("delivery_id")?.into()]);
        }
        for table in ["attempts", "deliveries"] {
            let statement = format!("delete from {table} where delivery_id in (select k.delivery_id from {{k}})");
            let count = tx.run(&statement, &[], &[&gone]).await?;
            swept.deliveries += if table == "deliveries" { count } else { 0 };
        }
        swept.more |= is_full(&rows, sweep);
    }
    Ok(())
}

/// What members wrote: in the answer itself, and in what plugins made of it.
async fn answers(tx: &mut Tx, sweep: &Sweep, swept: &mut Swept) -> Result<(), StoreError> {
    let after = seen(tx, "answers").await?;
    let rows = tx
        .rows(
            "select e.entry_id, e.merchant_id, a.received_at, w.state,
                    case when e.kind = $3 then e.document end as document,
                    case when e.kind = $3 then d.document end as decisions
             from entries e left join waiting w on w.entry_id = e.entry_id left join decisions d on d.entry_id = e.entry_id
             left join arrivals a on a.arrival_id = e.arrival_id
             where e.entry_id > $1 order by e.entry_id limit $2",
            &[after.into(), sweep.most.into(), Kind::Answer.as_str().into()],
            &[],
        )
        .await?;
    let (mut last, mut page, mut through) = (after, Emptied::default(), true);
    for row in &rows {
        let entry = EntryId(row.get("entry_id")?);
        let document: Option<&str> = row.get("document")?;
        // Entries that the gateway made itself have no arrival, and keep nothing back.
        let young = row.get::<Option<i64>>("received_at")?.is_some_and(|at| at >= sweep.answers.0);
        if young || (document.is_some() && row.get::<Option<&str>>("state")?.is_some()) {
            through = false;
            break;
        }
        last = entry.0;
        let event = document.and_then(|text| serde_json::from_str(text).ok());
        let wrote = matches!(event, Some(Event::Answer(answer)) if answer.text.is_some());
        if let (Some(text), true) = (document, wrote) {
            let merchant = MerchantId::from(row.get::<&str>("merchant_id")?);
            page.add(&merchant, entry, text, row.get("decisions")?)?;
            swept.answers += 1;
        }
    }
    swept.more |= through && is_full(&rows, sweep);
    page.write(tx).await?;
    if last > after {
        has_seen(tx, "answers", last).await?;
    }
    Ok(())
}

/// Tasks that are done may quote what somebody wrote. Open ones stay until they are closed.
async fn tasks(tx: &mut Tx, sweep: &Sweep, swept: &mut Swept) -> Result<(), StoreError> {
    let values: [Cell<'_>; 2] = [sweep.answers.into(), sweep.most.into()];
    let gone = tx
        .run(
            "delete from tasks where (merchant_id, task_id) in
                 (select t.merchant_id, t.task_id from merchants m
                  join tasks t on t.merchant_id = m.merchant_id and t.state = 'closed' and t.opened_at < $1
                  where t.closed_at < $1 and t.task_key <> 'one-person' limit $2)",
            &values,
            &[],
        )
        .await?;
    swept.answers += gone;
    swept.more |= i64::try_from(gone).unwrap_or(i64::MAX) >= sweep.most;
    Ok(())
}
