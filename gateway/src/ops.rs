//! The operator's pages, on a listener of their own: metrics, whether work should be sent here, and what stands still and since when.
//! Looking changes nothing: what is shown was found out by those who do the work, or is read from the database.

use crate::clock::Clock;
use crate::registry::Registry;
use crate::store::{Store, StuckView};
use crate::telemetry::{Metrics, Standstill};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode, header};
use axum::routing::get;
use perkgate_domain::time::Moment;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How often a trial write is made.
const PROBE: Duration = Duration::from_secs(2);
/// How long it, or a look at what stands still, may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a look is good for: however many ask, the database is asked once.
const FRESH: Duration = Duration::from_secs(1);

/// The latest look at what stands still, and when it was.
type Seen = Option<(Instant, Arc<StuckView>)>;

/// What the pages are made from. Cheap to clone.
#[derive(Clone)]
pub struct Ops {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    registry: Arc<Registry>,
    seen: Arc<Mutex<Seen>>,
}

impl Ops {
    /// Of this gateway.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, metrics: Metrics, registry: Arc<Registry>) -> Self {
        Self { store, clock, metrics, registry, seen: Arc::default() }
    }

    /// Finds out whether the database can be written.
    pub async fn probe(&self) {
        let written = match tokio::time::timeout(PATIENCE, self.store.probe()).await {
            Ok(written) => written.map_err(|error| error.to_string()),
            Err(_) => Err(format!("a trial write took more than {} s", PATIENCE.as_secs())),
        };
        self.metrics.vitals().wrote(written);
    }

    /// Does so every few seconds, for ever.
    pub async fn keep_probing(self) {
        loop {
            tokio::time::sleep(PROBE).await;
            self.probe().await;
        }
    }

    /// What stands still, a moment old at most. One look at a time.
    async fn look(&self) -> Result<Arc<StuckView>, String> {
        let mut seen = self.seen.lock().await;
        if let Some((when, stuck)) = &*seen
            && when.elapsed() < FRESH
        {
            return Ok(Arc::clone(stuck));
        }
        let looking = tokio::time::timeout(PATIENCE, self.store.stuck(self.clock.now()));
        let stuck = looking.await.map_err(|_| "the database does not answer".to_owned())?;
        let stuck = Arc::new(stuck.map_err(|error| error.to_string())?);
        *seen = Some((Instant::now(), Arc::clone(&stuck)));
        Ok(stuck)
    }

    fn measure(&self, stuck: &StuckView) {
        let now = self.clock.now();
        let age = |since: Option<Moment>| since.map_or(0, |since| now.since_ms(since).max(0));
        let disabled = stuck.channels.iter().filter(|channel| channel.disabled).count();
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.metrics.standstill(&Standstill {
            oldest_arrival_ms: age(stuck.arrivals.since),
            oldest_entry_ms: age(stuck.entries.since),
            oldest_delivery_ms: age(stuck.deliveries.since),
            put_off: stuck.put_off.count,
            scheduler_lag_ms: age(stuck.due_since),
            channels: (count(stuck.channels.len() - disabled), count(disabled)),
            left_out: self.registry.snapshot().problems().len(),
        });
    }
}

/// The pages.
pub fn routes(ops: Ops) -> Router {
    let probes = Router::new()
        .route("/healthz", get(async || page(200, TEXT, "ok\n".to_owned())))
        .route("/readyz", get(ready))
        .with_state(ops.clone());
    probes.merge(beside_the_door(ops))
}

/// What of the pages can be at the door, which has probes of its own.
pub fn beside_the_door(ops: Ops) -> Router {
    Router::new().route("/metrics", get(metrics)).route("/health", get(health)).with_state(ops)
}

const TEXT: &str = "text/plain; charset=utf-8";

/// Why it is not ready, a line for each reason.
async fn ready(State(ops): State<Ops>) -> Response<Body> {
    let troubles = ops.metrics.vitals().troubles();
    if troubles.is_empty() {
        page(200, TEXT, "ready\n".to_owned())
    } else {
        page(503, TEXT, format!("not ready\n{}\n", troubles.join("\n")))
    }
}

async fn metrics(State(ops): State<Ops>) -> Response<Body> {
    // If the database is away the rest is told all the same; that it is away, `perkgate_ready` says.
    if let Ok(stuck) = ops.look().await {
        ops.measure(&stuck);
    }
    match ops.metrics.render() {
        Ok(text) => page(200, "application/openmetrics-text; version=1.0.0; charset=utf-8", text),
        Err(_) => page(500, TEXT, "the metrics cannot be written\n".to_owned()),
    }
}

async fn health(State(ops): State<Ops>) -> Response<Body> {
    let vitals = ops.metrics.vitals();
    let troubles = vitals.troubles();
    let stuck = match ops.look().await {
        Ok(stuck) => json!(*stuck),
        Err(error) => json!({"error": error}),
    };
    let loops: serde_json::Map<String, Value> =
        vitals.passes().into_iter().map(|(which, at)| (which.to_owned(), json!(at))).collect();
    let document = json!({
        "ready": troubles.is_empty(),
        "troubles": troubles,
        "at": ops.clock.now(),
        "stuck": stuck,
        "left_out": ops.registry.snapshot().problems(),
        "loops_last_passed": loops,
    });
    page(200, "application/json", format!("{document:#}\n"))
}

fn page(status: u16, content_type: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}
