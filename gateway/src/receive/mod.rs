//! The door: a route names the source, the body is read as bytes under a cap, the connector verifies, the journal writes, and only
//! then is the platform told 200. Whatever is our fault is 503 with `Retry-After`, never 4xx: some platforms never repeat those.

mod answer;
mod body;

use crate::clock::Clock;
use crate::connectors::{self, Admitted, Arrival, Cause, Rejected, Verified};
use crate::journal::{Appended, Journal};
use crate::registry::Registry;
use crate::telemetry::{Metrics, Step, Tally};
use answer::Answer;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Request};
use axum::response::Response;
use axum::routing::{get, post};
use body::{Intake, NotTaken};
use perkgate_domain::event::OWN_SOURCE;
use perkgate_domain::ids::{MerchantId, SourceId};
use perkgate_domain::limits::DoorLimits;
use perkgate_domain::programme::Source;
use perkgate_domain::time::Moment;
use std::sync::Arc;
use std::time::Instant;

/// The source's own address, which its merchant gives to the platform.
const ROUTE: &str = "/in/{merchant}/{source}";

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
    /// What is said in sum of those who were turned away.
    pub tally: Tally,
    /// How much is let in.
    pub limits: DoorLimits,
}

#[derive(Clone)]
struct Open {
    door: Door,
    intake: Intake,
}

/// The routes of the door. Its probes say whether to send here, and nothing more; the operator's pages are elsewhere.
pub fn routes(door: Door) -> Router {
    let intake = Intake::new(door.limits);
    Router::new()
        .route(ROUTE, post(take))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .with_state(Open { door, intake })
}

async fn ready(State(open): State<Open>) -> Response {
    if open.door.metrics.vitals().troubles().is_empty() {
        Answer::text(200, "ready\n")
    } else {
        Answer::text(503, "not ready\n")
    }
}

async fn take(
    State(open): State<Open>,
    Path((merchant, source)): Path<(String, String)>,
    request: Request<Body>,
) -> Response {
    let (door, began) = (&open.door, Instant::now());
    let (merchant, source) = (MerchantId::new(merchant), SourceId::new(source));
    let snapshot = door.registry.snapshot();
    // What people ask for has no signature, and never comes by this way, whatever a programme names its sources.
    let programme = snapshot.programme(&merchant).filter(|_| source.as_str() != OWN_SOURCE);
    let Some(found) = programme.and_then(|programme| programme.sources.get(&source)) else {
        if snapshot.leaves_out_source(&merchant, &source) {
            door.refuses("our_fault", || format!("`{source}` of `{merchant}` cannot be read"));
            return Answer::OurFault.respond();
        }
        door.refuses("unknown_source", || format!("there is no source `{source}` of a merchant `{merchant}`"));
        return Answer::UnknownSource.respond();
    };
    let (parts, body) = request.into_parts();
    let received_at = door.clock.now();
    let read = open.intake.read(&merchant, &parts.headers, body).await;
    door.metrics.body_bytes(open.intake.held());
    let arrival = match read {
        Ok(body) => Arrival { headers: headers(&parts.headers), body, received_at },
        Err(NotTaken::Rejected(rejected)) => return door.turn_away(&merchant, &source, &[], received_at, rejected),
        Err(NotTaken::NoRoom) => {
            door.refuses("no_room", || format!("bodies for `{source}` of `{merchant}` take all the memory they may"));
            return Answer::OurFault.respond();
        }
    };
    let started = Instant::now();
    // A rejection keeps what was sent; connectors consume the arrival. Both share the bytes.
    let kept = arrival.body.clone();
    match verify(arrival, found) {
        Ok(Admitted::Handshake { status, body }) => {
            tracing::info!(%merchant, %source, status, "handshake answered");
            Answer::text(status, &body)
        }
        Ok(Admitted::Event(verified)) => {
            drop(kept);
            door.journals(&merchant, &source, verified, (began, started)).await
        }
        Err(rejected) => door.turn_away(&merchant, &source, &kept, received_at, rejected),
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

impl Door {
    async fn journals(
        &self,
        merchant: &MerchantId,
        source: &SourceId,
        verified: Verified,
        (began, read): (Instant, Instant),
    ) -> Response {
        let stamp = verified.stamp().clone();
        let (bytes, journalling) = (verified.arrival().body.len(), Instant::now());
        match self.journal.append(merchant, source, verified, None).await {
            Ok(appended) => {
                let answer = Answer::Journalled(appended);
                self.metrics.arrival(answer.word(), read.elapsed());
                self.trace((merchant, source), appended, &stamp.topic, bytes, [began, read, journalling]);
                tracing::info!(%merchant, %source, topic = stamp.topic, delivery = stamp.dedupe, "arrival {}", answer.word());
                answer.respond()
            }
            Err(error) => {
                self.refuses("our_fault", || format!("`{source}` of `{merchant}` was answered 503: {error}"));
                Answer::OurFault.respond()
            }
        }
    }

    /// Begins the trace of an arrival: when it came, was read, and went into the journal.
    fn trace(
        &self,
        (merchant, source): (&MerchantId, &SourceId),
        appended: Appended,
        topic: &str,
        bytes: usize,
        [began, read, journalling]: [Instant; 3],
    ) {
        let Some(trace) = self.metrics.traces().of_arrival(appended.id()) else { return };
        let step = Step::new("receive", began)
            .server()
            .with("http.request.method", "POST")
            .with("http.route", ROUTE)
            .with("http.response.status_code", 200)
            .with("http.request.body.size", i64::try_from(bytes).unwrap_or(i64::MAX))
            .with("perkgate.merchant", merchant.to_string())
            .with("perkgate.source", source.to_string())
            .with("perkgate.topic", topic.to_owned())
            .with("perkgate.answer", Answer::Journalled(appended).word());
        let parts = [Step::new("verify", read).until(journalling), Step::new("journal", journalling)];
        match appended {
            Appended::Accepted(_) => trace.root(step, parts),
            // Told again: the first request stays the root.
            Appended::Duplicate(_) | Appended::Conflict(_) => trace.step(step.which(&self.clock.now().0, 0), parts),
        }
    }

    fn turn_away(
        &self,
        merchant: &MerchantId,
        source: &SourceId,
        body: &[u8],
        received_at: Moment,
        rejected: Rejected,
    ) -> Response {
        let detail = || format!("`{source}` of `{merchant}`, {} bytes: {}", body.len(), rejected.detail);
        self.refuses(rejected.cause.as_str(), detail);
        if !self.journal.reject(merchant, source, body, received_at, &rejected) {
            self.tally.note("not_kept", || "too many rejections at once; these are counted only".to_owned());
        }
        Answer::Rejected(rejected).respond()
    }

    /// Counts a refusal. What it was about is told of the first of each second.
    fn refuses(&self, cause: &'static str, about: impl FnOnce() -> String) {
        self.metrics.rejection(cause);
        self.tally.note(cause, about);
    }
}

fn headers(map: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    map.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect()
}
