//! `perkgate rejections`: requests that were turned away, arrivals that were taken and lead to nothing yet, and entries that do not go on
//! by themselves.

use super::{Database, print_json, say};
use anyhow::{Context as _, bail};
use perkgate_domain::ids::{EntryId, MerchantId};
use perkgate_gateway::clock::{Clock as _, SystemClock};
use perkgate_gateway::store::{Schema, Store};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// Whose
    #[arg(long, value_name = "ID")]
    merchant: String,
    /// Arrivals that were taken and ended so, in place of rejections
    #[arg(long, value_parser = ["parked", "conflict", "nothing", "test"])]
    arrivals: Option<String>,
    /// What waits and why: entries that failed or wait for their purchase, and members for whom what is due failed
    #[arg(long, conflicts_with = "arrivals")]
    stalled: bool,
    /// Try what failed again: one entry by its number, or `all`
    #[arg(long, value_name = "ENTRY|all", conflicts_with_all = ["arrivals", "stalled"])]
    retry: Option<String>,
    /// One JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

pub(super) async fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    let (store, _) = flags.database.open(Schema::Current).await?;
    let merchant = MerchantId::new(&*flags.merchant);
    if let Some(what) = &flags.retry {
        return retry(store.as_ref(), &merchant, what).await;
    }
    if flags.stalled {
        return stalled(store.as_ref(), &merchant, flags.json).await;
    }
    if let Some(state) = &flags.arrivals {
        let found = store.arrivals(&merchant, state, 200).await?;
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
    let found = store.rejections(&merchant, 200).await?;
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

/// What waits, the oldest first, each with why, since when, and when it is tried again.
async fn stalled(store: &dyn Store, merchant: &MerchantId, json: bool) -> anyhow::Result<ExitCode> {
    let found = store.stalled(merchant, 200).await?;
    if json {
        print_json(&serde_json::to_value(&found)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let now = SystemClock.now();
    for item in &found {
        let what = item.entry.map_or_else(|| "due".to_owned(), |entry| entry.to_string());
        let age = item.since.map_or_else(String::new, |since| format!("for {}", age(now.since_ms(since))));
        let whose = item.member.as_deref().unwrap_or_default();
        let cause = item.cause.as_deref().unwrap_or_default();
        let line = format!(
            "{what}  {}  {}  {}  {age}  {whose}  {} failures  {cause}",
            item.kind, item.id, item.state, item.attempts
        );
        say(&line);
    }
    say(&format!("{} stalled", found.len()));
    Ok(ExitCode::SUCCESS)
}

async fn retry(store: &dyn Store, merchant: &MerchantId, what: &str) -> anyhow::Result<ExitCode> {
    let entry = match what {
        "all" => None,
        number => {
            let number = number.parse().with_context(|| {
                format!("`{number}` is no entry: give a number that `perkgate rejections --stalled` lists, or `all`")
            })?;
            Some(EntryId(number))
        }
    };
    let count = store.retry(Some(merchant), entry).await?;
    if let (Some(entry), 0) = (entry, count) {
        bail!("entry {entry} of `{merchant}` has not failed: `perkgate rejections --stalled` lists what has");
    }
    say(&format!("{count} to be tried again"));
    Ok(ExitCode::SUCCESS)
}

/// A length of time in its largest unit.
fn age(ms: i64) -> String {
    let minutes = ms.max(0) / 60_000;
    match minutes {
        0..120 => format!("{minutes} min"),
        120..2_880 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1_440),
    }
}
