//! `perkgate audit`: who did what, and who looked at whom.

use super::{Database, print_json};
use anyhow::Context as _;
use perkgate_domain::ids::MerchantId;
use perkgate_domain::time::Moment;
use perkgate_gateway::store::{AuditQuery, AuditRow, Schema};
use std::process::ExitCode;

/// Lines read at once.
const PAGE: i64 = 1_000;

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// Only this merchant's [default: everything]
    #[arg(long, value_name = "ID")]
    merchant: Option<String>,
    /// Not older than this: `2026-06-01` or `2026-06-01T12:00:00Z`
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// One JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

pub(super) async fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    let since = flags.since.as_deref().map(moment).transpose()?;
    let (store, _) = flags.database.open(Schema::Current).await?;
    let mut query = AuditQuery { merchant: flags.merchant.map(MerchantId::new), since, after: 0, most: PAGE };
    let mut all = Vec::new();
    loop {
        let rows = store.audit(&query).await?;
        let Some(last) = rows.last() else { break };
        query.after = last.id;
        if flags.json {
            all.extend(rows);
        } else {
            for row in &rows {
                println!("{}", line(row));
            }
        }
    }
    if flags.json {
        print_json(&serde_json::json!({"audit": all}))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn moment(text: &str) -> anyhow::Result<Moment> {
    let whole = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
    let time: jiff::Timestamp = whole
        .parse()
        .with_context(|| format!("--since {text} is no time: write 2026-06-01 or 2026-06-01T12:00:00Z"))?;
    Ok(Moment(time.as_millisecond()))
}

fn line(row: &AuditRow) -> String {
    let at = jiff::Timestamp::from_millisecond(row.at.0).map_or_else(|_| row.at.0.to_string(), |at| at.to_string());
    let merchant = if row.merchant.is_empty() { "-" } else { &row.merchant };
    let mut parts = vec![format!("{at}  {merchant}  {} {}  {}", row.actor_kind, row.actor, row.act)];
    parts.extend(row.member.as_ref().map(ToString::to_string));
    parts.extend(row.arrival.map(|arrival| format!("arrival {arrival}")));
    for (word, value) in [("was", &row.before), ("now", &row.after)] {
        parts.extend(value.as_ref().map(|value| format!("{word} {value}")));
    }
    parts.join("  ")
}
