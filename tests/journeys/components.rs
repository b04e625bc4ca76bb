//! Components and rows that are no good: refused when they are applied, left out alone, said, and mended without a restart. Entries
//! wait for what belongs to them and are never settled without it.

use super::{BY_JANA, JANA, ORDER};
use perkgate_domain::ids::{Digest, MerchantId};
use perkgate_domain::limits::CompileLimits;
use perkgate_gateway::apply;
use perkgate_gateway::clock::Clock as _;
use perkgate_gateway::gateway::{Config, Gateway};
use perkgate_gateway::store::{Actor, Note, PluginRow, ProgrammeRows, StoreError};
use perkgate_plugin_host::Compiler;
use perkgate_tests::programme::{ESHOP, MERCHANT, OWN, PAY, POINTS, plugin_file};
use perkgate_tests::{FakeShop, NOON, Premises, Sale, Staff, TestGateway, hostile, until};
use sqlx::{Connection as _, SqliteConnection};
use std::path::Path;
use std::sync::Arc;
use tokio::task::JoinSet;

/// As often as an entry is tried before a person is asked for, almost.
const LONG: i64 = 8;

fn coffee(id: u64) -> Sale {
    Sale::new(id, &[("Flat white", 1, 320)]).by(JANA)
}

/// Changes the database by hand; every process then reads the programmes again.
async fn by_hand(gateway: &TestGateway, statement: &'static str) {
    let mut database = SqliteConnection::connect(&gateway.database()).await.expect("the database opens");
    sqlx::query(statement).execute(&mut database).await.expect("a statement");
    seen(gateway).await;
}

async fn seen(gateway: &TestGateway) {
    let mut database = SqliteConnection::connect(&gateway.database()).await.expect("the database opens");
    let rises = sqlx::query("update registry set revision = revision + 1");
    rises.execute(&mut database).await.expect("a statement");
}

/// Problems as the operator is told them.
fn problems(gateway: &Gateway) -> Vec<String> {
    gateway.registry.snapshot().problems().iter().map(|problem| problem.what.clone()).collect()
}

/// Waits until these and no others are left out.
async fn left_out(gateway: &TestGateway, wanted: &[&str]) {
    until(&format!("{wanted:?} are left out"), async || (problems(gateway.gateway()) == wanted).then_some(())).await;
}

#[test]
fn a_component_that_cannot_be_loaded_is_refused_when_it_is_applied() {
    let premises = Premises::on(None, &[OWN, POINTS, &plugin_file("guest")]);
    let (file, guest) = (premises.path("kavarna.toml"), premises.path("guest.wasm"));
    let file = file.to_str().expect("a path");
    let apply = |more: &[&str]| premises.run(&[&["apply", file], more].concat());

    for (name, word) in
        [("memory-shared", "does not compile"), ("table-minimum", "larger"), ("foreign-log", "contract")]
    {
        std::fs::write(&guest, hostile(name)).expect("a component");
        // The line of `[[plugins]]` that names it.
        for more in [&["--check"][..], &[]] {
            let ran = apply(more);
            ran.fails_with_one_sentence(word);
            assert!(ran.err.contains("kavarna.toml:") && !ran.err.contains("kavarna.toml:1:"), "{ran}");
        }
        premises.run_alone(&["plugin", "check", guest.to_str().expect("a path")]).fails_with_one_sentence(word);
    }
    std::fs::write(&guest, hostile("honest-points")).expect("a component");
    assert_eq!(apply(&["--check"]).code, 0);
    // What was compiled for the check is kept for whoever runs it.
    let compiled = std::fs::read_dir(premises.path("compiled")).expect("a directory");
    let names: Vec<String> =
        compiled.map(|file| file.expect("a file").file_name().into_string().expect("text")).collect();
    let digest = Digest::of(&hostile("honest-points")).to_string();
    let digest = digest.trim_start_matches("sha256:");
    assert!(names.iter().any(|name| name.starts_with(digest)), "{digest} in {names:?}");
    assert_eq!(apply(&[]).code, 0);
    let told = premises.run_alone(&["plugin", "check", guest.to_str().expect("a path")]);
    assert!(told.code == 0 && told.out.contains("honest-points"), "{told}");
}

fn applied_by(merchant: &MerchantId) -> Note {
    Note::new(Some(merchant), &Actor::command("anna@till"), "programme.apply", NOON)
}

/// Puts the component in the place of the first installed one, with these bytes.
async fn installs(gateway: &TestGateway, digest: Digest, component: &[u8]) {
    let store = &gateway.gateway().store;
    let mut programme: ProgrammeRows = store.programmes().await.expect("programmes are read").remove(0);
    programme.installations[0].installation.digest = digest;
    let (plugin_id, version) = ("points-per-spend".to_owned(), "1.0.0".to_owned());
    let row = PluginRow { digest, plugin_id, version, component: component.to_vec() };
    let note = applied_by(&programme.merchant.id);
    store.apply(&programme, &[row], &note).await.expect("it is applied");
    gateway.gateway().registry.refresh().await.expect("programmes are read");
    gateway.gateway().registry.loaded().await;
}

/// How often what waits was tried.
async fn tries(gateway: &TestGateway) -> i64 {
    let mut database = SqliteConnection::connect(&gateway.database()).await.expect("the database opens");
    let tries = sqlx::query_scalar("select coalesce(max(attempts), 0) from waiting");
    tries.fetch_one(&mut database).await.expect("a number")
}

/// Sells a coffee, and sees it wait for its plugin however often it is tried.
async fn sold_and_waiting(gateway: &TestGateway, order: u64) {
    FakeShop::at(gateway, "eshop").sells(&coffee(order)).await;
    // A changed programme makes the count begin anew, whenever the gateway hears of it.
    until("it is put off", async || {
        let often = tries(gateway).await >= LONG;
        gateway.later(i64::from(!often) * 700);
        often.then_some(())
    })
    .await;
    let seen = gateway.explain("eshop", order).await;
    assert!(seen.entry.state == "queued" && seen.decisions.is_empty(), "{seen:?}");
}

#[tokio::test]
async fn a_purchase_waits_for_its_plugin_however_long() {
    let gateway = TestGateway::open(&[ESHOP, POINTS]).await;
    FakeShop::at(&gateway, "eshop").sells(&coffee(ORDER)).await;
    gateway.settle().await;
    assert_eq!(gateway.balance(BY_JANA, "points").await, 3);

    // Its bytes are damaged, and then whole again.
    let whole = hostile("honest-points");
    installs(&gateway, Digest::of(&whole), b"damaged").await;
    assert_eq!(problems(gateway.gateway()), ["plugin `points-per-spend`"]);
    sold_and_waiting(&gateway, ORDER + 1).await;
    installs(&gateway, Digest::of(&whole), &whole).await;
    left_out(&gateway, &[]).await;
    gateway.later(120);
    gateway.settle().await;
    assert_eq!(gateway.balance(BY_JANA, "points").await, 3 + 3, "nothing was lost");

    // One that no gateway can run, and then another in its place.
    let bad = hostile("memory-shared");
    installs(&gateway, Digest::of(&bad), &bad).await;
    assert_eq!(problems(gateway.gateway()), ["plugin `points-per-spend`"]);
    sold_and_waiting(&gateway, ORDER + 2).await;
    installs(&gateway, Digest::of(&whole), &whole).await;
    gateway.later(120);
    gateway.settle().await;
    assert_eq!(gateway.balance(BY_JANA, "points").await, 3 + 3 + 3);
    gateway.close().await;
}

#[tokio::test]
async fn what_is_due_waits_for_the_plugin_too() {
    let maturing = "\n[wallets.points]\nmatures = { days = 2 }\n";
    let gateway = TestGateway::open(&[ESHOP, maturing, POINTS]).await;
    FakeShop::at(&gateway, "eshop").sells(&coffee(ORDER)).await;
    gateway.settle().await;
    let whole = hostile("honest-points");
    installs(&gateway, Digest::of(&whole), b"damaged").await;
    gateway.later(3 * 86_400);
    // A plugin that is not loaded may wait for what this changes: a tier, for example.
    until("it is put off", async || {
        gateway.gateway().pipeline.schedule().await.expect("a pass");
        let mut database = SqliteConnection::connect(&gateway.database()).await.expect("the database opens");
        let count = sqlx::query_scalar::<_, i64>("select count(*) from stalled_members");
        (count.fetch_one(&mut database).await.expect("a number") == 1).then_some(())
    })
    .await;
    assert_eq!(gateway.balance(BY_JANA, "points").await, 0);
    installs(&gateway, Digest::of(&whole), &whole).await;
    left_out(&gateway, &[]).await;
    until("the points are there", async || {
        gateway.later(1);
        (gateway.balance(BY_JANA, "points").await == 3).then_some(())
    })
    .await;
    gateway.close().await;
}

#[tokio::test]
async fn one_damaged_row_takes_nothing_else_with_it() {
    let gateway = TestGateway::open(&[ESHOP, PAY, POINTS]).await;
    let (eshop, pay) = (FakeShop::at(&gateway, "eshop"), FakeShop::at(&gateway, "pay"));
    eshop.sells(&coffee(ORDER)).await;
    gateway.settle().await;

    let mut database = SqliteConnection::connect(&gateway.database()).await.expect("the database opens");
    let sealed = sqlx::query_scalar::<_, Vec<u8>>("select sealed from sources where source_id = 'eshop'");
    let sealed = sealed.fetch_one(&mut database).await.expect("a source");
    let mut flipped = sealed.clone();
    flipped[20] ^= 1;
    let damage = "update sources set sealed = $1 where source_id = 'eshop'";
    sqlx::query(damage).bind(flipped).execute(&mut database).await.expect("a statement");
    seen(&gateway).await;
    left_out(&gateway, &["source `eshop`"]).await;
    let reply = eshop.tells(None, eshop.body(&coffee(ORDER + 1))).await.is(503, "unavailable");
    assert!(reply.retry_after.is_some(), "the platform is to send it again");
    pay.sells(&Sale::new(7, &[("Voda", 1, 200)]).by(JANA)).await;
    gateway.settle().await;
    assert_eq!(gateway.balance(BY_JANA, "points").await, 3 + 2, "the other source works");
    let problem = gateway.gateway().registry.snapshot().problems()[0].clone();
    assert_eq!((problem.merchant, problem.since), (gateway.merchant(), gateway.clock().now()));
    assert!(problem.detail.contains("does not open"), "{}", problem.detail);

    // A process that starts now works as well, and does not take the damage for another key.
    let config = Config::new(gateway.database(), gateway.directory());
    let other = Gateway::open(config).await.expect("it starts");
    assert_eq!(problems(&other), ["source `eshop`"]);
    assert!(other.registry.snapshot().programme(&gateway.merchant()).is_some());

    // Mended as it was damaged, with nobody saying so.
    sqlx::query(damage).bind(sealed).execute(&mut database).await.expect("a statement");
    left_out(&gateway, &[]).await;
    eshop.sells(&coffee(ORDER + 1)).await;
    gateway.settle().await;
    assert_eq!(gateway.balance(BY_JANA, "points").await, 3 + 2 + 3);
    gateway.close().await;
}

#[tokio::test]
async fn a_damaged_document_is_left_out_by_itself() {
    let mut gateway = TestGateway::open(&[ESHOP, PAY, POINTS]).await;
    let eshop = FakeShop::at(&gateway, "eshop");

    // An installation: its merchant's entries wait, rather than be settled without it.
    by_hand(&gateway, "update installations set caps = caps || 'x'").await;
    left_out(&gateway, &["plugin `points-per-spend`"]).await;
    sold_and_waiting(&gateway, ORDER).await;
    // The same file again puts it right.
    assert!(gateway.reapply(&[ESHOP, PAY, POINTS]).await);
    left_out(&gateway, &[]).await;
    gateway.later(120);
    gateway.settle().await;
    assert_eq!(gateway.balance(BY_JANA, "points").await, 3);

    // The merchant itself: every source of it says 503, and so does the API.
    let staff = Staff::at(&gateway);
    by_hand(&gateway, "update merchants set document = '{'").await;
    left_out(&gateway, &["programme"]).await;
    eshop.tells(None, eshop.body(&coffee(ORDER + 1))).await.is(503, "unavailable");
    staff.asks("/rewards").await.is_problem(503, "busy");
    assert!(gateway.reapply(&[ESHOP, PAY, POINTS]).await);
    left_out(&gateway, &[]).await;
    staff.asks("/rewards").await.is(200);
    eshop.sells(&coffee(ORDER + 1)).await;
    gateway.settle().await;
    assert_eq!(gateway.balance(BY_JANA, "points").await, 3 + 3);
    gateway.close().await;
}

/// A database in this directory to which the merchant file is applied, its component compiled.
async fn applied_to(directory: &Path) -> Config {
    let config = Config::new(format!("sqlite://{}", directory.join("perkgate.db").display()), directory);
    let gateway = Gateway::open(config.clone()).await.expect("it opens");
    let (text, store) = ([MERCHANT, ESHOP, POINTS].concat(), gateway.store.as_ref());
    let prepared = apply::prepare_text(&text, "kavarna.toml", directory.to_owned(), store).await;
    let prepared = prepared.expect("the merchant file is in order");
    apply::apply(&prepared, store, &gateway.vault, &Actor::command("anna@till"), NOON).await.expect("it is applied");
    apply::load_plugins(&prepared, &gateway.host).await.expect("it compiles, and is kept");
    config
}

#[tokio::test]
async fn while_a_component_is_compiled_everybody_else_goes_on() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = |name: &str| directory.path().join(name);
    let mut config = applied_to(directory.path()).await;

    // From here on a compiler that writes down that it runs, and does so until it is told to end. Its code is none.
    let (runs, end) = (file("runs"), file("end"));
    let script = format!("echo run >> {}; until [ -e {} ]; do sleep 0.05; done", runs.display(), end.display());
    let (program, arguments) = ("sh".into(), vec!["-c".into(), script.into()]);
    config.compiler = Compiler::Child { program, arguments, limits: CompileLimits::default() };
    let gateway = Gateway::open(config).await.expect("it opens");
    let (store, registry) = (&gateway.store, &gateway.registry);
    registry.loaded().await;
    let started = || std::fs::read_to_string(&runs).map_or(0, |text| text.lines().count());
    assert_eq!((started(), problems(&gateway).len()), (0, 0), "what was compiled before is not compiled again");

    let component = hostile("honest-points");
    let digest = Digest::of(&component);
    let applied = async |merchant: &str, name: &str| {
        let mut programme: ProgrammeRows = store.programmes().await.expect("programmes are read").remove(0);
        programme.merchant.name = name.to_owned();
        if programme.merchant.id.as_str() != merchant {
            programme.merchant.id = merchant.into();
            programme.sources.clear();
            programme.installations[0].installation.digest = digest;
        }
        let (plugin_id, version) = ("honest-points".to_owned(), "1.0.0".to_owned());
        let row = PluginRow { digest, plugin_id, version, component: component.clone() };
        store.apply(&programme, &[row], &applied_by(&programme.merchant.id)).await?;
        assert!(registry.refresh().await.expect("programmes are read"), "{merchant} is seen at once");
        Ok::<_, StoreError>(registry.snapshot().programme(&merchant.into()).expect("a programme").merchant.name.clone())
    };
    assert_eq!(applied("zeleny", "Zelený dom").await.expect("it is applied"), "Zelený dom");
    until("the compiler is at work", async || (started() == 1).then_some(())).await;
    let why = registry.snapshot().plugin(digest).expect_err("it is not there yet");
    assert!(why.detail.contains("still being loaded"), "{}", why.detail);
    assert_eq!(applied("kavarna", "Another name").await.expect("it is applied"), "Another name");
    let mut at_once = JoinSet::new();
    for _ in 0..50 {
        let registry = Arc::clone(registry);
        at_once.spawn(async move { registry.refresh().await.expect("programmes are read") });
    }
    assert!(!at_once.join_all().await.contains(&true), "nothing changed");
    assert_eq!((started(), problems(&gateway).len()), (1, 0), "and only one is at work");

    // It fails. Others' changes are no reason to try it again; its own merchant's is.
    std::fs::write(&end, "").expect("a file");
    registry.loaded().await;
    assert_eq!(problems(&gateway), ["plugin `points-per-spend`"]);
    applied("kavarna", "A third name").await.expect("it is applied");
    registry.loaded().await;
    assert_eq!(started(), 1);
    applied("zeleny", "Zelený dvor").await.expect("it is applied");
    registry.loaded().await;
    assert_eq!(started(), 2);
    // Compiled by somebody else, it is there without being asked for.
    let able = Config::new(format!("sqlite://{}", file("perkgate.db").display()), directory.path());
    able.host(&gateway.vault).expect("a host").load(&component).expect("it compiles");
    until("it is loaded", async || {
        registry.refresh().await.expect("programmes are read");
        registry.snapshot().plugin(digest).is_ok().then_some(())
    })
    .await;
    assert_eq!((started(), problems(&gateway).len()), (2, 0));
}

#[tokio::test]
async fn another_key_is_not_taken_for_damage() {
    let gateway = TestGateway::open(&[ESHOP, PAY, POINTS]).await;
    let mut config = Config::new(gateway.database(), gateway.directory());
    config.key = Some("42".repeat(32));
    let refused = Gateway::open(config).await.err().map(|error| error.to_string()).expect("nothing opens");
    assert!(refused.contains("made with another key"), "{refused}");
    gateway.close().await;
}

#[tokio::test]
async fn what_was_parked_is_read_again_whoever_looked_at_the_programmes() {
    let mapped = |total: &str| {
        format!(
            "\n[[sources]]\nid = \"gen\"\nplatform = \"generic-hmac\"\nsecrets = [\"generic-kavarna-signing\"]\n\
             [sources.options]\nheader = \"x-signature\"\n[sources.options.purchase]\nid = \"/id\"\n\
             currency = \"EUR\"\ntotal = \"{total}\"\nplaced_at = \"/at\"\nemail = \"/email\"\n"
        )
    };
    let mut gateway = TestGateway::open(&[&mapped("/wrong"), POINTS]).await;
    let body = serde_json::json!({"id": "1", "total": "5.00", "at": NOON.0, "email": JANA}).to_string();
    FakeShop::at(&gateway, "gen").tells(None, body.into_bytes()).await.is(200, "accepted");
    until("it is parked", async || (gateway.depth().await.parked == 1).then_some(())).await;
    // Applying looks at the programmes itself, before the worker comes to it.
    gateway.reapply(&[&mapped("/total"), POINTS]).await;
    until("it is read again", async || (gateway.depth().await.parked == 0).then_some(())).await;
    gateway.settle().await;
    assert_eq!(gateway.balance(BY_JANA, "points").await, 5);
    gateway.close().await;
}
