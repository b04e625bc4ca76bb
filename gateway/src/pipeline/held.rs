//! What this process holds: taken over from the journal, or claimed from the database, and given back when it cannot be worked on.

use super::fair::{FairQueue, Work};
use super::read::Answers;
use super::{ARRIVALS_HELD, BATCH, Claimed, Pipeline, PipelineError, lock};
use crate::connectors::Verified;
use crate::journal::{self, Fresh, Handover};
use crate::store::{Claim, StoreError, UnreadArrival};
use perkgate_domain::ids::{ArrivalId, EntryId, MerchantId, SourceId};
use perkgate_domain::limits::LEASE_MS;
use perkgate_domain::plan::QueuedEntry;
use perkgate_domain::time::Moment;
use rayon::prelude::*;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Merchants served by one claim.
const TURNS: usize = 64;
/// What has been held for so long has its lease renewed: a few times before it would end.
const RENEW: Duration = Duration::from_secs(3);
/// How long to leave the database alone after a claim that found nothing, while there is other work.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// An arrival to be read.
#[derive(Clone, Debug)]
pub(super) struct Opened {
    pub(super) id: ArrivalId,
    pub(super) merchant: MerchantId,
    pub(super) source: SourceId,
    pub(super) received_at: Moment,
    /// Fetches that failed so far.
    pub(super) attempts: i64,
    /// What the platform has answered so far.
    pub(super) answers: Answers,
    /// Or why it does not open.
    pub(super) verified: Result<Verified, String>,
}

impl Work for Opened {
    fn number(&self) -> i64 {
        self.id.0
    }
    fn merchant(&self) -> &MerchantId {
        &self.merchant
    }
}

impl Work for QueuedEntry {
    fn number(&self) -> i64 {
        self.id.0
    }
    fn merchant(&self) -> &MerchantId {
        &self.merchant
    }
}

impl Handover for Pipeline {
    fn lease_ms(&self, count: usize) -> i64 {
        if lock(&self.shared.arrivals).len() + count <= ARRIVALS_HELD.0 { LEASE_MS } else { 0 }
    }

    fn take(&self, fresh: Vec<Fresh>) {
        let mut arrivals = lock(&self.shared.arrivals);
        for Fresh { id, merchant, source, verified } in fresh {
            let received_at = verified.arrival().received_at;
            let opened = Opened {
                id,
                merchant,
                source,
                received_at,
                attempts: 0,
                answers: Answers::new(),
                verified: Ok(verified),
            };
            if let Err(over) = arrivals.push(opened) {
                lock(&self.shared.over).push(over.id);
            }
        }
        drop(arrivals);
        self.wake();
    }

    fn wake(&self) {
        self.shared.arrived.notify_one();
    }
}

impl Pipeline {
    /// A batch of arrivals, by turns.
    pub(super) async fn next_arrivals(&self) -> Result<Vec<Opened>, PipelineError> {
        // Of a merchant who sends more than their share, the rest waits in the database.
        let over = std::mem::take(&mut *lock(&self.shared.over));
        self.give_back(over, Vec::new()).await?;
        let held = lock(&self.shared.arrivals).len();
        if let Some(claim) = self.due_claim(0, held) {
            let claimed = self.store.claim_arrivals(&claim).await?;
            let pipeline = self.clone();
            let open = move |unread: UnreadArrival| Opened {
                verified: journal::reopen(&pipeline.vault, &unread).map_err(|error| error.to_string()),
                answers: pipeline.opened_answers(&unread),
                id: unread.id,
                merchant: unread.merchant,
                source: unread.source,
                received_at: unread.received_at,
                attempts: unread.attempts,
            };
            let opened: Vec<_> =
                tokio::task::spawn_blocking(move || claimed.into_par_iter().map(open).collect()).await?;
            self.claimed(0, opened.iter().map(|opened| &opened.merchant));
            let over = hold(&self.shared.arrivals, opened);
            self.give_back(over.iter().map(|opened| opened.id).collect(), Vec::new()).await?;
        }
        Ok(self.take_turns(&self.shared.arrivals))
    }

    /// A batch of entries, by turns.
    pub(super) async fn next_entries(&self) -> Result<Vec<QueuedEntry>, StoreError> {
        let held = lock(&self.shared.entries).len();
        if let Some(claim) = self.due_claim(1, held) {
            let claimed = self.store.claim_entries(&claim).await?;
            self.claimed(1, claimed.iter().map(|entry| &entry.merchant));
            self.keep(claimed).await?;
        }
        Ok(self.take_turns(&self.shared.entries))
    }

    /// Holds entries that were just admitted or claimed.
    pub(super) async fn keep(&self, entries: Vec<QueuedEntry>) -> Result<(), StoreError> {
        let over = hold(&self.shared.entries, entries);
        self.give_back(Vec::new(), over.iter().map(|entry| entry.id).collect()).await
    }

    /// Whether it is time to claim: what is held is less than a batch, and the last claim found something or is a while ago.
    fn due_claim(&self, queue: usize, held: usize) -> Option<Claim> {
        let claimed = &lock(&self.shared.claimed)[queue];
        let lately = claimed.found_nothing.is_some_and(|when| when.elapsed() < LOOK_AGAIN);
        (held < BATCH && !(lately && held > 0)).then(|| Claim {
            now: self.clock.now(),
            after: claimed.after.as_ref().map_or("", MerchantId::as_str).to_owned(),
            turns: TURNS,
            most: 2 * BATCH,
            lease_ms: LEASE_MS,
        })
    }

    fn claimed<'a>(&self, queue: usize, merchants: impl Iterator<Item = &'a MerchantId>) {
        let claimed = &mut lock(&self.shared.claimed)[queue];
        // The last by turns, which is not the last by age: turns begin behind the merchant before, and who is before comes after.
        let before = claimed.after.take();
        let last =
            merchants.max_by_key(|merchant| (before.as_ref().is_some_and(|before| *merchant <= before), *merchant));
        *claimed = match last {
            Some(merchant) => Claimed { after: Some(merchant.clone()), found_nothing: None },
            None => Claimed { after: None, found_nothing: Some(Instant::now()) },
        };
    }

    fn take_turns<T: Work>(&self, queue: &Mutex<FairQueue<T>>) -> Vec<T> {
        let snapshot = self.registry.snapshot();
        let cost = |merchant: &MerchantId| {
            let plugins = snapshot.programme(merchant).map_or(0, |programme| programme.installations.len());
            i64::try_from(plugins).unwrap_or(i64::MAX - 1).saturating_add(1)
        };
        lock(queue).take(BATCH, cost)
    }

    async fn give_back(&self, arrivals: Vec<ArrivalId>, entries: Vec<EntryId>) -> Result<(), StoreError> {
        if arrivals.is_empty() && entries.is_empty() {
            return Ok(());
        }
        self.store.hold(&arrivals, &entries, 0).await
    }

    /// Renews the leases of what has been held for a while. To be called every second or so.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails: the leases run out, and whoever is there takes over.
    pub async fn renew(&self) -> Result<(), StoreError> {
        let arrivals: Vec<_> = lock(&self.shared.arrivals).aged(RENEW).into_iter().map(ArrivalId).collect();
        let entries: Vec<_> = lock(&self.shared.entries).aged(RENEW).into_iter().map(EntryId).collect();
        if arrivals.is_empty() && entries.is_empty() {
            return Ok(());
        }
        self.store.hold(&arrivals, &entries, LEASE_MS).await
    }

    /// Gives back everything that was not begun, for others to take at once. To be called when the loops have stopped.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails: the leases run out by themselves.
    pub async fn let_go(&self) -> Result<(), StoreError> {
        let arrivals = lock(&self.shared.arrivals).remove(|_| true).iter().map(|opened| opened.id).collect();
        let entries = lock(&self.shared.entries).remove(|_| true).iter().map(|entry| entry.id).collect();
        self.give_back(arrivals, entries).await?;
        // Whoever is left may look for what is due at once.
        self.store.lead(&self.shared.name, 0).await?;
        Ok(())
    }
}

/// Answers what there was no room for.
fn hold<T: Work>(queue: &Mutex<FairQueue<T>>, work: Vec<T>) -> Vec<T> {
    let mut queue = lock(queue);
    work.into_iter().filter_map(|work| queue.push(work).err()).collect()
}
