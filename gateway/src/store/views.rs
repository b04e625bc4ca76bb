//! What the store answers whoever asks: members, orders, arrivals, deliveries, and what a check of the ledger found.

use perkgate_domain::delivery::Delivery;
use perkgate_domain::health::Health;
use perkgate_domain::ids::{ArrivalId, ChannelId, EntryId, MemberId, SourceId};
use perkgate_domain::ledger::HeldReward;
use perkgate_domain::member::Member;
use perkgate_domain::plan::DecisionRecord;
use perkgate_domain::purchase::{Purchase, Refund};
use perkgate_domain::time::Moment;
use serde::Serialize;

/// A channel whose receiver fails, for whoever asks.
#[derive(Clone, Debug, Serialize)]
pub struct ChannelView {
    /// Which.
    pub channel: ChannelId,
    /// How it fails.
    #[serde(flatten)]
    pub health: Health,
}

/// A member for whoever asks.
#[derive(Clone, Debug)]
pub struct MemberView {
    /// Standing and balances.
    pub member: Member,
    /// Newest first: everything not withdrawn.
    pub rewards: Vec<HeldReward>,
}

/// An order for whoever asks.
#[derive(Clone, Debug)]
pub struct ExplainView {
    /// The purchase's entry.
    pub entry: EntryView,
    /// The purchase.
    pub purchase: Purchase,
    /// What plugins said to it.
    pub decisions: Vec<DecisionView>,
    /// What was posted for it and for its refunds, in order.
    pub postings: Vec<PostingView>,
    /// Messages that followed.
    pub deliveries: Vec<DeliveryView>,
    /// Rewards and offers that followed.
    pub rewards: Vec<HeldReward>,
    /// Its refunds.
    pub refunds: Vec<(EntryView, Refund)>,
    /// Arrivals that spoke of it: the one that was taken, repetitions, and contradictions.
    pub arrivals: Vec<ArrivalView>,
}

/// An arrival for whoever asks.
#[derive(Clone, Debug, Serialize)]
pub struct ArrivalView {
    /// Its number.
    pub arrival: ArrivalId,
    /// The platform's word for it.
    pub topic: String,
    /// Where it stands: `new`, `read`, `nothing`, `test`, `conflict` or `parked`.
    pub state: String,
    /// Why, where that is not plain.
    pub note: Option<String>,
    /// The first entry it speaks of.
    pub entry: Option<EntryId>,
}

/// An entry for whoever asks.
#[derive(Clone, Debug)]
pub struct EntryView {
    /// Its number.
    pub id: EntryId,
    /// Where it stands.
    pub state: String,
    /// Why, where that is not plain.
    pub cause: Option<String>,
    /// Whom it concerns.
    pub member: Option<MemberId>,
    /// When it happened.
    pub at: Moment,
}

/// A decision for whoever asks.
#[derive(Clone, Debug)]
pub struct DecisionView {
    /// On which entry.
    pub entry: EntryId,
    /// As it was recorded.
    pub record: DecisionRecord,
}

/// A posting for whoever asks.
#[derive(Clone, Debug, Serialize)]
pub struct PostingView {
    /// Of which entry.
    pub entry: EntryId,
    /// The unit of account.
    pub wallet: String,
    /// Where it left.
    pub source: String,
    /// Where it arrived.
    pub destination: String,
    /// Whole units.
    pub amount: i64,
    /// The lot earned or reversed.
    pub lot: Option<String>,
    /// When.
    pub at: Moment,
}

/// A delivery for whoever asks.
#[derive(Clone, Debug, Serialize)]
pub struct DeliveryView {
    /// The message.
    #[serde(flatten)]
    pub delivery: Delivery,
    /// Attempts so far.
    pub attempts: i64,
}

/// A rejected arrival for whoever asks.
#[derive(Clone, Debug, Serialize)]
pub struct RejectionView {
    /// Which source.
    pub source: SourceId,
    /// Machine-readable cause.
    pub cause: String,
    /// The cause in a sentence.
    pub detail: String,
    /// Of the body.
    pub digest: String,
    /// Size of the body.
    pub bytes: i64,
    /// When.
    pub received_at: Moment,
}

/// What a check of the ledger found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LedgerReport {
    /// Entries looked at.
    pub entries: i64,
    /// Postings looked at.
    pub postings: i64,
    /// Members whose chain was followed.
    pub members: i64,
    /// Lots looked at.
    pub lots: i64,
    /// What does not hold, in sentences; at most 100.
    pub problems: Vec<String>,
}

impl LedgerReport {
    /// Whether every invariant holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.problems.is_empty()
    }
    /// Adds a finding, as long as there is room.
    pub fn found(&mut self, problem: impl Into<String>) {
        if self.problems.len() < 100 {
            self.problems.push(problem.into());
        }
    }
}
