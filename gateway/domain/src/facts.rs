//! What a plugin is told besides the event. Everything a decision may depend on is in here, so that it can be made again.

use crate::member::Balance;
use crate::money::Currency;
use crate::time::Moment;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The facts of one decision. Stored with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// When the entry happened (not when it was decided).
    pub now: Moment,
    /// The same in the merchant's time zone.
    pub local: LocalTime,
    /// Whose programme.
    pub merchant: MerchantFacts,
    /// Whose purchase; only for plugins that ask for `member`, and as it stood before this entry.
    pub member: Option<MemberFacts>,
    /// The installation's settings, JSON text.
    pub settings: String,
    /// What this installation remembered about this member; only for plugins that ask for `memory`.
    #[serde(with = "hex_bytes")]
    pub memory: Vec<u8>,
    /// Derived from merchant, entry and installation: the same whenever the decision is made again.
    pub dice: u64,
}

/// Civil time in the merchant's zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalTime {
    /// Gregorian year.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 1 (Monday) to 7 (Sunday).
    pub weekday: u8,
    /// Minutes east of UTC.
    pub offset_minutes: i32,
}

impl LocalTime {
    /// The day as `2026-11-21`.
    #[must_use]
    pub fn date(&self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// The merchant, as far as plugins need it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MerchantFacts {
    /// Id from the merchant file.
    pub id: String,
    /// As customers know it.
    pub name: String,
    /// The programme's currency.
    pub currency: Currency,
    /// IANA time zone.
    pub timezone: String,
    /// The shop's language.
    pub locale: String,
}

/// The member as a plugin sees them: no contact data, and a different id for every partner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberFacts {
    /// `mem_…`, or a pseudonym made for the partner whose plugin this is.
    pub id: String,
    /// Their language, where known.
    pub locale: Option<String>,
    /// When the programme first heard of them.
    pub joined_at: Moment,
    /// Settled purchases before this one.
    pub visits: i64,
    /// Sum of settled purchases less refunds before this one, minor units of the merchant's currency.
    pub spent: i64,
    /// First settled purchase.
    pub first_purchase_at: Option<Moment>,
    /// Latest settled purchase.
    pub last_purchase_at: Option<Moment>,
    /// The tier they are in.
    pub tier: Option<String>,
    /// Sorted, unique.
    pub tags: Vec<String>,
    /// Whether they agreed to messages.
    pub consent: bool,
    /// By wallet; only for plugins that ask for `balances`.
    pub balances: BTreeMap<String, Balance>,
}

mod hex_bytes {
    //! Bytes as hexadecimal text, so that stored facts stay readable JSON.
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &Vec<u8>, serializer: S) -> Result<S::Ok, S::Error> {
        use std::fmt::Write as _;
        let mut text = String::with_capacity(bytes.len() * 2);
        for byte in bytes {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        serializer.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || serde::de::Error::custom("bytes are pairs of hexadecimal digits");
        if text.len() % 2 != 0 || !text.is_ascii() {
            return Err(wrong());
        }
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| wrong())).collect()
    }
}
