//! Catalogues of rewards, well and badly.

use super::rules::rules;
use super::*;
use perkgate_domain::decision::Price;
use perkgate_domain::rules::{Audience, CatalogueReward, RewardKind};

/// A reward with these lines, which begin with the eleventh of the file.
fn with(lines: &str) -> String {
    format!("[[rewards]]\nkey = \"r\"\ntitle = \"Káva\"\n{lines}\n")
}

fn reward(lines: &str) -> CatalogueReward {
    rules(&with(lines)).rewards.remove("r").expect("it is there")
}

#[track_caller]
fn refuses(lines: &str, start: &str, cure: &str) {
    says(&with(lines), &format!("11: {start}"), cure);
}

#[test]
fn a_reward_has_defaults() {
    let plain = CatalogueReward {
        title: "Káva".to_owned(),
        titles: BTreeMap::new(),
        kind: RewardKind::Custom,
        price: None,
        stock: None,
        per_member: None,
        valid_days: None,
        from: None,
        until: None,
        returns_price: false,
        undo_minutes: 0,
        automatic: false,
        code: None,
        audience: None,
    };
    assert_eq!(reward(""), plain);
    assert_eq!(reward("kind = \"custom\"\nautomatic = false\nreturns_price = false\nundo_minutes = 0"), plain);
}

#[test]
fn every_key_of_a_reward_is_read() {
    let full = reward(
        "titles = { en = \"Coffee\", cs-CZ = \"Kafe\" }\nkind = \"free-item\"\nitem = \"espresso\"\nprice = { points = 100 }\n\
         stock = 4294967295\nper_member = 1\nvalid_days = 30\nfrom = 2026-12-01\nuntil = \"2026-12-31\"\nreturns_price = true\n\
         undo_minutes = 43200\nautomatic = true\nonly = { tag = \"champion\" }",
    );
    assert_eq!(full.titles["en"], "Coffee");
    assert_eq!(full.titles["cs-CZ"], "Kafe");
    assert_eq!(full.kind, RewardKind::FreeItem("espresso".to_owned()));
    assert_eq!(full.price, Some(Price { wallet: "points".to_owned(), amount: 100 }));
    assert_eq!((full.stock, full.per_member, full.valid_days), (Some(u32::MAX), Some(1), Some(30)));
    assert_eq!(full.from.map(|from| from.to_string()).as_deref(), Some("2026-12-01T00:00:00Z"));
    // The last day is still whole.
    assert_eq!(full.until.map(|until| until.to_string()).as_deref(), Some("2027-01-01T00:00:00Z"));
    assert!(full.returns_price && full.automatic);
    assert_eq!((full.undo_minutes, full.audience), (43_200, Some(Audience::Tag("champion".to_owned()))));
}

#[test]
fn a_reward_is_of_a_kind() {
    assert_eq!(reward("kind = \"amount-off\"\namount = \"5.00\"").kind, RewardKind::AmountOff(500));
    assert_eq!(reward("kind = \"amount-off\"\namount = 5").kind, RewardKind::AmountOff(500));
    assert_eq!(reward("kind = \"percent-off\"\npercent = 100").kind, RewardKind::PercentOff(100));
    refuses(
        "kind = \"free\"",
        "`kind` of [[rewards]] names the unknown kind of reward \"free\"",
        "amount-off, percent-off",
    );
    refuses("kind = 1", "`kind` of [[rewards]] must be text in quotes", "and is a whole number");
    refuses("item = \"x\"", "`item` of [[rewards]] means nothing to kind \"custom\"", "or write kind = \"free-item\"");
    let both = "percent = 10\nkind = \"amount-off\"\namount = \"1\"";
    refuses(both, "`percent` of [[rewards]] means nothing to kind \"amount-off\"", "or write kind = \"percent-off\"");
    for (kind, key) in [("free-item", "item"), ("amount-off", "amount"), ("percent-off", "percent")] {
        let said = complaint(&with(&format!("kind = \"{kind}\"")));
        assert!(said.starts_with(&format!("kavarna.toml:8: [[rewards]] lacks `{key}`; add `{key} = ")), "{said}");
    }
    refuses("item = \"\"\nkind = \"free-item\"", "`item` of [[rewards]] must be one line of 1 to 500 bytes", "");
    let off = |amount: &str| format!("amount = {amount}\nkind = \"amount-off\"");
    refuses(&off("4.99"), "`amount` of [[rewards]] is the float 4.99", "write it as text: \"4.99\"");
    refuses(&off("\"0\""), "`amount` of [[rewards]] is \"0\"", "with at most 2 decimal places");
    refuses(&off("\"1.999\""), "`amount` of [[rewards]] is \"1.999\"", "with at most 2 decimal places");
    for percent in ["0", "101"] {
        let lines = format!("percent = {percent}\nkind = \"percent-off\"");
        refuses(&lines, &format!("`percent` of [[rewards]] is {percent}"), "from 1 to 100");
    }
}

#[test]
fn rewards_have_keys_and_titles() {
    says("[[rewards]]\ntitle = \"x\"\n", "8: [[rewards]] lacks `key`", "add `key = \"free-coffee\"`");
    says("[[rewards]]\nkey = \"r\"\n", "8: [[rewards]] lacks `title`", "add `title = \"Free coffee\"`");
    says("[[rewards]]\nkey = \"A b\"\ntitle = \"x\"\n", "9: `key` of [[rewards]] is \"A b\"", "digits and dashes");
    let twice = format!("{0}{0}", with(""));
    says(&twice, "13: `key` of [[rewards]] is \"r\", as in line 9", "keys differ: rename one");
    let titled = |title: &str| format!("[[rewards]]\nkey = \"r\"\ntitle = \"{title}\"\n");
    for wrong in ["", " ", "a\\nb", &"x".repeat(501)] {
        says(&titled(wrong), "10: `title` of [[rewards]] must be one line of 1 to 500 bytes", "write such a one");
    }
    assert_eq!(rules(&titled(&"x".repeat(500))).rewards["r"].title.len(), 500);
    refuses("titles = { EN = \"x\" }", "`titles` of [[rewards]] is \"EN\", which is no language tag", "with a dash");
    refuses("titles = { en = \"\" }", "`en` of `titles` of [[rewards]] must be one line", "");
    refuses("titles = { en = 1 }", "`en` of `titles` of [[rewards]] must be text", "and is a whole number");
    let languages = |count: u8| {
        let written: Vec<String> = (0..count).map(|index| format!("aa-{index:02} = \"x\"")).collect();
        format!("titles = {{ {} }}", written.join(", "))
    };
    assert_eq!(reward(&languages(50)).titles.len(), 50);
    refuses(&languages(51), "`titles` of [[rewards]] has 51 entries and may have 50", "leave some out");
    refuses("titel = \"x\"", "[[rewards]] has no key `titel`", "did you mean `title`?");
}

#[test]
fn a_catalogue_has_an_end() {
    let many = |count: usize| {
        let rewards = (0..count).map(|index| format!("[[rewards]]\nkey = \"r{index}\"\ntitle = \"x\"\n"));
        rewards.collect::<Vec<_>>().concat()
    };
    assert_eq!(rules(&many(500)).rewards.len(), 500);
    says(&many(501), "1508: `rewards` of the file has 501 entries and may have 500", "leave some out");
}

#[test]
fn a_price_is_in_one_wallet() {
    let price = "`price` of [[rewards]]";
    refuses("price = {}", &format!("{price} names 0 wallets and must name one"), "{ points = 100 }");
    refuses("price = { points = 1, stamps = 1 }", &format!("{price} names 2 wallets"), "{ points = 100 }");
    refuses("price = { Points = 1 }", &format!("{price} names \"Points\""), "digits and dashes");
    refuses("price = 100", &format!("{price} must be a table"), "and is a whole number");
    for amount in ["0", "-1", "1000000000001"] {
        refuses(
            &format!("price = {{ points = {amount} }}"),
            &format!("`points` of {price} is {amount}"),
            "from 1 to 1000000000000",
        );
    }
}

#[test]
fn numbers_of_a_reward_have_bounds() {
    for (line, most) in [
        ("stock = 0", "4294967295"),
        ("stock = 4294967296", "4294967295"),
        ("per_member = 0", "4294967295"),
        ("valid_days = 0", "36600"),
        ("valid_days = 36601", "36600"),
        ("undo_minutes = -1", "43200"),
        ("undo_minutes = 43201", "43200"),
    ] {
        let (key, value) = line.split_once(" = ").expect("it has one");
        refuses(line, &format!("`{key}` of [[rewards]] is {value}"), &format!("to {most}"));
    }
    refuses("automatic = 1\nprice = { points = 1 }", "`automatic` of [[rewards]] must be true or false", "number");
    refuses(
        "returns_price = 1\nprice = { points = 1 }",
        "`returns_price` of [[rewards]] must be true or false",
        "number",
    );
}

#[test]
fn a_season_ends_after_it_began() {
    let one_day = reward("from = 2026-12-24\nuntil = 2026-12-24");
    assert_eq!(one_day.until.zip(one_day.from).map(|(until, from)| until.since_ms(from)), Some(24 * 3_600_000));
    refuses("until = 2026-12-23\nfrom = 2026-12-24", "`until` of [[rewards]] is before `from`", "a day that is not");
    refuses("from = 2026-12-24T08:00:00Z", "`from` of [[rewards]] is \"2026-12-24T08:00:00Z\"", "and no time");
    refuses("until = 08:00:00", "`until` of [[rewards]] is \"08:00:00\"", "and no time");
    // The clocks of Bratislava go back on this day, which has 25 hours.
    let merchant = MERCHANT.replace("UTC", "Europe/Bratislava");
    let file = read(&format!("{merchant}{}", with("from = 2026-10-25\nuntil = 2026-10-25"))).expect("it is right");
    let long = &file.merchant.rules.rewards["r"];
    assert_eq!(long.until.zip(long.from).map(|(until, from)| until.since_ms(from)), Some(25 * 3_600_000));
}

#[test]
fn only_what_is_paid_for_returns_or_goes_by_itself() {
    for line in ["automatic = true", "returns_price = true", "undo_minutes = 1"] {
        let key = line.split(' ').next().expect("it has one");
        refuses(line, &format!("`{key}` of [[rewards]] needs a price"), "or leave it out");
    }
    let lines = "returns_price = true\nprice = { points = 1 }";
    refuses(lines, "`returns_price` of [[rewards]] is for a code that lapses", "or leave it out");
    assert!(reward("automatic = true\nprice = { points = 1 }").automatic);
}

#[test]
fn a_shared_code_is_for_everybody() {
    for code in ["LETO", "LETO-10", &"X".repeat(32)] {
        assert_eq!(reward(&format!("code = \"{code}\"\nstock = 5\nper_member = 1")).code.as_deref(), Some(code));
    }
    for code in ["LET", "leto10", "LETO 10", "LÉTO10", &"X".repeat(33)] {
        refuses(&format!("code = \"{code}\""), "`code` of [[rewards]] is \"", "A-Z, digits and dashes");
    }
    for line in
        ["price = { points = 1 }", "automatic = true", "returns_price = true", "undo_minutes = 1", "valid_days = 1"]
    {
        let key = line.split(' ').next().expect("it has one");
        let start = format!("`{key}` of [[rewards]] means nothing to a reward with a `code`");
        refuses(&format!("{line}\ncode = \"LETO10\""), &start, "leave one of the two out");
    }
    let twice = format!("{}[[rewards]]\nkey = \"s\"\ntitle = \"S\"\ncode = \"LETO\"\n", with("code = \"LETO\""));
    says(&twice, "15: `code` of [[rewards]] is \"LETO\", as in line 11", "codes differ: rename one");
}

#[test]
fn a_reward_may_be_for_some() {
    let ladder = "[tiers]\nby = \"visits\"\nwindow = \"calendar-year\"\nlevels = [{ name = \"gold\", at = 1 }]\n";
    let golden = rules(&format!("{}{ladder}", with("only = { tier = \"gold\" }"))).rewards.remove("r");
    assert_eq!(golden.and_then(|golden| golden.audience), Some(Audience::Tier("gold".to_owned())));
    let silver = format!("{}{ladder}", with("only = { tier = \"silver\" }"));
    says(&silver, "11: `tier` of `only` of [[rewards]] names the unknown tier \"silver\"", "there is gold");
    refuses(
        "only = { tier = \"gold\" }",
        "`tier` of `only` of [[rewards]] is \"gold\", and [tiers] has no level",
        "it there",
    );
    refuses("only = { tag = \" \" }", "`tag` of `only` of [[rewards]] must be one line", "");
    refuses("only = { tags = \"a\", tag = \"b\" }", "`only` of [[rewards]] has no key `tags`", "did you mean `tag`?");
    for both in ["only = {}", "only = { tag = \"a\", tier = \"b\" }"] {
        refuses(both, "`only` of [[rewards]] takes one of `tag` and `tier`", "{ tag = \"champion\" }");
    }
    // A level with something else wrong is a level all the same.
    let broken = ladder.replace("at = 1", "at = 0");
    let told = complaint(&format!("{}{broken}", with("only = { tier = \"gold\" }")));
    assert!(told.contains("`at` of `levels` of [tiers] is \"0\""), "{told}");
}
