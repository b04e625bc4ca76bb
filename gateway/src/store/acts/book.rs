//! What a settling batch reads: everything its decisions may depend on.

use super::rows::{document, lot, member, owner, reward, word};
use crate::store::engine::{Dialect, Engine, Kind, Row, Set, Tx};
use crate::store::{Reading, StoreError};
use perkgate_domain::event::{Event, WakeCause};
use perkgate_domain::ids::{EntryId, MemberId, MerchantId};
use perkgate_domain::ledger::{HeldReward, Refunded};
use perkgate_domain::limits::FAVOURITES_FROM;
use perkgate_domain::plan::{Book, Counter, MemberBook, PlannedWake, PurchaseRecord, QueuedEntry};
use perkgate_domain::time::Moment;
use std::collections::{BTreeMap, BTreeSet, HashMap};

type Owner<'a> = (&'a MerchantId, &'a MemberId);

pub(in crate::store) async fn book(engine: &Engine, reading: &Reading<'_>) -> Result<Book, StoreError> {
    let mut owners: BTreeSet<Owner<'_>> =
        reading.entries.iter().filter_map(|entry| Some((&entry.merchant, entry.member.as_ref()?))).collect();
    owners.extend(reading.nudged.iter().map(|(merchant, member)| (merchant, member)));
    owners.extend(reading.entries.iter().filter_map(|entry| match &entry.event {
        Event::Merge(merge) => Some((&entry.merchant, &merge.other)),
        _ => None,
    }));
    let everybody = owner_set(owners.iter().copied());
    let mut book = Book::default();
    // One snapshot for all reads: a batch never mixes two states of a member.
    let mut tx = engine.read().await?;
    members(&mut tx, &everybody, &mut book).await?;
    belongings(&mut tx, &everybody, &mut book).await?;
    lots(&mut tx, reading, &mut book).await?;
    purchases(&mut tx, reading.entries, &mut book).await?;
    history(&mut tx, reading, &owners, &mut book).await?;
    codes(&mut tx, reading.entries, &mut book).await?;
    tx.commit().await?;
    Ok(book)
}

fn owner_set<'a>(owners: impl Iterator<Item = Owner<'a>>) -> Set {
    let mut set = Set::new("k", &[("merchant_id", Kind::Text), ("member_id", Kind::Text)]);
    for (merchant, member) in owners {
        set.push([merchant.into(), member.into()]);
    }
    set
}

async fn members(tx: &mut Tx, everybody: &Set, book: &mut Book) -> Result<(), StoreError> {
    let rows = tx
        .rows(
            "select m.* from {k} join members m on m.merchant_id = k.merchant_id and m.member_id = k.member_id",
            &[],
            &[everybody],
        )
        .await?;
    for row in &rows {
        let opened = MemberBook {
            member: member(row)?,
            memories: BTreeMap::new(),
            rewards: Vec::new(),
            purchases: BTreeMap::new(),
            wakes: Vec::new(),
            lots: None,
            history: Vec::new(),
        };
        book.members.insert(owner(row)?, opened);
    }
    Ok(())
}

/// What members have that is in rows of its own: memories, rewards, wakes.
async fn belongings(tx: &mut Tx, everybody: &Set, book: &mut Book) -> Result<(), StoreError> {
    let sets = &[everybody];
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
    let rows = tx
        .rows(
            "select m.* from {k} join wakes m on m.merchant_id = k.merchant_id and m.member_id = k.member_id",
            &[],
            sets,
        )
        .await?;
    for row in &rows {
        if let Some(opened) = book.members.get_mut(&owner(row)?) {
            opened.wakes.push(PlannedWake {
                installation: row.get::<&str>("installation_id")?.into(),
                cause: word("wake cause", row.get("cause")?, WakeCause::parse)?,
                key: row.get("wake_key")?,
                at: Moment(row.get("at")?),
                data: row.get("data")?,
                attempts: row.get("attempts")?,
            });
        }
    }
    Ok(())
}

/// Whose lots are read: those of whom something may be taken back or lost in this batch. Most purchases only add lots.
fn lot_owners(reading: &Reading<'_>, book: &Book) -> BTreeSet<(MerchantId, MemberId)> {
    let mut latest: HashMap<(&MerchantId, &MemberId), (Moment, usize, bool)> = HashMap::new();
    for entry in reading.entries {
        let Some(member) = &entry.member else { continue };
        let about_lots = matches!(
            entry.event,
            Event::Refund(_) | Event::Edit(_) | Event::Redemption(_) | Event::Undo(_) | Event::Due(_) | Event::Merge(_)
        );
        let (at, count, needed) = latest.entry((&entry.merchant, member)).or_insert((Moment(i64::MIN), 0, false));
        *at = (*at).max(entry.event.at());
        *count += 1;
        *needed |= about_lots;
        if let Event::Merge(merge) = &entry.event {
            latest.insert((&entry.merchant, &merge.other), (entry.event.at(), 1, true));
        }
    }
    for (merchant, member) in reading.nudged {
        // What a wake earns, or the entry before it, may be lost by now.
        latest.insert((merchant, member), (reading.now, 1, true));
    }
    let mut owners = BTreeSet::new();
    for ((merchant, member), (at, count, needed)) in latest {
        let owner = (merchant.clone(), member.clone());
        let Some(opened) = book.members.get(&owner) else { continue };
        let expires = opened.member.due_at.is_some_and(|due| due <= at) || opened.member.through > at;
        // A second entry may come when what the first earned is lost already.
        if needed || expires || count > 1 {
            owners.insert(owner);
        }
    }
    owners
}

async fn lots(tx: &mut Tx, reading: &Reading<'_>, book: &mut Book) -> Result<(), StoreError> {
    let owners = lot_owners(reading, book);
    let set = owner_set(owners.iter().map(|(merchant, member)| (merchant, member)));
    // SQLite keeps the order of a cross join: from the members to their entries to the lots, never the other way.
    let join = match tx.dialect() {
        Dialect::Sqlite => "cross join",
        Dialect::Postgres => "join",
    };
    let statement = format!(
        "select l.* from {{k}} {join} entries e on e.merchant_id = k.merchant_id and e.member_id = k.member_id
         {join} lots l on l.merchant_id = e.merchant_id and l.entry_id = e.entry_id
         order by l.earned_at, l.lot_id"
    );
    let rows = tx.rows(&statement, &[], &[&set]).await?;
    for key in owners {
        if let Some(opened) = book.members.get_mut(&key) {
            opened.lots = Some(Vec::new());
        }
    }
    for row in &rows {
        if let Some(lots) = book.members.get_mut(&owner(row)?).and_then(|opened| opened.lots.as_mut()) {
            lots.push(lot(row)?);
        }
    }
    Ok(())
}

/// The purchases that refunds and edits of the batch are about.
async fn purchases(tx: &mut Tx, entries: &[QueuedEntry], book: &mut Book) -> Result<(), StoreError> {
    let wanted: BTreeSet<i64> = entries.iter().filter_map(|entry| entry.purchase).map(|entry| entry.0).collect();
    let wanted = Set::of_ids("k", wanted);
    let rows = tx
        .rows(
            "select e.entry_id, e.merchant_id, e.member_id, e.document, e.refunded, e.uncounted from {k}
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
        let entry = EntryId(row.get("entry_id")?);
        if let Some(opened) = book.members.get_mut(&owner(row)?) {
            let all = opened.lots.iter().flatten().filter(|lot| lot.entry == entry);
            let lots = all.map(|lot| (lot.entry, lot.id.clone())).collect();
            let uncounted = row.get::<i64>("uncounted")? != 0;
            let record = PurchaseRecord { purchase, told_by: entry, lots, refunded, uncounted, decisions: Vec::new() };
            opened.purchases.insert(entry, record);
        }
    }
    edits(tx, entries, &wanted, book).await
}

/// What edits made of those purchases, and for new edits what was decided on them.
async fn edits(tx: &mut Tx, entries: &[QueuedEntry], wanted: &Set, book: &mut Book) -> Result<(), StoreError> {
    let rows = tx
        .rows(
            "select e.entry_id, e.merchant_id, e.member_id, e.purchase_entry, e.document from {k}
             join entries e on e.purchase_entry = k.id and e.kind = 'edit'
             left join waiting w on w.entry_id = e.entry_id
             where e.member_id is not null and w.entry_id is null order by e.happened_at, e.entry_id",
            &[],
            &[wanted],
        )
        .await?;
    for row in &rows {
        let Event::Edit(edit) = document("event", row.get("document")?)? else { continue };
        let Some(opened) = book.members.get_mut(&owner(row)?) else { continue };
        let entry = EntryId(row.get("entry_id")?);
        let more: Vec<_> = opened.lots.iter().flatten().filter(|lot| lot.entry == entry).cloned().collect();
        if let Some(record) = opened.purchases.get_mut(&EntryId(row.get("purchase_entry")?)) {
            record.purchase = edit.purchase;
            record.told_by = entry;
            record.lots.extend(more.into_iter().map(|lot| (lot.entry, lot.id)));
        }
    }
    let edited = entries.iter().filter(|entry| matches!(entry.event, Event::Edit(_)));
    let edited: BTreeSet<i64> = edited.filter_map(|entry| entry.purchase).map(|entry| entry.0).collect();
    let rows = tx
        .rows(
            "select d.entry_id, d.merchant_id, e.member_id, d.document from {k}
             join decisions d on d.entry_id = k.id join entries e on e.entry_id = k.id where e.member_id is not null",
            &[],
            &[&Set::of_ids("k", edited)],
        )
        .await?;
    for row in &rows {
        let entry = EntryId(row.get("entry_id")?);
        let record = book.members.get_mut(&owner(row)?).and_then(|opened| opened.purchases.get_mut(&entry));
        if let Some(record) = record {
            record.decisions = document("decisions", row.get("document")?)?;
        }
    }
    Ok(())
}

/// The latest purchases of members whose merchant's plugins ask for them.
async fn history(
    tx: &mut Tx,
    reading: &Reading<'_>,
    owners: &BTreeSet<Owner<'_>>,
    book: &mut Book,
) -> Result<(), StoreError> {
    let asked = owner_set(owners.iter().copied().filter(|(merchant, _)| reading.history.contains_key(*merchant)));
    let of_one = |columns: &str| {
        format!(
            "select {columns} from entries p left join waiting w on w.entry_id = p.entry_id
             where p.merchant_id = k.merchant_id and p.member_id = k.member_id and p.kind = 'purchase' and w.entry_id is null
             order by p.happened_at desc, p.entry_id desc limit {FAVOURITES_FROM}"
        )
    };
    let columns = "select e.merchant_id, e.member_id, e.document, e.refunded from {k}";
    let order = "order by e.happened_at desc, e.entry_id desc";
    let statement = match tx.dialect() {
        Dialect::Postgres => format!("{columns} cross join lateral ({}) e {order}", of_one("p.*")),
        // Its cross join goes through the members first, as it must.
        Dialect::Sqlite => {
            format!("{columns} cross join entries e on e.entry_id in ({}) {order}", of_one("p.entry_id"))
        }
    };
    for row in &tx.rows(&statement, &[], &[&asked]).await? {
        let gone = match row.get::<Option<&str>>("refunded")? {
            Some(text) => document::<Refunded>("refunded sums", text)?.complete,
            None => false,
        };
        let key = owner(row)?;
        let most = reading.history.get(&key.0).copied().unwrap_or(0);
        let Some(opened) = book.members.get_mut(&key).filter(|opened| !gone && opened.history.len() < most) else {
            continue;
        };
        if let Event::Purchase(purchase) = document("event", row.get("document")?)? {
            opened.history.push(purchase);
        }
    }
    Ok(())
}

/// Rewards whose codes the batch's purchases name.
async fn codes(tx: &mut Tx, entries: &[QueuedEntry], book: &mut Book) -> Result<(), StoreError> {
    let mut named: BTreeSet<(&MerchantId, String)> = BTreeSet::new();
    for entry in entries {
        if let Event::Purchase(purchase) = &entry.event {
            named.extend(purchase.codes.iter().map(|code| (&entry.merchant, code.trim().to_ascii_uppercase())));
        }
    }
    let mut set = Set::new("k", &[("merchant_id", Kind::Text), ("code", Kind::Text)]);
    for (merchant, code) in named {
        set.push([merchant.into(), code.into()]);
    }
    let rows = tx
        .rows("select r.* from {k} join rewards r on r.merchant_id = k.merchant_id and r.code = k.code", &[], &[&set])
        .await?;
    for row in &rows {
        let held: HeldReward = reward(row)?;
        book.codes.insert((row.get::<&str>("merchant_id")?.into(), held.code.clone()), held);
    }
    Ok(())
}

pub(in crate::store) async fn counters(
    engine: &Engine,
    scopes: &BTreeSet<(MerchantId, String)>,
) -> Result<HashMap<Counter, i64>, StoreError> {
    let mut wanted = Set::new("k", &[("merchant_id", Kind::Text), ("scope", Kind::Text)]);
    for (merchant, scope) in scopes {
        wanted.push([merchant.into(), scope.into()]);
    }
    let statement = "select c.* from {k} join counters c on c.merchant_id = k.merchant_id and c.scope = k.scope";
    engine.rows(statement, &[], &[&wanted]).await?.iter().map(counter).collect()
}

fn counter(row: &Row) -> Result<(Counter, i64), StoreError> {
    let counter = Counter {
        merchant: row.get::<&str>("merchant_id")?.into(),
        installation: row.get::<&str>("installation_id")?.into(),
        name: row.get("name")?,
        scope: row.get("scope")?,
    };
    Ok((counter, row.get("amount")?))
}
