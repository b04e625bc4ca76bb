//! `perkgate backup` and `perkgate restore`: the database in one file and back, and the key apart from it.

use super::{Database, Said, actor};
use anyhow::Context as _;
use perkgate_gateway::clock::{Clock as _, SystemClock};
use perkgate_gateway::store::whole;
use perkgate_gateway::store::{self, LedgerReport, Note, Schema};
use perkgate_gateway::vault::KEY_FILE;
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// The file to make, or a directory to make one in that is named after the time
    to: PathBuf,
    /// Copy the key file, too, to this one. It must not be kept where the backup is
    #[arg(long, value_name = "FILE")]
    key_to: Option<PathBuf>,
    #[command(flatten)]
    database: Database,
}

#[derive(Debug, clap::Args)]
pub(super) struct RestoreFlags {
    /// A file that `perkgate backup` made
    from: PathBuf,
    /// Copy this key file into the data directory, too
    #[arg(long, value_name = "FILE")]
    key_from: Option<PathBuf>,
    #[command(flatten)]
    database: Database,
}

pub(super) async fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    let key = Key::of(&flags.database);
    let to = if flags.to.is_dir() { flags.to.join(named_after_the_time()) } else { flags.to.clone() };
    if let Some(copy) = &flags.key_to {
        let from = key.file()?;
        anyhow::ensure!(
            folder(copy) != folder(&to),
            "the key and the backup would lie in one folder, and who has both can read everything: name another folder with --key-to"
        );
        copy_key(from, copy)?;
    }
    let mut said = Said::default();
    let report = whole::backup(&flags.database.database, &to, &mut |table, rows| said.copied(table, rows)).await?;
    println!("{} is made and checked: {}", to.display(), counts(&report));
    noted(&flags.database.database, "database.backup", json!({"to": to.display().to_string()})).await;
    match (&flags.key_to, &key) {
        (Some(copy), _) => println!("the key is not in it; it is copied to {}", copy.display()),
        (None, Key::Environment) => println!("the key is not in it: it is what PERKGATE_KEY says; keep that elsewhere"),
        (None, Key::File(file)) => println!(
            "the key is not in it, and without the key what is sealed cannot be read: keep a copy of {} elsewhere \
             (`--key-to FILE` makes one)",
            file.display()
        ),
        (None, Key::None(file)) => println!("the key is not in it, and there is none at {} either", file.display()),
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn restore(flags: RestoreFlags) -> anyhow::Result<ExitCode> {
    let data = flags.database.data();
    std::fs::create_dir_all(&data).with_context(|| format!("cannot make {}", data.display()))?;
    if let Some(from) = &flags.key_from {
        copy_key(from, &data.join(KEY_FILE))?;
    }
    let (url, mut said) = (&flags.database.database, Said::default());
    let draft = data.join("restoring.db");
    let report = whole::restore(&flags.from, url, &draft, &mut |table, rows| said.copied(table, rows)).await?;
    println!("{} is restored and checked: {}", flags.from.display(), counts(&report));
    let checked = opens(&flags.database).await.context("the database is restored, and")?;
    println!("{checked}");
    noted(url, "database.restore", json!({"from": flags.from.display().to_string()})).await;
    Ok(ExitCode::SUCCESS)
}

/// Writes into the audit log who copied everything there is. The copy is made by then, so a database that takes no line, on a full disk
/// for example, is said and is no failure.
pub(super) async fn noted(url: &str, act: &'static str, what: Value) {
    let note = Note::new(None, &actor(), act, SystemClock.now()).now(what);
    let written = async {
        let store = store::open(url, Schema::Current).await?;
        let written = store.note(&[note]).await;
        store.close().await;
        written
    };
    if let Err(error) = written.await {
        eprintln!("perkgate: the audit log has no line about it: {error}");
    }
}

/// What a report counted.
pub(super) fn counts(report: &LedgerReport) -> String {
    let LedgerReport { entries, postings, lots, members, .. } = report;
    format!("{entries} entries, {postings} postings, {lots} lots, {members} members: every invariant holds")
}

/// `perkgate-20261128T101500Z.db`.
fn named_after_the_time() -> String {
    let now = jiff::Timestamp::from_millisecond(SystemClock.now().0).unwrap_or_default();
    format!("perkgate-{}.db", now.strftime("%Y%m%dT%H%M%SZ"))
}

/// Where the key of a database is.
enum Key {
    Environment,
    File(PathBuf),
    /// It would be here.
    None(PathBuf),
}

impl Key {
    fn of(database: &Database) -> Self {
        let file = database.data().join(KEY_FILE);
        if database.config().key.is_some() {
            Self::Environment
        } else if file.exists() {
            Self::File(file)
        } else {
            Self::None(file)
        }
    }

    fn file(&self) -> anyhow::Result<&Path> {
        match self {
            Self::File(file) => Ok(file),
            Self::Environment => {
                anyhow::bail!("the key comes from PERKGATE_KEY, so there is no file to copy: leave out --key-to")
            }
            Self::None(file) => {
                anyhow::bail!("there is no key file {}: name its directory with --data", file.display())
            }
        }
    }
}

/// The folder that a file lies in, as the system knows it.
fn folder(file: &Path) -> Option<PathBuf> {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    parent.canonicalize().ok()
}

/// Never over a file that is there: it may be the key of something else.
fn copy_key(from: &Path, to: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::read(from).with_context(|| format!("cannot read the key file {}", from.display()))?;
    let write = || {
        let mut file = private().create_new(true).open(to)?;
        file.write_all(&bytes)?;
        file.sync_all()
    };
    write().with_context(|| format!("cannot make the key file {} (it is never written over)", to.display()))
}

/// Whether the key that is there opens what is sealed in the database: says so, or why not.
async fn opens(database: &Database) -> anyhow::Result<&'static str> {
    let config = database.config();
    let store = store::open(&config.database, Schema::Current).await?;
    let key = config.existing_key(store.as_ref()).await;
    store.close().await;
    Ok(match key? {
        Some(_) => "the key that is there opens it",
        None => "nothing is sealed in it yet, so any key will do",
    })
}

/// A file for its owner alone, to be made.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
