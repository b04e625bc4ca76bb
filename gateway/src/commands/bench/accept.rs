//! Signed webhooks over HTTP on kept-alive connections: how many are journalled durably each second, and how long a sender waits for its 200,
//! with settling going on behind the door.

use super::Times;
use super::load::{self, Place};
use perkgate_domain::programme::Source;
use perkgate_gateway::clock::{Clock as _, SystemClock};
use perkgate_gateway::outbound::Outbound;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub(super) async fn measure(connections: usize, time: Duration) -> anyhow::Result<Value> {
    let place = Place::new("accept");
    let (gateway, source) = load::gateway(&place).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let to: Arc<str> = format!("http://{}/in/bench/till", listener.local_addr()?).into();
    let (stop, mut stopped) = watch::channel(false);
    let serving = tokio::spawn({
        let gateway = gateway.clone();
        async move { gateway.serve(listener, async move { drop(stopped.wait_for(|stop| *stop).await) }).await }
    });
    let next = Arc::new(AtomicU32::new(0));
    let (started, mut senders) = (Instant::now(), JoinSet::new());
    for _ in 0..connections {
        // One client each: a connection is not shared.
        let outbound = Outbound::new(true, Duration::from_secs(15))?;
        senders.spawn(send(outbound, Arc::clone(&to), source.clone(), Arc::clone(&next), started + time));
    }
    let (mut times, mut busy) = (Times::default(), 0_u32);
    while let Some(sent) = senders.join_next().await {
        let (mine, refused) = sent??;
        times.0.extend(mine.0);
        busy += refused;
    }
    let took = started.elapsed();
    let accepted = times.0.len();
    let _ = stop.send(true);
    serving.await??;
    Ok(json!({
        "connections": connections, "accepted": accepted, "answered_503": busy,
        "accepted_per_second": u128::try_from(accepted)? * 1_000_000 / took.as_micros().max(1),
        "latency_us": {"p50": times.within(500) / 1000, "p99": times.within(990) / 1000, "p999": times.within(999) / 1000},
    }))
}

/// One sender: one request after the other until the end.
async fn send(
    outbound: Outbound,
    to: Arc<str>,
    source: Source,
    next: Arc<AtomicU32>,
    end: Instant,
) -> anyhow::Result<(Times, u32)> {
    let (mut times, mut busy) = (Times::default(), 0);
    while Instant::now() < end {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let now = SystemClock.now();
        let body = load::body(number, 2_000, now);
        let headers = load::signed(&body, number, &source, now)?;
        let started = Instant::now();
        let answer = outbound.post(&to, &headers, body, 4096).await?;
        match answer.status {
            200 => times.add(started.elapsed()),
            503 => busy += 1,
            status => anyhow::bail!("the door says {status}: {}", String::from_utf8_lossy(&answer.body)),
        }
    }
    Ok((times, busy))
}
