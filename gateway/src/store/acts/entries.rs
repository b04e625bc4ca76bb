//! What admitting writes about entries: the entries themselves, and their places in the queue.

use super::admit::{Draft, EntryKey, Known, key_set};
use super::rows::{owner, word};
use crate::store::StoreError;
use crate::store::engine::{Dialect, Kind as Column, Set, Tx};
use perkgate_domain::event::{Event, Kind};
use perkgate_domain::ids::{EntryId, MemberId, MerchantId};
use perkgate_domain::plan::{EntryState, QueuedEntry};
use std::collections::{BTreeSet, HashMap};

/// A purchase that refunds of a batch give back.
pub(super) struct Found {
    entry: EntryId,
    member: Option<MemberId>,
    /// Where its refunds begin: queued if it is settled, unclaimed as it is itself, or parked until its settlement wakes them.
    refunds: EntryState,
}

/// Finds the purchases of refunds. Those that are not settled stay so until this batch is committed: their settlement then sees the
/// refunds that are parked here, where otherwise neither would see the other.
pub(super) async fn find_purchases(tx: &mut Tx, drafts: &[Draft<'_>]) -> Result<HashMap<EntryKey, Found>, StoreError> {
    let wanted: BTreeSet<EntryKey> = drafts.iter().filter_map(|draft| purchase_key(draft)).collect();
    let rows = tx
        .rows(
            "select e.entry_id, e.merchant_id, e.source_id, e.external_id, e.member_id
             from {k} join entries e on e.merchant_id = k.merchant_id and e.source_id = k.source_id
                  and e.kind = k.kind and e.external_id = k.external_id",
            &[],
            &[&key_set(wanted.iter())],
        )
        .await?;
    let mut found = HashMap::new();
    for row in &rows {
        let key: EntryKey =
            (row.get("merchant_id")?, row.get("source_id")?, Kind::Purchase.as_str(), row.get("external_id")?);
        let member = row.get::<Option<&str>>("member_id")?.map(Into::into);
        found.insert(key, Found { entry: EntryId(row.get("entry_id")?), member, refunds: EntryState::Queued });
    }
    let ids = Set::of_ids("k", found.values().map(|purchase| purchase.entry.0).collect::<BTreeSet<_>>());
    let waiting = match tx.dialect() {
        Dialect::Sqlite => "select w.entry_id, w.state from {k} join waiting w on w.entry_id = k.id",
        Dialect::Postgres => {
            "select w.entry_id, w.state from {k} join waiting w on w.entry_id = k.id order by w.entry_id for share of w"
        }
    };
    for row in &tx.rows(waiting, &[], &[&ids]).await? {
        let entry = EntryId(row.get("entry_id")?);
        let unclaimed = row.get::<&str>("state")? == EntryState::Unclaimed.as_str();
        let refunds = if unclaimed { EntryState::Unclaimed } else { EntryState::Parked };
        found.values_mut().filter(|purchase| purchase.entry == entry).for_each(|purchase| purchase.refunds = refunds);
    }
    Ok(found)
}

/// A refund goes to its purchase's member once the purchase is settled; until then it waits for it, or for a member with it.
pub(super) fn give_to_members(drafts: &mut [Draft<'_>], purchases: &HashMap<EntryKey, Found>) {
    for draft in drafts {
        let Some(key) = purchase_key(draft) else { continue };
        let purchase = purchases.get(&key);
        if let Some(purchase) = purchase {
            draft.purchase_entry = Some(purchase.entry);
            draft.member.clone_from(&purchase.member);
        }
        draft.state = purchase.map_or(EntryState::Parked, |purchase| purchase.refunds);
        if draft.state == EntryState::Parked {
            draft.cause = Some("waits for its purchase");
        }
    }
}

fn purchase_key(draft: &Draft<'_>) -> Option<EntryKey> {
    let purchase = draft.entry.event.purchase_id()?;
    Some((draft.key.0.clone(), draft.key.1.clone(), Kind::Purchase.as_str(), purchase.to_owned()))
}

pub(super) async fn insert_entries(
    tx: &mut Tx,
    drafts: &mut [Draft<'_>],
    known: &mut HashMap<EntryKey, Known>,
) -> Result<(), StoreError> {
    let mut rows = Set::new(
        "k",
        &[
            ("merchant_id", Column::Text),
            ("source_id", Column::Text),
            ("kind", Column::Text),
            ("external_id", Column::Text),
            ("reference", Column::Text),
            ("arrival_id", Column::Int),
            ("member_id", Column::Text),
            ("purchase_entry", Column::Int),
            ("document", Column::Text),
            ("digest", Column::Bytes),
            ("told", Column::Bytes),
            ("happened_at", Column::Int),
        ],
    );
    for draft in drafts.iter().filter(|draft| draft.claims.is_none()) {
        let reference = match &draft.entry.event {
            Event::Purchase(purchase) => purchase.reference.as_ref(),
            _ => None,
        };
        rows.push([
            (&draft.key.0).into(),
            (&draft.key.1).into(),
            draft.key.2.into(),
            (&draft.key.3).into(),
            reference.into(),
            draft.admission.arrival.into(),
            draft.member.as_ref().into(),
            draft.purchase_entry.into(),
            (&draft.entry.document).into(),
            draft.entry.digest.into(),
            (draft.entry.told != draft.entry.digest).then_some(draft.entry.told).into(),
            draft.entry.event.at().into(),
        ]);
    }
    let inserted = tx
        .rows(
            "insert into entries (merchant_id, source_id, kind, external_id, reference, arrival_id, member_id, purchase_entry,
                                  document, digest, told, happened_at)
             select k.merchant_id, k.source_id, k.kind, k.external_id, k.reference, k.arrival_id, k.member_id, k.purchase_entry,
                    k.document, k.digest, k.told, k.happened_at
             from {k} order by k.place
             returning entry_id, merchant_id, source_id, kind, external_id",
            &[],
            &[&rows],
        )
        .await?;
    let mut numbers = HashMap::with_capacity(inserted.len());
    for row in &inserted {
        let kind = word("kind", row.get("kind")?, Kind::parse)?.as_str();
        let key: EntryKey = (row.get("merchant_id")?, row.get("source_id")?, kind, row.get("external_id")?);
        numbers.insert(key, EntryId(row.get("entry_id")?));
    }
    for draft in drafts.iter_mut().filter(|draft| draft.claims.is_none()) {
        draft.id = numbers.get(&draft.key).copied();
        if let Some(entry) = draft.id {
            known.insert(draft.key.clone(), Known { entry, told: draft.entry.told, unclaimed: false });
        }
    }
    Ok(())
}

/// Members of whom something waits already.
async fn waiting_owners(
    tx: &mut Tx,
    fresh: &[(EntryId, &Draft<'_>)],
) -> Result<BTreeSet<(MerchantId, MemberId)>, StoreError> {
    let owners: BTreeSet<(&str, &str)> = fresh
        .iter()
        .filter(|(_, draft)| draft.state == EntryState::Queued)
        .filter_map(|(_, draft)| Some((draft.key.0.as_str(), draft.member.as_ref()?.as_str())))
        .collect();
    let mut owned = Set::new("k", &[("merchant_id", Column::Text), ("member_id", Column::Text)]);
    for (merchant, member) in owners {
        owned.push([merchant.into(), member.into()]);
    }
    // Two statements, each along an index of its own.
    let mut waiting = BTreeSet::new();
    for statement in [
        "select distinct w.merchant_id, w.member_id from {k} join waiting w
         on w.state = 'queued' and w.merchant_id = k.merchant_id and w.member_id = k.member_id",
        "select k.merchant_id, k.member_id from {k}
         where (select min(w.entry_id) from waiting w
                where w.state = 'failed' and w.merchant_id = k.merchant_id and w.member_id = k.member_id) is not null",
    ] {
        for row in &tx.rows(statement, &[], &[&owned]).await? {
            waiting.insert(owner(row)?);
        }
    }
    Ok(waiting)
}

/// Puts new entries in the queue, and answers those that may be settled at once: nothing older of their member waits, except what
/// is answered with them.
pub(super) async fn enqueue(tx: &mut Tx, drafts: &[Draft<'_>], lease_ms: i64) -> Result<Vec<QueuedEntry>, StoreError> {
    let mut fresh: Vec<(EntryId, &Draft<'_>)> =
        drafts.iter().filter_map(|draft| draft.id.map(|id| (id, draft))).collect();
    fresh.sort_by_key(|(id, _)| *id);
    let behind = waiting_owners(tx, &fresh).await?;
    let mut queue = Set::new(
        "k",
        &[
            ("entry_id", Column::Int),
            ("merchant_id", Column::Text),
            ("source_id", Column::Text),
            ("member_id", Column::Text),
            ("purchase_id", Column::Text),
            ("state", Column::Text),
            ("cause", Column::Text),
            ("held", Column::Int),
        ],
    );
    let mut ready = Vec::with_capacity(fresh.len());
    for (id, draft) in fresh {
        let waits =
            draft.member.as_ref().is_some_and(|member| behind.contains(&(draft.key.0.as_str().into(), member.clone())));
        let held = lease_ms > 0 && draft.state == EntryState::Queued && !waits;
        let purchase = draft.entry.event.purchase_id();
        queue.push([
            id.into(),
            (&draft.key.0).into(),
            (&draft.key.1).into(),
            draft.member.as_ref().into(),
            purchase.into(),
            draft.state.as_str().into(),
            draft.cause.into(),
            held.into(),
        ]);
        if held {
            ready.push(QueuedEntry {
                id,
                merchant: draft.admission.merchant.clone(),
                source: draft.admission.source.clone(),
                arrival: Some(draft.admission.arrival),
                event: draft.entry.event.clone(),
                member: draft.member.clone(),
                purchase: draft.purchase_entry,
                born: false,
                attempts: 0,
            });
        }
    }
    tx.run(
        "insert into waiting (entry_id, merchant_id, source_id, member_id, purchase_id, state, cause, leased_until)
         select k.entry_id, k.merchant_id, k.source_id, k.member_id, k.purchase_id, k.state, k.cause,
                case when k.held = 1 then {now} + $1 else 0 end
         from {k} order by k.place",
        &[lease_ms.into()],
        &[&queue],
    )
    .await?;
    Ok(ready)
}

/// Refunds that came before a purchase which names nobody wait for a member with it.
pub(super) async fn join_unclaimed(tx: &mut Tx, drafts: &[Draft<'_>]) -> Result<(), StoreError> {
    let purchase = |draft: &&Draft<'_>| draft.key.2 == Kind::Purchase.as_str();
    let unclaimed = drafts.iter().filter(|draft| draft.state == EntryState::Unclaimed).filter(purchase);
    let ids = Set::of_ids("k", unclaimed.filter_map(|draft| draft.id).map(|id| id.0));
    for statement in [
        "update entries set purchase_entry = k.id
         from {k} join entries p on p.entry_id = k.id
         join waiting w on w.state = 'parked' and w.merchant_id = p.merchant_id and w.source_id = p.source_id
              and w.purchase_id = p.external_id
         where entries.entry_id = w.entry_id",
        "update waiting set state = 'unclaimed', cause = null
         from {k} join entries e on e.purchase_entry = k.id
         where waiting.entry_id = e.entry_id and waiting.state = 'parked'",
    ] {
        tx.run(statement, &[], &[&ids]).await?;
    }
    Ok(())
}

/// Queues what nobody had claimed, now that somebody is named. Its refunds wait for it, as if they had come first.
pub(super) async fn claim_entries(tx: &mut Tx, drafts: &[Draft<'_>]) -> Result<(), StoreError> {
    let mut rows = Set::new("k", &[("entry_id", Column::Int), ("member_id", Column::Text)]);
    for draft in drafts {
        if let (Some(entry), Some(member)) = (draft.claims, &draft.member) {
            rows.push([entry.into(), member.into()]);
        }
    }
    give(tx, &rows).await
}

/// Gives unclaimed purchases to members.
async fn give(tx: &mut Tx, rows: &Set) -> Result<(), StoreError> {
    for statement in [
        "update waiting set state = 'parked', cause = 'waits for its purchase'
         from {k} join entries e on e.purchase_entry = k.entry_id
         where waiting.entry_id = e.entry_id and waiting.state = 'unclaimed'",
        "update entries set member_id = k.member_id from {k} where entries.entry_id = k.entry_id",
        "update waiting set state = 'queued', cause = null, member_id = k.member_id
         from {k} where waiting.entry_id = k.entry_id and waiting.state = 'unclaimed'",
    ] {
        tx.run(statement, &[], &[rows]).await?;
    }
    Ok(())
}

/// The same for purchases whose receipt somebody shows.
pub(super) async fn claim_by_receipt(tx: &mut Tx, drafts: &[Draft<'_>]) -> Result<(), StoreError> {
    for draft in drafts {
        let (Event::Claim(claim), Some(member)) = (&draft.entry.event, &draft.member) else { continue };
        let shown =
            [(&draft.key.0).into(), (&claim.source).into(), (&claim.order).into(), Kind::Purchase.as_str().into()];
        let found = tx
            .row(
                "select e.entry_id from entries e join waiting w on w.entry_id = e.entry_id and w.state = 'unclaimed'
                 where e.merchant_id = $1 and e.source_id = $2 and e.kind = $4 and (e.external_id = $3 or e.reference = $3)
                 order by e.entry_id limit 1",
                &shown,
            )
            .await?;
        let Some(entry) = found.map(|row| row.get::<i64>("entry_id")).transpose()? else { continue };
        let mut rows = Set::new("k", &[("entry_id", Column::Int), ("member_id", Column::Text)]);
        rows.push([entry.into(), member.into()]);
        give(tx, &rows).await?;
    }
    Ok(())
}
