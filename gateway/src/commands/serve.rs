//! `perkgate serve`: take webhooks and work on them until told to stop.

use super::merchants::{self, Wanted};
use super::{Database, Secrets};
use anyhow::Context as _;
use perkgate_domain::limits::Retention;
use perkgate_gateway::gateway::{Config, Gateway, Pages};
use perkgate_gateway::outbound::Private;
use perkgate_gateway::telemetry::TraceTarget;
use perkgate_gateway::{files, telemetry};
use serde::Deserialize;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    #[command(flatten)]
    database: Database,
    /// An operator's file with the same settings: `database`, `data`, `listen`, `ops_listen`, `secrets`, `merchants`, `merchants_dir`,
    /// `private_destinations`, `traces`, `trace_one_in`, `[retention]`
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to take requests
    #[arg(long, env = "PERKGATE_LISTEN", value_name = "ADDR")]
    listen: Option<String>,
    /// Where the operator's pages are (metrics, readiness, health); `off`; or `door`, where there is one port [default: 127.0.0.1:9464]
    #[arg(long, env = "PERKGATE_OPS_LISTEN", value_name = "ADDR")]
    ops_listen: Option<String>,
    /// A merchant file to apply first; may be given more than once
    #[arg(long, value_name = "FILE")]
    merchant: Vec<PathBuf>,
    /// A directory of merchant files to apply first, each called after its merchant: `kavarna.toml`
    #[arg(long, value_name = "DIR")]
    merchants: Option<PathBuf>,
    #[command(flatten)]
    secrets: Secrets,
    /// A private host that messages and API questions may go to; may be given more than once
    #[arg(long, value_name = "HOST:PORT")]
    allow_private_destination: Vec<Private>,
    /// Short for every port of this machine itself (`127.0.0.0/8`, `::1`), for trying things out
    #[arg(long)]
    allow_private_destinations: bool,
    /// An OpenTelemetry collector to send traces to, by OTLP over HTTP: its base URL, `http://127.0.0.1:4318` for example
    #[arg(long, env = "PERKGATE_TRACES", value_name = "URL")]
    traces: Option<String>,
    /// Trace one webhook in so many
    #[arg(long, env = "PERKGATE_TRACE_ONE_IN", value_name = "N")]
    trace_one_in: Option<NonZeroU64>,
    /// Log lines as JSON
    #[arg(long)]
    log_json: bool,
}

/// The operator's file. Flags and environment go before it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    database: Option<String>,
    data: Option<PathBuf>,
    listen: Option<String>,
    secrets: Option<PathBuf>,
    ops_listen: Option<String>,
    #[serde(default)]
    merchants: Vec<PathBuf>,
    merchants_dir: Option<PathBuf>,
    #[serde(default)]
    private_destinations: Vec<String>,
    #[serde(default)]
    allow_private_destinations: bool,
    traces: Option<String>,
    trace_one_in: Option<NonZeroU64>,
    #[serde(default)]
    retention: Keep,
}

/// `[retention]`: for how many days what is kept for a time is kept.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the keys of the file say their unit")]
struct Keep {
    bodies_days: Option<u32>,
    rejections_days: Option<u32>,
    deliveries_days: Option<u32>,
    answers_days: Option<u32>,
}

impl Keep {
    fn retention(&self) -> anyhow::Result<Retention> {
        let usual = Retention::default();
        let days = |name: &str, given: Option<u32>, usual: u32| match given {
            Some(days) if !(1..=MOST_DAYS).contains(&days) => {
                anyhow::bail!("`retention.{name}` is {days}: write 1 to {MOST_DAYS} days")
            }
            given => Ok(given.unwrap_or(usual)),
        };
        Ok(Retention {
            bodies_days: days("bodies_days", self.bodies_days, usual.bodies_days)?,
            rejections_days: days("rejections_days", self.rejections_days, usual.rejections_days)?,
            deliveries_days: days("deliveries_days", self.deliveries_days, usual.deliveries_days)?,
            answers_days: days("answers_days", self.answers_days, usual.answers_days)?,
        })
    }
}

/// A hundred years.
const MOST_DAYS: u32 = 36_600;
const LISTEN: &str = "127.0.0.1:8080";
/// Bytes of the operator's file.
const CONFIG_BYTES: usize = 1024 * 1024;
/// The port that metrics for Prometheus are usually told on.
const OPS_LISTEN: &str = "127.0.0.1:9464";
/// Files that the process may open, if the system lets it: connections are files too.
const FILES: u64 = 65_536;

pub(super) async fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    telemetry::start_logging(flags.log_json);
    let file = read(flags.config.as_deref())?;
    let mut database = flags.database.clone();
    if let (Some(named), true) =
        (&file.database, std::env::var_os("PERKGATE_DATABASE").is_none() && is_default(&flags.database))
    {
        database.database.clone_from(named);
    }
    database.data = database.data.or_else(|| file.data.clone());
    let mut config: Config = database.config();
    config.private = private(&flags, &file)?;
    config.retention = file.retention.retention()?;
    config.traces = traces(&flags, &file);
    let ops_listen = flags.ops_listen.clone().or_else(|| file.ops_listen.clone());
    let listen = flags.listen.clone().or_else(|| file.listen.clone()).unwrap_or_else(|| LISTEN.to_owned());
    // Some systems begin with as few as 1,024. Where no more are to be had, there are fewer connections.
    let _ = rlimit::increase_nofile_limit(FILES);
    let gateway = Gateway::open(config).await?;
    merchants::apply(&gateway, &wanted(&flags, file), &listen).await?;
    gateway.registry.refresh().await?;
    if gateway.registry.snapshot().programmes().next().is_none() {
        tracing::warn!(
            "there is no merchant yet: name a merchant file with --merchant FILE, or run `perkgate apply FILE`"
        );
    }
    let listener = TcpListener::bind(&listen).await.with_context(|| {
        format!("cannot listen on {listen}; is another program there? --listen names another address")
    })?;
    let pages = operators_pages(ops_listen.as_deref()).await?;
    // Whoever reads that it listens may tell it to stop at once.
    let stopped = stopped()?;
    tracing::info!("listening on http://{}", listener.local_addr()?);
    gateway.serve_with(listener, pages, stopped).await?;
    gateway.store.close().await;
    tracing::info!("stopped; everything answered 200 is in the journal");
    Ok(ExitCode::SUCCESS)
}

/// Where the operator's pages are. An address that was named must be free. The usual one may be taken, by another gateway on this machine
/// for example: then there are no pages, and the log says so.
async fn operators_pages(named: Option<&str>) -> anyhow::Result<Pages> {
    match named {
        Some("off") => return Ok(Pages::Off),
        Some("door") => {
            tracing::info!("the operator's pages are at the door: whoever reaches it may read them");
            return Ok(Pages::AtTheDoor);
        }
        _ => {}
    }
    match TcpListener::bind(named.unwrap_or(OPS_LISTEN)).await {
        Ok(listener) => {
            tracing::info!("the operator's pages are at http://{}", listener.local_addr()?);
            Ok(Pages::At(listener))
        }
        Err(error) if named.is_none() => {
            tracing::warn!(
                "there are no metrics and no health document: {OPS_LISTEN} is taken ({error}); name another address with \
                 --ops-listen ADDR, or `--ops-listen off`"
            );
            Ok(Pages::Off)
        }
        Err(error) => {
            let named = named.unwrap_or_default();
            Err(error).with_context(|| {
                format!(
                    "cannot have the operator's pages on {named}; --ops-listen names another address, or says `door` or `off`"
                )
            })
        }
    }
}

fn traces(flags: &Flags, file: &File) -> Option<TraceTarget> {
    let collector = flags.traces.clone().or_else(|| file.traces.clone())?;
    let one_in = flags.trace_one_in.or(file.trace_one_in).unwrap_or(NonZeroU64::MIN);
    Some(TraceTarget { collector, one_in })
}

fn private(flags: &Flags, file: &File) -> anyhow::Result<Private> {
    let short = if flags.allow_private_destinations || file.allow_private_destinations {
        Private::loopback()
    } else {
        Private::none()
    };
    let mut allowed = flags.allow_private_destination.iter().cloned().fold(short, Private::and);
    for text in &file.private_destinations {
        let one =
            Private::one(text).map_err(anyhow::Error::msg).context("`private_destinations` of the operator's file")?;
        allowed = allowed.and(one);
    }
    Ok(allowed)
}

fn wanted(flags: &Flags, file: File) -> Wanted {
    Wanted {
        files: file.merchants.into_iter().chain(flags.merchant.iter().cloned()).collect(),
        directory: flags.merchants.clone().or(file.merchants_dir),
        secrets: flags.secrets.directory.clone().or(file.secrets),
    }
}

fn is_default(database: &Database) -> bool {
    database.database == "sqlite://perkgate-data/perkgate.db"
}

fn read(path: Option<&std::path::Path>) -> anyhow::Result<File> {
    let Some(path) = path else { return Ok(File::default()) };
    let text = files::read_text(path, CONFIG_BYTES)
        .with_context(|| format!("cannot read the operator's file {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("the operator's file {}", path.display()))
}

/// SIGTERM or SIGINT.
pub(super) fn stopped() -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: the door is shut, what was begun is finished");
    })
}
