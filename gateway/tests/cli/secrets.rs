//! What tenants' files may reach, who may read the gateway's own files, and the key that every command wants.

use super::binary::{Ran, Shop};
use std::os::unix::fs::PermissionsExt as _;

const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const OTHER_KEY: &str = "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn merchant(id: &str, secret: &str, rest: &str) -> String {
    format!(
        "[merchant]\nid = \"{id}\"\nname = \"{id}\"\ncurrency = \"EUR\"\ntimezone = \"UTC\"\nlocale = \"sk\"\n\
         [[sources]]\nid = \"eshop\"\nplatform = \"square\"\nsecrets = [\"{secret}\"]\nurl = \"https://a.example\"\n{rest}"
    )
}

#[test]
fn a_merchant_file_reaches_no_variable_but_its_own() {
    let shop = Shop::new();
    let environment = [
        ("PERKGATE_KEY", KEY),
        ("PERKGATE_SECRET_KAVARNA_TOKEN", "sk-live-of-kavarna"),
        ("PERKGATE_SECRET_EVIL_SQUARE", "sk-live-of-evil"),
        ("KAVARNA_TOKEN", "sk-live-of-old"),
    ];
    for name in ["PERKGATE_KEY", "PERKGATE_SECRET_KAVARNA_TOKEN", "KAVARNA_TOKEN", "HOME"] {
        let api = format!("api = {{ token = \"env:{name}\", base = \"https://mine.example\" }}\n");
        let file = shop.write("evil.toml", &merchant("evil", "env:PERKGATE_SECRET_EVIL_SQUARE", &api));
        let ran = shop.ask_with(&environment, &["apply", &file]);
        assert_eq!(ran.code, 1, "{ran}");
        ran.says_one_sentence("put the value into one whose name begins with PERKGATE_SECRET_EVIL_");
        assert!(!ran.err.contains("sk-live") && !ran.err.contains(KEY), "{ran}");
    }
    // Nor by saying that it is somebody else.
    let api = "api = { token = \"env:PERKGATE_SECRET_KAVARNA_TOKEN\", base = \"https://mine.example\" }\n";
    let file = shop.write("evil.toml", &merchant("kavarna", "literal-secret", api));
    let ran = shop.ask_with(&environment, &["apply", &file]);
    ran.says_one_sentence("call it kavarna.toml");
    let ran = shop.ask_with(&environment, &["apply", &file, "--merchant", "kavarna"]);
    assert_eq!(ran.code, 0, "the operator says so: {ran}");
    let file = shop.write("evil.toml", &merchant("evil", "env:PERKGATE_SECRET_EVIL_SQUARE", ""));
    assert_eq!(shop.ask_with(&environment, &["apply", &file]).code, 0);
}

#[test]
fn a_served_file_belongs_to_one_merchant() {
    let shop = Shop::new();
    let (first, second) = (shop.merchant_file(), shop.write("other.toml", &merchant("kavarna", "another-secret", "")));
    let ran = shop.ask(&["serve", "--listen", "127.0.0.1:0", "--merchant", &second, "--merchant", &first]);
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.err.contains("both say that they are of the merchant `kavarna`: nothing is applied"), "{ran}");

    std::fs::create_dir(shop.path("merchants")).expect("a directory");
    shop.write("merchants/evil.toml", &merchant("kavarna", "literal-secret", ""));
    let directory = shop.path("merchants");
    // Nothing but that file is left out: one merchant's mistake keeps nobody else's gateway from starting.
    shop.write("merchants/pekaren.toml", &merchant("pekaren", "literal-secret", ""));
    shop.serve_with(&["--merchants", &directory]).stops_well();
    assert_eq!(shop.ask(&["tasks", "--merchant", "pekaren"]).code, 0);
    for nobodys in ["evil", "kavarna"] {
        assert_eq!(shop.ask(&["tasks", "--merchant", nobodys]).code, 1, "{nobodys}");
    }
    // Not even where the one it says it is has a file, too.
    shop.write("merchants/kavarna.toml", &merchant("kavarna", "literal-secret", ""));
    shop.serve_with(&["--merchants", &directory]).stops_well();
    assert_eq!(shop.ask(&["tasks", "--merchant", "kavarna"]).code, 0);

    shop.write("merchants/evil.toml", &merchant("evil", "file:square", ""));
    shop.write("merchants/README.md", "not one");
    std::fs::create_dir_all(shop.path("secrets/evil")).expect("a directory");
    shop.write("secrets/evil/square", "square-signature-key\n");
    let served = shop.serve_with(&["--merchants", &directory, "--secrets", &shop.path("secrets")]);
    served.stops_well();
    let ran = shop.ask(&["apply", &second]);
    ran.says_one_sentence("whose programme came from ");
}

/// Every command that needs the key, or works beside things that are sealed with it.
fn every_command(shop: &Shop, environment: &[(&str, &str)]) -> Vec<Ran> {
    let file = shop.merchant_file();
    let member = "email:jana@example.com";
    [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["apply", &file],
        &["apply", &file, "--check"],
        &["explain", "--merchant", "kavarna", "--source", "eshop", "1001"],
        &["member", "--merchant", "kavarna", member],
        &["member", "join", "--merchant", "kavarna", "--email", "jana@example.com"],
        &["redeem", "--merchant", "kavarna", member, "coffee", "--key", "k"],
        &["tasks", "--merchant", "kavarna"],
        &["token", "create", "--role", "operator"],
        &["ledger", "verify"],
        &["deliveries", "--merchant", "kavarna"],
        &["rejections", "--merchant", "kavarna"],
    ]
    .into_iter()
    .map(|arguments| shop.ask_with(environment, arguments))
    .collect()
}

#[test]
fn a_missing_or_wrong_key_is_said_by_every_command_and_none_is_made() {
    let shop = Shop::new();
    let file = shop.merchant_file();
    assert_eq!(shop.ask(&["apply", &file]).code, 0);
    let (key, away) = (shop.path("perkgate.key"), shop.path("away"));
    std::fs::rename(&key, &away).expect("it was made");
    for ran in every_command(&shop, &[]) {
        assert_eq!(ran.code, 1, "{ran}");
        assert!(ran.err.contains("the key file ") && ran.err.contains("so none is made"), "{ran}");
    }
    let migrated = shop.ask(&["migrate"]);
    assert!(migrated.code == 0 && migrated.err.contains("so none is made"), "{migrated}");
    assert!(!std::fs::exists(&key).expect("it can be looked for"), "a new key would open nothing");
    for ran in every_command(&shop, &[("PERKGATE_KEY", OTHER_KEY)]) {
        assert_eq!(ran.code, 1, "{ran}");
        assert!(ran.err.contains("this database was made with another key"), "{ran}");
    }
    std::fs::rename(&away, &key).expect("it is put back");
    assert!(shop.ask(&["apply", &file]).out.contains("nothing to change"));
}

#[test]
fn what_the_gateway_writes_is_for_its_owner_only() {
    let shop = Shop::new();
    let mode = |name: &str| std::fs::metadata(shop.path(name)).expect(name).permissions().mode() & 0o777;
    let url = format!("sqlite://{}", shop.path("data/gate.db"));
    // Whatever the umask lets others do.
    let script = "umask 000; exec \"$0\" \"$@\"";
    let file = shop.merchant_file();
    let applied = std::process::Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_perkgate"), "apply", &file, "--database", &url])
        .env_remove("PERKGATE_KEY")
        .env_remove("PERKGATE_DATA")
        .status();
    assert!(applied.expect("the binary runs").success());
    assert_eq!((mode("data"), mode("data/gate.db"), mode("data/perkgate.key")), (0o700, 0o600, 0o600));

    // What an earlier version left open is closed.
    assert_eq!(shop.ask(&["apply", &file]).code, 0);
    std::fs::create_dir_all(shop.path("compiled")).expect("a directory");
    for (name, open) in [("perkgate.db", 0o644), ("perkgate.key", 0o644), ("compiled", 0o755)] {
        std::fs::set_permissions(shop.path(name), std::fs::Permissions::from_mode(open)).expect(name);
    }
    let served = shop.serve();
    for name in ["perkgate.db", "perkgate.db-wal", "perkgate.db-shm", "perkgate.key"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    assert_eq!(mode("compiled"), 0o700);
    served.stops_well();
}

#[test]
fn destinations_are_hosts_with_ports() {
    let shop = Shop::new();
    let ran = shop.ask(&["serve", "--allow-private-destination", "10.0.0.5"]);
    assert!(ran.code == 2 && ran.err.contains("write one such as mail.lan:25"), "{ran}");
    let config = shop.write("gate.toml", "private_destinations = [\"mail.lan\"]\n");
    let ran = shop.ask(&["serve", "--config", &config]);
    assert!(ran.code == 1 && ran.err.contains("`private_destinations` of the operator's file"), "{ran}");
    let listed = ["--allow-private-destination", "mail.lan:25", "--allow-private-destination", "[fd00::1]:587"];
    shop.serve_with(&[&listed[..], &["--merchant", &shop.merchant_file()]].concat()).stops_well();
}
