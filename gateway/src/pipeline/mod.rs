//! The only room that knows the order: unread arrivals become entries ([`Pipeline::read`]), queued entries become postings, rewards and messages
//! ([`Pipeline::settle`]). Batch by batch, each with one commit; nothing remote is called while one is open.

mod outbox;
mod read;
mod settle;

pub use outbox::StoreOutbox;

use crate::clock::Clock;
use crate::outbound::Outbound;
use crate::registry::Registry;
use crate::store::{Store, StoreError};
use crate::telemetry::Metrics;
use crate::vault::Vault;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Arrivals read, or entries settled, in one commit.
pub const BATCH: usize = 256;

/// Questions to platforms at once.
const QUESTIONS: usize = 16;

/// What can stop a pass. The next one tries again.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A thread stopped.
    #[error("deciding stopped its thread: {0}")]
    Thread(#[from] tokio::task::JoinError),
}

/// See the module's head. Cheap to clone.
#[derive(Clone)]
pub struct Pipeline {
    store: Arc<dyn Store>,
    registry: Arc<Registry>,
    vault: Arc<Vault>,
    outbound: Outbound,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    /// Questions to platforms that are under way.
    asking: Arc<Mutex<JoinSet<()>>>,
    /// How many may be under way at once.
    questions: Arc<Semaphore>,
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline").finish_non_exhaustive()
    }
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
        Self {
            store,
            registry,
            vault,
            outbound,
            clock,
            metrics,
            asking: Arc::default(),
            questions: Arc::new(Semaphore::new(QUESTIONS)),
        }
    }

    /// Reads and settles until nothing waits, questions to platforms included. For the demo, the bench and tests.
    ///
    /// # Errors
    /// [`PipelineError`] from any pass.
    pub async fn drain(&self) -> Result<(), PipelineError> {
        loop {
            let done = self.read().await? + self.settle().await?;
            if done > 0 {
                continue;
            }
            let mut asking = std::mem::take(&mut *self.asking.lock().unwrap_or_else(PoisonError::into_inner));
            if asking.is_empty() {
                return Ok(());
            }
            while asking.join_next().await.is_some() {}
        }
    }
}
