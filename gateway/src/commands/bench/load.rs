//! Made-up load: purchases of five lines by a number of members, signed as Standard Webhooks; and places to put it.

use super::super::actor;
use anyhow::Context as _;
use perkgate_domain::programme::Source;
use perkgate_domain::time::Moment;
use perkgate_gateway::apply;
use perkgate_gateway::clock::{Clock as _, SystemClock};
use perkgate_gateway::connectors;
use perkgate_gateway::gateway::{Config, Gateway};
use perkgate_gateway::outbound::Private;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// What there is to measure on: SQLite always, a PostgreSQL server if one is named.
pub(super) struct Engines {
    /// The server, in a database that exists.
    pub(super) server: Option<String>,
}

impl Engines {
    pub(super) async fn new(server: Option<String>) -> anyhow::Result<Self> {
        if let Some(url) = &server {
            let connected = PgConnection::connect(url).await;
            connected.context("no PostgreSQL server can be reached at --database")?.close().await?;
        }
        Ok(Self { server })
    }

    /// Their names.
    pub(super) fn names(&self) -> Vec<&'static str> {
        if self.server.is_some() { vec!["sqlite", "postgres"] } else { vec!["sqlite"] }
    }

    /// An empty database of this engine, and a directory.
    pub(super) async fn place(&self, engine: &str, name: &str) -> anyhow::Result<Place> {
        let id = format!("perkgate-bench-{name}-{}-{}", std::process::id(), SystemClock.now().0);
        let directory = std::env::temp_dir().join(&id);
        std::fs::create_dir_all(&directory)?;
        match &self.server {
            Some(server) if engine == "postgres" => {
                let url = Self::make(server, &id).await?;
                Ok(Place { directory, url, made: Some((server.clone(), id)) })
            }
            _ => {
                let url = format!("sqlite://{}", directory.join("bench.db").display());
                Ok(Place { directory, url, made: None })
            }
        }
    }

    /// Makes a database on the server; answers its URL.
    pub(super) async fn make(server: &str, name: &str) -> anyhow::Result<String> {
        let mut hand = PgConnection::connect(server).await?;
        hand.execute(AssertSqlSafe(format!("create database \"{name}\""))).await?;
        hand.close().await?;
        let (base, options) =
            server.split_once('?').map_or((server, String::new()), |(base, rest)| (base, format!("?{rest}")));
        let after = base.find("://").map_or(0, |at| at + 3);
        let host = base[after..].find('/').map_or(base, |at| &base[..after + at]);
        Ok(format!("{host}/{name}{options}"))
    }

    /// Removes a database from the server.
    pub(super) async fn unmake(server: &str, name: &str) -> anyhow::Result<()> {
        let mut hand = PgConnection::connect(server).await?;
        hand.execute(AssertSqlSafe(format!("drop database if exists \"{name}\" with (force)"))).await?;
        hand.close().await?;
        Ok(())
    }
}

/// A directory and a database that are gone afterwards.
pub(super) struct Place {
    directory: std::path::PathBuf,
    /// The database.
    pub(super) url: String,
    made: Option<(String, String)>,
}

impl Place {
    /// A directory with an empty SQLite database.
    pub(super) fn new(name: &str) -> Self {
        let id = format!("perkgate-bench-{name}-{}-{}", std::process::id(), SystemClock.now().0);
        let directory = std::env::temp_dir().join(id);
        let url = format!("sqlite://{}", directory.join("bench.db").display());
        Self { directory, url, made: None }
    }
    pub(super) fn path(&self) -> &std::path::Path {
        &self.directory
    }
    /// Removes the database; the directory goes by itself.
    pub(super) async fn leave(self) -> anyhow::Result<()> {
        match &self.made {
            Some((server, name)) => Engines::unmake(server, name).await,
            None => Ok(()),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What is left behind is in the system's directory for such things.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

pub(super) const MERCHANT: &str = r#"
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

/// The same with lots that mature and expire, tiers, and five plugins.
pub(super) fn full_merchant() -> String {
    let rules = r#"
[wallets.points]
matures = { days = 14 }
expires = { days = 365, round = "month" }

[tiers]
by = "spend"
window = "rolling"
days = 365
levels = [ { name = "silver", at = "100", multiplier = "1.25" }, { name = "gold", at = "500", multiplier = "1.5" } ]

[[plugins]]
plugin = "tier-boost"
settings = { points = 1, per = "1.00" }
grants = ["earn"]

[[plugins]]
plugin = "happy-hour"
settings = { points = 1, per = "1.00", multiplier = "2", windows = [ { from = "00:00", to = "24:00" } ] }
grants = ["earn"]
"#;
    format!("{MERCHANT}{rules}")
}

/// A gateway with the bench's merchant in a new place.
pub(super) async fn gateway(place: &Place) -> anyhow::Result<(Gateway, Source)> {
    gateway_of(place, MERCHANT).await
}

/// A gateway with this merchant in a new place.
pub(super) async fn gateway_of(place: &Place, merchant: &str) -> anyhow::Result<(Gateway, Source)> {
    let mut config = Config::new(place.url.clone(), place.path());
    config.private = Private::loopback();
    let gateway = Gateway::open(config).await?;
    let prepared =
        apply::prepare_text(merchant, "the bench's merchant file", place.path().to_owned(), gateway.store.as_ref())
            .await?;
    apply::apply(&prepared, gateway.store.as_ref(), &gateway.vault, &actor(), gateway.clock().now()).await?;
    gateway.registry.refresh().await?;
    gateway.registry.loaded().await;
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
            // Not one after the other, as in life.
            "customer": {"customer_id": format!("c{}", u64::from(number) * 7_919 % u64::from(members.max(1)))},
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
