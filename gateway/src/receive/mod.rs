//! The door: a route names the source, the body is read as bytes under a cap, the connector verifies, the journal writes, and only
//! then is the platform told 200. Whatever is our fault is 503 with `Retry-After`, never 4xx: some platforms never repeat those.

mod answer;

use crate::clock::Clock;
use crate::connectors::{self, Admitted, Arrival, Cause, Rejected, Verified};
use crate::journal::Journal;
use crate::registry::Registry;
use crate::telemetry::Metrics;
use answer::Answer;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Request, header::CONTENT_LENGTH};
use axum::response::Response;
use axum::routing::{get, post};
use http_body_util::BodyExt as _;
use perkgate_domain::event::OWN_SOURCE;
use perkgate_domain::ids::{MerchantId, SourceId};
use perkgate_domain::limits::DoorLimits;
use perkgate_domain::programme::Source;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a sender may take to send its body.
const BODY_TIME: Duration = Duration::from_secs(20);
/// What is read and thrown away of a body beyond the cap, so that its sender is done writing and hears the 413 rather than a broken
/// connection.
const DISCARDED: usize = 4 * 1024 * 1024;
/// For how long.
const DISCARD_TIME: Duration = Duration::from_millis(500);

/// What the door needs.
#[derive(Clone)]
pub struct Door {
    /// Whose sources there are.
    pub registry: Arc<Registry>,
    /// Where verified arrivals go.
    pub journal: Journal,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// What the operator sees.
    pub metrics: Metrics,
    /// How much is let in.
    pub limits: DoorLimits,
}

/// The routes of the door and of the operator's probes.
pub fn routes(door: Door) -> Router {
    Router::new()
        .route("/in/{merchant}/{source}", post(take))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(door)
}

/// Ready means: the programmes are read and the database answers.
async fn ready(State(door): State<Door>) -> Response {
    match door.registry.refresh().await {
        Ok(_) => Answer::text(200, "ready\n"),
        Err(error) => {
            // Asked every few seconds; whoever works with the database says it once.
            tracing::debug!("not ready: {error}");
            Answer::text(503, "the database does not answer\n")
        }
    }
}

async fn metrics(State(door): State<Door>) -> Response {
    match door.metrics.render() {
        Ok(text) => Answer::text(200, &text),
        Err(_) => Answer::text(500, "the metrics cannot be written\n"),
    }
}

async fn take(
    State(door): State<Door>,
    Path((merchant, source)): Path<(String, String)>,
    request: Request<Body>,
) -> Response {
    let (merchant, source) = (MerchantId::new(merchant), SourceId::new(source));
    let snapshot = door.registry.snapshot();
    // What people ask for has no signature, and never comes by this way, whatever a programme names its sources.
    let programme = snapshot.programme(&merchant).filter(|_| source.as_str() != OWN_SOURCE);
    let Some(found) = programme.and_then(|programme| programme.sources.get(&source)) else {
        if snapshot.leaves_out_source(&merchant, &source) {
            door.metrics.rejection("our_fault");
            return Answer::OurFault.respond();
        }
        door.metrics.rejection("unknown_source");
        return Answer::UnknownSource.respond();
    };
    let (parts, body) = request.into_parts();
    let received_at = door.clock.now();
    let arrival = match read(&parts.headers, body, &door.limits).await {
        Ok(body) => Arrival { headers: headers(&parts.headers), body, received_at },
        Err(rejected) => return turn_away(&door, &merchant, &source, &[], received_at, rejected),
    };
    let started = Instant::now();
    // A rejection keeps what was sent; connectors consume the arrival.
    let kept = arrival.body.clone();
    match verify(arrival, found) {
        Ok(Admitted::Handshake { status, body }) => {
            tracing::info!(%merchant, %source, status, "handshake answered");
            Answer::text(status, &body)
        }
        Ok(Admitted::Event(verified)) => journal(&door, &merchant, &source, verified, started).await,
        Err(rejected) => turn_away(&door, &merchant, &source, &kept, received_at, rejected),
    }
}

fn verify(arrival: Arrival, source: &Source) -> Result<Admitted, Rejected> {
    if source.paused {
        return Err(Rejected { cause: Cause::Paused, detail: "the merchant paused this source".to_owned() });
    }
    let Some(connector) = connectors::find(&source.platform) else {
        return Err(Rejected::unreadable(format!("this gateway has no connector for `{}`", source.platform)));
    };
    let admitted = connector.verify(arrival, source)?;
    if let Admitted::Event(verified) = &admitted {
        verified.stamp().check()?;
    }
    Ok(admitted)
}

async fn journal(
    door: &Door,
    merchant: &MerchantId,
    source: &SourceId,
    verified: Verified,
    started: Instant,
) -> Response {
    let stamp = verified.stamp().clone();
    match door.journal.append(merchant, source, verified, None).await {
        Ok(appended) => {
            let answer = Answer::Journalled(appended);
            door.metrics.arrival(answer.word(), started.elapsed());
            tracing::info!(%merchant, %source, topic = stamp.topic, delivery = stamp.dedupe, "arrival {}", answer.word());
            answer.respond()
        }
        Err(error) => {
            door.metrics.rejection("our_fault");
            tracing::debug!(%merchant, %source, "answered 503: {error}");
            Answer::OurFault.respond()
        }
    }
}

fn turn_away(
    door: &Door,
    merchant: &MerchantId,
    source: &SourceId,
    body: &[u8],
    received_at: perkgate_domain::time::Moment,
    rejected: Rejected,
) -> Response {
    door.metrics.rejection(rejected.cause.as_str());
    tracing::info!(%merchant, %source, cause = rejected.cause.as_str(), bytes = body.len(), "arrival rejected: {}", rejected.detail);
    door.journal.reject(merchant, source, body, received_at, &rejected);
    Answer::Rejected(rejected).respond()
}

async fn read(headers: &HeaderMap, mut body: Body, limits: &DoorLimits) -> Result<Vec<u8>, Rejected> {
    let most = limits.body_bytes;
    let too_large = || Rejected { cause: Cause::TooLarge, detail: format!("the body has more than {most} bytes") };
    // A declared length saves reading 100 MiB to find out that it is too much.
    let declared =
        headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|text| text.parse::<usize>().ok());
    if declared.is_some_and(|length| length > most + DISCARDED) {
        return Err(too_large());
    }
    let reading = async {
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Rejected::unreadable("the body ended before its length was reached"))?;
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len().saturating_add(data.len()) > most {
                return Err(too_large());
            }
            bytes.extend_from_slice(&data);
        }
        Ok(bytes)
    };
    let slow = || Rejected::unreadable(format!("the body did not arrive within {} s", BODY_TIME.as_secs()));
    let result = tokio::time::timeout(BODY_TIME, reading).await.unwrap_or_else(|_| Err(slow()));
    if result.as_ref().is_err_and(|rejected| rejected.cause == Cause::TooLarge) {
        // What comes of it does not matter: it is only so that the sender hears the answer.
        let _ = tokio::time::timeout(DISCARD_TIME, discard(body)).await;
    }
    result
}

/// Reads a bounded rest of a body and throws it away.
async fn discard(mut body: Body) {
    let mut seen = 0;
    while let Some(Ok(frame)) = body.frame().await {
        seen += frame.data_ref().map_or(0, axum::body::Bytes::len);
        if seen > DISCARDED {
            break;
        }
    }
}

fn headers(map: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    map.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect()
}
