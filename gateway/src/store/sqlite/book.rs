//! What a settling batch reads: the queue, and everything its decisions may depend on.

use super::rows::{MEMBER, add_balance, digest, document, member, reward, set};
use crate::store::StoreError;
use perkgate_domain::ids::{EntryId, MemberId, MerchantId};
use perkgate_domain::ledger::{Lot, Refunded};
use perkgate_domain::plan::{Book, Counter, MemberBook, PurchaseRecord, QueuedEntry};
use perkgate_domain::purchase::Event;
use perkgate_domain::time::Moment;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{AssertSqlSafe, Row as _};
use std::collections::{BTreeMap, BTreeSet};

pub(super) async fn queued(pool: &SqlitePool, now: Moment, most: usize) -> Result<Vec<QueuedEntry>, StoreError> {
    let rows = sqlx::query(
        "select entry_id, merchant_id, source_id, member_id, purchase_entry, document, attempts
         from entries e where state = 'queued' and not_before <= $1
              -- What comes after an entry that was put off waits for it.
              and not exists (select 1 from entries b where b.state = 'queued' and b.merchant_id = e.merchant_id
                              and b.member_id = e.member_id and b.entry_id < e.entry_id and b.not_before > $1)
         order by entry_id limit $2",
    )
    .bind(now.0)
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(QueuedEntry {
                id: EntryId(row.try_get("entry_id")?),
                merchant: row.try_get::<&str, _>("merchant_id")?.into(),
                source: row.try_get::<&str, _>("source_id")?.into(),
                event: document("event", row.try_get("document")?)?,
                member: row.try_get::<Option<&str>, _>("member_id")?.map(Into::into),
                purchase: row.try_get::<Option<i64>, _>("purchase_entry")?.map(EntryId),
                attempts: row.try_get("attempts")?,
            })
        })
        .collect()
}

pub(super) async fn book(pool: &SqlitePool, entries: &[QueuedEntry], days: &[String]) -> Result<Book, StoreError> {
    let members: BTreeSet<(&MerchantId, &MemberId)> =
        entries.iter().filter_map(|entry| Some((&entry.merchant, entry.member.as_ref()?))).collect();
    let members = set(&members.into_iter().collect::<Vec<_>>())?;
    let mut book = Book::default();
    // One snapshot for all reads: a batch never mixes two states of a member.
    let mut tx = pool.begin().await?;
    let rows = sqlx::query(AssertSqlSafe(format!("select {MEMBER} from json_each($1) k {}", joined("members m"))))
        .bind(&members)
        .fetch_all(&mut *tx)
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
    let rows = sqlx::query(
        "select b.merchant_id, k.value ->> 1 as member_id, b.account, b.wallet, b.amount from json_each($1) k
         join balances b on b.merchant_id = k.value ->> 0
              and b.account in ((k.value ->> 1) || '/available', (k.value ->> 1) || '/pending')",
    )
    .bind(&members)
    .fetch_all(&mut *tx)
    .await?;
    for row in &rows {
        if let Some(opened) = book.members.get_mut(&owner(row)?) {
            add_balance(&mut opened.member.balances, row)?;
        }
    }
    let rows = sqlx::query(AssertSqlSafe(format!(
        "select m.merchant_id, m.member_id, m.installation_id, m.bytes from json_each($1) k {}",
        joined("memories m")
    )))
    .bind(&members)
    .fetch_all(&mut *tx)
    .await?;
    for row in &rows {
        if let Some(opened) = book.members.get_mut(&owner(row)?) {
            opened.memories.insert(row.try_get::<&str, _>("installation_id")?.into(), row.try_get("bytes")?);
        }
    }
    let rows = sqlx::query(AssertSqlSafe(format!(
        "select m.* from json_each($1) k {} where m.state = 'issued' order by m.issued_at, m.reward_id",
        joined("rewards m")
    )))
    .bind(&members)
    .fetch_all(&mut *tx)
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

fn joined(table: &str) -> String {
    format!("join {table} on m.merchant_id = k.value ->> 0 and m.member_id = k.value ->> 1")
}

fn owner(row: &SqliteRow) -> Result<(MerchantId, MemberId), StoreError> {
    Ok((row.try_get::<&str, _>("merchant_id")?.into(), row.try_get::<&str, _>("member_id")?.into()))
}

/// The purchases that refunds of the batch give back, with their lots.
async fn purchases(
    tx: &mut sqlx::SqliteConnection,
    entries: &[QueuedEntry],
    book: &mut Book,
) -> Result<(), StoreError> {
    let wanted: BTreeSet<EntryId> = entries.iter().filter_map(|entry| entry.purchase).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let wanted = set(&wanted.into_iter().collect::<Vec<_>>())?;
    let rows = sqlx::query(
        "select e.entry_id, e.merchant_id, e.member_id, e.document, e.refunded from json_each($1) k
         join entries e on e.entry_id = k.value where e.member_id is not null",
    )
    .bind(&wanted)
    .fetch_all(&mut *tx)
    .await?;
    for row in &rows {
        let Event::Purchase(purchase) = document("event", row.try_get("document")?)? else { continue };
        let refunded = match row.try_get::<Option<&str>, _>("refunded")? {
            Some(text) => document("refunded sums", text)?,
            None => Refunded::default(),
        };
        if let Some(opened) = book.members.get_mut(&owner(row)?) {
            let record = PurchaseRecord { purchase, lots: Vec::new(), refunded };
            opened.purchases.insert(EntryId(row.try_get("entry_id")?), record);
        }
    }
    let rows = sqlx::query(
        "select l.* from json_each($1) k join entries e on e.entry_id = k.value
         join lots l on l.merchant_id = e.merchant_id and l.entry_id = e.entry_id order by l.lot_id",
    )
    .bind(&wanted)
    .fetch_all(&mut *tx)
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
pub(super) fn lot(row: &SqliteRow) -> Result<Lot, StoreError> {
    Ok(Lot {
        id: row.try_get::<&str, _>("lot_id")?.into(),
        entry: EntryId(row.try_get("entry_id")?),
        member: row.try_get::<&str, _>("member_id")?.into(),
        installation: row.try_get::<&str, _>("installation_id")?.into(),
        digest: digest(row, "digest")?,
        settings_revision: row.try_get("settings_revision")?,
        wallet: row.try_get("wallet")?,
        amount: row.try_get("amount")?,
        reversed: row.try_get("reversed")?,
        shares: document("shares", row.try_get("shares")?)?,
    })
}

/// Counters of the batch's merchants: those without a day, and those of the days the batch falls on.
async fn counters(
    tx: &mut sqlx::SqliteConnection,
    entries: &[QueuedEntry],
    days: &[String],
    book: &mut Book,
) -> Result<(), StoreError> {
    let merchants: BTreeSet<&MerchantId> = entries.iter().map(|entry| &entry.merchant).collect();
    let days: BTreeSet<&str> = days.iter().map(String::as_str).chain([""]).collect();
    let rows = sqlx::query(
        "select c.* from json_each($1) k join json_each($2) d
         join counters c on c.merchant_id = k.value and c.day = d.value",
    )
    .bind(set(&merchants.into_iter().collect::<Vec<_>>())?)
    .bind(set(&days.into_iter().collect::<Vec<_>>())?)
    .fetch_all(tx)
    .await?;
    for row in &rows {
        let counter = Counter {
            merchant: row.try_get::<&str, _>("merchant_id")?.into(),
            installation: row.try_get::<&str, _>("installation_id")?.into(),
            name: row.try_get("name")?,
            day: row.try_get("day")?,
        };
        book.counters.insert(counter, row.try_get("amount")?);
    }
    Ok(())
}
