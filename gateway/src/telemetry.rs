//! What an operator sees: metrics for Prometheus, one log line per happening. Never secrets, bodies or contact data.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::io::IsTerminal as _;
use std::sync::Arc;
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

/// Every metric. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
    arrivals: Family<What, Counter>,
    rejections: Family<What, Counter>,
    settled: Family<WhatAndHow, Counter>,
    faults: Family<WhatAndHow, Counter>,
    deliveries: Family<What, Counter>,
    put_off: Family<What, Counter>,
    waiting: Family<What, Gauge>,
    removed: Family<What, Counter>,
    stages: Family<What, Counter>,
    accept: Histogram,
    batch: Histogram,
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
            put_off: Family::default(),
            waiting: Family::default(),
            removed: Family::default(),
            stages: Family::default(),
            accept,
            batch,
        };
        let mut registry = Registry::with_prefix("perkgate");
        registry.register("arrivals", "Requests journalled or recognised, by answer", metrics.arrivals.clone());
        registry.register("rejections", "Requests turned away, by cause", metrics.rejections.clone());
        registry.register("settled", "Entries settled, by kind and state", metrics.settled.clone());
        registry.register("faults", "Faults in decisions, by blame and kind", metrics.faults.clone());
        registry.register("attempts", "Delivery attempts, by result", metrics.deliveries.clone());
        let put_off = "Entries and due work that failed, by what follows: retried or failed for good";
        registry.register("put_off", put_off, metrics.put_off.clone());
        registry.register("waiting", "What waits in each room", metrics.waiting.clone());
        let removed =
            "Rows emptied or deleted because they were kept for long enough, or named somebody who was forgotten";
        registry.register("removed", removed, metrics.removed.clone());
        let stages = "Microseconds spent on batches, by the step between journal and settled";
        registry.register("stage_microseconds", stages, metrics.stages.clone());
        registry.register("accept_seconds", "From a request's last byte to its answer", metrics.accept.clone());
        registry.register("settle_seconds", "One settling batch, read to commit", metrics.batch.clone());
        metrics.registry = Arc::new(registry);
        metrics
    }
}

/// From a tenth of a millisecond to six seconds.
fn seconds() -> Histogram {
    Histogram::new(prometheus_client::metrics::histogram::exponential_buckets(0.0001, 2.0, 17))
}

impl Metrics {
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
    /// An entry, or what is due for a member, failed.
    pub fn put_off(&self, what_follows: &'static str) {
        self.put_off.get_or_create(&What { what: what_follows }).inc();
    }
    /// A settling batch ended.
    pub fn batch(&self, took: Duration) {
        self.batch.observe(took.as_secs_f64());
    }
    /// A batch has gone through one of the [`STAGES`].
    pub fn stage(&self, stage: &'static str, took: Duration) {
        self.stages.get_or_create(&What { what: stage }).inc_by(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }
    /// Microseconds spent in one of the [`STAGES`] so far.
    #[must_use]
    pub fn stage_us(&self, stage: &'static str) -> u64 {
        self.stages.get_or_create(&What { what: stage }).get()
    }
    /// What waits in a room.
    pub fn waiting(&self, room: &'static str, count: i64) {
        self.waiting.get_or_create(&What { what: room }).set(count);
    }
    /// So much was removed that had been kept.
    pub fn removed(&self, what: &'static str, count: u64) {
        self.removed.get_or_create(&What { what }).inc_by(count);
    }
    /// Everything in Prometheus' text format.
    ///
    /// # Errors
    /// Only if formatting fails, which writing to a string does not.
    pub fn render(&self) -> Result<String, std::fmt::Error> {
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
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // What cannot be logged would be told by a line to the same place, and that line panics.
        .log_internal_errors(false)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal());
    // A second call (tests start several gateways) finds logging started, which is as good.
    let _ = if json { lines.json().try_init() } else { lines.compact().try_init() };
}

/// As [`start_logging`], but only what goes wrong: for commands that print what happens themselves.
pub fn start_quiet_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("PERKGATE_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("error"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .log_internal_errors(false)
        .with_target(false)
        .compact()
        .try_init();
}
