//! Who bought: the contact data an arrival carries, and the record a programme keeps.

use crate::ids::MemberId;
use crate::time::Moment;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an arrival says about the customer, as the platform wrote it. Never logged, sealed at rest, never shown to a plugin.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The platform's customer id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Phone number in any notation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Code of a loyalty card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// Full name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// ISO 3166 country, which a phone number without a country code is read in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The customer's language (`sk`, `cs-CZ`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// Whether the customer agreed to messages; nothing if the platform does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<bool>,
}

impl std::fmt::Debug for Identity {
    /// Says what is known, never what it is.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("customer_id", &self.customer_id.is_some())
            .field("email", &self.email.is_some())
            .field("phone", &self.phone.is_some())
            .field("card", &self.card.is_some())
            .finish_non_exhaustive()
    }
}

/// The kinds of key a member is known by, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyKind {
    /// A loyalty card's code.
    Card,
    /// A platform's customer id, within its source.
    Id,
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
}

impl KeyKind {
    /// The name used in the database and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Id => "id",
            Self::Email => "email",
            Self::Phone => "phone",
        }
    }
    /// Reads [`KeyKind::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Card, Self::Id, Self::Email, Self::Phone].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A key as stored: a keyed hash, so that the table tells nobody an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberKey {
    /// What it is a hash of.
    pub kind: KeyKind,
    /// HMAC-SHA256 of the normalised key.
    pub hash: [u8; 32],
}

/// Where a message can reach a member. Sealed at rest.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Normalised e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Phone number in E.164.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Full name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Contact {
    /// Takes over what `newer` knows; forgets nothing.
    pub fn update(&mut self, newer: &Self) {
        for (mine, theirs) in
            [(&mut self.email, &newer.email), (&mut self.phone, &newer.phone), (&mut self.name, &newer.name)]
        {
            if theirs.is_some() {
                mine.clone_from(theirs);
            }
        }
    }
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl std::fmt::Debug for Contact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contact(sealed)")
    }
}

/// A member's standing in the programme. Amounts are caches of postings and settled purchases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    pub id: MemberId,
    /// Rises with every settled entry; a settlement that saw an older one is thrown away and done again.
    pub version: i64,
    /// When the programme first heard of them.
    pub joined_at: Moment,
    /// Their language, where known.
    pub locale: Option<String>,
    /// Whether they agreed to messages.
    pub consent: bool,
    /// Settled purchases, those refunded completely not counted.
    pub visits: i64,
    /// Sum of settled purchases less refunds, minor units of the merchant's currency.
    pub spent: i64,
    /// First settled purchase.
    pub first_purchase_at: Option<Moment>,
    /// Latest settled purchase.
    pub last_purchase_at: Option<Moment>,
    /// The tier they are in.
    pub tier: Option<String>,
    /// Sorted, unique.
    pub tags: Vec<String>,
    /// By wallet.
    pub balances: BTreeMap<String, Balance>,
    /// Hash of the member's latest posting, or zeros.
    #[serde(skip)]
    pub chain: [u8; 32],
}

/// What a member has in one wallet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// May be spent. Negative if more was taken back than was left.
    pub available: i64,
    /// Earned, not matured.
    pub pending: i64,
}
