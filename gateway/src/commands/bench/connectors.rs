//! From a signed request to facts: verify and read one purchase webhook of each platform.

use super::Times;
use crate::commands::samples::{self, Sale};
use perkgate_domain::time::Moment;
use perkgate_gateway::connectors::{self, Admitted, Arrival, Context, Reading};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const NOW: Moment = Moment(1_772_366_400_000);
const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

pub(super) fn measure(calls: u32) -> anyhow::Result<Value> {
    let mut all = BTreeMap::new();
    for platform in connectors::platforms() {
        let mut sale = Sale::made_up(820_982_911_946_154_508, "jana@example.com", NOW);
        sale.items =
            vec![("Flat white", 1, 340), ("Croissant", 2, 210), ("Cake", 1, 450), ("Tea", 1, 280), ("Water", 3, 150)];
        let source = samples::source(platform, SECRET, Some("https://gateway.example/in/bench/till"));
        // The generic connector's shape is up to the merchant.
        let Some(body) = samples::purchase(platform, &sale) else { continue };
        let Some(connector) = connectors::find(platform) else { continue };
        let signed = connector.sign(&body, None, "bench", &source, NOW).map_err(anyhow::Error::msg)?;
        let headers: Vec<(String, Vec<u8>)> =
            signed.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value.into_bytes())).collect();
        let answers = BTreeMap::new();
        let (mut verify, mut normalise) = (Times::default(), Times::default());
        for _ in 0..calls {
            let arrival = Arrival { headers: headers.clone(), body: body.clone().into(), received_at: NOW };
            let admitted = verify.time(|| connector.verify(arrival, &source))?;
            let Admitted::Event(verified) = admitted else { anyhow::bail!("{platform}: a handshake") };
            let reading =
                normalise.time(|| connector.normalise(&verified, Context { source: &source, fetched: &answers }))?;
            anyhow::ensure!(matches!(reading, Reading::Entries(_)), "{platform}: {reading:?}");
        }
        all.insert(
            platform.to_owned(),
            json!({
                "verify_ns": {"p50": verify.within(500), "p99": verify.within(990)},
                "normalise_ns": {"p50": normalise.within(500), "p99": normalise.within(990)},
                "body_bytes": body.len(),
            }),
        );
    }
    Ok(json!(all))
}
