//! Minor units as people write them.
//!
//! Separators, sign order and the smallest grouped number are those of Unicode CLDR for the five languages the stock
//! plugins speak.

use crate::Merchant;

/// No line break may part a number from its currency.
const SPACE: char = '\u{a0}';

/// An amount in minor units as a reader of `language` writes it: 123450 EUR with exponent 2 is `1 234,50 €` in Slovak and
/// `€1,234.50` in English. Languages this does not know are written as English is.
#[must_use]
pub fn format(language: &str, minor: i64, currency: &str, exponent: u8) -> String {
    let language = crate::locale::language(language);
    let places = usize::from(exponent);
    let digits = format!("{:0width$}", minor.unsigned_abs(), width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    let mut number = grouped(language, whole);
    if places > 0 {
        number.push(separators(language).point);
        number.push_str(part);
    }
    let sign = if minor < 0 { "-" } else { "" };
    let symbol = symbol(currency);
    match language {
        "cs" | "sk" | "pl" | "de" => format!("{sign}{number}{SPACE}{symbol}"),
        _ if symbol == currency => format!("{sign}{currency}{SPACE}{number}"),
        _ => format!("{sign}{symbol}{number}"),
    }
}

/// A whole number as a reader of `language` writes it: 1250 is `1 250` in Slovak and `1,250` in English.
#[must_use]
pub fn number(language: &str, number: i64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", grouped(language, &number.unsigned_abs().to_string()))
}

/// An amount in the merchant's currency, as [`format()`] writes it.
#[must_use]
pub fn of_merchant(language: &str, minor: i64, merchant: &Merchant) -> String {
    format(language, minor, &merchant.currency, merchant.exponent)
}

/// An amount as plain decimal text with its currency, for reasons and logs: `1.00 EUR`.
#[must_use]
pub fn plain(minor: i64, merchant: &Merchant) -> String {
    let places = usize::from(merchant.exponent);
    let digits = format!("{:0width$}", minor.unsigned_abs(), width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    let sign = if minor < 0 { "-" } else { "" };
    let point = if places > 0 { "." } else { "" };
    format!("{sign}{whole}{point}{part} {}", merchant.currency)
}

/// How a language writes numbers.
struct Separators {
    group: char,
    point: char,
    /// Digits from which on they are grouped.
    grouped_from: usize,
}

fn separators(language: &str) -> Separators {
    let (group, point, grouped_from) = match crate::locale::language(language) {
        "cs" | "sk" => (SPACE, ',', 4),
        "pl" => (SPACE, ',', 5),
        "de" => ('.', ',', 4),
        _ => (',', '.', 4),
    };
    Separators { group, point, grouped_from }
}

fn grouped(language: &str, digits: &str) -> String {
    let Separators { group, grouped_from, .. } = separators(language);
    let mut number = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) && digits.len() >= grouped_from {
            number.push(group);
        }
        number.push(digit);
    }
    number
}

fn symbol(currency: &str) -> &str {
    match currency {
        "EUR" => "€",
        "CZK" => "Kč",
        "PLN" => "zł",
        "USD" => "$",
        "GBP" => "£",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn each_language_writes_money_its_own_way() {
        let shown =
            |language, minor, currency, exponent| format(language, minor, currency, exponent).replace(SPACE, " ");
        assert_eq!(shown("sk", 123_450, "EUR", 2), "1 234,50 €");
        assert_eq!(shown("cs-CZ", 123_456_700, "CZK", 2), "1 234 567,00 Kč");
        assert_eq!(shown("pl", 123_450, "PLN", 2), "1234,50 zł");
        assert_eq!(shown("pl", 1_234_550, "PLN", 2), "12 345,50 zł");
        assert_eq!(shown("en", 123_450, "EUR", 2), "€1,234.50");
        assert_eq!(shown("en", -5, "CHF", 2), "-CHF 0.05");
        assert_eq!(shown("de", 123_450, "EUR", 2), "1.234,50 €");
        assert_eq!(shown("de", 1500, "JPY", 0), "1.500 JPY");
        assert_eq!(shown("sk", 1500, "KWD", 3), "1,500 KWD");
    }

    #[test]
    fn whole_numbers_are_grouped_alike() {
        let shown = ["sk", "pl", "de", "en"].map(|language| number(language, -1250).replace(SPACE, " "));
        assert_eq!(shown, ["-1 250", "-1250", "-1.250", "-1,250"]);
        assert_eq!([number("en", 0), number("pl", 12_500)], ["0".to_owned(), "12\u{a0}500".to_owned()]);
    }

    #[test]
    fn plain_amounts_need_no_language() {
        assert_eq!(plain(100, &sample::merchant()), "1.00 EUR");
        assert_eq!(plain(-5, &sample::merchant()), "-0.05 EUR");
        assert_eq!(plain(i64::MIN, &sample::merchant()), "-92233720368547758.08 EUR");
    }
}
