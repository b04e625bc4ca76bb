//! What can go wrong with a database, in sentences for the operator.

/// The caller tries again or gives up; nothing was half done.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL names no database we know.
    #[error(
        "`{0}` is no database that Perkgate knows: use sqlite://PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE"
    )]
    Url(String),
    /// The URL does not parse.
    #[error("the database URL {url} cannot be read ({detail}): write it like {example}")]
    Named {
        /// Without the password.
        url: String,
        /// Why.
        detail: String,
        /// A good one.
        example: &'static str,
    },
    /// The database cannot be opened.
    #[error("cannot open the database {url}: {detail}")]
    Open {
        /// Without the password.
        url: String,
        /// Why, and what to do.
        detail: String,
    },
    /// Somebody else's.
    #[error("{url} is another program's {what}: name one of Perkgate's, or a new one")]
    Foreign {
        /// Without the password.
        url: String,
        /// A file or a database.
        what: &'static str,
    },
    /// Its tables are newer than this program.
    #[error(
        "the database's tables are of a newer Perkgate (migration {0} is not known here): start that one, or an even newer"
    )]
    Newer(i64),
    /// Its tables are missing or older than this program.
    #[error(
        "the database's tables are not there yet or of an older Perkgate: run `perkgate migrate` on it first (`perkgate serve` does it too)"
    )]
    Older,
    /// A migration was run in another form.
    #[error(
        "migration {0} was not made by this Perkgate: it is a development version's database, or another program's; name another one"
    )]
    Changed(i64),
    /// A migration failed.
    #[error("cannot bring the database's tables up to date: {0}")]
    Migrate(String),
    /// A statement failed.
    #[error("the database failed: {0}")]
    Database(sqlx::Error),
    /// A stored document does not read back.
    #[error("a stored {what} cannot be read: {detail}")]
    Corrupt {
        /// Which.
        what: &'static str,
        /// Why.
        detail: String,
    },
    /// Somebody else was first: do it again with what is there now.
    #[error("another process changed the same rows first; it is done again")]
    Stale,
}

impl StoreError {
    /// Whether the database as a whole cannot be worked with: gone, locked, full, damaged, read-only. Anything else is about what was to be
    /// written or read, and other rows may go well.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Corrupt { .. } | Self::Stale => false,
            Self::Database(sqlx::Error::Database(error)) => !is_about_rows(error.as_ref()),
            Self::Database(error) => !matches!(
                error,
                sqlx::Error::ColumnDecode { .. }
                    | sqlx::Error::Decode(_)
                    | sqlx::Error::Encode(_)
                    | sqlx::Error::RowNotFound
            ),
            _ => true,
        }
    }
}

/// Whether a statement failed because of the values it met.
fn is_about_rows(error: &dyn sqlx::error::DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        // The primary code: SQLITE_ERROR (a function refused a value), TOOBIG, CONSTRAINT, MISMATCH.
        return code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 1 | 18 | 19 | 20));
    }
    // Data exception, integrity constraint, an exception that one of our triggers raised.
    ["22", "23", "P0001"].iter().any(|class| code.starts_with(class))
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        // Serialisation failure, deadlock, unique violation: whoever was first wins, and the other looks again.
        let lost = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        if matches!(lost.as_deref(), Some("40001" | "40P01" | "23505")) { Self::Stale } else { Self::Database(error) }
    }
}
