//! One database into another, of either engine: every table, in batches, compared afterwards by what both sides say of it.

use super::catalogue::{Table, cells, put_triggers_back, quoted, set_triggers_aside, tables};
use crate::store::acts::verify;
use crate::store::engine::{self, Cell, Dialect, Engine, Row, Tx, UNFINISHED};
use crate::store::{LedgerReport, Schema, StoreError};
use sha2::{Digest as _, Sha256};

/// Rows that go in by one commit.
const ROWS: usize = 2_000;
/// Bytes after which a batch is full before it has that many.
const BYTES: usize = 4 * 1024 * 1024;

/// Is told which table is being copied and how many rows went over in all.
pub type Progress<'a> = &'a mut (dyn FnMut(&str, u64) + Send);

/// What a copy came to.
#[derive(Debug)]
pub struct Copied {
    /// Tables.
    pub tables: usize,
    /// Rows of all of them.
    pub rows: u64,
    /// What a check of the copy's ledger found: that it holds.
    pub report: LedgerReport,
}

/// What a table holds, to be compared: the number of its rows and a digest of all of them, in the order of the key.
#[derive(Debug, PartialEq, Eq)]
struct Content {
    rows: u64,
    digest: [u8; 32],
}

/// Copies the database `from` to `to`, which must be new. Nobody may have `from` open, unless `force` is given; it is locked against
/// writing until the copy is done.
///
/// # Errors
/// [`StoreError`] in a sentence for the operator. What was copied from is as it was; what was copied to, if anything, is marked as
/// unfinished, and no gateway opens it.
pub async fn move_to(from: &str, to: &str, force: bool, progress: Progress<'_>) -> Result<Copied, StoreError> {
    if !force && engine::is_open_elsewhere(from).await? {
        return Err(StoreError::InUse);
    }
    let source = engine::open(from, Schema::Current).await?;
    let copied = async {
        let mut tx = lock(&source).await?;
        let target = engine::found(to).await?;
        let copied = fill(&mut tx, &target, progress).await;
        target.close().await;
        // Nothing was written: this only ends the lock.
        tx.commit().await?;
        copied
    };
    let copied = copied.await;
    source.close().await;
    copied
}

/// A transaction in which nobody else writes.
async fn lock(engine: &Engine) -> Result<Tx, StoreError> {
    let mut tx = engine.write().await?;
    be_patient(&mut tx).await?;
    if tx.dialect() == Dialect::Postgres {
        let names = tables(&mut tx).await?.iter().map(|table| quoted(&table.name)).collect::<Vec<_>>().join(", ");
        tx.run(&format!("lock table {names} in share mode"), &[], &[]).await?;
    }
    Ok(tx)
}

/// A table is read in one statement, and a transaction waits while the other side works.
pub(super) async fn be_patient(tx: &mut Tx) -> Result<(), StoreError> {
    if tx.dialect() == Dialect::Postgres {
        tx.run("set local statement_timeout = 0", &[], &[]).await?;
        tx.run("set local idle_in_transaction_session_timeout = 0", &[], &[]).await?;
    }
    Ok(())
}

/// Copies everything that `source` sees into `target`, a database from [`engine::found`]; compares, checks the ledger, and takes the
/// mark away.
pub(super) async fn fill(source: &mut Tx, target: &Engine, progress: Progress<'_>) -> Result<Copied, StoreError> {
    let there = tables(source).await?;
    let mut tx = target.write().await?;
    let here = tables(&mut tx).await?;
    same_shape(&there, &here)?;
    // What migrations put in is in the source as well, and further on by now.
    for table in here.iter().rev() {
        let back = set_triggers_aside(&mut tx, &table.name).await?;
        tx.run(&format!("delete from {}", quoted(&table.name)), &[], &[]).await?;
        put_triggers_back(&mut tx, &back).await?;
    }
    tx.commit().await?;
    let (mut rows, mut contents) = (0, Vec::with_capacity(here.len()));
    for table in &here {
        let mut told = |more| progress(&table.name, rows + more);
        let content = copy_table(source, target, table, &mut told).await?;
        rows += content.rows;
        contents.push(content);
    }
    let mut tx = target.read().await?;
    be_patient(&mut tx).await?;
    for (table, content) in here.iter().zip(&contents) {
        let copied = read(&mut tx, table).await?;
        if copied != *content {
            return Err(StoreError::Differs(format!("{}: {} rows of {}", table.name, copied.rows, content.rows)));
        }
    }
    tx.commit().await?;
    let report = verify::verify(target, None).await?;
    if let Some(problem) = report.problems.first() {
        return Err(StoreError::Differs(format!("its ledger does not hold: {problem}")));
    }
    let mut tx = target.write().await?;
    tx.run(&format!("drop table {UNFINISHED}"), &[], &[]).await?;
    tx.commit().await?;
    Ok(Copied { tables: here.len(), rows, report })
}

/// Both sides are at the same migration, so this only fails if somebody changed a table by hand.
fn same_shape(there: &[Table], here: &[Table]) -> Result<(), StoreError> {
    let shape = |table: &Table| {
        let mut columns: Vec<_> = table.columns.iter().map(|column| (column.name.clone(), column.kind)).collect();
        columns.sort();
        (table.name.clone(), columns)
    };
    let (mut theirs, mut ours): (Vec<_>, Vec<_>) =
        (there.iter().map(shape).collect(), here.iter().map(shape).collect());
    theirs.sort();
    ours.sort();
    match theirs
        .iter()
        .find(|table| !ours.contains(table))
        .or_else(|| ours.iter().find(|table| !theirs.contains(table)))
    {
        None => Ok(()),
        Some((name, _)) => Err(StoreError::Differs(format!("the table {name} has other columns, or is not there"))),
    }
}

async fn copy_table(
    source: &mut Tx,
    target: &Engine,
    table: &Table,
    told: &mut (dyn FnMut(u64) + Send),
) -> Result<Content, StoreError> {
    let last = last_number(source, table).await?;
    let (mut digest, mut rows, mut bytes) = (Sha256::new(), 0_u64, 0);
    let mut batch = table.set();
    let mut stream = source.stream(&table.select(source.dialect(), ""), &[])?;
    while let Some(row) = stream.next().await? {
        let cells = cells(&row, &table.columns)?;
        bytes += absorb(&mut digest, &cells);
        rows += 1;
        batch.push_row(cells);
        if batch.len() >= ROWS || bytes >= BYTES {
            write(target, table, &batch).await?;
            told(rows);
            (batch, bytes) = (table.set(), 0);
        }
    }
    drop(stream);
    write(target, table, &batch).await?;
    if let Some(last) = last {
        go_on_from(target, table, last).await?;
    }
    told(rows);
    Ok(Content { rows, digest: digest.finalize().into() })
}

async fn write(target: &Engine, table: &Table, batch: &engine::Set) -> Result<(), StoreError> {
    let mut tx = target.write().await?;
    be_patient(&mut tx).await?;
    let back = set_triggers_aside(&mut tx, &table.name).await?;
    tx.run(&table.insert(tx.dialect()), &[], &[batch]).await?;
    put_triggers_back(&mut tx, &back).await?;
    tx.commit().await
}

async fn read(tx: &mut Tx, table: &Table) -> Result<Content, StoreError> {
    let (mut digest, mut rows) = (Sha256::new(), 0);
    let mut stream = tx.stream(&table.select(tx.dialect(), ""), &[])?;
    while let Some(row) = stream.next().await? {
        absorb(&mut digest, &cells(&row, &table.columns)?);
        rows += 1;
    }
    Ok(Content { rows, digest: digest.finalize().into() })
}

/// Each cell with its kind and length, so that no two rows read alike. Answers the bytes of it.
fn absorb(digest: &mut Sha256, cells: &[Cell<'_>]) -> usize {
    let mut bytes = 0;
    for cell in cells {
        let number;
        let (kind, content): (u8, &[u8]) = match cell {
            Cell::Null => (0, &[]),
            Cell::Int(value) => {
                number = value.to_be_bytes();
                (1, &number)
            }
            Cell::Text(text) => (2, text.as_bytes()),
            Cell::Bytes(content) => (3, content),
        };
        digest.update([kind]);
        digest.update((content.len() as u64).to_be_bytes());
        digest.update(content);
        bytes += content.len() + 9;
    }
    bytes
}

/// The last number that the database gave out in this table, whether or not a row has it.
async fn last_number(tx: &mut Tx, table: &Table) -> Result<Option<i64>, StoreError> {
    let Some(column) = &table.numbered else { return Ok(None) };
    let row = match tx.dialect() {
        Dialect::Sqlite => {
            tx.row("select seq as last from sqlite_sequence where name = $1", &[(&table.name).into()]).await?
        }
        Dialect::Postgres => {
            let statement =
                "select pg_sequence_last_value(pg_get_serial_sequence(quote_ident($1), $2)::regclass) as last";
            tx.row(statement, &[(&table.name).into(), column.into()]).await?
        }
    };
    let last = |row: Row| row.get::<Option<i64>>("last");
    Ok(Some(row.map(last).transpose()?.flatten().unwrap_or(0)))
}

/// Numbers go on behind the last one that was given out where the rows come from.
async fn go_on_from(target: &Engine, table: &Table, last: i64) -> Result<(), StoreError> {
    let Some(column) = table.numbered.as_ref().filter(|_| last > 0) else { return Ok(()) };
    let mut tx = target.write().await?;
    let name = Cell::from(&table.name);
    match tx.dialect() {
        Dialect::Sqlite => {
            tx.run("delete from sqlite_sequence where name = $1", std::slice::from_ref(&name), &[]).await?;
            tx.run("insert into sqlite_sequence (name, seq) values ($1, $2)", &[name, last.into()], &[]).await?;
        }
        Dialect::Postgres => {
            let statement = "select setval(pg_get_serial_sequence(quote_ident($1), $2)::regclass, $3) as last";
            tx.row(statement, &[name, column.into(), last.into()]).await?;
        }
    }
    tx.commit().await
}
