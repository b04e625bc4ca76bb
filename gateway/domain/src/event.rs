//! What happened, of every kind: what platforms tell, what members and staff ask for, and what time brings. [`Event`] is any of them.

use crate::ids::{InstallationId, MemberId, RewardId, SourceId, derive};
use crate::purchase::Purchase;
use crate::time::Moment;
use serde::{Deserialize, Serialize};

mod kinds;
#[cfg(test)]
mod tests;

pub use kinds::{Event, Kind};

/// The source of what no platform tells: the management API, the command line, and time itself.
pub const OWN_SOURCE: &str = "perkgate";

/// Somebody becoming a customer of the shop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// The platform's customer id; dedupes the join within its source.
    pub id: String,
    /// When it happened.
    pub at: Moment,
    /// The member or code that brought them, where the platform tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referrer: Option<String>,
}

/// An order as it is after somebody changed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// The platform's id of the change, or the order's id and its version.
    pub id: String,
    /// When it was changed.
    pub at: Moment,
    /// The whole order from now on. Its id is the order's.
    pub purchase: Purchase,
}

/// Somebody whose language, consent, birthday or keys changed. What they are is stored with the member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Dedupes it within its source.
    pub id: String,
    /// When.
    pub at: Moment,
}

/// Why a plugin is called at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WakeCause {
    /// It asked to be.
    Asked,
    /// The merchant has just installed it.
    Installed,
    /// The member's tier has changed.
    Tier,
}

impl WakeCause {
    /// The name in the database, manifests and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Installed => "installed",
            Self::Tier => "tier",
        }
    }
    /// Reads [`WakeCause::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Asked, Self::Installed, Self::Tier].into_iter().find(|cause| cause.as_str() == text)
    }
}

/// A time that has come for one installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Woken {
    /// See [`Woken::id_of`].
    pub id: String,
    /// The time asked for, however late it is.
    pub at: Moment,
    /// Who is called.
    pub installation: InstallationId,
    /// Why.
    pub cause: WakeCause,
    /// As asked; the new tier's name for [`WakeCause::Tier`].
    pub key: String,
    /// As asked.
    #[serde(with = "crate::hex_bytes")]
    pub data: Vec<u8>,
}

impl Woken {
    /// What a wake is known by: whom, which, when, and the member's version that it is settled on. An entry that comes late may ask
    /// for a moment that was answered already; that is another wake.
    #[must_use]
    pub fn id_of(
        (member, version): (&MemberId, i64),
        installation: &InstallationId,
        cause: WakeCause,
        key: &str,
        at: Moment,
    ) -> String {
        let (at, version) = (at.0.to_string(), version.to_string());
        derive("wake", &[member.as_str(), installation.as_str(), cause.as_str(), key, &at, &version])
    }
}

/// A moment at which something of a member's falls due: lots that mature or expire, a reward that lapses, a look at the tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Due {
    /// See [`Due::id_of`].
    pub id: String,
    /// The moment, however late it is.
    pub at: Moment,
}

impl Due {
    /// What it is known by: whose, when, and the member's version that it is settled on, so that a moment can be looked at twice.
    #[must_use]
    pub fn id_of((member, version): (&MemberId, i64), at: Moment) -> String {
        derive("due", &[member.as_str(), &at.0.to_string(), &version.to_string()])
    }
}

/// A member taking a reward of the catalogue for its price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redemption {
    /// The idempotency key of whoever asks.
    pub id: String,
    /// When.
    pub at: Moment,
    /// Of the catalogue.
    pub reward: String,
}

/// A member giving a reward back, unused, in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    /// The idempotency key of whoever asks.
    pub id: String,
    /// When.
    pub at: Moment,
    /// Which.
    pub reward: RewardId,
}

/// The merchant giving a member a reward of the catalogue: a personal coupon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issue {
    /// The idempotency key of whoever asks.
    pub id: String,
    /// When.
    pub at: Moment,
    /// Of the catalogue.
    pub reward: String,
}

/// What a question is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// 0 to 10: how likely they are to recommend the shop.
    Nps,
    /// 1 to 5: how content they are.
    Csat,
}

impl Scale {
    /// The name in the database and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nps => "nps",
            Self::Csat => "csat",
        }
    }
    /// Reads [`Scale::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Nps, Self::Csat].into_iter().find(|scale| scale.as_str() == text)
    }
    /// The scores there are.
    #[must_use]
    pub fn scores(self) -> std::ops::RangeInclusive<u8> {
        match self {
            Self::Nps => 0..=10,
            Self::Csat => 1..=5,
        }
    }
}

/// A member's answer to a plugin's question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The question's id: a question is answered once.
    pub id: String,
    /// When.
    pub at: Moment,
    /// Who asked.
    pub installation: InstallationId,
    /// As asked.
    pub key: String,
    /// What it was to be answered with.
    pub scale: Scale,
    /// Within [`Scale::scores`].
    pub score: u8,
    /// What they wrote beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Two members who are one person. The entry is the one's who stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Merge {
    /// The idempotency key of whoever asks.
    pub id: String,
    /// When.
    pub at: Moment,
    /// Who goes: postings, lots, rewards and keys become the other's.
    pub other: MemberId,
}

/// A member who is to be forgotten: keys and contact data go, postings stay and are nobody's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forget {
    /// The idempotency key of whoever asks.
    pub id: String,
    /// When.
    pub at: Moment,
}

/// Somebody showing the receipt of a purchase that named nobody. It earns as of its own time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The idempotency key of whoever asks.
    pub id: String,
    /// When.
    pub at: Moment,
    /// By which source the purchase came.
    pub source: SourceId,
    /// The order's id or what staff call it.
    pub order: String,
}
