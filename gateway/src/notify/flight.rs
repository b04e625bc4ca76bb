//! What is under way from one pass to the next: attempts being made, attempts made and not yet recorded, and deliveries that
//! were claimed and wait for their destination's turn. It knows who has room for how much, and does no I/O itself.

use super::{PER_DESTINATION, Way, destination};
use perkgate_domain::delivery::{Attempt, Delivery, DueDelivery};
use perkgate_domain::ids::{ChannelId, DeliveryId, MerchantId};
use perkgate_domain::time::Moment;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::Future;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{Id, JoinError, JoinSet};

/// Deliveries that may wait for their turn; nothing is claimed beyond.
const MOST_WAITING: usize = 256;

/// A channel is known by its merchant and its id.
pub(super) type Name = (MerchantId, ChannelId);

/// What may be claimed at present.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    /// Deliveries in all.
    pub(super) most: usize,
    /// Deliveries of each channel.
    pub(super) per_channel: usize,
    /// Channels that have no room.
    pub(super) full: Vec<Name>,
}

/// A host and port, whoever's channels lead there.
struct Destination {
    turns: Arc<Semaphore>,
    /// The channels that were seen to lead here, for as long as it is busy.
    channels: BTreeSet<Name>,
}

/// A delivery that was claimed and is not being sent. There are few: only those whose channel had room when it was not yet
/// known that it leads to a destination which has none.
struct Waiting {
    due: DueDelivery,
    since: Moment,
}

/// See the module's head.
pub(super) struct Flight {
    parallel: usize,
    sending: JoinSet<Attempt>,
    ids: HashMap<Id, DeliveryId>,
    waiting: Vec<Waiting>,
    destinations: HashMap<String, Destination>,
    /// Attempts made that are to be recorded.
    pub(super) unrecorded: Vec<Attempt>,
}

impl Flight {
    /// Of at most so many attempts at once.
    pub(super) fn new(parallel: usize) -> Self {
        Self {
            parallel,
            sending: JoinSet::new(),
            ids: HashMap::new(),
            waiting: Vec::new(),
            destinations: HashMap::new(),
            unrecorded: Vec::new(),
        }
    }

    /// Attempts being made.
    pub(super) fn sending(&self) -> usize {
        self.sending.len()
    }

    /// Takes in the attempts that have finished.
    pub(super) fn gather(&mut self) {
        while let Some(ended) = self.sending.try_join_next_with_id() {
            self.land(ended);
        }
    }

    /// Waits until an attempt has finished, and takes in all that have. False if none is being made.
    pub(super) async fn lands(&mut self) -> bool {
        let Some(ended) = self.sending.join_next_with_id().await else { return false };
        self.land(ended);
        self.gather();
        true
    }

    fn land(&mut self, ended: Result<(Id, Attempt), JoinError>) {
        match ended {
            Ok((id, attempt)) => {
                self.ids.remove(&id);
                self.unrecorded.push(attempt);
            }
            Err(error) => {
                let delivery = self.ids.remove(&error.id());
                let delivery = delivery.as_ref().map(DeliveryId::as_str);
                tracing::error!(delivery, %error, "an attempt broke off; the delivery comes back when its lease ends");
            }
        }
    }

    /// What may be claimed so that all of it can start at once. To be asked after [`Flight::start`]: who waits comes first.
    ///
    /// One bound holds for every channel, so the busiest destination that still has room sets it. To fill every slot may then
    /// take a few claims; in return nothing is leased that cannot be sent.
    pub(super) fn bounds(&mut self) -> Bounds {
        self.destinations.retain(|_, destination| destination.room() < PER_DESTINATION);
        let most = if self.waiting.len() < MOST_WAITING { self.parallel.saturating_sub(self.sending.len()) } else { 0 };
        let (mut per_channel, mut full) = (PER_DESTINATION, BTreeSet::new());
        for destination in self.destinations.values() {
            match destination.room() {
                0 => full.extend(destination.channels.iter().cloned()),
                room => per_channel = per_channel.min(room),
            }
        }
        Bounds { most, per_channel, full: full.into_iter().collect() }
    }

    /// Takes in what was claimed at `now`, to be started. Returns how many there are: a delivery that is still under way,
    /// because its lease ended before its attempt did, is not begun a second time.
    pub(super) fn claimed(&mut self, due: Vec<DueDelivery>, now: Moment) -> usize {
        let before = self.waiting.len();
        for due in due {
            let id = &due.delivery.id;
            let known = self.ids.values().any(|other| other == id)
                || self.waiting.iter().any(|other| other.due.delivery.id == *id);
            if known {
                tracing::warn!(delivery = %id, "its lease ended before its attempt did");
            } else {
                self.waiting.push(Waiting { due, since: now });
            }
        }
        self.waiting.len() - before
    }

    /// The channels of deliveries that are to be started.
    pub(super) fn wanted(&self) -> BTreeSet<Name> {
        self.waiting.iter().map(|waiting| name(&waiting.due)).collect()
    }

    /// Starts an attempt for each delivery that has room, in the order in which they were claimed.
    pub(super) fn start<F>(&mut self, ways: &BTreeMap<Name, Way>, attempt: impl Fn(DueDelivery, Way) -> F)
    where
        F: Future<Output = Attempt> + Send + 'static,
    {
        for Waiting { due, since } in std::mem::take(&mut self.waiting) {
            let name = name(&due);
            let way = ways.get(&name).cloned().flatten();
            // A channel that leads nowhere is a destination of its own; no host has a slash.
            let place = way.as_deref().and_then(|(_, channel)| destination(&channel.kind));
            let place = place.unwrap_or_else(|| format!("{}/{}", name.0, name.1));
            let destination = self.destinations.entry(place).or_insert_with(Destination::new);
            destination.channels.insert(name);
            let turn = if self.sending.len() < self.parallel { destination.turn() } else { None };
            if let Some(turn) = turn {
                let (id, attempt) = (due.delivery.id.clone(), attempt(due, way));
                // However the attempt ends, by a panic too, its turn ends with it.
                let task = self.sending.spawn(async move {
                    let _turn = turn;
                    attempt.await
                });
                self.ids.insert(task.id(), id);
            } else {
                self.waiting.push(Waiting { due, since });
            }
        }
    }

    /// Lets go of deliveries that have waited since before `then`: they come back when their leases end.
    pub(super) fn let_go(&mut self, then: Moment) {
        self.waiting.retain(|waiting| {
            let stays = waiting.since >= then;
            if !stays {
                let Delivery { id, merchant, channel, .. } = &waiting.due.delivery;
                tracing::info!(delivery = %id, %merchant, %channel, "no turn at its busy destination; it is claimed again later");
            }
            stays
        });
    }
}

impl Destination {
    fn new() -> Self {
        Self { turns: Arc::new(Semaphore::new(PER_DESTINATION)), channels: BTreeSet::new() }
    }

    /// A permit to send, if there is one. The semaphore is never closed.
    fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.turns).try_acquire_owned().ok()
    }

    /// How many more could start here.
    fn room(&self) -> usize {
        self.turns.available_permits()
    }
}

fn name(due: &DueDelivery) -> Name {
    (due.delivery.merchant.clone(), due.delivery.channel.clone())
}
