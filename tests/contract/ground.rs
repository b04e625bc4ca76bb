//! What a promise stands on: an empty database, a store over it, and a hand that reaches past the store.

use perkgate_gateway::store::{self, Schema, Store};
use perkgate_tests::postgres_or_skip;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use std::sync::Arc;
use tempfile::TempDir;

/// An hour, by which clocks may be wrong.
pub(super) const HOUR: i64 = 3_600_000;

/// See the module's head.
pub(super) struct Ground {
    pub(super) url: String,
    store: Arc<dyn Store>,
    _directory: Option<TempDir>,
}

impl Ground {
    /// On a new file.
    pub(super) async fn sqlite() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let url = format!("sqlite://{}", directory.path().join("perkgate.db").display());
        Self::on(url, Some(directory)).await
    }
    /// On a new database of the tests' server. None where there is none.
    pub(super) async fn postgres(test: &str) -> Option<Self> {
        let server = postgres_or_skip(test).await?;
        Some(Self::on(server.fresh_database().await, None).await)
    }
    async fn on(url: String, directory: Option<TempDir>) -> Self {
        let store = store::open(&url, Schema::Migrate).await.expect("the database opens");
        Self { url, store, _directory: directory }
    }
    /// On a database that is there already.
    pub(super) async fn there(url: &str) -> Self {
        Self::on(url.to_owned(), None).await
    }
    pub(super) fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }
    /// The same, for a task of its own.
    pub(super) fn shared(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }
    /// As another process has it.
    pub(super) async fn another(&self) -> Arc<dyn Store> {
        store::open(&self.url, Schema::Current).await.expect("the database opens again")
    }
    pub(super) fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite:")
    }

    /// Runs a statement past the store. Answers how many rows it touched.
    pub(super) async fn by_hand(&self, sql: &str) -> Result<u64, sqlx::Error> {
        let query = sqlx::query(AssertSqlSafe(sql.to_owned()));
        if self.is_sqlite() {
            let mut hand = SqliteConnection::connect(&self.url).await?;
            Ok(query_sqlite(sql, &mut hand).await?)
        } else {
            let mut hand = PgConnection::connect(&self.url).await?;
            Ok(query.execute(&mut hand).await?.rows_affected())
        }
    }
    /// A whole number read past the store.
    pub(super) async fn number(&self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.to_owned());
        let read = if self.is_sqlite() {
            let mut hand = SqliteConnection::connect(&self.url).await.expect("a connection");
            sqlx::query_scalar(sql).fetch_one(&mut hand).await
        } else {
            let mut hand = PgConnection::connect(&self.url).await.expect("a connection");
            sqlx::query_scalar(sql).fetch_one(&mut hand).await
        };
        read.expect("a number")
    }
    /// Texts read past the store.
    pub(super) async fn texts(&self, sql: &str) -> Vec<String> {
        let sql = AssertSqlSafe(sql.to_owned());
        let read = if self.is_sqlite() {
            let mut hand = SqliteConnection::connect(&self.url).await.expect("a connection");
            sqlx::query_scalar(sql).fetch_all(&mut hand).await
        } else {
            let mut hand = PgConnection::connect(&self.url).await.expect("a connection");
            sqlx::query_scalar(sql).fetch_all(&mut hand).await
        };
        read.expect("texts")
    }
    /// A text read past the store.
    pub(super) async fn text(&self, sql: &str) -> String {
        self.texts(sql).await.into_iter().next().expect("a text")
    }
    /// How many rows a table has.
    pub(super) async fn count(&self, table: &str) -> i64 {
        self.number(&format!("select count(*) from {table}")).await
    }
    /// The database's clock, milliseconds.
    pub(super) async fn now(&self) -> i64 {
        self.number(if self.is_sqlite() {
            "select cast(unixepoch('now', 'subsec') * 1000 as integer)"
        } else {
            "select (extract(epoch from clock_timestamp()) * 1000)::bigint"
        })
        .await
    }
    /// Every lease is over, as if its time had passed.
    pub(super) async fn leases_end(&self) {
        for table in ["inbox", "waiting", "deliveries"] {
            let statement = format!("update {table} set leased_until = 1 where leased_until > 1");
            self.by_hand(&statement).await.expect("leases are set back");
        }
    }
}

async fn query_sqlite(sql: &str, hand: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    Ok(sqlx::query(AssertSqlSafe(sql.to_owned())).execute(hand).await?.rows_affected())
}
