//! A day on which something is due for everybody: every member's points expire, and every tenth is waited for by a plugin. How long the
//! scheduler takes, and how much memory.

use super::grow::{self, Size};
use super::load::{self, Engines};
use perkgate_domain::time::Moment;
use perkgate_gateway::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const DAY_MS: i64 = 24 * 3600 * 1000;
/// How often it says how far it is.
const SAY: Duration = Duration::from_secs(10);

const PLUGIN: &str = r#"
[[plugins]]
plugin = "win-back"
settings = { steps = [ { days = 45, gift = { points = 50 } } ] }
grants = ["earn", "message", "wake", "remember", "tag", "reward"]
"#;

pub(super) async fn measure(engines: &Engines, members: u32) -> anyhow::Result<Value> {
    let mut document = json!({"members": members});
    for engine in engines.names() {
        let place = engines.place(engine, "schedule").await?;
        let (gateway, source) = load::gateway_of(&place, &format!("{}{PLUGIN}", load::full_merchant())).await?;
        // A new installation is told of everybody: not what is measured here.
        while gateway.pipeline.schedule().await? > 0 {}
        let due = Moment(SystemClock.now().0 - DAY_MS);
        grow::grow(&gateway, &source.id, &place, Size { members, postings: members * 2 }, Some(due)).await?;
        let (started, mut said) = (Instant::now(), Instant::now());
        let (mut settled, mut most) = (0, resident_kb()?);
        loop {
            let count = gateway.pipeline.schedule().await?;
            if count == 0 {
                break;
            }
            settled += count;
            most = most.max(resident_kb()?);
            if said.elapsed() >= SAY {
                said = Instant::now();
                eprintln!(
                    "{engine}: {settled} of some {} in {} s",
                    members + members / 10,
                    started.elapsed().as_secs()
                );
            }
        }
        let took = started.elapsed();
        drop(gateway);
        place.leave().await?;
        document[engine] = json!({
            "seconds": took.as_secs(), "entries": settled, "resident_kb_most": most,
            "entries_per_second": u128::try_from(settled)? * 1_000 / took.as_millis().max(1),
        });
    }
    Ok(document)
}

/// What this process has in memory, by the system's word.
fn resident_kb() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse().ok());
    number.ok_or_else(|| anyhow::anyhow!("the system does not tell how much memory is used"))
}
