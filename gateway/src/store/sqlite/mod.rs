//! The embedded store: one SQLite file in WAL mode, one writing connection, a few reading ones. Every write is durable before its
//! act returns (`synchronous=full`).
//!
//! Sets go in as one JSON parameter and come apart with `json_each`: one statement for a batch, not one for a row.

mod admit;
mod book;
mod journal;
mod look;
mod outbox;
mod programme;
mod rows;
mod settle;

pub(super) use rows::document as read_document;

use super::{
    Admission, Appended, ArrivalView, DeliveryView, DueRow, ExplainView, LedgerReport, MemberView, NewArrival,
    NewRejection, PluginRow, ProgrammeRows, QueueDepth, RejectionView, Store, StoreError, UnreadArrival, verify,
};
use async_trait::async_trait;
use perkgate_domain::delivery::Attempt;
use perkgate_domain::ids::{ArrivalId, DeliveryId, Digest, MemberId, MerchantId, SourceId};
use perkgate_domain::member::MemberKey;
use perkgate_domain::plan::{Book, QueuedEntry, Settlement};
use perkgate_domain::time::Moment;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use std::str::FromStr as _;
use std::time::Duration;

/// Marks the file as ours, so that another program's database is recognised: "PKGT".
const APPLICATION_ID: i64 = 0x504b_4754;

/// See the module's head.
#[derive(Debug)]
pub struct SqliteStore {
    write: SqlitePool,
    read: SqlitePool,
}

impl SqliteStore {
    /// Opens or creates the file that `url` names (`sqlite://path.db`) and brings its tables up to date.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be opened, is another program's, or is newer than this program.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Open { url: url.to_owned(), source };
        let options = SqliteConnectOptions::from_str(url)
            .map_err(failed)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            .statement_cache_capacity(200);
        let pool = |connections| {
            SqlitePoolOptions::new().max_connections(connections).acquire_timeout(Duration::from_secs(30))
        };
        let write = pool(1).connect_with(options.clone()).await.map_err(failed)?;
        Self::claim_file(&write, url).await?;
        sqlx::migrate!("../migrations/sqlite").run(&write).await?;
        let read = pool(4).connect_with(options.read_only(true)).await.map_err(failed)?;
        Ok(Self { write, read })
    }

    /// Refuses a file that has tables and is not ours; marks a new one.
    async fn claim_file(write: &SqlitePool, url: &str) -> Result<(), StoreError> {
        let id: i64 = sqlx::query_scalar("pragma application_id").fetch_one(write).await?;
        let tables: i64 = sqlx::query_scalar("select count(*) from sqlite_schema").fetch_one(write).await?;
        if id == APPLICATION_ID {
            return Ok(());
        }
        if id != 0 || tables != 0 {
            return Err(StoreError::Corrupt {
                what: "database",
                detail: format!(
                    "{url} is another program's file; name one of Perkgate's, or one that does not exist yet"
                ),
            });
        }
        sqlx::query("pragma application_id = 1347110740").execute(write).await?;
        Ok(())
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn append(&self, arrivals: &[NewArrival]) -> Result<Vec<Appended>, StoreError> {
        journal::append(&self.write, arrivals).await
    }
    async fn reject(&self, rejections: &[NewRejection], keep: i64) -> Result<(), StoreError> {
        journal::reject(&self.write, rejections, keep).await
    }
    async fn unread(&self, now: Moment, most: usize) -> Result<Vec<UnreadArrival>, StoreError> {
        journal::unread(&self.read, now, most).await
    }
    async fn admit(&self, admissions: &[Admission]) -> Result<(), StoreError> {
        admit::admit(&self.write, admissions).await
    }
    async fn unpark(&self) -> Result<u64, StoreError> {
        journal::unpark(&self.write).await
    }
    async fn queued(&self, now: Moment, most: usize) -> Result<Vec<QueuedEntry>, StoreError> {
        book::queued(&self.read, now, most).await
    }
    async fn book(&self, entries: &[QueuedEntry], days: &[String]) -> Result<Book, StoreError> {
        book::book(&self.read, entries, days).await
    }
    async fn settle(
        &self,
        settlements: &[Settlement],
        put_off: &[(QueuedEntry, Moment, String)],
    ) -> Result<(), StoreError> {
        settle::settle(&self.write, settlements, put_off).await
    }
    async fn depth(&self) -> Result<QueueDepth, StoreError> {
        look::depth(&self.read).await
    }
    async fn due(&self, now: Moment, most: usize, lease: Moment) -> Result<Vec<DueRow>, StoreError> {
        outbox::due(&self.write, now, most, lease).await
    }
    async fn record(&self, attempts: &[Attempt]) -> Result<(), StoreError> {
        outbox::record(&self.write, attempts).await
    }
    async fn deliveries(&self, merchant: &MerchantId, state: &str, most: i64) -> Result<Vec<DeliveryView>, StoreError> {
        outbox::list(&self.read, merchant, state, most).await
    }
    async fn resend(&self, merchant: &MerchantId, delivery: &DeliveryId, now: Moment) -> Result<bool, StoreError> {
        outbox::resend(&self.write, merchant, delivery, now).await
    }
    async fn revision(&self) -> Result<i64, StoreError> {
        programme::revision(&self.read).await
    }
    async fn programmes(&self) -> Result<Vec<ProgrammeRows>, StoreError> {
        programme::all(&self.read).await
    }
    async fn apply(&self, programme: &ProgrammeRows, plugins: &[PluginRow]) -> Result<(), StoreError> {
        programme::apply(&self.write, programme, plugins).await
    }
    async fn component(&self, digest: Digest) -> Result<Option<Vec<u8>>, StoreError> {
        programme::component(&self.read, digest).await
    }
    async fn settings(
        &self,
        merchant: &MerchantId,
        installation: &str,
        revision: i64,
    ) -> Result<Option<String>, StoreError> {
        programme::settings(&self.read, merchant, installation, revision).await
    }
    async fn find_member(&self, merchant: &MerchantId, keys: &[MemberKey]) -> Result<Option<MemberId>, StoreError> {
        look::find_member(&self.read, merchant, keys).await
    }
    async fn member(&self, merchant: &MerchantId, member: &MemberId) -> Result<Option<MemberView>, StoreError> {
        look::member(&self.read, merchant, member).await
    }
    async fn explain(
        &self,
        merchant: &MerchantId,
        source: &SourceId,
        order: &str,
    ) -> Result<Option<ExplainView>, StoreError> {
        look::explain(&self.read, merchant, source, order).await
    }
    async fn arrival(&self, arrival: ArrivalId) -> Result<Option<ArrivalView>, StoreError> {
        look::arrival(&self.read, arrival).await
    }
    async fn arrivals(&self, merchant: &MerchantId, state: &str, most: i64) -> Result<Vec<ArrivalView>, StoreError> {
        look::arrivals(&self.read, merchant, state, most).await
    }
    async fn rejections(&self, merchant: &MerchantId, most: i64) -> Result<Vec<RejectionView>, StoreError> {
        look::rejections(&self.read, merchant, most).await
    }
    async fn verify(&self, merchant: Option<&MerchantId>) -> Result<LedgerReport, StoreError> {
        verify::verify(&self.read, merchant).await
    }
}
