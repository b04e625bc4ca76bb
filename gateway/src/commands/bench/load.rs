//! Made-up load: purchases of five lines by a number of members, signed as Standard Webhooks.

use perkgate_domain::programme::Source;
use perkgate_domain::time::Moment;
use perkgate_gateway::apply;
use perkgate_gateway::clock::{Clock as _, SystemClock};
use perkgate_gateway::connectors;
use perkgate_gateway::gateway::{Config, Gateway};
use serde_json::json;

/// A directory that is gone afterwards.
pub(super) struct Place(std::path::PathBuf);

impl Place {
    pub(super) fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("perkgate-bench-{name}-{}-{}", std::process::id(), SystemClock.now().0)))
    }
    pub(super) fn path(&self) -> &std::path::Path {
        &self.0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What is left behind is in the system's directory for such things.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const MERCHANT: &str = r#"
[merchant]
id = "bench"
name = "Bench"
currency = "EUR"
timezone = "Europe/Bratislava"
locale = "sk"

[[sources]]
id = "till"
platform = "standard-webhooks"
secrets = ["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"]

[[plugins]]
plugin = "points-per-spend"
settings = { points = 1, per = "1.00" }
grants = ["earn"]

[[plugins]]
plugin = "stamp-card"
settings = { goal = 10, reward = { key = "free-coffee", title = "Free coffee" } }
grants = ["earn", "reward"]

[[plugins]]
plugin = "thank-you"
settings = { visits = [5], milestones = ["100.00"] }
grants = ["message"]
"#;

/// A gateway with the bench's merchant in a new place.
pub(super) async fn gateway(place: &Place) -> anyhow::Result<(Gateway, Source)> {
    let mut config = Config::new(format!("sqlite://{}", place.path().join("bench.db").display()), place.path());
    config.allow_private = true;
    let gateway = Gateway::open(config).await?;
    let prepared =
        apply::prepare_text(MERCHANT, "the bench's merchant file", place.path().to_owned(), gateway.store.as_ref())
            .await?;
    apply::apply(&prepared, gateway.store.as_ref(), &gateway.vault).await?;
    gateway.registry.refresh().await?;
    let source = prepared.sources()[0].clone();
    Ok((gateway, source))
}

/// The body of purchase `number`.
pub(super) fn body(number: u32, members: u32, at: Moment) -> Vec<u8> {
    let lines: Vec<_> = (0..5_i64)
        .map(|line| {
            let total = 150 + (i64::from(number) * 37 + line * 113) % 900;
            json!({"id": line.to_string(), "name": format!("Item {line}"), "quantity_milli": 1000, "unit": total, "total": total})
        })
        .collect();
    let total: i64 = lines.iter().filter_map(|line| line["total"].as_i64()).sum();
    json!({
        "type": "purchase",
        "data": {
            "purchase": {"id": format!("b{number}"), "currency": "EUR", "total": total, "placed_at": at.0, "lines": lines},
            "customer": {"customer_id": format!("c{}", number % members.max(1))},
        },
    })
    .to_string()
    .into_bytes()
}

/// A body signed by the source at `now`.
pub(super) fn signed(body: &[u8], number: u32, source: &Source, now: Moment) -> anyhow::Result<Vec<(String, String)>> {
    let connector =
        connectors::find(&source.platform).ok_or_else(|| anyhow::anyhow!("no connector for {}", source.platform))?;
    connector.sign(body, None, &format!("bench-{number}"), source, now).map_err(anyhow::Error::msg)
}
