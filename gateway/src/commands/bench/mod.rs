//! `perkgate bench`: measures this machine and prints one JSON document. Machines differ and are noisy: compare figures of one run, as
//! ratios.

mod accept;
mod connectors;
mod load;
mod plugin;
mod settle;

use serde_json::{Map, Value, json};
use std::process::ExitCode;
use std::time::{Duration, Instant};

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// What to measure; everything if nothing is named
    #[arg(value_enum)]
    what: Vec<What>,
    /// Purchases to settle
    #[arg(long, default_value_t = 20_000)]
    purchases: u32,
    /// Members they are spread over
    #[arg(long, default_value_t = 2_000)]
    members: u32,
    /// Connections that send at once
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Seconds of load on the door
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Calls of each plugin, and readings of each platform's webhook
    #[arg(long, default_value_t = 5_000)]
    calls: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// A decision of each stock plugin: in a fresh instance, and in a live one
    Plugin,
    /// Verifying and reading each platform's purchase webhook
    Connectors,
    /// Purchases from journalled to settled, on SQLite, with three plugins
    Settle,
    /// Signed webhooks over HTTP, journalled durably
    Accept,
}

pub(super) async fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    perkgate_gateway::telemetry::start_quiet_logging();
    let wanted = |what| flags.what.is_empty() || flags.what.contains(&what);
    let mut document = Map::new();
    document.insert("version".to_owned(), json!(env!("CARGO_PKG_VERSION")));
    document.insert(
        "build".to_owned(),
        json!(if cfg!(debug_assertions) { "debug: figures mean little" } else { "release" }),
    );
    document.insert("cores".to_owned(), json!(std::thread::available_parallelism().map_or(1, std::num::NonZero::get)));
    if wanted(What::Plugin) {
        let calls = flags.calls;
        document.insert("plugin".to_owned(), tokio::task::block_in_place(|| plugin::measure(calls))?);
    }
    if wanted(What::Connectors) {
        let calls = flags.calls;
        document.insert("connectors".to_owned(), tokio::task::block_in_place(|| connectors::measure(calls))?);
    }
    if wanted(What::Settle) {
        document.insert("settle".to_owned(), settle::measure(flags.purchases, flags.members).await?);
    }
    if wanted(What::Accept) {
        document
            .insert("accept".to_owned(), accept::measure(flags.connections, Duration::from_secs(flags.seconds)).await?);
    }
    super::print_json(&Value::Object(document))?;
    Ok(ExitCode::SUCCESS)
}

/// Times of single calls, in nanoseconds.
#[derive(Default)]
struct Times(Vec<u64>);

impl Times {
    fn time<T>(&mut self, act: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let result = act();
        self.add(started.elapsed());
        result
    }
    fn add(&mut self, took: Duration) {
        self.0.push(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }
    /// The time that `permille` of a thousand calls kept within.
    fn within(&mut self, permille: usize) -> u64 {
        self.0.sort_unstable();
        let last = self.0.len().saturating_sub(1);
        self.0.get((self.0.len() * permille / 1000).min(last)).copied().unwrap_or(0)
    }
}
