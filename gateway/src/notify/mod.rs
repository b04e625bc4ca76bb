//! Messages go out: deliveries that the settling commit left in the outbox are claimed, sent, and every attempt recorded.
//!
//! A receiver may hear of a delivery more than once (the gateway may die between sending and recording), and knows it by the
//! delivery's id: `webhook-id` of a webhook, `Message-ID` of a mail.
//!
//! Attempts outlive the pass that began them, so that a slow receiver holds up nobody else: each pass takes in what has
//! finished and claims as much as there is room for (`flight`). [`schedule`] says when a failed one is tried again, `webhook`
//! and `email` are the two ways out. What this room needs from the store it says itself, as [`Outbox`].

mod email;
mod flight;
pub mod schedule;
mod webhook;

use crate::clock::Clock;
use crate::outbound::Outbound;
use crate::telemetry::{Step, Traces};
use async_trait::async_trait;
use flight::{Bounds, Flight, Name};
use perkgate_domain::delivery::{Attempt, DueDelivery, Next};
use perkgate_domain::ids::{ChannelId, MerchantId};
use perkgate_domain::limits::DeliveryLimits;
use perkgate_domain::member::Contact;
use perkgate_domain::programme::{Audience, Channel, ChannelKind, Merchant};
use perkgate_domain::time::Moment;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Requests under way to one destination at once: a merchant's receiver is not overrun, and a slow one holds up few.
const PER_DESTINATION: usize = 4;
/// How long a pass that has nothing else to do waits for an attempt to finish.
const LOOK: Duration = Duration::from_millis(250);
/// How often, [`LOOK`] apart, the last attempts are offered to the outbox before the process ends.
const LAST_TRIES: usize = 3;

/// What went wrong in an [`Outbox`].
pub type OutboxError = Box<dyn std::error::Error + Send + Sync>;

/// What the notifier needs to know and to write down.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Leases deliveries whose time has come: at most `most`, at most `per_channel` of each channel, and none of the channels
    /// in `full`. A lease lasts longer than twice [`DeliveryLimits::timeout_ms`]: one for a turn, one for the attempt.
    async fn due(
        &self,
        now: Moment,
        most: usize,
        per_channel: usize,
        full: &[(MerchantId, ChannelId)],
    ) -> Result<Vec<DueDelivery>, OutboxError>;
    /// Writes down what became of them, all at once, and ends their leases. What failed is offered again, though it may have
    /// been written: an attempt that is there already is to be passed over.
    async fn record(&self, attempts: Vec<Attempt>) -> Result<(), OutboxError>;
    /// A merchant and one of its channels; nothing if the channel is no longer there.
    async fn channel(
        &self,
        merchant: &MerchantId,
        channel: &ChannelId,
    ) -> Result<Option<(Merchant, Channel)>, OutboxError>;
}

/// Why a pass did not finish. Nothing is lost by it: the next one goes on where it stopped.
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

/// Sends what is due. Cheap to clone; clones share what is under way, and their passes take turns.
#[derive(Clone)]
pub struct Notifier {
    room: Arc<Room>,
    flight: Arc<Mutex<Flight>>,
}

struct Room {
    outbox: Arc<dyn Outbox>,
    outbound: Outbound,
    mailer: email::Mailer,
    clock: Arc<dyn Clock>,
    traces: Traces,
    limits: DeliveryLimits,
}

/// A delivery's way out: shared by the deliveries that are started together, none if the channel is no longer there.
type Way = Option<Arc<(Merchant, Channel)>>;

impl Notifier {
    /// Over this outbox. `outbound`'s own timeout bounds one webhook, `limits.timeout_ms` one mail; they should be the same.
    #[must_use]
    pub fn new(
        outbox: Arc<dyn Outbox>,
        outbound: Outbound,
        clock: Arc<dyn Clock>,
        traces: Traces,
        limits: DeliveryLimits,
    ) -> Self {
        let mailer = email::Mailer::new(outbound.clone(), Duration::from_millis(limits.timeout_ms));
        let flight = Arc::new(Mutex::new(Flight::new(limits.parallel)));
        Self { room: Arc::new(Room { outbox, outbound, mailer, clock, traces, limits }), flight }
    }

    /// Records the attempts that have finished, in one call, then claims and starts as many deliveries as there is room for.
    /// If there was neither, it waits a moment for an attempt to finish.
    ///
    /// Returns how many attempts were recorded and deliveries claimed, or, if none, how many attempts are still being made:
    /// nothing means that nothing is due or under way. What cannot be recorded is kept and offered again by the next pass,
    /// and until that succeeds nothing is claimed.
    pub async fn pass(&self) -> Result<usize, NotifyError> {
        let mut flight = self.flight.lock().await;
        let now = self.room.clock.now();
        self.room.mailer.tidy(now);
        flight.gather();
        let mut count = self.room.record(&mut flight).await?;
        count += self.room.claim(&mut flight, now).await?;
        if count > 0 || flight.sending() == 0 {
            return Ok(count);
        }
        let _ = tokio::time::timeout(LOOK, flight.lands()).await;
        let recorded = self.room.record(&mut flight).await?;
        Ok(if recorded > 0 { recorded } else { flight.sending() })
    }

    /// Waits for the attempts being made, which takes no longer than an attempt may, and records them. Claims and begins
    /// nothing: what was claimed and still waits for its turn comes back when its lease ends. To be called after the last pass.
    pub async fn finish(&self) {
        let mut flight = self.flight.lock().await;
        while flight.lands().await {
            // Each as soon as it is there, since whoever stops the process may lose patience. What fails is tried again below.
            let _ = self.room.record(&mut flight).await;
        }
        for tries in 1.. {
            let Err(error) = self.room.record(&mut flight).await else { return };
            if tries == LAST_TRIES {
                let count = flight.unrecorded.len();
                tracing::error!(count, "{error}; the receivers of these deliveries will hear of them again");
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Room {
    /// Records what has finished; what cannot be recorded stays where it is.
    async fn record(&self, flight: &mut Flight) -> Result<usize, NotifyError> {
        let count = flight.unrecorded.len();
        if count > 0 {
            self.outbox.record(flight.unrecorded.clone()).await.map_err(failed("record the attempts"))?;
            flight.unrecorded.clear();
        }
        Ok(count)
    }

    /// Claims what there is room for, and starts it.
    async fn claim(self: &Arc<Self>, flight: &mut Flight, now: Moment) -> Result<usize, NotifyError> {
        let patience = i64::try_from(self.limits.timeout_ms).unwrap_or(i64::MAX);
        flight.let_go(now.plus_ms(-patience));
        self.start(flight).await?;
        let Bounds { most, per_channel, full } = flight.bounds();
        if most == 0 {
            return Ok(0);
        }
        let due = self.outbox.due(now, most, per_channel, &full).await.map_err(failed("claim what is due"))?;
        let count = flight.claimed(due, now);
        self.start(flight).await?;
        Ok(count)
    }

    /// Starts what has been claimed and has room. Every channel is looked up before anything is sent: if the store is in
    /// trouble, nobody gets a message twice for it.
    async fn start(self: &Arc<Self>, flight: &mut Flight) -> Result<(), NotifyError> {
        let mut ways: BTreeMap<Name, Way> = BTreeMap::new();
        for name in flight.wanted() {
            let way = self.outbox.channel(&name.0, &name.1).await.map_err(failed("look up a channel"))?;
            ways.insert(name, way.map(Arc::new));
        }
        flight.start(&ways, |due, way| {
            let room = Arc::clone(self);
            async move { room.attempt(due, way).await }
        });
        Ok(())
    }

    /// One attempt, bounded by the time limit.
    async fn attempt(&self, due: DueDelivery, way: Way) -> Attempt {
        let (at, began) = (self.clock.now(), Instant::now());
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
        let attempt = Attempt {
            delivery: due.delivery.id.clone(),
            merchant: due.delivery.merchant.clone(),
            channel: due.delivery.channel.clone(),
            number: due.attempt,
            at,
            took_ms: ended.since_ms(at).max(0),
            status,
            error,
            next,
        };
        log(&due, &attempt);
        self.trace(&due, &attempt, began);
        attempt
    }

    fn trace(&self, due: &DueDelivery, attempt: &Attempt, began: Instant) {
        let delivery = &due.delivery;
        let Some(trace) = self.traces.of_entry(delivery.entry, due.arrival) else { return };
        let step = Step::new("deliver", began)
            .client()
            .which(&delivery.id, attempt.number.into())
            .with("perkgate.merchant", delivery.merchant.to_string())
            .with("perkgate.delivery", delivery.id.to_string())
            .with("perkgate.channel", delivery.channel.to_string())
            .with("perkgate.attempt", i64::from(attempt.number))
            .failed(attempt.error.as_deref());
        let status = attempt.status.map(i64::from);
        trace.step(status.into_iter().fold(step, |step, status| step.with("http.response.status_code", status)), []);
    }

    async fn send(&self, due: &DueDelivery, way: Option<&(Merchant, Channel)>, now: Moment) -> Sent {
        let Some((merchant, channel)) = way else {
            return Sent::never(format!("the channel {} is no longer in the merchant file", due.delivery.channel));
        };
        match &channel.kind {
            ChannelKind::Webhook { url, secret } => {
                webhook::send(&self.outbound, due, url, secret, now, self.limits.answer_bytes).await
            }
            ChannelKind::Email { smtp, from, to } => {
                let mut due = due.clone();
                if channel.audience == Audience::Merchant {
                    due.contact = Contact { email: to.clone(), ..Contact::default() };
                }
                self.mailer.send(&due, &merchant.name, smtp, from, now).await
            }
        }
    }
}

/// Says what could not be done.
fn failed(doing: &'static str) -> impl Fn(OutboxError) -> NotifyError {
    move |source| NotifyError { doing, source }
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
