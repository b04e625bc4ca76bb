//! Opening a database: made once however many begin at once, refused with a reason where it is not what it should be.

use super::ground::Ground;
use perkgate_gateway::store::{self, Schema, StoreError};
use perkgate_tests::postgres_or_skip;
use sqlx::Connection as _;
use tokio::task::JoinSet;

on_both! {
    a_newer_schema_is_refused
    a_migration_of_another_form_is_refused
    a_foreign_database_is_refused
}

async fn refused(ground: &Ground) -> StoreError {
    match store::open(&ground.url, Schema::Migrate).await {
        Ok(_) => panic!("it is opened"),
        Err(error) => error,
    }
}

async fn a_newer_schema_is_refused(ground: &Ground) {
    let yes = if ground.is_sqlite() { "1" } else { "true" };
    let checksum = if ground.is_sqlite() { "x'00'" } else { r"'\x00'" };
    let newer = format!(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
         values (9999, 'of the future', {yes}, {checksum}, 0)"
    );
    ground.by_hand(&newer).await.expect("a newer program was here");
    for schema in [Schema::Migrate, Schema::Current] {
        let Err(error) = store::open(&ground.url, schema).await else { panic!("it is opened") };
        assert!(matches!(error, StoreError::Newer(9999)), "{error}");
    }
    let error = store::migrate(&ground.url).await.expect_err("it is refused");
    assert!(matches!(error, StoreError::Newer(9999)), "{error}");
}

async fn a_migration_of_another_form_is_refused(ground: &Ground) {
    let checksum = if ground.is_sqlite() { "x'00'" } else { r"'\x00'" };
    ground.by_hand(&format!("update _sqlx_migrations set checksum = {checksum}")).await.expect("another form");
    let error = refused(ground).await;
    assert!(matches!(error, StoreError::Changed(1)), "{error}");
}

async fn a_foreign_database_is_refused(ground: &Ground) {
    let other = if ground.is_sqlite() {
        let path = format!("{}-other", ground.url);
        let url = format!("{path}?mode=rwc");
        let mut hand = sqlx::SqliteConnection::connect(&url).await.expect("another program's file");
        sqlx::query("create table songs (title text)").execute(&mut hand).await.expect("a table");
        path
    } else {
        let server = postgres_or_skip("a_foreign_database_is_refused").await.expect("it was there a moment ago");
        let url = server.fresh_database().await;
        let mut hand = sqlx::PgConnection::connect(&url).await.expect("another program's database");
        sqlx::query("create table songs (title text)").execute(&mut hand).await.expect("a table");
        url
    };
    for schema in [Schema::Migrate, Schema::Current, Schema::AsItIs] {
        let Err(error) = store::open(&other, schema).await else { panic!("it is opened") };
        assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
    }
}

async fn migrated_by_many(url: &str) {
    let mut starts = JoinSet::new();
    for _ in 0..4 {
        let url = url.to_owned();
        starts.spawn(async move { store::migrate(&url).await.expect("it migrates") });
    }
    let done = starts.join_all().await;
    assert!(done.iter().any(|done| !done.is_empty()), "{done:?}");
    assert!(store::open(url, Schema::Current).await.is_ok());
    assert!(store::migrate(url).await.expect("it is up to date").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_begin_at_once_on_an_empty_database() {
    let directory = tempfile::tempdir().expect("a directory");
    let url = format!("sqlite://{}", directory.path().join("perkgate.db").display());
    let Err(error) = store::open(&url, Schema::Current).await else { panic!("there is none") };
    assert!(matches!(error, StoreError::Open { .. }), "{error}");
    migrated_by_many(&url).await;
    let Some(server) = postgres_or_skip("many_begin_at_once_on_an_empty_database").await else { return };
    let url = server.fresh_database().await;
    let Err(error) = store::open(&url, Schema::Current).await else { panic!("it has no tables") };
    assert!(matches!(error, StoreError::Older), "{error}");
    migrated_by_many(&url).await;
}
