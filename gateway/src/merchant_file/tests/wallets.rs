//! What a wallet's units live by, well and badly.

use super::rules::rules;
use super::*;
use perkgate_domain::facts::MonthDay;
use perkgate_domain::rules::{Activity, ExpiryRule, Maturity, RefundPolicy, Round, WalletTerms};

fn wallet(line: &str) -> WalletTerms {
    rules(&format!("[wallets.points]\n{line}\n")).wallets.remove("points").expect("it is named")
}

#[track_caller]
fn refuses(line: &str, start: &str, cure: &str) {
    says(&format!("[wallets.points]\n{line}\n"), &format!("9: {start}"), cure);
}

#[test]
fn a_wallet_that_is_only_named_has_the_defaults() {
    let terms = WalletTerms { matures: Maturity::AtOnce, expires: ExpiryRule::Never, refunds: RefundPolicy::Negative };
    assert_eq!(wallet(""), terms);
    assert_eq!(wallet("matures = \"at-once\"\nexpires = \"never\"\nrefunds = \"negative\""), terms);
    assert!(rules("").is_default());
}

#[test]
fn wallets_have_names() {
    assert_eq!(rules(&format!("[wallets.{}]\n", "x".repeat(32))).wallets.len(), 1);
    for name in ["Points", "my_points", "\"\"", &"x".repeat(33)] {
        says(&format!("[wallets.{name}]\n"), "8: `wallets` of the file names \"", "a-z, digits and dashes");
    }
    says("[wallets]\npoints = 1\n", "9: `points` of `wallets` of the file must be a table", "is a whole number");
    says("[wallets.points]\nmature = 1\n", "9: [wallets.points] has no key `mature`", "did you mean `matures`?");
    let many = |count: usize| (0..count).map(|index| format!("[wallets.w{index}]\n")).collect::<Vec<_>>().concat();
    assert_eq!(rules(&many(50)).wallets.len(), 50);
    says(&many(51), "8: `wallets` of the file has 51 entries and may have 50", "leave some out");
}

#[test]
fn what_is_earned_matures() {
    assert_eq!(wallet("matures = { days = 14 }").matures, Maturity::Days(14));
    for day in ["2026-12-24", "\"2026-12-24\""] {
        let Maturity::On(moment) = wallet(&format!("matures = {{ on = {day} }}")).matures else { panic!("{day}") };
        assert_eq!(moment.to_string(), "2026-12-24T00:00:00Z");
    }
    let windows = "return_window_days = 7\n[wallets.points]\nmatures = \"return-window\"\n";
    assert_eq!(rules(windows).wallets["points"].matures, Maturity::ReturnWindow);
    let source = source_with("secrets = [\"x\"]\nrefund_window_days = 30");
    let windows = rules(&format!("{source}[wallets.points]\nmatures = \"refund-window\"\n"));
    assert_eq!(windows.wallets["points"].matures, Maturity::RefundWindow);
}

#[test]
fn maturity_that_cannot_be_is_refused() {
    refuses(
        "matures = \"return_window\"",
        "`matures` of [wallets.points] names the unknown time",
        "\"return-window\"?",
    );
    refuses("matures = \"return-window\"", "`matures` of [wallets.points] is", "add `return_window_days = 14` to it");
    let other = source_with("secrets = [\"x\"]");
    let rest = format!("{other}[wallets.points]\nmatures = \"refund-window\"\n");
    says(&rest, "13: `matures` of [wallets.points] is", "add `refund_window_days = 30` to a [[sources]]");
    refuses("matures = 14", "`matures` of [wallets.points] must be a word or a table", "and is a whole number");
    let matures = "`matures` of [wallets.points]";
    refuses("matures = { days = 0 }", &format!("`days` of {matures} is 0"), "from 1 to 36600");
    refuses("matures = { days = 36601 }", &format!("`days` of {matures} is 36601"), "from 1 to 36600");
    refuses("matures = { day = 1, days = 2 }", &format!("{matures} has no key `day`"), "did you mean `days`?");
    for both in ["matures = { days = 1, on = 2026-12-24 }", "matures = {}"] {
        refuses(both, &format!("{matures} takes one of `days` and `on`"), "{ on = 2026-12-24 }");
    }
    for day in ["2026-12-24T08:00:00", "\"24. 12. 2026\"", "\"20261224\"", "\"2026-02-30\"", "1999-12-31", "2200-01-01"]
    {
        refuses(&format!("matures = {{ on = {day} }}"), &format!("`on` of {matures} is \""), "and no time");
    }
    refuses("matures = { on = 2026 }", &format!("`on` of {matures} must be a day"), "and is a whole number");
}

#[test]
fn what_is_earned_expires() {
    let expires = |text: &str| wallet(&format!("expires = {text}")).expires;
    assert_eq!(expires("{ days = 36600 }"), ExpiryRule::Days { days: 36_600, round: None });
    for (word, round) in [("month", Round::Month), ("quarter", Round::Quarter), ("year", Round::Year)] {
        let written = format!("{{ days = 1, round = \"{word}\" }}");
        assert_eq!(expires(&written), ExpiryRule::Days { days: 1, round: Some(round) });
    }
    for (word, by) in [("purchase", Activity::Purchase), ("redemption", Activity::Redemption), ("any", Activity::Any)] {
        assert_eq!(expires(&format!("{{ days = 90, after = \"{word}\" }}")), ExpiryRule::Sliding { days: 90, by });
    }
    let dates = ExpiryRule::Dates(vec![MonthDay { month: 6, day: 30 }, MonthDay { month: 12, day: 31 }]);
    assert_eq!(expires("{ dates = [\"12-31\", \"06-30\"] }"), dates);
}

#[test]
fn expiry_that_cannot_be_is_refused() {
    let expires = "`expires` of [wallets.points]";
    for (written, start, cure) in [
        ("\"ever\"", format!("{expires} names the unknown time \"ever\""), "did you mean \"never\"?"),
        ("365", format!("{expires} must be a word or a table"), "and is a whole number"),
        ("{}", format!("{expires} lacks `days` or `dates`"), "{ dates = [\"12-31\"] }"),
        ("{ round = \"month\" }", format!("{expires} lacks `days` or `dates`"), "{ dates = [\"12-31\"] }"),
        ("{ days = 0 }", format!("`days` of {expires} is 0"), "from 1 to 36600"),
        ("{ days = 1, dates = [\"12-31\"] }", format!("{expires} has `dates` and something else"), ""),
        ("{ dates = [\"12-31\"], round = \"month\" }", format!("{expires} has `dates` and something else"), ""),
        ("{ dates = [\"12-31\"], after = \"any\" }", format!("{expires} has `dates` and something else"), ""),
        (
            "{ days = 1, round = \"month\", after = \"any\" }",
            format!("{expires} has `round` and `after`"),
            "of them out",
        ),
        ("{ days = 1, round = \"week\" }", format!("`round` of {expires} names"), "there is month, quarter, year"),
        ("{ days = 1, after = \"visit\" }", format!("`after` of {expires} names"), "purchase, redemption, any"),
        ("{ dates = [] }", format!("`dates` of {expires} is empty"), "[\"06-30\", \"12-31\"]"),
        ("{ dates = \"12-31\" }", format!("`dates` of {expires} must be a list"), "and is text"),
        ("{ dates = [2026-12-31] }", format!("`dates` of {expires} must be a list of texts"), "and is a date or time"),
        ("{ dates = [\"02-30\"] }", format!("`dates` of {expires} has \"02-30\""), "as in \"06-30\""),
        ("{ dates = [\"2026-12-31\"] }", format!("`dates` of {expires} has \"2026-12-31\""), "as in \"06-30\""),
        ("{ dates = [\"06-30\", \"06-30\"] }", format!("`dates` of {expires} has \"06-30\" twice"), "leave one out"),
    ] {
        refuses(&format!("expires = {written}"), &start, cure);
    }
    let days = |count: u8| {
        let days: Vec<String> = (1..=count).map(|day| format!("\"01-{day:02}\"")).collect();
        format!("expires = {{ dates = [{}] }}", days.join(", "))
    };
    assert!(matches!(wallet(&days(24)).expires, ExpiryRule::Dates(dates) if dates.len() == 24));
    refuses(&days(25), &format!("`dates` of {expires} has 25 entries and may have 24"), "leave some out");
}

#[test]
fn refunds_follow_a_policy() {
    assert_eq!(wallet("refunds = \"pending-only\"").refunds, RefundPolicy::PendingOnly);
    assert_eq!(wallet("refunds = \"to-zero\"").refunds, RefundPolicy::ToZero);
    refuses("refunds = \"none\"", "`refunds` of [wallets.points] names the unknown policy", "to-zero, negative");
    refuses("refunds = true", "`refunds` of [wallets.points] must be text in quotes", "and is true or false");
}

#[test]
fn a_day_begins_where_the_merchant_is() {
    let on = |zone: &str, day: &str| {
        let merchant = MERCHANT.replace("UTC", zone);
        let file = read(&format!("{merchant}[wallets.points]\nmatures = {{ on = {day} }}\n")).expect("it is right");
        match file.merchant.rules.wallets["points"].matures {
            Maturity::On(moment) => moment.to_string(),
            _ => String::new(),
        }
    };
    assert_eq!(on("Europe/Bratislava", "2026-12-24"), "2026-12-23T23:00:00Z");
    assert_eq!(on("Europe/Bratislava", "2026-06-24"), "2026-06-23T22:00:00Z");
    // São Paulo went from midnight straight to one o'clock (UTC-3 to UTC-2), and Apia from Thursday to Saturday.
    assert_eq!(on("America/Sao_Paulo", "2018-11-04"), "2018-11-04T03:00:00Z");
    assert_eq!(on("Pacific/Apia", "2011-12-30"), on("Pacific/Apia", "2011-12-31"));
    // Midnight came twice in Havana, and the day begins with the first.
    assert_eq!(on("America/Havana", "2023-11-05"), "2023-11-05T04:00:00Z");
}
