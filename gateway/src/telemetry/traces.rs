//! Traces for OpenTelemetry, sent by OTLP over HTTP: where the time of one webhook went, from the door to the deliveries it caused. Off
//! unless a collector is named.
//!
//! Trace and span ids are derived from the arrival. Whatever process works on it, before or after a restart, adds to the same trace, and
//! nothing has to be carried along through the journal.

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SpanData, SpanEvents, SpanExporter, SpanLinks, SpanProcessor as _,
};
use perkgate_domain::ids::{ArrivalId, EntryId, hash};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// Where a collector takes traces, below its base URL.
const PATH: &str = "/v1/traces";
/// How long a collector may take to accept a batch.
const PATIENCE: Duration = Duration::from_secs(10);
/// Spans that wait to be sent. What comes on top is dropped: tracing never holds up a purchase.
const MOST_WAITING: usize = 8_192;

/// Where traces are sent, and of how many arrivals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceTarget {
    /// The collector's base URL, `http://127.0.0.1:4318` for example.
    pub collector: String,
    /// One arrival in so many is traced.
    pub one_in: NonZeroU64,
}

/// Why traces cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// No URL of a collector.
    #[error("`{0}` is not where a collector takes traces: write its base URL, `http://127.0.0.1:4318` for example")]
    Collector(String),
    /// A URL with a password, which would be told in log lines.
    #[error(
        "the collector's URL has a user or a password in it: leave them out, and name them in OTEL_EXPORTER_OTLP_HEADERS"
    )]
    Credentials,
    /// The exporter cannot be made.
    #[error("traces cannot be sent: {0}")]
    Exporter(String),
}

/// Takes spans and sends them in batches. Cheap to clone; the default one takes none.
#[derive(Clone, Debug, Default)]
pub struct Traces(Option<Arc<Sender>>);

#[derive(Debug)]
struct Sender {
    processor: BatchSpanProcessor,
    scope: InstrumentationScope,
    /// What ids are derived with, so that two gateways that send to one collector do not share any.
    space: [u8; 32],
    one_in: NonZeroU64,
}

/// The trace of one arrival and of all that came of it, or of one entry that its time made.
#[derive(Clone, Copy, Debug)]
pub struct Trace<'a> {
    sender: &'a Sender,
    id: TraceId,
    root: SpanId,
}

/// One step, with the time it took.
#[derive(Debug)]
pub struct Step {
    name: &'static str,
    kind: SpanKind,
    from: Instant,
    to: Instant,
    /// What tells it from other steps of that name in the trace.
    which: (String, i64),
    attributes: Vec<KeyValue>,
    error: Option<String>,
}

impl Step {
    /// A step inside the gateway that ends now.
    #[must_use]
    pub fn new(name: &'static str, from: Instant) -> Self {
        let kind = SpanKind::Internal;
        Self { name, kind, from, to: Instant::now(), which: (String::new(), 0), attributes: Vec::new(), error: None }
    }
    /// The answer to a request.
    #[must_use]
    pub fn server(self) -> Self {
        Self { kind: SpanKind::Server, ..self }
    }
    /// A request to somebody else.
    #[must_use]
    pub fn client(self) -> Self {
        Self { kind: SpanKind::Client, ..self }
    }
    /// It ended then.
    #[must_use]
    pub fn until(self, to: Instant) -> Self {
        Self { to, ..self }
    }
    /// Tells it from other steps of that name: of what it is, and which attempt.
    #[must_use]
    pub fn which(self, of: &impl ToString, attempt: i64) -> Self {
        Self { which: (of.to_string(), attempt), ..self }
    }
    /// Something about it. Never contact data, codes or bodies.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<opentelemetry::Value>) -> Self {
        self.attributes.push(KeyValue::new(key, value));
        self
    }
    /// It failed, if there is a reason.
    #[must_use]
    pub fn failed(self, why: Option<&str>) -> Self {
        Self { error: why.map(str::to_owned), ..self }
    }
}

impl Traces {
    /// Sends to a collector from now on. `space` is the gateway's own: the same after a restart, another for another database.
    ///
    /// # Errors
    /// [`TraceError`] if it is no URL. Whether anybody listens there shows only later, in the log.
    pub fn to(target: &TraceTarget, space: [u8; 32]) -> Result<Self, TraceError> {
        let base = target.collector.trim_end_matches('/');
        let url = reqwest::Url::parse(base).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let url = url.ok_or_else(|| TraceError::Collector(target.collector.clone()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TraceError::Credentials);
        }
        let failed = |error: &dyn std::fmt::Display| TraceError::Exporter(error.to_string());
        // It brings a runtime of its own, which must not be made on one of ours.
        let client = std::thread::spawn(|| {
            let builder = reqwest::blocking::Client::builder().timeout(PATIENCE).no_proxy();
            builder.redirect(reqwest::redirect::Policy::none()).build()
        });
        let client = client.join().map_err(|_| failed(&"the HTTP client broke"))?.map_err(|error| failed(&error))?;
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_endpoint(format!("{base}{PATH}"))
            .with_timeout(PATIENCE)
            .build()
            .map_err(|error| failed(&error))?;
        let config = BatchConfigBuilder::default().with_max_queue_size(MOST_WAITING).build();
        let told = Told { exporter, collector: base.to_owned() };
        let mut processor = BatchSpanProcessor::builder(told).with_batch_config(config).build();
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        processor.set_resource(&Resource::builder().with_service_name("perkgate").with_attribute(version).build());
        let scope = InstrumentationScope::builder("perkgate").with_version(env!("CARGO_PKG_VERSION")).build();
        Ok(Self(Some(Arc::new(Sender { processor, scope, space, one_in: target.one_in }))))
    }

    /// The trace of an arrival; none if it is not traced.
    #[must_use]
    pub fn of_arrival(&self, arrival: ArrivalId) -> Option<Trace<'_>> {
        self.trace("arrival", arrival.0)
    }

    /// The trace of an entry: that of the arrival it came by, or its own if its time made it.
    #[must_use]
    pub fn of_entry(&self, entry: EntryId, arrival: Option<ArrivalId>) -> Option<Trace<'_>> {
        arrival.map_or_else(|| self.trace("entry", entry.0), |arrival| self.of_arrival(arrival))
    }

    fn trace(&self, what: &str, number: i64) -> Option<Trace<'_>> {
        let sender = self.0.as_deref()?;
        // The first bytes are the trace's id and the next its root's; what is left decides whether it is traced at all.
        let bytes = hash(&[&sender.space, what.as_bytes(), &number.to_be_bytes()]);
        let (id, rest) = bytes.split_first_chunk::<16>()?;
        let (root, choice) = rest.split_first_chunk::<8>()?;
        if !u64::from_be_bytes(*choice.first_chunk()?).is_multiple_of(sender.one_in.get()) {
            return None;
        }
        Some(Trace { sender, id: TraceId::from_bytes(*id), root: SpanId::from_bytes(*root) })
    }

    /// Sends what waits. For the end of the process.
    pub async fn finish(&self) {
        let Some(sender) = self.0.clone() else { return };
        // It waits for the collector, on a thread that may wait.
        let ended = tokio::task::spawn_blocking(move || sender.processor.shutdown()).await;
        if let Ok(Err(error)) = ended {
            tracing::warn!("the last traces were not sent: {error}");
        }
    }
}

impl Trace<'_> {
    /// The step that the whole trace hangs on, and its parts.
    pub fn root(&self, step: Step, parts: impl IntoIterator<Item = Step>) {
        self.tell(step, (self.root, SpanId::INVALID), parts);
    }

    /// A step below the root, and its parts.
    pub fn step(&self, step: Step, parts: impl IntoIterator<Item = Step>) {
        let id = self.span_id(&step);
        self.tell(step, (id, self.root), parts);
    }

    fn tell(&self, step: Step, (id, parent): (SpanId, SpanId), parts: impl IntoIterator<Item = Step>) {
        for part in parts {
            let part = Step { which: step.which.clone(), ..part };
            let part_id = self.span_id(&part);
            self.send(part, part_id, id);
        }
        self.send(step, id, parent);
    }

    fn span_id(&self, step: &Step) -> SpanId {
        let (of, attempt) = &step.which;
        let id = hash(&[&self.id.to_bytes(), step.name.as_bytes(), of.as_bytes(), &attempt.to_be_bytes()]);
        id.first_chunk().map_or(SpanId::INVALID, |id| SpanId::from_bytes(*id))
    }

    fn send(&self, step: Step, id: SpanId, parent: SpanId) {
        let end_time = SystemTime::now() - step.to.elapsed();
        let span_context = SpanContext::new(self.id, id, TraceFlags::SAMPLED, false, TraceState::default());
        self.sender.processor.on_end(SpanData {
            span_context,
            parent_span_id: parent,
            parent_span_is_remote: false,
            span_kind: step.kind,
            name: step.name.into(),
            start_time: end_time - step.to.duration_since(step.from),
            end_time,
            attributes: step.attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: step.error.map_or(Status::Unset, Status::error),
            instrumentation_scope: self.sender.scope.clone(),
        });
    }
}

/// Sends, and says in the log when that fails.
#[derive(Debug)]
struct Told {
    exporter: opentelemetry_otlp::SpanExporter,
    collector: String,
}

impl SpanExporter for Told {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        let sent = self.exporter.export(batch).await;
        if let Err(error) = &sent {
            tracing::warn!(collector = self.collector, spans = count, "traces are lost: {error}");
        }
        sent
    }
    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }
    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_is_a_url_without_a_password() {
        let to = |collector: &str| {
            let target = TraceTarget { collector: collector.to_owned(), one_in: NonZeroU64::MIN };
            Traces::to(&target, [0; 32]).err().map(|error| error.to_string())
        };
        for wrong in ["", "collector:4318", "ftp://collector", "127.0.0.1", "http://"] {
            assert!(to(wrong).is_some_and(|why| why.contains("base URL")), "{wrong}");
        }
        let why = to("http://anna:hush@127.0.0.1:4318").unwrap_or_default();
        assert!(why.contains("OTEL_EXPORTER_OTLP_HEADERS") && !why.contains("hush"), "{why}");
    }
}
