//! `perkgate apply FILE`: a merchant file into the database.

use super::{Database, Secrets, actor};
use perkgate_gateway::apply::{self, Given};
use perkgate_gateway::clock::{Clock as _, SystemClock};
use perkgate_gateway::store::Schema;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// The merchant file; called after its merchant (`kavarna.toml`), unless --merchant says whose it is
    file: PathBuf,
    /// Whose file it is: it may take this merchant's secrets and replace this merchant's programme, and no other's
    #[arg(long, value_name = "ID")]
    merchant: Option<String>,
    #[command(flatten)]
    secrets: Secrets,
    /// Only check it and everything it names
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    database: Database,
}

pub(super) async fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    let (store, vault) = flags.database.open(Schema::Migrate).await?;
    let secrets = flags.secrets.directory.as_deref();
    let given = Given { path: &flags.file, merchant: flags.merchant.as_deref(), secrets };
    let prepared = apply::prepare(&given, store.as_ref()).await?;
    for warning in &prepared.warnings {
        eprintln!("perkgate: {}: {warning}", flags.file.display());
    }
    apply::load_plugins(&prepared, &flags.database.config().host(&vault)?).await?;
    let merchant = &prepared.merchant.id;
    if flags.check {
        apply::may_replace(&prepared, store.as_ref(), &vault).await?;
        println!("{}: merchant `{merchant}` is in order", flags.file.display());
        return Ok(ExitCode::SUCCESS);
    }
    if apply::apply(&prepared, store.as_ref(), &vault, &actor(), SystemClock.now()).await? {
        println!("merchant `{merchant}` is applied; a running gateway sees it within a second");
    } else {
        println!("merchant `{merchant}` is as it was: nothing to change");
    }
    Ok(ExitCode::SUCCESS)
}
