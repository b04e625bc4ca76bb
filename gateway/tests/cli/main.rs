//! The command line as its users have it: the built binary, real processes, exit codes, and the documents that DESIGN promises.

#![expect(clippy::expect_used, reason = "a test whose ground is missing stops there")]

mod binary;
mod explain;
mod pipe;
mod secrets;

use binary::{Ran, Served, Shop, perkgate};
use perkgate_domain::limits::{CallLimits, CompileLimits};
use perkgate_plugin_host::{Compiler, Host, HostConfig, LoadError};
use serde_json::Value;

/// The keys that a document must have, whatever else it says.
#[track_caller]
fn has(document: &Value, keys: &[&str]) {
    for key in keys {
        assert!(document.get(key).is_some(), "`{key}` is missing in {document:#}");
    }
}

#[test]
fn the_demo_plays_itself_through() {
    let shop = Shop::new();
    let data = shop.path("demo");
    let ran = perkgate(&["demo", "--once", "--data", &data]);
    assert_eq!(ran.code, 0, "{ran}");
    assert!(ran.out.contains("every invariant holds"), "{ran}");
    assert!(ran.out.contains("Tom pays"), "it says what happens in the shop: {ran}");
    let again = perkgate(&["demo", "--once", "--data", &data]);
    assert_eq!(again.code, 1, "{again}");
    again.says_one_sentence("--data");
}

#[test]
fn what_is_sent_can_be_asked_about() {
    let shop = Shop::new();
    let served = shop.serve();
    let sent = perkgate(&[
        "send",
        "shopify",
        "--to",
        &served.door(),
        "--secret",
        binary::SECRET,
        "--email",
        "jana@example.com",
    ]);
    assert_eq!(sent.code, 0, "{sent}");
    let (status, answer) = sent.out.split_once(' ').expect("a status and a document");
    let answer: Value = serde_json::from_str(answer).expect("a document");
    assert_eq!((status, &answer["status"]), ("200", &Value::from("accepted")));
    has(&answer, &["entry"]);

    let member = shop.until_settled("email:jana@example.com", 1);
    has(&member, &["member", "balances", "tier", "rewards", "offers"]);
    assert!(member["member"].as_str().is_some_and(|id| id.starts_with("mem_")), "{member:#}");
    assert_eq!(member["tier"], Value::Null);
    // A flat white for 3.40 and two croissants for 2.10.
    let points = &member["balances"]["points"];
    let sums = ["available", "pending", "spent", "expired", "reversed"].map(|sum| points[sum].as_i64());
    assert_eq!(sums, [7, 0, 0, 0, 0].map(Some), "{member:#}");

    let order = shop.orders().pop().expect("an order");
    let told = shop.ask(&["explain", "--merchant", "kavarna", "--source", "eshop", &order, "--json"]).json();
    has(&told, &["entry", "state", "purchase", "decisions", "postings", "deliveries"]);
    assert_eq!((&told["state"], &told["purchase"]["id"]), (&Value::from("settled"), &Value::from(order.clone())));
    let made = &told["decisions"][0];
    has(made, &["plugin", "digest", "fuel", "decisions", "fault"]);
    assert_eq!((&made["plugin"], &made["fault"]), (&Value::from("points-per-spend"), &Value::Null));
    assert!(made["digest"].as_str().is_some_and(|digest| digest.starts_with("sha256:") && digest.len() == 71));
    assert!(made["fuel"].as_i64().is_some_and(|fuel| fuel > 0));
    assert_eq!(told["postings"][0]["amount"], 7);

    // The same for people, and the ledger by both.
    let words = shop.ask(&["explain", "--merchant", "kavarna", "--source", "eshop", &order]);
    assert!(words.code == 0 && words.out.contains("points-per-spend: 7 bodov"), "{words}");
    let verified = shop.ask(&["ledger", "verify", "--json"]).json();
    has(&verified, &["holds", "entries", "postings", "problems"]);
    assert_eq!(verified["holds"], true);
    let replayed = shop.ask(&["ledger", "verify", "--replay"]);
    assert!(replayed.out.contains("1 decisions made again: every invariant holds"), "{replayed}");
    served.stops_well();
}

#[test]
fn a_wrong_secret_is_told_and_listed() {
    let shop = Shop::new();
    let served = shop.serve();
    let sent = perkgate(&["send", "shopify", "--to", &served.door(), "--secret", "guessed"]);
    assert_eq!(sent.code, 1, "{sent}");
    assert!(sent.out.starts_with("401 "), "{sent}");
    sent.says_one_sentence("1 of 1");
    served.stops_well();
    let listed = shop.ask(&["rejections", "--merchant", "kavarna", "--json"]).json();
    assert_eq!(listed[0]["cause"], "bad_signature");
    let dead = shop.ask(&["deliveries", "--merchant", "kavarna", "--json"]).json();
    assert_eq!(dead, serde_json::json!({"deliveries": [], "failing_channels": []}));
}

#[test]
fn apply_is_idempotent_and_check_writes_nothing() {
    let shop = Shop::new();
    let file = shop.merchant_file();
    let checked = shop.ask(&["apply", &file, "--check"]);
    assert!(checked.code == 0 && checked.out.contains("in order"), "{checked}");
    let nobody = shop.ask(&["member", "--merchant", "kavarna", "email:jana@example.com"]);
    assert_eq!(nobody.code, 1, "{nobody}");
    nobody.says_one_sentence("there is no merchant in this database");
    let first = shop.ask(&["apply", &file]);
    assert!(first.code == 0 && first.out.contains("is applied"), "{first}");
    let second = shop.ask(&["apply", &file]);
    assert!(second.code == 0 && second.out.contains("nothing to change"), "{second}");
}

#[test]
fn wrong_usage_is_two_and_failure_is_one_with_a_sentence() {
    for wrong in [
        &["brew"][..],
        &["demo", "--forever"],
        &["send", "shopify"],
        &["explain", "1001"],
        &["deliveries", "--merchant", "kavarna", "--state", "lost"],
        &["ledger", "burn"],
    ] {
        let ran = perkgate(wrong);
        assert_eq!(ran.code, 2, "{wrong:?}: {ran}");
        assert!(ran.out.is_empty() && !ran.err.is_empty(), "{wrong:?}: {ran}");
    }
    let shop = Shop::new();
    let broken = shop.write("broken.toml", "[merchant]\nid = \"kavarna\"\nnmae = \"Kaviareň\"\n");
    let failures: [(Ran, &str); 5] = [
        (shop.ask(&["apply", &shop.path("nowhere.toml")]), "nowhere.toml"),
        (shop.ask(&["apply", &broken]), "broken.toml:3"),
        (perkgate(&["ledger", "verify", "--database", "mysql://db"]), "mysql"),
        (perkgate(&["send", "shopfiy", "--to", "http://127.0.0.1:9/", "--secret", "s"]), "shopify"),
        (perkgate(&["send", "shopify", "--to", "http://127.0.0.1:9/in/a/b", "--secret", "s"]), "127.0.0.1"),
    ];
    for (ran, word) in failures {
        assert_eq!(ran.code, 1, "{ran}");
        assert!(ran.err.starts_with("perkgate: ") && ran.err.contains(word), "`{word}` is missing: {ran}");
    }
}

#[test]
fn sigterm_drains() {
    let shop = Shop::new();
    let served: Served = shop.serve();
    let sent = perkgate(&["send", "shopify", "--to", &served.door(), "--secret", binary::SECRET, "--count", "5"]);
    assert_eq!(sent.code, 0, "{sent}");
    served.stops_well();
    // Whatever was not settled before the end is settled by the next one.
    let served = shop.serve();
    shop.until_settled("email:jana@example.com", 5);
    served.stops_well();
}

#[test]
fn components_are_compiled_by_another_process_within_limits() {
    let component = perkgate_gateway::stock::find("points-per-spend").expect("a stock plugin");
    let load = |limits: CompileLimits| {
        let compiler = Compiler::Child {
            program: env!("CARGO_BIN_EXE_perkgate").into(),
            arguments: vec!["compile-component".into()],
            limits,
        };
        let limits = CallLimits::default();
        let config = HostConfig { limits, cache_dir: None, cache_key: [7; 32], instances: 1, compiler };
        Host::new(config).expect("a host").load(component)
    };
    let usual = CompileLimits::default();
    load(usual).expect("it compiles");
    // So short that even a small one takes longer, and too little to work in.
    let late = load(CompileLimits { time_ms: 1, ..usual }).expect_err("too late");
    assert!(matches!(&late, LoadError::TooMuch(why) if why.contains("1 s")), "{late}");
    let large = load(CompileLimits { memory_bytes: 1024 * 1024, ..usual }).expect_err("too much");
    assert!(matches!(&large, LoadError::TooMuch(why) if why.contains("1 MiB")), "{large}");
    // By hand it is nothing to use, and says so.
    let ran = perkgate(&["compile-component"]);
    assert!(ran.code == 1 && ran.out.is_empty(), "{ran}");
    assert!(!perkgate(&["--help"]).out.contains("compile-component"));
}
