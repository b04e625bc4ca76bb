//! What merchants write, well and badly.

mod catalogue;
mod rules;
mod secrets;
mod tiers;
mod wallets;

use super::*;
use perkgate_domain::programme::{ChannelKind, WalletCaps};
use serde_json::json;
use std::collections::BTreeMap;

/// The example of the design, its dots included, with variables of the merchant's own.
const DESIGN: &str = r#"[merchant]
id = "kavarna"
name = "Kavárna U Mosta"
currency = "EUR"
timezone = "Europe/Bratislava"
locale = "sk"

[[sources]]
id = "eshop"
platform = "shopify"
secrets = ["env:PERKGATE_SECRET_KAVARNA_SHOPIFY"]     # or the literal; several while rotating
# url = "https://…"                          # the public URL, where the platform signs it (Square)
# api = { token = "env:…", base = "…" }      # where the webhook is thin

[[plugins]]
plugin = "points-per-spend"                  # a stock name, a path to a .wasm, or sha256:…
settings = { points = 1, per = "1.00" }
grants = ["earn"]
caps = { points_per_purchase = 1000, points_per_day = 50000 }

[[channels]]
kind = "webhook"                             # Standard Webhooks, signed
url = "https://…"
secret = "env:PERKGATE_SECRET_KAVARNA_WEBHOOK"

[[channels]]
kind = "email"
smtp = "smtp://localhost:2525"
from = "kavarna@example.com"
"#;

/// The least there can be.
const MERCHANT: &str =
    "[merchant]\nid = \"k\"\nname = \"K\"\ncurrency = \"EUR\"\ntimezone = \"UTC\"\nlocale = \"sk\"\n";
const SECRET: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";

struct Desk(BTreeMap<&'static str, &'static str>);

impl Surroundings for Desk {
    fn env(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|value| (*value).to_owned())
    }
    fn secret_file(&self, merchant: &str, name: &str) -> Result<String, String> {
        match (merchant, name) {
            ("k", "till") => Ok(format!("{SECRET}\r\n")),
            ("k", "blank") => Ok("\n".to_owned()),
            _ => Err(format!("there is no {merchant}/{name}")),
        }
    }
    fn may_take_secrets(&self, merchant: &str) -> Result<(), String> {
        if merchant == "other" { Err("this is not other.toml".to_owned()) } else { Ok(()) }
    }
    fn directory(&self) -> &Path {
        Path::new("shops")
    }
    fn platforms(&self) -> &[&str] {
        &["shopify", "square", "stripe", "woocommerce"]
    }
    fn stock(&self) -> &[&str] {
        &["points-per-spend", "stamp-card", "partner-offer", "thank-you"]
    }
    fn check_source(&self, source: &Source) -> Result<(), String> {
        let lacks = source.platform == "square" && source.url.is_none();
        if lacks { Err("Square signs its URL; add `url`".to_owned()) } else { Ok(()) }
    }
}

fn read(text: &str) -> Result<MerchantFile, MerchantFileError> {
    let env = [
        ("PERKGATE_KEY", "the gateway's own"),
        ("PERKGATE_SECRET_KAVARNA_SHOPIFY", "hush-hush"),
        ("PERKGATE_SECRET_KAVARNA_WEBHOOK", SECRET),
        ("PERKGATE_SECRET_KAVARNA_SMTP", "smtps://user:password@mail.example.com"),
        ("PERKGATE_SECRET_K_SECRET", SECRET),
        ("PERKGATE_SECRET_K__2_SECRET", SECRET),
        ("PERKGATE_SECRET_K_EMPTY", " "),
    ];
    parse(text, "kavarna.toml", &Desk(BTreeMap::from(env)))
}

/// What is wrong with `rest` after the seven lines of a good merchant (the seventh is empty).
fn complaints(rest: &str) -> Vec<String> {
    let error = read(&format!("{MERCHANT}\n{rest}")).expect_err("something is wrong");
    error.to_string().lines().map(str::to_owned).collect()
}

/// As [`complaints`], where there must be one.
fn complaint(rest: &str) -> String {
    let mut all = complaints(rest);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

#[track_caller]
fn says(rest: &str, start: &str, cure: &str) {
    let said = complaint(rest);
    assert!(said.starts_with(&format!("kavarna.toml:{start}")), "{said}");
    assert!(said.ends_with(cure), "{said}");
}

#[test]
fn the_design_s_example_is_read() {
    let file = read(DESIGN).expect("it is a promise");
    assert_eq!(file.merchant.id.as_str(), "kavarna");
    assert_eq!(file.merchant.name, "Kavárna U Mosta");
    assert_eq!(file.merchant.currency.as_str(), "EUR");
    assert_eq!((file.merchant.timezone.as_str(), file.merchant.locale.as_str()), ("Europe/Bratislava", "sk"));
    assert_eq!(file.merchant.country, None);
    let [source] = file.sources.as_slice() else { panic!("one source") };
    assert_eq!((source.id.as_str(), source.platform.as_str()), ("eshop", "shopify"));
    assert_eq!(source.secrets, ["hush-hush"]);
    assert!(source.url.is_none() && source.api.is_none() && !source.test && !source.paused);
    let [plugin] = file.plugins.as_slice() else { panic!("one plugin") };
    assert_eq!(plugin.id.as_str(), "points-per-spend");
    assert_eq!(plugin.plugin, PluginRef::Stock("points-per-spend".to_owned()));
    assert_eq!(plugin.settings, json!({"points": 1, "per": "1.00"}));
    assert_eq!(plugin.grants, BTreeSet::from(["earn".to_owned()]));
    let points = WalletCaps { per_purchase: Some(1000), per_day: Some(50000), ..WalletCaps::default() };
    assert_eq!(plugin.caps, Caps::from([("points".to_owned(), points)]));
    assert!(file.merchant.url.is_none() && file.merchant.rules.is_default());
    assert_eq!((plugin.mode, plugin.line, &plugin.partner), (Mode::Live, 15, &None));
    let ids: Vec<&str> = file.channels.iter().map(|channel| channel.id.as_str()).collect();
    assert_eq!(ids, ["webhook", "email"]);
    assert!(
        matches!(&file.channels[0].kind, ChannelKind::Webhook { url, secret } if url == "https://…" && secret == SECRET)
    );
    let (smtp, from) = ("smtp://localhost:2525".to_owned(), "kavarna@example.com".to_owned());
    let email = ChannelKind::Email { smtp, from, to: None };
    assert!(file.channels[1].kind == email);
}

#[test]
fn every_key_is_read() {
    let file = read(
        r#"
        [merchant]
        id = "k-2"
        name = "K"
        currency = "jpy"
        timezone = "asia/tokyo"
        locale = "ja-JP"
        country = "jp"
        [[sources]]
        id = "till"
        platform = "square"
        secrets = ["one", "env:PERKGATE_SECRET_K__2_SECRET"]
        url = "https://shop.example:8443/in/k-2/till?x=1"
        test = true
        paused = true
        options = { family = "payments", deep = { list = [1, true, "x"], day = 2026-01-02 } }
        [sources.api]
        token = "env:PERKGATE_SECRET_K__2_SECRET"
        base = "http://[::1]:8080"
        [[plugins]]
        id = "mine"
        plugin = "rules/my_rule.wasm"
        partner = "bakery"
        mode = "shadow"
        grants = []
        [[channels]]
        id = "out"
        kind = "email"
        smtp = "smtps://user:p%40ss@mail.example"
        from = "Kavárna <k@example.com>"
        "#,
    )
    .expect("all of it is right");
    assert_eq!(file.merchant.timezone, "Asia/Tokyo");
    assert_eq!((file.merchant.currency.as_str(), file.merchant.country.as_deref()), ("JPY", Some("JP")));
    let source = &file.sources[0];
    assert!(source.test && source.paused);
    assert_eq!(source.secrets, ["one", SECRET]);
    assert_eq!(source.api.as_ref().and_then(|api| api.base.as_deref()), Some("http://[::1]:8080"));
    let options = json!({"family": "payments", "deep": {"list": [1, true, "x"], "day": "2026-01-02"}});
    assert_eq!(serde_json::Value::Object(source.options.clone()), options);
    let plugin = &file.plugins[0];
    assert_eq!(plugin.plugin, PluginRef::File(Path::new("shops").join("rules/my_rule.wasm")));
    assert_eq!(plugin.partner.as_ref().map(PartnerId::as_str), Some("bakery"));
    assert_eq!((plugin.mode, &plugin.settings, &plugin.caps), (Mode::Shadow, &json!({}), &Caps::default()));
}

#[test]
fn everything_wrong_is_told_at_once_and_in_order() {
    let error = read(
        "[merchant]\nid = \"K\"\nname = 3\ncurency = \"EUR\"\ntimezone = \"Europe/Bratislva\"\nlocale = \"sk_SK\"\n\
         [[plugins]]\nplugin = \"stampcard\"\ngrants = [\"ern\"]\nsettings = { per = 1.00 }\ncaps = { points_per_day = -1 }\n",
    )
    .expect_err("nothing here is right");
    assert_eq!(
        error.to_string(),
        "kavarna.toml:1: [merchant] lacks `currency`; add `currency = \"EUR\"`\n\
         kavarna.toml:2: `id` of [merchant] is \"K\"; an id has 1 to 64 lower-case letters a-z, digits and dashes\n\
         kavarna.toml:3: `name` of [merchant] must be text in quotes, and is a whole number\n\
         kavarna.toml:4: [merchant] has no key `curency`; did you mean `currency`?\n\
         kavarna.toml:5: `timezone` of [merchant] is \"Europe/Bratislva\", which is not an IANA time zone; did you mean \"Europe/Bratislava\"?\n\
         kavarna.toml:6: `locale` of [merchant] is \"sk_SK\", which is no language tag; write \"sk\", or \"cs-CZ\" with a dash\n\
         kavarna.toml:8: `plugin` of [[plugins]] names the unknown stock plugin \"stampcard\"; did you mean \"stamp-card\"?\n\
         kavarna.toml:9: `grants` of [[plugins]] names the unknown decision \"ern\"; did you mean \"earn\"?\n\
         kavarna.toml:10: `settings.per` is the float 1.00, and money is never a float; write it as text: \"1.00\"\n\
         kavarna.toml:11: `points_per_day` of `caps` of [[plugins]] is negative; write 0 or more"
    );
}

#[test]
fn text_that_is_no_toml_names_its_lines_and_nothing_else() {
    let lines = complaints("x = = 2\n[[sources]\n");
    assert!(lines.iter().all(|line| line.contains("this is not TOML: ")), "{lines:#?}");
    assert!(lines.iter().any(|line| line.starts_with("kavarna.toml:8:")), "{lines:#?}");
    assert!(lines.iter().any(|line| line.starts_with("kavarna.toml:9:")), "{lines:#?}");
    assert!(complaint("[merchant.x]\n[merchant.x]\n").starts_with("kavarna.toml:9: this is not TOML: duplicate key"));
    let empty = read("").expect_err("no merchant").to_string();
    assert_eq!(
        empty,
        "kavarna.toml:1: the file has no [merchant]; add it with id, name, currency, timezone and locale"
    );
    assert!(read("merchant = 1").expect_err("no table").to_string().contains("must be a table, and is a whole number"));
    assert!(read(&format!("{}{}", "a=[".repeat(10_000), "]".repeat(10_000))).is_err());
}

#[test]
fn unknown_keys_name_their_line_and_the_key_meant() {
    says("[[source]]\nid = \"x\"\n", "8: the file has no key `source`", "did you mean `sources`?");
    says(
        "[[channels]]\nkind = \"webhook\"\nurl = \"https://a.b\"\nsecret = \"env:PERKGATE_SECRET_K_SECRET\"\n\ncolour = 1\n",
        "13: [[channels]] has no key `colour`",
        "it has id, kind, for, url, secret, smtp, from, to",
    );
    says(
        "[[plugins]]\nplugin = \"stamp-card\"\n[plugins.caps]\npoints_per_purchases = 1\n",
        "11: `caps` of [[plugins]] has no key `points_per_purchases`",
        "did you mean `points_per_purchase`?",
    );
}

fn source_with(line: &str) -> String {
    format!("[[sources]]\nid = \"s\"\nplatform = \"shopify\"\n{line}\n")
}

#[test]
fn a_source_is_held_against_its_connector() {
    let unknown = "[[sources]]\nid = \"s\"\nplatform = \"shopfy\"\nsecrets = [\"x\"]\n";
    says(unknown, "10: `platform` of [[sources]] names the unknown platform \"shopfy\"", "did you mean \"shopify\"?");
    let thin = "[[sources]]\nid = \"s\"\nplatform = \"square\"\nsecrets = [\"x\"]\n";
    says(thin, "8: the source \"s\": Square signs its URL", "add `url`");
    let twice = format!("{0}\n{0}", source_with("secrets = [\"x\"]"));
    says(&twice, "14: `id` of [[sources]] is \"s\", as in line 9", "rename one");
    says(
        &source_with("secrets = [\"x\"]\ntest = 1"),
        "12: `test` of [[sources]] must be true or false",
        "whole number",
    );
    let float = source_with("secrets = [\"x\"]\n[sources.options]\na = [1,\n 2.5]");
    says(&float, "14: `options.a[1]` is the float 2.5", "write it as text: \"2.5\"");
    let list = read("sources = 1\n").expect_err("no list").to_string();
    assert!(list.ends_with(":1: `sources` of the file must be a list of tables, each under a [[sources]] line of its own, and is a whole number"), "{list}");
}

#[test]
fn plugins_are_numbered_around_the_ids_that_were_given() {
    let digest = Digest::of(b"x");
    let file = read(&format!(
        "{MERCHANT}[[plugins]]\nplugin = \"stamp-card\"\n[[plugins]]\nplugin = \"stamp-card\"\n[[plugins]]\n\
         plugin = \"thank-you\"\nid = \"stamp-card-2\"\n[[plugins]]\nplugin = \"a/My_Rule.wasm\"\n[[plugins]]\n\
         plugin = \"{digest}\"\n[[channels]]\nkind = \"email\"\nsmtp = \"smtp://a\"\nfrom = \"a@b.c\"\n\
         [[channels]]\nkind = \"email\"\nsmtp = \"smtp://a\"\nfrom = \"a@b.c\"\n"
    ))
    .expect("it is right");
    let ids: Vec<&str> = file.plugins.iter().map(|plugin| plugin.id.as_str()).collect();
    let unnamed = format!("sha256-{}", &digest.to_string()[7..19]);
    assert_eq!(ids, ["stamp-card", "stamp-card-3", "stamp-card-2", "my-rule", &unnamed]);
    assert_eq!(file.plugins[4].plugin, PluginRef::Digest(digest));
    let ids: Vec<&str> = file.channels.iter().map(|channel| channel.id.as_str()).collect();
    assert_eq!(ids, ["email", "email-2"]);
}

fn plugin_with(line: &str) -> String {
    format!("[[plugins]]\nplugin = \"stamp-card\"\n{line}\n")
}

#[test]
fn a_plugin_s_values_are_checked() {
    says("[[plugins]]\nplugin = \"sha256:12\"\n", "9: `plugin` of [[plugins]] has no digest", "check` prints");
    says("[[plugins]]\nplugin = \"rules/mine\"\n", "9: `plugin` of [[plugins]] is a path", "name the built component");
    says("[[plugins]]\ngrants = []\n", "8: [[plugins]] lacks `plugin`", "add `plugin = \"points-per-spend\"`");
    says(&plugin_with("mode = \"dead\""), "10: `mode` of [[plugins]] names", "there is live, shadow, paused");
    says(
        &plugin_with("partner = \"The Bakery\""),
        "10: `partner` of [[plugins]] is \"The Bakery\"",
        "digits and dashes",
    );
    says(&plugin_with("settings = []"), "10: `settings` of [[plugins]] must be a table", "and is a list");
    says(&plugin_with("settings = { a = { b = nan } }"), "10: `settings.a.b` is the float nan", "text: \"nan\"");
    says(&plugin_with("settings = { a = 9223372036854775808 }"), "10: `settings.a` does not fit", "smaller number");
    says(&plugin_with("caps = { points_per_day = 1.5 }"), "10: `points_per_day` of", "and is a number with a point");
    says(&plugin_with("caps = { points_per_day = 0xFFFFFFFFFFFFFFFF }"), "10: `points_per_day` of", "for no cap");
    let long =
        plugin_with(&format!("settings = {{ a = \"{}\" }}", "x".repeat(perkgate_domain::limits::SETTINGS_BYTES)));
    says(&long, "10: `settings` of [[plugins]] has more than 65536 bytes", "make it smaller");
    let full =
        plugin_with(&format!("settings = {{ a = \"{}\" }}", "x".repeat(perkgate_domain::limits::SETTINGS_BYTES - 8)));
    assert!(read(&format!("{MERCHANT}{full}")).is_ok());
}

#[test]
fn a_channel_s_values_are_checked() {
    let webhook =
        |url: &str, secret: &str| format!("[[channels]]\nkind = \"webhook\"\nurl = \"{url}\"\nsecret = \"{secret}\"\n");
    for (url, wrong) in [
        ("example.com/x", "must begin with https:// or http://"),
        ("https://", "has no host"),
        ("https://:80/x", "has no host"),
        ("https://a b/", "has a space or control character"),
        ("https://a:port/", "has no port number"),
        ("https://[::1]x/", "has no port number"),
        ("https://a:0/", "has no port number"),
    ] {
        says(&webhook(url, SECRET), &format!("10: `url` of [[channels]] {wrong}"), "");
    }
    let short = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=";
    for (secret, wrong) in [
        ("hush", "does not begin with `whsec_`"),
        ("whsec_hush!", "has no padded base64"),
        (short, "holds 23 bytes and must hold 24 to 64"),
        (&format!("whsec_{}", "QUFB".repeat(22)), "holds 66 bytes"),
    ] {
        let said = complaint(&webhook("https://a", secret));
        assert!(said.starts_with(&format!("kavarna.toml:11: `secret` of [[channels]] {wrong}")), "{said}");
        assert!(!said.contains("hush"), "{said}");
    }
    let email =
        |smtp: &str, from: &str| format!("[[channels]]\nkind = \"email\"\nsmtp = \"{smtp}\"\nfrom = \"{from}\"\n");
    says(&email("localhost:25", "a@b.c"), "10: `smtp` of [[channels]]", "must begin with smtp:// or smtps://");
    says(&email("smtp://a", "nobody"), "11: `from` of [[channels]] is no mail address", "<shop@example.com>\"");
    says(&email("smtp://a", "a@b.c, d@e.f"), "11: `from` of [[channels]] is no mail address", "");
    let mixed = format!("{}url = \"https://a\"\n", email("smtp://a", "a@b.c"));
    says(&mixed, "8: `url` of [[channels]] means nothing to kind \"email\"", "which has smtp, from, to");
    says(
        "[[channels]]\nkind = \"sms\"\n",
        "9: `kind` of [[channels]] names the unknown kind of channel \"sms\"",
        "webhook, email",
    );
}

#[test]
fn settings_are_held_against_the_schema() {
    let schema = json!({
        "type": "object",
        "properties": {"goal": {"type": "integer", "minimum": 1}, "tiers": {"items": {"required": ["name"]}}},
        "additionalProperties": false,
    });
    assert!(settings_problems(&schema, &json!({"goal": 10, "tiers": [{"name": "x"}]})).is_empty());
    let mut problems = settings_problems(&schema, &json!({"goal": 0, "tiers": [{"name": 1}, {}], "gaol": 2}));
    problems.sort();
    assert_eq!(problems.len(), 3, "{problems:#?}");
    assert!(problems[0].starts_with("settings.goal: 0 is less than the minimum of 1"), "{problems:#?}");
    assert!(problems[1].starts_with("settings.tiers[1]: \"name\" is a required property"), "{problems:#?}");
    assert!(problems[2].starts_with("settings: ") && problems[2].contains("gaol"), "{problems:#?}");
    assert!(settings_problems(&json!({"type": "objct"}), &json!({}))[0].contains("own settings schema is wrong"));
    assert!(settings_problems(&serde_json::Value::Null, &json!({})).is_empty());
    assert_eq!(settings_problems(&serde_json::Value::Null, &json!({"a": 1})).len(), 1);
}

#[test]
fn the_merchant_s_values_are_checked() {
    for (right, wrong, says) in [
        ("\"EUR\"", "\"EUZ\"", ":4: `currency` of [merchant] is wrong: `EUZ` is not an ISO 4217 currency"),
        ("\"UTC\"", "\"Mars/Base\"", ":5: `timezone` of [merchant] is \"Mars/Base\", which is not an IANA time zone"),
        ("\"sk\"", "\"sk\"\ncountry = \"SVK\"", ":7: `country` of [merchant] is \"SVK\"; write the two letters"),
        ("\"K\"", "\" \"", ":3: `name` of [merchant] must have 1 to 500 bytes"),
        ("\"k\"", "\"\"", ":2: `id` of [merchant] is \"\"; an id has 1 to 64"),
    ] {
        let error = read(&MERCHANT.replacen(right, wrong, 1)).expect_err(wrong).to_string();
        assert!(error.starts_with(&format!("kavarna.toml{says}")) && !error.contains('\n'), "{error}");
    }
}
