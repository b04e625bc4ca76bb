//! What the database says of its own tables: columns, keys, which table refers to which, and which column the database numbers.

use crate::store::StoreError;
use crate::store::engine::{Cell, Dialect, Kind, Row, Set, Tx, UNFINISHED};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// One table. Names are the database's.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// The columns of the primary key, in its order.
    key: Vec<String>,
    /// The column whose values the database numbers, if there is one.
    pub(super) numbered: Option<String>,
    /// Tables that must have their rows before this one.
    needs: BTreeSet<String>,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// Every table of ours; those that others refer to come before them.
pub(super) async fn tables(tx: &mut Tx) -> Result<Vec<Table>, StoreError> {
    let dialect = tx.dialect();
    let statement = match dialect {
        Dialect::Sqlite => "select name, sql from sqlite_schema where type = 'table' order by name",
        Dialect::Postgres => {
            "select tablename::text as name, '' as sql from pg_tables where schemaname = current_schema() order by 1"
        }
    };
    let mut found = Vec::new();
    for row in tx.rows(statement, &[], &[]).await? {
        let name: String = row.get("name")?;
        if name.starts_with("sqlite_") || name.starts_with("_sqlx") || name == UNFINISHED {
            continue;
        }
        let columns = columns(tx, &name).await?;
        let key = key(tx, &name, &columns).await?;
        let numbered = match dialect {
            Dialect::Sqlite => {
                let definition: String = row.get("sql")?;
                definition.to_ascii_lowercase().contains("autoincrement").then(|| key[0].clone())
            }
            Dialect::Postgres => numbered(tx, &name).await?,
        };
        found.push(Table { needs: needs(tx, &name).await?, columns, key, numbered, name });
    }
    Ok(in_order(found))
}

async fn columns(tx: &mut Tx, table: &str) -> Result<Vec<Column>, StoreError> {
    let statement = match tx.dialect() {
        Dialect::Sqlite => "select name, lower(type) as kind from pragma_table_info($1) order by cid",
        Dialect::Postgres => {
            "select column_name::text as name, data_type::text as kind from information_schema.columns
             where table_schema = current_schema() and table_name = $1 order by ordinal_position"
        }
    };
    let rows = tx.rows(statement, &[table.into()], &[]).await?;
    rows.iter().map(|row| column(table, row)).collect()
}

fn column(table: &str, row: &Row) -> Result<Column, StoreError> {
    let (name, kind): (String, String) = (row.get("name")?, row.get("kind")?);
    let kind = match kind.as_str() {
        "integer" | "bigint" | "int" => Kind::Int,
        "text" => Kind::Text,
        "blob" | "bytea" => Kind::Bytes,
        other => {
            let detail = format!("its type `{other}` is none of whole number, text and bytes");
            return Err(StoreError::Corrupt { what: "column", detail: format!("{table}.{name}: {detail}") });
        }
    };
    Ok(Column { name, kind })
}

/// All columns where there is no primary key: some order has to be the same on both sides.
async fn key(tx: &mut Tx, table: &str, columns: &[Column]) -> Result<Vec<String>, StoreError> {
    let statement = match tx.dialect() {
        Dialect::Sqlite => "select name from pragma_table_info($1) where pk > 0 order by pk",
        Dialect::Postgres => {
            "select a.attname::text as name from pg_index i
             join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
             where i.indrelid = to_regclass(quote_ident($1)) and i.indisprimary
             order by array_position(i.indkey::smallint[], a.attnum)"
        }
    };
    let rows = tx.rows(statement, &[table.into()], &[]).await?;
    let key: Vec<String> = rows.iter().map(|row| row.get("name")).collect::<Result<_, _>>()?;
    Ok(if key.is_empty() { columns.iter().map(|column| column.name.clone()).collect() } else { key })
}

async fn numbered(tx: &mut Tx, table: &str) -> Result<Option<String>, StoreError> {
    let statement = "select column_name::text as name from information_schema.columns
                     where table_schema = current_schema() and table_name = $1 and is_identity = 'YES'";
    tx.row(statement, &[table.into()]).await?.map(|row| row.get("name")).transpose()
}

async fn needs(tx: &mut Tx, table: &str) -> Result<BTreeSet<String>, StoreError> {
    let statement = match tx.dialect() {
        Dialect::Sqlite => "select \"table\" as name from pragma_foreign_key_list($1)",
        Dialect::Postgres => {
            "select r.relname::text as name from pg_constraint c join pg_class r on r.oid = c.confrelid
             where c.contype = 'f' and c.conrelid = to_regclass(quote_ident($1))"
        }
    };
    let rows = tx.rows(statement, &[table.into()], &[]).await?;
    let names: BTreeSet<String> = rows.iter().map(|row| row.get("name")).collect::<Result<_, _>>()?;
    Ok(names.into_iter().filter(|name| name != table).collect())
}

/// By name, but each behind what it needs.
fn in_order(mut waiting: Vec<Table>) -> Vec<Table> {
    let mut ordered: Vec<Table> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let there: BTreeSet<String> = ordered.iter().map(|table| table.name.clone()).collect();
        let (ready, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|table| table.needs.is_subset(&there));
        if ready.is_empty() {
            // A circle: no order is right, and the database will say so.
            ordered.extend(rest);
            return ordered;
        }
        ordered.extend(ready);
        waiting = rest;
    }
    ordered
}

/// A name in a statement.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl Table {
    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|found| found.name == column)
    }

    /// The columns, as a statement lists them.
    pub(super) fn list(&self) -> String {
        self.columns.iter().map(|column| quoted(&column.name)).collect::<Vec<_>>().join(", ")
    }

    /// The key's columns, as a statement lists them.
    pub(super) fn key_list(&self) -> String {
        self.key.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
    }

    /// The key's columns alone.
    pub(super) fn key_columns(&self) -> Vec<Column> {
        let of = |name: &String| self.columns.iter().find(|column| column.name == *name).cloned();
        self.key.iter().filter_map(of).collect()
    }

    /// All rows, or those that `only` leaves, in an order that is the same on both engines: bytewise.
    pub(super) fn select(&self, dialect: Dialect, only: &str) -> String {
        let order = self.key_columns().into_iter().map(|column| match (dialect, column.kind) {
            (Dialect::Postgres, Kind::Text) => format!("{} collate \"C\"", quoted(&column.name)),
            _ => quoted(&column.name),
        });
        let order = order.collect::<Vec<_>>().join(", ");
        format!("select {} from {} {only} order by {order}", self.list(), quoted(&self.name))
    }

    /// Puts a set `k` of rows in, numbers as they are.
    pub(super) fn insert(&self, dialect: Dialect) -> String {
        let overriding = if dialect == Dialect::Postgres { "overriding system value" } else { "" };
        let values = set_list(self.columns.len());
        // SQLite wants a `where` to tell a join from an `on conflict`; it does no harm.
        format!(
            "insert into {} ({}) {overriding} select {values} from {{k}} where true",
            quoted(&self.name),
            self.list()
        )
    }

    /// An empty set `k` of its rows.
    pub(super) fn set(&self) -> Set {
        set_of(&self.columns)
    }
}

/// An empty set `k` of these columns. They go by number there, since a set has a column of its own, `place`.
pub(super) fn set_of(columns: &[Column]) -> Set {
    Set::named(
        "k",
        (0..).zip(columns).map(|(number, column): (usize, _)| (Cow::Owned(format!("c{number}")), column.kind)),
    )
}

/// The columns of [`set_of`] so many, as a statement lists them.
pub(super) fn set_list(columns: usize) -> String {
    (0..columns).map(|number| format!("k.c{number}")).collect::<Vec<_>>().join(", ")
}

/// A row's cells in the order of the columns.
pub(super) fn cells<'r>(row: &'r Row, columns: &[Column]) -> Result<Vec<Cell<'r>>, StoreError> {
    let cell = |column: &Column| {
        Ok(match column.kind {
            Kind::Int => row.get::<Option<i64>>(&column.name)?.into(),
            Kind::Text => row.get::<Option<&str>>(&column.name)?.into(),
            Kind::Bytes => row.get::<Option<&[u8]>>(&column.name)?.into(),
        })
    };
    columns.iter().map(cell).collect()
}

/// Triggers guard rows against whoever has no business with them. What copies or removes whole parts of a database sets them aside,
/// within its own transaction: nobody else ever sees a table without its triggers.
pub(super) async fn set_triggers_aside(tx: &mut Tx, table: &str) -> Result<Vec<String>, StoreError> {
    let mut back = Vec::new();
    match tx.dialect() {
        Dialect::Sqlite => {
            let statement =
                "select name, sql from sqlite_schema where type = 'trigger' and tbl_name = $1 order by name";
            for row in tx.rows(statement, &[table.into()], &[]).await? {
                let name: String = row.get("name")?;
                tx.run(&format!("drop trigger {}", quoted(&name)), &[], &[]).await?;
                back.push(row.get("sql")?);
            }
        }
        Dialect::Postgres => {
            let statement = "select 1::bigint as one from pg_trigger
                             where tgrelid = to_regclass(quote_ident($1)) and not tgisinternal and tgenabled <> 'D'";
            if tx.row(statement, &[table.into()]).await?.is_some() {
                tx.run(&format!("alter table {} disable trigger user", quoted(table)), &[], &[]).await?;
                back.push(format!("alter table {} enable trigger user", quoted(table)));
            }
        }
    }
    Ok(back)
}

/// Puts back what [`set_triggers_aside`] took.
pub(super) async fn put_triggers_back(tx: &mut Tx, back: &[String]) -> Result<(), StoreError> {
    for statement in back {
        tx.run(statement, &[], &[]).await?;
    }
    Ok(())
}
