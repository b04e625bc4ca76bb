//! An OpenTelemetry collector: a real web server that takes traces by OTLP over HTTP and reads them with the protocol's own types.

use crate::loopback;
use crate::wait::until;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// A span as it came.
#[derive(Clone, Debug)]
pub struct Told {
    /// Which step.
    pub name: String,
    /// The trace's id.
    pub trace: Vec<u8>,
    /// The span's own id.
    pub id: Vec<u8>,
    /// The id of the span above it; empty if there is none.
    pub parent: Vec<u8>,
    /// From and to, nanoseconds since 1970.
    pub time: (u64, u64),
    /// Its attributes as text.
    pub attributes: BTreeMap<String, String>,
    /// What went wrong; empty if nothing did.
    pub error: String,
}

/// The collector. Answers 200 to what it can read.
#[derive(Clone, Debug)]
pub struct Collector {
    address: SocketAddr,
    told: Arc<Mutex<Vec<Told>>>,
}

impl Collector {
    /// Opens on loopback.
    pub async fn open() -> Self {
        let routes = |collector| Router::new().route("/v1/traces", post(take)).with_state(collector);
        loopback::open(|address| Self { address, told: Arc::default() }, routes).await
    }
    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
    /// What came so far.
    pub fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
    /// Waits for this many spans of a name.
    pub async fn hears(&self, name: &str, count: usize) -> Vec<Told> {
        let what = format!("{count} spans `{name}` are told");
        let found = || self.told().into_iter().filter(|span| span.name == name).collect::<Vec<_>>();
        until(&what, async || Some(found()).filter(|found| found.len() >= count)).await
    }
}

async fn take(State(collector): State<Collector>, body: Bytes) -> StatusCode {
    let Ok(request) = ExportTraceServiceRequest::decode(body) else { return StatusCode::BAD_REQUEST };
    let spans = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
    let spans = spans.flat_map(|scope| scope.spans).map(read);
    collector.told.lock().unwrap_or_else(PoisonError::into_inner).extend(spans);
    StatusCode::OK
}

fn read(span: Span) -> Told {
    let text = |value: Value| match value {
        Value::StringValue(text) => text,
        Value::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let attributes = span.attributes.into_iter().filter_map(|pair| Some((pair.key, text(pair.value?.value?))));
    Told {
        name: span.name,
        trace: span.trace_id,
        id: span.span_id,
        parent: span.parent_span_id,
        time: (span.start_time_unix_nano, span.end_time_unix_nano),
        attributes: attributes.collect(),
        error: span.status.map(|status| status.message).unwrap_or_default(),
    }
}
