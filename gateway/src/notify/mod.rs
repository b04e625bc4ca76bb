//! Messages go out: deliveries that the settling commit left in the outbox are claimed, sent, and every attempt recorded.
//!
//! A receiver may hear of a delivery more than once (the gateway may die between sending and recording), and knows it by the
//! delivery's id: `webhook-id` of a webhook, `Message-ID` of a mail.
//!
//! [`schedule`] says when a failed one is tried again, `webhook` and `email` are the two ways out. What this room needs from
//! the store it says itself, as [`Outbox`].

mod email;
pub mod schedule;
mod webhook;

use crate::clock::Clock;
use crate::outbound::Outbound;
use async_trait::async_trait;
use perkgate_domain::delivery::{Attempt, DueDelivery, Next};
use perkgate_domain::ids::{ChannelId, MerchantId};
use perkgate_domain::limits::DeliveryLimits;
use perkgate_domain::programme::{Channel, ChannelKind, Merchant};
use perkgate_domain::time::Moment;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Requests under way to one destination at once: a merchant's receiver is not overrun, and a slow one holds up few.
const PER_DESTINATION: usize = 4;

/// What went wrong in an [`Outbox`].
pub type OutboxError = Box<dyn std::error::Error + Send + Sync>;

/// What the notifier needs to know and to write down.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Leases at most `n` deliveries whose time has come, for longer than [`Notifier::longest_pass`].
    async fn due(&self, now: Moment, n: usize) -> Result<Vec<DueDelivery>, OutboxError>;
    /// Writes down what became of them, all at once, and ends their leases.
    async fn record(&self, attempts: Vec<Attempt>) -> Result<(), OutboxError>;
    /// A merchant and one of its channels; nothing if the channel is no longer there.
    async fn channel(
        &self,
        merchant: &MerchantId,
        channel: &ChannelId,
    ) -> Result<Option<(Merchant, Channel)>, OutboxError>;
}

/// Why a pass did not finish. Deliveries claimed by it come back when their leases end.
#[derive(Debug, thiserror::Error)]
#[error("the outbox: cannot {doing}: {source}")]
pub struct NotifyError {
    /// What was tried.
    pub doing: &'static str,
    /// What went wrong.
    pub source: OutboxError,
}

/// What one attempt came to, whatever the channel.
enum Sent {
    /// The receiver has it.
    Taken { status: u16 },
    /// It does not; later it may.
    Again { status: Option<u16>, error: String, retry_after: Option<String> },
    /// It does not, and will not.
    Never { status: Option<u16>, error: String },
}

impl Sent {
    fn again(error: impl Into<String>) -> Self {
        Self::Again { status: None, error: error.into(), retry_after: None }
    }
    fn never(error: impl Into<String>) -> Self {
        Self::Never { status: None, error: error.into() }
    }
}

/// Sends what is due. Cheap to clone; clones share connections and limits, so passes may run at once.
#[derive(Clone)]
pub struct Notifier {
    room: Arc<Room>,
}

struct Room {
    outbox: Arc<dyn Outbox>,
    outbound: Outbound,
    mailer: email::Mailer,
    clock: Arc<dyn Clock>,
    limits: DeliveryLimits,
    slots: Semaphore,
    destinations: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// A delivery's way out: shared by the deliveries of a pass, none if the channel is no longer there.
type Way = Option<Arc<(Merchant, Channel)>>;

impl Notifier {
    /// Over this outbox. `outbound`'s own timeout bounds one webhook, `limits.timeout_ms` one mail; they should be the same.
    #[must_use]
    pub fn new(outbox: Arc<dyn Outbox>, outbound: Outbound, clock: Arc<dyn Clock>, limits: DeliveryLimits) -> Self {
        let mailer = email::Mailer::new(outbound.clone(), Duration::from_millis(limits.timeout_ms));
        let slots = Semaphore::new(limits.parallel);
        let destinations = Mutex::default();
        Self { room: Arc::new(Room { outbox, outbound, mailer, clock, limits, slots, destinations }) }
    }

    /// How long one pass can take if every receiver is as slow as the limits allow: what a lease must outlast.
    #[must_use]
    pub fn longest_pass(&self) -> Duration {
        let rounds = self.room.limits.parallel.div_ceil(PER_DESTINATION).max(1);
        Duration::from_millis(self.room.limits.timeout_ms) * u32::try_from(rounds).unwrap_or(u32::MAX)
    }

    /// Claims at most `limits.parallel` due deliveries, sends them, and records all the attempts in one call. Returns how
    /// many attempts there were: nothing means that nothing is due.
    pub async fn pass(&self) -> Result<usize, NotifyError> {
        let room = &self.room;
        let failed = |doing| move |source| NotifyError { doing, source };
        let now = room.clock.now();
        room.tidy(now);
        let due = room.outbox.due(now, room.limits.parallel).await.map_err(failed("claim what is due"))?;
        let ways = room.ways(&due).await.map_err(failed("look up a channel"))?;
        let mut sending = JoinSet::new();
        for due in due {
            let way = ways.get(&(due.delivery.merchant.clone(), due.delivery.channel.clone())).cloned().flatten();
            let room = Arc::clone(room);
            sending.spawn(async move { room.attempt(due, way).await });
        }
        let mut attempts = Vec::with_capacity(sending.len());
        while let Some(attempt) = sending.join_next().await {
            match attempt {
                Ok(attempt) => attempts.push(attempt),
                // Ours to mend; the delivery comes back when its lease ends.
                Err(error) => tracing::error!(%error, "an attempt broke off"),
            }
        }
        let count = attempts.len();
        if count > 0 {
            room.outbox.record(attempts).await.map_err(failed("record the attempts"))?;
        }
        Ok(count)
    }
}

impl Room {
    /// Looks every channel up once, before anything is sent: if the store is in trouble, nobody gets a message twice for it.
    async fn ways(&self, due: &[DueDelivery]) -> Result<BTreeMap<(MerchantId, ChannelId), Way>, OutboxError> {
        let mut ways = BTreeMap::new();
        for DueDelivery { delivery, .. } in due {
            let name = (delivery.merchant.clone(), delivery.channel.clone());
            if let Entry::Vacant(place) = ways.entry(name) {
                let way = self.outbox.channel(&delivery.merchant, &delivery.channel).await?;
                place.insert(way.map(Arc::new));
            }
        }
        Ok(ways)
    }

    /// One attempt, when there is room for it.
    async fn attempt(&self, due: DueDelivery, way: Way) -> Attempt {
        let destination = way.as_deref().and_then(|(_, channel)| destination(&channel.kind));
        let destination = destination.map(|name| self.destination(name));
        // First the destination's permit, then a slot: who waits for a slow receiver takes no slot from the others. Neither
        // semaphore is ever closed.
        let _turn = match &destination {
            Some(destination) => destination.acquire().await.ok(),
            None => None,
        };
        let _slot = self.slots.acquire().await.ok();
        let at = self.clock.now();
        let sent = self.send(&due, way.as_deref(), at).await;
        let ended = self.clock.now();

        let (status, error, next) = match sent {
            Sent::Taken { status } => (Some(status), None, Next::Delivered),
            Sent::Never { status, error } => (status, Some(error), Next::Dead),
            Sent::Again { status, error, retry_after } => {
                let next = schedule::next(&due.delivery.id, due.attempt, ended, retry_after.as_deref(), &self.limits);
                (status, Some(error), next)
            }
        };
        let took_ms = ended.since_ms(at).max(0);
        let attempt =
            Attempt { delivery: due.delivery.id.clone(), number: due.attempt, at, took_ms, status, error, next };
        log(&due, &attempt);
        attempt
    }

    async fn send(&self, due: &DueDelivery, way: Option<&(Merchant, Channel)>, now: Moment) -> Sent {
        let Some((merchant, channel)) = way else {
            return Sent::never(format!("the channel {} is no longer in the merchant file", due.delivery.channel));
        };
        match &channel.kind {
            ChannelKind::Webhook { url, secret } => {
                webhook::send(&self.outbound, due, url, secret, now, self.limits.answer_bytes).await
            }
            ChannelKind::Email { smtp, from } => self.mailer.send(due, &merchant.name, smtp, from, now).await,
        }
    }

    fn destination(&self, name: String) -> Arc<Semaphore> {
        let mut destinations = self.destinations.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(destinations.entry(name).or_insert_with(|| Arc::new(Semaphore::new(PER_DESTINATION))))
    }

    /// Forgets destinations that nobody sends to now, and hangs up on idle mail servers.
    fn tidy(&self, now: Moment) {
        let mut destinations = self.destinations.lock().unwrap_or_else(PoisonError::into_inner);
        destinations.retain(|_, semaphore| Arc::strong_count(semaphore) > 1);
        drop(destinations);
        self.mailer.tidy(now);
    }
}

/// Checks a channel's settings before a merchant file is accepted.
///
/// # Errors
/// A sentence that names the key to mend, without its value.
pub fn check(kind: &ChannelKind) -> Result<(), String> {
    match kind {
        ChannelKind::Webhook { secret, .. } if webhook::key(secret).is_none() => {
            Err("`secret` of a webhook channel is `whsec_` and base64 (Standard Webhooks)".to_owned())
        }
        ChannelKind::Webhook { .. } if destination(kind).is_none() => {
            Err("`url` of a webhook channel is an absolute http or https URL".to_owned())
        }
        ChannelKind::Email { .. } if destination(kind).is_none() => {
            Err("`smtp` of an email channel is smtp://host:port or smtps://user:password@host".to_owned())
        }
        ChannelKind::Email { from, .. } if email::mailbox(from, None).is_none() => {
            Err("`from` of an email channel is an e-mail address".to_owned())
        }
        ChannelKind::Webhook { .. } | ChannelKind::Email { .. } => Ok(()),
    }
}

/// Host and port: what is not to be overrun. None if the channel's URL is none.
fn destination(kind: &ChannelKind) -> Option<String> {
    match kind {
        ChannelKind::Webhook { url, .. } => {
            let url: reqwest::Url = url.parse().ok()?;
            let web = matches!(url.scheme(), "http" | "https");
            web.then(|| Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?)))?
        }
        ChannelKind::Email { smtp, .. } => {
            email::Server::parse(smtp).map(|server| format!("{}:{}", server.host, server.port))
        }
    }
}

/// One line for each attempt, readable alone, without a word of the message or of whom it goes to.
fn log(due: &DueDelivery, attempt: &Attempt) {
    let next = match attempt.next {
        Next::Delivered => "delivered".to_owned(),
        Next::Dead => "dead".to_owned(),
        Next::Retry(at) => format!("retry in {} s", at.since_ms(attempt.at) / 1_000),
    };
    tracing::info!(
        delivery = %due.delivery.id,
        merchant = %due.delivery.merchant,
        channel = %due.delivery.channel,
        attempt = attempt.number,
        status = attempt.status,
        took_ms = attempt.took_ms,
        next,
        error = attempt.error,
        "delivery attempt"
    );
}

#[cfg(test)]
mod tests;
