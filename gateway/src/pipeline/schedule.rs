//! Time as an input: what has fallen due for members who have no entry waiting. One process at a time looks for it; what it finds is
//! settled like entries, batch by batch, with the times at which it was due.

use super::{BATCH, Pipeline, PipelineError, lock};
use perkgate_domain::limits::LEASE_MS;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Members told of a new installation in one step.
const ENROLLED: usize = 4 * BATCH;
/// How often a long run says how far it is.
const SAY: Duration = Duration::from_secs(10);

/// How far one look over everybody is.
#[derive(Default)]
pub(super) struct Run {
    seen: usize,
    /// When it began, and when it last said so.
    watch: Option<(Instant, Instant)>,
}

impl Run {
    /// So many more; fewer than a batch are the last.
    fn goes_on(&mut self, due: usize) {
        self.seen += due;
        let now = Instant::now();
        let (began, said) = self.watch.get_or_insert((now, now));
        if due == BATCH {
            if now.duration_since(*said) >= SAY {
                *said = now;
                tracing::info!(members = self.seen, seconds = began.elapsed().as_secs(), "seeing to what is due");
            }
            return;
        }
        if began.elapsed() >= SAY {
            tracing::info!(members = self.seen, seconds = began.elapsed().as_secs(), "what was due is seen to");
        }
        *self = Self::default();
    }
}

impl Pipeline {
    /// Sees to one batch of members for whom something is due. Answers how much was settled, or how many members were told of a new
    /// installation.
    ///
    /// # Errors
    /// [`PipelineError`] if the database fails: what is due stays due.
    pub async fn schedule(&self) -> Result<usize, PipelineError> {
        let now = self.clock.now();
        self.store.recover(now).await?;
        let due = self.store.due_members(now, BATCH).await?;
        let enrolling = self.store.enrolling().await?;
        if (due.is_empty() && !enrolling) || !self.store.lead(&self.shared.name, LEASE_MS).await? {
            lock(&self.shared.due).goes_on(0);
            return Ok(0);
        }
        let enrolled = if enrolling { self.store.enrol(ENROLLED, now).await? } else { 0 };
        lock(&self.shared.due).goes_on(due.len());
        if due.is_empty() {
            return Ok(enrolled);
        }
        let (count, _) = self.settle_batch(Arc::default(), due).await?;
        Ok(count + enrolled)
    }
}
