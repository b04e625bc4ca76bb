//! `perkgate serve`: take webhooks and work on them until told to stop.

use super::Database;
use anyhow::Context as _;
use perkgate_gateway::gateway::{Config, Gateway};
use perkgate_gateway::{apply, telemetry};
use serde::Deserialize;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    #[command(flatten)]
    database: Database,
    /// An operator's file with the same settings: `database`, `data`, `listen`, `ops_listen`, `merchants`, `allow_private_destinations`
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to take requests
    #[arg(long, env = "PERKGATE_LISTEN", value_name = "ADDR")]
    listen: Option<String>,
    /// Where the operator's pages are (metrics, readiness, health), or `off` [default: 127.0.0.1:9464]
    #[arg(long, env = "PERKGATE_OPS_LISTEN", value_name = "ADDR")]
    ops_listen: Option<String>,
    /// A merchant file to apply first; may be given more than once
    #[arg(long, value_name = "FILE")]
    merchant: Vec<PathBuf>,
    /// Let messages and API questions go to private and loopback addresses
    #[arg(long)]
    allow_private_destinations: bool,
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
    ops_listen: Option<String>,
    #[serde(default)]
    merchants: Vec<PathBuf>,
    #[serde(default)]
    allow_private_destinations: bool,
}

const LISTEN: &str = "127.0.0.1:8080";
/// The port that metrics for Prometheus are usually told on.
const OPS_LISTEN: &str = "127.0.0.1:9464";
/// Files that the process may open, if the system lets it: connections are files too.
const FILES: u64 = 65_536;

pub(super) async fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    telemetry::start_logging(flags.log_json);
    let file = read(flags.config.as_deref())?;
    let mut database = flags.database.clone();
    if let (Some(named), true) =
        (file.database, std::env::var_os("PERKGATE_DATABASE").is_none() && is_default(&flags.database))
    {
        database.database = named;
    }
    database.data = database.data.or(file.data);
    let mut config: Config = database.config();
    config.allow_private = flags.allow_private_destinations || file.allow_private_destinations;
    let listen = flags.listen.or(file.listen).unwrap_or_else(|| LISTEN.to_owned());
    // Some systems begin with as few as 1,024. Where no more are to be had, there are fewer connections.
    let _ = rlimit::increase_nofile_limit(FILES);
    let gateway = Gateway::open(config).await?;
    for path in file.merchants.iter().chain(&flags.merchant) {
        let prepared = apply::prepare(path, gateway.store.as_ref()).await?;
        let changed = apply::apply(&prepared, gateway.store.as_ref(), &gateway.vault).await?;
        tracing::info!(merchant = %prepared.merchant.id, changed, "merchant file applied");
        for source in prepared.sources() {
            tracing::info!(merchant = %prepared.merchant.id, source = %source.id, platform = source.platform,
                "takes webhooks at http://{listen}/in/{}/{}", prepared.merchant.id, source.id);
        }
    }
    gateway.registry.refresh().await?;
    if gateway.registry.snapshot().programmes().next().is_none() {
        tracing::warn!(
            "there is no merchant yet: name a merchant file with --merchant FILE, or run `perkgate apply FILE`"
        );
    }
    let listener = TcpListener::bind(&listen).await.with_context(|| {
        format!("cannot listen on {listen}; is another program there? --listen names another address")
    })?;
    let pages = operators_pages(flags.ops_listen.or(file.ops_listen).as_deref()).await?;
    tracing::info!("listening on http://{}", listener.local_addr()?);
    gateway.serve_with(listener, pages, stopped()?).await?;
    gateway.store.close().await;
    tracing::info!("stopped; everything answered 200 is in the journal");
    Ok(ExitCode::SUCCESS)
}

/// Where the operator's pages are. An address that was named must be free. The usual one may be taken, by another gateway on this machine
/// for example: then there are no pages, and the log says so.
async fn operators_pages(named: Option<&str>) -> anyhow::Result<Option<TcpListener>> {
    if named == Some("off") {
        return Ok(None);
    }
    match TcpListener::bind(named.unwrap_or(OPS_LISTEN)).await {
        Ok(listener) => {
            tracing::info!("the operator's pages are at http://{}", listener.local_addr()?);
            Ok(Some(listener))
        }
        Err(error) if named.is_none() => {
            tracing::warn!(
                "there are no metrics and no health document: {OPS_LISTEN} is taken ({error}); name another address with \
                 --ops-listen ADDR, or `--ops-listen off`"
            );
            Ok(None)
        }
        Err(error) => {
            let named = named.unwrap_or_default();
            Err(error).with_context(|| {
                format!("cannot have the operator's pages on {named}; --ops-listen names another address, or `off`")
            })
        }
    }
}

fn is_default(database: &Database) -> bool {
    database.database == "sqlite://perkgate-data/perkgate.db"
}

fn read(path: Option<&std::path::Path>) -> anyhow::Result<File> {
    let Some(path) = path else { return Ok(File::default()) };
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read the operator's file {}", path.display()))?;
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
