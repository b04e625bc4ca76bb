//! Purchases from journalled to settled: five lines, three plugins, double entry, every commit durable; and the same with five plugins,
//! lots that mature and expire, and tiers.

use super::load::{self, Engines};
use super::pgbench;
use perkgate_domain::limits::DoorLimits;
use perkgate_gateway::clock::{Clock as _, SystemClock};
use perkgate_gateway::connectors::{self, Admitted, Arrival};
use perkgate_gateway::journal::Journal;
use perkgate_gateway::telemetry::STAGES;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// On every engine, warm, in one run with `pgbench`.
pub(super) async fn measure(engines: &Engines, purchases: u32, members: u32, time: Duration) -> anyhow::Result<Value> {
    let mut document = json!({"purchases": purchases, "members": members, "lines": 5, "plugins": 3});
    let reference = match &engines.server {
        Some(server) => Some(pgbench::measure(server, time).await?),
        None => None,
    };
    for engine in engines.names() {
        let mut measured = on(engines, engine, load::MERCHANT, purchases, members).await?;
        let full = on(engines, engine, &load::full_merchant(), purchases, members).await?;
        if let (Some(plain), Some(full)) =
            (measured["settled_per_second"].as_u64(), full["settled_per_second"].as_u64())
        {
            measured["five_plugins_to_three_percent"] = json!(full * 100 / plain.max(1));
        }
        measured["five_plugins"] = full;
        if let (Some(reference), Some(ours)) = (reference, measured["settled_per_second"].as_u64()) {
            measured["to_pgbench_percent"] = json!(ours * 100 / reference.max(1));
        }
        document[engine] = measured;
    }
    document["pgbench_n_tps"] = json!(reference);
    Ok(document)
}

async fn on(engines: &Engines, engine: &str, merchant: &str, purchases: u32, members: u32) -> anyhow::Result<Value> {
    let place = engines.place(engine, "settle").await?;
    let (gateway, source) = load::gateway_of(&place, merchant).await?;
    // Warm: every member is known, code and pages are where they are needed.
    journal_range(&gateway, &source, 0..members, members).await?;
    drain(&gateway).await?;
    let before: Vec<u64> = STAGES.iter().map(|stage| gateway.metrics.stage_us(stage)).collect();
    let started = Instant::now();
    journal_range(&gateway, &source, members..members + purchases, members).await?;
    let journalled = started.elapsed();
    let started = Instant::now();
    drain(&gateway).await?;
    let settled = started.elapsed();
    let depth = gateway.store.depth().await?;
    anyhow::ensure!(
        depth.arrivals == 0 && depth.entries == 0 && depth.parked == 0,
        "not everything was settled: {depth:?}"
    );
    let report = gateway.store.verify(None).await?;
    anyhow::ensure!(report.holds(), "the ledger does not hold: {:?}", report.problems);
    let stages: serde_json::Map<String, Value> = STAGES
        .iter()
        .zip(before)
        .map(|(stage, before)| {
            let spent = gateway.metrics.stage_us(stage) - before;
            ((*stage).to_owned(), json!(spent / u64::from(purchases.max(1))))
        })
        .collect();
    let per_second = |took: Duration| u128::from(purchases) * 1_000_000 / took.as_micros().max(1);
    let measured = json!({
        "postings": report.postings,
        "journalled_per_second": per_second(journalled),
        "settled_per_second": per_second(settled),
        "stage_us_per_purchase": stages,
    });
    drop(gateway);
    place.leave().await?;
    Ok(measured)
}

/// Purchases settled each second from purchase number `first` on, after ten thousand others.
pub(super) async fn rate(
    gateway: &Gateway,
    source: &Source,
    first: u32,
    purchases: u32,
    members: u32,
) -> anyhow::Result<u128> {
    let begin = first + 10_000;
    journal_range(gateway, source, first..begin, members).await?;
    drain(gateway).await?;
    journal_range(gateway, source, begin..begin + purchases, members).await?;
    let started = Instant::now();
    drain(gateway).await?;
    Ok(u128::from(purchases) * 1_000_000 / started.elapsed().as_micros().max(1))
}

/// Reads and settles at the same time, as the worker does, until nothing is left.
pub(super) async fn drain(gateway: &Gateway) -> anyhow::Result<()> {
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let work = tokio::spawn(gateway.worker().run(stopped));
    loop {
        let depth = gateway.store.depth().await?;
        if depth.arrivals == 0 && depth.entries == 0 {
            break;
        }
        // Seldom enough to cost nothing, often enough not to count: seconds are measured.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.send_replace(true);
    work.await?;
    Ok(())
}

type Gateway = perkgate_gateway::gateway::Gateway;
type Source = perkgate_domain::programme::Source;

/// Verifies and journals purchases as the door does, many at a time.
pub(super) async fn journal_range(
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
        let Admitted::Event(verified) =
            connector.verify(Arrival { headers, body: body.into(), received_at: now }, source)?
        else {
            anyhow::bail!("a purchase is taken for a handshake");
        };
        let permit = Arc::clone(&room).acquire_owned().await?;
        let (journal, source) = (journal.clone(), source.id.clone());
        waiting.spawn(async move {
            let appended = journal.append(&"bench".into(), &source, verified, None).await;
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
