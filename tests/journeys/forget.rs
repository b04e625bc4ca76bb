//! Whoever is forgotten is nowhere any more: the story leaves somebody in every place there is, forgets them, opens everything with the key
//! and looks. On both engines.

use super::ORDER;
use perkgate_tests::programme::{ESHOP, OWN, POINTS, webhook};
use perkgate_tests::{
    FakeInbox, FakeShop, Ground, Kept, Sale, Staff, TestGateway, everything, follows, postgres_or_skip, sales, until,
};
use serde_json::{Value, json};

const EMAIL: &str = "jana.novakova@example.com";
const OTHER: &str = "jana.n@example.com";
const PHONE: &str = "+421905123456";
const NAME: &str = "Nováková";
/// What names her, however it is written. The fifth is her birthday, the last what she wrote.
const NEEDLES: [&str; 7] = [EMAIL, OTHER, PHONE, NAME, "11-23", "Nov\\u00e1kov\\u00e1", "zavolajte"];
const URL: &str = "url = \"https://perkgate.example\"\n";
const FEEDBACK: &str = r#"
[[plugins]]
plugin = "feedback"
settings = { after_hours = 1, valid_days = 7 }
grants = ["ask", "message", "tag", "task", "wake", "remember"]

[[plugins]]
plugin = "birthday"
settings = { gift = { points = 100, valid_days = 3 }, days_before = 7 }
grants = ["earn", "message", "wake", "remember"]
"#;
const MEAL: (&str, i64, i64) = ("Obed", 1, 600);
const BY_HER: &str = "email:jana.novakova%40example.com";

/// Where she is named.
async fn named(gateway: &TestGateway) -> Vec<String> {
    let contexts = ["eshop", "own", "perkgate"].map(|source| format!("arrival/kavarna/{source}"));
    let fields = ["email", "phone", "name"].map(|field| format!("contact/kavarna/{field}"));
    let programme = ["source/kavarna/eshop", "source/kavarna/own", "channel/kavarna/webhook"].map(str::to_owned);
    let contexts: Vec<String> = contexts.into_iter().chain(fields).chain(programme).collect();
    let all = everything(&gateway.database(), &gateway.gateway().vault, &contexts).await;
    let holds = |kept: &Kept, needle: &str| kept.bytes.windows(needle.len()).any(|part| part == needle.as_bytes());
    let mut places: Vec<String> = Vec::new();
    for kept in &all {
        for needle in NEEDLES.iter().filter(|needle| holds(kept, needle)) {
            places.push(format!("{}: {needle}", kept.place));
        }
    }
    places.sort();
    places
}

/// An order in Shopify's shape, of a customer with an id of her own.
fn order(number: u64, paid: bool) -> Value {
    let sale = Sale::new(number, &[MEAL]).by(EMAIL).phone(PHONE).consenting();
    let sale = if paid { sale } else { sale.unpaid() };
    let mut order: Value = serde_json::from_slice(&sales::shopify(&sale)).expect("JSON");
    order["customer"]["id"] = json!(627_639_814);
    order["note"] = json!("zavolajte Nov\u{e1}kovej");
    order
}

fn bytes(document: &Value) -> Vec<u8> {
    document.to_string().into_bytes()
}

/// She joins twice, becomes one, buys, and is in everything that is kept of what came in.
async fn lives(gateway: &TestGateway, inbox: &FakeInbox) {
    let (staff, eshop, own) = (Staff::at(gateway), FakeShop::at(gateway, "eshop"), FakeShop::at(gateway, "own"));
    let person = json!({"email": EMAIL, "phone": PHONE, "name": "Jana Nováková", "birthday": "1990-11-23",
        "locale": "sk", "consent": true});
    staff.does("POST", "/members", "j-1", person).await.is(201);
    let other = json!({"email": OTHER, "name": "Jana Nováková", "birthday": "1990-11-23", "locale": "cs"});
    staff.does("POST", "/members", "j-2", other).await.is(201);
    let merge = json!({"other": format!("email:{OTHER}")});
    staff.does("POST", &format!("/members/{BY_HER}/merge"), "m", merge).await.is(200);

    own.sells(&Sale::new(1, &[MEAL]).by(EMAIL).consenting()).await;
    // Somebody else's purchase names her, too.
    own.sells(&Sale { card: Some("KAV-1".to_owned()), ..Sale::new(2, &[MEAL]).by(EMAIL) }).await;
    let accepted = async |topic: &str, delivery: &str, body: &Value| {
        eshop.delivers(Some(topic), delivery, bytes(body)).await.is(200, "accepted");
    };
    accepted("orders/paid", "paid", &order(ORDER, true)).await;
    accepted("orders/create", "unpaid", &order(5_001, false)).await;
    // The same delivery says something else; the same order does.
    let mut otherwise = order(5_001, false);
    otherwise["note"] = json!("zavolajte");
    eshop.delivers(Some("orders/create"), "unpaid", bytes(&otherwise)).await.is(200, "duplicate");
    let mut dearer = order(ORDER, true);
    dearer["line_items"][0]["name"] = json!("Večera");
    accepted("orders/updated", "contradicts", &dearer).await;
    let mut test = order(5_002, true);
    test["test"] = json!(true);
    accepted("orders/paid", "test", &test).await;
    let mut broken = order(5_003, true);
    broken["total_price"] = json!("abc");
    accepted("orders/paid", "broken", &broken).await;
    // Turned away: signed too long ago, and not signed at all.
    let stale = sales::standard(&Sale::new(9, &[MEAL]).by(EMAIL));
    let headers = own.signs_at(perkgate_tests::NOON.plus_ms(-4_000_000), None, "stale", &stale);
    own.posts(&headers, stale).await.is(401, "rejected");
    eshop
        .posts(&eshop.signs(Some("orders/paid"), "forged", b"{}"), bytes(&order(5_004, true)))
        .await
        .is(401, "rejected");
    gateway.settle().await;

    gateway.later(3_660);
    let link = until("she is asked", async || {
        let got = inbox.gets(1).await;
        let texts: Vec<String> = got.iter().map(|got| got.body.to_string()).collect();
        let (_, rest) = texts.iter().find_map(|text| text.split_once("https://perkgate.example"))?;
        Some(rest.chars().take_while(|char| char.is_ascii_alphanumeric() || "/-_".contains(*char)).collect::<String>())
    })
    .await;
    let words = "score=2&text=Som+Jana+Nov%C3%A1kov%C3%A1%2C+zavolajte+%2B421905123456";
    assert_eq!(follows(gateway, &link, Some(words)).await.status, 200);
    gateway.settle().await;
}

/// The eraser has looked everything through.
async fn erased(gateway: &TestGateway) {
    let store = &gateway.gateway().store;
    until("everything is looked through", async || store.erasable(1).await.expect("a look").is_none().then_some(()))
        .await;
}

async fn a_forgotten_member_is_nowhere(ground: Ground, sqlite: bool) {
    let inbox = FakeInbox::open().await;
    let programme = [URL, ESHOP, OWN, POINTS, FEEDBACK, &webhook(&inbox.url())];
    let mut gateway = ground.with(&programme).open().await;
    lives(&gateway, &inbox).await;
    let before = named(&gateway).await;
    assert!(before.len() > 40, "she is in {before:#?}");
    for place in [
        "answer",
        "arrivals.sealed",
        "contacts.sealed",
        "decisions.document",
        "entries.document",
        "members.birthday",
        "rejections.sealed",
        "tasks.body",
    ] {
        assert!(place == "answer" || before.iter().any(|found| found.starts_with(place)), "{place}: {before:#?}");
    }
    let staff = Staff::at(&gateway);
    let hers = staff.asks(&format!("/members/{BY_HER}")).await.is(200)["member"].clone();
    staff.does("DELETE", &format!("/members/{BY_HER}"), "f", Value::Null).await.is(200);
    gateway.settle().await;
    erased(&gateway).await;
    assert_eq!(named(&gateway).await, Vec::<String>::new());

    // What comes late is read and not kept: the whole order again, another that was never paid, and what is not signed.
    let eshop = FakeShop::at(&gateway, "eshop");
    eshop.delivers(Some("orders/updated"), "late", bytes(&order(ORDER, true))).await.is(200, "accepted");
    let mut cancelled = order(ORDER, true);
    cancelled["cancelled_at"] = json!("2026-06-02T10:00:00Z");
    eshop.delivers(Some("orders/cancelled"), "late-end", bytes(&cancelled)).await.is(200, "accepted");
    eshop.delivers(Some("orders/create"), "late-draft", bytes(&order(5_001, false))).await.is(200, "accepted");
    eshop.posts(&eshop.signs(Some("orders/paid"), "x", b"{}"), bytes(&order(5_005, true))).await.is(401, "rejected");
    gateway.settle().await;
    until("the rejection is kept", async || (gateway.rejections().await.len() >= 3).then_some(())).await;
    erased(&gateway).await;
    assert_eq!(named(&gateway).await, Vec::<String>::new());
    let given_back = gateway.explain("eshop", ORDER).await;
    assert_eq!(given_back.refunds.len(), 1, "the money counts all the same");
    assert_eq!(given_back.refunds[0].0.state, "settled");

    if sqlite {
        gateway.restart().await;
        let files: Vec<_> =
            gateway.files().into_iter().filter(|path| path.to_string_lossy().contains("perkgate.db")).collect();
        for file in files {
            let bytes = std::fs::read(&file).expect("a file");
            for needle in NEEDLES.iter().filter(|needle| **needle != "11-23") {
                let found = bytes.windows(needle.len()).any(|part| part == needle.as_bytes());
                assert!(!found, "{needle} is in {}", file.display());
            }
        }
    }
    // By her own will she is somebody new.
    let eshop = FakeShop::at(&gateway, "eshop");
    eshop.delivers(Some("orders/paid"), "anew", bytes(&order(6_001, true))).await.is(200, "accepted");
    gateway.settle().await;
    let staff = Staff::at(&gateway);
    let again = staff.asks(&format!("/members/{BY_HER}")).await.is(200);
    assert_ne!(again["member"], hers);
    assert_eq!(again["balances"]["points"]["available"], 6);
    let report = gateway.verify().await;
    assert!(report.replayed.is_some_and(|replayed| replayed.passed_over > 0 && replayed.decisions > 0), "{report:?}");
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite() {
    a_forgotten_member_is_nowhere(Ground::of(&[]), true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres() {
    let Some(server) = postgres_or_skip("forget::on_postgres").await else { return };
    let url = server.fresh_database().await;
    a_forgotten_member_is_nowhere(Ground::of(&[]).database(url), false).await;
}
