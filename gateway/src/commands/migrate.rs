//! `perkgate migrate`: the database's tables as this program wants them, before the first `serve` of a new version.

use super::Database;
use perkgate_gateway::store;
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
    println!("{}", if done.is_empty() { "the tables were up to date" } else { "the tables are up to date" });
    Ok(ExitCode::SUCCESS)
}
