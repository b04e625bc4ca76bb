//! Rows of one statement, one after the other: a table of any size is read in little memory.

use super::{Cell, Connection, Row, Tx, postgres, sqlite};
use crate::store::StoreError;
use futures_util::TryStreamExt as _;
use futures_util::stream::BoxStream;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

/// What is left of the rows.
pub(in crate::store) struct Rows<'a>(Source<'a>);

enum Source<'a> {
    Sqlite(BoxStream<'a, Result<SqliteRow, sqlx::Error>>),
    Postgres(BoxStream<'a, Result<PgRow, sqlx::Error>>),
}

impl Rows<'_> {
    /// The next row; none at the end.
    pub(in crate::store) async fn next(&mut self) -> Result<Option<Row>, StoreError> {
        Ok(match &mut self.0 {
            Source::Sqlite(rows) => rows.try_next().await?.map(Row::Sqlite),
            Source::Postgres(rows) => rows.try_next().await?.map(Row::Postgres),
        })
    }
}

impl Tx {
    /// Reads a statement's rows as they are asked for.
    pub(in crate::store) fn stream(&mut self, sql: &str, values: &[Cell<'_>]) -> Result<Rows<'_>, StoreError> {
        Ok(Rows(match &mut self.connection {
            Connection::Sqlite(connection) => {
                let (text, arguments) = sqlite(sql, values, &[])?;
                Source::Sqlite(sqlx::query_with(AssertSqlSafe(text), arguments).fetch(&mut **connection))
            }
            Connection::Postgres(connection) => {
                let (text, arguments) = postgres(sql, values, &[])?;
                Source::Postgres(sqlx::query_with(AssertSqlSafe(text), arguments).fetch(&mut **connection))
            }
        }))
    }
}
