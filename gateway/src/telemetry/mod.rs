//! What an operator sees: metrics for Prometheus, one log line per happening, and of what happens often one line a second. Never secrets,
//! bodies or contact data.

mod lines;
mod tally;
mod traces;
mod vitals;

pub use lines::visible;
pub use tally::Tally;
pub use traces::{Step, Trace, TraceError, TraceTarget, Traces};
pub use vitals::Vitals;

use lines::Lines;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// One label that names a state or cause.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct What {
    what: &'static str,
}

/// Two labels: what, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct WhatAndHow {
    what: &'static str,
    how: &'static str,
}

/// The status of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Code {
    code: u32,
}

/// Every metric, and the way to the traces. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
    arrivals: Family<What, Counter>,
    rejections: Family<What, Counter>,
    settled: Family<WhatAndHow, Counter>,
    faults: Family<WhatAndHow, Counter>,
    deliveries: Family<What, Counter>,
    failures: Family<What, Counter>,
    removed: Family<What, Counter>,
    waiting: Family<What, Gauge>,
    stages: Family<What, Counter<f64, AtomicU64>>,
    accept: Histogram,
    batch: Histogram,
    responses: Family<Code, Counter>,
    connections: Gauge,
    connections_closed: Family<What, Counter>,
    body_bytes: Gauge,
    ready: Gauge,
    last_pass: Family<What, Seconds>,
    oldest: Family<What, Seconds>,
    put_off: Gauge,
    scheduler_lag: Seconds,
    channels: Family<What, Gauge>,
    left_out: Gauge,
    vitals: Vitals,
    traces: Traces,
}

/// Seconds that go up and down.
type Seconds = Gauge<f64, AtomicU64>;

/// What stands still, as the database tells it. Ages are in milliseconds, zero if there is nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Standstill {
    /// Of the oldest arrival that is not read.
    pub oldest_arrival_ms: i64,
    /// Of the oldest entry that is queued.
    pub oldest_entry_ms: i64,
    /// Of the delivery that is due longest.
    pub oldest_delivery_ms: i64,
    /// Entries that failed and are tried again later.
    pub put_off: i64,
    /// How long ago the first thing was due that is not seen to yet.
    pub scheduler_lag_ms: i64,
    /// Channels whose receiver fails, and that are disabled.
    pub channels: (i64, i64),
    /// Parts of merchants' programmes that are left out.
    pub left_out: usize,
}

/// The steps between journal and settled, in order: where the time goes.
pub const STAGES: [&str; 8] = ["claim", "normalise", "admit", "take", "book", "decide", "ledger", "settle"];

impl Default for Metrics {
    fn default() -> Self {
        let (accept, batch) = (seconds(), seconds());
        let mut metrics = Self {
            registry: Arc::new(Registry::default()),
            arrivals: Family::default(),
            rejections: Family::default(),
            settled: Family::default(),
            faults: Family::default(),
            deliveries: Family::default(),
            failures: Family::default(),
            removed: Family::default(),
            waiting: Family::default(),
            stages: Family::default(),
            accept,
            batch,
            responses: Family::default(),
            connections: Gauge::default(),
            connections_closed: Family::default(),
            body_bytes: Gauge::default(),
            ready: Gauge::default(),
            last_pass: Family::default(),
            oldest: Family::default(),
            put_off: Gauge::default(),
            scheduler_lag: Seconds::default(),
            channels: Family::default(),
            left_out: Gauge::default(),
            vitals: Vitals::default(),
            traces: Traces::default(),
        };
        let mut registry = Registry::with_prefix("perkgate");
        registry.register("arrivals", "Requests journalled or recognised, by answer", metrics.arrivals.clone());
        registry.register("rejections", "Requests turned away, by cause", metrics.rejections.clone());
        registry.register("settled", "Entries settled, by kind and state", metrics.settled.clone());
        registry.register("faults", "Faults in decisions, by blame and kind", metrics.faults.clone());
        registry.register("attempts", "Delivery attempts, by result", metrics.deliveries.clone());
        let failures = "Entries, arrivals and due work that failed, by what follows: retried or failed for good";
        registry.register("failures", failures, metrics.failures.clone());
        let removed =
            "Rows emptied or deleted because they were kept for long enough, or named somebody who was forgotten";
        registry.register("removed", removed, metrics.removed.clone());
        registry.register("waiting", "What waits in each room", metrics.waiting.clone());
        let stages = "Seconds spent on batches, by the step between journal and settled";
        registry.register("stage_seconds", stages, metrics.stages.clone());
        registry.register("accept_seconds", "From a request's last byte to its answer", metrics.accept.clone());
        registry.register("settle_seconds", "One settling batch, read to commit", metrics.batch.clone());
        metrics.register_health(&mut registry);
        metrics.registry = Arc::new(registry);
        metrics
    }
}

/// From a tenth of a millisecond to six seconds.
fn seconds() -> Histogram {
    Histogram::new(prometheus_client::metrics::histogram::exponential_buckets(0.0001, 2.0, 17))
}

impl Metrics {
    /// What tells whether the process does its work.
    fn register_health(&self, registry: &mut Registry) {
        registry.register("responses", "Answers of the door and the API, by status", self.responses.clone());
        registry.register("connections", "Connections at the door", self.connections.clone());
        let closed = "Connections that the door closed, by reason";
        registry.register("connections_closed", closed, self.connections_closed.clone());
        registry.register("body_bytes", "Bytes of bodies held until they are read", self.body_bytes.clone());
        registry.register("ready", "1 if work should be sent here, else 0", self.ready.clone());
        let last_pass = "When a loop last came round, seconds since 1970";
        registry.register("loop_last_pass_timestamp_seconds", last_pass, self.last_pass.clone());
        let oldest = "Age of the oldest thing that waits, by room; 0 if nothing does";
        registry.register("oldest_waiting_seconds", oldest, self.oldest.clone());
        registry.register("put_off", "Entries that failed and are tried again later", self.put_off.clone());
        let lag = "How long ago the first thing was due that is not seen to yet";
        registry.register("scheduler_lag_seconds", lag, self.scheduler_lag.clone());
        registry.register("channels", "Channels whose receiver fails, by state", self.channels.clone());
        // A rate is known of a series only from its second value on, so those that alerts watch are there from the beginning.
        for cause in ["our_fault", "no_room", "bad_signature"] {
            drop(self.rejections.get_or_create(&What { what: cause }));
        }
        drop(self.connections_closed.get_or_create(&What { what: "crowded" }));
        drop(self.deliveries.get_or_create(&What { what: "dead" }));
        for kind in ["deadline", "load", "host"] {
            drop(self.faults.get_or_create(&WhatAndHow { what: "host", how: kind }));
        }
        let left_out = "Sources, channels and plugins that are left out because they cannot be used";
        registry.register("left_out", left_out, self.left_out.clone());
    }

    /// With these traces.
    #[must_use]
    pub fn tracing(self, traces: Traces) -> Self {
        Self { traces, ..self }
    }
    /// Where the time of single arrivals goes.
    #[must_use]
    pub fn traces(&self) -> &Traces {
        &self.traces
    }
    /// Whether the process does its work.
    #[must_use]
    pub fn vitals(&self) -> &Vitals {
        &self.vitals
    }
    /// A loop came round.
    pub fn passed(&self, which: &'static str) {
        self.vitals.passed(which);
    }
    /// A request was answered.
    pub fn response(&self, code: u16) {
        self.responses.get_or_create(&Code { code: u32::from(code) }).inc();
    }
    /// Connections came or went.
    pub fn connections(&self, change: i64) {
        self.connections.inc_by(change);
    }
    /// The door closed a connection.
    pub fn connection_closed(&self, why: &'static str) {
        self.connections_closed.get_or_create(&What { what: why }).inc();
    }
    /// Bytes of bodies are held.
    pub fn body_bytes(&self, held: usize) {
        self.body_bytes.set(i64::try_from(held).unwrap_or(i64::MAX));
    }
    /// What stands still.
    pub fn standstill(&self, stands: &Standstill) {
        let seconds = |ms: i64| Duration::from_millis(u64::try_from(ms).unwrap_or_default()).as_secs_f64();
        for (room, age) in [
            ("arrivals", stands.oldest_arrival_ms),
            ("entries", stands.oldest_entry_ms),
            ("deliveries", stands.oldest_delivery_ms),
        ] {
            self.oldest.get_or_create(&What { what: room }).set(seconds(age));
        }
        self.put_off.set(stands.put_off);
        self.scheduler_lag.set(seconds(stands.scheduler_lag_ms));
        self.channels.get_or_create(&What { what: "failing" }).set(stands.channels.0);
        self.channels.get_or_create(&What { what: "disabled" }).set(stands.channels.1);
        self.left_out.set(i64::try_from(stands.left_out).unwrap_or(i64::MAX));
    }

    /// A request was answered 200.
    pub fn arrival(&self, answer: &'static str, took: Duration) {
        self.arrivals.get_or_create(&What { what: answer }).inc();
        self.accept.observe(took.as_secs_f64());
    }
    /// A request was turned away, or met a fault of ours.
    pub fn rejection(&self, cause: &'static str) {
        self.rejections.get_or_create(&What { what: cause }).inc();
    }
    /// An entry was settled.
    pub fn settled(&self, kind: &'static str, state: &'static str) {
        self.settled.get_or_create(&WhatAndHow { what: kind, how: state }).inc();
    }
    /// A decision met a fault.
    pub fn fault(&self, blame: &'static str, kind: &'static str) {
        self.faults.get_or_create(&WhatAndHow { what: blame, how: kind }).inc();
    }
    /// A delivery was attempted.
    pub fn attempt(&self, result: &'static str) {
        self.deliveries.get_or_create(&What { what: result }).inc();
    }
    /// An entry, an arrival, or what is due for a member, failed.
    pub fn put_off(&self, what_follows: &'static str) {
        self.failures.get_or_create(&What { what: what_follows }).inc();
    }
    /// So much was removed that had been kept.
    pub fn removed(&self, what: &'static str, count: u64) {
        self.removed.get_or_create(&What { what }).inc_by(count);
    }
    /// A settling batch ended.
    pub fn batch(&self, took: Duration) {
        self.batch.observe(took.as_secs_f64());
    }
    /// A batch has gone through one of the [`STAGES`].
    pub fn stage(&self, stage: &'static str, took: Duration) {
        self.stages.get_or_create(&What { what: stage }).inc_by(took.as_secs_f64());
    }
    /// Microseconds spent in one of the [`STAGES`] so far.
    #[must_use]
    pub fn stage_us(&self, stage: &'static str) -> u64 {
        let spent = Duration::try_from_secs_f64(self.stages.get_or_create(&What { what: stage }).get());
        u64::try_from(spent.unwrap_or_default().as_micros()).unwrap_or(u64::MAX)
    }
    /// What waits in a room.
    pub fn waiting(&self, room: &'static str, count: i64) {
        self.waiting.get_or_create(&What { what: room }).set(count);
    }
    /// Everything in Prometheus' text format.
    ///
    /// # Errors
    /// Only if formatting fails, which writing to a string does not.
    pub fn render(&self) -> Result<String, std::fmt::Error> {
        self.ready.set(i64::from(self.vitals.troubles().is_empty()));
        for (which, at) in self.vitals.passes() {
            self.last_pass.get_or_create(&What { what: which }).set(at);
        }
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// What is logged unless `PERKGATE_LOG` says otherwise. The database library's own lines would repeat, for every connection, what the
/// rooms say once.
const USUAL: &str = "info,sqlx=off";

/// Starts logging to standard error: `PERKGATE_LOG` (`info` by default) says how much.
pub fn start_logging(json: bool) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("PERKGATE_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(USUAL));
    let colours = std::io::stderr().is_terminal() && !json;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Lines { colours })
        // What cannot be logged would be told by a line to the same place, and that line panics.
        .log_internal_errors(false)
        .with_target(false)
        .with_ansi(colours);
    // A second call (tests start several gateways) finds logging started, which is as good.
    let _ = if json { lines.json().try_init() } else { lines.compact().try_init() };
}

/// As [`start_logging`], but only what goes wrong: for commands that print what happens themselves.
pub fn start_quiet_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("PERKGATE_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("error"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Lines { colours: false })
        .log_internal_errors(false)
        .with_ansi(false)
        .with_target(false)
        .compact()
        .try_init();
}
