//! What the store asks the database: the database library says every statement to whoever listens, and here only what is said within a
//! span of ours is kept, since other tests run beside.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, Once, PoisonError};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

static HEARD: Mutex<BTreeMap<&str, BTreeSet<String>>> = Mutex::new(BTreeMap::new());

/// Within which statements are kept.
#[derive(Clone, Copy)]
pub(super) enum Span {
    Sqlite,
    Postgres,
}

impl Span {
    fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "plans on sqlite",
            Self::Postgres => "plans on postgres",
        }
    }
    pub(super) fn open(self) -> tracing::Span {
        match self {
            Self::Sqlite => tracing::info_span!("plans on sqlite"),
            Self::Postgres => tracing::info_span!("plans on postgres"),
        }
    }
}

struct Listener;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Listener {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let names = [Span::Sqlite.name(), Span::Postgres.name()];
        let within = context
            .event_scope(event)
            .and_then(|mut scope| scope.find_map(|span| names.into_iter().find(|name| *name == span.name())));
        let Some(within) = within else { return };
        let mut said = Statement::default();
        event.record(&mut said);
        // A short statement is its own summary.
        let statement = if said.whole.trim().is_empty() { said.summary } else { said.whole };
        HEARD
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(within)
            .or_default()
            .insert(statement.trim().to_owned());
    }
}

#[derive(Default)]
struct Statement {
    summary: String,
    whole: String,
}

impl Visit for Statement {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" => value.clone_into(&mut self.whole),
            _ => {}
        }
    }
    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

/// Begins to listen, once for the process.
pub(super) fn listen() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        let ours = Targets::new()
            .with_target("sqlx::query", LevelFilter::DEBUG)
            .with_target(module_path!(), LevelFilter::INFO);
        let subscriber = tracing_subscriber::registry().with(Listener.with_filter(ours));
        tracing::subscriber::set_global_default(subscriber).expect("nobody else listens in these tests");
    });
}

/// What was asked within a span, without what begins and ends transactions.
pub(super) fn overheard(span: Span) -> BTreeSet<String> {
    let mut heard = HEARD.lock().unwrap_or_else(PoisonError::into_inner).remove(span.name()).unwrap_or_default();
    let words = ["select", "insert", "update", "delete", "with"];
    heard.retain(|statement| words.iter().any(|word| statement.starts_with(word)));
    heard
}
