//! What a settling batch reads and writes: a [`Book`] is opened before deciding, a [`Settlement`] is what one entry adds to it.

use crate::decision::{Fault, LogLine, Outcome, Price, Share};
use crate::delivery::Delivery;
use crate::event::{Event, Scale, WakeCause};
use crate::facts::Facts;
use crate::ids::{ArrivalId, Digest, EntryId, InstallationId, LotId, MemberId, MerchantId, RewardId, SourceId, hash};
use crate::ledger::{HeldReward, Lot, Posting, Refunded, RewardState};
use crate::member::Member;
use crate::programme::Installation;
use crate::purchase::Purchase;
use crate::time::Moment;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};

mod state;

pub use state::EntryState;

/// An entry that waits to be settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedEntry {
    /// Its number.
    pub id: EntryId,
    /// Whose programme.
    pub merchant: MerchantId,
    /// The source it came by.
    pub source: SourceId,
    /// The arrival that said so; none if its time made it.
    pub arrival: Option<ArrivalId>,
    /// What happened.
    pub event: Event,
    /// Whom it concerns; none while nobody claims it.
    pub member: Option<MemberId>,
    /// The purchase a refund gives back, or an edit changes.
    pub purchase: Option<EntryId>,
    /// Made by the settling batch itself because its time has come: it becomes a row with the settlement.
    pub born: bool,
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
    /// The scopes of which all counters are here.
    pub scopes: HashSet<(MerchantId, String)>,
    /// Rewards whose codes the batch's purchases name, by merchant and code.
    pub codes: HashMap<(MerchantId, String), HeldReward>,
}

/// One member, as the batch finds them; every settlement of the batch brings it up to date.
#[derive(Clone, Debug)]
pub struct MemberBook {
    /// Standing and wallets.
    pub member: Member,
    /// What each installation remembers about them.
    pub memories: BTreeMap<InstallationId, Vec<u8>>,
    /// Rewards and offers not used yet, oldest first.
    pub rewards: Vec<HeldReward>,
    /// The purchases that refunds and edits in this batch are about.
    pub purchases: BTreeMap<EntryId, PurchaseRecord>,
    /// Calls that were asked for.
    pub wakes: Vec<PlannedWake>,
    /// Every lot of theirs that is not all taken back or lost; read only where a batch may need them.
    pub lots: Option<Vec<Lot>>,
    /// Their latest purchases, latest first; read only where a plugin asks.
    pub history: Vec<Purchase>,
}

/// A settled purchase with what a refund inverts.
#[derive(Clone, Debug)]
pub struct PurchaseRecord {
    /// As it was settled, or as it was last changed.
    pub purchase: Purchase,
    /// The entry that says so: the purchase's own or an edit's.
    pub told_by: EntryId,
    /// What it earned.
    pub lots: Vec<(EntryId, LotId)>,
    /// What has been given back so far.
    pub refunded: Refunded,
    /// It was made before the programme began, and does not count.
    pub uncounted: bool,
    /// What was decided on it; read only for edits.
    pub decisions: Vec<DecisionRecord>,
}

/// A call of an installation that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedWake {
    /// Who is called.
    pub installation: InstallationId,
    /// Why.
    pub cause: WakeCause,
    /// Among the installation's for this member.
    pub key: String,
    /// When.
    pub at: Moment,
    /// Handed back.
    pub data: Vec<u8>,
    /// How often it was put off because of a fault of ours.
    pub attempts: i64,
}

/// A wake that is asked for, replaced or called off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WakeChange {
    /// About whom: the entry's member, or whoever brought them.
    pub member: MemberId,
    /// Who is called.
    pub installation: InstallationId,
    /// Why.
    pub cause: WakeCause,
    /// Among the installation's for this member.
    pub key: String,
    /// When, and what is handed back; none: not any more.
    pub planned: Option<(Moment, Vec<u8>)>,
}

/// Something for the merchant to know or do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTask {
    /// Derived from what it is about: the same is not opened twice.
    pub id: String,
    /// The plugin that opens it; empty for the gateway.
    pub installation: InstallationId,
    /// About whom, if about a member.
    pub member: Option<MemberId>,
    /// Its kind.
    pub key: String,
    /// One line.
    pub title: String,
    /// Plain text.
    pub text: String,
    /// When.
    pub at: Moment,
    /// How the merchant is told, if it is opened.
    pub deliveries: Vec<Delivery>,
}

/// A question that a member may answer once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewQuestion {
    /// Not to be guessed: the link ends with it.
    pub id: String,
    /// Whom.
    pub member: MemberId,
    /// Who asks.
    pub installation: InstallationId,
    /// Handed back.
    pub key: String,
    /// What it is answered with.
    pub scale: Scale,
    /// The language of the page.
    pub locale: String,
    /// When.
    pub asked_at: Moment,
    /// Until when the link works.
    pub expires_at: Moment,
}

/// What became of a lot: its whole state from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LotChange {
    /// The entry that earned it.
    pub entry: EntryId,
    /// Which.
    pub lot: LotId,
    /// Taken back in all.
    pub reversed: i64,
    /// Let be in all.
    pub forgiven: i64,
    /// Lost in all.
    pub expired: i64,
    /// Which line earned how much, if an edit changed that.
    pub shares: Option<Vec<Share>>,
}

/// What becomes of a member besides their own row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Keys, lots, rewards, wakes, entries and contact data of `other` become the member's.
    Absorbs(Box<Member>),
    /// Keys, contact data, memories, wakes and what came in about them go.
    Forgotten,
}

/// Names a sum that a cap or limit is held against.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Counter {
    /// Whose programme.
    pub merchant: MerchantId,
    /// Whose cap; empty for the merchant's own.
    pub installation: InstallationId,
    /// A wallet, `offer/<key>` or `reward/<key>`.
    pub name: String,
    /// What it is counted over: a day (`2026-11-21`) or month (`2026-11`) of the merchant's zone, a member, a member's day
    /// (`2026-11-21/mem_…`), or everything (empty).
    pub scope: String,
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

/// One installation's verdict on an entry, on its way from deciding to the ledger.
#[derive(Clone, Debug)]
pub struct Proposal<'a> {
    /// Who proposes.
    pub installation: &'a Installation,
    /// The component that ran: for an edit the one of then.
    pub digest: Digest,
    /// The settings it ran with: for an edit those of then.
    pub settings_revision: i64,
    /// What it was told.
    pub facts: Facts,
    /// What it was told of that the event does not say.
    pub about: Option<About>,
    /// What it answered.
    pub outcome: Outcome,
    /// Why the gateway does not act on the answer, as far as deciding could tell.
    pub ruling: Option<Fault>,
    /// Fuel used.
    pub fuel: u64,
    /// What it logged.
    pub log: Vec<LogLine>,
}

/// What a plugin was told of that neither the event's document nor the facts say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// The purchase that a refund gives back, as this entry tells it: the purchase's own or an edit's.
    Purchase(EntryId),
    /// The reward that was taken or given back, as the catalogue, or the member, had it then.
    Reward {
        /// Of the catalogue.
        key: String,
        /// As it was called.
        title: String,
        /// What it cost.
        price: Option<Price>,
    },
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
    /// What it was told of that the event does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<About>,
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

impl DecisionRecord {
    /// What is kept beside a stored list of records: it is this entry's, and says this.
    #[must_use]
    pub fn digest_of(merchant: &MerchantId, entry: EntryId, document: &str) -> Digest {
        Digest::from_bytes(hash(&[merchant.as_str().as_bytes(), &entry.0.to_be_bytes(), document.as_bytes()]))
    }
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
    /// The entry itself, if the batch made it.
    pub born: Option<Box<QueuedEntry>>,
    /// In order.
    pub postings: Vec<Posting>,
    /// New lots.
    pub lots: Vec<Lot>,
    /// Lots that change, in order: the last word on each counts.
    pub lot_changes: Vec<LotChange>,
    /// New rewards and offers.
    pub rewards: Vec<HeldReward>,
    /// Rewards and offers that change state.
    pub reward_states: Vec<(RewardId, RewardState)>,
    /// Rewards used in this purchase.
    pub used: Vec<RewardId>,
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
    /// Wakes asked for, replaced, called off; the wake that this entry is goes too.
    pub wakes: Vec<WakeChange>,
    /// For the merchant.
    pub tasks: Vec<NewTask>,
    /// To members.
    pub questions: Vec<NewQuestion>,
    /// The question that this answers.
    pub answered: Option<String>,
    /// What becomes of the member besides their own row.
    pub fate: Option<Fate>,
    /// A purchase from before the programme began, which does not count.
    pub uncounted: bool,
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
            born: entry.born.then(|| Box::new(entry.clone())),
            postings: Vec::new(),
            lots: Vec::new(),
            lot_changes: Vec::new(),
            rewards: Vec::new(),
            reward_states: Vec::new(),
            used: Vec::new(),
            decisions: Vec::new(),
            memories: Vec::new(),
            deliveries: Vec::new(),
            counters: Vec::new(),
            refunded: None,
            wakes: Vec::new(),
            tasks: Vec::new(),
            questions: Vec::new(),
            answered: match &entry.event {
                Event::Answer(answer) => Some(answer.id.clone()),
                _ => None,
            },
            fate: None,
            uncounted: false,
        }
    }
}
