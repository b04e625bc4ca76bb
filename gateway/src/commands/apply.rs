//! `perkgate apply FILE`: a merchant file into the database.

use super::{Database, actor};
use perkgate_gateway::apply;
use perkgate_gateway::clock::{Clock as _, SystemClock};
use perkgate_gateway::store::Schema;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// The merchant file
    file: PathBuf,
    /// Only check it and everything it names
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    database: Database,
}

pub(super) async fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    let (store, vault) = flags.database.open(Schema::Migrate).await?;
    let prepared = apply::prepare(&flags.file, store.as_ref()).await?;
    let merchant = &prepared.merchant.id;
    if flags.check {
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
