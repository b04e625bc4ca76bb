//! One file for each command. What they do is the library's; here are flags, words and tables.

mod apply;
mod bench;
mod coupon;
mod deliveries;
mod demo;
mod explain;
mod hand;
mod ledger;
mod member;
mod migrate;
mod plugin;
mod redeem;
mod rejections;
mod samples;
mod send;
mod serve;
mod tasks;
mod token;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use perkgate_gateway::gateway::Config;
use perkgate_gateway::store::{self, Schema, Store};
use perkgate_gateway::telemetry;
use perkgate_gateway::vault::Vault;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// The loyalty gateway: purchase webhooks in; points, stamps, offers and messages out.
#[derive(Debug, Parser)]
#[command(name = "perkgate", version, arg_required_else_help = true)]
pub(crate) struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything in one go: a demo shop, thirty webhooks, what each led to.
    Demo(demo::Flags),
    /// Take webhooks and work on them.
    Serve(serve::Flags),
    /// Put a merchant file into the database; twice is as good as once.
    Apply(apply::Flags),
    /// Bring the database's tables up to date.
    Migrate(migrate::Flags),
    /// Send signed webhooks as a platform would.
    Send(send::Flags),
    /// Why did this purchase give what it gave?
    Explain(explain::Flags),
    /// What does this member have? Or, with a verb: join, update, merge, forget, export, claim
    Member(Box<member::Flags>),
    /// A member takes a reward of the catalogue
    Redeem(redeem::Flags),
    /// A member gives a reward back, unused and in time
    Undo(redeem::UndoFlags),
    /// Rewards that the merchant gives
    #[command(subcommand)]
    Coupon(coupon::Command),
    /// What there is for the merchant to know or do
    Tasks(tasks::Flags),
    /// Tokens for the management API
    #[command(subcommand)]
    Token(token::Command),
    /// Check the ledger.
    #[command(subcommand)]
    Ledger(ledger::Command),
    /// Messages on their way out: list them, send dead ones again.
    Deliveries(deliveries::Flags),
    /// Requests that were turned away, and why.
    Rejections(rejections::Flags),
    /// The author's bench: make, build, check, test and run plugins.
    #[command(subcommand)]
    Plugin(plugin::Command),
    /// Measure this machine; prints one JSON document.
    Bench(bench::Flags),
}

/// Which database, and where its key is.
#[derive(Clone, Debug, Args)]
pub(crate) struct Database {
    /// `sqlite://path.db` or `postgres://user:password@host:5432/database`
    #[arg(long, env = "PERKGATE_DATABASE", default_value = "sqlite://perkgate-data/perkgate.db", value_name = "URL")]
    database: String,
    /// Where the sealing key and compiled plugins are kept [default: the SQLite file's directory, or `perkgate-data`]
    #[arg(long, env = "PERKGATE_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Database {
    /// The directory of keys and caches.
    fn data(&self) -> PathBuf {
        let beside = || {
            let Some(rest) = self.database.strip_prefix("sqlite:") else { return PathBuf::from("perkgate-data") };
            let path = rest.trim_start_matches("//").split('?').next().unwrap_or_default();
            // An absolute path keeps its first slash.
            let path =
                if rest.starts_with("///") { format!("/{}", path.trim_start_matches('/')) } else { path.to_owned() };
            Path::new(&path)
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty())
                .map_or_else(|| PathBuf::from("."), Path::to_owned)
        };
        self.data.clone().unwrap_or_else(beside)
    }

    fn config(&self) -> Config {
        let mut config = Config::new(self.database.clone(), self.data());
        config.key = std::env::var("PERKGATE_KEY").ok();
        config
    }

    /// The database and its key, for commands that do not run plugins.
    async fn open(&self, schema: Schema) -> anyhow::Result<(Arc<dyn Store>, Vault)> {
        let config = self.config();
        std::fs::create_dir_all(&config.data).with_context(|| format!("cannot make {}", config.data.display()))?;
        let store = store::open(&config.database, schema).await?;
        Ok((store, Vault::load(&config.data, config.key.as_deref())?))
    }
}

/// Runs one command to its end.
pub(crate) fn run(line: Line) -> anyhow::Result<ExitCode> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")?;
    runtime.block_on(async {
        match line.command {
            Command::Demo(flags) => demo::run(flags).await,
            Command::Serve(flags) => serve::run(flags).await,
            Command::Apply(flags) => apply::run(flags).await,
            Command::Migrate(flags) => migrate::run(flags).await,
            Command::Send(flags) => send::run(flags).await,
            Command::Explain(flags) => explain::run(flags).await,
            Command::Member(flags) => member::run(*flags).await,
            Command::Redeem(flags) => redeem::run(flags).await,
            Command::Undo(flags) => redeem::undo(flags).await,
            Command::Coupon(command) => coupon::run(command).await,
            Command::Tasks(flags) => tasks::run(flags).await,
            Command::Token(command) => token::run(command).await,
            Command::Ledger(command) => ledger::run(command).await,
            Command::Deliveries(flags) => deliveries::run(flags).await,
            Command::Rejections(flags) => rejections::run(flags).await,
            Command::Plugin(command) => tokio::task::block_in_place(|| plugin::run(command)),
            Command::Bench(flags) => bench::run(flags).await,
        }
    })
}

/// Prints one line. What others wrote, such as a platform or a member, is in many of them, and may neither begin lines nor steer the
/// terminal.
fn say(line: &str) {
    println!("{}", telemetry::visible(line));
}

/// Prints one JSON document.
fn print_json(document: &serde_json::Value) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(document)?);
    Ok(())
}
