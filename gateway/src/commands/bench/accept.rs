//! Signed webhooks over HTTP on kept-alive connections, with settling going on behind the door: the most that can be journalled durably, how
//! long a sender waits at half of that, and what twice as much does to the answers.
//!
//! At a fixed rate each request has its moment, and what it waits for its connection counts as waiting. At twice the most that is no
//! measure of the gateway any more (nobody can be sent more than it takes), so there the answers count, from each request's sending.

use super::Times;
use super::load::{self, Engines};
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use perkgate_domain::programme::Source;
use perkgate_gateway::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Connections for twice the most: enough that senders seldom wait for each other. Both ends are files of this one process, of which
/// many systems allow 1,024.
const CROWD: usize = 400;
/// Members they are from.
const MEMBERS: u32 = 2_000;

pub(super) async fn measure(engines: &Engines, connections: usize, time: Duration) -> anyhow::Result<Value> {
    let mut document = json!({"connections": connections});
    for engine in engines.names() {
        document[engine] = on(engines, engine, connections, time).await?;
    }
    Ok(document)
}

async fn on(engines: &Engines, engine: &str, connections: usize, time: Duration) -> anyhow::Result<Value> {
    let place = engines.place(engine, "accept").await?;
    let (gateway, source) = load::gateway(&place).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let to = listener.local_addr()?;
    let (stop, mut stopped) = watch::channel(false);
    let serving = tokio::spawn({
        let gateway = gateway.clone();
        async move { gateway.serve(listener, async move { drop(stopped.wait_for(|stop| *stop).await) }).await }
    });
    let next = Arc::new(AtomicU32::new(0));
    let load = |connections, pace, from_moment| {
        let (source, next) = (source.clone(), Arc::clone(&next));
        Load { to, source, next, connections, pace, from_moment, time }
    };
    let most = run(load(connections, None, false)).await?;
    let rate = most.accepted_per_second(time);
    rest(&gateway).await?;
    let half = run(load(connections, Some(rate / 2), true)).await?;
    rest(&gateway).await?;
    let twice = run(load(CROWD, Some(rate * 2), false)).await?;
    let _ = stop.send(true);
    serving.await??;
    drop(gateway);
    place.leave().await?;
    Ok(json!({
        "most": most.said(time), "at_half_of_that": half.said(time), "at_twice_that": twice.said(time),
    }))
}

/// Until everything is settled, so that one measurement does not pay for another.
async fn rest(gateway: &perkgate_gateway::gateway::Gateway) -> anyhow::Result<()> {
    loop {
        let depth = gateway.store.depth().await?;
        if depth.arrivals == 0 && depth.entries == 0 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

struct Load {
    to: SocketAddr,
    source: Source,
    next: Arc<AtomicU32>,
    connections: usize,
    /// Requests each second; as many as can be, if none.
    pace: Option<u64>,
    /// Counts from each request's moment rather than from its sending.
    from_moment: bool,
    time: Duration,
}

#[derive(Default)]
struct Run {
    accepted: Times,
    /// Answers 503.
    refused: Times,
}

impl Run {
    fn accepted_per_second(&self, time: Duration) -> u64 {
        u64::try_from(self.accepted.0.len()).unwrap_or(0) * 1_000 / u64::try_from(time.as_millis()).unwrap_or(1).max(1)
    }
    fn said(mut self, time: Duration) -> Value {
        let us = |times: &mut Times, permille| times.within(permille) / 1_000;
        json!({
            "accepted_per_second": self.accepted_per_second(time),
            "latency_us": {"p50": us(&mut self.accepted, 500), "p99": us(&mut self.accepted, 990),
                           "p999": us(&mut self.accepted, 999), "max": us(&mut self.accepted, 1000)},
            "answered_503": self.refused.0.len(),
            "refusal_us": {"p50": us(&mut self.refused, 500), "max": us(&mut self.refused, 1000)},
        })
    }
}

async fn run(load: Load) -> anyhow::Result<Run> {
    let load = Arc::new(load);
    // Connections are made one after another beforehand: hundreds at once wait for the system's queue, not for the gateway.
    let begin = Instant::now() + Duration::from_millis(u64::try_from(load.connections)?) + Duration::from_millis(200);
    let mut senders = JoinSet::new();
    for place in 0..load.connections {
        senders.spawn(send(Arc::clone(&load), place, begin));
    }
    let mut all = Run::default();
    while let Some(sent) = senders.join_next().await {
        let run = sent??;
        all.accepted.0.extend(run.accepted.0);
        all.refused.0.extend(run.refused.0);
    }
    Ok(all)
}

/// One connection: one request after the other until the end.
async fn send(load: Arc<Load>, place: usize, begin: Instant) -> anyhow::Result<Run> {
    tokio::time::sleep(Duration::from_millis(u64::try_from(place)?)).await;
    let stream = TcpStream::connect(load.to).await?;
    stream.set_nodelay(true)?;
    let (mut connection, driver) = handshake::<_, Full<Bytes>>(TokioIo::new(stream)).await?;
    let driving = tokio::spawn(driver);
    let end = begin + load.time;
    // Each connection sends at its own beat, the connections one after another.
    let beat = load.pace.map(|pace| {
        Duration::from_secs(1) * u32::try_from(load.connections).unwrap_or(1)
            / u32::try_from(pace.max(1)).unwrap_or(u32::MAX)
    });
    let mut moment = begin
        + beat.unwrap_or_default() * u32::try_from(place).unwrap_or(0) / u32::try_from(load.connections).unwrap_or(1);
    let mut run = Run::default();
    while Instant::now().max(moment) < end {
        let request = request(&load)?;
        tokio::time::sleep_until(moment.into()).await;
        let from = if load.from_moment { moment } else { Instant::now() };
        match answer(&mut connection, request).await? {
            200 => run.accepted.add(from.elapsed()),
            503 => run.refused.add(from.elapsed()),
            status => anyhow::bail!("the door says {status}"),
        }
        moment += beat.unwrap_or_default();
    }
    drop(connection);
    driving.await??;
    Ok(run)
}

fn request(load: &Load) -> anyhow::Result<Request<Full<Bytes>>> {
    let number = load.next.fetch_add(1, Ordering::Relaxed);
    let now = SystemClock.now();
    let body = load::body(number, MEMBERS, now);
    let mut request = Request::post("/in/bench/till").header("host", load.to.to_string());
    for (name, value) in load::signed(&body, number, &load.source, now)? {
        request = request.header(name, value);
    }
    Ok(request.body(Full::from(body))?)
}

async fn answer(connection: &mut SendRequest<Full<Bytes>>, request: Request<Full<Bytes>>) -> anyhow::Result<u16> {
    connection.ready().await?;
    let answer = connection.send_request(request).await?;
    let status = answer.status().as_u16();
    answer.into_body().collect().await?;
    Ok(status)
}
