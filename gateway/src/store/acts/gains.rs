//! What settlements move: postings, the balances they add up to, lots, rewards, and the sums that caps are held against.

use super::rows::json;
use super::settle::expect;
use crate::store::StoreError;
use crate::store::engine::{Kind, Set, Tx};
use perkgate_domain::ids::{EntryId, MerchantId};
use perkgate_domain::plan::Settlement;
use std::collections::BTreeMap;

pub(super) async fn postings(tx: &mut Tx, settlements: &[Settlement]) -> Result<(), StoreError> {
    let mut rows = Set::new(
        "k",
        &[
            ("merchant_id", Kind::Text),
            ("entry_id", Kind::Int),
            ("ordinal", Kind::Int),
            ("member_id", Kind::Text),
            ("wallet", Kind::Text),
            ("source", Kind::Text),
            ("destination", Kind::Text),
            ("amount", Kind::Int),
            ("lot_id", Kind::Text),
            ("at", Kind::Int),
            ("hash", Kind::Bytes),
        ],
    );
    for settlement in settlements {
        for posting in &settlement.postings {
            rows.push([
                (&settlement.merchant).into(),
                posting.entry.into(),
                posting.ordinal.into(),
                (&posting.member).into(),
                (&posting.wallet).into(),
                posting.source.to_string().into(),
                posting.destination.to_string().into(),
                posting.amount.into(),
                posting.lot.as_ref().into(),
                posting.at.into(),
                posting.hash.into(),
            ]);
        }
    }
    tx.run(
        "insert into postings (merchant_id, entry_id, ordinal, member_id, wallet, source, destination, amount, lot_id, at, hash)
         select k.merchant_id, k.entry_id, k.ordinal, k.member_id, k.wallet, k.source, k.destination, k.amount, k.lot_id, k.at,
                k.hash
         from {k} order by k.place",
        &[],
        &[&rows],
    )
    .await?;
    Ok(())
}

/// The accounts that are no member's; those are in the members' rows.
pub(super) async fn balances(tx: &mut Tx, settlements: &[Settlement]) -> Result<(), StoreError> {
    let mut sums: BTreeMap<(&MerchantId, String, &str), i64> = BTreeMap::new();
    for settlement in settlements {
        for posting in &settlement.postings {
            for (account, amount) in [(&posting.source, -posting.amount), (&posting.destination, posting.amount)] {
                if account.member().is_none() {
                    *sums.entry((&settlement.merchant, account.to_string(), &posting.wallet)).or_default() += amount;
                }
            }
        }
    }
    let columns = [("merchant_id", Kind::Text), ("account", Kind::Text), ("wallet", Kind::Text), ("amount", Kind::Int)];
    let mut rows = Set::new("k", &columns);
    for ((merchant, account, wallet), amount) in sums {
        rows.push([merchant.into(), account.into(), wallet.into(), amount.into()]);
    }
    tx.run(
        "insert into balances (merchant_id, account, wallet, amount)
         select k.merchant_id, k.account, k.wallet, k.amount from {k} where true order by k.place
         on conflict (merchant_id, account, wallet) do update set amount = balances.amount + excluded.amount",
        &[],
        &[&rows],
    )
    .await?;
    Ok(())
}

pub(super) async fn lots(tx: &mut Tx, settlements: &[Settlement]) -> Result<(), StoreError> {
    let mut new = Set::new(
        "k",
        &[
            ("merchant_id", Kind::Text),
            ("lot_id", Kind::Text),
            ("entry_id", Kind::Int),
            ("member_id", Kind::Text),
            ("installation_id", Kind::Text),
            ("digest", Kind::Bytes),
            ("settings_revision", Kind::Int),
            ("wallet", Kind::Text),
            ("amount", Kind::Int),
            ("shares", Kind::Text),
        ],
    );
    // Several refunds of one lot in a batch: the sums only rise, so the largest is the last.
    let mut sums: BTreeMap<(&MerchantId, EntryId, &str), i64> = BTreeMap::new();
    for settlement in settlements {
        for lot in &settlement.lots {
            new.push([
                (&settlement.merchant).into(),
                (&lot.id).into(),
                lot.entry.into(),
                (&lot.member).into(),
                (&lot.installation).into(),
                lot.digest.into(),
                lot.settings_revision.into(),
                (&lot.wallet).into(),
                lot.amount.into(),
                json("shares", &lot.shares)?.into(),
            ]);
        }
        for (earner, lot, sum) in &settlement.reversed {
            let largest = sums.entry((&settlement.merchant, *earner, lot.as_str())).or_default();
            *largest = (*largest).max(*sum);
        }
    }
    tx.run(
        "insert into lots (merchant_id, lot_id, entry_id, member_id, installation_id, digest, settings_revision, wallet, amount,
                           shares)
         select k.merchant_id, k.lot_id, k.entry_id, k.member_id, k.installation_id, k.digest, k.settings_revision, k.wallet,
                k.amount, k.shares
         from {k}",
        &[],
        &[&new],
    )
    .await?;
    let columns = [("merchant_id", Kind::Text), ("entry_id", Kind::Int), ("lot_id", Kind::Text), ("amount", Kind::Int)];
    let mut reversed = Set::new("k", &columns);
    for ((merchant, earner, lot), amount) in sums {
        reversed.push([merchant.into(), earner.into(), lot.into(), amount.into()]);
    }
    tx.run(
        "update lots set reversed = k.amount from {k}
         where lots.merchant_id = k.merchant_id and lots.entry_id = k.entry_id and lots.lot_id = k.lot_id
              and lots.reversed < k.amount",
        &[],
        &[&reversed],
    )
    .await?;
    Ok(())
}

pub(super) async fn rewards(tx: &mut Tx, settlements: &[Settlement]) -> Result<(), StoreError> {
    let mut new = Set::new(
        "k",
        &[
            ("merchant_id", Kind::Text),
            ("reward_id", Kind::Text),
            ("member_id", Kind::Text),
            ("entry_id", Kind::Int),
            ("installation_id", Kind::Text),
            ("partner_id", Kind::Text),
            ("reward_key", Kind::Text),
            ("title", Kind::Text),
            ("terms", Kind::Text),
            ("code", Kind::Text),
            ("price_wallet", Kind::Text),
            ("price_amount", Kind::Int),
            ("state", Kind::Text),
            ("issued_at", Kind::Int),
            ("expires_at", Kind::Int),
        ],
    );
    let mut states = Set::new("k", &[("merchant_id", Kind::Text), ("reward_id", Kind::Text), ("state", Kind::Text)]);
    for settlement in settlements {
        for reward in &settlement.rewards {
            let price = reward.price.as_ref();
            new.push([
                (&settlement.merchant).into(),
                (&reward.id).into(),
                (&reward.member).into(),
                reward.entry.into(),
                (&reward.installation).into(),
                reward.partner.as_ref().into(),
                (&reward.key).into(),
                (&reward.title).into(),
                (&reward.text).into(),
                (&reward.code).into(),
                price.map(|price| &price.wallet).into(),
                price.map(|price| price.amount).into(),
                reward.state.as_str().into(),
                reward.issued_at.into(),
                reward.expires_at.into(),
            ]);
        }
        for (reward, state) in &settlement.reward_states {
            states.push([(&settlement.merchant).into(), reward.into(), state.as_str().into()]);
        }
    }
    tx.run(
        "insert into rewards (merchant_id, reward_id, member_id, entry_id, installation_id, partner_id, reward_key, title, terms,
                              code, price_wallet, price_amount, state, issued_at, expires_at)
         select k.merchant_id, k.reward_id, k.member_id, k.entry_id, k.installation_id, k.partner_id, k.reward_key, k.title,
                k.terms, k.code, k.price_wallet, k.price_amount, k.state, k.issued_at, k.expires_at
         from {k}",
        &[],
        &[&new],
    )
    .await?;
    let changed = tx
        .run(
            "update rewards set state = k.state from {k}
             where rewards.merchant_id = k.merchant_id and rewards.reward_id = k.reward_id and rewards.state = 'issued'",
            &[],
            &[&states],
        )
        .await?;
    expect(changed, states.len())
}

/// Sums that caps and limits are held against. If somebody else added to one meanwhile, what was decided may be beyond it now.
pub(super) async fn counters(tx: &mut Tx, settlements: &[Settlement]) -> Result<(), StoreError> {
    let mut sums = BTreeMap::new();
    for count in settlements.iter().flat_map(|settlement| &settlement.counters) {
        let (amount, total) = sums.entry(&count.counter).or_insert((0_i64, i64::MIN));
        *amount += count.amount;
        *total = (*total).max(count.total);
    }
    let mut rows = Set::new(
        "k",
        &[
            ("merchant_id", Kind::Text),
            ("day", Kind::Text),
            ("installation_id", Kind::Text),
            ("name", Kind::Text),
            ("amount", Kind::Int),
            ("total", Kind::Int),
        ],
    );
    for (counter, (amount, total)) in sums {
        rows.push([
            (&counter.merchant).into(),
            (&counter.day).into(),
            (&counter.installation).into(),
            (&counter.name).into(),
            amount.into(),
            total.into(),
        ]);
    }
    tx.run(
        "insert into counters (merchant_id, day, installation_id, name, amount)
         select k.merchant_id, k.day, k.installation_id, k.name, k.amount from {k} where true order by k.place
         on conflict (merchant_id, day, installation_id, name) do update set amount = counters.amount + excluded.amount",
        &[],
        &[&rows],
    )
    .await?;
    let right = tx
        .rows(
            "select c.amount from {k} join counters c on c.merchant_id = k.merchant_id and c.day = k.day
                  and c.installation_id = k.installation_id and c.name = k.name and c.amount = k.total",
            &[],
            &[&rows],
        )
        .await?;
    if right.len() == rows.len() { Ok(()) } else { Err(StoreError::Stale) }
}
