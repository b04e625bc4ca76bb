//! Trouble with the database: the door answers 503 in time and never 4xx, nothing that was answered 200 is lost, work goes on by itself
//! when the trouble is over, and the log speaks of it once, not once for each request.

use super::aftermath;
use perkgate_tests::programme::{CARD, OWN, POINTS};
use perkgate_tests::{Load, Premises, Served, own_postgres_or_skip, until};
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use std::time::{Duration, Instant};

/// Half a second is the door's patience; the rest is for a busy machine.
const IN_TIME: Duration = Duration::from_secs(1);
/// How long a trouble lasts.
const TROUBLE: Duration = Duration::from_secs(3);
/// How soon after it webhooks are taken again: the loops look every five seconds.
const RECOVERY: Duration = Duration::from_secs(10);
/// Lines of the log about one trouble: the door's, and one for each loop of the worker.
const LINES: usize = 6;
/// How often connections are cut.
const CUTS: usize = 10;
/// Tills at once.
const TILLS: u64 = 4;
const SEED: u64 = 7;
const PAUSE: Duration = Duration::from_millis(10);

/// A programme on this database, and a gateway that serves it.
fn premises(database: Option<String>) -> Premises {
    Premises::on(database, &[OWN, POINTS, CARD])
}

fn sells(gateways: &[Served]) -> Load {
    Load::start(gateways, SEED, TILLS, PAUSE)
}

/// Waits until so many more are answered 200.
async fn answered(load: &Load, more: u64) {
    let before = load.tally().answered;
    until("webhooks are taken", async || (load.tally().answered >= before + more).then_some(())).await;
}

/// The trouble begins: waits until requests are refused.
async fn refused(load: &Load, more: u64) {
    let before = load.tally().refused;
    until("webhooks are refused", async || (load.tally().refused >= before + more).then_some(())).await;
}

/// The trouble, which came so many times, is over: webhooks are taken again soon, and in the end all is well, the log included.
async fn recovers(premises: &Premises, gateway: Served, load: Load, times: usize) {
    let (over, before) = (Instant::now(), load.tally().answered);
    while load.tally().answered < before + 20 {
        assert!(over.elapsed() < RECOVERY, "{:?}, and the log says: {:#?}", load.tally(), gateway.troubles());
        tokio::time::sleep(PAUSE).await;
    }
    let books = load.finish().await;
    let tally = &books.tally;
    assert!(tally.slowest_refusal < IN_TIME, "a 503 took {:?}", tally.slowest_refusal);
    assert_eq!(tally.unheard, 0, "the door always answers");
    let mut troubles = gateway.troubles();
    troubles.retain(|line| !line.contains("made a new key"));
    assert!(troubles.len() <= LINES * times, "{} refusals, and the log says: {troubles:#?}", tally.refused);
    aftermath::all_is_well(premises, vec![gateway], &books).await;
}

/// SQLite's file, by hand.
async fn hand(premises: &Premises) -> SqliteConnection {
    SqliteConnection::connect(premises.url()).await.expect("the database opens")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_sqlite_is_locked_the_door_says_503_in_time() {
    let premises = premises(None);
    let gateway = premises.serve().await;
    let load = sells(std::slice::from_ref(&gateway));
    answered(&load, 20).await;

    let mut other = hand(&premises).await;
    sqlx::query("pragma busy_timeout = 10000").execute(&mut other).await.expect("a pragma");
    sqlx::query("begin immediate").execute(&mut other).await.expect("the lock is taken");
    let locked = Instant::now();
    refused(&load, 10).await;
    tokio::time::sleep(TROUBLE.saturating_sub(locked.elapsed())).await;
    sqlx::query("rollback").execute(&mut other).await.expect("the lock is given back");

    recovers(&premises, gateway, load, 1).await;
}

/// A full disk, as a process sees it that may write no further. Of Linux only: elsewhere nobody limits a running process.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_disk_is_full_the_door_says_503_and_goes_on_when_there_is_room() {
    let premises = premises(None);
    let gateway = premises.serve_limitable().await;
    let load = sells(std::slice::from_ref(&gateway));
    answered(&load, 20).await;

    // What is longer stays; the log of the database grows no further.
    gateway.limit_files(Some(4_096));
    let full = Instant::now();
    refused(&load, 50).await;
    until("it says that it is not ready", async || (!gateway.is_ready().await).then_some(())).await;
    let (status, why) = gateway.page("/readyz").await;
    assert!(status == 503 && why.contains("cannot be written"), "{status} {why}");
    tokio::time::sleep(TROUBLE.saturating_sub(full.elapsed())).await;
    gateway.limit_files(None);
    until("it says that it is ready again", async || gateway.is_ready().await.then_some(())).await;

    recovers(&premises, gateway, load, 1).await;
}

#[tokio::test]
async fn a_damaged_file_is_told_in_one_sentence() {
    let premises = premises(None);
    premises.serve().await.stop().await;
    let path = premises.path("perkgate.db");
    let whole = std::fs::read(&path).expect("the database");

    // The first page is garbage, and no log holds another copy.
    for log in ["perkgate.db-wal", "perkgate.db-shm"] {
        let _ = std::fs::remove_file(premises.path(log));
    }
    let mut damaged = whole;
    damaged[..4_096].fill(0xa5);
    std::fs::write(&path, damaged).expect("the database is damaged");
    premises.serve_in_vain().fails_with_one_sentence("not a database");
    // Another program's file.
    std::fs::remove_file(&path).expect("the database goes");
    let mut foreign = SqliteConnection::connect(&format!("{}?mode=rwc", premises.url())).await.expect("a database");
    sqlx::query("create table theirs (x int)").execute(&mut foreign).await.expect("a table");
    foreign.close().await.expect("it is closed");
    premises.serve_in_vain().fails_with_one_sentence("another program");
}

#[tokio::test]
async fn a_database_of_a_newer_perkgate_is_left_alone() {
    let premises = premises(None);
    premises.serve().await.stop().await;
    let newer = "insert into _sqlx_migrations (version, description, installed_on, success, checksum, execution_time)
                 values (999999, 'of the future', current_timestamp, true, $1, 0)";
    let mut by_hand = hand(&premises).await;
    sqlx::query(newer).bind(vec![0_u8; 48]).execute(&mut by_hand).await.expect("a newer migration");
    by_hand.close().await.expect("it is closed");
    premises.serve_in_vain().fails_with_one_sentence("newer Perkgate");
}

#[tokio::test]
async fn a_postgres_database_of_a_newer_perkgate_is_left_alone() {
    let name = "a_postgres_database_of_a_newer_perkgate_is_left_alone";
    let Some(postgres) = own_postgres_or_skip(name, &[]).await else { return };
    let premises = premises(Some(postgres.fresh_database().await));
    premises.serve().await.stop().await;
    let newer = "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
                 values (999999, 'of the future', true, $1, 0)";
    let mut by_hand = PgConnection::connect(premises.url()).await.expect("the database opens");
    sqlx::query(newer).bind(vec![0_u8; 48]).execute(&mut by_hand).await.expect("a newer migration");
    premises.serve_in_vain().fails_with_one_sentence("newer Perkgate");
}

#[tokio::test]
async fn a_postgres_that_is_not_there_is_told_in_one_sentence() {
    let name = "a_postgres_that_is_not_there_is_told_in_one_sentence";
    let Some(mut postgres) = own_postgres_or_skip(name, &[]).await else { return };
    let premises = premises(Some(postgres.fresh_database().await));
    postgres.stop();
    premises.serve_in_vain().fails_with_one_sentence("cannot open the database");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_goes_and_comes_back_while_tills_sell() {
    let name = "postgres_goes_and_comes_back_while_tills_sell";
    // Stopped as by a crash, so what was committed must have been synced.
    let Some(mut postgres) = own_postgres_or_skip(name, &["fsync=on"]).await else { return };
    let premises = premises(Some(postgres.fresh_database().await));
    let gateway = premises.serve().await;
    let load = sells(std::slice::from_ref(&gateway));
    answered(&load, 20).await;

    postgres.stop();
    let gone = Instant::now();
    refused(&load, 20).await;
    until("it says that it is not ready", async || (!gateway.is_ready().await).then_some(())).await;
    tokio::time::sleep(TROUBLE.saturating_sub(gone.elapsed())).await;
    postgres.start_again().await;

    recovers(&premises, gateway, load, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_stands_still_for_a_while() {
    let name = "postgres_stands_still_for_a_while";
    let Some(mut postgres) = own_postgres_or_skip(name, &[]).await else { return };
    let premises = premises(Some(postgres.fresh_database().await));
    let gateway = premises.serve().await;
    let load = sells(std::slice::from_ref(&gateway));
    answered(&load, 20).await;

    postgres.pause();
    let still = Instant::now();
    refused(&load, 10).await;
    tokio::time::sleep(TROUBLE.saturating_sub(still.elapsed())).await;
    postgres.resume();

    recovers(&premises, gateway, load, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_cut_are_made_anew() {
    let name = "connections_that_are_cut_are_made_anew";
    let Some(postgres) = own_postgres_or_skip(name, &[]).await else { return };
    let premises = premises(Some(postgres.fresh_database().await));
    let gateway = premises.serve().await;
    let load = sells(std::slice::from_ref(&gateway));
    answered(&load, 20).await;
    for _ in 0..CUTS {
        postgres.cut_connections().await;
        answered(&load, 5).await;
    }
    recovers(&premises, gateway, load, CUTS).await;
}
