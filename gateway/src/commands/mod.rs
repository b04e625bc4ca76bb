//! One file for each command. What they do is the library's; here are flags, words and tables.

mod apply;
mod audit;
mod backup;
mod bench;
mod coupon;
mod deliveries;
mod demo;
mod explain;
mod hand;
mod key;
mod ledger;
mod member;
mod merchant;
mod merchants;
mod migrate;
mod plugin;
mod redeem;
mod rejections;
mod relocate;
mod samples;
mod send;
mod serve;
mod tasks;
mod token;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use perkgate_domain::limits::CompileLimits;
use perkgate_gateway::gateway::Config;
use perkgate_gateway::store::{Actor, Schema, Store};
use perkgate_gateway::telemetry;
use perkgate_gateway::vault::Vault;
use perkgate_plugin_host::{Compiler, compile_in_child};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often a long copy says how far it has come.
const PROGRESS: Duration = Duration::from_secs(3);

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
    /// The keys that everything is sealed with: see them, rotate them
    #[command(subcommand)]
    Key(key::Command),
    /// Who did what, and who looked at whom
    Audit(audit::Flags),
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
    /// Write the database into one file, while a gateway serves or not, and check it. The key is not in there.
    Backup(backup::Flags),
    /// Make a new database of a backup.
    Restore(backup::RestoreFlags),
    /// Move the database to another one: from SQLite to PostgreSQL, or back.
    Move(relocate::Flags),
    /// Remove a merchant and everything it has.
    #[command(subcommand)]
    Merchant(merchant::Command),
    /// Measure this machine; prints one JSON document.
    Bench(bench::Flags),
    /// Compile the component on standard input: how a gateway has it done, within limits
    #[command(name = COMPILE, hide = true)]
    Compile,
}

/// How this program is told to compile a component.
const COMPILE: &str = "compile-component";

/// Components are compiled by this program once more, within limits.
fn compiler() -> Compiler {
    Compiler::this_program(&[COMPILE], CompileLimits::default())
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

/// Where merchants' secrets are.
#[derive(Clone, Debug, Args)]
pub(crate) struct Secrets {
    /// Where `file:NAME` of a merchant file is looked for: DIR/<merchant>/NAME
    #[arg(long = "secrets", env = "PERKGATE_SECRETS", value_name = "DIR")]
    directory: Option<PathBuf>,
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
        config.compiler = compiler();
        let older = std::env::var("PERKGATE_KEY_OLD").unwrap_or_default();
        config.key = std::env::var("PERKGATE_KEY").ok().map(|key| format!("{key} {older}"));
        config
    }

    /// The database and its key, for commands that do not run plugins.
    async fn open(&self, schema: Schema) -> anyhow::Result<(Arc<dyn Store>, Vault)> {
        Ok(self.config().open(schema).await?)
    }
}

/// Runs one command to its end.
pub(crate) fn run(line: Line) -> anyhow::Result<ExitCode> {
    if matches!(line.command, Command::Compile) {
        // Before there are threads, so that its limits hold for all of them.
        return Ok(ExitCode::from(compile_in_child()));
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")?;
    let done = runtime.block_on(async {
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
            Command::Key(command) => key::run(command).await,
            Command::Audit(flags) => audit::run(flags).await,
            Command::Ledger(command) => ledger::run(command).await,
            Command::Deliveries(flags) => deliveries::run(flags).await,
            Command::Rejections(flags) => rejections::run(flags).await,
            Command::Plugin(command) => tokio::task::block_in_place(|| plugin::run(command)),
            Command::Backup(flags) => backup::run(flags).await,
            Command::Restore(flags) => backup::restore(flags).await,
            Command::Move(flags) => relocate::run(flags).await,
            Command::Merchant(command) => merchant::run(command).await,
            Command::Bench(flags) => bench::run(flags).await,
            Command::Compile => Ok(ExitCode::SUCCESS),
        }
    });
    // A component that is still being compiled is not waited for.
    runtime.shutdown_timeout(Duration::from_secs(1));
    done
}

/// Whose command line this is: the user that the process runs as, and the machine.
fn actor() -> Actor {
    let user = user().or_else(|| std::env::var("USER").ok()).unwrap_or_else(|| "unknown".to_owned());
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok());
    let host = host.as_deref().map(str::trim).filter(|host| !host.is_empty()).unwrap_or("unknown");
    Actor::command(format!("{user}@{host}"))
}

/// The name that belongs to the process's user id; the number where it has none. An environment variable would say what one likes.
#[cfg(unix)]
fn user() -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let id = std::fs::metadata("/proc/self").ok()?.uid().to_string();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == id).then(|| name.to_owned())
    });
    Some(name.unwrap_or(id))
}

#[cfg(not(unix))]
fn user() -> Option<String> {
    None
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

/// Says every few seconds how far something long has come.
#[derive(Debug, Default)]
struct Said(Option<Instant>);

impl Said {
    fn copied(&mut self, table: &str, rows: u64) {
        self.say(|| eprintln!("{rows} rows copied, {table} so far"));
    }

    fn removed(&mut self, table: &str, rows: u64) {
        self.say(|| eprintln!("{rows} rows removed, {table} so far"));
    }

    fn say(&mut self, words: impl FnOnce()) {
        let since = *self.0.get_or_insert_with(Instant::now);
        if since.elapsed() >= PROGRESS {
            self.0 = Some(Instant::now());
            words();
        }
    }
}
