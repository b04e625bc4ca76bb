//! What is written down: postings between accounts, and the lots they make.

use crate::decision::Share;
use crate::ids::{Digest, EntryId, InstallationId, LotId, MemberId, PartnerId, RewardId, hash};
use crate::member::Wallet;
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
    /// Where everything goes that nobody spent in time.
    Expired,
    /// Where everything goes that a refund takes back.
    Reversed,
    /// What one member hands over to another when two become one. Its balance is zero after every merge.
    Transfer,
}

impl Account {
    /// Whose account it is; none for the merchant's own.
    #[must_use]
    pub fn member(&self) -> Option<&MemberId> {
        match self {
            Self::Available(member) | Self::Pending(member) => Some(member),
            _ => None,
        }
    }
    /// Reads what [`fmt::Display`] writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once('/')? {
            ("merchant", "issued") => Some(Self::Issued),
            ("merchant", "redeemed") => Some(Self::Redeemed),
            ("merchant", "expired") => Some(Self::Expired),
            ("merchant", "reversed") => Some(Self::Reversed),
            ("merchant", "transfer") => Some(Self::Transfer),
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
            Self::Expired => f.write_str("merchant/expired"),
            Self::Reversed => f.write_str("merchant/reversed"),
            Self::Transfer => f.write_str("merchant/transfer"),
        }
    }
}

/// When an amount is lost. What is lost first comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expiry {
    /// At this moment.
    At(Moment),
    /// When the wallet's sliding end comes, which every activity that counts moves on.
    Sliding,
    /// Never.
    Never,
}

/// As in the database: `never`, `sliding`, or the moment's number.
impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(at) => write!(f, "{}", at.0),
            Self::Sliding => f.write_str("sliding"),
            Self::Never => f.write_str("never"),
        }
    }
}

impl Expiry {
    /// Reads what [`fmt::Display`] writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "never" => Some(Self::Never),
            "sliding" => Some(Self::Sliding),
            number => number.parse().ok().map(|at| Self::At(Moment(at))),
        }
    }
}

/// What units of a wallet have in common that cannot be told apart: when they may be spent and when they are lost. Spending takes
/// from tranches; which lot of one it took from follows: the one earned first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TrancheKey {
    /// Pending until then; none: available.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matures: Option<Moment>,
    /// When it is lost.
    pub expires: Expiry,
}

impl TrancheKey {
    /// Of units that may be spent.
    #[must_use]
    pub fn available(expires: Expiry) -> Self {
        Self { matures: None, expires }
    }
    /// Reads what [`fmt::Display`] writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (matures, expires) = match text.split_once('>') {
            Some((matures, expires)) => (Some(Moment(matures.parse().ok()?)), expires),
            None => (None, text),
        };
        Some(Self { matures, expires: Expiry::parse(expires)? })
    }
}

/// As in the database: `never`; `1780000000000>never` while pending.
impl fmt::Display for TrancheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(matures) = self.matures {
            write!(f, "{}>", matures.0)?;
        }
        self.expires.fmt(f)
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
    /// From or into which tranche of the member's; none for what is taken though nothing is left.
    pub tranche: Option<TrancheKey>,
    /// When it took effect: the entry's time, or the moment at which it fell due.
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
            self.tranche.map(|key| key.to_string()).unwrap_or_default().as_bytes(),
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
    /// What refunds would have taken back, had it not been spent; the merchant's policy let it be.
    pub forgiven: i64,
    /// Lost because nobody spent it in time.
    pub expired: i64,
    /// When it was earned.
    pub earned_at: Moment,
    /// When it may be spent; none: at once.
    pub matures_at: Option<Moment>,
    /// When it is lost.
    pub expires: Expiry,
    /// Which line earned how much; empty for what no purchase earned.
    pub shares: Vec<Share>,
}

impl Lot {
    /// What of it was neither taken back nor let be nor lost: left, or spent.
    #[must_use]
    pub fn net(&self) -> i64 {
        self.amount - self.reversed - self.forgiven - self.expired
    }
    /// Where its units are at `now`, as long as they are not lost.
    #[must_use]
    pub fn tranche(&self, now: Moment) -> TrancheKey {
        TrancheKey { matures: self.matures_at.filter(|at| *at > now), expires: self.expires }
    }
}

/// What of each lot of a tranche is still there, with its place in `lots`; earned first first. Units of a tranche are alike, so the lots
/// earned first count as spent first: a function of what is left, not of the order in which things came.
#[must_use]
pub fn unspent(lots: &[Lot], wallet: &str, key: TrancheKey, now: Moment, holds: Option<&Wallet>) -> Vec<(usize, i64)> {
    let mut places: Vec<usize> = lots
        .iter()
        .enumerate()
        .filter(|(_, lot)| lot.wallet == wallet && lot.tranche(now) == key && lot.net() > 0)
        .map(|(place, _)| place)
        .collect();
    places.sort_by(|one, other| {
        let (one, other) = (&lots[*one], &lots[*other]);
        (one.earned_at, &one.id).cmp(&(other.earned_at, &other.id))
    });
    let all: i64 = places.iter().map(|place| lots[*place].net()).sum();
    let mut spent = all - holds.map_or(0, |wallet| wallet.left(key));
    places
        .into_iter()
        .map(|place| {
            let gone = spent.clamp(0, lots[place].net());
            spent -= gone;
            (place, lots[place].net() - gone)
        })
        .collect()
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
    /// Not used in time.
    Lapsed,
    /// Given back by the member in time.
    Undone,
}

impl RewardState {
    /// The name in the database and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Used => "used",
            Self::Withdrawn => "withdrawn",
            Self::Lapsed => "lapsed",
            Self::Undone => "undone",
        }
    }
    /// Reads [`RewardState::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Issued, Self::Used, Self::Withdrawn, Self::Lapsed, Self::Undone]
            .into_iter()
            .find(|state| state.as_str() == text)
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
    /// Which plugin of the merchant gave it; empty for the catalogue.
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
    /// From which tranches the price came: what is returned goes back there.
    #[serde(skip)]
    pub paid: Vec<(Expiry, i64)>,
    /// What it is, if it is of the catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<crate::rules::RewardKind>,
    /// Whether the price returns if it lapses.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub returns_price: bool,
    /// The purchase it was used in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_in: Option<EntryId>,
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
