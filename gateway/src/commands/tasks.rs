//! `perkgate tasks`: what there is for the merchant to know or do.

use super::{Database, member, print_json, say};
use perkgate_domain::ids::MerchantId;
use perkgate_gateway::clock::{Clock as _, SystemClock};
use perkgate_gateway::store::Schema;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// Whose
    #[arg(long, value_name = "ID")]
    merchant: String,
    /// Close this one
    #[arg(long, value_name = "ID")]
    close: Option<String>,
    /// Those that are closed
    #[arg(long, conflicts_with = "close")]
    closed: bool,
    /// One JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

pub(super) async fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    let (store, _) = flags.database.open(Schema::Current).await?;
    let merchant = MerchantId::new(flags.merchant);
    member::programme(store.as_ref(), &merchant).await?;
    if let Some(id) = flags.close {
        let closed = store.close_task(&merchant, &id, SystemClock.now(), &super::actor()).await?;
        anyhow::ensure!(closed, "there is no open task `{id}`; `perkgate tasks --merchant {merchant}` lists them");
        if flags.json {
            print_json(&serde_json::json!({"task": id, "state": "closed"}))?;
        } else {
            say("closed");
        }
        return Ok(ExitCode::SUCCESS);
    }
    let state = if flags.closed { "closed" } else { "open" };
    let tasks = store.tasks(&merchant, state, 200).await?;
    if flags.json {
        print_json(&serde_json::json!({"tasks": tasks}))?;
        return Ok(ExitCode::SUCCESS);
    }
    for task in &tasks {
        say(&format!("{}  {}  {}", task.id, task.key, task.title));
    }
    say(&format!("{} {state}", tasks.len()));
    Ok(ExitCode::SUCCESS)
}
