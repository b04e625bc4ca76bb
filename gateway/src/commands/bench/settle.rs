//! Purchases from journalled to settled: five lines, three plugins, double entry, on SQLite with every commit durable.

use super::load::{self, Place};
use perkgate_domain::limits::DoorLimits;
use perkgate_gateway::clock::{Clock as _, SystemClock};
use perkgate_gateway::connectors::{self, Admitted, Arrival};
use perkgate_gateway::journal::Journal;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

pub(super) async fn measure(purchases: u32, members: u32) -> anyhow::Result<Value> {
    let place = Place::new("settle");
    let (gateway, source) = load::gateway(&place).await?;
    let started = Instant::now();
    journal(&gateway, &source, purchases, members).await?;
    let journalled = started.elapsed();
    let (mut reading, mut settling) = (Duration::ZERO, Duration::ZERO);
    loop {
        let started = Instant::now();
        let read = gateway.pipeline.read().await?;
        reading += started.elapsed();
        let started = Instant::now();
        let settled = gateway.pipeline.settle().await?;
        settling += started.elapsed();
        if read + settled == 0 {
            break;
        }
    }
    let depth = gateway.store.depth().await?;
    anyhow::ensure!(
        depth.arrivals == 0 && depth.entries == 0 && depth.parked == 0,
        "not everything was settled: {depth:?}"
    );
    let report = gateway.store.verify(None).await?;
    anyhow::ensure!(report.holds(), "the ledger does not hold: {:?}", report.problems);
    let single = one_by_one(purchases.min(200)).await?;
    let per_second = |count: u32, took: Duration| u128::from(count) * 1_000_000 / took.as_micros().max(1);
    let batched = per_second(purchases, reading + settling);
    Ok(json!({
        "purchases": purchases, "members": members, "lines": 5, "plugins": 3, "postings": report.postings,
        "journalled_per_second": per_second(purchases, journalled),
        "settled_per_second": batched,
        "read_us_per_purchase": reading.as_micros() / u128::from(purchases.max(1)),
        "settle_us_per_purchase": settling.as_micros() / u128::from(purchases.max(1)),
        "settled_per_second_one_by_one": single,
        "batched_to_one_by_one_percent": batched * 100 / single.max(1),
    }))
}

/// The same with a commit for each purchase: what batches are worth.
async fn one_by_one(purchases: u32) -> anyhow::Result<u128> {
    let place = Place::new("single");
    let (gateway, source) = load::gateway(&place).await?;
    let mut took = Duration::ZERO;
    for number in 0..purchases {
        journal_range(&gateway, &source, number..number + 1, 50).await?;
        let started = Instant::now();
        gateway.pipeline.drain().await?;
        took += started.elapsed();
    }
    Ok(u128::from(purchases) * 1_000_000 / took.as_micros().max(1))
}

type Gateway = perkgate_gateway::gateway::Gateway;
type Source = perkgate_domain::programme::Source;

async fn journal(gateway: &Gateway, source: &Source, purchases: u32, members: u32) -> anyhow::Result<()> {
    journal_range(gateway, source, 0..purchases, members).await
}

/// Verifies and journals purchases as the door does, many at a time.
async fn journal_range(
    gateway: &Gateway,
    source: &Source,
    range: std::ops::Range<u32>,
    members: u32,
) -> anyhow::Result<()> {
    let limits = DoorLimits { patience_ms: 60_000, ..DoorLimits::default() };
    let (journal, writers) = Journal::start(Arc::clone(&gateway.store), Arc::clone(&gateway.vault), limits, None);
    let connector = connectors::find(&source.platform).ok_or_else(|| anyhow::anyhow!("no connector"))?;
    let room = Arc::new(Semaphore::new(limits.commit * 2));
    let mut waiting = JoinSet::new();
    for number in range {
        let now = SystemClock.now();
        let body = load::body(number, members, now);
        let headers = load::signed(&body, number, source, now)?;
        let headers =
            headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value.into_bytes())).collect();
        let Admitted::Event(verified) = connector.verify(Arrival { headers, body, received_at: now }, source)? else {
            anyhow::bail!("a purchase is taken for a handshake");
        };
        let permit = Arc::clone(&room).acquire_owned().await?;
        let (journal, source) = (journal.clone(), source.id.clone());
        waiting.spawn(async move {
            let appended = journal.append(&"bench".into(), &source, verified).await;
            drop(permit);
            appended
        });
    }
    while let Some(appended) = waiting.join_next().await {
        appended??;
    }
    drop(journal);
    for writer in writers {
        writer.await?;
    }
    Ok(())
}
