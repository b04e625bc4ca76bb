//! The rule as an ordinary function.

use super::*;
use perkgate::sample::{facts, line, purchase};

fn offered(purchase: &Purchase, more: &str) -> Result<Option<Offer>, Refusal> {
    let json = format!(r#"{{"key":"cinema","title":"Cinema for two","text":"Second ticket free."{more}}}"#);
    let decisions = partner_offer(purchase, &facts(), serde_json::from_str(&json).expect("settings"))?;
    Ok(decisions.into_iter().next().map(|decision| {
        let Decision::Offer(offer) = decision else { panic!("{decision:?}") };
        offer
    }))
}

fn coffee() -> Purchase {
    let mut cup = line("cup", 300);
    cup.category = Some("Káva".to_owned());
    purchase([cup, line("press", 700)])
}

#[test]
fn the_offer_carries_its_terms_and_limits() {
    let offer = offered(&coffee(), r#","first_members":100,"valid_days":30"#).expect("decides").expect("an offer");
    assert_eq!((offer.key.as_str(), offer.limit, offer.valid_days), ("cinema", Some(100), Some(30)));
    assert_eq!(offer.text, "Second ticket free.");
}

#[test]
fn goods_match_by_category_or_article() {
    for (more, given) in [
        (r#","categories":["KÁVA"]"#, true),
        (r#","categories":["tea"]"#, false),
        (r#","skus":["press"]"#, true),
        (r#","categories":["tea"],"skus":["cup"]"#, true),
        (r#","skus":["tea"]"#, false),
    ] {
        assert_eq!(offered(&coffee(), more).expect("decides").is_some(), given, "{more}");
    }
}

#[test]
fn the_minimum_is_about_the_matching_goods() {
    assert!(offered(&coffee(), r#","minimum":"10.00""#).expect("decides").is_some());
    assert!(offered(&coffee(), r#","minimum":"3.01","categories":["káva"]"#).expect("decides").is_none());
    assert!(log::take().iter().any(|(_, text)| text.contains("cost 3.00 EUR, the minimum is 3.01 EUR")));
}

#[test]
fn the_day_is_the_shops() {
    // The sample's day is a Saturday, at noon.
    assert!(offered(&coffee(), r#","weekdays":[6],"hours":{"from":"11:00","to":"14:00"}"#).expect("decides").is_some());
    assert!(offered(&coffee(), r#","weekdays":[1,2]"#).expect("decides").is_none());
    assert!(offered(&coffee(), r#","hours":{"from":"12:00","to":"08:00"}"#).expect("decides").is_some());
    assert!(offered(&coffee(), r#","hours":{"from":"12:01","to":"08:00"}"#).expect("decides").is_none());
}

#[test]
fn only_a_minimum_needs_the_shops_currency() {
    let mut abroad = coffee();
    abroad.currency = "CZK".to_owned();
    assert!(offered(&abroad, "").expect("decides").is_some());
    assert!(matches!(offered(&abroad, r#","minimum":"1""#), Err(Refusal::Unsupported(_))));
}
