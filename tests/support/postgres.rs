//! A PostgreSQL server for the stories: the one that `PERKGATE_TEST_POSTGRES` names, or one started from the installed binaries and
//! thrown away afterwards.
//!
//! The whole test process shares one server and every story has a database of its own. Stories that stop, pause or cut off the
//! server have one of their own as well.

mod server;

use server::Server;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::OnceCell;

/// Names a server to use in place of one started here: a URL of a role that may create databases. What is created stays there.
const NAMED: &str = "PERKGATE_TEST_POSTGRES";
/// Names a file to which every story that was skipped adds its line. `.ci/run` fails if there is one.
const SKIPPED: &str = "PERKGATE_TEST_SKIPPED";
/// The oldest version that Perkgate supports.
const OLDEST: u32 = 15;
/// What PostgreSQL answers where a database of this name exists (appendix A of its manual).
const DUPLICATE_DATABASE: &str = "42P04";

/// A running server.
#[derive(Debug)]
pub struct Postgres {
    /// Of any database there is.
    url: String,
    made: AtomicU64,
    /// None where somebody else runs it.
    server: Option<Server>,
}

impl Postgres {
    /// The server that this test process shares, started when it is first asked for. None where there is no PostgreSQL.
    ///
    /// # Panics
    /// If there is one and it cannot be used.
    pub async fn shared() -> Option<&'static Self> {
        static SHARED: OnceCell<Option<Postgres>> = OnceCell::const_new();
        let start = async || match std::env::var(NAMED) {
            Ok(url) => Some(Self::named(url).await),
            Err(_) => Self::own(&[]).await,
        };
        SHARED.get_or_init(start).await.as_ref()
    }

    /// A server of one's own, to be maltreated, with further settings (`fsync=on`; without it nothing is synced to disk, which
    /// only a crash of the whole machine could tell). Stopped and removed when dropped, or when the process ends, however it ends.
    /// None where PostgreSQL is not installed.
    pub async fn own(settings: &[&str]) -> Option<Self> {
        let server = Server::start(settings).await?;
        Some(Self { url: server.url(), made: AtomicU64::new(0), server: Some(server) })
    }

    async fn named(url: String) -> Self {
        let version = version(&url).await;
        let version = version.unwrap_or_else(|error| panic!("the server that {NAMED} names cannot be used: {error}"));
        assert!(
            version >= OLDEST * 10_000,
            "{NAMED} names PostgreSQL {}: {OLDEST} or newer is needed",
            version / 10_000
        );
        Self { url, made: AtomicU64::new(0), server: None }
    }

    /// Makes an empty database; answers its URL.
    pub async fn fresh_database(&self) -> String {
        let mut hand = PgConnection::connect(&self.url).await.expect("the server answers");
        loop {
            let number = self.made.fetch_add(1, Ordering::SeqCst);
            let name = format!("perkgate_test_{}_{number}", std::process::id());
            match sqlx::query(AssertSqlSafe(format!("create database {name}"))).execute(&mut hand).await {
                Ok(_) => return of_database(&self.url, &name),
                // A named server may still have those of an earlier process with this number.
                Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(DUPLICATE_DATABASE) => {}
                Err(error) => panic!("no database can be made: {error}"),
            }
        }
    }

    /// Ends every connection of every client, as an administrator may.
    pub async fn cut_connections(&self) {
        let mut hand = PgConnection::connect(&self.url).await.expect("the server answers");
        sqlx::query(
            "select pg_terminate_backend(pid) from pg_stat_activity
             where backend_type = 'client backend' and pid <> pg_backend_pid()",
        )
        .execute(&mut hand)
        .await
        .expect("connections are ended");
    }

    /// Stops it at once, as if it had crashed. Own servers only, like everything below.
    pub fn stop(&mut self) {
        self.server().stop();
    }
    /// Starts it again after [`Postgres::stop`], at the same address; returns when it answers.
    pub async fn start_again(&mut self) {
        self.server().start_again().await;
    }
    /// Makes it stand still: connections stay open, and nobody answers.
    pub fn pause(&mut self) {
        self.server().pause();
    }
    /// Ends [`Postgres::pause`].
    pub fn resume(&mut self) {
        self.server().resume();
    }
    fn server(&mut self) -> &mut Server {
        self.server.as_mut().unwrap_or_else(|| panic!("{NAMED} names somebody else's server, which is left alone"))
    }
}

/// The shared server, or a word on standard error that this test is skipped.
pub async fn postgres_or_skip(test: &str) -> Option<&'static Postgres> {
    let found = Postgres::shared().await;
    if found.is_none() {
        skip(test);
    }
    found
}

/// [`Postgres::own`], or a word on standard error that this test is skipped.
pub async fn own_postgres_or_skip(test: &str, settings: &[&str]) -> Option<Postgres> {
    let found = Postgres::own(settings).await;
    if found.is_none() {
        skip(test);
    }
    found
}

/// Says so where it is seen: what a passing test prints by the macros is swallowed.
fn skip(test: &str) {
    let cure = format!("no PostgreSQL {OLDEST}+ found; install it (apt install postgresql) or set {NAMED}");
    let line = format!("skipped: {test}: {cure}\n");
    std::io::stderr().write_all(line.as_bytes()).expect("standard error");
    if let Some(path) = std::env::var_os(SKIPPED) {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        file.and_then(|mut file| file.write_all(line.as_bytes())).expect("the list of skipped tests is written");
    }
}

/// 150018 for 15.18.
async fn version(url: &str) -> Result<u32, sqlx::Error> {
    let mut hand = PgConnection::connect(url).await?;
    let version: i32 =
        sqlx::query_scalar("select current_setting('server_version_num')::int").fetch_one(&mut hand).await?;
    Ok(u32::try_from(version).unwrap_or_default())
}

/// The URL of another database of the same server.
fn of_database(url: &str, name: &str) -> String {
    let (place, query) =
        url.split_once('?').map_or((url, String::new()), |(place, query)| (place, format!("?{query}")));
    let host = place.find("://").map_or(0, |scheme| scheme + 3);
    let end = place[host..].find('/').map_or(place.len(), |slash| host + slash);
    format!("{}/{name}{query}", &place[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_database_of_the_same_server() {
        for (url, other) in [
            ("postgres://u:p@h:1/a?sslmode=disable", "postgres://u:p@h:1/b?sslmode=disable"),
            ("postgres://u@h/a", "postgres://u@h/b"),
            ("postgres://u@h", "postgres://u@h/b"),
            ("postgres://u@h?x=/y", "postgres://u@h/b?x=/y"),
        ] {
            assert_eq!(of_database(url, "b"), other);
        }
    }

    async fn answers(url: &str) -> bool {
        let patience = std::time::Duration::from_millis(500);
        tokio::time::timeout(patience, version(url)).await.is_ok_and(|version| version.is_ok())
    }

    #[tokio::test]
    async fn a_server_of_ones_own_stops_pauses_and_goes_without_a_trace() {
        let name = "a_server_of_ones_own_stops_pauses_and_goes_without_a_trace";
        let Some(mut server) = own_postgres_or_skip(name, &["fsync=on"]).await else { return };
        let (one, other) = (server.fresh_database().await, server.fresh_database().await);
        assert_ne!(one, other);
        let mut hand = PgConnection::connect(&one).await.expect("a connection");
        let synced: String = sqlx::query_scalar("show fsync").fetch_one(&mut hand).await.expect("a setting");
        assert_eq!(synced, "on", "a story's own settings go before the usual ones");
        sqlx::query("create table kept (number int)").execute(&mut hand).await.expect("a table");

        server.pause();
        assert!(!answers(&one).await, "it stands still");
        server.resume();
        assert!(answers(&one).await);

        server.cut_connections().await;
        assert!(hand.ping().await.is_err(), "the connection is cut");

        server.stop();
        assert!(!answers(&one).await);
        server.start_again().await;
        let mut hand = PgConnection::connect(&one).await.expect("a connection");
        sqlx::query("insert into kept values (1)").execute(&mut hand).await.expect("what was there is there");

        let directory = server.server().directory().to_owned();
        assert!(directory.exists());
        server.pause();
        drop(server);
        assert!(!directory.exists() && !answers(&one).await, "nothing is left");
    }
}
