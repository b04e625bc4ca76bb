//! Settling into a ledger that has grown large, against an empty one in the same run. The past is put into the tables directly, with
//! entries, lots, postings, members and keys as settling would have left them, but without the requests and decisions behind them
//! and without chains: it is there to make the indexes deep, not to be verified.

use super::load::{self, Engines, Place};
use super::settle;
use perkgate_domain::ids::SourceId;
use perkgate_domain::member::Identity;
use perkgate_domain::time::Moment;
use perkgate_gateway::gateway::Gateway;
use perkgate_gateway::identity;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};
use std::time::Instant;

/// How large.
#[derive(Clone, Copy)]
pub(super) struct Size {
    pub(super) members: u32,
    pub(super) postings: u32,
}

/// What was bought in the past.
const PAST: &str =
    r#"{"kind":"purchase","id":"past","placed_at":1700000000000,"currency":"EUR","total":1000,"lines":[]}"#;

/// Members whose keys go in at once.
const CHUNK: u32 = 10_000;

pub(super) async fn measure(engines: &Engines, size: Size, purchases: u32) -> anyhow::Result<Value> {
    let mut document = json!({"members": size.members, "postings": size.postings, "purchases": purchases});
    for engine in engines.names() {
        let place = engines.place(engine, "small").await?;
        let (gateway, source) = load::gateway(&place).await?;
        let empty = settle::rate(&gateway, &source, 0, purchases, 10_000).await?;
        drop(gateway);
        place.leave().await?;

        let place = engines.place(engine, "grown").await?;
        let (gateway, source) = load::gateway(&place).await?;
        let started = Instant::now();
        grow(&gateway, &source.id, &place, size, None).await?;
        eprintln!(
            "{engine}: {} members and {} postings in {} s",
            size.members,
            size.postings,
            started.elapsed().as_secs()
        );
        let grown = settle::rate(&gateway, &source, 0, purchases, size.members).await?;
        drop(gateway);
        place.leave().await?;
        document[engine] = json!({
            "settled_per_second_empty": empty, "settled_per_second_grown": grown,
            "grown_to_empty_percent": grown * 100 / empty.max(1),
        });
    }
    Ok(document)
}

enum Hand {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Hand {
    /// Runs a statement over the numbers from 1, named `s.i`.
    async fn series(&mut self, statement: &str, until: u32) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(hand) => {
                let series = format!(
                    "(with recursive s(i) as (select 1 union all select i + 1 from s where i < {until}) select i from s) s"
                );
                hand.execute(AssertSqlSafe(statement.replace("{s}", &series).replace("{hash}", "randomblob(32)")))
                    .await?;
            }
            Self::Postgres(hand) => {
                let series = format!("generate_series(1::bigint, {until}) s(i)");
                let hash = "sha256(s.i::text::bytea)";
                hand.execute(AssertSqlSafe(statement.replace("{s}", &series).replace("{hash}", hash))).await?;
            }
        }
        Ok(())
    }

    async fn run(&mut self, sqlite: &'static str, postgres: &'static str) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(hand) => hand.execute(sqlite).await?.rows_affected(),
            Self::Postgres(hand) => hand.execute(postgres).await?.rows_affected(),
        };
        Ok(())
    }
}

/// Fills the tables. If everything is due at one moment, every member has points that expire then, and every tenth a wake.
pub(super) async fn grow(
    gateway: &Gateway,
    source: &SourceId,
    place: &Place,
    size: Size,
    due: Option<Moment>,
) -> anyhow::Result<()> {
    let mut hand = if place.url.starts_with("sqlite") {
        Hand::Sqlite(SqliteConnection::connect(&place.url).await?)
    } else {
        Hand::Postgres(PgConnection::connect(&place.url).await?)
    };
    hand.run("pragma synchronous = off", "set synchronous_commit = off").await?;
    let (members, entries) = (size.members, size.postings / 2);
    let expires = due.map_or_else(|| "\"never\"".to_owned(), |due| format!("{{\"at\":{}}}", due.0));
    let due_at = due.map_or_else(|| "null".to_owned(), |due| due.0.to_string());
    hand.series(
        &"insert into members (merchant_id, member_id, version, joined_at, consent, visits, spent, first_purchase_at,
                              last_purchase_at, climb, tags, wallets, chain, through, due_at)
         select 'bench', 'mem_' || s.i, 5, 1700000000000, 0, 5, 10000, 1700000000000, 1700000000000, '{}', '[]',
                '{\"points\":{\"available\":10,\"pending\":0,\"tranches\":[{\"expires\":EXPIRES,\"amount\":10}]},
                  \"stamps\":{\"available\":5,\"pending\":0,\"tranches\":[{\"expires\":\"never\",\"amount\":5}]}}',
                {hash}, 1700000000000, DUE from {s}"
            .replace("EXPIRES", &expires)
            .replace("DUE", &due_at),
        members,
    )
    .await?;
    keys(gateway, source, &mut hand, members).await?;
    hand.series(
        "insert into entries (merchant_id, source_id, kind, external_id, reference, arrival_id, member_id, document, digest,
                              happened_at)
         select 'bench', 'till', 'purchase', 'past-' || s.i, null, s.i, 'mem_' || (s.i % MEMBERS + 1), 'DOCUMENT', {hash},
                1700000000000 + s.i from {s}"
            .replace("MEMBERS", &members.to_string())
            .replace("DOCUMENT", PAST)
            .as_str(),
        entries,
    )
    .await?;
    let lost = due.map_or_else(|| "never".to_owned(), |due| due.0.to_string());
    for (wallet, ordinal, expires) in [("points", 0, lost.as_str()), ("stamps", 1, "never")] {
        let text = "insert into lots (merchant_id, lot_id, entry_id, member_id, installation_id, digest, settings_revision, wallet,
                                      amount, earned_at, expires, shares)
             select 'bench', 'lot_WALLET_' || s.i, s.i, 'mem_' || (s.i % MEMBERS + 1), 'past', {hash}, 1, 'WALLET', 10,
                    1700000000000 + s.i, 'EXPIRES', '[]' from {s}";
        let named = |text: &str| {
            text.replace("WALLET", wallet).replace("MEMBERS", &members.to_string()).replace("EXPIRES", expires)
        };
        hand.series(&named(text), entries).await?;
        let text = "insert into postings (merchant_id, entry_id, ordinal, member_id, wallet, source, destination, amount, lot_id, at,
                                          hash)
             select 'bench', s.i, ORDINAL, 'mem_' || (s.i % MEMBERS + 1), 'WALLET', 'merchant/issued',
                    'mem_' || (s.i % MEMBERS + 1) || '/available', 10, 'lot_WALLET_' || s.i, 1700000000000 + s.i, {hash} from {s}";
        hand.series(&named(text).replace("ORDINAL", &ordinal.to_string()), entries).await?;
    }
    if let Some(due) = due {
        let text = "insert into wakes (merchant_id, member_id, installation_id, cause, wake_key, at, data)
             select 'bench', 'mem_' || (s.i * 10), 'win-back', 'asked', 'step', DUE, {hash} from {s}";
        hand.series(&text.replace("DUE", &due.0.to_string()), members / 10).await?;
    }
    hand.run("pragma wal_checkpoint(truncate)", "checkpoint").await?;
    hand.run("select 1", "vacuum analyze").await
}

/// The keys by which the load's customers are known, made as the gateway makes them.
async fn keys(gateway: &Gateway, source: &SourceId, hand: &mut Hand, members: u32) -> anyhow::Result<()> {
    let snapshot = gateway.registry.snapshot();
    let merchant = &snapshot.programme(&"bench".into()).ok_or_else(|| anyhow::anyhow!("no programme"))?.merchant;
    for begin in (0..members).step_by(usize::try_from(CHUNK)?) {
        let (mut ids, mut hashes) = (Vec::new(), Vec::new());
        for number in begin..(begin + CHUNK).min(members) {
            let customer = Identity { customer_id: Some(format!("c{number}")), ..Identity::default() };
            for key in identity::known(&gateway.vault, merchant, source, &customer).keys {
                ids.push(format!("mem_{}", number + 1));
                hashes.push(key.hash.to_vec());
            }
        }
        match hand {
            Hand::Sqlite(hand) => {
                let rows: Vec<_> = ids.iter().zip(hashes.iter().map(hex::encode)).collect();
                sqlx::query(
                    "insert into member_keys (merchant_id, kind, hash, member_id)
                     select 'bench', 'id', unhex(value ->> 1), value ->> 0 from json_each($1)",
                )
                .bind(serde_json::to_string(&rows)?)
                .execute(hand)
                .await?
                .rows_affected()
            }
            Hand::Postgres(hand) => sqlx::query(
                "insert into member_keys (merchant_id, kind, hash, member_id)
                 select 'bench', 'id', k.hash, k.id from unnest($1::text[], $2::bytea[]) as k(id, hash)",
            )
            .bind(ids)
            .bind(hashes)
            .execute(hand)
            .await?
            .rows_affected(),
        };
    }
    Ok(())
}
