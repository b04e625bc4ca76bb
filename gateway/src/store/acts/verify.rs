//! Proves the ledger from its postings alone: balances are what postings make them, every member's chain is whole, lots say what
//! their postings say, nothing is counted twice.

use super::audit;
use super::rows::document;
use crate::store::engine::{Cell, Engine, Row, Tx};
use crate::store::{LedgerReport, StoreError};
use perkgate_domain::decision::Share;
use perkgate_domain::ids::{EntryId, MerchantId};
use perkgate_domain::ledger::{Account, Posting, TrancheKey};
use perkgate_domain::member::Wallet;
use perkgate_domain::time::Moment;
use std::collections::{BTreeMap, HashMap};

/// Postings read at once, so that a large ledger is checked in bounded memory (balances of members aside).
const PAGE: i64 = 10_000;

type Balances = BTreeMap<(String, String, String), i64>;

/// What the postings say, in the order of the chains.
#[derive(Default)]
struct Replayed {
    /// Of the accounts that are no member's.
    balances: Balances,
    wallets: HashMap<(String, String), BTreeMap<String, Wallet>>,
    chains: HashMap<(String, String), [u8; 32]>,
    /// What each lot's postings earned and took back.
    lots: HashMap<(String, String), (i64, i64)>,
}

pub(in crate::store) async fn verify(
    engine: &Engine,
    merchant: Option<&MerchantId>,
) -> Result<LedgerReport, StoreError> {
    // One snapshot: a ledger that is written to meanwhile is still checked as it stood at one moment.
    let mut tx = engine.read().await?;
    // The empty name is nobody's: every merchant.
    let only = merchant.map_or("", MerchantId::as_str);
    let mut report = LedgerReport::default();
    let mut replayed = replay(&mut tx, only, &mut report).await?;
    compare_balances(&mut tx, only, &mut replayed, &mut report).await?;
    compare_chains(&mut tx, only, &replayed, &mut report).await?;
    compare_lots(&mut tx, only, &mut replayed, &mut report).await?;
    count_entries(&mut tx, only, &mut report).await?;
    audit::verify(&mut tx, only, &mut report).await?;
    tx.commit().await?;
    Ok(report)
}

async fn replay(tx: &mut Tx, only: &str, report: &mut LedgerReport) -> Result<Replayed, StoreError> {
    let mut replayed = Replayed::default();
    let mut after = 0_i64;
    loop {
        let rows = tx
            .rows(
                "select * from postings where posting_id > $1 and ($2 = '' or merchant_id = $2) order by posting_id limit $3",
                &[after.into(), only.into(), PAGE.into()],
                &[],
            )
            .await?;
        let Some(last) = rows.last() else { return Ok(replayed) };
        after = last.get("posting_id")?;
        for row in &rows {
            report.postings += 1;
            follow(row, &mut replayed, report)?;
        }
    }
}

fn follow(row: &Row, replayed: &mut Replayed, report: &mut LedgerReport) -> Result<(), StoreError> {
    let merchant: String = row.get("merchant_id")?;
    let number: i64 = row.get("posting_id")?;
    let (source, destination): (String, String) = (row.get("source")?, row.get("destination")?);
    let (Some(from), Some(to)) = (Account::parse(&source), Account::parse(&destination)) else {
        report.found(format!(
            "posting {number} moves between `{source}` and `{destination}`, which are not both accounts"
        ));
        return Ok(());
    };
    let hash: &[u8] = row.get("hash")?;
    let posting = Posting {
        entry: EntryId(row.get("entry_id")?),
        ordinal: row.get("ordinal")?,
        member: row.get::<&str>("member_id")?.into(),
        wallet: row.get("wallet")?,
        source: from,
        destination: to,
        amount: row.get("amount")?,
        lot: row.get::<Option<&str>>("lot_id")?.map(Into::into),
        tranche: row.get::<Option<&str>>("tranche")?.and_then(TrancheKey::parse),
        at: Moment(row.get("at")?),
        hash: hash.try_into().unwrap_or([0; 32]),
    };
    let owner = (merchant.clone(), posting.member.to_string());
    let previous = replayed.chains.entry(owner).or_insert([0; 32]);
    if posting.link(previous) != posting.hash {
        report.found(format!(
            "posting {number} of member {} of {merchant} does not continue its chain: it was changed, or one before it",
            posting.member
        ));
    }
    *previous = posting.hash;
    for account in [&posting.source, &posting.destination] {
        if account.member().is_some_and(|member| *member != posting.member) {
            report.found(format!("posting {number} of member {} touches another member's account", posting.member));
        }
    }
    if let Some(lot) = &posting.lot {
        let (earned, reversed) = replayed.lots.entry((merchant.clone(), lot.to_string())).or_default();
        if posting.source == Account::Issued {
            *earned += posting.amount;
        } else if posting.destination == Account::Reversed {
            *reversed += posting.amount;
        }
    }
    for (account, name, amount) in
        [(&posting.source, source, -posting.amount), (&posting.destination, destination, posting.amount)]
    {
        if account.member().is_none() {
            *replayed.balances.entry((merchant.clone(), name, posting.wallet.clone())).or_default() += amount;
        }
    }
    let wallets = replayed.wallets.entry((merchant, posting.member.to_string())).or_default();
    wallets.entry(posting.wallet.clone()).or_default().apply(&posting);
    Ok(())
}

/// What is kept of every account is what its postings make, and all accounts of a wallet sum to zero.
async fn compare_balances(
    tx: &mut Tx,
    only: &str,
    replayed: &mut Replayed,
    report: &mut LedgerReport,
) -> Result<(), StoreError> {
    let mut sums: BTreeMap<(String, String), i64> = BTreeMap::new();
    each_member(tx, only, |row| {
        let owner: (String, String) = (row.get("merchant_id")?, row.get("member_id")?);
        let stored: BTreeMap<String, Wallet> = document("member's wallets", row.get("wallets")?)?;
        let mut made = replayed.wallets.remove(&owner).unwrap_or_default();
        for (name, mut wallet) in stored {
            // A sliding end is moved on by activity, not by postings.
            wallet.slides_until = None;
            let made = made.remove(&name).unwrap_or_default();
            if wallet != made {
                report.found(format!(
                    "{name} of member {} of {} is {}, its postings make {}",
                    owner.1,
                    owner.0,
                    shown(&wallet),
                    shown(&made)
                ));
            }
            *sums.entry((owner.0.clone(), name)).or_default() += made.available + made.pending;
        }
        for name in made.keys() {
            report.found(format!("member {} of {} has postings in {name}, and keeps no such wallet", owner.1, owner.0));
        }
        Ok(())
    })
    .await?;
    for (merchant, member) in replayed.wallets.keys() {
        report.found(format!("there are postings of member {member} of {merchant}, and no such member"));
    }
    let statement = "select merchant_id, account, wallet, amount from balances where $1 = '' or merchant_id = $1";
    let mut cached = Balances::new();
    for row in tx.rows(statement, &[only.into()], &[]).await? {
        cached.insert((row.get("merchant_id")?, row.get("account")?, row.get("wallet")?), row.get("amount")?);
    }
    for (key, amount) in &replayed.balances {
        let stored = cached.remove(key).unwrap_or(0);
        if stored != *amount {
            report.found(format!(
                "the balance of {} in {} of {} is {stored}, its postings make {amount}",
                key.1, key.2, key.0
            ));
        }
        *sums.entry((key.0.clone(), key.2.clone())).or_default() += amount;
        if key.1 == Account::Transfer.to_string() && *amount != 0 {
            report.found(format!("{amount} {} of {} went from one member and came to no other", key.2, key.0));
        }
    }
    for ((merchant, account, wallet), amount) in cached.iter().filter(|(_, amount)| **amount != 0) {
        report.found(format!("the balance of {account} in {wallet} of {merchant} is {amount}, and no posting made it"));
    }
    for ((merchant, wallet), sum) in sums.into_iter().filter(|(_, sum)| *sum != 0) {
        report.found(format!("the accounts of {wallet} of {merchant} sum to {sum} instead of zero"));
    }
    Ok(())
}

fn shown(wallet: &Wallet) -> String {
    let Wallet { available, pending, spent, expired, reversed, .. } = wallet;
    let tranches: Vec<String> =
        wallet.tranches.iter().map(|tranche| format!("{} {}", tranche.amount, tranche.key)).collect();
    let tranches = tranches.join(", ");
    format!(
        "{available} available, {pending} pending, {spent} spent, {expired} expired, {reversed} reversed ({tranches})"
    )
}

async fn compare_chains(
    tx: &mut Tx,
    only: &str,
    replayed: &Replayed,
    report: &mut LedgerReport,
) -> Result<(), StoreError> {
    each_member(tx, only, |row| {
        report.members += 1;
        let owner: (String, String) = (row.get("merchant_id")?, row.get("member_id")?);
        let expected = replayed.chains.get(&owner).copied().unwrap_or([0; 32]);
        if row.get::<&[u8]>("chain")? != expected.as_slice() {
            report.found(format!(
                "the chain of member {} of {} does not end where its postings do: one is missing",
                owner.1, owner.0
            ));
        }
        Ok(())
    })
    .await
}

/// Every member's row, some at a time.
async fn each_member(
    tx: &mut Tx,
    only: &str,
    mut act: impl FnMut(&Row) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut after: (String, String) = Default::default();
    loop {
        let values = [Cell::from(&after.0), (&after.1).into(), only.into(), PAGE.into()];
        let rows = tx
            .rows(
                "select merchant_id, member_id, wallets, chain from members
                 where (merchant_id, member_id) > ($1, $2) and ($3 = '' or merchant_id = $3)
                 order by merchant_id, member_id limit $4",
                &values,
                &[],
            )
            .await?;
        let Some(last) = rows.last() else { return Ok(()) };
        rows.iter().try_for_each(&mut act)?;
        after = (last.get("merchant_id")?, last.get("member_id")?);
    }
}

/// Lots keep what their postings say, and together they have lost what the merchant's account of lost units holds.
async fn compare_lots(
    tx: &mut Tx,
    only: &str,
    replayed: &mut Replayed,
    report: &mut LedgerReport,
) -> Result<(), StoreError> {
    let rows = tx
        .rows(
            "select merchant_id, lot_id, wallet, amount, reversed, forgiven, expired, shares from lots
             where $1 = '' or merchant_id = $1",
            &[only.into()],
            &[],
        )
        .await?;
    let mut lost: BTreeMap<(String, String), i64> = BTreeMap::new();
    for row in &rows {
        report.lots += 1;
        let key: (String, String) = (row.get("merchant_id")?, row.get("lot_id")?);
        let (amount, reversed): (i64, i64) = (row.get("amount")?, row.get("reversed")?);
        let (earned, taken) = replayed.lots.remove(&key).unwrap_or_default();
        if (earned, taken) != (amount, reversed) {
            report.found(format!(
                "lot {} of {} earned {amount} and gave back {reversed}, its postings say {earned} and {taken}",
                key.1, key.0
            ));
        }
        let shares: Vec<Share> = document("shares", row.get("shares")?)?;
        let sum: i64 = shares.iter().map(|share| share.amount).sum();
        let (forgiven, expired): (i64, i64) = (row.get("forgiven")?, row.get("expired")?);
        // Edits take shares away, and what they take is given back or let be.
        if !shares.is_empty() && (sum > amount || amount - sum > reversed + forgiven) {
            report.found(format!("the shares of lot {} of {} add up to {sum} of {amount}", key.1, key.0));
        }
        *lost.entry((key.0, row.get("wallet")?)).or_default() += expired;
    }
    for (merchant, lot) in replayed.lots.keys() {
        report.found(format!("postings of {merchant} speak of lot {lot}, and there is no such lot"));
    }
    let expired = Account::Expired.to_string();
    for (merchant, account, wallet) in replayed.balances.keys() {
        if *account == expired {
            lost.entry((merchant.clone(), wallet.clone())).or_default();
        }
    }
    for ((merchant, wallet), lots) in lost {
        let key = (merchant, expired.clone(), wallet);
        let amount = replayed.balances.get(&key).copied().unwrap_or(0);
        if lots != amount {
            report.found(format!("{amount} {} of {} have expired, and of its lots {lots}", key.2, key.0));
        }
    }
    Ok(())
}

async fn count_entries(tx: &mut Tx, only: &str, report: &mut LedgerReport) -> Result<(), StoreError> {
    let row =
        tx.row("select count(*) as entries from entries where $1 = '' or merchant_id = $1", &[only.into()]).await?;
    report.entries = row.map_or(Ok(0), |row| row.get("entries"))?;
    let row = tx
        .row(
            "select count(*) as orphans from postings p
             left join entries e on e.entry_id = p.entry_id left join waiting w on w.entry_id = p.entry_id
             where ($1 = '' or p.merchant_id = $1) and (e.entry_id is null or w.entry_id is not null)",
            &[only.into()],
        )
        .await?;
    let orphans: i64 = row.map_or(Ok(0), |row| row.get("orphans"))?;
    if orphans != 0 {
        report.found(format!("{orphans} postings belong to no settled entry"));
    }
    Ok(())
}
