//! What a settling batch reads and writes: a [`Book`] is opened before deciding, a [`Settlement`] is what one entry adds to it.

use crate::decision::{Fault, LogLine, Outcome};
use crate::delivery::Delivery;
use crate::facts::Facts;
use crate::ids::{Digest, EntryId, InstallationId, LotId, MemberId, MerchantId, RewardId, SourceId};
use crate::ledger::{HeldReward, Lot, Posting, Refunded, RewardState};
use crate::member::Member;
use crate::programme::Installation;
use crate::purchase::{Event, Purchase};
use crate::time::Moment;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// An entry that waits to be settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedEntry {
    /// Its number.
    pub id: EntryId,
    /// Whose programme.
    pub merchant: MerchantId,
    /// The source it came by.
    pub source: SourceId,
    /// What happened.
    pub event: Event,
    /// Whom it concerns; none while nobody claims it.
    pub member: Option<MemberId>,
    /// The purchase a refund gives back.
    pub purchase: Option<EntryId>,
    /// How often it was put off because of a fault of ours.
    pub attempts: i64,
}

/// What a batch needs to know, read in one go.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// Everybody the batch concerns.
    pub members: HashMap<(MerchantId, MemberId), MemberBook>,
    /// What caps and limits have been used up so far.
    pub counters: HashMap<Counter, i64>,
}

/// One member, as the batch finds them; every settlement of the batch brings it up to date.
#[derive(Clone, Debug)]
pub struct MemberBook {
    /// Standing and balances.
    pub member: Member,
    /// What each installation remembers about them.
    pub memories: BTreeMap<InstallationId, Vec<u8>>,
    /// Rewards and offers not used yet, oldest first.
    pub rewards: Vec<HeldReward>,
    /// The purchases that refunds in this batch give back.
    pub purchases: BTreeMap<EntryId, PurchaseRecord>,
}

/// A settled purchase with what a refund inverts.
#[derive(Clone, Debug)]
pub struct PurchaseRecord {
    /// As it was settled.
    pub purchase: Purchase,
    /// What it earned.
    pub lots: Vec<Lot>,
    /// What has been given back so far.
    pub refunded: Refunded,
}

/// Names a sum that a cap or limit is held against.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Counter {
    /// Whose programme.
    pub merchant: MerchantId,
    /// Whose cap.
    pub installation: InstallationId,
    /// `points` or `offer/<key>`.
    pub name: String,
    /// A day of the merchant's time zone, or empty for all time.
    pub day: String,
}

/// What one settlement adds to such a sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// Which sum.
    pub counter: Counter,
    /// How much more.
    pub amount: i64,
    /// What it comes to with that: if the stored sum comes to something else, somebody added to it meanwhile.
    pub total: i64,
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryState {
    /// Waits for its turn.
    Queued,
    /// Done.
    Settled,
    /// Waits for its purchase.
    Parked,
    /// A purchase (or its refund) without a known member: waits for one.
    Unclaimed,
}

impl EntryState {
    /// The name in the database and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Settled => "settled",
            Self::Parked => "parked",
            Self::Unclaimed => "unclaimed",
        }
    }
}

/// One installation's verdict on an entry, on its way from deciding to the ledger.
#[derive(Clone, Debug)]
pub struct Proposal<'a> {
    /// Who proposes.
    pub installation: &'a Installation,
    /// What it was told.
    pub facts: Facts,
    /// What it answered.
    pub outcome: Outcome,
    /// Why the gateway does not act on the answer, as far as deciding could tell.
    pub ruling: Option<Fault>,
    /// Fuel used.
    pub fuel: u64,
    /// What it logged.
    pub log: Vec<LogLine>,
}

/// One installation's decision on one entry, with all that is needed to make it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionRecord {
    /// Which installation.
    pub installation: InstallationId,
    /// The component that ran.
    pub digest: Digest,
    /// The settings it ran with.
    pub settings_revision: i64,
    /// What it was told.
    pub facts: Facts,
    /// What it answered.
    pub outcome: Outcome,
    /// Why the gateway does not act on the answer, if it does not.
    pub ruling: Option<Fault>,
    /// What became of single decisions where it is not plain: an offer that ran out, a message nobody agreed to.
    pub notes: Vec<String>,
    /// It ran in the shadow: nothing follows.
    pub shadow: bool,
    /// Fuel used.
    pub fuel: u64,
    /// What it logged.
    pub log: Vec<LogLine>,
}

/// Everything one settled entry writes. Applied whole or not at all.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// The entry.
    pub entry: EntryId,
    /// Whose programme.
    pub merchant: MerchantId,
    /// What it becomes.
    pub state: EntryState,
    /// Why, where that is not plain.
    pub cause: Option<String>,
    /// When it happened.
    pub at: Moment,
    /// The member afterwards; the stored version must be one less.
    pub member: Option<Member>,
    /// In order.
    pub postings: Vec<Posting>,
    /// New lots.
    pub lots: Vec<Lot>,
    /// Lots taken back, by the entry that earned them: how much of each, from now on in all.
    pub reversed: Vec<(EntryId, LotId, i64)>,
    /// New rewards and offers.
    pub rewards: Vec<HeldReward>,
    /// Rewards and offers that change state.
    pub reward_states: Vec<(RewardId, RewardState)>,
    /// What was decided and why.
    pub decisions: Vec<DecisionRecord>,
    /// What installations remember from now on.
    pub memories: Vec<(InstallationId, Vec<u8>)>,
    /// Messages to go out.
    pub deliveries: Vec<Delivery>,
    /// What caps and limits this used up.
    pub counters: Vec<Count>,
    /// What has been given back of a purchase, from now on in all.
    pub refunded: Option<(EntryId, Refunded)>,
}

impl Settlement {
    /// Of an entry that changes nothing but its own state.
    #[must_use]
    pub fn of(entry: &QueuedEntry, state: EntryState) -> Self {
        Self {
            entry: entry.id,
            merchant: entry.merchant.clone(),
            state,
            cause: None,
            at: entry.event.at(),
            member: None,
            postings: Vec::new(),
            lots: Vec::new(),
            reversed: Vec::new(),
            rewards: Vec::new(),
            reward_states: Vec::new(),
            decisions: Vec::new(),
            memories: Vec::new(),
            deliveries: Vec::new(),
            counters: Vec::new(),
            refunded: None,
        }
    }
}
