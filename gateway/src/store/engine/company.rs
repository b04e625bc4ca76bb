//! Whether anybody else has a database open, be it a gateway that has nothing to do just now.

use super::open::{in_words, shown};
use crate::store::StoreError;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions as _, Connection as _};
use std::str::FromStr as _;
use std::time::Duration;

/// How long a process that was told to end may take to hang up.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// Looks, and looks again for a while if somebody is there. Not to be asked by who has it open.
pub(in crate::store) async fn is_open_elsewhere(url: &str) -> Result<bool, StoreError> {
    let mut waited = Duration::ZERO;
    loop {
        let open = if url.starts_with("sqlite:") { sqlite(url).await? } else { postgres(url).await? };
        if !open || waited >= PATIENCE {
            return Ok(open);
        }
        // Another process does not tell this one that it has hung up.
        tokio::time::sleep(PAUSE).await;
        waited += PAUSE;
    }
}

/// Only who has a file alone may take it out of its write-ahead log. Opening it as usual puts it back.
async fn sqlite(url: &str) -> Result<bool, StoreError> {
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|_| StoreError::Url(url.to_owned()))?
        .create_if_missing(false)
        .busy_timeout(Duration::ZERO)
        .journal_mode(SqliteJournalMode::Delete);
    match options.connect().await {
        Ok(connection) => {
            connection.close().await?;
            Ok(false)
        }
        Err(error) => {
            let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
            if matches!(code.as_deref(), Some("5" | "261" | "517")) { Ok(true) } else { Err(in_words(url, &error)) }
        }
    }
}

/// Every connection of ours has this name.
async fn postgres(url: &str) -> Result<bool, StoreError> {
    let options = PgConnectOptions::from_str(url).map_err(|_| StoreError::Url(shown(url)))?;
    let mut connection =
        options.application_name("perkgate looking").connect().await.map_err(|error| in_words(url, &error))?;
    let others: i64 = sqlx::query_scalar(
        "select count(*) from pg_stat_activity where datname = current_database() and application_name = 'perkgate'",
    )
    .fetch_one(&mut connection)
    .await?;
    connection.close().await?;
    Ok(others > 0)
}
