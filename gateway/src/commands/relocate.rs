//! `perkgate move --to URL`: the database into a new one, of the other engine or the same.

use super::backup::{counts, noted};
use super::{Database, Said};
use perkgate_gateway::store::whole;
use serde_json::json;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// The new database: `sqlite://path.db` or `postgres://…`, without tables yet
    #[arg(long, value_name = "URL")]
    to: String,
    /// Although somebody has the database open: what they write there from then on is not in the new one
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    database: Database,
}

pub(super) async fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    let mut said = Said::default();
    let from = &flags.database.database;
    let copied = whole::move_to(from, &flags.to, flags.force, &mut |table, rows| said.copied(table, rows)).await?;
    println!("{} rows of {} tables are moved, and every table was compared", copied.rows, copied.tables);
    println!("{}", counts(&copied.report));
    // A URL may have a password in it.
    let engine = from.split_once(':').map_or("", |(engine, _)| engine);
    noted(&flags.to, "database.move", json!({"from": engine})).await;
    println!(
        "from now on name the new database with --database, and this directory of the key with --data: {}",
        flags.database.data().display()
    );
    println!(
        "the old one is as it was: take it away once the new one serves, so that nobody starts a gateway on it again"
    );
    Ok(ExitCode::SUCCESS)
}
