//! `perkgate bench`: measures this machine and prints one JSON document. Machines differ and are noisy: compare figures of one run, as
//! ratios.

mod accept;
mod connectors;
mod grow;
mod load;
mod machine;
mod pgbench;
mod plugin;
mod schedule;
mod settle;

use serde_json::{Map, Value, json};
use std::process::ExitCode;
use std::time::{Duration, Instant};

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// What to measure; everything if nothing is named
    #[arg(value_enum)]
    what: Vec<What>,
    /// Where to settle and accept, as well as on SQLite: a PostgreSQL server's URL whose role may make databases. Everything is done in
    /// databases of its own, which are removed afterwards
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Purchases to settle
    #[arg(long, default_value_t = 20_000)]
    purchases: u32,
    /// Members they are spread over
    #[arg(long, default_value_t = 10_000)]
    members: u32,
    /// Members of the grown ledger
    #[arg(long, default_value_t = 1_000_000)]
    grown_members: u32,
    /// Postings of the grown ledger
    #[arg(long, default_value_t = 10_000_000)]
    grown_postings: u32,
    /// Connections that send at once
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Seconds of load on the door at each rate, and of pgbench
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
    /// Purchases from journalled to settled with three plugins; `pgbench -N` on the same server beside it
    Settle,
    /// Signed webhooks over HTTP, journalled durably: the most there can be, half of it, and twice as much
    Accept,
    /// Settling into a ledger that has grown large; only if named
    Grow,
    /// Memory and start-up with twenty plugins; only if named
    Serve,
    /// A day on which something is due for every member of the grown ledger; only if named
    Schedule,
}

/// What is expensive is measured only if it is named.
const BY_NAME_ONLY: [What; 3] = [What::Grow, What::Serve, What::Schedule];

pub(super) async fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    perkgate_gateway::telemetry::start_quiet_logging();
    let wanted = |what| flags.what.contains(&what) || (flags.what.is_empty() && !BY_NAME_ONLY.contains(&what));
    let engines = load::Engines::new(flags.database.clone()).await?;
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
    let time = Duration::from_secs(flags.seconds);
    if wanted(What::Settle) {
        document.insert("settle".to_owned(), settle::measure(&engines, flags.purchases, flags.members, time).await?);
    }
    if wanted(What::Accept) {
        document.insert("accept".to_owned(), accept::measure(&engines, flags.connections, time).await?);
    }
    if wanted(What::Grow) {
        let size = grow::Size { members: flags.grown_members, postings: flags.grown_postings };
        document.insert("grow".to_owned(), grow::measure(&engines, size, flags.purchases).await?);
    }
    if wanted(What::Serve) {
        document.insert("serve".to_owned(), machine::measure(flags.purchases).await?);
    }
    if wanted(What::Schedule) {
        document.insert("schedule".to_owned(), schedule::measure(&engines, flags.grown_members).await?);
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
