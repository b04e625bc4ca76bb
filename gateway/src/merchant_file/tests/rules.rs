//! Rules from all over the file, and those of `[merchant]` and `[[sources]]`.

use super::*;
use perkgate_domain::limits::RULE_DAYS;
use perkgate_domain::rules::{ExpiryRule, Maturity, Measure, RefundPolicy, Rules, Window};

/// A café with every rule there is.
const CAFE: &str = r#"
[merchant]
id = "kavarna"
name = "Kavárna U Mosta"
currency = "EUR"
timezone = "Europe/Bratislava"
locale = "sk"
url = "https://body.kavarna.sk/"
return_window_days = 14
caps = { points_per_day = 50000, points_per_month = 500000, stamps_per_member_day = 3 }

[wallets.points]
matures = "return-window"
expires = { days = 365, round = "month" }
refunds = "to-zero"

[wallets.stamps]
matures = "refund-window"

[tiers]
by = "points"
window = "rolling"
days = 365
downgrade = "one-step"
grace_days = 30
levels = [
  { name = "silver", at = "100", multiplier = "1.25", tag = "silver" },
  { name = "gold", at = 500, multiplier = 2 },
]

[[sources]]
id = "eshop"
platform = "shopify"
secrets = ["one"]
refund_window_days = 30

[[rewards]]
key = "free-coffee"
title = "Káva zdarma"
titles = { en = "Free coffee" }
kind = "free-item"
item = "espresso"
price = { points = 100 }
stock = 50
per_member = 1
valid_days = 30
from = 2026-12-01
until = 2026-12-31
returns_price = true
undo_minutes = 30
automatic = false
only = { tier = "gold" }

[[rewards]]
key = "summer"
title = "Leto"
kind = "percent-off"
percent = 10
code = "LETO10"
only = { tag = "champion" }
"#;

/// What `rest` makes of a merchant of no rules.
pub(super) fn rules(rest: &str) -> Rules {
    let file = read(&format!("{MERCHANT}\n{rest}")).unwrap_or_else(|error| panic!("{error}"));
    file.merchant.rules
}

#[test]
fn a_file_may_have_every_rule() {
    let file = read(CAFE).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(file.merchant.url.as_deref(), Some("https://body.kavarna.sk"));
    assert_eq!(file.sources[0].refund_window_days, Some(30));
    let rules = &file.merchant.rules;
    assert_eq!(rules.return_window_days, Some(14));
    let points = WalletCaps { per_day: Some(50_000), per_month: Some(500_000), ..WalletCaps::default() };
    let stamps = WalletCaps { per_member_day: Some(3), ..WalletCaps::default() };
    assert_eq!(rules.caps, Caps::from([("points".to_owned(), points), ("stamps".to_owned(), stamps)]));
    assert_eq!(rules.wallets.keys().collect::<Vec<_>>(), ["points", "stamps"]);
    let points = &rules.wallets["points"];
    assert_eq!((&points.matures, points.refunds), (&Maturity::ReturnWindow, RefundPolicy::ToZero));
    assert!(matches!(points.expires, ExpiryRule::Days { days: 365, round: Some(_) }));
    assert_eq!(rules.wallets["stamps"].matures, Maturity::RefundWindow);
    let tiers = rules.tiers.as_ref().expect("there is a ladder");
    assert_eq!((&tiers.by, tiers.window), (&Measure::Points("points".to_owned()), Window::Rolling(365)));
    assert_eq!(rules.rewards.keys().collect::<Vec<_>>(), ["free-coffee", "summer"]);
    // The rules are stored as JSON and must come back as they were.
    let json = serde_json::to_string(&file.merchant).expect("it can be written");
    assert_eq!(serde_json::from_str::<Merchant>(&json).expect("it can be read"), file.merchant);
}

#[test]
fn the_readme_s_example_is_read() {
    let readme = include_str!("../../../README.md");
    let (_, example) = readme.split_once("```toml\n[merchant]").expect("it has one");
    let (example, _) = example.split_once("```").expect("it ends");
    let file = read(&format!("[merchant]{example}")).unwrap_or_else(|error| panic!("{error}"));
    let rules = &file.merchant.rules;
    assert!(rules.tiers.is_some() && rules.rewards.len() == 1 && rules.wallets.len() == 1 && rules.caps.len() == 1);
}

#[test]
fn rules_are_told_about_at_once_whatever_else_is_wrong() {
    let text = CAFE
        .replace("id = \"kavarna\"", "id = \"Kavarna\"")
        .replace("\"EUR\"", "\"EUZ\"")
        .replace("\"1.25\"", "1.25")
        .replace("percent = 10", "percent = 101")
        .replace("title = \"Leto\"\n", "titel = \"Leto\"\n")
        .replace("stock = 50", "stock = 0")
        .replace("tier = \"gold\"", "tier = \"golden\"")
        .replace("return_window_days = 14\n", "\n");
    let told = read(&text).expect_err("much is wrong").to_string();
    assert_eq!(
        told,
        "kavarna.toml:3: `id` of [merchant] is \"Kavarna\"; an id has 1 to 64 lower-case letters a-z, digits and dashes\n\
         kavarna.toml:5: `currency` of [merchant] is wrong: `EUZ` is not an ISO 4217 currency; write three letters such as \"EUR\"\n\
         kavarna.toml:13: `matures` of [wallets.points] is \"return-window\", and [merchant] has none; add `return_window_days = 14` to it\n\
         kavarna.toml:27: `multiplier` of `levels` of [tiers] is the float 1.25, and floats are not exact; write it as text: \"1.25\"\n\
         kavarna.toml:44: `stock` of [[rewards]] is 0; write a whole number from 1 to 4294967295\n\
         kavarna.toml:52: `tier` of `only` of [[rewards]] names the unknown tier \"golden\"; did you mean \"gold\"?\n\
         kavarna.toml:54: [[rewards]] lacks `title`; add `title = \"Free coffee\"`\n\
         kavarna.toml:56: [[rewards]] has no key `titel`; did you mean `title`?\n\
         kavarna.toml:58: `percent` of [[rewards]] is 101; write a whole number from 1 to 100"
    );
}

#[test]
fn links_begin_with_a_plain_url() {
    for (url, wrong) in [
        ("body.kavarna.sk", "must begin with https:// or http://"),
        ("https://a.b/?x=1", "has a `?`, `#` or `@` in it"),
        ("https://a.b/#x", "has a `?`, `#` or `@` in it"),
        ("https://me:hush@a.b", "has a `?`, `#` or `@` in it"),
    ] {
        let said = complaint(&format!("url = \"{url}\"\n"));
        assert!(said.starts_with(&format!("kavarna.toml:8: `url` of [merchant] {wrong}")), "{said}");
        assert!(!said.contains("hush"), "{said}");
    }
    says(&format!("url = \"https://a/{}\"\n", "x".repeat(500)), "8: `url` of [merchant] has more than 500 bytes", "");
    says(
        "url = \"env:PERKGATE_SECRET_K_NOPE\"\n",
        "8: `url` of [merchant]: the environment variable PERKGATE_SECRET_K_NOPE is not set",
        "try again",
    );
    let file = read(&format!("{MERCHANT}url = \"http://[::1]:8080/body//\"\n")).expect("it is right");
    assert_eq!(file.merchant.url.as_deref(), Some("http://[::1]:8080/body"));
}

#[test]
fn windows_have_bounds() {
    assert_eq!(rules("return_window_days = 1\n").return_window_days, Some(1));
    assert_eq!(rules(&format!("return_window_days = {RULE_DAYS}\n")).return_window_days, Some(RULE_DAYS));
    for wrong in ["0", "36601", "-1", "9223372036854775807"] {
        let start = format!("8: `return_window_days` of [merchant] is {wrong}");
        says(&format!("return_window_days = {wrong}\n"), &start, "a whole number from 1 to 36600");
    }
    let start = "8: `return_window_days` of [merchant] is beyond 64 bits";
    says("return_window_days = 9223372036854775808\n", start, "a whole number from 1 to 36600");
    says("return_window_days = \"14\"\n", "8: `return_window_days` of [merchant] must be a whole number", "is text");
    let source = source_with("secrets = [\"x\"]\nrefund_window_days = 0");
    says(&source, "12: `refund_window_days` of [[sources]] is 0", "a whole number from 1 to 36600");
}

#[test]
fn caps_are_of_any_wallet() {
    let caps = rules(
        "[merchant.caps]\npoints_per_purchase = 1\npoints_per_member_day = 2\npoints_per_day = 3\npoints_per_month = 4\n\
         points_total = 5\nflat-whites-2_total = 0\n",
    )
    .caps;
    let points = WalletCaps {
        per_purchase: Some(1),
        per_member_day: Some(2),
        per_day: Some(3),
        per_month: Some(4),
        total: Some(5),
    };
    assert_eq!(caps["points"], points);
    assert_eq!(caps["flat-whites-2"], WalletCaps { total: Some(0), ..WalletCaps::default() });
    assert_eq!(caps.len(), 2);
}

#[test]
fn caps_that_name_nothing_are_refused() {
    for (key, start, cure) in [
        ("points_perday", "`caps` of [merchant] has no key `points_perday`", "did you mean `points_per_day`?"),
        ("stamps_totals", "`caps` of [merchant] has no key `stamps_totals`", "did you mean `stamps_total`?"),
        ("per_day", "`caps` of [merchant] has no key `per_day`", "as in `points_per_day`"),
        ("points", "`caps` of [merchant] has no key `points`", "as in `points_per_day`"),
        ("my_points_per_day", "`caps` of [merchant] has no key", "as in `points_per_day`"),
        ("Points_per_day", "`caps` of [merchant] names \"Points\"", "a-z, digits and dashes"),
        ("_total", "`caps` of [merchant] names \"\"", "a-z, digits and dashes"),
    ] {
        says(&format!("[merchant.caps]\n{key} = 1\n"), &format!("9: {start}"), cure);
    }
    let long = format!("caps = {{ {}_total = 1 }}\n", "x".repeat(33));
    says(&long, "8: `caps` of [merchant] names", "a wallet has 1 to 32 lower-case letters a-z, digits and dashes");
    says("caps = { points_total = -1 }\n", "8: `points_total` of `caps` of [merchant] is negative", "0 or more");
    says("caps = 5\n", "8: `caps` of [merchant] must be a table", "is a whole number");
}
