//! `perkgate rejections`: requests that were turned away, and arrivals that were taken and lead to nothing yet, newest first.

use super::{Database, print_json, say};
use perkgate_domain::ids::MerchantId;
use perkgate_gateway::store::Schema;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// Whose
    #[arg(long, value_name = "ID")]
    merchant: String,
    /// Arrivals that were taken and ended so, in place of rejections
    #[arg(long, value_parser = ["parked", "conflict", "nothing", "test"])]
    arrivals: Option<String>,
    /// One JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

pub(super) async fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    let (store, _) = flags.database.open(Schema::Current).await?;
    if let Some(state) = &flags.arrivals {
        let found = store.arrivals(&MerchantId::new(flags.merchant), state, 200).await?;
        if flags.json {
            print_json(&serde_json::to_value(&found)?)?;
            return Ok(ExitCode::SUCCESS);
        }
        for arrival in &found {
            say(&format!("{}  {}  {}", arrival.arrival, arrival.topic, arrival.note.as_deref().unwrap_or_default()));
        }
        say(&format!("{} {state}", found.len()));
        return Ok(ExitCode::SUCCESS);
    }
    let found = store.rejections(&MerchantId::new(flags.merchant), 200).await?;
    if flags.json {
        print_json(&serde_json::to_value(&found)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    for rejection in &found {
        let line =
            format!("{}  {}  {} bytes  {}", rejection.source, rejection.cause, rejection.bytes, rejection.detail);
        say(&line);
    }
    say(&format!("{} rejected", found.len()));
    Ok(ExitCode::SUCCESS)
}
