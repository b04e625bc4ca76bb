//! A database in one SQLite file, and back: made while a gateway serves, checked before it has its name, and never written over
//! anything.
//!
//! A file is made beside its place under another name and is moved there when it is whole, so that whatever is found under the
//! name that was asked for can be relied on.

use super::copy::{Progress, be_patient, fill};
use crate::store::acts::verify;
use crate::store::engine::{self, Engine};
use crate::store::{LedgerReport, Schema, StoreError};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

/// Bytes of a SQLite file's head, and what it begins with (<https://sqlite.org/fileformat.html>).
const HEAD: usize = 100;
const MAGIC: &[u8] = b"SQLite format 3\0";
/// Where the head says whose file it is: ours say "PKGT".
const APPLICATION: std::ops::Range<usize> = 68..72;

/// Writes everything that the database `url` holds at one moment into the new file `to`, and checks it. Whoever serves goes on.
///
/// # Errors
/// [`StoreError`] in a sentence for the operator; then there is no file `to`.
pub async fn backup(url: &str, to: &Path, progress: Progress<'_>) -> Result<LedgerReport, StoreError> {
    let draft = beside(to, ".partial");
    is_free(to)?;
    let source = engine::open(url, Schema::Current).await?;
    make_new_private_file(&draft)?;
    let written = match &source {
        Engine::Sqlite { .. } => source.vacuum_into(&draft).await,
        Engine::Postgres(_) => copy_out(&source, &draft, progress).await,
    };
    source.close().await;
    let report = match written {
        Ok(()) => check(&draft, Schema::Current).await,
        Err(error) => Err(error),
    };
    finish(&draft, to, report)
}

/// In one snapshot. That of PostgreSQL lasts as long as the transaction.
async fn copy_out(source: &Engine, draft: &Path, progress: Progress<'_>) -> Result<(), StoreError> {
    let target = engine::found(&engine::file_url(draft)?).await?;
    let mut tx = source.read().await?;
    be_patient(&mut tx).await?;
    let copied = fill(&mut tx, &target, progress).await;
    target.close().await;
    tx.commit().await?;
    copied.map(drop)
}

/// Makes the new database `url` of the backup `from`, which is left as it is. An older one is brought up to date on the way; `draft` is
/// where that may be done, a file that does not exist.
///
/// # Errors
/// [`StoreError`] in a sentence for the operator; then nothing of Perkgate's is at `url` that a gateway would open.
pub async fn restore(from: &Path, url: &str, draft: &Path, progress: Progress<'_>) -> Result<LedgerReport, StoreError> {
    is_backup(from)?;
    let file = engine::file_of(url);
    if let Some(path) = &file {
        is_free(path)?;
        // SQLite would take what lies there for the new file's.
        is_free(&beside(path, "-wal"))?;
        is_free(&beside(path, "-journal"))?;
    }
    let draft = file.as_ref().map_or_else(|| draft.to_owned(), |path| beside(path, ".restoring"));
    make_new_private_file(&draft)?;
    // Over the file that is there already, which keeps its mode.
    let copied = copy_bytes(from, &draft);
    let report = match copied {
        Ok(()) => check(&draft, Schema::Migrate).await,
        Err(error) => Err(error),
    };
    if let Some(path) = file {
        return finish(&draft, &path, report);
    }
    let filled = match report {
        Ok(_) => copy_in(&draft, url, progress).await,
        Err(error) => Err(error),
    };
    remove(&draft)?;
    filled
}

async fn copy_in(draft: &Path, url: &str, progress: Progress<'_>) -> Result<LedgerReport, StoreError> {
    let source = engine::open(&engine::file_url(draft)?, Schema::Current).await?;
    let copied = async {
        let target = engine::found(url).await?;
        let mut tx = source.read().await?;
        let copied = fill(&mut tx, &target, progress).await;
        target.close().await;
        tx.commit().await?;
        copied
    };
    let copied = copied.await;
    source.close().await;
    Ok(copied?.report)
}

/// Opens a file as a gateway would, and checks every page and the ledger.
async fn check(path: &Path, schema: Schema) -> Result<LedgerReport, StoreError> {
    let engine = engine::open(&engine::file_url(path)?, schema).await?;
    let checked = async {
        let row = engine.row("select integrity_check as said from pragma_integrity_check", &[]).await?;
        let said: String = row.map_or(Ok(String::new()), |row| row.get("said"))?;
        if said != "ok" {
            return Err(StoreError::Differs(format!("SQLite finds it damaged: {said}")));
        }
        let report = verify::verify(&engine, None).await?;
        match report.problems.first() {
            None => Ok(report),
            Some(problem) => Err(StoreError::Differs(format!("its ledger does not hold: {problem}"))),
        }
    };
    let report = checked.await;
    engine.close().await;
    report
}

/// Gives a checked draft its name, or takes it away.
fn finish(draft: &Path, to: &Path, report: Result<LedgerReport, StoreError>) -> Result<LedgerReport, StoreError> {
    let placed = report.and_then(|report| {
        if beside(draft, "-wal").exists() {
            return Err(StoreError::Differs("its log could not be written into it".to_owned()));
        }
        File::open(draft).and_then(|file| file.sync_all()).map_err(failed(draft, "make it durable"))?;
        // Unlike a rename, a link replaces nothing that somebody put there meanwhile.
        match std::fs::hard_link(draft, to) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(failed(to, "make it")(error)),
            // Not every file system has links.
            Err(_) => {
                is_free(to)?;
                std::fs::copy(draft, to).map_err(failed(to, "make it"))?;
            }
        }
        if cfg!(unix)
            && let Some(directory) = to.parent().filter(|parent| !parent.as_os_str().is_empty())
        {
            File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed(to, "make it durable"))?;
        }
        Ok(report)
    });
    remove(draft)?;
    placed
}

/// With what an engine that could not open it left beside it.
fn remove(draft: &Path) -> Result<(), StoreError> {
    for end in ["-wal", "-shm", "-journal"] {
        let _ = std::fs::remove_file(beside(draft, end));
    }
    std::fs::remove_file(draft).map_err(failed(draft, "remove it"))
}

fn copy_bytes(from: &Path, to: &Path) -> Result<(), StoreError> {
    let mut source = File::open(from).map_err(failed(from, "read it"))?;
    let mut target = OpenOptions::new().write(true).open(to).map_err(failed(to, "write it"))?;
    std::io::copy(&mut source, &mut target).map_err(failed(to, "write it"))?;
    target.sync_all().map_err(failed(to, "make it durable"))
}

/// Refuses what is no database of ours at rest.
fn is_backup(path: &Path) -> Result<(), StoreError> {
    let mut head = Vec::with_capacity(HEAD);
    let file = File::open(path).map_err(failed(path, "read it"))?;
    file.take(HEAD as u64).read_to_end(&mut head).map_err(failed(path, "read it"))?;
    let shown = path.display();
    if head.len() < HEAD || !head.starts_with(MAGIC) || head.get(APPLICATION) != Some(b"PKGT") {
        return Err(StoreError::Backup(format!(
            "{shown} is no backup of Perkgate's: name a file that `perkgate backup` made"
        )));
    }
    // Whoever closes a database last takes its log away.
    let log = beside(path, "-wal");
    if log.exists() {
        return Err(StoreError::Backup(format!(
            "{shown} is a database in use ({} lies beside it): `perkgate backup` makes a backup of it",
            log.display()
        )));
    }
    Ok(())
}

/// Makes an empty file that only its owner may read, unless there is one.
pub(in crate::store) fn make_private_file(path: &Path) -> Result<(), StoreError> {
    match private().open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop).map_err(failed(path, "make it")),
    }
}

fn make_new_private_file(path: &Path) -> Result<(), StoreError> {
    match private().open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(StoreError::Backup(format!(
            "{} is there already: a backup or restore that was broken off left it, or is at it; remove it if none is",
            path.display()
        ))),
        made => made.map(drop).map_err(failed(path, "make it")),
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Whatever is there is not written over.
fn is_free(path: &Path) -> Result<(), StoreError> {
    if path.symlink_metadata().is_ok() {
        return Err(StoreError::Backup(format!(
            "{} is there already, and is not written over: name another file, or move it away",
            path.display()
        )));
    }
    Ok(())
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

fn failed(path: &Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> StoreError {
    let path = path.display().to_string();
    move |source| StoreError::File { path, doing, source }
}
