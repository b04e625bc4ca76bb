//! Every hot statement's plan is an index plan, on either database. The statements are those that really run: they are overheard while
//! the store goes through a whole journey over tables that are full.

mod journey;
mod load;
mod overheard;

use super::ground::Ground;
use overheard::{Span, overheard};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _, SqliteConnection};
use std::collections::BTreeSet;
use tracing::Instrument as _;

/// Tables that grow with every purchase.
const LARGE: &[&str] = &[
    "arrivals",
    "inbox",
    "readings",
    "entries",
    "waiting",
    "members",
    "member_keys",
    "mentions",
    "contacts",
    "decisions",
    "memories",
    "lots",
    "postings",
    "rewards",
    "counters",
    "deliveries",
    "attempts",
    "wakes",
    "tasks",
    "questions",
];
/// What a plan may go through from end to end: the sets a statement is given, and what it has found itself.
const SMALL: &[&str] = &[
    "k",
    "s",
    "jsonb_each",
    "ahead",
    "around",
    "turns",
    "share",
    "picked",
    "both_ways",
    "CONSTANT",
    "failing_channels",
    "f",
    // Half a dozen members whom a key was named beside.
    "named",
    // As many rows as there are tables, plugins in use, and one.
    "sqlite_sequence",
    "installations",
    "lead",
];

/// Walks the journey, and answers what the store asked the database meanwhile.
async fn statements(ground: &Ground, span: Span) -> BTreeSet<String> {
    load::fill(ground).await;
    journey::walk(ground).instrument(span.open()).await;
    let statements = overheard(span);
    for table in LARGE {
        assert!(statements.iter().any(|sql| sql.contains(table)), "no statement speaks of {table}");
    }
    assert!(statements.len() > 40, "{} statements are not the whole journey", statements.len());
    statements
}

/// Whether a statement asks for the first row of an index and no more.
fn is_a_peek(sql: &str) -> bool {
    sql.starts_with("select merchant_id from") && sql.ends_with("order by merchant_id limit 1")
}

fn complain(bad: &[(String, String)]) {
    let told: Vec<String> = bad.iter().map(|(sql, plan)| format!("{sql}\n{plan}")).collect();
    assert!(bad.is_empty(), "{} statements read whole tables:\n\n{}", bad.len(), told.join("\n\n"));
}

#[tokio::test]
async fn every_hot_statement_has_an_index_plan_on_sqlite() {
    overheard::listen();
    let ground = Ground::sqlite().await;
    let statements = statements(&ground, Span::Sqlite).await;
    let mut hand = SqliteConnection::connect(&ground.url).await.expect("a connection");
    let mut bad = Vec::new();
    for sql in statements {
        let rows = sqlx::query(AssertSqlSafe(format!("explain query plan {sql}"))).fetch_all(&mut hand).await;
        let rows = rows.unwrap_or_else(|error| panic!("{error}: {sql}"));
        let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        let whole = |line: &String| {
            let Some(scanned) = line.strip_prefix("SCAN ").filter(|rest| !rest.starts_with('(')) else { return false };
            let indexed = scanned.contains(" USING ") && is_a_peek(&sql);
            !indexed && !SMALL.contains(&scanned.split(' ').next().unwrap_or_default())
        };
        if plan.iter().any(whole) {
            bad.push((sql, plan.join("\n")));
        }
    }
    complain(&bad);
}

#[tokio::test]
async fn every_hot_statement_has_an_index_plan_on_postgres() {
    overheard::listen();
    let Some(ground) = Ground::postgres("every_hot_statement_has_an_index_plan_on_postgres").await else { return };
    let statements = statements(&ground, Span::Postgres).await;
    let mut hand = PgConnection::connect(&ground.url).await.expect("a connection");
    hand.execute("set plan_cache_mode = force_generic_plan").await.expect("a setting");
    let mut bad = Vec::new();
    for (number, sql) in statements.into_iter().enumerate() {
        let prepared = format!("prepare hot{number} as {sql}");
        let prepared = sqlx::raw_sql(AssertSqlSafe(prepared)).execute(&mut hand).await;
        prepared.unwrap_or_else(|error| panic!("{error}: {sql}"));
        // Of a generic plan the values do not matter.
        let values = (1..).take_while(|place| sql.contains(&format!("${place}"))).map(|_| "null");
        let values = values.collect::<Vec<_>>().join(", ");
        let values = if values.is_empty() { values } else { format!("({values})") };
        let explained = format!("explain execute hot{number}{values}");
        let rows = sqlx::raw_sql(AssertSqlSafe(explained)).fetch_all(&mut hand).await;
        let rows = rows.unwrap_or_else(|error| panic!("{error}: {sql}"));
        let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let whole = |(place, line): (usize, &String)| {
            let next = plan.get(place + 1).map_or("", String::as_str);
            let (table, bounded) = match (line.split_once("Seq Scan on "), line.split_once(" Scan using ")) {
                (Some((_, rest)), _) => (rest.split(' ').next(), false),
                (_, Some((_, rest))) => (rest.split(' ').nth(2), next.contains("Index Cond") || is_a_peek(&sql)),
                _ => (None, true),
            };
            !bounded && table.is_some_and(|table| LARGE.contains(&table))
        };
        if plan.iter().enumerate().any(whole) {
            bad.push((sql, plan.join("\n")));
        }
    }
    complain(&bad);
}
