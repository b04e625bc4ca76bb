//! Who bought: the contact data an arrival carries, and the record a programme keeps.

use crate::facts::MonthDay;
use crate::ids::MemberId;
use crate::ledger::{Account, Expiry, Posting, TrancheKey};
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
    /// `1990-03-08`, `--03-08` or `03-08`; the year is not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birthday: Option<String>,
    /// What whoever brought them tells friends, or a key of theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referrer: Option<String>,
    /// Who says so. Never read from a body: the connector knows.
    #[serde(skip)]
    pub proof: Proof,
}

/// Who says what an [`Identity`] says, and so what of it is proved. Each proves what the ones before it prove, and more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// Somebody typed it, at a checkout or a till: nobody has proved that the address is theirs.
    #[default]
    Typed,
    /// It is the platform's record of its customer, whose address the platform has not verified.
    Record,
    /// It is the platform's record of its customer, with an e-mail address that the platform has verified.
    Verified,
    /// The member or the merchant's staff say so.
    Told,
}

impl Proof {
    /// Whether a key of this kind is proved to be theirs. A card is whoever's who holds it, and a platform vouches for its own ids.
    #[must_use]
    pub fn covers(self, kind: KeyKind) -> bool {
        match kind {
            KeyKind::Card | KeyKind::Id | KeyKind::Referral => true,
            KeyKind::Email => self >= Self::Verified,
            KeyKind::Phone => self >= Self::Told,
        }
    }
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
    /// What a member tells friends. Nobody is recognised by it as a customer; it names who brought somebody.
    Referral,
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
            Self::Referral => "referral",
        }
    }
    /// Reads [`KeyKind::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Card, Self::Id, Self::Email, Self::Phone, Self::Referral].into_iter().find(|kind| kind.as_str() == text)
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
    /// The day they were born on.
    pub birthday: Option<MonthDay>,
    /// Who brought them.
    pub referrer: Option<MemberId>,
    /// The tier they are in.
    pub tier: Option<String>,
    /// How they came into it, and what counts towards tiers.
    pub climb: Climb,
    /// Sorted, unique.
    pub tags: Vec<String>,
    /// By name.
    pub wallets: BTreeMap<String, Wallet>,
    /// What has fallen due until then has been seen to.
    pub through: Moment,
    /// When something falls due next: a lot, a reward, a look at the tier.
    pub due_at: Option<Moment>,
    /// Who they are now, if they became one with somebody.
    pub merged_into: Option<MemberId>,
    /// Hash of the member's latest posting, or zeros.
    #[serde(skip)]
    pub chain: [u8; 32],
}

/// What a member may spend and what not yet, in one wallet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// May be spent. Negative if more was taken back than was left.
    pub available: i64,
    /// Earned, not matured.
    pub pending: i64,
}

/// What a member has and had in one wallet: `available + pending + spent + expired + reversed` is what was ever earned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wallet {
    /// May be spent. Negative if more was taken back than was left; the next earnings fill it, and it never expires.
    pub available: i64,
    /// Earned, not matured.
    pub pending: i64,
    /// Spent, less what was returned.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub spent: i64,
    /// Lost because it was not spent in time.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub expired: i64,
    /// Taken back by refunds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reversed: i64,
    /// When what expires by sliding is lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slides_until: Option<Moment>,
    /// What is left, by when it matures and expires; none of them empty, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tranches: Vec<Tranche>,
}

/// Units of a wallet that mature and expire together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tranche {
    /// When.
    #[serde(flatten)]
    pub key: TrancheKey,
    /// Positive.
    pub amount: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl Wallet {
    /// What plugins see of it.
    #[must_use]
    pub fn balance(&self) -> Balance {
        Balance { available: self.available, pending: self.pending }
    }
    /// What was ever earned.
    #[must_use]
    pub fn earned(&self) -> i64 {
        self.available + self.pending + self.spent + self.expired + self.reversed
    }
    /// When units that expire like this are lost; none if never.
    #[must_use]
    pub fn lost_at(&self, expires: Expiry) -> Option<Moment> {
        match expires {
            Expiry::At(at) => Some(at),
            Expiry::Sliding => self.slides_until,
            Expiry::Never => None,
        }
    }
    /// What is left in a tranche.
    #[must_use]
    pub fn left(&self, key: TrancheKey) -> i64 {
        self.tranches.iter().find(|tranche| tranche.key == key).map_or(0, |tranche| tranche.amount)
    }
    /// Puts units into a tranche, or takes some out of it.
    pub fn add(&mut self, key: TrancheKey, amount: i64) {
        match self.tranches.binary_search_by_key(&key, |tranche| tranche.key) {
            Ok(at) => {
                self.tranches[at].amount += amount;
                if self.tranches[at].amount == 0 {
                    self.tranches.remove(at);
                }
            }
            Err(_) if amount == 0 => {}
            Err(at) => self.tranches.insert(at, Tranche { key, amount }),
        }
    }
    /// What a posting of the member's does to it. Whatever becomes available first fills what is owed.
    pub fn apply(&mut self, posting: &Posting) {
        let amount = posting.amount;
        match (&posting.source, posting.tranche) {
            (Account::Available(_), tranche) => {
                self.available -= amount;
                if let Some(key) = tranche {
                    self.add(TrancheKey::available(key.expires), -amount);
                }
            }
            (Account::Pending(_), Some(key)) => {
                self.pending -= amount;
                self.add(key, -amount);
            }
            (Account::Redeemed, _) => self.spent -= amount,
            (Account::Expired, _) => self.expired -= amount,
            (Account::Reversed, _) => self.reversed -= amount,
            _ => {}
        }
        match (&posting.destination, posting.tranche) {
            (Account::Available(_), tranche) => {
                let owed = (-self.available).max(0);
                self.available += amount;
                if let Some(key) = tranche {
                    self.add(TrancheKey::available(key.expires), (amount - owed).max(0));
                }
            }
            (Account::Pending(_), Some(key)) => {
                self.pending += amount;
                self.add(key, amount);
            }
            (Account::Redeemed, _) => self.spent += amount,
            (Account::Expired, _) => self.expired += amount,
            (Account::Reversed, _) => self.reversed += amount,
            _ => {}
        }
    }
    /// The earliest moment at which something of it matures or is lost.
    #[must_use]
    pub fn due_at(&self) -> Option<Moment> {
        self.tranches
            .iter()
            .filter_map(|tranche| tranche.key.matures.or_else(|| self.lost_at(tranche.key.expires)))
            .min()
    }
}

/// How a member came into their tier, and what counts towards tiers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Climb {
    /// When they came into their tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Moment>,
    /// When the tier is looked at again; not before, whatever the rules become.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
    /// What the tier took when they came into it, or when it was looked at last.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub took: i64,
    /// What counted on which day (its first moment in the merchant's zone), oldest first; as far back as the window goes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<(Moment, i64)>,
}
