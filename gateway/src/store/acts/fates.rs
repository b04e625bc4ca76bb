//! Members who become one with another: rare, so a statement for each thing they have. Who is forgotten is in `forget.rs`.

use super::rows::json;
use super::settle::expect;
use crate::store::StoreError;
use crate::store::engine::Tx;
use perkgate_domain::member::Member;
use perkgate_domain::plan::{Fate, Settlement};

pub(super) async fn fulfil(tx: &mut Tx, settlement: &Settlement) -> Result<(), StoreError> {
    match (&settlement.fate, &settlement.member) {
        (Some(Fate::Absorbs(gone)), Some(stays)) => absorb(tx, settlement, gone, stays).await,
        (Some(Fate::Forgotten), Some(member)) => super::forget::forget(tx, settlement, member).await,
        _ => Ok(()),
    }
}

async fn absorb(tx: &mut Tx, settlement: &Settlement, gone: &Member, stays: &Member) -> Result<(), StoreError> {
    let merchant = &settlement.merchant;
    let changed = tx
        .run(
            "update members set version = $3, wallets = $4, chain = $5, merged_into = $6, due_at = null
             where merchant_id = $1 and member_id = $2 and version = $7",
            &[
                merchant.into(),
                (&gone.id).into(),
                gone.version.into(),
                json("wallets", &gone.wallets)?.into(),
                gone.chain.into(),
                (&stays.id).into(),
                (gone.version - 1).into(),
            ],
            &[],
        )
        .await?;
    expect(changed, 1)?;
    let both = [merchant.into(), (&gone.id).into(), (&stays.id).into()];
    for statement in [
        "update lots set member_id = $3 where merchant_id = $1 and member_id = $2
                and entry_id in (select entry_id from entries where merchant_id = $1 and member_id = $2)",
        "update entries set member_id = $3 where merchant_id = $1 and member_id = $2",
        "update waiting set member_id = $3, leased_until = 0 where merchant_id = $1 and member_id = $2",
        "update rewards set member_id = $3 where merchant_id = $1 and member_id = $2",
        "update deliveries set member_id = $3 where merchant_id = $1 and member_id = $2",
        "update questions set member_id = $3 where merchant_id = $1 and member_id = $2",
        "update tasks set member_id = $3 where merchant_id = $1 and member_id = $2",
        "update member_keys set member_id = $3 where merchant_id = $1 and member_id = $2",
        "insert into mentions (merchant_id, kind, hash, member_id)
         select merchant_id, kind, hash, $3 from mentions where merchant_id = $1 and member_id = $2
         on conflict do nothing",
        "insert into contacts (merchant_id, member_id, field, sealed)
         select merchant_id, $3, field, sealed from contacts where merchant_id = $1 and member_id = $2
         on conflict do nothing",
        "insert into memories (merchant_id, member_id, installation_id, bytes)
         select merchant_id, $3, installation_id, bytes from memories where merchant_id = $1 and member_id = $2
         on conflict do nothing",
        "insert into wakes (merchant_id, member_id, installation_id, cause, wake_key, at, data)
         select merchant_id, $3, installation_id, cause, wake_key, at, data from wakes
         where merchant_id = $1 and member_id = $2
         on conflict do nothing",
        "update members set merged_into = $3 where merchant_id = $1 and merged_into = $2",
        "update members set referrer = $3 where merchant_id = $1 and referrer = $2 and member_id <> $3",
    ] {
        tx.run(statement, &both, &[]).await?;
    }
    for statement in [
        "delete from contacts where merchant_id = $1 and member_id = $2",
        "delete from memories where merchant_id = $1 and member_id = $2",
        "delete from wakes where merchant_id = $1 and member_id = $2",
        "delete from mentions where merchant_id = $1 and member_id = $2",
        "update members set locale = null, birthday = null, referrer = null, consent = 0, tags = '[]'
         where merchant_id = $1 and member_id = $2",
    ] {
        tx.run(statement, &both[..2], &[]).await?;
    }
    let known = [
        merchant.into(),
        (&stays.id).into(),
        stays.locale.as_ref().into(),
        stays.birthday.map(|day| day.to_string()).into(),
        stays.referrer.as_ref().into(),
    ];
    let statement =
        "update members set locale = $3, birthday = $4, referrer = $5 where merchant_id = $1 and member_id = $2";
    tx.run(statement, &known, &[]).await?;
    Ok(())
}
