//! Write it down, then act. Requests wait here for *a* commit, not each for its own: whoever arrives while one commit is under way
//! shares the next. Bounded everywhere, in number and in bytes, and shared fairly by merchants; a request that cannot be journalled in time
//! is told 503, and its sender tries again.

mod queue;
mod shares;

pub use shares::{Share, Shares};

use self::queue::Queue;
use crate::connectors::{Arrival, Rejected, Stamp, Verified};
pub use crate::store::Appended;
use crate::store::{NewArrival, NewRejection, Note, Store, UnreadArrival};
use crate::vault::{Vault, VaultError};
use bytes::Bytes;
use perkgate_domain::ids::{ArrivalId, Digest, MerchantId, SourceId};
use perkgate_domain::limits::DoorLimits;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// Bodies of rejected arrivals are kept up to this size: enough to see what somebody tried.
const REJECTED_BODY_BYTES: usize = 16 * 1024;

/// Why an arrival is not journalled. All of it is our fault, never the sender's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// Too many wait already.
    #[error("too many requests wait for the journal")]
    Full,
    /// It may still be journalled, but not within the patience of the sender.
    #[error("the journal is too slow at present")]
    Slow,
    /// The database failed.
    #[error("the journal cannot be written at present")]
    Failed,
}

/// An arrival that this process has just journalled, still open.
#[derive(Debug)]
pub struct Fresh {
    /// Its number.
    pub id: ArrivalId,
    /// Whose.
    pub merchant: MerchantId,
    /// Which source.
    pub source: SourceId,
    /// As it was verified.
    pub verified: Verified,
}

/// Who works on fresh arrivals without reading them back.
pub trait Handover: Send + Sync {
    /// For how long arrivals are held that are journalled now; nothing if so many more would not be taken.
    fn lease_ms(&self, count: usize) -> i64;
    /// Takes what was journalled with such a lease. Whatever happens to it here, it is in the database.
    fn take(&self, fresh: Vec<Fresh>);
    /// Something else was journalled.
    fn wake(&self);
}

struct Waiting {
    merchant: MerchantId,
    source: SourceId,
    verified: Verified,
    /// For the audit log, with the arrival.
    note: Option<Note>,
    answer: oneshot::Sender<Result<Appended, JournalError>>,
    /// Its place among those that wait, free again when it is dropped.
    _place: Share,
}

/// The door's way into the journal. Cheap to clone; the writing task ends when the last clone is gone.
#[derive(Clone)]
pub struct Journal {
    vault: Arc<Vault>,
    waiting: mpsc::Sender<Waiting>,
    places: Shares,
    rejections: mpsc::Sender<NewRejection>,
    limits: DoorLimits,
    failing: Arc<AtomicBool>,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Journal {
    /// Starts the writing tasks. What they journalled goes to `handover`, if there is any.
    #[must_use]
    pub fn start(
        store: Arc<dyn Store>,
        vault: Arc<Vault>,
        limits: DoorLimits,
        handover: Option<Arc<dyn Handover>>,
    ) -> (Self, [JoinHandle<()>; 2]) {
        let (waiting, arrivals) = mpsc::channel(limits.waiting.max(1));
        let (rejections, turned_away) = mpsc::channel(limits.waiting.max(1));
        let failing = Arc::new(AtomicBool::new(false));
        let writer = Writer {
            store: Arc::clone(&store),
            vault: Arc::clone(&vault),
            limits,
            handover,
            failing: Arc::clone(&failing),
        };
        let writer = tokio::spawn(writer.write(arrivals));
        let keeper = tokio::spawn(keep(store, turned_away, limits));
        (Self { vault, waiting, places: Shares::of(limits.waiting), rejections, limits, failing }, [writer, keeper])
    }

    /// True while the latest commit failed.
    #[must_use]
    pub fn failing(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.failing)
    }

    /// Journals a verified arrival durably; returns after the commit. `note` goes into the audit log with it, if it is new.
    ///
    /// # Errors
    /// [`JournalError`]: answer 503.
    pub async fn append(
        &self,
        merchant: &MerchantId,
        source: &SourceId,
        verified: Verified,
        note: Option<Note>,
    ) -> Result<Appended, JournalError> {
        let mut place = self.places.share(merchant);
        if !place.grow(1) {
            return Err(JournalError::Full);
        }
        // A large body takes its time to be written, and its sender knows that it is large.
        let kibibytes = u64::try_from(verified.arrival().body.len() / 1024).unwrap_or(u64::MAX);
        let patience = Duration::from_millis(self.limits.patience_ms.saturating_add(kibibytes));
        let (answer, answered) = oneshot::channel();
        let (merchant, source) = (merchant.clone(), source.clone());
        let waiting = Waiting { merchant, source, verified, note, answer, _place: place };
        self.waiting.try_send(waiting).map_err(|_| JournalError::Full)?;
        match tokio::time::timeout(patience, answered).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(JournalError::Failed),
            Err(_) => Err(JournalError::Slow),
        }
    }

    /// Keeps what was turned away. Best effort and never waited for: a flood of forgeries must not slow the real ones. False if it is
    /// not kept because there are too many at once.
    #[must_use]
    pub fn reject(
        &self,
        merchant: &MerchantId,
        source: &SourceId,
        body: &[u8],
        received_at: perkgate_domain::time::Moment,
        why: &Rejected,
    ) -> bool {
        let sealed = (body.len() <= REJECTED_BODY_BYTES).then(|| self.vault.seal(&context(merchant, source), body));
        let rejection = NewRejection {
            merchant: merchant.clone(),
            source: source.clone(),
            cause: why.cause.as_str(),
            detail: why.detail.clone(),
            digest: self.vault.digest(merchant, body),
            bytes: i64::try_from(body.len()).unwrap_or(i64::MAX),
            sealed,
            received_at,
        };
        self.rejections.try_send(rejection).is_ok()
    }
}

/// Opens a journalled arrival.
///
/// # Errors
/// [`VaultError`] if it was sealed with another key or changed since.
pub fn reopen(vault: &Vault, stored: &UnreadArrival) -> Result<Verified, VaultError> {
    let context = context(&stored.merchant, &stored.source);
    let plain = vault.open(&context, &stored.sealed)?;
    let (headers, body) = unpack(&plain).ok_or(VaultError::Sealed { context })?;
    let arrival = Arrival { headers, body, received_at: stored.received_at };
    Ok(Verified::from_journal(
        arrival,
        Stamp { topic: stored.topic.clone(), dedupe: stored.dedupe.clone(), test: stored.test },
    ))
}

/// The raw body of a journalled arrival.
///
/// # Errors
/// [`VaultError`] if it was sealed with another key or changed since.
pub fn body(vault: &Vault, context: &str, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
    let plain = vault.open(context, sealed)?;
    unpack(&plain).map(|(_, body)| body.to_vec()).ok_or_else(|| VaultError::Sealed { context: context.to_owned() })
}

/// What an arrival's sealed bytes are bound to.
#[must_use]
pub fn context(merchant: &MerchantId, source: &SourceId) -> String {
    format!("arrival/{merchant}/{source}")
}

/// A delivery id that is made from the body, where a platform has none, with the keyed digest in the place of the plain one.
#[must_use]
pub fn keyed_dedupe(dedupe: &str, plain: &Digest, keyed: &Digest) -> String {
    match dedupe.strip_suffix(&plain.to_string()) {
        Some(topic) => format!("{topic}hmac:{}", hex::encode(keyed.as_bytes())),
        None => dedupe.to_owned(),
    }
}

/// Headers as JSON after their length, then the raw body. A header's bytes become the characters of the same number, so that
/// none is lost that is no UTF-8.
fn pack(arrival: &Arrival) -> Vec<u8> {
    let headers: Vec<(&str, String)> = arrival
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.iter().map(|byte| char::from(*byte)).collect()))
        .collect();
    let headers = serde_json::to_vec(&headers).unwrap_or_default();
    let length = u32::try_from(headers.len()).unwrap_or(0);
    [&length.to_be_bytes()[..], &headers, &arrival.body].concat()
}

type Headers = Vec<(String, Vec<u8>)>;

fn unpack(plain: &[u8]) -> Option<(Headers, Bytes)> {
    let (length, rest) = plain.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (headers, body) = rest.split_at_checked(length)?;
    let headers: Vec<(String, String)> = serde_json::from_slice(headers).ok()?;
    let headers = headers
        .into_iter()
        .map(|(name, value)| {
            let value = value.chars().map(|character| u8::try_from(u32::from(character))).collect::<Result<_, _>>();
            Some((name, value.ok()?))
        })
        .collect::<Option<_>>()?;
    Some((headers, Bytes::copy_from_slice(body)))
}

/// Writes what waits, commit by commit.
struct Writer {
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
    limits: DoorLimits,
    handover: Option<Arc<dyn Handover>>,
    failing: Arc<AtomicBool>,
}

impl Writer {
    async fn write(self, mut arrivals: mpsc::Receiver<Waiting>) {
        let mut queue = Queue::new();
        while let Some(batch) = self.next(&mut queue, &mut arrivals).await {
            let vault = Arc::clone(&self.vault);
            // Not on the pool that decides: a request must not wait for somebody's plugins.
            let sealing = move || -> (Vec<NewArrival>, Vec<Waiting>) {
                batch.into_iter().map(|waiting| (row(&vault, &waiting), waiting)).unzip()
            };
            match tokio::task::spawn_blocking(sealing).await {
                Ok((rows, waiting)) => self.commit(&rows, waiting).await,
                // Whoever waits is told that it failed, since nobody is left to answer them.
                Err(error) => tracing::error!("sealing arrivals stopped its thread: {error}"),
            }
        }
    }

    /// Whoever waits already, after a short pause for company. None when nobody can come any more.
    async fn next(&self, queue: &mut Queue<Waiting>, arrivals: &mut mpsc::Receiver<Waiting>) -> Option<Vec<Waiting>> {
        if queue.is_empty() {
            put(queue, arrivals.recv().await?);
            if arrivals.is_empty() {
                // A commit costs about the same for one as for many: those that come at the same moment share it.
                tokio::time::sleep(Duration::from_millis(self.limits.linger_ms)).await;
            }
        }
        while let Ok(waiting) = arrivals.try_recv() {
            put(queue, waiting);
        }
        Some(queue.take(self.limits.commit, self.limits.commit_bytes))
    }

    async fn commit(&self, rows: &[NewArrival], waiting: Vec<Waiting>) {
        let lease_ms = self.handover.as_ref().map_or(0, |handover| handover.lease_ms(rows.len()));
        match self.store.append(rows, lease_ms).await {
            Ok(appended) => {
                if self.failing.swap(false, Ordering::Relaxed) {
                    tracing::info!("the journal is written again");
                }
                let fresh = answer_all(waiting, &appended);
                match &self.handover {
                    Some(handover) if lease_ms > 0 => handover.take(fresh),
                    Some(handover) => handover.wake(),
                    None => {}
                }
            }
            Err(error) => {
                if !self.failing.swap(true, Ordering::Relaxed) {
                    tracing::error!("the journal cannot be written; the door answers 503 until it can: {error}");
                }
                for waiting in waiting {
                    let _ = waiting.answer.send(Err(JournalError::Failed));
                }
            }
        }
    }
}

fn put(queue: &mut Queue<Waiting>, waiting: Waiting) {
    queue.push(waiting.merchant.clone(), waiting.verified.arrival().body.len(), waiting);
}

/// What is written of an arrival.
fn row(vault: &Vault, waiting: &Waiting) -> NewArrival {
    let (merchant, source) = (&waiting.merchant, &waiting.source);
    let stamp = waiting.verified.stamp();
    let arrival = waiting.verified.arrival();
    let plain = Digest::of(&arrival.body);
    let digest = vault.keyed(merchant, &plain);
    NewArrival {
        merchant: merchant.clone(),
        source: source.clone(),
        topic: stamp.topic.clone(),
        dedupe: keyed_dedupe(&stamp.dedupe, &plain, &digest),
        test: stamp.test,
        digest,
        sealed: vault.seal(&context(merchant, source), &pack(arrival)),
        received_at: arrival.received_at,
        note: waiting.note.clone(),
    }
}

/// Tells everybody, and keeps what is new.
fn answer_all(waiting: Vec<Waiting>, appended: &[Appended]) -> Vec<Fresh> {
    let mut fresh = Vec::with_capacity(waiting.len());
    for (Waiting { merchant, source, verified, answer, .. }, appended) in waiting.into_iter().zip(appended) {
        if let Appended::Accepted(id) = appended {
            fresh.push(Fresh { id: *id, merchant, source, verified });
        }
        // A requester that gave up waiting will send again and be told that it is a duplicate.
        let _ = answer.send(Ok(*appended));
    }
    fresh
}

async fn keep(store: Arc<dyn Store>, mut turned_away: mpsc::Receiver<NewRejection>, limits: DoorLimits) {
    while let Some(batch) = next_batch(&mut turned_away, limits).await {
        if let Err(error) = store.reject(&batch, limits.rejections_kept).await {
            tracing::warn!("{} rejections are not kept: {error}", batch.len());
        }
    }
}

/// The next rejections, after a short pause for company. None when nobody can come any more.
async fn next_batch<T>(queue: &mut mpsc::Receiver<T>, limits: DoorLimits) -> Option<Vec<T>> {
    let mut batch = vec![queue.recv().await?];
    if queue.is_empty() {
        // As above: what comes at the same moment shares a commit.
        tokio::time::sleep(Duration::from_millis(limits.linger_ms)).await;
    }
    while batch.len() < limits.commit {
        match queue.try_recv() {
            Ok(next) => batch.push(next),
            Err(_) => break,
        }
    }
    Some(batch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use perkgate_domain::time::Moment;

    #[test]
    fn an_arrival_packs_and_unpacks_whole() {
        let headers = vec![("x-a".to_owned(), vec![0xff, b'"', 0]), ("x-a".to_owned(), b"second".to_vec())];
        let arrival = Arrival { headers: headers.clone(), body: vec![0, 159, 146, 150].into(), received_at: Moment(1) };
        assert_eq!(unpack(&pack(&arrival)), Some((headers, arrival.body)));
        assert_eq!(unpack(&[0, 0, 0, 9, 1]), None);
    }
}
