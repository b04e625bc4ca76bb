//! Between rows and the vocabulary: sets as JSON, bytes as hexadecimal text in them, documents that read back or say why not.

use crate::store::StoreError;
use perkgate_domain::decision::Price;
use perkgate_domain::delivery::{Delivery, DeliveryState};
use perkgate_domain::ids::{Digest, EntryId};
use perkgate_domain::ledger::{HeldReward, RewardState};
use perkgate_domain::member::{Balance, Member};
use perkgate_domain::time::Moment;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use std::collections::BTreeMap;

/// Rows for `json_each($1)`.
pub(super) fn set<T: Serialize>(rows: &[T]) -> Result<String, StoreError> {
    json("set", &rows)
}

/// A document's text.
pub(super) fn json<T: Serialize>(what: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Corrupt { what, detail: error.to_string() })
}

/// A document read back.
pub(in crate::store) fn document<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt { what, detail: error.to_string() })
}

/// A 32-byte column.
pub(super) fn hash32(what: &'static str, bytes: &[u8]) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|_| StoreError::Corrupt { what, detail: format!("{} bytes instead of 32", bytes.len()) })
}

/// A digest column.
pub(super) fn digest(row: &SqliteRow, column: &'static str) -> Result<Digest, StoreError> {
    Ok(Digest::from_bytes(hash32(column, row.try_get(column)?)?))
}

/// A word column.
pub(super) fn word<T>(what: &'static str, text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
    parse(text).ok_or_else(|| StoreError::Corrupt { what, detail: format!("`{text}` is not a known word") })
}

/// The columns of [`member`], for a table aliased `m`.
pub(super) const MEMBER: &str = "m.merchant_id, m.member_id, m.version, m.joined_at, m.locale, m.consent, m.visits, m.spent, \
    m.first_purchase_at, m.last_purchase_at, m.tier, m.tags, m.chain";

/// A `members` row; balances are put in by the caller.
pub(super) fn member(row: &SqliteRow) -> Result<Member, StoreError> {
    Ok(Member {
        id: row.try_get::<&str, _>("member_id")?.into(),
        version: row.try_get("version")?,
        joined_at: Moment(row.try_get("joined_at")?),
        locale: row.try_get("locale")?,
        consent: row.try_get::<i64, _>("consent")? != 0,
        visits: row.try_get("visits")?,
        spent: row.try_get("spent")?,
        first_purchase_at: row.try_get::<Option<i64>, _>("first_purchase_at")?.map(Moment),
        last_purchase_at: row.try_get::<Option<i64>, _>("last_purchase_at")?.map(Moment),
        tier: row.try_get("tier")?,
        tags: document("member's tags", row.try_get("tags")?)?,
        balances: BTreeMap::new(),
        chain: hash32("chain", row.try_get("chain")?)?,
    })
}

/// Adds one `balances` row to a member.
pub(super) fn add_balance(balances: &mut BTreeMap<String, Balance>, row: &SqliteRow) -> Result<(), StoreError> {
    let account: &str = row.try_get("account")?;
    let balance = balances.entry(row.try_get("wallet")?).or_default();
    let amount = row.try_get("amount")?;
    match account.rsplit_once('/') {
        Some((_, "available")) => balance.available = amount,
        Some((_, "pending")) => balance.pending = amount,
        _ => return Err(StoreError::Corrupt { what: "account", detail: format!("`{account}` is no member's") }),
    }
    Ok(())
}

/// A `rewards` row.
pub(super) fn reward(row: &SqliteRow) -> Result<HeldReward, StoreError> {
    let price =
        match (row.try_get::<Option<String>, _>("price_wallet")?, row.try_get::<Option<i64>, _>("price_amount")?) {
            (Some(wallet), Some(amount)) => Some(Price { wallet, amount }),
            _ => None,
        };
    let text = |column: &str| row.try_get::<String, _>(column);
    Ok(HeldReward {
        id: text("reward_id")?.as_str().into(),
        member: text("member_id")?.as_str().into(),
        entry: EntryId(row.try_get("entry_id")?),
        installation: text("installation_id")?.as_str().into(),
        partner: row.try_get::<Option<&str>, _>("partner_id")?.map(Into::into),
        key: text("reward_key")?,
        title: text("title")?,
        text: text("terms")?,
        code: text("code")?,
        price,
        state: word("reward state", row.try_get("state")?, RewardState::parse)?,
        issued_at: Moment(row.try_get("issued_at")?),
        expires_at: row.try_get::<Option<i64>, _>("expires_at")?.map(Moment),
    })
}

/// A `deliveries` row.
pub(super) fn delivery(row: &SqliteRow) -> Result<Delivery, StoreError> {
    let text = |column: &str| row.try_get::<&str, _>(column);
    Ok(Delivery {
        id: text("delivery_id")?.into(),
        merchant: text("merchant_id")?.into(),
        channel: text("channel_id")?.into(),
        entry: EntryId(row.try_get("entry_id")?),
        installation: text("installation_id")?.into(),
        member: text("member_id")?.into(),
        message: document("message", text("message")?)?,
        state: word("delivery state", text("state")?, DeliveryState::parse)?,
        note: row.try_get("note")?,
        created_at: Moment(row.try_get("created_at")?),
    })
}
