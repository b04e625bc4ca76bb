//! What settlements move: postings, the balances they add up to, lots, rewards, and the sums that caps are held against.

use super::rows::{RewardDetail, json};
use super::settle::expect;
use crate::store::StoreError;
use crate::store::engine::{Kind, Set, Tx};
use perkgate_domain::ids::{EntryId, MerchantId};
use perkgate_domain::plan::{LotChange, Settlement};
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
            ("tranche", Kind::Text),
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
                posting.tranche.map(|tranche| tranche.to_string()).into(),
                posting.at.into(),
                posting.hash.into(),
            ]);
        }
    }
    tx.run(
        "insert into postings (merchant_id, entry_id, ordinal, member_id, wallet, source, destination, amount, lot_id, tranche,
                               at, hash)
         select k.merchant_id, k.entry_id, k.ordinal, k.member_id, k.wallet, k.source, k.destination, k.amount, k.lot_id,
                k.tranche, k.at, k.hash
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
            ("earned_at", Kind::Int),
            ("matures_at", Kind::Int),
            ("expires", Kind::Text),
            ("shares", Kind::Text),
        ],
    );
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
                lot.earned_at.into(),
                lot.matures_at.into(),
                lot.expires.to_string().into(),
                json("shares", &lot.shares)?.into(),
            ]);
        }
    }
    tx.run(
        "insert into lots (merchant_id, lot_id, entry_id, member_id, installation_id, digest, settings_revision, wallet, amount,
                           earned_at, matures_at, expires, shares)
         select k.merchant_id, k.lot_id, k.entry_id, k.member_id, k.installation_id, k.digest, k.settings_revision, k.wallet,
                k.amount, k.earned_at, k.matures_at, k.expires, k.shares
         from {k}",
        &[],
        &[&new],
    )
    .await?;
    lot_changes(tx, settlements).await
}

/// The last word on each lot; shares only where an edit changed them.
async fn lot_changes(tx: &mut Tx, settlements: &[Settlement]) -> Result<(), StoreError> {
    let mut last: BTreeMap<(&MerchantId, EntryId, &str), (&LotChange, Option<String>)> = BTreeMap::new();
    for settlement in settlements {
        for change in &settlement.lot_changes {
            let shares = change.shares.as_ref().map(|shares| json("shares", shares)).transpose()?;
            let entry = last.entry((&settlement.merchant, change.entry, change.lot.as_str()));
            let (newest, kept) = entry.or_insert((change, None));
            *newest = change;
            *kept = shares.or(kept.take());
        }
    }
    let mut rows = Set::new(
        "k",
        &[
            ("merchant_id", Kind::Text),
            ("entry_id", Kind::Int),
            ("lot_id", Kind::Text),
            ("reversed", Kind::Int),
            ("forgiven", Kind::Int),
            ("expired", Kind::Int),
            ("shares", Kind::Text),
        ],
    );
    for ((merchant, entry, lot), (change, shares)) in last {
        rows.push([
            merchant.into(),
            entry.into(),
            lot.into(),
            change.reversed.into(),
            change.forgiven.into(),
            change.expired.into(),
            shares.into(),
        ]);
    }
    let changed = tx
        .run(
            "update lots set reversed = k.reversed, forgiven = k.forgiven, expired = k.expired,
                    shares = coalesce(k.shares, lots.shares)
             from {k} where lots.merchant_id = k.merchant_id and lots.entry_id = k.entry_id and lots.lot_id = k.lot_id",
            &[],
            &[&rows],
        )
        .await?;
    expect(changed, rows.len())
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
            ("detail", Kind::Text),
            ("state", Kind::Text),
            ("issued_at", Kind::Int),
            ("expires_at", Kind::Int),
        ],
    );
    for settlement in settlements {
        for reward in &settlement.rewards {
            let price = reward.price.as_ref();
            let detail = RewardDetail {
                paid: reward.paid.clone(),
                kind: reward.kind.clone(),
                returns_price: reward.returns_price,
            };
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
                json("reward's detail", &detail)?.into(),
                reward.state.as_str().into(),
                reward.issued_at.into(),
                reward.expires_at.into(),
            ]);
        }
    }
    tx.run(
        "insert into rewards (merchant_id, reward_id, member_id, entry_id, installation_id, partner_id, reward_key, title, terms,
                              code, price_wallet, price_amount, detail, state, issued_at, expires_at)
         select k.merchant_id, k.reward_id, k.member_id, k.entry_id, k.installation_id, k.partner_id, k.reward_key, k.title,
                k.terms, k.code, k.price_wallet, k.price_amount, k.detail, k.state, k.issued_at,
                k.expires_at
         from {k}",
        &[],
        &[&new],
    )
    .await?;
    reward_states(tx, settlements).await
}

/// Rewards that change state. One that is not there to be used any more makes the batch stale.
async fn reward_states(tx: &mut Tx, settlements: &[Settlement]) -> Result<(), StoreError> {
    let columns =
        [("merchant_id", Kind::Text), ("reward_id", Kind::Text), ("state", Kind::Text), ("used_in", Kind::Int)];
    let mut states = Set::new("k", &columns);
    for settlement in settlements {
        for (reward, state) in &settlement.reward_states {
            let used_in = settlement.used.contains(reward).then_some(settlement.entry);
            states.push([(&settlement.merchant).into(), reward.into(), state.as_str().into(), used_in.into()]);
        }
    }
    let changed = tx
        .run(
            "update rewards set state = k.state, used_in = k.used_in from {k}
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
            ("scope", Kind::Text),
            ("installation_id", Kind::Text),
            ("name", Kind::Text),
            ("amount", Kind::Int),
            ("total", Kind::Int),
        ],
    );
    for (counter, (amount, total)) in sums {
        rows.push([
            (&counter.merchant).into(),
            (&counter.scope).into(),
            (&counter.installation).into(),
            (&counter.name).into(),
            amount.into(),
            total.into(),
        ]);
    }
    tx.run(
        "insert into counters (merchant_id, scope, installation_id, name, amount)
         select k.merchant_id, k.scope, k.installation_id, k.name, k.amount from {k} where true order by k.place
         on conflict (merchant_id, scope, installation_id, name) do update set amount = counters.amount + excluded.amount",
        &[],
        &[&rows],
    )
    .await?;
    let right = tx
        .rows(
            "select c.amount from {k} join counters c on c.merchant_id = k.merchant_id and c.scope = k.scope
                  and c.installation_id = k.installation_id and c.name = k.name and c.amount = k.total",
            &[],
            &[&rows],
        )
        .await?;
    if right.len() == rows.len() { Ok(()) } else { Err(StoreError::Stale) }
}
