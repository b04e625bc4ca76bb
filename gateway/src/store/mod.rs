//! The only room with SQL. [`Store`] is a short list of whole acts, each one transaction, batch in and batch out: no other room
//! holds a transaction, and nothing remote is called while one is open.
//!
//! Work is shared by leases: whoever holds an arrival or entry works on it, and what is not held any more, because its holder
//! died, may be claimed by anybody. Leases go by the database's clock, since the clocks of machines differ. A lease only spares work:
//! that nothing is done twice is seen to by each act's own checks.

mod acts;
mod custody;
mod doubt;
mod engine;
mod error;
mod keeping;
mod programme;
mod sql;
mod stuck;
mod types;
mod views;
pub mod whole;

pub use custody::{Actor, AuditQuery, AuditRow, KeyRow, Note, RowKey, SealedCell, SealedPlace, TokenRow, Unkeyed};
pub use doubt::DoubtTask;
pub use error::StoreError;
pub use keeping::{Kept, KeptPage, Looked, Sweep, Swept};
pub use programme::{DamagedRow, InstallationRow, Part, PluginRow, ProgrammeRows, SealedRow, Standing};
pub use stuck::{FailingChannel, Leases, Parked, StuckView, Waiting};
pub use types::{
    Admission, AdmissionResult, Appended, Claim, ContactField, DecidedRow, DueRow, NewArrival, NewEntry, NewRejection,
    Newcomer, Postponed, PutOff, QueueDepth, Reading, Schema, ToldRow, UnreadArrival,
};
pub use views::{
    ArrivalView, ChannelView, DecisionView, DeliveryView, EntryRecord, EntryView, ExplainView, ExportView,
    LedgerReport, LotView, MemberView, OutcomeView, PostingView, QuestionView, RejectionView, Replayed, StalledView,
    TaskView,
};

use async_trait::async_trait;
use perkgate_domain::delivery::Attempt;
use perkgate_domain::ids::{
    ArrivalId, ChannelId, DeliveryId, Digest, EntryId, InstallationId, MemberId, MerchantId, SourceId,
};
use perkgate_domain::limits::BreakerLimits;
use perkgate_domain::member::MemberKey;
use perkgate_domain::plan::{Book, Counter, QueuedEntry, Settlement};
use perkgate_domain::rules::Audience;
use perkgate_domain::time::Moment;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// The acts.
#[async_trait]
pub trait Store: Send + Sync {
    // --- journal

    /// Journals verified arrivals durably, held by the caller for `lease_ms` by the database's clock. Answers in the order given.
    async fn append(&self, arrivals: &[NewArrival], lease_ms: i64) -> Result<Vec<Appended>, StoreError>;
    /// Keeps what was turned away, and of each source no more than `keep`.
    async fn reject(&self, rejections: &[NewRejection], keep: i64) -> Result<(), StoreError>;
    /// Leases arrivals that nobody holds and nobody read yet: some of every merchant's, oldest first.
    async fn claim_arrivals(&self, claim: &Claim) -> Result<Vec<UnreadArrival>, StoreError>;
    /// Writes what arrivals turned out to say: entries (deduped for ever), members, and the arrivals' own end. Answers the entries
    /// that may be settled at once, held by the caller for `lease_ms`; those behind an older entry of their member wait for a claim.
    async fn admit(&self, admissions: &[Admission], lease_ms: i64) -> Result<Vec<QueuedEntry>, StoreError>;
    /// Puts parked arrivals back in the queue, for when a newer gateway may read them. Answers how many.
    async fn unpark(&self) -> Result<u64, StoreError>;

    // --- keeping and forgetting

    /// The next raw bytes to be looked through for whoever was forgotten, at most so many arrivals and rejections of one merchant.
    async fn erasable(&self, most: usize) -> Result<Option<KeptPage>, StoreError>;
    /// Empties what names somebody forgotten. Answers how many arrivals and rejections that were.
    async fn erase(&self, looked: &Looked) -> Result<u64, StoreError>;
    /// Removes some of what was kept for long enough.
    async fn sweep(&self, sweep: &Sweep) -> Result<Swept, StoreError>;

    // --- settle

    /// Leases entries that nobody holds: some of every merchant's, each member's in the order of the journal, and nobody's while an
    /// older one of theirs is held or put off.
    async fn claim_entries(&self, claim: &Claim) -> Result<Vec<QueuedEntry>, StoreError>;
    /// Holds arrivals and entries for another `lease_ms` from now; none gives them back to whoever claims them first.
    async fn hold(&self, arrivals: &[ArrivalId], entries: &[EntryId], lease_ms: i64) -> Result<(), StoreError>;
    /// Which of these still wait to be settled.
    async fn still_queued(&self, entries: &[EntryId]) -> Result<Vec<EntryId>, StoreError>;
    /// Everything that deciding and settling a batch may depend on, but counters.
    async fn book(&self, reading: &Reading<'_>) -> Result<Book, StoreError>;
    /// What has been counted in these scopes. Read on its own, since settling checks every sum again.
    async fn counters(&self, scopes: &BTreeSet<(MerchantId, String)>) -> Result<HashMap<Counter, i64>, StoreError>;
    /// Numbers for entries that a batch makes, which nobody else gets.
    async fn reserve(&self, count: usize) -> Result<Vec<EntryId>, StoreError>;
    /// Writes settlements, all or none; entries put off go back with a later time.
    async fn settle(&self, settlements: &[Settlement], put_off: &[PutOff]) -> Result<(), StoreError>;
    /// Tries again what failed: everything, what is one merchant's, or one entry. Answers how much there is of it.
    async fn retry(&self, merchant: Option<&MerchantId>, entry: Option<EntryId>) -> Result<u64, StoreError>;
    /// What of a merchant's does not go on by itself, or only after a wait.
    async fn stalled(&self, merchant: &MerchantId, most: i64) -> Result<Vec<StalledView>, StoreError>;
    /// What waits.
    async fn depth(&self) -> Result<QueueDepth, StoreError>;

    // --- time

    /// Members for whom something is due by `now`, the longest due first; not those for whom it failed and waits.
    async fn due_members(&self, now: Moment, most: usize) -> Result<Vec<(MerchantId, MemberId)>, StoreError>;
    /// Forgets the failures of members for whom nothing is due any more. Answers how many.
    async fn recover(&self, now: Moment) -> Result<u64, StoreError>;
    /// Whether a new installation is still to be told of members.
    async fn enrolling(&self) -> Result<bool, StoreError>;
    /// Plans the first wakes of new installations for some more members. Answers for how many.
    async fn enrol(&self, most: usize, now: Moment) -> Result<usize, StoreError>;
    /// Makes this process the one that looks for what is due, or keeps it so. Answers whether it is.
    async fn lead(&self, name: &str, lease_ms: i64) -> Result<bool, StoreError>;

    // --- notify

    /// Leases deliveries whose time has come: some of every channel's, at most `per_channel` of one (one, as a probe, of a channel
    /// that fails), none of those in `full`.
    async fn due(
        &self,
        claim: &Claim,
        per_channel: usize,
        full: &[(MerchantId, ChannelId)],
        breaker: &BreakerLimits,
    ) -> Result<Vec<DueRow>, StoreError>;
    /// Records attempts and what follows them, for the deliveries and for their channels.
    async fn record(&self, attempts: &[Attempt], breaker: &BreakerLimits) -> Result<(), StoreError>;
    /// Channels of a merchant whose receiver fails.
    async fn failing(&self, merchant: &MerchantId) -> Result<Vec<ChannelView>, StoreError>;
    /// Forgets a channel's failures, so that it is sent to again. Answers whether there were any.
    async fn resume(
        &self,
        merchant: &MerchantId,
        channel: &ChannelId,
        now: Moment,
        by: &Actor,
    ) -> Result<bool, StoreError>;
    /// Deliveries of a merchant in a state, newest first.
    async fn deliveries(&self, merchant: &MerchantId, state: &str, most: i64) -> Result<Vec<DeliveryView>, StoreError>;
    /// Makes a dead delivery due again. Answers whether there was one.
    async fn resend(
        &self,
        merchant: &MerchantId,
        delivery: &DeliveryId,
        now: Moment,
        by: &Actor,
    ) -> Result<bool, StoreError>;

    // --- programme

    /// Rises with every change of any programme.
    async fn revision(&self) -> Result<i64, StoreError>;
    /// Every programme as it stands, and what of them does not read back.
    async fn standing(&self) -> Result<Standing, StoreError>;
    /// Every programme as it stands, as far as it reads back.
    async fn programmes(&self) -> Result<Vec<ProgrammeRows>, StoreError> {
        Ok(self.standing().await?.programmes)
    }
    /// Replaces one merchant's programme, all of it. The caller has seen to it that something changed, and says who changed what.
    async fn apply(&self, programme: &ProgrammeRows, plugins: &[PluginRow], note: &Note) -> Result<(), StoreError>;
    /// A component's bytes.
    async fn component(&self, digest: Digest) -> Result<Option<Vec<u8>>, StoreError>;
    /// The settings of a past revision.
    async fn settings(
        &self,
        merchant: &MerchantId,
        installation: &str,
        revision: i64,
    ) -> Result<Option<String>, StoreError>;

    // --- look-ups

    /// The member known by any of these keys.
    async fn find_member(&self, merchant: &MerchantId, keys: &[MemberKey]) -> Result<Option<MemberId>, StoreError>;
    /// A member's standing.
    async fn member(&self, merchant: &MerchantId, member: &MemberId) -> Result<Option<MemberView>, StoreError>;
    /// The lots of a member that were not all taken back or lost, earned first first, and where they come from.
    async fn lots(&self, merchant: &MerchantId, member: &MemberId) -> Result<Vec<LotView>, StoreError>;
    /// Everything about one order of one source, by its id or reference.
    async fn explain(
        &self,
        merchant: &MerchantId,
        source: &SourceId,
        order: &str,
    ) -> Result<Option<ExplainView>, StoreError>;
    /// What became of one arrival.
    async fn arrival(&self, arrival: ArrivalId) -> Result<Option<ArrivalView>, StoreError>;
    /// The arrival of the errand that is deduped by this.
    async fn errand(&self, merchant: &MerchantId, dedupe: &str) -> Result<Option<ArrivalId>, StoreError>;
    /// What became of one errand of a merchant.
    async fn outcome(&self, merchant: &MerchantId, arrival: ArrivalId) -> Result<Option<OutcomeView>, StoreError>;
    /// Arrivals of a merchant that ended in this state, newest first.
    async fn arrivals(&self, merchant: &MerchantId, state: &str, most: i64) -> Result<Vec<ArrivalView>, StoreError>;
    /// Arrivals turned away, newest first.
    async fn rejections(&self, merchant: &MerchantId, most: i64) -> Result<Vec<RejectionView>, StoreError>;
    /// Tasks of a merchant in a state (`open`, `closed`), newest first.
    async fn tasks(&self, merchant: &MerchantId, state: &str, most: i64) -> Result<Vec<TaskView>, StoreError>;
    /// Closes an open task. Answers whether there was one.
    async fn close_task(&self, merchant: &MerchantId, id: &str, now: Moment, by: &Actor) -> Result<bool, StoreError>;
    /// Everything that is kept about a member.
    async fn export(&self, merchant: &MerchantId, member: &MemberId) -> Result<Option<ExportView>, StoreError>;
    /// A question, by the secret end of its link.
    async fn question(&self, merchant: &MerchantId, id: &str) -> Result<Option<QuestionView>, StoreError>;
    /// Members that something is for, in the order of their ids, behind `after`.
    async fn segment(
        &self,
        merchant: &MerchantId,
        audience: &Audience,
        after: Option<&MemberId>,
        most: usize,
    ) -> Result<Vec<MemberId>, StoreError>;
    /// Checks every invariant of the ledger, of one merchant or all. What plugins decided is [`crate::decide::Replay`]'s.
    async fn verify(&self, merchant: Option<&MerchantId>) -> Result<LedgerReport, StoreError>;
    /// Decisions on entries behind `after`, in the order of their numbers, of one merchant or all.
    async fn decided(
        &self,
        after: EntryId,
        merchant: Option<&MerchantId>,
        most: usize,
    ) -> Result<Vec<DecidedRow>, StoreError>;
    /// Entries that earned something by decisions that are not there, of one merchant or all.
    async fn undecided(
        &self,
        merchant: Option<&MerchantId>,
        most: usize,
    ) -> Result<Vec<(MerchantId, EntryId, InstallationId)>, StoreError>;

    // --- keys and tokens

    /// Every data key, wrapped.
    async fn keys(&self) -> Result<Vec<KeyRow>, StoreError>;
    /// Adds wrappings of known data keys, and new data keys, all or none; [`StoreError::Stale`] if somebody else has made one of the
    /// new ones meanwhile.
    async fn add_keys(&self, wrappings: &[KeyRow], new: &[KeyRow], note: &Note) -> Result<(), StoreError>;
    /// From now on what is new is sealed and signed with the newest keys.
    async fn activate_keys(&self, note: &Note) -> Result<(), StoreError>;
    /// Drops all wrappings by these roots, and these generations of data keys.
    async fn retire_keys(&self, roots: &[String], gone: &[(String, u32)], note: &Note) -> Result<(), StoreError>;
    /// Whether there is anything that was made with a key.
    async fn is_used(&self) -> Result<bool, StoreError>;
    /// Some sealed values that do not begin with `current`, in the order of their rows, behind `after`.
    async fn sealed(&self, place: SealedPlace, current: &[u8], after: &RowKey) -> Result<Vec<SealedCell>, StoreError>;
    /// Puts other bytes in the place of sealed ones that are still as they were read. Answers how many.
    async fn reseal(&self, place: SealedPlace, cells: &[(SealedCell, Vec<u8>)]) -> Result<u64, StoreError>;
    /// How many sealed values there are, by how they begin.
    async fn sealed_counts(&self, place: SealedPlace) -> Result<BTreeMap<Vec<u8>, i64>, StoreError>;
    /// Some arrivals and rejections whose digest is a plain one.
    async fn unkeyed(&self) -> Result<Vec<Unkeyed>, StoreError>;
    /// Writes the keyed digests of such rows.
    async fn rekey(&self, rows: &[Unkeyed]) -> Result<(), StoreError>;
    /// Writes down that a token was made.
    async fn create_token(&self, token: &TokenRow, by: &Actor) -> Result<(), StoreError>;
    /// Takes a token back. Answers whether there was one to take back.
    async fn revoke_token(&self, id: &str, now: Moment, by: &Actor) -> Result<bool, StoreError>;
    /// A token, by its id.
    async fn token(&self, id: &str) -> Result<Option<TokenRow>, StoreError>;
    /// Tokens, newest first: one merchant's, or all.
    async fn tokens(&self, merchant: Option<&MerchantId>, most: i64) -> Result<Vec<TokenRow>, StoreError>;

    // --- who did it

    /// Adds lines to the audit log, for what is no act of the store's own.
    async fn note(&self, notes: &[Note]) -> Result<(), StoreError>;
    /// Lines of the audit log, oldest first.
    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRow>, StoreError>;

    // --- operate

    /// Writes something that changes nothing, durably: whether that works now.
    async fn probe(&self) -> Result<(), StoreError>;
    /// What stands still.
    async fn stuck(&self, now: Moment) -> Result<StuckView, StoreError>;

    /// Hangs up, when everything else has ended.
    async fn close(&self);
}

/// Opens the database that `url` names.
///
/// # Errors
/// [`StoreError`] in a sentence for the operator.
pub async fn open(url: &str, schema: Schema) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(sql::SqlStore::open(url, schema).await?))
}

/// Brings the tables of the database that `url` names up to date. Answers the names of the migrations that this took.
///
/// # Errors
/// [`StoreError`] in a sentence for the operator.
pub async fn migrate(url: &str) -> Result<Vec<String>, StoreError> {
    engine::revise(url).await
}
