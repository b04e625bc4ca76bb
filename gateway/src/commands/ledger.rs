//! `perkgate ledger verify`: exit 0 only if every invariant holds.

use super::{Database, print_json};
use perkgate_domain::ids::MerchantId;
use perkgate_gateway::store::Schema;
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Recompute every balance, chain and lot from the postings
    Verify(Flags),
}

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// Only this merchant
    #[arg(long, value_name = "ID")]
    merchant: Option<String>,
    /// One JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let Command::Verify(flags) = command;
    let (store, _) = flags.database.open(Schema::Current).await?;
    let merchant = flags.merchant.map(MerchantId::new);
    let report = store.verify(merchant.as_ref()).await?;
    if flags.json {
        let mut document = serde_json::to_value(&report)?;
        document["holds"] = report.holds().into();
        print_json(&document)?;
    } else {
        println!(
            "{} entries, {} postings, {} lots, {} members: {}",
            report.entries,
            report.postings,
            report.lots,
            report.members,
            if report.holds() { "every invariant holds" } else { "THE LEDGER DOES NOT HOLD" }
        );
        for problem in &report.problems {
            println!("- {problem}");
        }
    }
    anyhow::ensure!(
        report.holds(),
        "the ledger does not hold ({} findings); restore a backup and report this",
        report.problems.len()
    );
    Ok(ExitCode::SUCCESS)
}
