//! What an operator reads when a database is not as it should be: one sentence that says what to do, exit code 1, nothing else.

use perkgate_tests::{Premises, Ran, own_postgres_or_skip, postgres_or_skip};
use sqlx::{Connection as _, Executor as _, PgConnection, SqliteConnection};

/// A newer program has been here.
const FUTURE: &str = "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
                      values (9999, 'of the future', true, '', 0)";

/// Every command that opens a database says the same, and none of them a password.
#[track_caller]
fn is_refused(url: &str, words: &[&str]) {
    let premises = Premises::on(Some(url.to_owned()), &[]);
    let ran = [premises.run(&["migrate"]), premises.run(&["ledger", "verify"]), premises.serve_in_vain()];
    for ran in ran {
        for word in words {
            ran.fails_with_one_sentence(word);
        }
        assert!(!ran.err.contains("s3cret"), "{ran}");
    }
}

async fn sqlite(path: &std::path::Path, statements: &[&'static str]) -> String {
    let url = format!("sqlite://{}", path.display());
    let mut hand = SqliteConnection::connect(&format!("{url}?mode=rwc")).await.expect("a file");
    for statement in statements {
        hand.execute(*statement).await.expect("a statement");
    }
    url
}

#[tokio::test]
async fn a_sqlite_file_that_is_not_ours_is_told_in_a_sentence() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name);
    is_refused("perkgate.db", &["sqlite://PATH"]);
    is_refused("mysql://anna:s3cret@host/db", &["mysql", "postgres://"]);
    is_refused("sqlite://x.db?mode=sideways", &["cannot be read", "sqlite://perkgate.db"]);
    is_refused(&format!("sqlite://{}", path("no/such/folder.db").display()), &["check that the directory exists"]);

    std::fs::write(path("text.db"), "not a database at all, but long enough to look at ".repeat(100)).expect("a file");
    is_refused(&format!("sqlite://{}", path("text.db").display()), &["damaged or no SQLite database", "backup"]);

    let url = sqlite(&path("songs.db"), &["create table songs (title text)"]).await;
    is_refused(&url, &["another program's file"]);

    let url = format!("sqlite://{}", path("newer.db").display());
    let made = Premises::on(Some(url.clone()), &[]).run(&["migrate"]);
    assert!(made.code == 0 && made.out.contains("0001_start"), "{made}");
    sqlite(&path("newer.db"), &[FUTURE]).await;
    is_refused(&url, &["newer Perkgate", "9999"]);

    // The head of a file of ours, and nonsense behind it.
    let whole = std::fs::read(path("newer.db")).expect("the file");
    let mut broken = whole;
    for byte in broken.iter_mut().skip(100) {
        *byte = 0x5a;
    }
    std::fs::write(path("broken.db"), broken).expect("a file");
    is_refused(&format!("sqlite://{}", path("broken.db").display()), &["damaged"]);
}

#[tokio::test]
async fn a_server_that_is_not_ours_is_told_in_a_sentence() {
    is_refused("postgres://anna:s3cret@127.0.0.1:9/db", &["no PostgreSQL answers at 127.0.0.1, port 9"]);
    is_refused(
        "postgres://anna:s3cret@127.0.0.1:ninety/db",
        &["cannot be read", "postgres://user:password@host:5432/database"],
    );
    let Some(server) = postgres_or_skip("a_server_that_is_not_ours_is_told_in_a_sentence").await else { return };

    let url = server.fresh_database().await;
    let missing = format!("{url}_missing");
    is_refused(&missing, &["there is no database", "createdb"]);
    let mut hand = PgConnection::connect(&url).await.expect("a connection");
    hand.execute("create table songs (title text)").await.expect("a table");
    is_refused(&url, &["another program's database"]);

    let url = server.fresh_database().await;
    let older = Premises::on(Some(url.clone()), &[]).run(&["ledger", "verify"]);
    older.fails_with_one_sentence("perkgate migrate");
    let made = Premises::on(Some(url.clone()), &[]).run(&["migrate"]);
    assert!(made.code == 0 && made.out.contains("0001_start"), "{made}");
    let mut hand = PgConnection::connect(&url).await.expect("a connection");
    hand.execute(FUTURE).await.expect("a newer program was here");
    is_refused(&url, &["newer Perkgate", "9999"]);
}

/// On a server that asks for passwords.
#[tokio::test]
async fn wrong_credentials_are_told_in_a_sentence() {
    let name = "wrong_credentials_are_told_in_a_sentence";
    let Some(server) = own_postgres_or_skip(name, &[]).await else { return };
    let url = server.fresh_database().await;
    let mut hand = PgConnection::connect(&url).await.expect("a connection");
    let file: String = sqlx::query_scalar("show hba_file").fetch_one(&mut hand).await.expect("a path");
    std::fs::write(file, "host all postman 127.0.0.1/32 scram-sha-256\nhost all perkgate 127.0.0.1/32 trust\n")
        .expect("the server's rules");
    hand.execute("create role postman login password 'right'").await.expect("a role");
    hand.execute("select pg_reload_conf()").await.expect("the rules are read");
    let wrong = url.replace("perkgate@", "postman:s3cret@");
    let (reason, refused) = ("it does not let `postman` in", "check user and password");
    perkgate_tests::until("the rules hold", async || PgConnection::connect(&wrong).await.is_err().then_some(())).await;
    is_refused(&wrong, &[reason, refused]);
    is_refused(&url.replace("perkgate@", "stranger:s3cret@"), &["does not let `stranger` in"]);
}

#[tokio::test]
async fn two_processes_migrate_one_empty_database() {
    let both = |url: String| {
        let premises = Premises::on(Some(url), &[]);
        std::thread::scope(|scope| {
            let runs: Vec<_> = (0..2).map(|_| scope.spawn(|| premises.run(&["migrate"]))).collect();
            runs.into_iter().map(|run| run.join().expect("no panic")).collect::<Vec<Ran>>()
        })
    };
    let directory = tempfile::tempdir().expect("a directory");
    let mut urls = vec![format!("sqlite://{}", directory.path().join("perkgate.db").display())];
    if let Some(server) = postgres_or_skip("two_processes_migrate_one_empty_database").await {
        urls.push(server.fresh_database().await);
    }
    for url in urls {
        for ran in both(url.clone()) {
            assert_eq!(ran.code, 0, "{ran}");
        }
        let again = Premises::on(Some(url), &[]).run(&["migrate"]);
        assert!(again.code == 0 && again.out.contains("were up to date"), "{again}");
    }
}
