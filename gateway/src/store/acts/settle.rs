//! The settling commit: decisions, postings, balances, lots, rewards, memory, outbox and the entries' end, all or nothing.

use super::gains::{balances, counters, lots, postings, rewards};
use super::rows::json;
use super::{fates, sayings, stalled};
use crate::store::engine::{Engine, Kind, Set, Tx};
use crate::store::{Postponed, PutOff, StoreError};
use perkgate_domain::ids::{Digest, EntryId, InstallationId, MemberId, MerchantId};
use perkgate_domain::member::Member;
use perkgate_domain::plan::{DecisionRecord, EntryState, Settlement};
use std::collections::BTreeMap;

pub(in crate::store) async fn settle(
    engine: &Engine,
    settlements: &[Settlement],
    put_off: &[PutOff],
) -> Result<(), StoreError> {
    let mut tx = engine.write().await?;
    born(&mut tx, settlements).await?;
    end_entries(&mut tx, settlements).await?;
    members(&mut tx, settlements).await?;
    postings(&mut tx, settlements).await?;
    lots(&mut tx, settlements).await?;
    rewards(&mut tx, settlements).await?;
    decisions(&mut tx, settlements).await?;
    memories(&mut tx, settlements).await?;
    super::outbox::insert(&mut tx, settlements.iter().flat_map(|settlement| &settlement.deliveries)).await?;
    refunds(&mut tx, settlements).await?;
    sayings::wakes(&mut tx, settlements).await?;
    sayings::tasks(&mut tx, settlements).await?;
    sayings::questions(&mut tx, settlements).await?;
    for settlement in settlements.iter().filter(|settlement| settlement.fate.is_some()) {
        fates::fulfil(&mut tx, settlement).await?;
    }
    later(&mut tx, put_off).await?;
    // What all of a merchant's members share comes last: others wait for these rows until the commit.
    counters(&mut tx, settlements).await?;
    balances(&mut tx, settlements).await?;
    tx.commit().await
}

pub(super) fn expect(changed: u64, wanted: usize) -> Result<(), StoreError> {
    if usize::try_from(changed) == Ok(wanted) { Ok(()) } else { Err(StoreError::Stale) }
}

/// Entries that the batch made itself. Made twice, by two processes, one of them is too late.
async fn born(tx: &mut Tx, settlements: &[Settlement]) -> Result<(), StoreError> {
    let mut rows = Set::new(
        "k",
        &[
            ("entry_id", Kind::Int),
            ("merchant_id", Kind::Text),
            ("source_id", Kind::Text),
            ("kind", Kind::Text),
            ("external_id", Kind::Text),
            ("member_id", Kind::Text),
            ("document", Kind::Text),
            ("digest", Kind::Bytes),
            ("happened_at", Kind::Int),
        ],
    );
    for entry in settlements.iter().filter_map(|settlement| settlement.born.as_deref()) {
        let document = json("event", &entry.event)?;
        let digest = Digest::of(document.as_bytes());
        rows.push([
            entry.id.into(),
            (&entry.merchant).into(),
            (&entry.source).into(),
            entry.event.kind().as_str().into(),
            entry.event.external_id().into(),
            entry.member.as_ref().into(),
            document.into(),
            digest.into(),
            entry.event.at().into(),
        ]);
    }
    let made = tx
        .run(
            "insert into entries (entry_id, merchant_id, source_id, kind, external_id, arrival_id, member_id, document, digest,
                                  happened_at)
             select k.entry_id, k.merchant_id, k.source_id, k.kind, k.external_id, 0, k.member_id, k.document, k.digest,
                    k.happened_at
             from {k} where true order by k.place on conflict do nothing",
            &[],
            &[&rows],
        )
        .await?;
    expect(made, rows.len())
}

/// Settled entries leave the queue; the others say in it what they wait for.
async fn end_entries(tx: &mut Tx, settlements: &[Settlement]) -> Result<(), StoreError> {
    let done =
        settlements.iter().filter(|settlement| settlement.state == EntryState::Settled && settlement.born.is_none());
    let done = Set::of_ids("k", done.map(|settlement| settlement.entry.0));
    let gone = tx
        .run("delete from waiting where entry_id in (select k.id from {k}) and state = 'queued'", &[], &[&done])
        .await?;
    expect(gone, done.len())?;
    let columns = [("entry_id", Kind::Int), ("state", Kind::Text), ("cause", Kind::Text)];
    let (mut waiting, mut causes) = (Set::new("k", &columns), Set::new("k", &columns));
    for settlement in settlements {
        let row = [settlement.entry.into(), settlement.state.as_str().into(), settlement.cause.as_ref().into()];
        if settlement.state != EntryState::Settled {
            waiting.push(row);
        } else if settlement.cause.is_some() {
            causes.push(row);
        }
    }
    let changed = tx
        .run(
            "update waiting set state = k.state, cause = k.cause, leased_until = 0
             from {k} where waiting.entry_id = k.entry_id and waiting.state = 'queued'",
            &[],
            &[&waiting],
        )
        .await?;
    expect(changed, waiting.len())?;
    tx.run("update entries set cause = k.cause from {k} where entries.entry_id = k.entry_id", &[], &[&causes]).await?;
    let uncounted = settlements.iter().filter(|settlement| settlement.uncounted);
    let uncounted = Set::of_ids("k", uncounted.map(|settlement| settlement.entry.0));
    tx.run("update entries set uncounted = 1 where entry_id in (select k.id from {k})", &[], &[&uncounted]).await?;
    Ok(())
}

/// Only a member's last standing in the batch is written, and only over the version the batch began with.
async fn members(tx: &mut Tx, settlements: &[Settlement]) -> Result<(), StoreError> {
    let mut last: BTreeMap<(&MerchantId, &MemberId), (&Member, i64)> = BTreeMap::new();
    for settlement in settlements {
        if let Some(member) = &settlement.member {
            let steps = last.get(&(&settlement.merchant, &member.id)).map_or(0, |(_, steps)| *steps);
            last.insert((&settlement.merchant, &member.id), (member, steps + 1));
        }
    }
    let mut rows = Set::new(
        "k",
        &[
            ("merchant_id", Kind::Text),
            ("member_id", Kind::Text),
            ("was", Kind::Int),
            ("version", Kind::Int),
            ("joined_at", Kind::Int),
            ("visits", Kind::Int),
            ("spent", Kind::Int),
            ("first_purchase_at", Kind::Int),
            ("last_purchase_at", Kind::Int),
            ("tier", Kind::Text),
            ("climb", Kind::Text),
            ("tags", Kind::Text),
            ("wallets", Kind::Text),
            ("chain", Kind::Bytes),
            ("through", Kind::Int),
            ("due_at", Kind::Int),
        ],
    );
    for ((merchant, id), (member, steps)) in last {
        rows.push([
            merchant.into(),
            id.into(),
            (member.version - steps).into(),
            member.version.into(),
            member.joined_at.into(),
            member.visits.into(),
            member.spent.into(),
            member.first_purchase_at.into(),
            member.last_purchase_at.into(),
            member.tier.as_ref().into(),
            json("climb", &member.climb)?.into(),
            json("tags", &member.tags)?.into(),
            json("wallets", &member.wallets)?.into(),
            member.chain.into(),
            member.through.into(),
            member.due_at.into(),
        ]);
    }
    let changed = tx
        .run(
            "update members set version = k.version, joined_at = k.joined_at, visits = k.visits, spent = k.spent,
                    first_purchase_at = k.first_purchase_at, last_purchase_at = k.last_purchase_at, tier = k.tier,
                    climb = k.climb, tags = k.tags, wallets = k.wallets, chain = k.chain, through = k.through,
                    due_at = k.due_at
             from {k} where members.merchant_id = k.merchant_id and members.member_id = k.member_id
                  and members.version = k.was",
            &[],
            &[&rows],
        )
        .await?;
    expect(changed, rows.len())
}

async fn decisions(tx: &mut Tx, settlements: &[Settlement]) -> Result<(), StoreError> {
    let columns =
        [("entry_id", Kind::Int), ("merchant_id", Kind::Text), ("document", Kind::Text), ("digest", Kind::Bytes)];
    let mut rows = Set::new("k", &columns);
    for settlement in settlements.iter().filter(|settlement| !settlement.decisions.is_empty()) {
        let document = json("decisions", &settlement.decisions)?;
        let digest = DecisionRecord::digest_of(&settlement.merchant, settlement.entry, &document);
        rows.push([settlement.entry.into(), (&settlement.merchant).into(), document.into(), digest.into()]);
    }
    tx.run(
        "insert into decisions (entry_id, merchant_id, document, digest)
         select k.entry_id, k.merchant_id, k.document, k.digest from {k}",
        &[],
        &[&rows],
    )
    .await?;
    Ok(())
}

async fn memories(tx: &mut Tx, settlements: &[Settlement]) -> Result<(), StoreError> {
    let mut last: BTreeMap<(&MerchantId, &MemberId, &InstallationId), &Vec<u8>> = BTreeMap::new();
    for settlement in settlements {
        for (installation, bytes) in &settlement.memories {
            if let Some(member) = &settlement.member {
                last.insert((&settlement.merchant, &member.id, installation), bytes);
            }
        }
    }
    let columns = [
        ("merchant_id", Kind::Text),
        ("member_id", Kind::Text),
        ("installation_id", Kind::Text),
        ("bytes", Kind::Bytes),
    ];
    let mut rows = Set::new("k", &columns);
    for ((merchant, member, installation), bytes) in last {
        rows.push([merchant.into(), member.into(), installation.into(), bytes.into()]);
    }
    tx.run(
        "insert into memories (merchant_id, member_id, installation_id, bytes)
         select k.merchant_id, k.member_id, k.installation_id, k.bytes from {k} where true
         on conflict (merchant_id, member_id, installation_id) do update set bytes = excluded.bytes",
        &[],
        &[&rows],
    )
    .await?;
    Ok(())
}

/// Keeps what was given back, and wakes the refunds that waited for the purchases just settled.
async fn refunds(tx: &mut Tx, settlements: &[Settlement]) -> Result<(), StoreError> {
    let mut last: BTreeMap<EntryId, String> = BTreeMap::new();
    for (entry, refunded) in settlements.iter().filter_map(|settlement| settlement.refunded.as_ref()) {
        last.insert(*entry, json("refunded sums", refunded)?);
    }
    let mut rows = Set::new("k", &[("entry_id", Kind::Int), ("refunded", Kind::Text)]);
    for (entry, refunded) in &last {
        rows.push([(*entry).into(), refunded.into()]);
    }
    tx.run("update entries set refunded = k.refunded from {k} where entries.entry_id = k.entry_id", &[], &[&rows])
        .await?;
    let ended = settlements.iter().filter(|settlement| settlement.state != EntryState::Parked);
    let ended = Set::of_ids("k", ended.map(|settlement| settlement.entry.0));
    let woken = tx
        .rows(
            "select w.entry_id, p.entry_id as purchase_entry, p.member_id from {k}
             join entries p on p.entry_id = k.id and p.kind = 'purchase'
             join waiting w on w.merchant_id = p.merchant_id and w.source_id = p.source_id and w.purchase_id = p.external_id
             where w.state in ('parked', 'unclaimed')",
            &[],
            &[&ended],
        )
        .await?;
    let columns = [("entry_id", Kind::Int), ("purchase_entry", Kind::Int), ("member_id", Kind::Text)];
    let mut rows = Set::new("k", &columns);
    for row in &woken {
        let member: Option<&str> = row.get("member_id")?;
        rows.push([row.get::<i64>("entry_id")?.into(), row.get::<i64>("purchase_entry")?.into(), member.into()]);
    }
    for statement in [
        "update entries set member_id = k.member_id, purchase_entry = k.purchase_entry
         from {k} where entries.entry_id = k.entry_id",
        "update waiting set state = 'queued', cause = null, member_id = k.member_id, leased_until = 0
         from {k} where waiting.entry_id = k.entry_id and waiting.state in ('parked', 'unclaimed')",
    ] {
        tx.run(statement, &[], &[&rows]).await?;
    }
    Ok(())
}

/// Writes when what failed is tried again. Only what is still queued: a person may have settled the matter meanwhile.
async fn later(tx: &mut Tx, put_off: &[PutOff]) -> Result<(), StoreError> {
    let mut entries = Set::new(
        "k",
        &[
            ("entry_id", Kind::Int),
            ("state", Kind::Text),
            ("not_before", Kind::Int),
            ("at", Kind::Int),
            ("cause", Kind::Text),
        ],
    );
    let columns = [("merchant_id", Kind::Text), ("member_id", Kind::Text), ("at", Kind::Int), ("cause", Kind::Text)];
    let mut members = Set::new("k", &columns);
    for put_off in put_off {
        match &put_off.what {
            Postponed::Entry(entry) => {
                let state = if put_off.until.is_some() { EntryState::Queued } else { EntryState::Failed };
                entries.push([
                    (*entry).into(),
                    state.as_str().into(),
                    put_off.until.unwrap_or_default().into(),
                    put_off.at.into(),
                    (&put_off.why).into(),
                ]);
            }
            Postponed::Member(merchant, member) => {
                members.push([merchant.into(), member.into(), put_off.at.into(), (&put_off.why).into()]);
            }
        }
    }
    tx.run(
        "update waiting set state = k.state, attempts = attempts + 1, not_before = k.not_before, cause = k.cause,
                leased_until = 0, failing_since = coalesce(failing_since, k.at)
         from {k} where waiting.entry_id = k.entry_id and waiting.state = 'queued'",
        &[],
        &[&entries],
    )
    .await?;
    stalled::stall(tx, &members).await
}
