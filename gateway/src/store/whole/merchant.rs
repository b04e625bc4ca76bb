//! One merchant taken out of a database: its programme first, so that nothing more comes in, then what is left, table by table, once it
//! was exported. Each step is a transaction of bounded size, and all of it may be run again from the beginning.

use super::catalogue::{Table, cells, put_triggers_back, quoted, set_list, set_of, set_triggers_aside, tables};
use super::copy::be_patient;
use crate::store::engine::{self, Cell, Engine, Tx};
use crate::store::{Schema, StoreError};
use perkgate_domain::ids::MerchantId;
use serde_json::{Map, Value};

/// Rows that one transaction changes or removes.
const ROWS: i64 = 1_000;
/// A time that does not come.
const NEVER: i64 = 253_402_300_799_000;

/// Tables without a `merchant_id` whose rows are the merchant's by another table's row: table, column, that table.
const THROUGH: &[(&str, &str, &str)] = &[("attempts", "delivery_id", "deliveries")];
/// What makes others work on a merchant's rows, and what keeps them from it: table, column, value.
const HUSHED: &[(&str, &str, Option<i64>)] = &[
    ("inbox", "not_before", Some(NEVER)),
    ("waiting", "not_before", Some(NEVER)),
    ("wakes", "not_before", Some(NEVER)),
    ("deliveries", "next_at", Some(NEVER)),
    ("members", "due_at", None),
];
/// What a programme is made of: with these rows gone, every process forgets the merchant. In the order in which they may go.
const PROGRAMME: &[&str] = &["sources", "channels", "installations", "merchants"];

/// A row of a merchant's, as it is exported.
#[derive(Debug)]
pub struct RemovedRow {
    /// Its table.
    pub table: String,
    /// Column and value; bytes are `{"hex": …}`.
    pub row: Map<String, Value>,
}

/// A merchant on its way out of a database.
pub struct Leaving {
    engine: Engine,
    merchant: MerchantId,
    /// Those with rows of merchants; what others refer to comes first.
    tables: Vec<Table>,
}

impl std::fmt::Debug for Leaving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Leaving").field("merchant", &self.merchant).finish_non_exhaustive()
    }
}

impl Leaving {
    /// Opens a database for it; nothing is changed yet.
    ///
    /// # Errors
    /// [`StoreError`] in a sentence for the operator.
    pub async fn open(url: &str, merchant: &MerchantId) -> Result<Self, StoreError> {
        let engine = engine::open(url, Schema::Current).await?;
        let mut tx = engine.read().await?;
        let mut found = tables(&mut tx).await?;
        tx.commit().await?;
        found.retain(|table| only(table).is_some());
        Ok(Self { engine, merchant: merchant.clone(), tables: found })
    }

    /// Whether it still has a programme.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn has_programme(&self) -> Result<bool, StoreError> {
        let statement = "select merchant_id from merchants where merchant_id = $1";
        Ok(self.engine.row(statement, &[(&self.merchant).into()]).await?.is_some())
    }

    /// Whether there is anything of it at all.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn is_there(&self) -> Result<bool, StoreError> {
        let mut tx = self.engine.read().await?;
        let there = self.first_table(&mut tx).await?.is_some();
        tx.commit().await?;
        Ok(there)
    }

    async fn first_table(&self, tx: &mut Tx) -> Result<Option<&str>, StoreError> {
        for table in &self.tables {
            let only = only(table).unwrap_or_default();
            let statement = format!("select 1 as one from {} {only} limit 1", quoted(&table.name));
            if tx.row(&statement, &[(&self.merchant).into()]).await?.is_some() {
                return Ok(Some(&table.name));
            }
        }
        Ok(None)
    }

    /// Hands every row of the programme, or every other row, to `sink`, as they stand at one moment. Answers how many there were.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails, or what `sink` says.
    pub async fn export<E: From<StoreError>>(
        &self,
        programme: bool,
        mut sink: impl FnMut(RemovedRow) -> Result<(), E>,
    ) -> Result<u64, E> {
        let mut tx = self.engine.read().await?;
        be_patient(&mut tx).await?;
        let mut rows = 0;
        for table in self.tables.iter().filter(|table| PROGRAMME.contains(&table.name.as_str()) == programme) {
            let statement = table.select(tx.dialect(), &only(table).unwrap_or_default());
            let mut stream = tx.stream(&statement, &[(&self.merchant).into()])?;
            while let Some(row) = stream.next().await? {
                rows += 1;
                let names = table.columns.iter().map(|column| column.name.clone());
                let values = cells(&row, &table.columns)?.into_iter().map(value);
                sink(RemovedRow { table: table.name.clone(), row: names.zip(values).collect() })?;
            }
        }
        tx.commit().await?;
        Ok(rows)
    }

    /// Removes the programme. From the next look at it on, which is within a second, every process answers 404 for the merchant.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails; then the programme is as it was.
    pub async fn close_door(&self) -> Result<(), StoreError> {
        let mut tx = self.engine.write().await?;
        tx.run("update registry set revision = revision + 1", &[], &[]).await?;
        for table in PROGRAMME {
            let statement = format!("delete from {table} where merchant_id = $1");
            tx.run(&statement, &[(&self.merchant).into()], &[]).await?;
        }
        tx.commit().await
    }

    /// Keeps everybody from what is still to be done for the merchant. Answers whether nobody is at it any more.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn hush(&self) -> Result<bool, StoreError> {
        for (name, column, value) in HUSHED {
            let Some(table) = self.tables.iter().find(|table| table.name == *name && table.has(column)) else {
                continue;
            };
            let loud = match value {
                Some(never) => format!("where merchant_id = $1 and {column} <> {never}"),
                None => format!("where merchant_id = $1 and {column} is not null"),
            };
            let value = value.map_or_else(|| "null".to_owned(), |value| value.to_string());
            let (key, name) = (table.key_list(), quoted(name));
            let statement = format!(
                "update {name} set {column} = {value} where ({key}) in (select {key} from {name} {loud} limit {ROWS})"
            );
            self.until_done(&statement).await?;
        }
        let mut tx = self.engine.read().await?;
        let mut quiet = true;
        for table in self.tables.iter().filter(|table| table.has("leased_until") && table.has("merchant_id")) {
            let name = quoted(&table.name);
            let statement =
                format!("select 1 as one from {name} where merchant_id = $1 and leased_until > {{now}} limit 1");
            quiet &= tx.row(&statement, &[(&self.merchant).into()]).await?.is_none();
        }
        tx.commit().await?;
        Ok(quiet)
    }

    async fn until_done(&self, statement: &str) -> Result<(), StoreError> {
        loop {
            let mut tx = self.engine.write().await?;
            let changed = tx.run(statement, &[(&self.merchant).into()], &[]).await?;
            tx.commit().await?;
            if changed == 0 {
                return Ok(());
            }
        }
    }

    /// Removes everything that is left, and says after each transaction of which table how many rows went so far. Answers how many went.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails; it may be run again.
    pub async fn remove(&self, told: &mut (dyn FnMut(&str, u64) + Send)) -> Result<u64, StoreError> {
        let mut removed = 0;
        // Rows that belong to the merchant by another table's row go before that row.
        let (through, own): (Vec<_>, Vec<_>) = self.tables.iter().rev().partition(|table| !table.has("merchant_id"));
        for table in through.into_iter().chain(own) {
            let mut after = None;
            while let Some((last, count)) = self.remove_some(table, after.as_deref()).await? {
                removed += count;
                told(&table.name, removed);
                after = Some(last);
            }
        }
        Ok(removed)
    }

    /// Walks once along the key, since not every table has an index that begins with the merchant. Answers the last key and how many rows
    /// went; nothing when there are no more.
    async fn remove_some(
        &self,
        table: &Table,
        after: Option<&[Cell<'static>]>,
    ) -> Result<Option<(Vec<Cell<'static>>, u64)>, StoreError> {
        let (name, key, columns) = (quoted(&table.name), table.key_list(), table.key_columns());
        let mut values = vec![Cell::from(&self.merchant)];
        values.extend(after.unwrap_or_default().iter().cloned());
        let behind = after.map_or_else(String::new, |after| {
            let places: Vec<String> = (2..after.len() + 2).map(|place| format!("${place}")).collect();
            format!("and ({key}) > ({})", places.join(", "))
        });
        let only = only(table).unwrap_or_default();
        let mut tx = self.engine.write().await?;
        be_patient(&mut tx).await?;
        let statement = format!("select {key} from {name} {only} {behind} order by {key} limit {ROWS}");
        let rows = tx.rows(&statement, &values, &[]).await?;
        let Some(last) = rows.last() else {
            tx.commit().await?;
            return Ok(None);
        };
        let last = cells(last, &columns)?.into_iter().map(owned).collect();
        let mut set = set_of(&columns);
        for row in &rows {
            set.push_row(cells(row, &columns)?);
        }
        let back = set_triggers_aside(&mut tx, &table.name).await?;
        let those = set_list(columns.len());
        let statement = format!("delete from {name} where ({key}) in (select {those} from {{k}})");
        let count = tx.run(&statement, &[], &[&set]).await?;
        put_triggers_back(&mut tx, &back).await?;
        tx.commit().await?;
        Ok(Some((last, count)))
    }

    /// Hangs up.
    pub async fn close(self) {
        self.engine.close().await;
    }
}

/// Which rows of a table are a merchant's ($1); none of a table that is everybody's.
fn only(table: &Table) -> Option<String> {
    if table.has("merchant_id") {
        return Some("where merchant_id = $1".to_owned());
    }
    let (_, column, other) = THROUGH.iter().find(|(name, ..)| *name == table.name)?;
    Some(format!("where {column} in (select {column} from {other} where merchant_id = $1)"))
}

fn value(cell: Cell<'_>) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Int(number) => number.into(),
        Cell::Text(text) => text.into_owned().into(),
        Cell::Bytes(bytes) => serde_json::json!({ "hex": hex::encode(bytes) }),
    }
}

fn owned(cell: Cell<'_>) -> Cell<'static> {
    match cell {
        Cell::Null => Cell::Null,
        Cell::Int(number) => Cell::Int(number),
        Cell::Text(text) => Cell::Text(text.into_owned().into()),
        Cell::Bytes(bytes) => Cell::Bytes(bytes.into_owned().into()),
    }
}
