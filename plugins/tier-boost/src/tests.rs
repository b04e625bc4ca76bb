//! The rule as an ordinary function.

use super::*;
use perkgate::sample::{facts, line, purchase, standing};

fn in_tier(tier: &str, multiplier_milli: u32) -> Facts {
    Facts { standing: Some(Standing { tier: Some(tier.to_owned()), multiplier_milli, ..standing() }), ..facts() }
}

fn boost(purchase: &Purchase, facts: &Facts, json: &str) -> Result<Option<Earn>, Refusal> {
    let decisions = tier_boost(purchase, facts, serde_json::from_str(json).expect("settings"))?;
    Ok(decisions.into_iter().next().map(|decision| {
        let Decision::Earn(earn) = decision else { panic!("{decision:?}") };
        earn
    }))
}

fn amount(purchase: &Purchase, facts: &Facts, json: &str) -> i64 {
    boost(purchase, facts, json).expect("decides").map_or(0, |earn| earn.amount)
}

#[test]
fn only_what_goes_beyond_the_base_is_earned() {
    let bought = purchase([line("cup", 1290), line("beans", 2210)]);
    let earn = boost(&bought, &in_tier("gold", 1500), "{}").expect("decides").expect("earns");
    assert_eq!((earn.amount, earn.reason.as_str()), (17, "1.5 times the points for the tier gold"));
    // 17.5 by 12.90 and 22.10: 6.27 and 10.73.
    assert_eq!(earn.shares, [Share::new("cup", 6), Share::new("beans", 11)]);
}

#[test]
fn the_settings_go_before_the_tiers_own_multiplier() {
    let bought = purchase([line("cup", 10_000)]);
    let json = r#"{"multipliers":{"silver":"1.25","bronze":"1"}}"#;
    assert_eq!(amount(&bought, &in_tier("silver", 3000), json), 25);
    assert_eq!(amount(&bought, &in_tier("gold", 3000), json), 200);
    assert_eq!(amount(&bought, &in_tier("bronze", 3000), json), 0);
    assert!(log::take().iter().any(|(_, text)| text == "nothing earned: the tier bronze has the multiplier 1"));
}

#[test]
fn thousandths_are_exact_and_rounding_is_done_once() {
    // 9.99 × 0.333 = 3.32667
    let bought = purchase([line("a", 333), line("b", 333), line("c", 333)]);
    let facts = in_tier("gold", 1333);
    let earned = ["down", "nearest", "up"]
        .map(|rounding| amount(&bought, &facts, &format!(r#"{{"per":"1","rounding":"{rounding}"}}"#)));
    assert_eq!(earned, [3, 3, 4]);
    assert_eq!(amount(&bought, &in_tier("gold", 1001), r#"{"points":1000}"#), 9);
}

#[test]
fn without_a_tier_nothing_is_earned() {
    let nobody = Facts { standing: Some(Standing { multiplier_milli: 2000, ..standing() }), ..facts() };
    assert_eq!(amount(&purchase([line("cup", 1000)]), &nobody, r#"{"multipliers":{"":"9"}}"#), 0);
    assert!(matches!(boost(&purchase([]), &facts(), "{}"), Err(Refusal::Broken(why)) if why.contains("tier")));
}

#[test]
fn what_earns_no_base_earns_no_boost() {
    let mut post = line("post", 500);
    post.kind = LineKind::Shipping;
    let mut press = line("press", 700);
    press.category = Some("Press".to_owned());
    let bought = purchase([line("cup", 1000), line("gift", 300), press, post]);
    let facts = in_tier("gold", 2000);
    assert_eq!(amount(&bought, &facts, r#"{"exclude_categories":["press"],"exclude_skus":["gift"]}"#), 10);
    assert_eq!(amount(&bought, &facts, r#"{"exclude_kinds":[]}"#), 25);
}

#[test]
fn what_cannot_be_worked_out_is_named() {
    let mut abroad = purchase([line("cup", 1000)]);
    abroad.currency = "CZK".to_owned();
    let facts = in_tier("gold", 2000);
    assert!(matches!(boost(&abroad, &facts, "{}"), Err(Refusal::Unsupported(_))));
    let bought = purchase([line("cup", 1000)]);
    for json in [r#"{"per":"0"}"#, r#"{"points":0}"#, r#"{"per":"0.005"}"#] {
        assert!(matches!(boost(&bought, &facts, json), Err(Refusal::NotConfigured(_))), "{json}");
    }
}
