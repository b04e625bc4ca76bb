//! What a member is told, in five languages, and what the things in a wallet are called.

use perkgate::{money, texts};
use std::collections::BTreeMap;

/// The merchant's names, by wallet and language: the word for one, for a few and for many.
pub(crate) type WalletNames = BTreeMap<String, BTreeMap<String, [String; 3]>>;

/// So many of what is in a wallet: the merchant's word for it, else the built-in one, else the wallet's own name.
pub(crate) fn amount(names: &WalletNames, wallet: &str, language: &str, amount: i64) -> String {
    if let Some([one, few, many]) = names.get(wallet).and_then(|names| names.get(language)) {
        return texts::counted(language, amount, [one, few, many]);
    }
    match (wallet, language) {
        ("points", _) => texts::points(language, amount),
        ("stamps", "cs") => texts::counted(language, amount, ["razítko", "razítka", "razítek"]),
        ("stamps", "sk") => texts::counted(language, amount, ["pečiatka", "pečiatky", "pečiatok"]),
        ("stamps", "pl") => texts::counted(language, amount, ["pieczątka", "pieczątki", "pieczątek"]),
        ("stamps", "de") => texts::counted(language, amount, ["Stempel", "Stempel", "Stempel"]),
        ("stamps", _) => texts::counted(language, amount, ["stamp", "stamps", "stamps"]),
        _ => format!("{} {wallet}", money::number(language, amount)),
    }
}

/// Subject and text; English for languages that have none. What is counted stands behind a colon, because its case and its verb would
/// follow the number. Where names are inflected the shop only signs.
pub(crate) fn built_in(language: &str, several_days: bool) -> (&'static str, &'static str) {
    match (language, several_days) {
        ("cs", false) => {
            ("Brzy končí platnost: {amount}", "Nezapomeňte využít: {amount}. Platnost končí {date}. {shop}")
        }
        ("cs", true) => (
            "Brzy končí platnost: {amount}",
            "Nezapomeňte využít: {amount}. Platnost končí postupně od {date} do {last}. {shop}",
        ),
        ("sk", false) => {
            ("Čoskoro sa končí platnosť: {amount}", "Nezabudnite využiť: {amount}. Platnosť sa končí {date}. {shop}")
        }
        ("sk", true) => (
            "Čoskoro sa končí platnosť: {amount}",
            "Nezabudnite využiť: {amount}. Platnosť sa končí postupne od {date} do {last}. {shop}",
        ),
        ("pl", false) => (
            "Wkrótce kończy się ważność: {amount}",
            "Pamiętaj, aby wykorzystać: {amount}. Ważność kończy się {date}. {shop}",
        ),
        ("pl", true) => (
            "Wkrótce kończy się ważność: {amount}",
            "Pamiętaj, aby wykorzystać: {amount}. Ważność kończy się kolejno od {date} do {last}. {shop}",
        ),
        ("de", false) => {
            ("Bald nicht mehr gültig: {amount}", "Bitte denken Sie ans Einlösen: {amount}. Gültig bis {date}. {shop}")
        }
        ("de", true) => (
            "Bald nicht mehr gültig: {amount}",
            "Bitte denken Sie ans Einlösen: {amount}. Die Gültigkeit endet nach und nach vom {date} bis zum {last}. {shop}",
        ),
        (_, false) => ("Expiring soon: {amount}", "Don't forget to use: {amount}. Valid until {date}. {shop}"),
        (_, true) => (
            "Expiring soon: {amount}",
            "Don't forget to use: {amount}. They expire one after another from {date} to {last}. {shop}",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use perkgate::texts::{LANGUAGES, Text};

    #[test]
    fn every_built_in_text_is_translated_and_fills_in() {
        let values = [("amount", "120".to_owned()), ("date", "4. 12.".to_owned()), ("last", "6. 12.".to_owned())];
        for several in [false, true] {
            for language in LANGUAGES {
                let text = Text::from(built_in(language, several));
                let filled = text.filled("x", &perkgate::sample::merchant(), &values).expect(language).text;
                assert!(filled.ends_with(" Kaváreň pri moste") && !filled.contains('{'), "{filled}");
                let has = |part: &str| filled.contains(part);
                assert_eq!((has("120"), has("4. 12."), has("6. 12.")), (true, true, several), "{filled}");
                assert!(language == "en" || built_in(language, several) != built_in("en", several), "{language}");
            }
        }
    }

    #[test]
    fn things_are_called_by_their_name_in_the_right_form() {
        let names: WalletNames = serde_json::from_str(
            r#"{"beans":{"sk":["zrnko","zrnká","zrniek"]},"points":{"sk":["bobek","bobky","bobkov"]}}"#,
        )
        .expect("names");
        let said = |wallet, language, number| amount(&names, wallet, language, number);
        assert_eq!([said("beans", "sk", 3), said("beans", "en", 3)], ["3 zrnká", "3 beans"]);
        assert_eq!([said("points", "sk", 5), said("points", "de", 5)], ["5 bobkov", "5 Punkte"]);
        assert_eq!([said("stamps", "pl", 22), said("stamps", "cs", 1)], ["22 pieczątki", "1 razítko"]);
    }
}
