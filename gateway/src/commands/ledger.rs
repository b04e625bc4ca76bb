//! `perkgate ledger verify`: exit 0 only if every invariant holds.

use super::{Database, print_json};
use perkgate_domain::ids::MerchantId;
use perkgate_gateway::decide::Replay;
use perkgate_gateway::store::{LedgerReport, Schema, Store};
use perkgate_plugin_host::Host;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How often a long replay says how far it has come.
const PROGRESS: Duration = Duration::from_secs(3);

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
    /// Make every stored decision again, too: it must come to the same bytes
    #[arg(long)]
    replay: bool,
    /// One JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let Command::Verify(flags) = command;
    let (store, vault) = flags.database.open(Schema::Current).await?;
    let merchant = flags.merchant.map(MerchantId::new);
    let mut report = store.verify(merchant.as_ref()).await?;
    if flags.replay {
        let host = flags.database.config().host(&vault)?;
        replay(store.as_ref(), &host, merchant.as_ref(), &mut report).await?;
    }
    if flags.json {
        let mut document = serde_json::to_value(&report)?;
        document["holds"] = report.holds().into();
        print_json(&document)?;
    } else {
        for line in lines(&report) {
            super::say(&line);
        }
    }
    anyhow::ensure!(
        report.holds(),
        "the ledger does not hold ({} findings); restore a backup and report this",
        report.problems.len()
    );
    Ok(ExitCode::SUCCESS)
}

async fn replay(
    store: &dyn Store,
    host: &Host,
    merchant: Option<&MerchantId>,
    report: &mut LedgerReport,
) -> anyhow::Result<()> {
    let mut replay = Replay::new(store, host, merchant);
    let mut said = Instant::now();
    while replay.step(report).await? {
        if said.elapsed() >= PROGRESS {
            said = Instant::now();
            let done = report.replayed.unwrap_or_default();
            eprintln!(
                "{} decisions on {} entries made again, {} findings so far",
                done.decisions,
                done.entries,
                report.problems.len()
            );
        }
    }
    Ok(())
}

/// For people.
fn lines(report: &LedgerReport) -> Vec<String> {
    let holds = if report.holds() { "every invariant holds" } else { "THE LEDGER DOES NOT HOLD" };
    let LedgerReport { entries, postings, lots, members, .. } = report;
    let counts = format!("{entries} entries, {postings} postings, {lots} lots, {members} members");
    let replayed = report.replayed.map(|done| {
        let passed_over = match done.passed_over {
            0 => String::new(),
            count => format!(" ({count} passed over: faults of ours, or the facts were removed)"),
        };
        format!(", {} decisions made again{passed_over}", done.decisions)
    });
    let first = format!("{counts}{}: {holds}", replayed.unwrap_or_default());
    std::iter::once(first).chain(report.problems.iter().map(|problem| format!("- {problem}"))).collect()
}
