//! `[tiers]` of a merchant file: each key obeyed and violated.

use super::rules::rules;
use super::*;
use perkgate_domain::limits::AMOUNT;
use perkgate_domain::rules::{Downgrade, Level, Measure, Tiers, Window};

const LEVELS: &str = "levels = [{ name = \"silver\", at = 100 }]";

fn tiers(rest: &str) -> Tiers {
    rules(&format!("[tiers]\n{rest}\n")).tiers.expect("it is there")
}

/// A ladder by `by` with these levels.
fn ladder(by: &str, levels: &str) -> String {
    format!("by = \"{by}\"\nwindow = \"calendar-year\"\nlevels = [{levels}]")
}

#[track_caller]
fn refuses(rest: &str, start: &str, cure: &str) {
    says(&format!("[tiers]\n{rest}\n"), start, cure);
}

#[test]
fn a_ladder_has_defaults() {
    let tiers = tiers(&format!("by = \"points\"\nwindow = \"membership-year\"\n{LEVELS}"));
    let silver = Level { name: "silver".to_owned(), at: 100, multiplier_milli: 1000, tag: None };
    assert_eq!(
        tiers,
        Tiers {
            by: Measure::Points("points".to_owned()),
            window: Window::Membership,
            downgrade: Downgrade::OneStep,
            grace_days: 0,
            levels: vec![silver],
        }
    );
}

#[test]
fn every_key_of_a_ladder_is_read() {
    let stars = tiers(&format!(
        "by = \"points\"\nwallet = \"stars\"\nwindow = \"rolling\"\ndays = 1100\ndowngrade = \"to-earned\"\ngrace_days = 36600\n{LEVELS}"
    ));
    assert_eq!((stars.by, stars.window), (Measure::Points("stars".to_owned()), Window::Rolling(1100)));
    assert_eq!((stars.downgrade, stars.grace_days), (Downgrade::ToEarned, 36_600));
    let spend = tiers(&ladder(
        "spend",
        "{ name = \"a\", at = \"0.01\", multiplier = \"0.001\" }, { name = \"b\", at = \"99.9\", multiplier = \"1.25\", tag = \"VIP\" }, \
         { name = \"c\", at = 100, multiplier = 1000 }",
    ));
    assert_eq!((spend.by, spend.window), (Measure::Spend, Window::Calendar));
    assert_eq!(spend.levels.iter().map(|level| level.at).collect::<Vec<_>>(), [1, 9990, 10_000]);
    let multipliers: Vec<u32> = spend.levels.iter().map(|level| level.multiplier_milli).collect();
    assert_eq!(multipliers, [1, 1250, 1_000_000]);
    assert_eq!(spend.levels[1].tag.as_deref(), Some("VIP"));
    let visits = tiers(&ladder("visits", &format!("{{ name = \"a\", at = {AMOUNT} }}")));
    assert_eq!((visits.by, visits.levels[0].at), (Measure::Visits, AMOUNT));
    let apart = tiers("by = \"visits\"\nwindow = \"calendar-year\"\n[[tiers.levels]]\nname = \"a\"\nat = \"5\"");
    assert_eq!(apart.levels[0].at, 5);
}

#[test]
fn money_of_levels_is_the_merchant_s() {
    let at = |currency: &str, amount: &str| {
        let level = format!("{{ name = \"a\", at = \"{amount}\" }}");
        let merchant = MERCHANT.replace("EUR", currency);
        let file = read(&format!("{merchant}[tiers]\n{}\n", ladder("spend", &level)));
        file.map(|file| file.merchant.rules.tiers.expect("it is there").levels[0].at)
    };
    assert_eq!(at("KWD", "1.005").expect("it has three places"), 1005);
    assert_eq!(at("JPY", "5000").expect("it has none"), 5000);
    let wrong = at("JPY", "0.5").expect_err("it has none").to_string();
    assert!(wrong.ends_with("is \"0.5\"; write a whole number from 1 to 1000000000000"), "{wrong}");
}

#[test]
fn a_ladder_s_values_are_checked() {
    let lacks = complaints("[tiers]\n");
    let lines: Vec<&str> = lacks.iter().map(|line| line.split("; ").next().unwrap_or_default()).collect();
    let wanted = ["by", "window", "levels"].map(|key| format!("kavarna.toml:8: [tiers] lacks `{key}`"));
    assert_eq!(lines, wanted);
    let with = |line: &str| format!("by = \"points\"\nwindow = \"calendar-year\"\n{line}\n{LEVELS}");
    let by = |line: &str| format!("{line}\nwindow = \"calendar-year\"\n{LEVELS}");
    let window = |lines: &str| format!("by = \"visits\"\n{LEVELS}\n{lines}");
    for (rest, start, cure) in [
        (by("by = \"stamps\""), "9: `by` of [tiers] names the unknown measure", "there is points, spend, visits"),
        (by("by = \"spend\"\nwallet = \"stars\""), "10: `wallet` of [tiers] means nothing to by = \"spend\"", "it out"),
        (with("wallet = \"Stars\""), "11: `wallet` of [tiers] names \"Stars\"", "digits and dashes"),
        (window("window = \"calendar\""), "11: `window` of [tiers] names", "did you mean \"calendar-year\"?"),
        (window("window = \"rolling\""), "8: [tiers] lacks `days`", "add `days = 365`"),
        (window("window = \"rolling\"\ndays = 0"), "12: `days` of [tiers] is 0", "from 1 to 1100"),
        (window("window = \"rolling\"\ndays = 1101"), "12: `days` of [tiers] is 1101", "from 1 to 1100"),
        (with("days = 365"), "11: `days` of [tiers] means nothing", "or write window = \"rolling\""),
        (with("downgrade = \"never\""), "11: `downgrade` of [tiers] names", "there is one-step, to-earned"),
        (with("grace_days = -1"), "11: `grace_days` of [tiers] is -1", "from 0 to 36600"),
        (with("grace_days = 36601"), "11: `grace_days` of [tiers] is 36601", "from 0 to 36600"),
        (with("grace = 1"), "11: [tiers] has no key `grace`; it has by, wallet", "levels"),
    ] {
        refuses(&rest, start, cure);
    }
}

#[test]
fn levels_rise_and_differ() {
    let levels = "`levels` of [tiers]";
    let rising = format!("11: `at` of {levels} is not above that of the level before");
    let silver = "{ name = \"silver\", at = 100 }";
    for (written, start, cure) in [
        (format!("{silver}, {{ name = \"gold\", at = 100 }}"), rising.clone(), "lowest first"),
        (format!("{silver}, {{ name = \"gold\", at = \"99\" }}"), rising, "lowest first"),
        (
            format!("{silver}, {{ name = \"silver\", at = 200 }}"),
            format!("11: `name` of {levels} is \"silver\", as in line 11"),
            "rename one",
        ),
        (String::new(), format!("11: {levels} is empty"), "at = 100 }]"),
        ("1".to_owned(), format!("11: {levels} must be a list of tables"), "and is a whole number"),
        ("{ at = 1 }".to_owned(), format!("11: {levels} lacks `name`"), "add `name = \"silver\"`"),
        ("{ name = \"a\" }".to_owned(), format!("11: {levels} lacks `at`"), "add `at = 100`"),
        ("{ name = \" \", at = 1 }".to_owned(), format!("11: `name` of {levels} must be one line"), "write such a one"),
        ("{ name = \"a\", at = 1, tag = \"\" }".to_owned(), format!("11: `tag` of {levels} must be one line"), ""),
        (
            "{ name = \"a\", at = 1, x = 1 }".to_owned(),
            format!("11: {levels} has no key `x`"),
            "name, at, multiplier, tag",
        ),
    ] {
        refuses(&ladder("points", &written), &start, cure);
    }
    let many = |count: usize| {
        let levels: Vec<String> = (1..=count).map(|at| format!("{{ name = \"l{at}\", at = {at} }}")).collect();
        ladder("points", &levels.join(", "))
    };
    assert_eq!(tiers(&many(20)).levels.len(), 20);
    refuses(&many(21), &format!("11: {levels} has 21 entries and may have 20"), "leave some out");
}

#[test]
fn what_a_level_takes_is_above_nothing_and_no_float() {
    let at = "`at` of `levels` of [tiers]";
    let times = "`multiplier` of `levels` of [tiers]";
    for (by, level, start, cure) in [
        ("points", "at = 0", format!("{at} is \"0\""), "a whole number from 1 to 1000000000000"),
        ("points", "at = -5", format!("{at} is \"-5\""), "a whole number from 1 to 1000000000000"),
        ("visits", "at = \"1.5\"", format!("{at} is \"1.5\""), "a whole number from 1 to 1000000000000"),
        ("points", "at = 1000000000001", format!("{at} is"), "a whole number from 1 to 1000000000000"),
        ("points", "at = 9223372036854775808", format!("{at} is"), "a whole number from 1 to 1000000000000"),
        ("spend", "at = 99.9", format!("{at} is the float 99.9"), "write it as text: \"99.9\""),
        ("spend", "at = \"0\"", format!("{at} is \"0\""), "up to 10000000000, with at most 2 decimal places"),
        ("spend", "at = \"0.001\"", format!("{at} is \"0.001\""), "with at most 2 decimal places"),
        ("spend", "at = \"much\"", format!("{at} is \"much\""), "with at most 2 decimal places"),
        ("spend", "at = true", format!("{at} must be a decimal number in quotes"), "and is true or false"),
        ("points", "at = 1, multiplier = 1.5", format!("{times} is the float 1.5"), "write it as text: \"1.5\""),
        (
            "points",
            "at = 1, multiplier = \"0\"",
            format!("{times} is \"0\""),
            "up to 1000, with at most 3 decimal places",
        ),
        ("points", "at = 1, multiplier = \"1.0005\"", format!("{times} is"), "with at most 3 decimal places"),
        ("points", "at = 1, multiplier = 1001", format!("{times} is \"1001\""), "with at most 3 decimal places"),
    ] {
        refuses(&ladder(by, &format!("{{ name = \"a\", {level} }}")), &format!("11: {start}"), cure);
    }
}
