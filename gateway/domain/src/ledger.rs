//! What is written down: postings between accounts, and the lots they make.

use crate::decision::Share;
use crate::ids::{Digest, EntryId, InstallationId, LotId, MemberId, PartnerId, RewardId, hash};
use crate::time::Moment;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One side of a posting.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// What a member may spend.
    Available(MemberId),
    /// What a member has earned and may not spend yet.
    Pending(MemberId),
    /// Where everything earned comes from. Its balance is what the programme has ever given, negative.
    Issued,
    /// Where everything spent goes.
    Redeemed,
}

impl Account {
    /// Whose account it is; none for the merchant's own.
    #[must_use]
    pub fn member(&self) -> Option<&MemberId> {
        match self {
            Self::Available(member) | Self::Pending(member) => Some(member),
            Self::Issued | Self::Redeemed => None,
        }
    }
    /// Reads what [`fmt::Display`] writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once('/')? {
            ("merchant", "issued") => Some(Self::Issued),
            ("merchant", "redeemed") => Some(Self::Redeemed),
            (member, "available") => Some(Self::Available(member.into())),
            (member, "pending") => Some(Self::Pending(member.into())),
            _ => None,
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Available(member) => write!(f, "{member}/available"),
            Self::Pending(member) => write!(f, "{member}/pending"),
            Self::Issued => f.write_str("merchant/issued"),
            Self::Redeemed => f.write_str("merchant/redeemed"),
        }
    }
}

/// `amount` of `wallet` moved from `source` to `destination`: whatever leaves one account arrives in the other, so an entry's
/// postings sum to zero. Never updated, never deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// What caused it.
    pub entry: EntryId,
    /// Its place among the entry's postings, from 0.
    pub ordinal: i64,
    /// In whose chain it stands.
    pub member: MemberId,
    /// The unit of account.
    pub wallet: String,
    /// Where it leaves.
    pub source: Account,
    /// Where it arrives.
    pub destination: Account,
    /// Positive.
    pub amount: i64,
    /// The lot earned or reversed, where there is one.
    pub lot: Option<LotId>,
    /// When the entry happened.
    pub at: Moment,
    /// [`Posting::link`] of the member's posting before this one and this one.
    pub hash: [u8; 32],
}

impl Posting {
    /// The chain hash: of the previous hash and everything in this posting but `hash`.
    #[must_use]
    pub fn link(&self, previous: &[u8; 32]) -> [u8; 32] {
        hash(&[
            previous,
            &self.entry.0.to_be_bytes(),
            &self.ordinal.to_be_bytes(),
            self.member.as_str().as_bytes(),
            self.wallet.as_bytes(),
            self.source.to_string().as_bytes(),
            self.destination.to_string().as_bytes(),
            &self.amount.to_be_bytes(),
            self.lot.as_ref().map_or("", |lot| lot.as_str()).as_bytes(),
            &self.at.0.to_be_bytes(),
        ])
    }
}

/// An amount earned at one time, with the record that a refund inverts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lot {
    /// Derived from entry, installation and place in the answer.
    pub id: LotId,
    /// The entry that earned it.
    pub entry: EntryId,
    /// Who earned it.
    pub member: MemberId,
    /// Which plugin of the merchant gave it.
    pub installation: InstallationId,
    /// The component that decided.
    pub digest: Digest,
    /// The settings it decided by.
    pub settings_revision: i64,
    /// The unit of account.
    pub wallet: String,
    /// As earned.
    pub amount: i64,
    /// Taken back so far by refunds.
    pub reversed: i64,
    /// Which line earned how much; empty for what no purchase earned.
    pub shares: Vec<Share>,
}

/// Where a reward or offer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RewardState {
    /// May be used.
    Issued,
    /// Was used.
    Used,
    /// Taken back, unused, because what earned it was refunded.
    Withdrawn,
}

impl RewardState {
    /// The name in the database and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Used => "used",
            Self::Withdrawn => "withdrawn",
        }
    }
    /// Reads [`RewardState::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Issued, Self::Used, Self::Withdrawn].into_iter().find(|state| state.as_str() == text)
    }
}

/// A reward (from the merchant) or an offer (from a partner) that a member holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldReward {
    /// Derived from entry, installation and place in the answer.
    pub id: RewardId,
    /// Whose.
    pub member: MemberId,
    /// What gave it.
    pub entry: EntryId,
    /// Which plugin of the merchant gave it.
    pub installation: InstallationId,
    /// The partner, if it is an offer.
    pub partner: Option<PartnerId>,
    /// What it is, for reports.
    pub key: String,
    /// As the member reads it.
    pub title: String,
    /// The terms; empty for a reward.
    pub text: String,
    /// What the member shows or types to use it.
    pub code: String,
    /// What the member paid for it.
    pub price: Option<crate::decision::Price>,
    /// Where it stands.
    pub state: RewardState,
    /// When it was given.
    pub issued_at: Moment,
    /// When it lapses.
    pub expires_at: Option<Moment>,
}

/// How much of a purchase has been given back so far: sums only, so the order of refunds cannot matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refunded {
    /// By line: quantity and money given back.
    pub lines: std::collections::BTreeMap<String, RefundedLine>,
    /// All money given back, minor units.
    pub amount: i64,
    /// The part of `amount` that belongs to no line, minor units.
    pub unallocated: i64,
    /// Everything was given back.
    pub complete: bool,
}

/// How much of one line has been given back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundedLine {
    /// Thousandths of a piece, from refunds that tell no amount.
    pub quantity_milli: i64,
    /// Minor units.
    pub amount: i64,
}
