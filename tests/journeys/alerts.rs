//! The alert rules that come with the gateway: none fires while all is well, each fires when what it is for happens, and neither they nor
//! the dashboard ask for a metric that is not there.

mod promql;

use super::{JANA, ORDER};
use perkgate_domain::limits::DoorLimits;
use perkgate_gateway::telemetry::Standstill;
use perkgate_tests::programme::{ESHOP, OWN, POINTS};
use perkgate_tests::{FakeShop, Ground, Sale, TestGateway, until};
use promql::{Scrape, fires, names};
use sqlx::{Connection as _, SqliteConnection};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};
use tokio::net::TcpStream;

const RULES: &str = include_str!("../../gateway/deploy/alerts.yml");
const DASHBOARD: &str = include_str!("../../gateway/deploy/grafana.json");

/// Expressions by the rules' names. The file keeps each on a line of its own.
fn rules() -> BTreeMap<&'static str, &'static str> {
    let value = |line: &'static str, key| line.trim_start().trim_start_matches("- ").strip_prefix(key).map(str::trim);
    let names: Vec<_> = RULES.lines().filter_map(|line| value(line, "alert:")).collect();
    let expressions: Vec<_> = RULES.lines().filter_map(|line| value(line, "expr:")).collect();
    assert_eq!(names.len(), expressions.len(), "every rule has one expression");
    names.into_iter().zip(expressions).collect()
}

fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs_f64()
}

/// What the gateway tells now.
async fn scrape(gateway: &TestGateway) -> Scrape {
    let (status, text) = gateway.page("/metrics").await;
    assert_eq!(status, 200);
    Scrape::of(&text, now())
}

/// The rules that fire at the second of two scrapes, which count as a minute apart.
fn firing(before: &Scrape, after: &Scrape) -> BTreeSet<&'static str> {
    rules().into_iter().filter(|(_, expression)| fires(expression, before, after)).map(|(name, _)| name).collect()
}

/// The gateway's database, by hand.
async fn by_hand(gateway: &TestGateway, statements: &[&str]) {
    let mut database = SqliteConnection::connect(&gateway.database()).await.expect("the database opens");
    sqlx::query("pragma busy_timeout = 10000").execute(&mut database).await.expect("a pragma");
    for statement in statements {
        sqlx::query(sqlx::AssertSqlSafe(*statement)).execute(&mut database).await.expect("a row by hand");
    }
    database.close().await.expect("it is closed");
}

#[tokio::test]
async fn no_alert_fires_while_all_is_well() {
    let gateway = TestGateway::open(&[ESHOP, OWN, POINTS]).await;
    let before = scrape(&gateway).await;
    FakeShop::at(&gateway, "eshop").sells(&Sale::new(ORDER, &[("Flat white", 1, 320)]).by(JANA)).await;
    gateway.settle().await;
    let after = scrape(&gateway).await;
    assert_eq!(firing(&before, &after), BTreeSet::new());
    gateway.close().await;
}

#[tokio::test]
async fn nothing_is_asked_for_that_is_not_told() {
    let gateway = TestGateway::open(&[ESHOP, POINTS]).await;
    FakeShop::at(&gateway, "eshop").sells(&Sale::new(ORDER, &[("Flat white", 1, 320)]).by(JANA)).await;
    gateway.settle().await;
    let told = until("everything is measured", async || {
        Some(scrape(&gateway).await).filter(|told| told.names().contains("perkgate_waiting"))
    })
    .await;
    let dashboard: serde_json::Value = serde_json::from_str(DASHBOARD).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().expect("targets"));
    let drawn = targets.map(|target| target["expr"].as_str().expect("an expression"));
    for expression in rules().into_values().chain(drawn) {
        for name in names(expression) {
            assert!(told.names().contains(name), "`{expression}` asks for {name}, which the gateway does not tell");
        }
    }
    gateway.close().await;
}

/// What stands still for too long. Rows are put there by hand, since the gateway would see to them at once.
#[tokio::test]
async fn what_stands_still_is_told() {
    let gateway = TestGateway::open(&[ESHOP, POINTS]).await;
    let shop = FakeShop::at(&gateway, "eshop");
    shop.sells(&Sale::new(ORDER, &[("Flat white", 1, 320)]).by(JANA)).await;
    gateway.settle().await;
    let before = scrape(&gateway).await;
    by_hand(
        &gateway,
        &[
            // Held by somebody else for a long time, so that nobody works on them.
            "update lead set name = 'elsewhere', leased_until = 9000000000000000",
            "insert into inbox (arrival_id, merchant_id, leased_until) select arrival_id, merchant_id, 9000000000000000 from arrivals",
            "insert into waiting (entry_id, merchant_id, source_id, state, attempts, leased_until)
             select entry_id, merchant_id, source_id, 'queued', 3, 9000000000000000 from entries",
            "insert into waiting (entry_id, merchant_id, source_id, state, attempts)
             select entry_id + 5000, merchant_id, source_id, 'failed', 12 from entries",
            "insert into deliveries (delivery_id, merchant_id, channel_id, entry_id, installation_id, member_id, message, state,
                                     created_at, next_at, leased_until)
             select 'dlv', merchant_id, 'hook', entry_id, '', '', '{}', 'due', 0, happened_at, 9000000000000000 from entries",
            "insert into failing_channels (merchant_id, channel_id, failures, failing_since, closed_until, disabled_at)
             values ('kavarna', 'mail', 9, 0, 0, null), ('kavarna', 'old', 90, 0, 0, 1)",
            "update members set due_at = through",
        ],
    )
    .await;
    gateway.later(600);
    let after = until("what stands still is told", async || {
        Some(scrape(&gateway).await).filter(|scrape| firing(&before, scrape).contains("PerkgateEntriesPutOff"))
    })
    .await;
    let wanted = [
        "PerkgateArrivalsStuck",
        "PerkgateChannelDisabled",
        "PerkgateChannelFailing",
        "PerkgateDeliveriesStuck",
        "PerkgateEntriesFailed",
        "PerkgateEntriesPutOff",
        "PerkgateEntriesStuck",
        "PerkgateSchedulerLags",
    ];
    assert_eq!(firing(&before, &after), wanted.into());

    let (_, health) = gateway.page("/health").await;
    let health: serde_json::Value = serde_json::from_str(&health).expect("a document");
    let stuck = &health["stuck"];
    assert_eq!((&stuck["put_off"]["count"], &stuck["arrivals"]["count"]), (&1.into(), &1.into()), "{health:#}");
    assert_eq!(stuck["failed"]["count"], 1, "{health:#}");
    assert_eq!(stuck["channels"][0]["channel"], "mail");
    assert_eq!(stuck["leases"]["scheduler"], "elsewhere");
    assert!(stuck["entries"]["since"].is_i64() && health["loops_last_passed"]["settle"].is_f64(), "{health:#}");

    by_hand(
        &gateway,
        &[
            "update lead set name = '', leased_until = 0",
            "delete from inbox",
            "delete from waiting",
            "delete from deliveries",
            "update members set due_at = null",
        ],
    )
    .await;
    gateway.close().await;
}

/// What goes wrong at the door, by bodies and connections that really come.
#[tokio::test]
async fn what_is_turned_away_is_told() {
    let door = DoorLimits { held_bytes: 4_000, waiting: 0, connections: 2, ..DoorLimits::default() };
    let gateway = Ground::of(&[ESHOP, POINTS]).door(door).open().await;
    let shop = FakeShop::at(&gateway, "eshop");
    let before = scrape(&gateway).await;
    for _ in 0..70 {
        shop.posts(&[], b"{}".to_vec()).await.is(401, "rejected");
    }
    shop.posts(&[], vec![b'x'; 5_000]).await.is(503, "unavailable");
    shop.tells(None, b"{\"id\":1}".to_vec()).await.is(503, "unavailable");
    let address = shop.url().replace("http://", "").replace("/in/kavarna/eshop", "");
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(TcpStream::connect(&address).await.expect("a connection"));
    }
    let after = until("the crowd is told", async || {
        Some(scrape(&gateway).await).filter(|scrape| firing(&before, scrape).contains("PerkgateCrowded"))
    })
    .await;
    let wanted = ["PerkgateBadSignatures", "PerkgateCrowded", "PerkgateNoRoomForBodies", "PerkgateRefusesWebhooks"];
    assert_eq!(firing(&before, &after), wanted.into());
    drop(silent);
    gateway.close().await;
}

/// What would take minutes or a broken machine is told to the metrics themselves.
#[tokio::test]
async fn what_breaks_is_told() {
    let gateway = TestGateway::open(&[ESHOP, POINTS]).await;
    let before = scrape(&gateway).await;
    assert_eq!(firing(&before, &Scrape::of("", now())), ["PerkgateAbsent"].into());

    let metrics = gateway.gateway().metrics.clone();
    metrics.fault("host", "load");
    metrics.attempt("dead");
    assert_eq!(firing(&before, &scrape(&gateway).await), ["PerkgateDeadLetters", "PerkgateHostFaults"].into());
    let before = scrape(&gateway).await;
    metrics.vitals().wrote(Err("no space is left on the device".to_owned()));
    metrics.standstill(&Standstill { left_out: 1, ..Standstill::default() });
    let text = metrics.render().expect("they are written");
    assert_eq!(firing(&before, &Scrape::of(&text, now())), ["PerkgateLeftOut", "PerkgateNotReady"].into());

    let later = Scrape::of(&gateway.page("/metrics").await.1, now() + Duration::from_secs(90).as_secs_f64());
    assert!(firing(&before, &later).contains("PerkgateLoopStuck"));
    gateway.close().await;
}

#[test]
fn each_rule_has_a_test() {
    let here = include_str!("alerts.rs");
    for rule in rules().into_keys() {
        assert!(here.contains(&format!("\"{rule}\"")), "{rule} is in no test");
    }
}
