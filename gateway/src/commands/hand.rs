//! Doing errands from the command line: journalled like everybody's, and done by this very process, whether a gateway serves or not.

use super::Database;
use anyhow::Context as _;
use perkgate_domain::ids::{ArrivalId, MerchantId};
use perkgate_domain::programme::Programme;
use perkgate_gateway::errand::{self, Errand, ErrandError, Outcome};
use perkgate_gateway::gateway::Gateway;
use perkgate_gateway::journal::{Handover, Journal};
use perkgate_gateway::keyring;
use perkgate_gateway::store::Schema;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// How long to work on one errand. Longer than a lease: what a process held that died meanwhile is taken over.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks while somebody else is at it.
const PAUSE: Duration = Duration::from_millis(20);

/// A gateway without a door, that does what it is told.
pub(super) struct Hand {
    pub(super) gateway: Gateway,
    journal: Journal,
    writers: [JoinHandle<()>; 2],
}

/// One errand and its idempotency key.
pub(super) struct Order<'a> {
    pub(super) merchant: &'a MerchantId,
    pub(super) key: &'a str,
    pub(super) errand: Errand,
}

impl Hand {
    /// On a database whose tables are up to date.
    pub(super) async fn open(database: &Database) -> anyhow::Result<Self> {
        // A gateway would bring the tables up to date, or make a database where a path is misspelt.
        let (store, _) = database.open(Schema::Current).await?;
        store.close().await;
        let config = database.config();
        let limits = config.door;
        let gateway = Gateway::open(config).await?;
        gateway.registry.loaded().await;
        let handover: Arc<dyn Handover> = Arc::new(gateway.pipeline.clone());
        let (journal, writers) =
            Journal::start(Arc::clone(&gateway.store), Arc::clone(&gateway.vault), limits, Some(handover));
        Ok(Self { gateway, journal, writers })
    }

    /// A merchant's programme.
    pub(super) async fn programme(&self, merchant: &MerchantId) -> anyhow::Result<Arc<Programme>> {
        // Says who there is, if not this one.
        super::member::programme(self.gateway.store.as_ref(), merchant).await?;
        let snapshot = self.gateway.registry.snapshot();
        snapshot.programme(merchant).cloned().context("the programme was changed this very moment; run this again")
    }

    /// Writes an errand down and does it. Answers what it came to, done or refused.
    pub(super) async fn outcome(&self, order: &Order<'_>) -> anyhow::Result<Outcome> {
        let Order { merchant, key, errand } = order;
        let now = self.gateway.clock().now();
        // A campaign may last: keys may be rotated meanwhile.
        keyring::look(self.gateway.store.as_ref(), &self.gateway.vault).await?;
        let arrival = errand::append(&self.journal, merchant, key, errand, &super::actor(), now).await?;
        let outcome = tokio::time::timeout(PATIENCE, self.work(merchant, arrival)).await.unwrap_or_else(|_| {
            Err(anyhow::Error::from(ErrandError::Slow).context(format!("not done within {} s", PATIENCE.as_secs())))
        });
        outcome.with_context(|| format!("what was asked for under the key {key} is not done"))
    }

    async fn work(&self, merchant: &MerchantId, arrival: ArrivalId) -> anyhow::Result<Outcome> {
        let (store, pipeline) = (self.gateway.store.as_ref(), &self.gateway.pipeline);
        loop {
            if let Some(outcome) = errand::outcome(store, merchant, arrival).await? {
                return Ok(outcome);
            }
            // A process that serves may be first with any of it; then the next pass sees what it did.
            let done = match (pipeline.read().await, pipeline.settle().await) {
                (Ok(read), Ok(settled)) => read + settled,
                (Err(error), _) | (_, Err(error)) => {
                    tracing::debug!("a pass is done again: {error}");
                    0
                }
            };
            if done == 0 {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Gives back what it took over besides, and hangs up.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        let Self { gateway, journal, writers } = self;
        drop(journal);
        for writer in writers {
            writer.await?;
        }
        gateway.pipeline.let_go().await?;
        gateway.store.close().await;
        Ok(())
    }

    /// One errand on its own, and that is it. One that the rules refuse is an error.
    pub(super) async fn once(self, order: &Order<'_>) -> anyhow::Result<Outcome> {
        let done = self.outcome(order).await;
        let closed = self.close().await;
        let outcome = done?;
        closed?;
        match outcome.refused(&order.errand) {
            None => Ok(outcome),
            Some(why) => anyhow::bail!("refused: {why}"),
        }
    }
}

/// The key given, or one that nobody else will draw.
pub(super) fn key_or_drawn(given: Option<String>) -> anyhow::Result<String> {
    if let Some(key) = given {
        return Ok(key);
    }
    let mut random = [0_u8; 16];
    getrandom::fill(&mut random).context("the system gives no random bytes to draw a key from; name one with --key")?;
    Ok(format!("cli-{}", hex::encode(random)))
}

/// Tells what an errand came to.
pub(super) fn print(outcome: &Outcome, json: bool) -> anyhow::Result<()> {
    if json {
        return super::print_json(&serde_json::to_value(outcome)?);
    }
    let member = outcome.member.as_ref().map_or("nobody", |member| member.as_str());
    super::say(&format!("done: entry {}, {member}", outcome.entry));
    for reward in &outcome.rewards {
        super::say(&format!("  {}  {}  code {}", reward.id, reward.title, reward.code));
    }
    Ok(())
}
