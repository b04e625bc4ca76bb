//! Between rows and the vocabulary: documents that read back or say why not.

use crate::store::StoreError;
use crate::store::engine::Row;
use perkgate_domain::decision::Price;
use perkgate_domain::delivery::{Delivery, DeliveryState};
use perkgate_domain::facts::MonthDay;
use perkgate_domain::ids::{ArrivalId, Digest, EntryId, MemberId, MerchantId};
use perkgate_domain::ledger::{Expiry, HeldReward, Lot, RewardState};
use perkgate_domain::member::Member;
use perkgate_domain::rules::RewardKind;
use perkgate_domain::time::Moment;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A document's text.
pub(super) fn json<T: Serialize + ?Sized>(what: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Corrupt { what, detail: error.to_string() })
}

/// A document read back.
pub(super) fn document<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt { what, detail: error.to_string() })
}

/// A 32-byte column.
pub(super) fn hash32(what: &'static str, bytes: &[u8]) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|_| StoreError::Corrupt { what, detail: format!("{} bytes instead of 32", bytes.len()) })
}

/// A digest column.
pub(super) fn digest(row: &Row, column: &'static str) -> Result<Digest, StoreError> {
    Ok(Digest::from_bytes(hash32(column, row.get(column)?)?))
}

/// A word column.
pub(super) fn word<T>(what: &'static str, text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
    parse(text).ok_or_else(|| StoreError::Corrupt { what, detail: format!("`{text}` is not a known word") })
}

/// A moment column that may be null.
pub(super) fn moment(row: &Row, column: &str) -> Result<Option<Moment>, StoreError> {
    Ok(row.get::<Option<i64>>(column)?.map(Moment))
}

/// The arrival an entry came by; none if its time made it.
pub(super) fn arrival_of(row: &Row) -> Result<Option<ArrivalId>, StoreError> {
    Ok(row.get::<Option<i64>>("arrival_id")?.filter(|number| *number != 0).map(ArrivalId))
}

/// Whose row it is.
pub(super) fn owner(row: &Row) -> Result<(MerchantId, MemberId), StoreError> {
    Ok((row.get::<&str>("merchant_id")?.into(), row.get::<&str>("member_id")?.into()))
}

/// A `members` row.
pub(super) fn member(row: &Row) -> Result<Member, StoreError> {
    Ok(Member {
        id: row.get::<&str>("member_id")?.into(),
        version: row.get("version")?,
        joined_at: Moment(row.get("joined_at")?),
        locale: row.get("locale")?,
        consent: row.get::<i64>("consent")? != 0,
        visits: row.get("visits")?,
        spent: row.get("spent")?,
        first_purchase_at: moment(row, "first_purchase_at")?,
        last_purchase_at: moment(row, "last_purchase_at")?,
        birthday: row.get::<Option<&str>>("birthday")?.and_then(MonthDay::parse),
        referrer: row.get::<Option<&str>>("referrer")?.map(Into::into),
        tier: row.get("tier")?,
        climb: document("member's climb", row.get("climb")?)?,
        tags: document("member's tags", row.get("tags")?)?,
        wallets: document("member's wallets", row.get("wallets")?)?,
        through: Moment(row.get("through")?),
        due_at: moment(row, "due_at")?,
        merged_into: row.get::<Option<&str>>("merged_into")?.map(Into::into),
        chain: hash32("chain", row.get("chain")?)?,
    })
}

/// What of a reward is never looked for.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct RewardDetail {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) paid: Vec<(Expiry, i64)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<RewardKind>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) returns_price: bool,
}

/// A `rewards` row.
pub(super) fn reward(row: &Row) -> Result<HeldReward, StoreError> {
    let price = match (row.get::<Option<String>>("price_wallet")?, row.get::<Option<i64>>("price_amount")?) {
        (Some(wallet), Some(amount)) => Some(Price { wallet, amount }),
        _ => None,
    };
    let text = |column: &str| row.get::<String>(column);
    let detail: RewardDetail = document("reward's detail", row.get("detail")?)?;
    Ok(HeldReward {
        id: text("reward_id")?.as_str().into(),
        member: text("member_id")?.as_str().into(),
        entry: EntryId(row.get("entry_id")?),
        installation: text("installation_id")?.as_str().into(),
        partner: row.get::<Option<&str>>("partner_id")?.map(Into::into),
        key: text("reward_key")?,
        title: text("title")?,
        text: text("terms")?,
        code: text("code")?,
        price,
        paid: detail.paid,
        kind: detail.kind,
        returns_price: detail.returns_price,
        used_in: row.get::<Option<i64>>("used_in")?.map(EntryId),
        state: word("reward state", row.get("state")?, RewardState::parse)?,
        issued_at: Moment(row.get("issued_at")?),
        expires_at: moment(row, "expires_at")?,
    })
}

/// A `lots` row.
pub(super) fn lot(row: &Row) -> Result<Lot, StoreError> {
    Ok(Lot {
        id: row.get::<&str>("lot_id")?.into(),
        entry: EntryId(row.get("entry_id")?),
        member: row.get::<&str>("member_id")?.into(),
        installation: row.get::<&str>("installation_id")?.into(),
        digest: digest(row, "digest")?,
        settings_revision: row.get("settings_revision")?,
        wallet: row.get("wallet")?,
        amount: row.get("amount")?,
        reversed: row.get("reversed")?,
        forgiven: row.get("forgiven")?,
        expired: row.get("expired")?,
        earned_at: Moment(row.get("earned_at")?),
        matures_at: moment(row, "matures_at")?,
        expires: word("expiry", row.get("expires")?, Expiry::parse)?,
        shares: document("shares", row.get("shares")?)?,
    })
}

/// A `deliveries` row.
pub(super) fn delivery(row: &Row) -> Result<Delivery, StoreError> {
    let text = |column: &str| row.get::<&str>(column);
    Ok(Delivery {
        id: text("delivery_id")?.into(),
        merchant: text("merchant_id")?.into(),
        channel: text("channel_id")?.into(),
        entry: EntryId(row.get("entry_id")?),
        installation: text("installation_id")?.into(),
        member: text("member_id")?.into(),
        message: document("message", text("message")?)?,
        state: word("delivery state", text("state")?, DeliveryState::parse)?,
        note: row.get("note")?,
        created_at: Moment(row.get("created_at")?),
    })
}
