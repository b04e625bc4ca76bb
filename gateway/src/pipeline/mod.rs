//! The only room that knows the order: arrivals become entries ([`Pipeline::read`]), entries become postings, rewards and messages
//! ([`Pipeline::settle`]). Batch by batch, each with one commit; nothing remote is called while one is open.
//!
//! What this process has journalled or read it goes on with from memory; what others left behind it claims from the database. Both
//! wait in one fair queue (`fair.rs`) for each step, so that merchants take turns.

mod claimed_time;
mod fair;
mod ground;
mod held;
mod isolate;
mod keep;
mod lanes;
mod outbox;
mod plan;
mod read;
mod schedule;
mod settle;
mod traces;

pub use outbox::StoreOutbox;

use self::fair::FairQueue;
use self::held::Opened;
use crate::clock::Clock;
use crate::outbound::Outbound;
use crate::panics::Panicked;
use crate::registry::Registry;
use crate::store::{Store, StoreError};
use crate::telemetry::Metrics;
use crate::vault::Vault;
use perkgate_domain::ids::{ArrivalId, EntryId, MerchantId};
use perkgate_domain::plan::QueuedEntry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

/// Arrivals read, or entries settled, in one commit.
pub const BATCH: usize = 256;

/// Arrivals held in memory, and of one merchant; what comes beyond that is read from the database later.
const ARRIVALS_HELD: (usize, usize) = (8 * BATCH, 4 * BATCH);
/// Entries held in memory. Reading pauses while there are more than two batches.
const ENTRIES_HELD: (usize, usize) = (16 * BATCH, 8 * BATCH);

/// Questions to platforms at once.
const QUESTIONS: usize = 16;

/// What can stop a pass. The next one tries again.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A mistake of ours.
    #[error(transparent)]
    Panicked(#[from] Panicked),
    /// A thread stopped.
    #[error("deciding stopped its thread: {0}")]
    Thread(#[from] tokio::task::JoinError),
}

impl PipelineError {
    /// Whether trying other work would fail as well.
    fn is_outage(&self) -> bool {
        match self {
            Self::Store(error) => error.is_outage(),
            Self::Panicked(_) | Self::Thread(_) => false,
        }
    }
}

/// Moves purchases along. Cheap to clone.
#[derive(Clone)]
pub struct Pipeline {
    store: Arc<dyn Store>,
    registry: Arc<Registry>,
    vault: Arc<Vault>,
    outbound: Outbound,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    shared: Arc<Shared>,
}

/// What the clones share.
struct Shared {
    arrivals: Mutex<FairQueue<Opened>>,
    entries: Mutex<FairQueue<QueuedEntry>>,
    /// Arrivals taken over from the journal for which there was no room.
    over: Mutex<Vec<ArrivalId>>,
    /// Behind whom the next claim of arrivals, and of entries, begins; and when the last one was that found nothing.
    claimed: Mutex<[Claimed; 2]>,
    /// Numbers reserved for entries that batches make.
    numbers: Mutex<Vec<EntryId>>,
    /// How far the look for what is due is.
    due: Mutex<schedule::Run>,
    /// What this process is called among those that share the database.
    name: String,
    /// When what was kept for long enough was removed last, and nothing more was left to remove.
    swept: Mutex<Option<Instant>>,
    /// Questions to platforms that are under way.
    asking: Mutex<JoinSet<()>>,
    /// How many may be under way at once.
    questions: Semaphore,
    arrived: Notify,
    ready: Notify,
}

#[derive(Default)]
struct Claimed {
    after: Option<MerchantId>,
    found_nothing: Option<Instant>,
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline").finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panic left behind in a queue is still a queue.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pipeline {
    /// Of these rooms.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        registry: Arc<Registry>,
        vault: Arc<Vault>,
        outbound: Outbound,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
    ) -> Self {
        let shared = Shared {
            arrivals: Mutex::new(FairQueue::new(ARRIVALS_HELD.0, ARRIVALS_HELD.1)),
            entries: Mutex::new(FairQueue::new(ENTRIES_HELD.0, ENTRIES_HELD.1)),
            over: Mutex::default(),
            claimed: Mutex::default(),
            numbers: Mutex::default(),
            due: Mutex::default(),
            name: vault.process_name(),
            swept: Mutex::default(),
            asking: Mutex::default(),
            questions: Semaphore::new(QUESTIONS),
            arrived: Notify::new(),
            ready: Notify::new(),
        };
        Self { store, registry, vault, outbound, clock, metrics, shared: Arc::new(shared) }
    }

    /// Completes when there may be something to read.
    pub async fn arrived(&self) {
        self.shared.arrived.notified().await;
    }

    /// Completes when there may be something to settle.
    pub async fn ready(&self) {
        self.shared.ready.notified().await;
    }

    /// Counts the time since `watch` was set for a stage, and sets it again.
    fn stage(&self, stage: &'static str, watch: &mut Instant) {
        let now = Instant::now();
        self.metrics.stage(stage, now.duration_since(*watch));
        *watch = now;
    }

    /// Reads, settles and sees to what is due until nothing waits, questions to platforms included. For the demo, the bench and tests.
    ///
    /// # Errors
    /// [`PipelineError`] from any pass.
    pub async fn drain(&self) -> Result<(), PipelineError> {
        loop {
            for claimed in lock(&self.shared.claimed).iter_mut() {
                claimed.found_nothing = None;
            }
            let done = self.read().await? + self.settle().await? + self.schedule().await?;
            if done > 0 {
                continue;
            }
            let mut asking = std::mem::take(&mut *lock(&self.shared.asking));
            if asking.is_empty() {
                return Ok(());
            }
            while asking.join_next().await.is_some() {}
        }
    }
}
