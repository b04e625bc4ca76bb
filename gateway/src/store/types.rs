//! What goes in and out of the store's acts, where the vocabulary has no word for it.

use super::Note;
use super::doubt::DoubtTask;
use perkgate_domain::delivery::Delivery;
use perkgate_domain::event::Event;
use perkgate_domain::facts::MonthDay;
use perkgate_domain::ids::{ArrivalId, Digest, EntryId, MemberId, MerchantId, SourceId};
use perkgate_domain::member::{MemberKey, Proof};
use perkgate_domain::plan::QueuedEntry;
use perkgate_domain::time::Moment;
use serde::Serialize;
use std::collections::BTreeMap;

/// What opening a database does about its tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// Brings them up to date; a new file is made.
    Migrate,
    /// Insists that they are up to date.
    Current,
    /// Leaves them alone.
    AsItIs,
}

/// How much of what waits one claim takes.
#[derive(Clone, Debug)]
pub struct Claim {
    /// By the gateway's clock: what was put off to later is left alone.
    pub now: Moment,
    /// Turns begin behind this merchant, so that everybody's comes.
    pub after: String,
    /// Merchants served.
    pub turns: usize,
    /// Rows taken in all, shared evenly by those served.
    pub most: usize,
    /// For how long, by the database's clock.
    pub lease_ms: i64,
}

/// What could not be worked on and is tried again later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Postponed {
    /// An entry that waits; later entries of its member wait behind it.
    Entry(EntryId),
    /// What is due for a member. The longer it goes on failing, the longer the store makes it wait.
    Member(MerchantId, MemberId),
}

impl Postponed {
    /// The entry, if it is one.
    #[must_use]
    pub fn entry(&self) -> Option<EntryId> {
        match self {
            Self::Entry(entry) => Some(*entry),
            Self::Member(..) => None,
        }
    }
}

/// Something that failed, and when it is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutOff {
    /// What failed.
    pub what: Postponed,
    /// Not before, by the gateway's clock; none: not until a person or a changed programme asks for it.
    pub until: Option<Moment>,
    /// When it failed.
    pub at: Moment,
    /// Why.
    pub why: String,
}

impl PutOff {
    /// Of an entry that failed at `at` and is tried again.
    #[must_use]
    pub fn entry(entry: EntryId, at: Moment, until: Moment, why: &str) -> Self {
        Self { what: Postponed::Entry(entry), until: Some(until), at, why: why.to_owned() }
    }
}

/// What a batch wants to know.
#[derive(Clone, Debug)]
pub struct Reading<'a> {
    /// The entries.
    pub entries: &'a [QueuedEntry],
    /// Members for whom something is due.
    pub nudged: &'a [(MerchantId, MemberId)],
    /// Merchants whose plugins ask for earlier purchases, and how many.
    pub history: BTreeMap<MerchantId, usize>,
    /// What time it is.
    pub now: Moment,
}

/// A verified request to be journalled.
#[derive(Clone, Debug)]
pub struct NewArrival {
    /// Whose.
    pub merchant: MerchantId,
    /// Which source.
    pub source: SourceId,
    /// The platform's word for it.
    pub topic: String,
    /// What makes a second delivery of it a duplicate.
    pub dedupe: String,
    /// Made in the platform's test mode.
    pub test: bool,
    /// Of the raw body, keyed.
    pub digest: Digest,
    /// Headers and raw body, sealed.
    pub sealed: Vec<u8>,
    /// By our clock.
    pub received_at: Moment,
    /// Who asks, for the audit log; none for webhooks.
    pub note: Option<Note>,
}

/// What journalling an arrival came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// New.
    Accepted(ArrivalId),
    /// The same bytes were journalled before, under this number.
    Duplicate(ArrivalId),
    /// Other bytes under the same delivery id: kept apart, under this number, and not acted on.
    Conflict(ArrivalId),
}

impl Appended {
    /// Its number in the journal.
    #[must_use]
    pub fn id(&self) -> ArrivalId {
        match self {
            Self::Accepted(id) | Self::Duplicate(id) | Self::Conflict(id) => *id,
        }
    }
}

/// A request that was turned away.
#[derive(Clone, Debug)]
pub struct NewRejection {
    /// Whose source it was sent to.
    pub merchant: MerchantId,
    /// Which source.
    pub source: SourceId,
    /// Machine-readable cause.
    pub cause: &'static str,
    /// The cause in a sentence.
    pub detail: String,
    /// Of as much of the body as was read, keyed.
    pub digest: Digest,
    /// How much of the body was read.
    pub bytes: i64,
    /// The body, sealed, if it was small.
    pub sealed: Option<Vec<u8>>,
    /// By our clock.
    pub received_at: Moment,
}

/// A journalled arrival to be read.
#[derive(Clone, Debug)]
pub struct UnreadArrival {
    /// Its number.
    pub id: ArrivalId,
    /// Whose.
    pub merchant: MerchantId,
    /// Which source.
    pub source: SourceId,
    /// As stamped.
    pub topic: String,
    /// As stamped.
    pub dedupe: String,
    /// As stamped.
    pub test: bool,
    /// Headers and raw body, sealed.
    pub sealed: Vec<u8>,
    /// The platform's answers, sealed, if it was asked already.
    pub fetched: Option<Vec<u8>>,
    /// By our clock.
    pub received_at: Moment,
    /// Fetches that failed so far.
    pub attempts: i64,
}

/// What reading one arrival came to.
#[derive(Clone, Debug)]
pub struct Admission {
    /// Which.
    pub arrival: ArrivalId,
    /// Whose.
    pub merchant: MerchantId,
    /// Which source.
    pub source: SourceId,
    /// By our clock.
    pub received_at: Moment,
    /// What it came to.
    pub result: AdmissionResult,
    /// The platform's answers, sealed, if it was asked just now.
    pub fetched: Option<Vec<u8>>,
}

/// How an arrival ends.
#[derive(Clone, Debug)]
pub enum AdmissionResult {
    /// It says that these things happened.
    Entries(Vec<NewEntry>),
    /// It says nothing that counts, and why.
    Nothing(String),
    /// It belongs to the other mode (test or live) than the source.
    Test(String),
    /// It cannot be read; kept until a newer gateway can.
    Parked(String),
    /// The platform is being asked; if nothing comes of it, again at this time.
    Asking(Moment),
    /// The platform could not be asked; again at this time.
    Later(String, Moment),
}

/// A normalised happening on its way into the journal.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// What happened.
    pub event: Event,
    /// The same as JSON.
    pub document: String,
    /// Of the document.
    pub digest: Digest,
    /// Of what was told: another one where a time in it was not believed. It tells a repetition from a contradiction.
    pub told: Digest,
    /// What was not believed, if anything.
    pub note: Option<String>,
    /// Whom it concerns, strongest key first; empty if nobody is named.
    pub keys: Vec<MemberKey>,
    /// Whom it concerns, if that is known already: keys are then only newly learnt.
    pub member: Option<MemberId>,
    /// Who they are if nobody has any of the keys.
    pub newcomer: Option<Newcomer>,
    /// By any of these whoever brought them is known.
    pub referrers: Vec<MemberKey>,
    /// The day they were born on, if it says.
    pub birthday: Option<MonthDay>,
    /// What it says about them, sealed field by field.
    pub contact: Vec<ContactField>,
    /// Their language, if it says.
    pub locale: Option<String>,
    /// Whether they agreed to messages, if it says.
    pub consent: Option<bool>,
    /// Who says all that about them.
    pub proof: Proof,
    /// What the merchant is told if it names two members who may be one person; only where it has more than one key.
    pub doubt: Option<DoubtTask>,
}

/// Somebody who may turn out to be new.
#[derive(Clone, Debug)]
pub struct Newcomer {
    /// Derived from the entry that names them first.
    pub id: MemberId,
    /// What they tell friends, as a key.
    pub referral: MemberKey,
}

/// One sealed field of contact data: `email`, `phone` or `name`.
#[derive(Clone, Debug)]
pub struct ContactField {
    /// Which.
    pub field: String,
    /// The value.
    pub sealed: Vec<u8>,
}

/// A delivery whose time has come, contact still sealed.
#[derive(Clone, Debug)]
pub struct DueRow {
    /// The message.
    pub delivery: Delivery,
    /// The coming attempt's number, from 1.
    pub attempt: u32,
    /// The arrival that led to it; none if what caused it was made by its time.
    pub arrival: Option<ArrivalId>,
    /// Where the member can be reached.
    pub contact: Vec<ContactField>,
}

/// How much waits in each room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct QueueDepth {
    /// Arrivals to be read.
    pub arrivals: i64,
    /// Entries to be settled.
    pub entries: i64,
    /// Arrivals that cannot be read, and refunds whose purchase is missing.
    pub parked: i64,
    /// Entries that failed too often and wait for a person.
    pub failed: i64,
    /// Deliveries to be sent.
    pub deliveries: i64,
}

/// What was decided on an entry, as it is stored: whether it reads back is for whoever proves it to say.
#[derive(Clone, Debug)]
pub struct DecidedRow {
    /// The entry.
    pub entry: EntryId,
    /// Whose programme.
    pub merchant: MerchantId,
    /// The entry itself; none if it is gone.
    pub told: Option<ToldRow>,
    /// The document of the entry that tells the purchase a refund gives back, as it was then.
    pub purchase: Option<String>,
    /// A list of decision records.
    pub document: String,
    /// See [`perkgate_domain::plan::DecisionRecord::digest_of`].
    pub digest: Vec<u8>,
    /// Facts and texts were removed since, so it cannot be made again.
    pub emptied: bool,
}

/// An entry, as it is stored.
#[derive(Clone, Debug)]
pub struct ToldRow {
    /// The source it came by.
    pub source: SourceId,
    /// The event.
    pub document: String,
    /// Of the document.
    pub digest: Vec<u8>,
}
