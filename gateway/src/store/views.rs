//! What the store answers whoever asks: members, orders, arrivals, deliveries, and what a check of the ledger found.

use super::types::ContactField;
use perkgate_domain::delivery::Delivery;
use perkgate_domain::event::{Edit, Event, Kind, Scale};
use perkgate_domain::health::Health;
use perkgate_domain::ids::{ArrivalId, ChannelId, EntryId, InstallationId, MemberId, SourceId};
use perkgate_domain::ledger::{HeldReward, Lot};
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

/// A lot of a member's of which something is left or was spent, and where it comes from.
#[derive(Clone, Debug)]
pub struct LotView {
    /// As it stands.
    pub lot: Lot,
    /// What earned it.
    pub kind: Kind,
    /// The source of that.
    pub source: SourceId,
    /// The order's id, where an order or something about one earned it; else what the entry is known by within its source.
    pub external_id: String,
    /// What staff call that order.
    pub reference: Option<String>,
}

/// What became of an errand, for whoever waits for it.
#[derive(Clone, Debug)]
pub struct OutcomeView {
    /// Its arrival.
    pub arrival: ArrivalView,
    /// Its entry, once it has one.
    pub entry: Option<EntryView>,
    /// What that entry gave.
    pub rewards: Vec<HeldReward>,
}

/// Something that does not go on by itself, or only after a wait.
#[derive(Clone, Debug, Serialize)]
pub struct StalledView {
    /// The entry; none for what is due for a member.
    pub entry: Option<EntryId>,
    /// Of which kind, `due` for what is due.
    pub kind: String,
    /// What the entry is known by within its source.
    pub id: String,
    /// The entry's source.
    pub source: String,
    /// Whose it is, where that is known.
    pub member: Option<String>,
    /// `queued`: it is tried again; `failed`: it waits for a person; `parked`: it waits for its purchase.
    pub state: String,
    /// What failed, or what it waits for.
    pub cause: Option<String>,
    /// Failures so far.
    pub attempts: i64,
    /// Since when, milliseconds since 1970.
    pub since: Option<Moment>,
    /// When it is tried again, if it is.
    pub next: Option<Moment>,
}

/// A task for whoever asks.
#[derive(Clone, Debug, Serialize)]
pub struct TaskView {
    /// Its id: `tsk_…`.
    pub id: String,
    /// The plugin that opened it; empty for the gateway.
    pub installation: InstallationId,
    /// About whom, if about a member.
    pub member: Option<MemberId>,
    /// Its kind.
    pub key: String,
    /// One line.
    pub title: String,
    /// Plain text.
    pub text: String,
    /// `open` or `closed`.
    pub state: String,
    /// Since when it is there.
    pub opened_at: Moment,
    /// When it was done.
    pub closed_at: Option<Moment>,
}

/// A question for whoever has its link.
#[derive(Clone, Debug, Serialize)]
pub struct QuestionView {
    /// The secret end of the link: not told to anybody else.
    #[serde(skip)]
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
    /// When it was asked.
    pub asked_at: Moment,
    /// Until when the link works.
    pub expires_at: Moment,
    /// When it was answered.
    pub answered_at: Option<Moment>,
}

/// Everything that is kept about a member. Newest first, 10,000 of each at most.
#[derive(Clone, Debug)]
pub struct ExportView {
    /// Standing and wallets.
    pub member: Member,
    /// The kinds of keys they are known by. The keys themselves are hashes.
    pub keys: Vec<String>,
    /// Where they can be reached, sealed.
    pub contact: Vec<ContactField>,
    /// What happened.
    pub entries: Vec<EntryRecord>,
    /// What was posted.
    pub postings: Vec<PostingView>,
    /// Every reward and offer, those withdrawn too.
    pub rewards: Vec<HeldReward>,
    /// Messages to them.
    pub deliveries: Vec<DeliveryView>,
    /// Questions to them.
    pub questions: Vec<QuestionView>,
    /// Nothing was left out.
    pub complete: bool,
}

/// An entry with what it says.
#[derive(Clone, Debug, Serialize)]
pub struct EntryRecord {
    /// Its number.
    pub entry: EntryId,
    /// By which source.
    pub source: SourceId,
    /// Where it stands.
    pub state: String,
    /// Why, where that is not plain.
    pub cause: Option<String>,
    /// When it happened.
    pub at: Moment,
    /// What happened.
    pub event: Event,
}

/// An order for whoever asks.
#[derive(Clone, Debug)]
pub struct ExplainView {
    /// The purchase's entry.
    pub entry: EntryView,
    /// The purchase.
    pub purchase: Purchase,
    /// What plugins said to it, to its refunds and to its edits.
    pub decisions: Vec<DecisionView>,
    /// What was posted for it, its refunds and its edits, in order.
    pub postings: Vec<PostingView>,
    /// What it and its edits earned.
    pub lots: Vec<Lot>,
    /// Messages that followed.
    pub deliveries: Vec<DeliveryView>,
    /// Rewards and offers that followed.
    pub rewards: Vec<HeldReward>,
    /// Rewards and offers whose codes it names, whoever used them and when.
    pub coupons: Vec<HeldReward>,
    /// Its refunds.
    pub refunds: Vec<(EntryView, Refund)>,
    /// What it was changed to.
    pub edits: Vec<(EntryView, Edit)>,
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
    /// Lines of the audit log whose chain was followed.
    pub audit: i64,
    /// What making decisions again came to, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replayed: Option<Replayed>,
    /// What does not hold, in sentences; at most 100.
    pub problems: Vec<String>,
}

/// How many decisions were made again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// Entries with decisions.
    pub entries: i64,
    /// Decisions made again.
    pub decisions: i64,
    /// Decisions that failed by a fault of ours or by the clock on the wall, which nothing stored can bring about again.
    pub passed_over: i64,
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
