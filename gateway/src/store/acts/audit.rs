//! The audit log: lines are added, in the transaction of what they tell of, and never changed. Each chain's lines hold each other by
//! their hashes, as postings do.

use super::rows::hash32;
use crate::store::engine::{Cell, Engine, Kind, Row, Set, Tx};
use crate::store::{AuditQuery, AuditRow, LedgerReport, Note, StoreError};
use perkgate_domain::ids::{ArrivalId, MerchantId, hash};
use perkgate_domain::time::Moment;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// Lines checked at once.
const PAGE: i64 = 5_000;

/// What a line's hash is of, besides the line before it.
struct Line<'a> {
    merchant: &'a str,
    place: i64,
    at: i64,
    actor: [&'a str; 2],
    act: &'a str,
    member: Option<&'a str>,
    arrival: Option<i64>,
    before: Option<&'a str>,
    after: Option<&'a str>,
}

impl Line<'_> {
    fn link(&self, previous: &[u8; 32]) -> [u8; 32] {
        let numbers = [self.place, self.at].map(i64::to_be_bytes);
        let arrival = self.arrival.map(i64::to_be_bytes);
        let texts = [self.member, self.before, self.after].map(|text| text.map(str::as_bytes));
        let mut parts: Vec<&[u8]> = vec![previous, self.merchant.as_bytes(), &numbers[0], &numbers[1]];
        parts.extend([self.actor[0], self.actor[1], self.act].map(str::as_bytes));
        for part in texts.into_iter().chain([arrival.as_ref().map(<[u8; 8]>::as_slice)]) {
            // None and an empty one differ.
            parts.push(if part.is_some() { b"+" } else { b"-" });
            parts.push(part.unwrap_or_default());
        }
        hash(&parts)
    }
}

/// Writes lines in a transaction of their own: for what only looks.
pub(in crate::store) async fn note(engine: &Engine, notes: &[Note]) -> Result<(), StoreError> {
    let mut tx = engine.write().await?;
    write(&mut tx, notes.iter().map(|note| (note, None))).await?;
    tx.commit().await
}

/// Adds lines to their chains, in the order of the chains' names, so that no two processes wait for each other. The last thing a
/// transaction does.
pub(super) async fn write<'a>(
    tx: &mut Tx,
    notes: impl Iterator<Item = (&'a Note, Option<ArrivalId>)>,
) -> Result<(), StoreError> {
    let mut chains: BTreeMap<&str, Vec<(&Note, Option<ArrivalId>)>> = BTreeMap::new();
    for (note, arrival) in notes {
        chains.entry(note.merchant.as_ref().map_or("", MerchantId::as_str)).or_default().push((note, arrival));
    }
    for (merchant, notes) in chains {
        extend(tx, merchant, &notes).await?;
    }
    Ok(())
}

async fn extend(tx: &mut Tx, merchant: &str, notes: &[(&Note, Option<ArrivalId>)]) -> Result<(), StoreError> {
    let start = "insert into audit_heads (merchant_id, place, hash) values ($1, 0, $2) on conflict do nothing";
    tx.run(start, &[merchant.into(), [0_u8; 32].into()], &[]).await?;
    // Holds the chain until the end of the transaction.
    let taken = "update audit_heads set place = place + $2 where merchant_id = $1 returning place, hash";
    let Some(head) = tx.row(taken, &[merchant.into(), notes.len().into()]).await? else {
        return Err(StoreError::Corrupt { what: "end of an audit chain", detail: "it vanished".to_owned() });
    };
    let mut previous = hash32("end of an audit chain", head.get("hash")?)?;
    let last: i64 = head.get("place")?;
    let first = last - i64::try_from(notes.len()).unwrap_or(0) + 1;
    let mut rows = Set::new("k", &COLUMNS);
    for (place, (note, arrival)) in (first..).zip(notes) {
        let [before, after] = [&note.before, &note.after].map(|value| value.as_ref().map(Value::to_string));
        let line = Line {
            merchant,
            place,
            at: note.at.0,
            actor: [note.actor.kind, &note.actor.name],
            act: &note.act,
            member: note.member.as_ref().map(perkgate_domain::ids::MemberId::as_str),
            arrival: arrival.map(|arrival| arrival.0),
            before: before.as_deref(),
            after: after.as_deref(),
        };
        previous = line.link(&previous);
        rows.push([
            merchant.into(),
            place.into(),
            line.at.into(),
            line.actor[0].into(),
            line.actor[1].into(),
            line.act.into(),
            line.member.into(),
            line.arrival.into(),
            line.before.into(),
            line.after.into(),
            previous.into(),
        ]);
    }
    tx.run(
        "insert into audit (merchant_id, place, at, actor_kind, actor, act, member_id, arrival_id, before, after, hash)
         select k.merchant_id, k.chain_place, k.at, k.actor_kind, k.actor, k.act, k.member_id, k.arrival_id, k.before, k.after, k.hash
         from {k} order by k.chain_place",
        &[],
        &[&rows],
    )
    .await?;
    let end = "update audit_heads set hash = $2 where merchant_id = $1";
    tx.run(end, &[merchant.into(), previous.into()], &[]).await?;
    Ok(())
}

/// Lines in the order in which they were written.
pub(in crate::store) async fn list(engine: &Engine, query: &AuditQuery) -> Result<Vec<AuditRow>, StoreError> {
    let values = [
        query.after.into(),
        query.merchant.as_ref().map_or("", MerchantId::as_str).into(),
        query.since.map_or(i64::MIN, |since| since.0).into(),
        query.most.into(),
    ];
    let rows = engine
        .rows(
            "select * from audit where audit_id > $1 and ($2 = '' or merchant_id = $2) and at >= $3
             order by audit_id limit $4",
            &values,
            &[],
        )
        .await?;
    rows.iter().map(view).collect()
}

fn view(row: &Row) -> Result<AuditRow, StoreError> {
    let value = |column| -> Result<Option<Value>, StoreError> {
        row.get::<Option<&str>>(column)?.map(|text| super::rows::document("audit line", text)).transpose()
    };
    Ok(AuditRow {
        id: row.get("audit_id")?,
        merchant: row.get("merchant_id")?,
        place: row.get("place")?,
        at: Moment(row.get("at")?),
        actor_kind: row.get("actor_kind")?,
        actor: row.get("actor")?,
        act: row.get("act")?,
        member: row.get::<Option<&str>>("member_id")?.map(Into::into),
        arrival: row.get::<Option<i64>>("arrival_id")?.map(ArrivalId),
        before: value("before")?,
        after: value("after")?,
    })
}

/// Follows every chain to its end.
pub(super) async fn verify(tx: &mut Tx, only: &str, report: &mut LedgerReport) -> Result<(), StoreError> {
    let mut ends: HashMap<String, (i64, [u8; 32])> = HashMap::new();
    let mut after = (String::new(), 0_i64);
    loop {
        let values = [Cell::from(&after.0), after.1.into(), only.into(), PAGE.into()];
        let rows = tx
            .rows(
                "select * from audit where (merchant_id, place) > ($1, $2) and ($3 = '' or merchant_id = $3)
                 order by merchant_id, place limit $4",
                &values,
                &[],
            )
            .await?;
        let Some(last) = rows.last() else { break };
        after = (last.get("merchant_id")?, last.get("place")?);
        for row in &rows {
            report.audit += 1;
            follow(row, &mut ends, report)?;
        }
    }
    let heads = "select merchant_id, place, hash from audit_heads where $1 = '' or merchant_id = $1";
    for head in tx.rows(heads, &[only.into()], &[]).await? {
        let merchant: &str = head.get("merchant_id")?;
        let (place, end) = ends.remove(merchant).unwrap_or((0, [0; 32]));
        if head.get::<i64>("place")? != place || head.get::<&[u8]>("hash")? != end.as_slice() {
            report
                .found(format!("the audit log of {} does not end where it should: lines are missing", named(merchant)));
        }
    }
    for merchant in ends.keys() {
        report.found(format!("the audit log of {} has lines and no end", named(merchant)));
    }
    Ok(())
}

fn follow(row: &Row, ends: &mut HashMap<String, (i64, [u8; 32])>, report: &mut LedgerReport) -> Result<(), StoreError> {
    let merchant: &str = row.get("merchant_id")?;
    let place: i64 = row.get("place")?;
    let line = Line {
        merchant,
        place,
        at: row.get("at")?,
        actor: [row.get("actor_kind")?, row.get("actor")?],
        act: row.get("act")?,
        member: row.get("member_id")?,
        arrival: row.get("arrival_id")?,
        before: row.get("before")?,
        after: row.get("after")?,
    };
    let end = ends.entry(merchant.to_owned()).or_insert((0, [0; 32]));
    let stored: &[u8] = row.get("hash")?;
    if place != end.0 + 1 || line.link(&end.1).as_slice() != stored {
        report.found(format!(
            "line {place} of the audit log of {} does not continue its chain: it was changed, or one before it is missing",
            named(merchant)
        ));
    }
    *end = (place, stored.try_into().unwrap_or([0; 32]));
    Ok(())
}

fn named(merchant: &str) -> &str {
    if merchant.is_empty() { "the installation" } else { merchant }
}

const COLUMNS: [(&str, Kind); 11] = [
    ("merchant_id", Kind::Text),
    ("chain_place", Kind::Int),
    ("at", Kind::Int),
    ("actor_kind", Kind::Text),
    ("actor", Kind::Text),
    ("act", Kind::Text),
    ("member_id", Kind::Text),
    ("arrival_id", Kind::Int),
    ("before", Kind::Text),
    ("after", Kind::Text),
    ("hash", Kind::Bytes),
];
