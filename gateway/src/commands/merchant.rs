//! `perkgate merchant remove`: everything of a merchant exported into a file, then removed. Killed in between, the same command goes on
//! where it was.

mod export;

use super::{Database, Said, actor};
use anyhow::Context as _;
use export::{Export, Opener};
use perkgate_domain::ids::MerchantId;
use perkgate_gateway::clock::{Clock as _, SystemClock};
use perkgate_gateway::store::whole::Leaving;
use perkgate_gateway::store::{self, Note, Schema};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// By when every process has seen that the programme is gone: they look once a second, and a request may be under way.
const SEEN: Duration = Duration::from_secs(2);
/// How long to wait until nobody works on the merchant's entries and messages any more.
const PATIENCE: Duration = Duration::from_secs(90);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(250);
/// How often to look for rows that somebody wrote while others were removed.
const ROUNDS: usize = 3;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Export everything of a merchant, then remove it for good
    Remove(Flags),
}

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// Which
    merchant: String,
    /// The file to export everything into: one JSON document a line. It must not exist
    #[arg(long, value_name = "FILE")]
    export: PathBuf,
    /// Leave contact data and the bodies of what came in sealed, in place of opening them for the export
    #[arg(long)]
    sealed: bool,
    /// The merchant's id once more: what is removed does not come back
    #[arg(long, value_name = "ID")]
    yes_remove: String,
    #[command(flatten)]
    database: Database,
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let Command::Remove(flags) = command;
    anyhow::ensure!(
        flags.yes_remove == flags.merchant,
        "--yes-remove says `{}` and not `{}`: nothing is removed",
        flags.yes_remove,
        flags.merchant
    );
    let merchant = MerchantId::new(flags.merchant.clone());
    let opener = if flags.sealed {
        None
    } else {
        let (store, vault) = flags.database.open(Schema::Current).await?;
        store.close().await;
        Some(Opener::new(vault, merchant.clone()))
    };
    let leaving = Leaving::open(&flags.database.database, &merchant).await?;
    let removed = remove(&flags, &merchant, &leaving, opener).await;
    leaving.close().await;
    let removed = removed?;
    // In the installation's chain of the audit log: the merchant's own went with it.
    let store = store::open(&flags.database.database, Schema::Current).await?;
    let note = Note::new(None, &actor(), "merchant.remove", SystemClock.now());
    let noted = store.note(&[note.now(json!({"merchant": merchant, "rows": removed}))]).await;
    store.close().await;
    noted?;
    println!("merchant `{merchant}` is removed: {removed} rows; {} has them all", flags.export.display());
    Ok(ExitCode::SUCCESS)
}

async fn remove(
    flags: &Flags,
    merchant: &MerchantId,
    leaving: &Leaving,
    opener: Option<Opener>,
) -> anyhow::Result<u64> {
    anyhow::ensure!(
        leaving.is_there().await?,
        "there is no merchant `{merchant}` in this database, and nothing that one left"
    );
    write_down(flags, merchant).await?;
    let begun = !leaving.has_programme().await?;
    if !(begun && export::is_whole(&flags.export, merchant)?) {
        let mut export = Export::begin(&flags.export, merchant, begun, opener)?;
        if !begun {
            // While the programme is still there. What else there is may still grow, and is exported when it cannot any more.
            leaving.export(true, |row| export.write(row)).await?;
            export.end_programme()?;
            leaving.close_door().await?;
        }
        tokio::time::sleep(SEEN).await;
        quiet(leaving).await?;
        leaving.export(false, |row| export.write(row)).await?;
        let unopened = export.end()?;
        if unopened > 0 {
            eprintln!("{unopened} sealed values do not open with this key, and are in the export as they are");
        }
    }
    let (mut said, mut removed) = (Said::default(), 0);
    for _ in 0..ROUNDS {
        removed += leaving.remove(&mut |table, rows| said.removed(table, rows)).await?;
        if !leaving.is_there().await? {
            return Ok(removed);
        }
    }
    anyhow::bail!("somebody goes on writing rows of `{merchant}`: stop whoever it is, and run this again")
}

/// Who removes whom, in the installation's audit log: the merchant's own goes with the merchant.
async fn write_down(flags: &Flags, merchant: &MerchantId) -> anyhow::Result<()> {
    let store = store::open(&flags.database.database, Schema::Current).await?;
    let note = Note::new(None, &actor(), "merchant.remove", SystemClock.now());
    store.note(&[note.now(json!({"merchant": merchant}))]).await?;
    store.close().await;
    Ok(())
}

/// Waits until nobody holds anything of the merchant's.
async fn quiet(leaving: &Leaving) -> anyhow::Result<()> {
    let wait = async {
        while !leaving.hush().await? {
            // The processes that work on them tell nobody here when they are done.
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    };
    tokio::time::timeout(PATIENCE, wait)
        .await
        .context("somebody still works on what the merchant has to do: stop whoever it is, and run this again")?
}
