//! One SQL text, two engines. The acts are written once; what differs between SQLite and PostgreSQL is in this folder: how to connect, how
//! a transaction begins, how a set of rows goes in, and what time it is by the database.
//!
//! A statement names its single values `$1`, `$2`… and its sets `{name}`; `{now}` is the database's clock in milliseconds.

mod company;
mod migrations;
mod open;
mod row;
mod set;
mod stream;

pub(super) use company::is_open_elsewhere;
pub(super) use open::{UNFINISHED, file_of, file_url, found, open, revise};
pub(super) use row::Row;
pub(super) use set::{Cell, Kind, Set};

use super::StoreError;
use sqlx::postgres::{PgArguments, PgPool};
use sqlx::sqlite::{SqliteArguments, SqlitePool};
use sqlx::{Arguments as _, AssertSqlSafe, Executor as _, Postgres, Sqlite};

/// An open database.
#[derive(Debug)]
pub(super) enum Engine {
    /// One file: one connection writes, a few read.
    Sqlite {
        /// The only one that writes.
        write: SqlitePool,
        /// Never waits for it.
        read: SqlitePool,
    },
    /// A server, shared by as many processes as like.
    Postgres(PgPool),
}

/// Which of the two, for what has to be said twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

enum Connection {
    Sqlite(sqlx::pool::PoolConnection<Sqlite>),
    Postgres(sqlx::pool::PoolConnection<Postgres>),
}

/// A transaction. Dropped before [`Tx::commit`] it is rolled back by hanging up, so that a connection in doubt is never used again.
pub(super) struct Tx {
    connection: Connection,
    open: bool,
}

impl Engine {
    /// A transaction that writes.
    pub(super) async fn write(&self) -> Result<Tx, StoreError> {
        match self {
            Self::Sqlite { write, .. } => {
                Tx::begin(Connection::Sqlite(write.acquire().await?), "begin immediate").await
            }
            Self::Postgres(pool) => Tx::begin(Connection::Postgres(pool.acquire().await?), "begin").await,
        }
    }

    /// A transaction that reads one snapshot: it never mixes two states.
    pub(super) async fn read(&self) -> Result<Tx, StoreError> {
        match self {
            Self::Sqlite { read, .. } => Tx::begin(Connection::Sqlite(read.acquire().await?), "begin").await,
            Self::Postgres(pool) => {
                let connection = Connection::Postgres(pool.acquire().await?);
                Tx::begin(connection, "begin isolation level repeatable read, read only").await
            }
        }
    }

    /// Rows of one statement that reads.
    pub(super) async fn rows(&self, sql: &str, values: &[Cell<'_>], sets: &[&Set]) -> Result<Vec<Row>, StoreError> {
        if sets.iter().any(|set| set.is_empty()) {
            return Ok(Vec::new());
        }
        Ok(match self {
            Self::Sqlite { read, .. } => {
                let (text, arguments) = sqlite(sql, values, sets)?;
                wrap(sqlx::query_with(AssertSqlSafe(text), arguments).fetch_all(read).await?, Row::Sqlite)
            }
            Self::Postgres(pool) => {
                let (text, arguments) = postgres(sql, values, sets)?;
                wrap(sqlx::query_with(AssertSqlSafe(text), arguments).fetch_all(pool).await?, Row::Postgres)
            }
        })
    }

    /// Writes SQLite's log into its file and empties it, so that nothing is left there of what was overwritten. While somebody reads an
    /// older state it stays; the next time comes. PostgreSQL has nothing to do: dead rows go by `vacuum`.
    pub(super) async fn truncate_log(&self) -> Result<(), StoreError> {
        if let Self::Sqlite { write, .. } = self {
            sqlx::query("pragma wal_checkpoint(truncate)").execute(write).await?;
        }
        Ok(())
    }

    /// Writes a SQLite database as it stands into an empty file. It is read in one snapshot, beside whoever writes.
    pub(super) async fn vacuum_into(&self, path: &std::path::Path) -> Result<(), StoreError> {
        if let Self::Sqlite { read, .. } = self {
            let path = path.to_str().ok_or_else(|| StoreError::Url(path.display().to_string()))?;
            sqlx::query("vacuum into $1").bind(path).execute(read).await?;
        }
        Ok(())
    }

    /// Hangs up. SQLite's file is whole by itself afterwards.
    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }

    /// The first row of one statement that reads.
    pub(super) async fn row(&self, sql: &str, values: &[Cell<'_>]) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, values, &[]).await?.into_iter().next())
    }
}

impl Tx {
    async fn begin(connection: Connection, how: &'static str) -> Result<Self, StoreError> {
        let mut tx = Self { connection, open: true };
        match &mut tx.connection {
            Connection::Sqlite(connection) => connection.execute(how).await.map(drop)?,
            Connection::Postgres(connection) => connection.execute(how).await.map(drop)?,
        }
        Ok(tx)
    }

    pub(super) fn dialect(&self) -> Dialect {
        match self.connection {
            Connection::Sqlite(_) => Dialect::Sqlite,
            Connection::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Rows of one statement; none, without asking, if a set is empty.
    pub(super) async fn rows(&mut self, sql: &str, values: &[Cell<'_>], sets: &[&Set]) -> Result<Vec<Row>, StoreError> {
        if sets.iter().any(|set| set.is_empty()) {
            return Ok(Vec::new());
        }
        Ok(match &mut self.connection {
            Connection::Sqlite(connection) => {
                let (text, arguments) = sqlite(sql, values, sets)?;
                let query = sqlx::query_with(AssertSqlSafe(text), arguments);
                wrap(query.fetch_all(&mut **connection).await?, Row::Sqlite)
            }
            Connection::Postgres(connection) => {
                let (text, arguments) = postgres(sql, values, sets)?;
                let query = sqlx::query_with(AssertSqlSafe(text), arguments);
                wrap(query.fetch_all(&mut **connection).await?, Row::Postgres)
            }
        })
    }

    /// The first row of one statement.
    pub(super) async fn row(&mut self, sql: &str, values: &[Cell<'_>]) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, values, &[]).await?.into_iter().next())
    }

    /// Runs one statement and answers how many rows it touched; nothing is run for an empty set.
    pub(super) async fn run(&mut self, sql: &str, values: &[Cell<'_>], sets: &[&Set]) -> Result<u64, StoreError> {
        if sets.iter().any(|set| set.is_empty()) {
            return Ok(0);
        }
        Ok(match &mut self.connection {
            Connection::Sqlite(connection) => {
                let (text, arguments) = sqlite(sql, values, sets)?;
                sqlx::query_with(AssertSqlSafe(text), arguments).execute(&mut **connection).await?.rows_affected()
            }
            Connection::Postgres(connection) => {
                let (text, arguments) = postgres(sql, values, sets)?;
                sqlx::query_with(AssertSqlSafe(text), arguments).execute(&mut **connection).await?.rows_affected()
            }
        })
    }

    /// Makes it durable.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        match &mut self.connection {
            Connection::Sqlite(connection) => connection.execute("commit").await.map(drop)?,
            Connection::Postgres(connection) => connection.execute("commit").await.map(drop)?,
        }
        self.open = false;
        Ok(())
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        if self.open {
            match &mut self.connection {
                Connection::Sqlite(connection) => connection.close_on_drop(),
                Connection::Postgres(connection) => connection.close_on_drop(),
            }
        }
    }
}

fn wrap<R>(rows: Vec<R>, wrap: impl Fn(R) -> Row) -> Vec<Row> {
    rows.into_iter().map(wrap).collect()
}

const SQLITE_NOW: &str = "cast(unixepoch('now', 'subsec') * 1000 as integer)";
const POSTGRES_NOW: &str = "(extract(epoch from clock_timestamp()) * 1000)::bigint";

fn sqlite(sql: &str, values: &[Cell<'_>], sets: &[&Set]) -> Result<(String, SqliteArguments), StoreError> {
    let mut text = sql.replace("{now}", SQLITE_NOW);
    let mut arguments = SqliteArguments::default();
    for value in values {
        match value {
            Cell::Null => arguments.add(None::<i64>),
            Cell::Int(number) => arguments.add(*number),
            Cell::Text(words) => arguments.add(set::without_nul(words).into_owned()),
            Cell::Bytes(bytes) => arguments.add(bytes.as_ref().to_vec()),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    let mut number = values.len() + 1;
    for set in sets {
        text = text.replace(&set.placeholder(), &set.sqlite_source(number));
        let (json, piece) = set.to_sqlite();
        arguments.add(json).map_err(sqlx::Error::Encode)?;
        number += 1;
        if let Some(piece) = piece {
            arguments.add(piece).map_err(sqlx::Error::Encode)?;
            number += 1;
        }
    }
    Ok((text, arguments))
}

fn postgres(sql: &str, values: &[Cell<'_>], sets: &[&Set]) -> Result<(String, PgArguments), StoreError> {
    let mut text = sql.replace("{now}", POSTGRES_NOW);
    let mut arguments = PgArguments::default();
    for value in values {
        match value {
            // Only texts are ever null on their own.
            Cell::Null => arguments.add(None::<String>),
            Cell::Int(number) => arguments.add(*number),
            Cell::Text(words) => arguments.add(set::without_nul(words).as_ref()),
            Cell::Bytes(bytes) => arguments.add(bytes.as_ref()),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    let mut number = values.len() + 1;
    for set in sets {
        text = text.replace(&set.placeholder(), &set.postgres_source(number));
        number += set.add_to(&mut arguments).map_err(sqlx::Error::Encode)?;
    }
    Ok((text, arguments))
}
