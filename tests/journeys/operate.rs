//! What an operator does to a database: backs it up while a gateway serves, restores it, moves it to another engine and back, and takes
//! a merchant out of it.

use super::aftermath;
use perkgate_tests::programme::{CARD, MERCHANT, OWN, POINTS};
use perkgate_tests::{Load, Premises, Ran, postgres_or_skip};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// Purchases that are settled before the story goes on.
const SOME: u64 = 20;
/// Beyond what anything takes, even in a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

const PIECES: &[&str] = &[OWN, POINTS, CARD];

#[track_caller]
fn done(ran: &Ran, words: &[&str]) {
    assert_eq!(ran.code, 0, "{ran}");
    for word in words {
        assert!(ran.out.contains(word), "`{word}` is missing: {ran}");
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path that is text")
}

#[track_caller]
fn is_private(path: &Path) {
    let mode = std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600, "{}", path.display());
}

/// As another machine has it that was given the key.
fn with_the_key_of(other: &Premises, database: Option<String>) -> Premises {
    let premises = Premises::on(database, PIECES);
    std::fs::copy(other.path("perkgate.key"), premises.path("perkgate.key")).expect("the key is copied");
    premises
}

async fn backed_up_and_moved(premises: &Premises, others: Option<String>, again: Option<String>) {
    let gateway = premises.serve().await;
    let load = Load::start(std::slice::from_ref(&gateway), 11, 4, Duration::from_millis(2));
    let started = Instant::now();
    while gateway.settled().await < SOME {
        assert!(started.elapsed() < PATIENCE, "it does nothing");
        // What is asked is another process, which wakes nobody here.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // In the middle of it.
    let (backup, key) = (premises.path("backup.db"), premises.path("keys/k"));
    std::fs::create_dir(premises.path("keys")).expect("a directory");
    let ran = premises.run(&["backup", text(&backup), "--key-to", text(&key)]);
    done(&ran, &["is made and checked", "every invariant holds", "the key is not in it"]);
    is_private(&backup);
    is_private(&key);
    let ran = premises.run(&["move", "--to", &format!("sqlite://{}", premises.path("no.db").display())]);
    ran.fails_with_one_sentence("a gateway or another program has this database open");

    let restored = Premises::on(None, PIECES);
    let ran = restored.run(&["restore", text(&backup), "--key-from", text(&key)]);
    done(&ran, &["is restored and checked", "opens it"]);
    is_private(&restored.path("perkgate.db"));
    done(&premises.run(&["audit"]), &["database.backup", "backup.db"]);
    done(&restored.run(&["audit"]), &["database.restore", "backup.db"]);
    done(&restored.run(&["ledger", "verify", "--replay"]), &["every invariant holds"]);
    restored.run(&["restore", text(&backup)]).fails_with_one_sentence("is not written over");

    let books = load.finish().await;
    aftermath::all_is_well(premises, vec![gateway], &books).await;
    // There, and back again; everybody has what they had, and a gateway goes on.
    let there = with_the_key_of(premises, others);
    done(
        &premises.run(&["move", "--to", there.url()]),
        &["rows of", "every table was compared", "every invariant holds"],
    );
    done(&there.run(&["audit"]), &["database.move"]);
    aftermath::all_is_well(&there, vec![there.serve().await], &books).await;
    let back = with_the_key_of(premises, again);
    done(&there.run(&["move", "--to", back.url()]), &["every table was compared"]);
    aftermath::all_is_well(&back, vec![back.serve().await], &books).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sqlite_file_is_backed_up_restored_and_moved() {
    let other = match postgres_or_skip("a_sqlite_file_is_backed_up_restored_and_moved").await {
        Some(server) => Some(server.fresh_database().await),
        None => None,
    };
    backed_up_and_moved(&Premises::on(None, PIECES), other, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgresql_database_is_backed_up_restored_and_moved() {
    let Some(server) = postgres_or_skip("a_postgresql_database_is_backed_up_restored_and_moved").await else { return };
    let premises = Premises::on(Some(server.fresh_database().await), PIECES);
    backed_up_and_moved(&premises, None, Some(server.fresh_database().await)).await;
}

#[tokio::test]
async fn a_backup_without_its_key_or_with_another_says_so() {
    let premises = Premises::on(None, PIECES);
    done(&premises.run(&["apply", text(&premises.path("kavarna.toml"))]), &["is applied"]);
    let backup = premises.path("backup.db");
    let beside = premises.run(&["backup", text(&backup), "--key-to", text(&premises.path("k"))]);
    beside.fails_with_one_sentence("would lie in one folder");
    assert!(!backup.exists() && !premises.path("k").exists(), "{beside}");
    done(&premises.run(&["backup", text(&backup)]), &["keep a copy of", "perkgate.key"]);
    premises.run(&["backup", text(&backup)]).fails_with_one_sentence("is not written over");
    std::fs::create_dir(premises.path("daily")).expect("a directory");
    done(&premises.run(&["backup", text(&premises.path("daily"))]), &["daily/perkgate-2"]);

    let stranger = Premises::on(None, PIECES);
    stranger.run(&["restore", text(&backup)]).fails_with_one_sentence("there is no key");
    assert!(!stranger.path("perkgate.key").exists(), "no new key is made beside it");
    let other = Premises::on(None, PIECES);
    std::fs::write(other.path("key.toml"), "").expect("a file");
    let made = Premises::on(None, PIECES);
    done(&made.run(&["apply", text(&made.path("kavarna.toml"))]), &["is applied"]);
    std::fs::copy(made.path("perkgate.key"), other.path("perkgate.key")).expect("another key");
    other.run(&["restore", text(&backup)]).fails_with_one_sentence("was made with another key");

    let mut damaged = std::fs::read(&backup).expect("the backup");
    let middle = damaged.len() / 2;
    damaged[middle..middle + 4096].fill(0x5a);
    std::fs::write(premises.path("damaged.db"), damaged).expect("a file");
    let target = Premises::on(None, PIECES);
    let ran = target.run(&["restore", text(&premises.path("damaged.db"))]);
    assert_eq!(ran.code, 1, "{ran}");
    assert!(!target.path("perkgate.db").exists(), "nothing is there: {ran}");
    // A database in use is no backup: what is in its log would be lost.
    let gateway = premises.serve().await;
    let ran = target.run(&["restore", text(&premises.path("perkgate.db"))]);
    ran.fails_with_one_sentence("is a database in use");
    drop(gateway);
}

async fn removed(premises: &Premises) {
    let other = premises.path("pekaren.toml");
    let file = format!("{}{}", MERCHANT.replace("\"kavarna\"", "\"pekaren\""), PIECES.concat());
    std::fs::write(&other, file).expect("a merchant file");
    let mut gateway = premises.serve().await;
    done(&premises.run(&["apply", text(&other)]), &["is applied"]);
    let joins = |merchant: &str, email: &str| {
        premises.run(&["member", "join", "--merchant", merchant, "--email", email, "--consent", "true", "--key", email])
    };
    let joined = [joins("kavarna", "jana@example.com"), joins("pekaren", "jana@example.com")];
    for ran in &joined {
        done(ran, &["done: entry"]);
    }

    let export = premises.path("kavarna.ndjson");
    let remove = |merchant: &str, yes: &str| {
        premises.run(&["merchant", "remove", merchant, "--export", text(&export), "--yes-remove", yes])
    };
    remove("kavarna", "pekaren").fails_with_one_sentence("nothing is removed");
    remove("nobody", "nobody").fails_with_one_sentence("there is no merchant `nobody`");
    assert!(!export.exists());
    // Killed as soon as it has begun, it goes on where it was.
    let arguments = ["merchant", "remove", "kavarna", "--export", text(&export), "--yes-remove", "kavarna"];
    let mut begun = premises.begin(&arguments);
    let programme = || std::fs::read_to_string(premises.path("kavarna.ndjson.partial")).unwrap_or_default();
    let started = Instant::now();
    while !programme().contains(r#"{"programme":"ends"}"#) {
        assert!(started.elapsed() < PATIENCE, "it exports nothing");
        // A file says nothing when it grows.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    begun.kill().and_then(|()| begun.wait()).expect("it is killed");
    assert!(!export.exists(), "what has its name is whole");
    done(&remove("kavarna", "kavarna"), &["merchant `kavarna` is removed"]);
    is_private(&export);
    let lines = std::fs::read_to_string(&export).expect("the export");
    assert!(lines.contains(r#""opened":"jana@example.com""#), "contact data is opened: {lines}");
    assert!(
        lines.ends_with('\n') && lines.lines().last().is_some_and(|line| line.contains(r#""end":true"#)),
        "{lines}"
    );
    for table in ["merchants", "sources", "installations", "members", "arrivals", "entries"] {
        assert!(lines.contains(&format!(r#""table":"{table}""#)), "{table} is missing: {lines}");
    }
    assert!(!lines.contains("pekaren"), "and nothing of anybody else's: {lines}");
    remove("kavarna", "kavarna").fails_with_one_sentence("there is no merchant `kavarna`");
    done(&premises.run(&["audit"]), &["merchant.remove"]);

    // Whoever serves has noticed, and serves the others.
    assert_eq!(gateway.posts("/in/kavarna/own").await, 404);
    assert_eq!(gateway.posts("/in/pekaren/own").await, 401);
    gateway.stop().await;
    let kept = premises.run(&["member", "--merchant", "pekaren", "email:jana@example.com"]);
    assert_eq!(kept.code, 0, "{kept}");
    done(&premises.run(&["ledger", "verify", "--replay"]), &["1 members", "every invariant holds"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merchant_is_removed_from_a_sqlite_file_while_a_gateway_serves() {
    removed(&Premises::on(None, PIECES)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merchant_is_removed_from_a_postgresql_database_while_a_gateway_serves() {
    let name = "a_merchant_is_removed_from_a_postgresql_database_while_a_gateway_serves";
    let Some(server) = postgres_or_skip(name).await else { return };
    removed(&Premises::on(Some(server.fresh_database().await), PIECES)).await;
}
