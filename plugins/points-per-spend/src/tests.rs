//! The rule as an ordinary function.

use super::*;
use perkgate::sample::{facts, line, purchase};

fn settings(json: &str) -> Settings {
    serde_json::from_str(json).expect("settings")
}

fn earned(purchase: &Purchase, json: &str) -> Option<(i64, Vec<(String, i64)>)> {
    let decisions = points_per_spend(purchase, &facts(), settings(json)).expect("decides");
    decisions.into_iter().next().map(|decision| {
        let Decision::Earn(earn) = decision else { panic!("{decision:?}") };
        (earn.amount, earn.shares.into_iter().map(|share| (share.line, share.amount)).collect())
    })
}

#[test]
fn a_point_for_every_euro_and_shares_by_line() {
    let bought = purchase([line("cup", 1290), line("beans", 2210)]);
    assert_eq!(earned(&bought, "{}"), Some((35, vec![("cup".into(), 13), ("beans".into(), 22)])));
}

#[test]
fn the_reason_names_the_rate() {
    let bought = purchase([line("beans", 1000)]);
    let decisions = points_per_spend(&bought, &facts(), settings(r#"{"points":3,"per":"2.50"}"#)).expect("decides");
    assert!(
        matches!(&decisions[..], [Decision::Earn(earn)] if earn.reason == "3 points per 2.50 EUR" && earn.amount == 12)
    );
}

#[test]
fn excluded_lines_earn_nothing() {
    let mut post = line("post", 500);
    post.kind = LineKind::Shipping;
    let mut press = line("press", 700);
    press.category = Some("Tlač".to_owned());
    let bought = purchase([line("cup", 1000), line("gift", 300), press, post]);
    let json = r#"{"exclude_categories":["TLAČ"],"exclude_skus":["gift"]}"#;
    assert_eq!(earned(&bought, json), Some((10, vec![("cup".into(), 10)])));
    assert_eq!(earned(&bought, r#"{"exclude_kinds":[]}"#).expect("earns").0, 25);
}

#[test]
fn below_the_minimum_nothing_is_earned_and_the_log_says_so() {
    let bought = purchase([line("cup", 999)]);
    assert_eq!(earned(&bought, r#"{"minimum":"10"}"#), None);
    let said = log::take();
    assert!(said.iter().any(|(_, text)| text.contains("the minimum is 10.00 EUR")), "{said:?}");
    assert_eq!(earned(&bought, r#"{"minimum":"9.99"}"#).expect("earns").0, 9);
}

#[test]
fn less_than_a_point_says_why() {
    let bought = purchase([line("sugar", 20)]);
    assert_eq!(earned(&bought, "{}"), None);
    assert!(log::take().iter().any(|(_, text)| text.contains("no whole point")));
    assert_eq!(earned(&bought, r#"{"rounding":"up"}"#).expect("earns").0, 1);
}

#[test]
fn another_currency_is_not_covered() {
    let mut bought = purchase([line("cup", 1000)]);
    bought.currency = "CZK".to_owned();
    let refused = points_per_spend(&bought, &facts(), Settings::default());
    assert!(matches!(refused, Err(Refusal::Unsupported(why)) if why.contains("CZK") && why.contains("EUR")));
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let bought = purchase([line("cup", 1000)]);
    for json in [r#"{"per":"0.005"}"#, r#"{"per":"0"}"#, r#"{"points":0}"#, r#"{"points":-1}"#] {
        let refused = points_per_spend(&bought, &facts(), settings(json));
        assert!(matches!(refused, Err(Refusal::NotConfigured(_))), "{json}: {refused:?}");
    }
}
