//! A database that an earlier version wrote is brought up to date: nothing is lost, whoever was known is known, and every decision made
//! then is made again. `upgrade/README.md` says how the rows were written.

use super::{BY_JANA, JANA};
use perkgate_domain::time::Moment;
use perkgate_gateway::clock::Clock as _;
use perkgate_tests::programme::{COFFEE, OWN, plugin_file, webhook};
use perkgate_tests::{FakeShop, Ground, Sale, hostile, postgres_or_skip, until};
use serde_json::{Value, json};
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection as _};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

const ROWS: &str = include_str!("upgrade/rows.json");
/// Marks a SQLite file as a Perkgate database.
const MARK: &str = "pragma application_id = 1347110740";
const MINUTE_MS: i64 = 60_000;
/// Seconds.
const DAY: i64 = 24 * 3_600;

/// The programme of then.
fn rules() -> String {
    let more = r#"
[wallets.points]
matures = { days = 2 }
expires = { days = 90, round = "month" }

[tiers]
by = "spend"
window = "rolling"
days = 60
grace_days = 7
levels = [ { name = "silver", at = "60.00" }, { name = "gold", at = "150.00" } ]
"#;
    [OWN, more, COFFEE, &webhook("http://127.0.0.1:9/"), &plugin_file("honest-points")].concat()
}

/// A value as either engine reads it.
fn literal(value: &Value, postgres: bool) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::String(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Object(bytes) => {
            let hex = bytes["hex"].as_str().expect("bytes are written in hexadecimal");
            if postgres { format!("'\\x{hex}'::bytea") } else { format!("x'{hex}'") }
        }
        number => number.to_string(),
    }
}

/// Every row as a statement. Some tables have a first row from the beginning.
fn statements(written: &Value, postgres: bool) -> Vec<String> {
    let insert = |table: &str, row: &Value| {
        let row = row.as_object().expect("a row");
        let names: Vec<&str> = row.keys().map(String::as_str).collect();
        let values: Vec<String> = row.values().map(|value| literal(value, postgres)).collect();
        let system = if postgres { " overriding system value" } else { "" };
        format!("insert into {table} ({}){system} values ({})", names.join(", "), values.join(", "))
    };
    let mut all = Vec::new();
    for table in written["tables"].as_array().expect("tables") {
        let (name, rows) = (table["table"].as_str().expect("a name"), table["rows"].as_array().expect("rows"));
        if ["lead", "registry"].contains(&name) {
            all.push(format!("delete from {name}"));
        }
        all.extend(rows.iter().map(|row| insert(name, row)));
    }
    all
}

async fn migrations(engine: &str) -> Migrator {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(engine);
    Migrator::new(folder).await.expect("the migrations are read")
}

/// A database as it was.
async fn sqlite(path: &Path, written: &Value) -> String {
    let url = format!("sqlite://{}", path.display());
    let options = SqliteConnectOptions::from_str(&url).expect("a URL").create_if_missing(true).foreign_keys(false);
    let mut hand = SqliteConnection::connect_with(&options).await.expect("a file");
    migrations("sqlite").await.run_to(1, &mut hand).await.expect("the tables of then");
    sqlx::query(MARK).execute(&mut hand).await.expect("a mark");
    for statement in statements(written, false) {
        sqlx::query(AssertSqlSafe(statement.clone()))
            .execute(&mut hand)
            .await
            .unwrap_or_else(|error| panic!("{error}: {statement}"));
    }
    hand.close().await.expect("it is written");
    url
}

async fn postgres(url: String, written: &Value) -> String {
    let mut hand = PgConnection::connect(&url).await.expect("the server answers");
    migrations("postgres").await.run_to(1, &mut hand).await.expect("the tables of then");
    for statement in statements(written, true) {
        sqlx::query(AssertSqlSafe(statement.clone()))
            .execute(&mut hand)
            .await
            .unwrap_or_else(|error| panic!("{error}: {statement}"));
    }
    // Numbers go on behind those that are there.
    for (table, id) in [
        ("arrivals", "arrival_id"),
        ("rejections", "rejection_id"),
        ("entries", "entry_id"),
        ("postings", "posting_id"),
    ] {
        let statement = format!(
            "select setval(pg_get_serial_sequence('{table}', '{id}'), (select coalesce(max({id}), 1) from {table}))"
        );
        sqlx::query(AssertSqlSafe(statement)).execute(&mut hand).await.expect("a sequence");
    }
    url
}

async fn goes_on(url: String, written: &Value) {
    let at = Moment(written["at"].as_i64().expect("a time"));
    let key = written["key"].as_str().expect("a key").as_bytes().to_vec();
    let mut gateway = Ground::of(&[&rules()])
        .at(at.plus_ms(MINUTE_MS))
        .file("perkgate.key", key)
        .file("honest-points.wasm", hostile("honest-points"))
        .database(url)
        .open()
        .await;
    // A refund that waits for its purchase, and a webhook that says nothing of a sale.
    gateway.leaves_parked(2);
    // Everybody is who they were and has what they had.
    for (key, was) in written["members"].as_object().expect("members") {
        let is = gateway.member(key).await;
        let points = is.member.wallets.get("points").cloned().unwrap_or_default();
        let codes: Vec<&str> = is.rewards.iter().map(|reward| reward.code.as_str()).collect();
        let told = json!({
            "member": is.member.id, "available": points.available, "pending": points.pending, "tier": is.member.tier,
            "visits": is.member.visits, "spent": is.member.spent, "codes": codes,
        });
        assert_eq!(told, *was, "{key}");
    }
    assert!(gateway.find_member("email:forgotten@example.com").await.is_none());
    assert!(gateway.verify().await.holds(), "as it was written, and brought up to date");

    // Jana buys as ever, and what was pending then matures.
    let had = &written["members"][BY_JANA];
    let had = had["available"].as_i64().zip(had["pending"].as_i64()).expect("points");
    let sale = Sale::new(9_001, &[("Espresso", 1, 300)]).by(JANA).at(gateway.clock().now());
    FakeShop::at(&gateway, "own").sells(&sale).await;
    gateway.settle().await;
    let has = async || {
        let points = gateway.member(BY_JANA).await.member.wallets["points"].clone();
        (points.available, points.pending)
    };
    assert_eq!(has().await, (had.0, had.1 + 3));
    gateway.later(3 * DAY);
    until("everything has matured", async || (has().await == (had.0 + had.1 + 3, 0)).then_some(())).await;
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_earlier_version_wrote_goes_on_on_sqlite() {
    let written: Value = serde_json::from_str(ROWS).expect("a document");
    let folder = tempfile::tempdir().expect("a directory");
    goes_on(sqlite(&folder.path().join("before.db"), &written).await, &written).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_earlier_version_wrote_goes_on_on_postgresql() {
    let Some(server) = postgres_or_skip("what_an_earlier_version_wrote_goes_on_on_postgresql").await else { return };
    let written: Value = serde_json::from_str(ROWS).expect("a document");
    goes_on(postgres(server.fresh_database().await, &written).await, &written).await;
}
