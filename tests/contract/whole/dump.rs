//! Everything that a database holds, read and written past the store, so that one copy can be held against another.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use std::collections::BTreeMap;

/// A table's columns and what each holds.
pub(super) type Columns = Vec<(String, String)>;

/// The digest of the one component that [`fill`] puts in, which others refer to.
const COMPONENT: &str = "01";

/// Every row of every table as one text, sorted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dump(BTreeMap<String, Vec<String>>);

impl Dump {
    pub(super) async fn of(url: &str) -> Self {
        Self::where_(url, |_| String::new()).await
    }

    /// Without the rows of this merchant, and without what every change of a programme changes.
    pub(super) async fn without(url: &str, merchant: &str) -> Self {
        let mut dump = Self::where_(url, |columns| {
            let by = |column: &str| columns.iter().any(|(name, _)| name == column);
            match (by("merchant_id"), by("delivery_id")) {
                (true, _) => format!("where merchant_id <> '{merchant}' or merchant_id is null"),
                (false, true) => format!("where delivery_id not like '{merchant}%'"),
                _ => String::new(),
            }
        })
        .await;
        dump.0.remove("registry");
        dump
    }

    async fn where_(url: &str, only: impl Fn(&Columns) -> String) -> Self {
        let (mut tables, quote) = (BTreeMap::new(), |name: &str| format!("\"{name}\""));
        for (table, columns) in self::tables(url).await {
            let shown = columns.iter().map(|(name, kind)| {
                let value = match (kind.as_str(), url.starts_with("sqlite:")) {
                    ("blob", _) => format!("lower(hex({}))", quote(name)),
                    ("bytea", _) => format!("encode({}, 'hex')", quote(name)),
                    _ => format!("cast({} as text)", quote(name)),
                };
                format!("case when {} is null then '(null)' else {value} end", quote(name))
            });
            let row = shown.collect::<Vec<_>>().join(" || '|' || ");
            let mut rows = texts(url, &format!("select {row} from {} {}", quote(&table), only(&columns))).await;
            rows.sort_unstable();
            tables.insert(table, rows);
        }
        Self(tables)
    }

    pub(super) fn rows(&self, table: &str) -> usize {
        self.0[table].len()
    }
    pub(super) fn all(&self) -> u64 {
        self.0.values().map(|rows| rows.len() as u64).sum()
    }
    pub(super) fn tables(&self) -> usize {
        self.0.len()
    }
    #[track_caller]
    pub(super) fn is(&self, other: &Self) {
        for (table, rows) in &self.0 {
            assert_eq!(Some(rows), other.0.get(table), "the table {table}");
        }
        assert_eq!(self.tables(), other.tables());
    }
    #[track_caller]
    pub(super) fn says_nothing_of(&self, word: &str) {
        for (table, rows) in &self.0 {
            assert_eq!(rows.iter().find(|row| row.contains(word)), None, "the table {table}");
        }
    }
}

/// Every table but those of the engine and of the migrations.
pub(super) async fn tables(url: &str) -> Vec<(String, Columns)> {
    let (names, columns) = if url.starts_with("sqlite:") {
        (
            "select name from sqlite_schema where type = 'table' order by name",
            "select name || '|' || lower(type) from pragma_table_info('{table}') order by cid",
        )
    } else {
        (
            "select tablename::text from pg_tables where schemaname = current_schema() order by 1",
            "select column_name || '|' || data_type from information_schema.columns
             where table_schema = current_schema() and table_name = '{table}' order by ordinal_position",
        )
    };
    let mut tables = Vec::new();
    for table in texts(url, names).await {
        if !table.starts_with("sqlite_") && !table.starts_with("_sqlx") {
            let columns = texts(url, &columns.replace("{table}", &table)).await;
            let split = |text: String| text.split_once('|').map(|(name, kind)| (name.to_owned(), kind.to_owned()));
            tables.push((table, columns.into_iter().filter_map(split).collect()));
        }
    }
    tables
}

/// Puts so many rows of each of these merchants into every table that has any of merchants, of values that mean nothing: names of the
/// merchant in every text, and numbers of which no two are alike.
pub(super) async fn fill(url: &str, merchants: &[&str], rows: usize) {
    let mut tables = tables(url).await;
    // What others refer to.
    tables.sort_by_key(|(table, _)| !matches!(table.as_str(), "merchants" | "plugins"));
    let bytes = |hex: &str| if url.starts_with("sqlite:") { format!("x'{hex}'") } else { format!("'\\x{hex}'::bytea") };
    let overriding = if url.starts_with("sqlite:") { "" } else { "overriding system value" };
    let mut number = 0;
    for (table, columns) in &tables {
        if matches!(table.as_str(), "registry" | "lead") {
            continue;
        }
        let everybodys = !columns.iter().any(|(name, _)| matches!(name.as_str(), "merchant_id" | "delivery_id"));
        for (merchant, row) in merchants.iter().flat_map(|merchant| (1..=rows).map(move |row| (merchant, row))) {
            number += 1;
            let values = columns.iter().map(|(column, kind)| match (column.as_str(), kind.as_str()) {
                ("merchant_id", _) => format!("'{merchant}'"),
                ("digest", _) => bytes(COMPONENT),
                ("reversed" | "forgiven" | "expired", _) => "0".to_owned(),
                (_, "blob" | "bytea") => bytes(&format!("{number:06x}")),
                (_, "text") if everybodys => "'shared'".to_owned(),
                (_, "text") => format!("'{merchant}-{column}-{row}'"),
                _ => number.to_string(),
            });
            let values = values.collect::<Vec<_>>().join(", ");
            let names = columns.iter().map(|(name, _)| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
            let statement = format!(
                "insert into {table} ({names}) {overriding} values ({values}) on conflict do nothing returning 'in'"
            );
            texts(url, &statement).await;
        }
    }
}

async fn texts(url: &str, statement: &str) -> Vec<String> {
    let query = AssertSqlSafe(statement.to_owned());
    let read = if url.starts_with("sqlite:") {
        let mut hand = SqliteConnection::connect(url).await.expect("a connection");
        sqlx::query_scalar(query).fetch_all(&mut hand).await
    } else {
        let mut hand = PgConnection::connect(url).await.expect("a connection");
        sqlx::query_scalar(query).fetch_all(&mut hand).await
    };
    read.unwrap_or_else(|error| panic!("{error}: {statement}"))
}
