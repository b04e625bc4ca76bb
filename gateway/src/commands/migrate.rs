//! `perkgate migrate`: the database's tables as this program wants them, before the first `serve` of a new version.

use super::Database;
use perkgate_gateway::store::{self, Schema};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    #[command(flatten)]
    database: Database,
}

pub(super) async fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    let done = store::migrate(&flags.database.database).await?;
    for migration in &done {
        println!("{migration}");
    }
    let store = store::open(&flags.database.database, Schema::Current).await?;
    // The tables need no key, but whoever starts a gateway next will.
    if let Err(error) = flags.database.config().existing_key(store.as_ref()).await {
        eprintln!("perkgate: {error}");
    }
    store.close().await;
    println!("{}", if done.is_empty() { "the tables were up to date" } else { "the tables are up to date" });
    Ok(ExitCode::SUCCESS)
}
