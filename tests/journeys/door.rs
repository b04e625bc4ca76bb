//! Senders who keep the door busy: with silence, with large bodies, with forgeries. Whoever sends a good webhook meanwhile is answered, and
//! what the gateway holds is bounded.

use super::{BY_JANA, JANA, ORDER};
use perkgate_domain::limits::DoorLimits;
use perkgate_gateway::apply;
use perkgate_gateway::store::Actor;
use perkgate_tests::programme::{ESHOP, MERCHANT, OWN, POINTS};
use perkgate_tests::{FakeShop, Ground, NOON, Premises, Sale, TestGateway, until};
use sqlx::{Connection as _, SqliteConnection};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const MIB: usize = 1024 * 1024;
/// Milliseconds for a commit: these stories are about room, not about how fast a busy machine writes.
const PATIENT: u64 = 20_000;

/// Host and port of the door.
fn address(shop: &FakeShop) -> String {
    let url = shop.url();
    url.trim_start_matches("http://").split('/').next().expect("a host").to_owned()
}

/// A connection on which these words were said.
async fn says(shop: &FakeShop, words: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address(shop)).await.expect("a connection");
    stream.write_all(words).await.expect("it is heard");
    stream
}

/// Waits until the gateway hangs up. What it says before counts for nothing.
async fn is_left(mut stream: TcpStream) {
    let mut bytes = [0; 1024];
    while !matches!(stream.read(&mut bytes).await, Ok(0) | Err(_)) {}
}

fn coffee(id: u64) -> Sale {
    Sale::new(id, &[("Flat white", 1, 320)]).by(JANA)
}

/// A sale of so many bytes. White space is no part of what is told, but of the bytes that are held and signed.
fn large(sale: &[u8], bytes: usize) -> Vec<u8> {
    let mut body = sale.to_vec();
    body.resize(bytes, b' ');
    body
}

/// The same programme for another merchant.
async fn another_merchant(gateway: &TestGateway, pieces: &[&str]) {
    let text = format!("{MERCHANT}{}", pieces.concat()).replace("\"kavarna\"", "\"other\"");
    let gateway = gateway.gateway();
    let prepared =
        apply::prepare_text(&text, "other.toml", ".".into(), gateway.store.as_ref()).await.expect("it is in order");
    apply::apply(&prepared, gateway.store.as_ref(), &gateway.vault, &Actor::command("anna@till"), NOON)
        .await
        .expect("it is applied");
    gateway.registry.refresh().await.expect("it is read");
}

#[tokio::test]
async fn silence_shuts_the_door_to_nobody() {
    let door = DoorLimits { connections: 8, head_ms: 3_600_000, patience_ms: PATIENT, ..DoorLimits::default() };
    let gateway = Ground::of(&[ESHOP, POINTS]).door(door).open().await;
    let shop = FakeShop::at(&gateway, "eshop");
    let mut silent = Vec::new();
    for number in 0..40 {
        silent.push(says(&shop, b"POST /in/kavarna/eshop HTTP/1.1\r\nhost: x\r\n").await);
        if number % 10 == 9 {
            shop.sells(&coffee(ORDER + number)).await;
        }
    }
    let (_, metrics) = gateway.page("/metrics").await;
    assert!(!metrics.contains("perkgate_connections_closed_total{what=\"crowded\"} 0"), "{metrics}");
    // Bodies that never end are silence too.
    for _ in 0..20 {
        silent.push(says(&shop, b"POST /in/kavarna/eshop HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nab").await);
    }
    shop.sells(&coffee(ORDER + 100)).await;
    gateway.settle().await;
    assert_eq!(gateway.balance(BY_JANA, "points").await, 5 * 3);
    drop(silent);
    gateway.close().await;
}

#[tokio::test]
async fn whoever_says_half_a_head_is_left() {
    let door = DoorLimits { head_ms: 500, ..DoorLimits::default() };
    let gateway = Ground::of(&[ESHOP, POINTS]).door(door).open().await;
    let shop = FakeShop::at(&gateway, "eshop");
    is_left(says(&shop, b"").await).await;
    is_left(says(&shop, b"GET /healthz HTTP/1.1\r\nho").await).await;
    // A connection that is kept has longer than a head.
    let mut kept = says(&shop, b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let mut answer = [0; 1024];
    for _ in 0..2 {
        let read = kept.read(&mut answer).await.expect("an answer");
        assert!(answer[..read].starts_with(b"HTTP/1.1 200"));
        // Longer than a head may take; that this is no mistake shows only when it has passed.
        tokio::time::sleep(std::time::Duration::from_millis(700)).await;
        kept.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("it is still there");
    }
    kept.write_all(b"GET /hea").await.expect("it is still there");
    is_left(kept).await;
    gateway.close().await;
}

#[tokio::test]
async fn whoever_stays_without_a_word_is_left() {
    let door = DoorLimits { idle_ms: 100, ..DoorLimits::default() };
    let gateway = Ground::of(&[ESHOP, POINTS]).door(door).open().await;
    let shop = FakeShop::at(&gateway, "eshop");
    is_left(says(&shop, b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await).await;
    gateway.close().await;
}

#[tokio::test]
async fn bodies_that_nobody_signed_take_no_more_than_their_share() {
    let door = DoorLimits { held_bytes: 8 * MIB, patience_ms: PATIENT, ..DoorLimits::default() };
    let gateway = Ground::of(&[ESHOP, OWN, POINTS]).door(door).open().await;
    another_merchant(&gateway, &[OWN, POINTS]).await;
    let (shop, own) = (FakeShop::at(&gateway, "eshop"), FakeShop::at(&gateway, "own"));
    let head = format!("POST /in/kavarna/eshop HTTP/1.1\r\nhost: x\r\ncontent-length: {MIB}\r\n\r\n");
    let almost = [head.as_bytes(), &vec![b'x'; MIB - 1]].concat();
    let mut senders = JoinSet::new();
    for _ in 0..24 {
        let (to, almost) = (address(&shop), almost.clone());
        senders.spawn(async move {
            let mut stream = TcpStream::connect(to).await.expect("a connection");
            // It may be told to go while it speaks.
            let _ = stream.write_all(&almost).await;
            let mut answer = vec![0; 12];
            let _ = stream.read(&mut answer).await;
            String::from_utf8_lossy(&answer).into_owned()
        });
    }
    let (_, refused) = until("somebody is told to come again", async || {
        let (_, metrics) = gateway.page("/metrics").await;
        let value = |name: &str| {
            let line = metrics.lines().find_map(|line| line.strip_prefix(name)).expect("the metric");
            line.trim().parse::<usize>().expect("a number")
        };
        let bytes = value("perkgate_body_bytes ");
        assert!(bytes <= 4 * MIB, "one merchant's bodies take {bytes} bytes");
        let refused = value("perkgate_rejections_total{what=\"no_room\"} ");
        (refused > 4).then_some((bytes, refused))
    })
    .await;
    assert!(refused > 4);
    // The other merchant's are taken all the while.
    let url = own.url().replace("/kavarna/", "/other/");
    for number in 0..5 {
        let body = large(&own.body(&coffee(ORDER + number)), MIB / 2);
        own.posts_to(&url, &own.signs(None, &format!("o{number}"), &body), body).await.is(200, "accepted");
    }
    senders.abort_all();
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_bodies_of_one_merchant_delay_no_other() {
    let door = DoorLimits { held_bytes: 32 * MIB, commit_bytes: MIB, patience_ms: PATIENT, ..DoorLimits::default() };
    let gateway = Ground::of(&[OWN, POINTS]).door(door).open().await;
    another_merchant(&gateway, &[OWN, POINTS]).await;
    let mut senders = JoinSet::new();
    for number in 0..48 {
        let own = FakeShop::at(&gateway, "own");
        senders.spawn(async move { own.tells(None, large(&own.body(&coffee(number)), MIB)).await.status });
    }
    let own = FakeShop::at(&gateway, "own");
    let url = own.url().replace("/kavarna/", "/other/");
    let mut others = 0;
    while !senders.is_empty() {
        let body = own.body(&coffee(ORDER + others));
        let signed = own.signs(None, &format!("o{others}"), &body);
        own.posts_to(&url, &signed, body).await.is(200, "accepted");
        others += 1;
        while let Some(sent) = senders.try_join_next() {
            let status = sent.expect("it is sent");
            assert!(status == 200 || status == 503, "{status}");
        }
    }
    assert!(others > 1, "somebody else sent meanwhile");
    gateway.close().await;
}

#[tokio::test]
async fn four_mebibytes_are_read_and_count() {
    let door = DoorLimits { patience_ms: PATIENT, ..DoorLimits::default() };
    let gateway = Ground::of(&[OWN, POINTS]).door(door).open().await;
    let own = FakeShop::at(&gateway, "own");
    let body = large(&own.body(&coffee(ORDER)), DoorLimits::default().body_bytes);
    assert_eq!(body.len(), 4 * MIB);
    own.tells(None, body).await.is(200, "accepted");
    gateway.settle().await;
    assert_eq!(gateway.balance(BY_JANA, "points").await, 3);
    gateway.close().await;
}

/// What a flood of forgeries leaves in the log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forgeries_are_told_in_sum() {
    let premises = Premises::on(None, &[OWN, POINTS]);
    let mut gateway = premises.serve().await;
    let mut stream = TcpStream::connect(gateway.url().trim_start_matches("http://")).await.expect("a connection");
    let forged = b"POST /in/kavarna/own HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}".repeat(300);
    stream.write_all(&forged).await.expect("it is heard");
    let lines = until("all of them are told", async || {
        let lines: Vec<String> = gateway.log().into_iter().filter(|line| line.contains("bad_signature")).collect();
        let times = |line: &String| line.split_once("times=")?.1.split(' ').next()?.trim().parse::<u32>().ok();
        let told: u32 = lines.iter().filter_map(times).sum();
        (told == 300).then_some(lines)
    })
    .await;
    assert!(lines.len() < 30, "{lines:#?}");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_wrote_steers_no_terminal() {
    let premises = Premises::on(None, &[OWN, POINTS]);
    premises.serve().await.stop().await;
    let mut by_hand = SqliteConnection::connect(premises.url()).await.expect("the database opens");
    let row = "insert into rejections (merchant_id, source_id, cause, detail, digest, bytes, received_at)
               values ('kavarna', 'own', 'unreadable', $1, zeroblob(32), 1, 0)";
    let detail = "one\ntwo\u{1b}[2Jthree\u{202e}";
    sqlx::query(row).bind(detail).execute(&mut by_hand).await.expect("a row by hand");
    by_hand.close().await.expect("it is closed");
    let ran = premises.run(&["rejections", "--merchant", "kavarna"]);
    assert!(ran.out.contains("one\\ntwo\\u001b[2Jthree\\u202e") && ran.out.lines().count() == 2, "{ran}");
    let json = premises.run(&["rejections", "--merchant", "kavarna", "--json"]).json();
    assert_eq!(json[0]["detail"], detail, "whoever reads JSON has it as it is");
}

/// Where the operator's pages were put, or nowhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_was_named_must_be_free() {
    let premises = Premises::on(None, &[OWN, POINTS]);
    premises.serve().await.stop().await;
    let holder = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let taken = holder.local_addr().expect("an address").to_string();
    let ran = premises.run(&["serve", "--listen", "127.0.0.1:0", "--ops-listen", &taken]);
    assert_eq!(ran.code, 1, "{ran}");
    assert!(
        ran.err.contains("perkgate: cannot have the operator's pages") && ran.err.contains("--ops-listen"),
        "{ran}"
    );
}

#[tokio::test]
async fn the_operators_pages_are_at_the_door_only_where_that_was_said() {
    for (ground, status) in [(Ground::of(&[OWN]), 404), (Ground::of(&[OWN]).on_one_port(), 200)] {
        let gateway = ground.open().await;
        let shop = FakeShop::at(&gateway, "own");
        for page in ["/metrics", "/health"] {
            assert_eq!(shop.gets(page).await.0, status, "{page}");
        }
        assert_eq!(shop.gets("/readyz").await, (200, "ready\n".to_owned()), "the door's own");
        gateway.close().await;
    }
}

/// Probes look and do nothing, so whoever has work to do finds it.
#[tokio::test]
async fn probes_take_no_work_away() {
    let reads = |total: &str| {
        format!(
            "[[sources]]\nid = \"gen\"\nplatform = \"generic-hmac\"\nsecrets = [\"gen-kavarna-signing-secret\"]\n\
             [sources.options]\nheader = \"x-signature\"\n[sources.options.purchase]\nid = \"/id\"\n\
             currency = \"EUR\"\ntotal = \"{total}\"\nplaced_at = \"/at\"\n{POINTS}"
        )
    };
    let gateway = TestGateway::open(&[&reads("/wrong")]).await;
    let shop = FakeShop::at(&gateway, "gen");
    let body = br#"{"id":"1","total":"5.00","at":"2026-06-01T10:00:00Z"}"#;
    let arrival = shop.tells(None, body.to_vec()).await.is(200, "accepted").arrival();
    gateway.settle().await;
    assert_eq!(gateway.arrival(arrival).await.state, "parked");
    // As `perkgate apply` does it, which is another process.
    let text = format!("{MERCHANT}{}", reads("/total"));
    let store = gateway.gateway().store.as_ref();
    let prepared = apply::prepare_text(&text, "kavarna.toml", ".".into(), store).await.expect("it is in order");
    apply::apply(&prepared, store, &gateway.gateway().vault, &Actor::command("anna@till"), NOON)
        .await
        .expect("it is applied");
    until("the parked sale is read", async || {
        assert_eq!(shop.gets("/readyz").await.0, 200);
        (gateway.arrival(arrival).await.state == "read").then_some(())
    })
    .await;
    gateway.close().await;
}
