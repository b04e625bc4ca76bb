//! The only room with SQL. [`Store`] is a short list of whole acts, each one transaction, batch in and batch out: no other room
//! holds a transaction, and nothing remote is called while one is open.

mod sqlite;
mod types;
mod verify;

pub use sqlite::SqliteStore;
pub use types::{
    Admission, AdmissionResult, Appended, ArrivalView, ContactField, DecisionView, DeliveryView, DueRow, EntryView,
    ExplainView, InstallationRow, LedgerReport, MemberView, NewArrival, NewEntry, NewRejection, PluginRow, PostingView,
    ProgrammeRows, QueueDepth, RejectionView, SealedRow, UnreadArrival,
};

use async_trait::async_trait;
use perkgate_domain::delivery::Attempt;
use perkgate_domain::ids::{ArrivalId, DeliveryId, Digest, MemberId, MerchantId, SourceId};
use perkgate_domain::member::MemberKey;
use perkgate_domain::plan::{Book, QueuedEntry, Settlement};
use perkgate_domain::time::Moment;
use std::sync::Arc;

/// What went wrong with the database. The caller tries again or gives up; nothing was half done.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL names no database we know.
    #[error("`{0}` is no database that Perkgate knows: use sqlite://PATH")]
    Url(String),
    /// The database cannot be opened.
    #[error("cannot open the database {url}: {source}; check that the directory exists and may be written to")]
    Open {
        /// Without credentials.
        url: String,
        /// Why.
        source: sqlx::Error,
    },
    /// Its tables are not those of this program, or newer.
    #[error(
        "cannot bring the database's tables up to date: {0}; is it another program's database, or from a newer Perkgate?"
    )]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A statement failed.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// A stored document does not read back.
    #[error("a stored {what} cannot be read: {detail}")]
    Corrupt {
        /// Which.
        what: &'static str,
        /// Why.
        detail: String,
    },
    /// Somebody else settled one of these entries or members meanwhile: do the batch again.
    #[error("another process settled an entry of this batch first; the batch is done again")]
    Stale,
}

/// The acts.
#[async_trait]
pub trait Store: Send + Sync {
    // --- journal

    /// Journals verified arrivals durably. Answers in the order given.
    async fn append(&self, arrivals: &[NewArrival]) -> Result<Vec<Appended>, StoreError>;
    /// Keeps what was turned away, and of each source no more than `keep`.
    async fn reject(&self, rejections: &[NewRejection], keep: i64) -> Result<(), StoreError>;
    /// Arrivals not read yet, oldest first.
    async fn unread(&self, now: Moment, most: usize) -> Result<Vec<UnreadArrival>, StoreError>;
    /// Writes what arrivals turned out to say: entries (deduped for ever), members, and the arrivals' own end.
    async fn admit(&self, admissions: &[Admission]) -> Result<(), StoreError>;
    /// Puts parked arrivals back in the queue, for when a newer gateway may read them. Answers how many.
    async fn unpark(&self) -> Result<u64, StoreError>;

    // --- settle

    /// Entries that wait to be settled, in the order of the journal.
    async fn queued(&self, now: Moment, most: usize) -> Result<Vec<QueuedEntry>, StoreError>;
    /// Everything that deciding and settling `entries` may depend on. `days` are the civil days they fall on.
    async fn book(&self, entries: &[QueuedEntry], days: &[String]) -> Result<Book, StoreError>;
    /// Writes settlements, all or none; entries put off go back with a later time.
    async fn settle(
        &self,
        settlements: &[Settlement],
        put_off: &[(QueuedEntry, Moment, String)],
    ) -> Result<(), StoreError>;
    /// What waits.
    async fn depth(&self) -> Result<QueueDepth, StoreError>;

    // --- notify

    /// Leases deliveries whose time has come, until `lease`: after that they are due again, unless recorded.
    async fn due(&self, now: Moment, most: usize, lease: Moment) -> Result<Vec<DueRow>, StoreError>;
    /// Records attempts and what follows them.
    async fn record(&self, attempts: &[Attempt]) -> Result<(), StoreError>;
    /// Deliveries of a merchant in a state, newest first.
    async fn deliveries(&self, merchant: &MerchantId, state: &str, most: i64) -> Result<Vec<DeliveryView>, StoreError>;
    /// Makes a dead delivery due again. Answers whether there was one.
    async fn resend(&self, merchant: &MerchantId, delivery: &DeliveryId, now: Moment) -> Result<bool, StoreError>;

    // --- programme

    /// Rises with every change of any programme.
    async fn revision(&self) -> Result<i64, StoreError>;
    /// Every programme as it stands.
    async fn programmes(&self) -> Result<Vec<ProgrammeRows>, StoreError>;
    /// Replaces one merchant's programme, all of it. The caller has seen to it that something changed.
    async fn apply(&self, programme: &ProgrammeRows, plugins: &[PluginRow]) -> Result<(), StoreError>;
    /// A component's bytes.
    async fn component(&self, digest: Digest) -> Result<Option<Vec<u8>>, StoreError>;
    /// The settings of a past revision: its digest and document.
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
    /// Everything about one order of one source, by its id or reference.
    async fn explain(
        &self,
        merchant: &MerchantId,
        source: &SourceId,
        order: &str,
    ) -> Result<Option<ExplainView>, StoreError>;
    /// What became of one arrival.
    async fn arrival(&self, arrival: ArrivalId) -> Result<Option<ArrivalView>, StoreError>;
    /// Arrivals of a merchant that ended in this state, newest first.
    async fn arrivals(&self, merchant: &MerchantId, state: &str, most: i64) -> Result<Vec<ArrivalView>, StoreError>;
    /// Arrivals turned away, newest first.
    async fn rejections(&self, merchant: &MerchantId, most: i64) -> Result<Vec<RejectionView>, StoreError>;
    /// Checks every invariant of the ledger, of one merchant or all.
    async fn verify(&self, merchant: Option<&MerchantId>) -> Result<LedgerReport, StoreError>;
}

/// Opens the database that `url` names and brings its tables up to date.
///
/// # Errors
/// [`StoreError`] in a sentence for the operator.
pub async fn open(url: &str) -> Result<Arc<dyn Store>, StoreError> {
    if url.starts_with("sqlite:") {
        return Ok(Arc::new(SqliteStore::open(url).await?));
    }
    Err(StoreError::Url(url.split_once("://").map_or(url, |(scheme, _)| scheme).to_owned()))
}
