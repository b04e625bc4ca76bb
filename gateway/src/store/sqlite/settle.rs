//! The settling commit: decisions, postings, balances, lots, rewards, memory, outbox and the entries' new state, all or nothing.

use super::rows::{json, set};
use crate::store::StoreError;
use perkgate_domain::ids::{InstallationId, MemberId, MerchantId};
use perkgate_domain::member::Member;
use perkgate_domain::plan::{EntryState, QueuedEntry, Settlement};
use perkgate_domain::time::Moment;
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use std::collections::BTreeMap;

pub(super) async fn settle(
    pool: &SqlitePool,
    settlements: &[Settlement],
    put_off: &[(QueuedEntry, Moment, String)],
) -> Result<(), StoreError> {
    let mut tx = pool.begin_with("begin immediate").await?;
    end_entries(&mut tx, settlements).await?;
    members(&mut tx, settlements).await?;
    postings(&mut tx, settlements).await?;
    lots(&mut tx, settlements).await?;
    rewards(&mut tx, settlements).await?;
    decisions(&mut tx, settlements).await?;
    memories(&mut tx, settlements).await?;
    deliveries(&mut tx, settlements).await?;
    counters(&mut tx, settlements).await?;
    refunds(&mut tx, settlements).await?;
    let rows: Vec<_> = put_off.iter().map(|(entry, at, why)| (entry.id, at.0, why)).collect();
    run(
        &mut tx,
        "update entries set attempts = attempts + 1, not_before = k.value ->> 1, cause = k.value ->> 2
         from json_each($1) k where entry_id = k.value ->> 0",
        &set(&rows)?,
    )
    .await?;
    tx.commit().await?;
    Ok(())
}

/// Runs a statement over a set; nothing for an empty one.
async fn run(tx: &mut SqliteConnection, statement: &'static str, rows: &str) -> Result<u64, StoreError> {
    if rows == "[]" {
        return Ok(0);
    }
    Ok(sqlx::query(statement).bind(rows).execute(tx).await?.rows_affected())
}

fn expect(changed: u64, wanted: usize) -> Result<(), StoreError> {
    if usize::try_from(changed) == Ok(wanted) { Ok(()) } else { Err(StoreError::Stale) }
}

async fn end_entries(tx: &mut SqliteConnection, settlements: &[Settlement]) -> Result<(), StoreError> {
    let rows: Vec<_> =
        settlements.iter().map(|settlement| (settlement.entry, settlement.state.as_str(), &settlement.cause)).collect();
    let changed = run(
        tx,
        "update entries set state = k.value ->> 1, cause = k.value ->> 2
         from json_each($1) k where entry_id = k.value ->> 0 and state = 'queued'",
        &set(&rows)?,
    )
    .await?;
    expect(changed, rows.len())
}

/// Only a member's last standing in the batch is written, and only over the version the batch began with.
async fn members(tx: &mut SqliteConnection, settlements: &[Settlement]) -> Result<(), StoreError> {
    let mut last: BTreeMap<(&MerchantId, &MemberId), (&Member, i64)> = BTreeMap::new();
    for settlement in settlements {
        if let Some(member) = &settlement.member {
            let steps = last.get(&(&settlement.merchant, &member.id)).map_or(0, |(_, steps)| *steps);
            last.insert((&settlement.merchant, &member.id), (member, steps + 1));
        }
    }
    let mut rows = Vec::with_capacity(last.len());
    for ((merchant, id), (member, steps)) in last {
        let visit = (member.first_purchase_at, member.last_purchase_at);
        rows.push((
            (merchant, id, member.version - steps, member.version, member.visits, member.spent),
            (visit.0, visit.1, &member.tier, json("tags", &member.tags)?, hex::encode(member.chain), member.joined_at),
        ));
    }
    let changed = run(
        tx,
        "update members set version = k.value ->> '$[0][3]', visits = k.value ->> '$[0][4]', spent = k.value ->> '$[0][5]',
                first_purchase_at = k.value ->> '$[1][0]', last_purchase_at = k.value ->> '$[1][1]',
                tier = k.value ->> '$[1][2]', tags = k.value ->> '$[1][3]', chain = unhex(k.value ->> '$[1][4]'),
                joined_at = k.value ->> '$[1][5]'
         from json_each($1) k
         where merchant_id = k.value ->> '$[0][0]' and member_id = k.value ->> '$[0][1]'
               and version = k.value ->> '$[0][2]'",
        &set(&rows)?,
    )
    .await?;
    expect(changed, rows.len())
}

async fn postings(tx: &mut SqliteConnection, settlements: &[Settlement]) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    let mut balances: BTreeMap<(&MerchantId, String, &str), i64> = BTreeMap::new();
    for settlement in settlements {
        for posting in &settlement.postings {
            let (source, destination) = (posting.source.to_string(), posting.destination.to_string());
            rows.push((
                (&settlement.merchant, posting.entry, posting.ordinal, &posting.member, &posting.wallet),
                (
                    source.clone(),
                    destination.clone(),
                    posting.amount,
                    &posting.lot,
                    posting.at,
                    hex::encode(posting.hash),
                ),
            ));
            *balances.entry((&settlement.merchant, source, &posting.wallet)).or_default() -= posting.amount;
            *balances.entry((&settlement.merchant, destination, &posting.wallet)).or_default() += posting.amount;
        }
    }
    run(
        tx,
        "insert into postings (merchant_id, entry_id, ordinal, member_id, wallet, source, destination, amount, lot_id, at, hash)
         select value ->> '$[0][0]', value ->> '$[0][1]', value ->> '$[0][2]', value ->> '$[0][3]', value ->> '$[0][4]',
                value ->> '$[1][0]', value ->> '$[1][1]', value ->> '$[1][2]', value ->> '$[1][3]', value ->> '$[1][4]',
                unhex(value ->> '$[1][5]')
         from json_each($1) order by key",
        &set(&rows)?,
    )
    .await?;
    let rows: Vec<_> =
        balances.into_iter().map(|((merchant, account, wallet), amount)| (merchant, account, wallet, amount)).collect();
    run(
        tx,
        "insert into balances (merchant_id, account, wallet, amount)
         select value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_each($1) where true
         on conflict do update set amount = amount + excluded.amount",
        &set(&rows)?,
    )
    .await?;
    Ok(())
}

async fn lots(tx: &mut SqliteConnection, settlements: &[Settlement]) -> Result<(), StoreError> {
    let (mut new, mut reversed) = (Vec::new(), Vec::new());
    for settlement in settlements {
        for lot in &settlement.lots {
            new.push((
                (&settlement.merchant, &lot.id, lot.entry, &lot.member, &lot.installation),
                (
                    hex::encode(lot.digest.as_bytes()),
                    lot.settings_revision,
                    &lot.wallet,
                    lot.amount,
                    json("shares", &lot.shares)?,
                ),
            ));
        }
        reversed.extend(settlement.reversed.iter().map(|(lot, sum)| (&settlement.merchant, lot, sum)));
    }
    run(
        tx,
        "insert into lots (merchant_id, lot_id, entry_id, member_id, installation_id, digest, settings_revision, wallet, amount,
                           shares)
         select value ->> '$[0][0]', value ->> '$[0][1]', value ->> '$[0][2]', value ->> '$[0][3]', value ->> '$[0][4]',
                unhex(value ->> '$[1][0]'), value ->> '$[1][1]', value ->> '$[1][2]', value ->> '$[1][3]', value ->> '$[1][4]'
         from json_each($1)",
        &set(&new)?,
    )
    .await?;
    // Several refunds of one lot in a batch: the sums only rise, so the largest is the last.
    run(
        tx,
        "update lots set reversed = max(reversed, k.amount)
         from (select value ->> 0 as merchant_id, value ->> 1 as lot_id, max(value ->> 2) as amount
               from json_each($1) group by 1, 2) k
         where lots.merchant_id = k.merchant_id and lots.lot_id = k.lot_id",
        &set(&reversed)?,
    )
    .await?;
    Ok(())
}

async fn rewards(tx: &mut SqliteConnection, settlements: &[Settlement]) -> Result<(), StoreError> {
    let (mut new, mut states) = (Vec::new(), Vec::new());
    for settlement in settlements {
        for reward in &settlement.rewards {
            let price = reward.price.as_ref();
            new.push((
                (&settlement.merchant, &reward.id, &reward.member, reward.entry, &reward.installation),
                (&reward.partner, &reward.key, &reward.title, &reward.text, &reward.code),
                (
                    price.map(|price| &price.wallet),
                    price.map(|price| price.amount),
                    reward.state.as_str(),
                    reward.issued_at,
                    reward.expires_at,
                ),
            ));
        }
        states.extend(
            settlement.reward_states.iter().map(|(reward, state)| (&settlement.merchant, reward, state.as_str())),
        );
    }
    run(
        tx,
        "insert into rewards (merchant_id, reward_id, member_id, entry_id, installation_id, partner_id, reward_key, title, terms,
                              code, price_wallet, price_amount, state, issued_at, expires_at)
         select value ->> '$[0][0]', value ->> '$[0][1]', value ->> '$[0][2]', value ->> '$[0][3]', value ->> '$[0][4]',
                value ->> '$[1][0]', value ->> '$[1][1]', value ->> '$[1][2]', value ->> '$[1][3]', value ->> '$[1][4]',
                value ->> '$[2][0]', value ->> '$[2][1]', value ->> '$[2][2]', value ->> '$[2][3]', value ->> '$[2][4]'
         from json_each($1)",
        &set(&new)?,
    )
    .await?;
    let changed = run(
        tx,
        "update rewards set state = k.value ->> 2 from json_each($1) k
         where merchant_id = k.value ->> 0 and reward_id = k.value ->> 1 and state = 'issued'",
        &set(&states)?,
    )
    .await?;
    expect(changed, states.len())
}

async fn decisions(tx: &mut SqliteConnection, settlements: &[Settlement]) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for settlement in settlements {
        for made in &settlement.decisions {
            let ruling = made.ruling.as_ref().map(|fault| json("ruling", fault)).transpose()?;
            rows.push((
                (
                    &settlement.merchant,
                    settlement.entry,
                    &made.installation,
                    hex::encode(made.digest.as_bytes()),
                    made.settings_revision,
                ),
                (json("facts", &made.facts)?, json("outcome", &made.outcome)?, ruling, json("notes", &made.notes)?),
                (i64::from(made.shadow), made.fuel, json("log", &made.log)?),
            ));
        }
    }
    run(
        tx,
        "insert into decisions (merchant_id, entry_id, installation_id, digest, settings_revision, facts, outcome, ruling, notes,
                                shadow, fuel, log)
         select value ->> '$[0][0]', value ->> '$[0][1]', value ->> '$[0][2]', unhex(value ->> '$[0][3]'), value ->> '$[0][4]',
                value ->> '$[1][0]', value ->> '$[1][1]', value ->> '$[1][2]', value ->> '$[1][3]',
                value ->> '$[2][0]', value ->> '$[2][1]', value ->> '$[2][2]'
         from json_each($1)",
        &set(&rows)?,
    )
    .await?;
    Ok(())
}

async fn memories(tx: &mut SqliteConnection, settlements: &[Settlement]) -> Result<(), StoreError> {
    let mut last: BTreeMap<(&MerchantId, &MemberId, &InstallationId), &Vec<u8>> = BTreeMap::new();
    for settlement in settlements {
        for (installation, bytes) in &settlement.memories {
            if let Some(member) = &settlement.member {
                last.insert((&settlement.merchant, &member.id, installation), bytes);
            }
        }
    }
    let rows: Vec<_> = last
        .into_iter()
        .map(|((merchant, member, installation), bytes)| (merchant, member, installation, hex::encode(bytes)))
        .collect();
    run(
        tx,
        "insert into memories (merchant_id, member_id, installation_id, bytes)
         select value ->> 0, value ->> 1, value ->> 2, unhex(value ->> 3) from json_each($1) where true
         on conflict do update set bytes = excluded.bytes",
        &set(&rows)?,
    )
    .await?;
    Ok(())
}

async fn deliveries(tx: &mut SqliteConnection, settlements: &[Settlement]) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for delivery in settlements.iter().flat_map(|settlement| &settlement.deliveries) {
        rows.push((
            (
                &delivery.id,
                &delivery.merchant,
                &delivery.channel,
                delivery.entry,
                &delivery.installation,
                &delivery.member,
            ),
            (json("message", &delivery.message)?, delivery.state.as_str(), &delivery.note, delivery.created_at),
        ));
    }
    run(
        tx,
        "insert into deliveries (delivery_id, merchant_id, channel_id, entry_id, installation_id, member_id, message, state, note,
                                 created_at, next_at)
         select value ->> '$[0][0]', value ->> '$[0][1]', value ->> '$[0][2]', value ->> '$[0][3]', value ->> '$[0][4]',
                value ->> '$[0][5]', value ->> '$[1][0]', value ->> '$[1][1]', value ->> '$[1][2]', value ->> '$[1][3]',
                value ->> '$[1][3]'
         from json_each($1)",
        &set(&rows)?,
    )
    .await?;
    Ok(())
}

async fn counters(tx: &mut SqliteConnection, settlements: &[Settlement]) -> Result<(), StoreError> {
    let mut sums: BTreeMap<_, i64> = BTreeMap::new();
    for (counter, amount) in settlements.iter().flat_map(|settlement| &settlement.counters) {
        *sums.entry(counter).or_default() += amount;
    }
    let rows: Vec<_> = sums
        .into_iter()
        .map(|(counter, amount)| (&counter.merchant, &counter.day, &counter.installation, &counter.name, amount))
        .collect();
    run(
        tx,
        "insert into counters (merchant_id, day, installation_id, name, amount)
         select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 from json_each($1) where true
         on conflict do update set amount = amount + excluded.amount",
        &set(&rows)?,
    )
    .await?;
    Ok(())
}

/// Keeps what was given back, and wakes the refunds that waited for the purchases just settled.
async fn refunds(tx: &mut SqliteConnection, settlements: &[Settlement]) -> Result<(), StoreError> {
    let mut last = BTreeMap::new();
    for (entry, refunded) in settlements.iter().filter_map(|settlement| settlement.refunded.as_ref()) {
        last.insert(entry, json("refunded sums", refunded)?);
    }
    run(
        tx,
        "update entries set refunded = k.value ->> 1 from json_each($1) k where entry_id = k.value ->> 0",
        &set(&last.into_iter().collect::<Vec<_>>())?,
    )
    .await?;
    let done = |settlement: &&Settlement| settlement.state != EntryState::Parked;
    let settled: Vec<_> = settlements.iter().filter(done).map(|settlement| settlement.entry).collect();
    run(
        tx,
        "update entries set state = 'queued', cause = null, member_id = p.member_id, purchase_entry = p.entry_id
         from json_each($1) k join entries p on p.entry_id = k.value and p.kind = 'purchase'
         where entries.state = 'parked' and entries.merchant_id = p.merchant_id and entries.source_id = p.source_id
               and entries.purchase_id = p.external_id",
        &set(&settled)?,
    )
    .await?;
    Ok(())
}
