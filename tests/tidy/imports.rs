//! Who may import whom within the gateway: the design's table of rooms, and the rule that holds the code to it.
//!
//! Only what is built for production counts: a test may bring whatever it needs.

use super::modules::reached;
use super::repo::{Repo, has_extension};
use super::rust::{Token, line, production, split, tokens};
use std::collections::BTreeSet;

/// Where the rooms are.
const ROOMS: &str = "gateway/src";
/// What every room may name: the language and the vocabulary.
const EVERYWHERE: &[&str] = &["std", "core", "alloc", "perkgate_domain"];
/// Anything at all.
const ANY: &[&str] = &["*"];

/// One line of the table.
struct Row {
    /// The room, or a file in it that differs from the rest of its room.
    room: &'static str,
    /// Other rooms it may import. Only who may import `clock` may ask the machine for the time.
    rooms: &'static [&'static str],
    /// Crates it may name, besides [`EVERYWHERE`].
    crates: &'static [&'static str],
    /// What the room is held to; where a line goes beyond the design, why.
    why: &'static str,
}

#[rustfmt::skip]
const TABLE: &[Row] = &[
    Row { room: "main", rooms: ANY, crates: ANY, why: "puts everything together" },
    Row { room: "lib", rooms: ANY, crates: ANY, why: "declares the rooms" },
    Row { room: "screen", rooms: &[], crates: &[], why: "what commands print with; knows nothing of what is printed" },
    Row { room: "commands", rooms: ANY, crates: ANY, why: "the command line's verbs: puts rooms together, as `main` does" },
    Row { room: "listen", rooms: &["clock", "telemetry"], crates: &["axum", "hyper", "hyper_util", "rlimit", "tokio"],
          why: "connections and their bounds, whatever is served on them; deadlines are by the machine's own clock" },
    Row { room: "receive", rooms: &["connectors", "registry", "journal", "clock", "telemetry"],
          crates: &["axum", "bytes", "http_body_util", "tokio", "tracing", "thiserror", "serde", "serde_json"],
          why: "the door knows sources and the journal; it stamps the time of receipt and counts, hence clock and telemetry" },
    Row { room: "connectors", rooms: &["outbound"],
          crates: &["hmac", "sha1", "sha2", "subtle", "base64", "bytes", "hex", "jiff", "serde", "serde_json", "thiserror", "async_trait"],
          why: "pure: bytes in, facts out, time is an argument; names outbound's types only so that `fetch` can be one of its files" },
    Row { room: "connectors::fetch", rooms: &["connectors", "outbound"],
          crates: &["async_trait", "reqwest", "serde_json", "thiserror", "tokio", "tracing"],
          why: "the one connector file that asks a platform's API" },
    Row { room: "identity", rooms: &["vault"], crates: &["idna", "phonenumber", "serde_json", "unicode_normalization"],
          why: "one person, one key, whatever the notation; keys are the vault's keyed hashes. Raw bodies are searched for whom they name, \
                so JSON is read" },
    Row { room: "gateway", rooms: ANY, crates: ANY, why: "puts the rooms together, for `serve`, the demo, the bench and tests alike" },
    Row { room: "apply", rooms: &["connectors", "files", "merchant_file", "notify", "registry", "stock", "store", "vault"],
          crates: &["perkgate_pack", "perkgate_plugin_host", "serde", "serde_json", "thiserror", "tokio"],
          why: "a merchant file into the store: asks connectors and notify whether sources and channels could work, and the plugin \
                host, off the async threads, whether plugins do; reads the file, its merchant's secrets and plugins within bounds" },
    Row { room: "stock", rooms: &[], crates: &[], why: "the embedded components" },
    Row { room: "journal", rooms: &["connectors", "store", "clock", "telemetry", "vault"],
          crates: &["async_trait", "bytes", "hex", "serde_json", "thiserror", "tokio", "tracing"],
          why: "stores nothing but `Verified`, which is a connector's word, sealed by the vault; a commit waits for company, hence clock" },
    Row { room: "decide", rooms: &["civil", "ladder", "panics", "registry", "store", "vault"],
          crates: &["perkgate_plugin_host", "hex", "rayon", "serde", "serde_json", "sha2", "thiserror", "tracing"],
          why: "no clock, HTTP or ledger; runs plugins on all cores by rayon; the vault makes a partner's own member ids" },
    Row { room: "ledger", rooms: &["civil", "ladder"], crates: &["serde_json", "thiserror"],
          why: "a pure plan from the vocabulary alone; its errors are an enum, a reward's detail is JSON" },
    Row { room: "notify", rooms: &["clock", "outbound", "registry", "store", "telemetry", "vault"],
          crates: &["async_trait", "base64", "getrandom", "hmac", "jiff", "lettre", "reqwest", "rustls", "serde", "serde_json", "sha2",
                    "thiserror", "tokio", "tracing"],
          why: "sends by SMTP and HTTP; channels come from the registry, addresses are opened by the vault" },
    Row { room: "pipeline", rooms: &["civil", "clock", "connectors", "decide", "identity", "journal", "ledger", "notify", "outbound",
                                     "panics", "registry", "store", "telemetry", "vault"],
          crates: &["async_trait", "hex", "rayon", "serde", "serde_json", "thiserror", "tokio", "tracing"],
          why: "the only room that knows the order; asks platforms between two commits, hence outbound; reads on all cores by rayon" },
    Row { room: "worker", rooms: &["clock", "journal", "keyring", "notify", "pipeline", "registry", "store", "telemetry", "vault"],
          crates: &["thiserror", "tokio", "tracing"], why: "leases, lanes, supervision, drain; learns of new keys" },
    Row { room: "registry", rooms: &["clock", "connectors", "store", "telemetry", "vault"],
          crates: &["perkgate_plugin_host", "serde", "serde_json", "thiserror", "tokio", "tracing"],
          why: "the programme as it stands: stored sealed, so the vault opens it" },
    Row { room: "store", rooms: &["files"],
          crates: &["async_trait", "futures_util", "hex", "jiff", "serde", "serde_json", "sha2", "sqlx", "thiserror", "tokio", "tracing"],
          why: "the only room with SQL, told the time by its callers; a database's file is its owner's alone; a copied table is read row by \
                row (futures_util) and compared by its digest (sha2)" },
    Row { room: "api", rooms: &["civil", "clock", "errand", "identity", "journal", "registry", "store", "telemetry", "tokens", "vault"],
          crates: &["axum", "base64", "form_urlencoded", "http_body_util", "serde", "serde_json", "thiserror", "tokio", "tracing"],
          why: "no SQL, ledger or pipeline: what changes anything is an errand, which goes into the journal. Members are found by \
                identity's keys, whoever asks is known by a token, and the vault opens what an export tells; a receipt's day is the \
                merchant's, by civil" },
    Row { room: "errand", rooms: &["connectors", "identity", "journal", "store", "vault"],
          crates: &["serde", "serde_json", "thiserror", "tokio"],
          why: "people's wishes into the journal, as the connector `own` writes them, and what the store says came of them; told the \
                time. Identity and vault say whether a person can be known by what is said about them" },
    Row { room: "tokens", rooms: &["store", "vault"], crates: &["jsonwebtoken", "ring", "serde", "thiserror"],
          why: "tokens are signed with a key of the vault's, by the cryptography that TLS brings, and believed only as long as the store \
                lists them; told the time" },
    Row { room: "keyring", rooms: &["clock", "identity", "journal", "registry", "store", "vault"],
          crates: &["serde", "serde_json", "thiserror", "tokio", "tracing"],
          why: "the vault's keys and the store's rows brought together: knows what every sealed value is bound to, which the rooms that \
                seal it say" },
    Row { room: "explain", rooms: &["civil"], crates: &[],
          why: "pure: the vocabulary's facts and the time in, sentences out; days are the merchant's" },
    Row { room: "vault", rooms: &["files"],
          crates: &["base64", "chacha20poly1305", "getrandom", "hex", "hmac", "sha2", "thiserror", "tracing"],
          why: "seals contact data and secrets, and draws the nonces for it" },
    Row { room: "files", rooms: &[], crates: &["tracing"],
          why: "reads regular files within bounds, and makes what only its owner may read; the log says what was open to others" },
    Row { room: "outbound", rooms: &[], crates: &["async_trait", "reqwest", "rustls", "thiserror", "tokio", "tracing"],
          why: "the one way out by HTTP: resolves once, refuses private addresses" },
    Row { room: "merchant_file", rooms: &[], crates: &["base64", "jiff", "jsonschema", "lettre", "serde_json", "thiserror", "toml"],
          why: "pure: text in, programme out; asks the mail library whether it could send from an address" },
    Row { room: "config", rooms: &[], crates: &["clap", "serde", "thiserror", "toml"], why: "settings of the process" },
    Row { room: "panics", rooms: &[], crates: &["thiserror", "tracing"],
          why: "turns a panic into an error with its place, for whoever works on one entry among many" },
    Row { room: "clock", rooms: &[], crates: &[], why: "where the present comes from" },
    Row { room: "ladder", rooms: &["civil"], crates: &[], why: "the merchant's tiers: pure, read by the ledger and by whoever tells a plugin of them" },
    Row { room: "civil", rooms: &[], crates: &["jiff"], why: "a merchant's calendar: pure, so that the ledger may use it" },
    Row { room: "telemetry", rooms: &["clock"],
          crates: &["opentelemetry", "opentelemetry_otlp", "opentelemetry_sdk", "prometheus_client", "reqwest", "thiserror", "tokio",
                    "tracing", "tracing_subscriber"],
          why: "counters, log lines and traces, imported by all and importing none; knows by the machine's clock when a loop last came \
                round, and says in sum once a second what happens often; the operator's collector is reached by an HTTP client of its own" },
    Row { room: "ops", rooms: &["clock", "registry", "store", "telemetry"], crates: &["axum", "serde", "serde_json", "tokio"],
          why: "the operator's pages: what the store, the registry and telemetry know, looked at by whoever runs the gateway" },
];

/// Types of which `now()` asks the machine's clock.
const CLOCKS: &[&str] = &["SystemTime", "Instant", "Timestamp", "Zoned", "Utc", "Local"];

/// Complains about imports that the table does not allow, and rooms that are not in it.
pub(super) fn check(repo: &Repo) -> Vec<String> {
    let dependencies = dependencies(repo);
    let reached = reached(repo);
    let all_rooms: BTreeSet<&str> = repo.under(ROOMS).filter_map(|(path, _)| path.split(['/', '.']).next()).collect();
    let mut complaints = Vec::new();
    for (path, text) in repo.under(ROOMS).filter(|(path, _)| has_extension(path, "rs")) {
        let full = format!("{ROOMS}/{path}");
        if reached.get(&full).copied().unwrap_or(false) {
            continue;
        }
        let place: Vec<&str> = path.trim_end_matches(".rs").trim_end_matches("/mod").split('/').collect();
        let Some(row) = row(&place) else {
            complaints.push(format!("{full}: the room `{}` is not in the table of tests/tidy/imports.rs: add it, with what it may import and why", place[0]));
            continue;
        };
        let code = split(text).code;
        let tokens = production(&tokens(&code));
        let mut say = |at: usize, what: String| {
            complaints.push(format!(
                "{full}:{}: `{}` may not {what} ({}): see DESIGN's table of rooms; turn the dependency around, or change the \
                 row in tests/tidy/imports.rs and say why",
                line(text, at), row.room, row.why
            ));
        };
        let allowed = |list: &[&str], name: &str| list == ANY || list.contains(&name);
        for (name, at) in rooms_named(&tokens, place.len()) {
            if all_rooms.contains(name) && name != place[0] && !allowed(row.rooms, name) {
                say(at, format!("import the room `{name}`"));
            }
        }
        for (name, at) in crates_named(&tokens) {
            if dependencies.contains(name) && !EVERYWHERE.contains(&name) && !allowed(row.crates, name) {
                say(at, format!("use the crate `{name}`"));
            }
        }
        if row.room != "clock" && !allowed(row.rooms, "clock") {
            for three in tokens.windows(3).filter(|three| CLOCKS.contains(&three[0].text) && three[2].text == "now") {
                say(three[0].at, "ask for the time, which is told to it".to_owned());
            }
        }
    }
    complaints
}

/// The most exact row for a module's place.
fn row(place: &[&str]) -> Option<&'static Row> {
    (1..=place.len()).rev().find_map(|depth| {
        let name = place[..depth].join("::");
        TABLE.iter().find(|row| row.room == name)
    })
}

/// The crates that the gateway's manifest names, as code names them.
fn dependencies(repo: &Repo) -> BTreeSet<String> {
    let manifest: toml::Table = repo.text("gateway/Cargo.toml").unwrap_or_default().parse().unwrap_or_default();
    let names = manifest.get("dependencies").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::keys);
    names.map(|name| name.replace('-', "_")).collect()
}

/// Paths that begin at the crate's root, by `crate::` or by enough `super::`: their first names.
fn rooms_named<'a>(tokens: &[Token<'a>], depth: usize) -> Vec<(&'a str, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let start = at;
        let mut supers = 0;
        while tokens.get(at).is_some_and(|token| token.text == "super") && is_path(tokens, at + 1) {
            supers += 1;
            at += 2;
        }
        let rooted = tokens[start].text == "crate" && is_path(tokens, start + 1);
        if rooted {
            at = start + 2;
        }
        if rooted || (supers > 0 && supers >= depth) {
            found.extend(first_names(&tokens[at..]));
        }
        at = at.max(start + 1);
    }
    found
}

fn is_path(tokens: &[Token<'_>], at: usize) -> bool {
    tokens.get(at).is_some_and(|token| token.text == "::")
}

/// The name that stands here, or the first names of the paths in the braces that stand here.
fn first_names<'a>(tokens: &[Token<'a>]) -> Vec<(&'a str, usize)> {
    let Some(first) = tokens.first() else { return Vec::new() };
    if first.text != "{" {
        return vec![(first.text, first.at)];
    }
    let (mut names, mut depth) = (Vec::new(), 0_usize);
    for two in tokens.windows(2) {
        match two[0].text {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        if depth == 1 && matches!(two[0].text, "{" | ",") {
            names.push((two[1].text, two[1].at));
        }
    }
    names
}

/// Names that begin a path (`name::…`) or are imported alone (`use name;`).
fn crates_named<'a>(tokens: &[Token<'a>]) -> Vec<(&'a str, usize)> {
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let before = index.checked_sub(1).map_or("", |before| tokens[before].text);
        let after = tokens.get(index + 1).map_or("", |after| after.text);
        // `::name` begins with the crate's name too; `a::name` does not.
        let absolute = before == "::"
            && (index < 2 || !tokens[index - 2].text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
        let begins = after == "::" && (before != "::" || absolute) && before != ".";
        if begins || (before == "use" && matches!(after, ";" | "as")) {
            found.push((token.text, token.at));
        }
        if before == "use" && token.text == "{" {
            found.extend(first_names(&tokens[index..]));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::complains;
    use super::*;

    const MANIFEST: &str = "[package]\nname = \"perkgate\"\n[dependencies]\nsqlx = \"1\"\naxum = \"1\"\nhmac = \"1\"\nperkgate-domain = \"1\"\nserde_json = \"1\"";

    fn with(path: &str, text: &str) -> Vec<String> {
        let path = format!("{ROOMS}/{path}");
        let mut files =
            vec![("gateway/Cargo.toml", MANIFEST), ("gateway/src/lib.rs", "pub mod store; pub mod ledger;")];
        for room in ["store", "ledger", "decide", "clock", "connectors", "registry"] {
            files.push(match room {
                "store" => ("gateway/src/store/mod.rs", ""),
                "ledger" => ("gateway/src/ledger/mod.rs", "#[cfg(test)] mod tests;"),
                "decide" => ("gateway/src/decide/mod.rs", ""),
                "connectors" => ("gateway/src/connectors/mod.rs", ""),
                "registry" => ("gateway/src/registry.rs", ""),
                _ => ("gateway/src/clock.rs", ""),
            });
        }
        files.retain(|(other, _)| *other != path);
        files.push((&path, text));
        check(&Repo::made_up(&files))
    }

    #[test]
    fn what_the_table_allows_passes() {
        assert!(
            with("decide/mod.rs", "use crate::store::A;\nuse crate::{registry::B, decide::c};\nuse serde_json::json;")
                .is_empty()
        );
        assert!(
            with(
                "ledger/mod.rs",
                "use perkgate_domain::ids;\nuse std::fmt;\n// use crate::store;\nlet a = \"sqlx::b\";"
            )
            .is_empty()
        );
        assert!(
            with("store/sqlite/x.rs", "use super::super::A;\nuse crate::store::sqlite::y;\nsqlx::query();").is_empty()
        );
        assert!(with("ledger/mod.rs", "#[cfg(test)]\nmod tests { use crate::store::A; }").is_empty());
        assert!(with("ledger/tests.rs", "use crate::store::A;").is_empty());
        assert!(with("clock.rs", "SystemTime::now()").is_empty());
        assert!(with("main.rs", "use sqlx::A;\nuse crate::store;").is_empty());
    }

    #[test]
    fn rooms_are_kept_apart_however_the_import_is_written() {
        for text in [
            "use crate::store::A;",
            "use crate::{store::{A, B}};",
            "use crate::{\n    ledger::C,\n    store as s,\n};",
            "use super::store;",
            "fn f() { crate::store::g(); }",
            "pub use crate::store;",
        ] {
            complains(
                &with("ledger/mod.rs", text),
                &["gateway/src/ledger/mod.rs:", "`ledger` may not import the room `store`"],
            );
        }
        complains(&with("ledger/deep.rs", "\nuse super::super::store::A;"), &["deep.rs:2:", "room `store`"]);
        complains(&with("registry.rs", "use crate::decide::A;"), &["`registry` may not import the room `decide`"]);
    }

    #[test]
    fn crates_are_kept_out_however_they_are_named() {
        for text in [
            "use sqlx::A;",
            "use sqlx;",
            "use sqlx as s;",
            "fn f() { ::sqlx::g(); }",
            "fn f() -> sqlx::A {}",
            "use {sqlx::A, std::fmt};",
        ] {
            let complaints = with("ledger/mod.rs", text);
            assert!(!complaints.is_empty(), "{text}");
            complains(&complaints[..1], &["`ledger` may not use the crate `sqlx`"]);
        }
        assert!(with("ledger/mod.rs", "use self::sqlx::A;\nx.sqlx;").is_empty());
        complains(&with("connectors/mod.rs", "use axum::A;"), &["the crate `axum`", "time is an argument"]);
    }

    #[test]
    fn only_who_has_the_clock_asks_for_the_time() {
        for text in ["let a = SystemTime::now();", "let a = std::time::Instant::now;", "jiff::Zoned::now()"] {
            complains(&with("decide/mod.rs", text), &["`decide` may not ask for the time"]);
        }
    }

    #[test]
    fn a_new_room_is_asked_for_its_row() {
        complains(&with("attic/mod.rs", ""), &["the room `attic` is not in the table", "and why"]);
        assert!(with("connectors/shopify/mod.rs", "use hmac::Hmac;").is_empty());
        complains(
            &with("connectors/fetch.rs", "use hmac::Hmac;"),
            &["`connectors::fetch` may not use the crate `hmac`"],
        );
    }
}
