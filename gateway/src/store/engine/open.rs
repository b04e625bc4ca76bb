//! Opening a database: is it there, is it ours, are its tables those of this program? Every answer is one sentence that says what to do.

use super::Engine;
use super::migrations::{POSTGRES, SQLITE};
use crate::files;
use crate::store::{Schema, StoreError};
use sqlx::migrate::{Migrate as _, MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, Row as _};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

/// Marks a SQLite file as ours, so that another program's is recognised: "PKGT".
const APPLICATION_ID: i64 = 0x504b_4754;
/// The oldest PostgreSQL that the statements are written for.
const OLDEST_POSTGRES: i32 = 150_000;
/// How long a start waits for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an act waits for a connection of the pool before it fails and is tried again.
const ACQUIRE: Duration = Duration::from_secs(5);

/// The table that marks a database as the unfinished copy of another one. It is not in the migrations: it is there before any other
/// table, and it goes when the copy was compared with what it was made of.
pub(in crate::store) const UNFINISHED: &str = "unfinished_copy";

/// Opens what `url` names.
pub(in crate::store) async fn open(url: &str, schema: Schema) -> Result<Engine, StoreError> {
    match url.split_once(':').map_or(url, |(scheme, _)| scheme) {
        "sqlite" => sqlite(url, schema).await,
        "postgres" | "postgresql" => postgres(url, schema).await,
        other => Err(StoreError::Url(other.to_owned())),
    }
}

/// Brings the tables up to date and says which migrations that took.
pub(in crate::store) async fn revise(url: &str) -> Result<Vec<String>, StoreError> {
    let engine = open(url, Schema::AsItIs).await?;
    let (migrator, before) = match &engine {
        Engine::Sqlite { write, .. } => (&SQLITE, applied_sqlite(write).await?),
        Engine::Postgres(pool) => (&POSTGRES, applied_postgres(pool).await?),
    };
    match &engine {
        Engine::Sqlite { write, .. } => migrate_sqlite(write).await?,
        Engine::Postgres(pool) => POSTGRES.run(pool).await.map_err(migration)?,
    }
    let named = |migration: &sqlx::migrate::Migration| format!("{:04}_{}", migration.version, migration.description);
    Ok(migrator.iter().filter(|migration| !before.contains(&migration.version)).map(named).collect())
}

/// Makes a database to copy another one into: its tables, and the mark that it is not finished. There must be nothing in it yet.
pub(in crate::store) async fn found(url: &str) -> Result<Engine, StoreError> {
    if let Some(path) = file_of(url) {
        super::super::whole::make_private_file(&path)?;
    }
    let engine = open(url, Schema::AsItIs).await?;
    let tables = match &engine {
        Engine::Sqlite { .. } => "select count(*) as tables from sqlite_schema",
        Engine::Postgres(_) => "select count(*) as tables from pg_tables where schemaname = current_schema()",
    };
    let tables: i64 = engine.row(tables, &[]).await?.map_or(Ok(0), |row| row.get("tables"))?;
    if tables > 0 {
        engine.close().await;
        return Err(StoreError::NotEmpty(shown(url)));
    }
    let mut tx = engine.write().await?;
    tx.run(&format!("create table {UNFINISHED} (begun_at bigint)"), &[], &[]).await?;
    tx.commit().await?;
    match &engine {
        Engine::Sqlite { write, .. } => migrate_sqlite(write).await?,
        Engine::Postgres(pool) => POSTGRES.run(pool).await.map_err(migration)?,
    }
    Ok(engine)
}

/// The file that a SQLite URL names.
pub(in crate::store) fn file_of(url: &str) -> Option<PathBuf> {
    let options = url.starts_with("sqlite:").then(|| SqliteConnectOptions::from_str(url).ok())??;
    Some(options.get_filename().to_owned())
}

/// The URL of a SQLite file.
pub(in crate::store) fn file_url(path: &Path) -> Result<String, StoreError> {
    let text = path.to_str().ok_or_else(|| StoreError::Url(path.display().to_string()))?;
    Ok(format!("sqlite://{}", text.replace('%', "%25").replace('?', "%3f").replace('#', "%23")))
}

async fn sqlite(url: &str, schema: Schema) -> Result<Engine, StoreError> {
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|error| StoreError::Named {
            url: url.to_owned(),
            detail: plain(&error),
            example: "sqlite://perkgate.db",
        })?
        .create_if_missing(schema != Schema::Current)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10))
        // Room for the inner pages of every index that a batch touches, and rarer copies from the log into the file: a page that is
        // written by many batches is copied once.
        .pragma("cache_size", "-32000")
        // What is deleted is overwritten, so that a forgotten member is in no free page of the file.
        .pragma("secure_delete", "on")
        .pragma("wal_autocheckpoint", "4000")
        .pragma("journal_size_limit", "67108864")
        .statement_cache_capacity(200);
    let failed = |error: sqlx::Error| StoreError::Open { url: url.to_owned(), detail: why_not_sqlite(&error) };
    make_file(&options, schema);
    let pool =
        |connections| SqlitePoolOptions::new().max_connections(connections).acquire_timeout(Duration::from_secs(30));
    let write = pool(1).connect_with(options.clone()).await.map_err(failed)?;
    claim_file(&write, url).await?;
    close_to_others(&options);
    match schema {
        Schema::Migrate => migrate_sqlite(&write).await?,
        Schema::Current => current(&SQLITE, &applied_sqlite(&write).await?)?,
        Schema::AsItIs => {}
    }
    // Readers look things up and go; four of them must not keep four copies of what the writer keeps.
    let reading = options.read_only(true).pragma("cache_size", "-4000");
    let read = pool(4).connect_with(reading).await.map_err(failed)?;
    Ok(Engine::Sqlite { write, read })
}

/// The file, if there is one and not only memory.
fn path_of(options: &SqliteConnectOptions) -> Option<&Path> {
    let path = options.get_filename();
    let text = path.to_string_lossy();
    (!text.is_empty() && !text.starts_with(":memory:") && !text.starts_with("file:")).then_some(path)
}

/// A new database is its owner's alone from its first byte on: purchases, messages and answers stand in there in clear. SQLite gives its
/// log and index the mode of the database. Where this fails, opening says why.
fn make_file(options: &SqliteConnectOptions, schema: Schema) {
    if let Some(path) = path_of(options).filter(|path| schema != Schema::Current && !path.exists()) {
        let _ = files::own_file(path);
    }
}

/// What an earlier version left open is closed, now that it is known to be ours.
fn close_to_others(options: &SqliteConnectOptions) {
    let Some(path) = path_of(options) else { return };
    for end in ["", "-wal", "-shm"] {
        let mut beside = path.as_os_str().to_owned();
        beside.push(end);
        files::close_to_others(Path::new(&beside));
    }
}

/// Refuses a file that has tables and is not ours; marks a new one.
async fn claim_file(write: &SqlitePool, url: &str) -> Result<(), StoreError> {
    let unreadable = |error: sqlx::Error| StoreError::Open { url: url.to_owned(), detail: why_not_sqlite(&error) };
    // In one statement: another process may be making the tables just now.
    let (id, tables, unfinished): (i64, i64, i64) = sqlx::query_as(
        "select application_id, (select count(*) from sqlite_schema),
                (select count(*) from sqlite_schema where name = 'unfinished_copy') from pragma_application_id",
    )
    .fetch_one(write)
    .await
    .map_err(unreadable)?;
    if unfinished > 0 {
        return Err(StoreError::Unfinished(url.to_owned()));
    }
    if id == APPLICATION_ID {
        return Ok(());
    }
    if id != 0 || tables != 0 {
        return Err(StoreError::Foreign { url: url.to_owned(), what: "file" });
    }
    sqlx::query("pragma application_id = 1347110740").execute(write).await?;
    Ok(())
}

/// SQLite has no lock for all of it: whoever comes second finds a table there already, and looks again at what is left to do.
async fn migrate_sqlite(write: &SqlitePool) -> Result<(), StoreError> {
    loop {
        let before = applied_sqlite(write).await?.len();
        match SQLITE.run(write).await {
            Err(error) if applied_sqlite(write).await?.len() == before => return Err(migration(error)),
            Err(_) => {}
            Ok(()) => return Ok(()),
        }
    }
}

async fn applied_sqlite(pool: &SqlitePool) -> Result<BTreeSet<i64>, StoreError> {
    let known = sqlx::query("select 1 from sqlite_schema where name = '_sqlx_migrations'").fetch_optional(pool).await?;
    if known.is_none() {
        return Ok(BTreeSet::new());
    }
    let mut connection = pool.acquire().await?;
    let applied = connection.list_applied_migrations(SQLITE.table_name.as_ref()).await.map_err(migration)?;
    Ok(applied.into_iter().map(|applied| applied.version).collect())
}

async fn postgres(url: &str, schema: Schema) -> Result<Engine, StoreError> {
    const EXAMPLE: &str = "postgres://user:password@host:5432/database";
    let options = PgConnectOptions::from_str(url)
        .map_err(|error| StoreError::Named { url: shown(url), detail: plain(&error), example: EXAMPLE })?
        .application_name("perkgate")
        .statement_cache_capacity(200)
        // The planner is right about index look-ups and wrong about how long compiling them would pay. The limits end what a lost
        // connection or a stuck peer would otherwise hold for ever.
        .options([
            ("jit", "off"),
            ("statement_timeout", "30s"),
            ("lock_timeout", "10s"),
            ("idle_in_transaction_session_timeout", "30s"),
        ]);
    let failed = |error: &sqlx::Error| StoreError::Open { url: shown(url), detail: why_not_postgres(error, &options) };
    // One connection first: a pool would keep trying and then only say that time was up.
    let first = tokio::time::timeout(CONNECT, sqlx::PgConnection::connect_with(&options)).await;
    match first {
        Ok(Ok(connection)) => connection.close().await?,
        Ok(Err(error)) => return Err(failed(&error)),
        Err(_) => return Err(failed(&sqlx::Error::PoolTimedOut)),
    }
    let pool = PgPoolOptions::new()
        .max_connections(12)
        .acquire_timeout(ACQUIRE)
        .connect_with(options.clone())
        .await
        .map_err(|error| failed(&error))?;
    claim_schema(&pool, url).await?;
    match schema {
        Schema::Migrate => POSTGRES.run(&pool).await.map_err(migration)?,
        Schema::Current => current(&POSTGRES, &applied_postgres(&pool).await?)?,
        Schema::AsItIs => {}
    }
    Ok(Engine::Postgres(pool))
}

/// Refuses a server that is too old, and a database that has tables and is not ours.
async fn claim_schema(pool: &PgPool, url: &str) -> Result<(), StoreError> {
    let row = sqlx::query(
        "select current_setting('server_version_num')::int as version, current_setting('server_version') as spoken,
                (select count(*) from pg_tables where schemaname = current_schema() and tablename <> '_sqlx_migrations') as tables,
                to_regclass('registry') is not null and to_regclass('arrivals') is not null as ours,
                to_regclass('unfinished_copy') is not null as unfinished,
                coalesce(current_schema(), '') as place",
    )
    .fetch_one(pool)
    .await?;
    if row.try_get::<i32, _>("version")? < OLDEST_POSTGRES {
        let detail = format!("it is PostgreSQL {}, and Perkgate needs 15 or newer", row.try_get::<&str, _>("spoken")?);
        return Err(StoreError::Open { url: shown(url), detail });
    }
    if row.try_get::<&str, _>("place")?.is_empty() {
        let detail = "the role may use no schema of it: grant it one, or make it the database's owner".to_owned();
        return Err(StoreError::Open { url: shown(url), detail });
    }
    if row.try_get::<bool, _>("unfinished")? {
        return Err(StoreError::Unfinished(shown(url)));
    }
    if row.try_get::<i64, _>("tables")? > 0 && !row.try_get::<bool, _>("ours")? {
        return Err(StoreError::Foreign { url: shown(url), what: "database" });
    }
    Ok(())
}

async fn applied_postgres(pool: &PgPool) -> Result<BTreeSet<i64>, StoreError> {
    let known: bool = sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null").fetch_one(pool).await?;
    if !known {
        return Ok(BTreeSet::new());
    }
    let mut connection = pool.acquire().await?;
    let applied = connection.list_applied_migrations(POSTGRES.table_name.as_ref()).await.map_err(migration)?;
    Ok(applied.into_iter().map(|applied| applied.version).collect())
}

/// Whether the tables are exactly those of this program.
fn current(migrator: &Migrator, applied: &BTreeSet<i64>) -> Result<(), StoreError> {
    if let Some(version) = applied.iter().find(|version| !migrator.version_exists(**version)) {
        return Err(StoreError::Newer(*version));
    }
    if migrator.iter().any(|migration| !applied.contains(&migration.version)) {
        return Err(StoreError::Older);
    }
    Ok(())
}

fn migration(error: MigrateError) -> StoreError {
    match error {
        MigrateError::VersionMissing(version) => StoreError::Newer(version),
        MigrateError::VersionMismatch(version) => StoreError::Changed(version),
        error => StoreError::Migrate(error.to_string()),
    }
}

/// Why a connection of its own could not be made.
pub(super) fn in_words(url: &str, error: &sqlx::Error) -> StoreError {
    let detail = match PgConnectOptions::from_str(url) {
        Ok(options) if !url.starts_with("sqlite:") => why_not_postgres(error, &options),
        _ => why_not_sqlite(error),
    };
    StoreError::Open { url: shown(url), detail }
}

/// A URL without what follows `user:`, for messages.
pub(super) fn shown(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    match rest.rsplit_once('@') {
        Some((credentials, place)) => {
            let user = credentials.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{place}")
        }
        None => url.to_owned(),
    }
}

fn why_not_sqlite(error: &sqlx::Error) -> String {
    let text = plain(error);
    match error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() {
        Some("14") => {
            "it cannot be opened: check that the directory exists and that the file may be read and written".to_owned()
        }
        Some("26" | "11" | "267" | "523" | "779") => {
            format!(
                "the file is damaged or no SQLite database ({text}): put a backup in its place, or name another file"
            )
        }
        Some("5" | "261" | "517") => "another program keeps it locked: end that program, or wait for it".to_owned(),
        Some("8") => "it may only be read: check the permissions of the file and its directory".to_owned(),
        _ => text,
    }
}

fn why_not_postgres(error: &sqlx::Error, options: &PgConnectOptions) -> String {
    let (host, port, user) = (options.get_host(), options.get_port(), options.get_username());
    let database = options.get_database().unwrap_or(user);
    match error {
        sqlx::Error::Io(error) => {
            format!("no PostgreSQL answers at {host}, port {port} ({error}): is it running, and the address right?")
        }
        sqlx::Error::PoolTimedOut => {
            format!("PostgreSQL at {host}, port {port} does not answer within {} s", CONNECT.as_secs())
        }
        sqlx::Error::Tls(error) => {
            format!("no encrypted connection can be made ({error}): see `sslmode` and `sslrootcert`")
        }
        sqlx::Error::Database(error) => match error.code().as_deref() {
            Some("28P01" | "28000") => {
                format!("it does not let `{user}` in: check user and password ({})", error.message())
            }
            Some("3D000") => {
                format!("there is no database `{database}`: create it (`createdb {database}`) and start again")
            }
            Some("42501") => format!("`{user}` has no permission for it: make it the owner of `{database}`"),
            Some("53300") => {
                "it has no connection left: raise its `max_connections`, or run fewer processes".to_owned()
            }
            Some("57P03") => "it is just starting or stopping: try again in a moment".to_owned(),
            _ => error.message().to_owned(),
        },
        error => plain(error),
    }
}

/// An error's own words, without the words of the library around them.
fn plain(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Configuration(error) => error.to_string(),
        sqlx::Error::Database(error) => error.message().to_owned(),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        assert_eq!(shown("postgres://anna:p@ss:word@host:5432/db"), "postgres://anna@host:5432/db");
        assert_eq!(shown("postgres://host/db"), "postgres://host/db");
        assert_eq!(shown("nonsense"), "nonsense");
    }
}
