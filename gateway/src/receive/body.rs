//! Reads bodies. All that are held at once, signed or not, are bounded together: each piece is accounted for to its merchant before it
//! is kept, and stays so until the last that works on the body lets go of it. Where a merchant's share is used up, whoever takes longest
//! to send theirs makes room, and then whoever came last, so that those before them come to an end. Who made room, and who finds none, is
//! told to come again.

use crate::connectors::{Cause, Rejected};
use crate::journal::{Share, Shares};
use axum::body::Body;
use axum::http::{HeaderMap, header::CONTENT_LENGTH};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use perkgate_domain::ids::MerchantId;
use perkgate_domain::limits::DoorLimits;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// What is read and thrown away of a body that is not taken, so that its sender is done writing and hears the answer rather than a broken
/// connection.
const DISCARDED: usize = 4 * 1024 * 1024;
/// For how long.
const DISCARD_TIME: Duration = Duration::from_millis(500);
/// How long a body waits for room.
const ROOM_TIME: Duration = Duration::from_millis(500);
/// Who takes longer than this to send a body makes room if there is none.
const SLOW: Duration = Duration::from_secs(1);

/// Why a body is not taken.
#[derive(Debug)]
pub(super) enum NotTaken {
    /// There is something wrong with it.
    Rejected(Rejected),
    /// There is no room for it at present.
    NoRoom,
}

/// See the module's head. Cheap to clone.
#[derive(Clone)]
pub(super) struct Intake {
    limits: DoorLimits,
    shares: Shares,
    readers: Arc<Mutex<Readers>>,
}

#[derive(Default)]
struct Readers {
    next: u64,
    all: BTreeMap<u64, Reader>,
}

/// Somebody who is sending a body.
struct Reader {
    merchant: MerchantId,
    since: Instant,
    go: Arc<Notify>,
}

/// Its place among the readers, until it is dropped.
struct Place<'a> {
    intake: &'a Intake,
    number: u64,
    go: Arc<Notify>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.intake.readers().all.remove(&self.number);
    }
}

/// A body, and what it takes of its merchant's share.
struct Kept {
    bytes: Vec<u8>,
    _share: Share,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Intake {
    pub(super) fn new(limits: DoorLimits) -> Self {
        Self { limits, shares: Shares::of(limits.held_bytes), readers: Arc::default() }
    }

    /// Bytes that are held.
    pub(super) fn held(&self) -> usize {
        self.shares.held()
    }

    fn readers(&self) -> MutexGuard<'_, Readers> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads one body of a merchant's.
    pub(super) async fn read(
        &self,
        merchant: &MerchantId,
        headers: &HeaderMap,
        mut body: Body,
    ) -> Result<Bytes, NotTaken> {
        // A declared length saves reading 100 MiB to find out that it is too much.
        let declared = headers
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.parse::<usize>().ok())
            .unwrap_or_default();
        if declared > self.limits.body_bytes + DISCARDED {
            return Err(self.too_large());
        }
        let place = self.enter(merchant);
        let time = Duration::from_millis(self.limits.body_ms);
        let slow = || Rejected::unreadable(format!("the body did not arrive within {} s", time.as_secs()));
        let reading = tokio::time::timeout(time, self.collect(merchant, place.number, declared, &mut body));
        let result = tokio::select! {
            read = reading => read.unwrap_or_else(|_| Err(NotTaken::Rejected(slow()))),
            () = place.go.notified() => Err(NotTaken::NoRoom),
        };
        if let Err(NotTaken::NoRoom | NotTaken::Rejected(Rejected { cause: Cause::TooLarge, .. })) = result {
            // What comes of it does not matter: it is only so that the sender hears the answer.
            let _ = tokio::time::timeout(DISCARD_TIME, discard(body)).await;
        }
        result
    }

    fn too_large(&self) -> NotTaken {
        let detail = format!("the body has more than {} bytes", self.limits.body_bytes);
        NotTaken::Rejected(Rejected { cause: Cause::TooLarge, detail })
    }

    async fn collect(
        &self,
        merchant: &MerchantId,
        number: u64,
        declared: usize,
        body: &mut Body,
    ) -> Result<Bytes, NotTaken> {
        let mut share = self.shares.share(merchant);
        let mut bytes = Vec::with_capacity(declared.min(self.limits.body_bytes));
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| {
                NotTaken::Rejected(Rejected::unreadable("the body ended before its length was reached"))
            })?;
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len().saturating_add(data.len()) > self.limits.body_bytes {
                return Err(self.too_large());
            }
            self.make_room(merchant, number, &mut share, data.len()).await?;
            bytes.extend_from_slice(&data);
        }
        Ok(Bytes::from_owner(Kept { bytes, _share: share }))
    }

    /// Accounts for so many bytes more; waits for a moment if there is no room.
    async fn make_room(
        &self,
        merchant: &MerchantId,
        number: u64,
        share: &mut Share,
        more: usize,
    ) -> Result<(), NotTaken> {
        let waiting = async {
            loop {
                let freed = self.shares.freed();
                if share.grow(more) {
                    return;
                }
                self.ask_somebody(merchant, number);
                freed.await;
            }
        };
        tokio::time::timeout(ROOM_TIME, waiting).await.map_err(|_| NotTaken::NoRoom)
    }

    fn enter(&self, merchant: &MerchantId) -> Place<'_> {
        let go = Arc::new(Notify::new());
        let mut readers = self.readers();
        readers.next += 1;
        let number = readers.next;
        let reader = Reader { merchant: merchant.clone(), since: Instant::now(), go: Arc::clone(&go) };
        readers.all.insert(number, reader);
        Place { intake: self, number, go }
    }

    /// Asks somebody to go for the reader of this number: whoever takes longest to send their body, of this merchant's senders if there are
    /// any; if nobody is slow, the last of this merchant's that came after.
    fn ask_somebody(&self, merchant: &MerchantId, number: u64) {
        let mut readers = self.readers();
        let others = || readers.all.iter().filter(|(other, _)| **other != number);
        // Numbers rise with time, so the first is the slowest.
        let slow = || others().filter(|(_, reader)| reader.since.elapsed() > SLOW);
        let of_merchant = |(_, reader): &(&u64, &Reader)| reader.merchant == *merchant;
        let found = slow()
            .find(of_merchant)
            .or_else(|| slow().next())
            .or_else(|| others().rfind(of_merchant).filter(|(last, _)| **last > number));
        if let Some(number) = found.map(|(number, _)| *number)
            && let Some(reader) = readers.all.remove(&number)
        {
            reader.go.notify_one();
        }
    }
}

/// Reads a bounded rest of a body and throws it away.
async fn discard(mut body: Body) {
    let mut seen = 0;
    while let Some(Ok(frame)) = body.frame().await {
        seen += frame.data_ref().map_or(0, Bytes::len);
        if seen > DISCARDED {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intake(held_bytes: usize) -> Intake {
        Intake::new(DoorLimits { body_bytes: 1_000, held_bytes, ..DoorLimits::default() })
    }
    async fn read(intake: &Intake, merchant: &str, bytes: usize) -> Result<Bytes, NotTaken> {
        intake.read(&merchant.into(), &HeaderMap::new(), Body::from(vec![b'x'; bytes])).await
    }

    #[tokio::test]
    async fn what_is_held_counts_until_the_last_lets_go() {
        let intake = intake(2_000);
        let first = read(&intake, "one", 600).await.unwrap();
        assert_eq!((first.len(), intake.held()), (600, 600));
        let (clone, part) = (first.clone(), first.slice(10..20));
        drop(first);
        assert!(matches!(read(&intake, "one", 600).await, Err(NotTaken::NoRoom)), "half of it is one merchant's");
        let other = read(&intake, "two", 600).await.unwrap();
        drop((clone, other));
        assert_eq!(intake.held(), 600, "a part holds the whole");
        drop(part);
        assert_eq!(intake.held(), 0);
        assert!(intake.readers().all.is_empty(), "whoever has sent their body is no reader any more");
    }

    #[tokio::test]
    async fn a_body_waits_for_room_that_comes() {
        let intake = intake(2_000);
        let held = read(&intake, "one", 900).await.unwrap();
        let waiting = tokio::spawn({
            let intake = intake.clone();
            async move { read(&intake, "one", 500).await.map(|body| body.len()) }
        });
        tokio::task::yield_now().await;
        drop(held);
        assert_eq!(waiting.await.unwrap().unwrap(), 500);
    }

    #[tokio::test]
    async fn whoever_is_slow_makes_room_and_then_whoever_came_last() {
        let intake = intake(2_000);
        let one = MerchantId::from("one");
        let (first, second, third) = (intake.enter(&one), intake.enter(&one), intake.enter(&one));
        let other = intake.enter(&"other".into());
        intake.ask_somebody(&one, third.number);
        assert_eq!(intake.readers().all.len(), 4, "nobody is slow, and nobody came after it");
        intake.ask_somebody(&one, second.number);
        third.go.notified().await;
        let long_ago = Instant::now().checked_sub(SLOW * 2).unwrap();
        intake.readers().all.get_mut(&first.number).unwrap().since = long_ago;
        intake.ask_somebody(&one, second.number);
        first.go.notified().await;
        assert!(intake.readers().all.keys().eq([&second.number, &other.number]));
    }

    #[tokio::test]
    async fn too_much_is_told_so() {
        let intake = intake(9_000);
        assert_eq!(read(&intake, "one", 1_000).await.unwrap().len(), 1_000);
        let Err(NotTaken::Rejected(rejected)) = read(&intake, "one", 1_001).await else { panic!("it is taken") };
        assert_eq!(rejected.cause, Cause::TooLarge);
        assert_eq!(intake.held(), 0);
    }
}
