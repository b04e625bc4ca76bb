//! What a settling batch reads: everything its decisions may depend on.

use super::rows::{digest, document, member, owner, reward};
use crate::store::StoreError;
use crate::store::engine::{Engine, Kind, Row, Set, Tx};
use perkgate_domain::ids::{EntryId, MemberId, MerchantId};
use perkgate_domain::ledger::{Lot, Refunded};
use perkgate_domain::plan::{Book, Counter, MemberBook, PurchaseRecord, QueuedEntry};
use perkgate_domain::purchase::Event;
use std::collections::{BTreeMap, BTreeSet};

pub(in crate::store) async fn book(
    engine: &Engine,
    entries: &[QueuedEntry],
    days: &[String],
) -> Result<Book, StoreError> {
    let owners: BTreeSet<(&MerchantId, &MemberId)> =
        entries.iter().filter_map(|entry| Some((&entry.merchant, entry.member.as_ref()?))).collect();
    let mut members = Set::new("k", &[("merchant_id", Kind::Text), ("member_id", Kind::Text)]);
    for (merchant, member) in owners {
        members.push([merchant.into(), member.into()]);
    }
    let mut book = Book::default();
    // One snapshot for all reads: a batch never mixes two states of a member.
    let mut tx = engine.read().await?;
    let sets = &[&members];
    let rows = tx
        .rows(
            "select m.* from {k} join members m on m.merchant_id = k.merchant_id and m.member_id = k.member_id",
            &[],
            sets,
        )
        .await?;
    for row in &rows {
        let opened = MemberBook {
            member: member(row)?,
            memories: BTreeMap::new(),
            rewards: Vec::new(),
            purchases: BTreeMap::new(),
        };
        book.members.insert(owner(row)?, opened);
    }
    let rows = tx
        .rows(
            "select m.merchant_id, m.member_id, m.installation_id, m.bytes
             from {k} join memories m on m.merchant_id = k.merchant_id and m.member_id = k.member_id",
            &[],
            sets,
        )
        .await?;
    for row in &rows {
        if let Some(opened) = book.members.get_mut(&owner(row)?) {
            opened.memories.insert(row.get::<&str>("installation_id")?.into(), row.get("bytes")?);
        }
    }
    let rows = tx
        .rows(
            "select m.* from {k} join rewards m on m.merchant_id = k.merchant_id and m.member_id = k.member_id
             where m.state = 'issued' order by m.issued_at, m.reward_id",
            &[],
            sets,
        )
        .await?;
    for row in &rows {
        if let Some(opened) = book.members.get_mut(&owner(row)?) {
            opened.rewards.push(reward(row)?);
        }
    }
    purchases(&mut tx, entries, &mut book).await?;
    counters(&mut tx, entries, days, &mut book).await?;
    tx.commit().await?;
    Ok(book)
}

/// The purchases that refunds of the batch give back, with their lots.
async fn purchases(tx: &mut Tx, entries: &[QueuedEntry], book: &mut Book) -> Result<(), StoreError> {
    let wanted: BTreeSet<i64> = entries.iter().filter_map(|entry| entry.purchase).map(|entry| entry.0).collect();
    let wanted = Set::of_ids("k", wanted);
    let rows = tx
        .rows(
            "select e.entry_id, e.merchant_id, e.member_id, e.document, e.refunded from {k}
             join entries e on e.entry_id = k.id where e.member_id is not null",
            &[],
            &[&wanted],
        )
        .await?;
    for row in &rows {
        let Event::Purchase(purchase) = document("event", row.get("document")?)? else { continue };
        let refunded = match row.get::<Option<&str>>("refunded")? {
            Some(text) => document("refunded sums", text)?,
            None => Refunded::default(),
        };
        if let Some(opened) = book.members.get_mut(&owner(row)?) {
            let record = PurchaseRecord { purchase, lots: Vec::new(), refunded };
            opened.purchases.insert(EntryId(row.get("entry_id")?), record);
        }
    }
    let rows = tx
        .rows(
            "select l.* from {k} join entries e on e.entry_id = k.id
             join lots l on l.merchant_id = e.merchant_id and l.entry_id = e.entry_id order by l.lot_id",
            &[],
            &[&wanted],
        )
        .await?;
    for row in &rows {
        let lot = lot(row)?;
        let record = book.members.get_mut(&owner(row)?).and_then(|opened| opened.purchases.get_mut(&lot.entry));
        if let Some(record) = record {
            record.lots.push(lot);
        }
    }
    Ok(())
}

/// A `lots` row.
pub(super) fn lot(row: &Row) -> Result<Lot, StoreError> {
    Ok(Lot {
        id: row.get::<&str>("lot_id")?.into(),
        entry: EntryId(row.get("entry_id")?),
        member: row.get::<&str>("member_id")?.into(),
        installation: row.get::<&str>("installation_id")?.into(),
        digest: digest(row, "digest")?,
        settings_revision: row.get("settings_revision")?,
        wallet: row.get("wallet")?,
        amount: row.get("amount")?,
        reversed: row.get("reversed")?,
        shares: document("shares", row.get("shares")?)?,
    })
}

/// Counters of the batch's merchants: those without a day, and those of the days the batch falls on.
async fn counters(tx: &mut Tx, entries: &[QueuedEntry], days: &[String], book: &mut Book) -> Result<(), StoreError> {
    let merchants: BTreeSet<&MerchantId> = entries.iter().map(|entry| &entry.merchant).collect();
    let days: BTreeSet<&str> = days.iter().map(String::as_str).chain([""]).collect();
    let mut wanted = Set::new("k", &[("merchant_id", Kind::Text), ("day", Kind::Text)]);
    for merchant in merchants {
        for day in &days {
            wanted.push([merchant.into(), (*day).into()]);
        }
    }
    let rows = tx
        .rows("select c.* from {k} join counters c on c.merchant_id = k.merchant_id and c.day = k.day", &[], &[&wanted])
        .await?;
    for row in &rows {
        let counter = Counter {
            merchant: row.get::<&str>("merchant_id")?.into(),
            installation: row.get::<&str>("installation_id")?.into(),
            name: row.get("name")?,
            day: row.get("day")?,
        };
        book.counters.insert(counter, row.get("amount")?);
    }
    Ok(())
}
