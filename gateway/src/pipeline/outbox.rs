//! The notifier's outbox, in the store: contact data is opened here, for one attempt, and nowhere kept.

use super::lock;
use crate::identity::contact_context;
use crate::notify::{Outbox, OutboxError};
use crate::registry::Registry;
use crate::store::{Claim, ContactField, Store};
use crate::telemetry::Metrics;
use crate::vault::Vault;
use async_trait::async_trait;
use perkgate_domain::delivery::{Attempt, DueDelivery, Next};
use perkgate_domain::ids::{ChannelId, MerchantId};
use perkgate_domain::limits::BreakerLimits;
use perkgate_domain::member::Contact;
use perkgate_domain::programme::{Channel, Merchant};
use perkgate_domain::time::Moment;
use std::sync::{Arc, Mutex};

/// Longer than a delivery can be under way with the default limits, several times its time limit; what a process that died had
/// claimed is due again after this.
const LEASE_MS: i64 = 60_000;
/// Channels served by one claim.
const TURNS: usize = 256;

/// See the module's head.
pub struct StoreOutbox {
    store: Arc<dyn Store>,
    registry: Arc<Registry>,
    vault: Arc<Vault>,
    metrics: Metrics,
    breaker: BreakerLimits,
    /// Behind which channel the next claim begins: `merchant/channel`.
    last: Mutex<String>,
}

impl std::fmt::Debug for StoreOutbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreOutbox").finish_non_exhaustive()
    }
}

impl StoreOutbox {
    /// Over this store.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        registry: Arc<Registry>,
        vault: Arc<Vault>,
        metrics: Metrics,
        breaker: BreakerLimits,
    ) -> Self {
        Self { store, registry, vault, metrics, breaker, last: Mutex::default() }
    }

    fn open(&self, merchant: &MerchantId, fields: &[ContactField]) -> Contact {
        let field = |name: &str| {
            let found = fields.iter().find(|field| field.field == name)?;
            match self.vault.open(&contact_context(merchant, name), &found.sealed) {
                Ok(plain) => String::from_utf8(plain).ok(),
                Err(error) => {
                    tracing::error!(%merchant, field = name, "contact data cannot be opened: {error}");
                    None
                }
            }
        };
        Contact { email: field("email"), phone: field("phone"), name: field("name") }
    }
}

#[async_trait]
impl Outbox for StoreOutbox {
    async fn due(
        &self,
        now: Moment,
        most: usize,
        per_channel: usize,
        full: &[(MerchantId, ChannelId)],
    ) -> Result<Vec<DueDelivery>, OutboxError> {
        let after = lock(&self.last).clone();
        // A channel that cannot be read now would look like one that is gone.
        let snapshot = self.registry.snapshot();
        let left_out = snapshot.left_out_channels().map(|(merchant, channel)| (merchant.clone(), channel.clone()));
        let full: Vec<_> = full.iter().cloned().chain(left_out).collect();
        let claim = Claim { now, after, turns: TURNS, most, lease_ms: LEASE_MS };
        let rows = self.store.due(&claim, per_channel, &full, &self.breaker).await?;
        *lock(&self.last) =
            rows.last().map(|row| format!("{}/{}", row.delivery.merchant, row.delivery.channel)).unwrap_or_default();
        Ok(rows
            .into_iter()
            .map(|row| {
                let contact = self.open(&row.delivery.merchant, &row.contact);
                DueDelivery { delivery: row.delivery, attempt: row.attempt, arrival: row.arrival, contact }
            })
            .collect())
    }

    async fn record(&self, attempts: Vec<Attempt>) -> Result<(), OutboxError> {
        self.store.record(&attempts, &self.breaker).await?;
        // Counted once they are written: what fails is offered again.
        for attempt in &attempts {
            self.metrics.attempt(match attempt.next {
                Next::Delivered => "delivered",
                Next::Retry(_) => "retry",
                Next::Dead => "dead",
            });
        }
        Ok(())
    }

    async fn channel(
        &self,
        merchant: &MerchantId,
        channel: &ChannelId,
    ) -> Result<Option<(Merchant, Channel)>, OutboxError> {
        let snapshot = self.registry.snapshot();
        Ok(snapshot
            .programme(merchant)
            .and_then(|programme| Some((programme.merchant.clone(), programme.channels.get(channel)?.clone()))))
    }
}
