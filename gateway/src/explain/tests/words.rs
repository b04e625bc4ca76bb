//! Forms, numbers, money, days, and that every sentence stands in every language.

use super::ground::{BOUGHT, eur, zone};
use crate::explain::texts;
use crate::explain::words::Language;
use perkgate_domain::money::Currency;
use perkgate_domain::time::Moment;
use std::collections::BTreeSet;

#[test]
fn the_form_goes_with_the_number() {
    let forms = |tag, wallet| [1, 2, 5, 22, 0, 112, -1].map(|amount| Language::of(tag).units(amount, wallet));
    for (tag, points) in [
        ("cs", ["1 bod", "2 body", "5 bodů", "22 bodů", "0 bodů", "112 bodů", "-1 bod"]),
        ("sk", ["1 bod", "2 body", "5 bodov", "22 bodov", "0 bodov", "112 bodov", "-1 bod"]),
        ("pl", ["1 punkt", "2 punkty", "5 punktów", "22 punkty", "0 punktów", "112 punktów", "-1 punkt"]),
        ("en", ["1 point", "2 points", "5 points", "22 points", "0 points", "112 points", "-1 point"]),
        ("de", ["1 Punkt", "2 Punkte", "5 Punkte", "22 Punkte", "0 Punkte", "112 Punkte", "-1 Punkt"]),
    ] {
        assert_eq!(forms(tag, "points"), points, "{tag}");
    }
    for (tag, stamps) in [
        ("cs", ["1 razítko", "2 razítka", "5 razítek", "22 razítek"]),
        ("sk", ["1 pečiatka", "2 pečiatky", "5 pečiatok", "22 pečiatok"]),
        ("pl", ["1 pieczątka", "2 pieczątki", "5 pieczątek", "22 pieczątki"]),
        ("en", ["1 stamp", "2 stamps", "5 stamps", "22 stamps"]),
        ("de", ["1 Stempel", "2 Stempel", "5 Stempel", "22 Stempel"]),
    ] {
        assert_eq!(&forms(tag, "stamps")[..4], stamps, "{tag}");
    }
    assert_eq!(Language::Slovak.units(5, "zrnká"), "5 zrnká", "as the merchant calls it");
}

#[test]
fn a_tag_names_a_language_and_any_other_is_english() {
    for (tag, language) in [
        ("sk", Language::Slovak),
        ("cs-CZ", Language::Czech),
        ("DE_at", Language::German),
        ("PL", Language::Polish),
        ("en-GB", Language::English),
        ("hu", Language::English),
        ("", Language::English),
        ("skx", Language::English),
    ] {
        assert_eq!(Language::of(tag), language, "{tag}");
    }
}

#[test]
fn numbers_money_and_days_are_written_the_languages_way() {
    let said = |language: Language| {
        let local = zone().local(BOUGHT);
        let chf = Currency::parse("CHF").unwrap();
        let said = [
            language.number(-1234),
            language.money(123_450, eur()),
            language.money(-5, chf),
            language.money(1_500_000, Currency::parse("JPY").unwrap()),
            language.moment(&local),
            language.quoted("x"),
        ];
        said.map(|text| text.replace('\u{a0}', " "))
    };
    assert_eq!(
        said(Language::Czech),
        ["-1 234", "1 234,50 €", "-0,05 CHF", "1 500 000 JPY", "3. března 2026, 15:05", "„x“"]
    );
    assert_eq!(
        said(Language::Slovak),
        ["-1 234", "1 234,50 €", "-0,05 CHF", "1 500 000 JPY", "3. marca 2026, 15:05", "„x“"]
    );
    assert_eq!(
        said(Language::Polish),
        ["-1234", "1234,50 €", "-0,05 CHF", "1 500 000 JPY", "3 marca 2026, 15:05", "„x”"]
    );
    assert_eq!(
        said(Language::English),
        ["-1,234", "€1,234.50", "-CHF 0.05", "JPY 1,500,000", "3 March 2026, 15:05", "“x”"]
    );
    assert_eq!(
        said(Language::German),
        ["-1.234", "1.234,50 €", "-0,05 CHF", "1.500.000 JPY", "3. März 2026, 15:05", "„x“"]
    );
}

#[test]
fn every_month_has_a_name_of_its_own() {
    for language in Language::ALL {
        let months: BTreeSet<String> = (0..12)
            .map(|month| language.date(&zone().local(Moment(1_768_478_400_000 + month * 2_629_746_000))))
            .collect();
        assert_eq!(months.len(), 12, "{language:?}: {months:?}");
    }
    // A day begins at midnight by the merchant's clocks, and then no time is told.
    let midnight = zone().day_start(BOUGHT);
    assert_eq!(Language::Polish.moment(&zone().local(midnight)), "3 marca 2026");
}

#[test]
fn every_sentence_says_the_same_in_every_language() {
    let names = |text: &str| {
        let mut names: Vec<String> = text
            .split('{')
            .skip(1)
            .map(|rest| rest.split_once('}').map(|(name, _)| name.to_owned()).expect("braces are closed"))
            .collect();
        names.sort();
        names
    };
    let tables = [texts::order::ALL, texts::decisions::ALL, texts::balance::ALL];
    for (name, sentence) in tables.into_iter().flatten() {
        let english = names(sentence.0[3]);
        for (language, text) in Language::ALL.into_iter().zip(sentence.0) {
            assert!(!text.is_empty() && text.trim() == text, "{name} in {language:?}");
            assert_eq!(names(text), english, "{name} in {language:?}");
            assert_eq!(text.ends_with('.'), sentence.0[3].ends_with('.'), "{name} in {language:?}");
        }
    }
}

#[test]
fn what_is_filled_in_is_not_looked_into() {
    let parts = [("title", "{code} {"), ("code", "AB"), ("state", "")];
    assert_eq!(texts::order::REWARD.say(Language::English, &parts), "Reward {code} {, code AB: .");
}
