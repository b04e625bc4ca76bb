//! The built-in texts in five languages, and the placeholders in them.

use perkgate::{Merchant, Refusal, money, plural};
use serde::Deserialize;

/// The languages of the built-in texts.
pub(crate) const LANGUAGES: [&str; 5] = ["cs", "sk", "pl", "en", "de"];

/// What a member is thanked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// The first purchase.
    FirstPurchase,
    /// The visit with this number.
    Visit(i64),
    /// An amount spent altogether, minor units of the merchant's currency.
    Milestone(i64),
}

/// A message before its placeholders are filled in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Text {
    pub(crate) subject: String,
    pub(crate) text: String,
}

impl Occasion {
    /// The message's key in reports.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::FirstPurchase => "first-purchase",
            Self::Visit(_) => "visit",
            Self::Milestone(_) => "milestone",
        }
    }

    /// The built-in text; English for languages that have none. Where names are inflected the shop only signs.
    pub(crate) fn built_in(self, language: &str) -> Text {
        let (subject, text) = match (self, language) {
            (Self::FirstPurchase, "cs") => {
                ("Děkujeme za první nákup", "Děkujeme za váš první nákup. Těšíme se na vás příště! {shop}")
            }
            (Self::FirstPurchase, "sk") => {
                ("Ďakujeme za prvý nákup", "Ďakujeme za váš prvý nákup. Tešíme sa na vás nabudúce! {shop}")
            }
            (Self::FirstPurchase, "pl") => {
                ("Dziękujemy za pierwszy zakup", "Dziękujemy za pierwszy zakup. Do zobaczenia! {shop}")
            }
            (Self::FirstPurchase, "de") => {
                ("Danke für Ihren ersten Einkauf", "Danke für Ihren ersten Einkauf bei {shop}. Bis bald!")
            }
            (Self::FirstPurchase, _) => {
                ("Thank you for your first purchase", "Thank you for your first purchase at {shop}. See you soon!")
            }
            (Self::Visit(_), "cs") => ("Jste u nás jako doma", "Máte u nás už {purchases}. Děkujeme, {shop}."),
            (Self::Visit(_), "sk") => ("Ste u nás ako doma", "Máte u nás už {purchases}. Ďakujeme, {shop}."),
            (Self::Visit(_), "pl") => {
                ("Dziękujemy, że jesteś z nami", "Masz u nas już {purchases}. Dziękujemy, {shop}.")
            }
            (Self::Visit(_), "de") => ("Danke für Ihre Treue", "Das sind schon {purchases} bei uns. Danke, {shop}."),
            (Self::Visit(_), _) => {
                ("Thank you for coming back", "You have made {purchases} with us. Thank you, {shop}.")
            }
            (Self::Milestone(_), "cs") => {
                ("Děkujeme za věrnost", "Nakoupili jste u nás už za {amount}. Děkujeme, {shop}.")
            }
            (Self::Milestone(_), "sk") => {
                ("Ďakujeme za vernosť", "Nakúpili ste u nás už za {amount}. Ďakujeme, {shop}.")
            }
            (Self::Milestone(_), "pl") => {
                ("Dziękujemy za zaufanie", "Suma zakupów u nas to już {amount}. Dziękujemy, {shop}.")
            }
            (Self::Milestone(_), "de") => {
                ("Danke für Ihr Vertrauen", "Sie haben bei uns schon für {amount} eingekauft. Danke, {shop}.")
            }
            (Self::Milestone(_), _) => {
                ("Thank you for your loyalty", "You have spent {amount} with us. Thank you, {shop}.")
            }
        };
        Text { subject: subject.to_owned(), text: text.to_owned() }
    }

    /// What a placeholder stands for, if the occasion has it.
    fn value(self, name: &str, language: &str, merchant: &Merchant) -> Option<String> {
        match (name, self) {
            ("shop", _) => Some(merchant.name.clone()),
            ("visits", Self::Visit(number)) => Some(number.to_string()),
            ("purchases", Self::Visit(number)) => Some(format!("{number} {}", purchases(language, number))),
            ("amount", Self::Milestone(minor)) => Some(money::of_merchant(language, minor, merchant)),
            _ => None,
        }
    }
}

/// The word for so many purchases.
fn purchases(language: &str, number: i64) -> &'static str {
    let forms = match language {
        "cs" => ["nákup", "nákupy", "nákupů"],
        "sk" => ["nákup", "nákupy", "nákupov"],
        "pl" => ["zakup", "zakupy", "zakupów"],
        "de" => ["Einkauf", "Einkäufe", "Einkäufe"],
        _ => ["purchase", "purchases", "purchases"],
    };
    plural::choose(language, number, forms)
}

/// Fills the placeholders in. What they stand for is not read for placeholders again.
pub(crate) fn fill(template: &str, occasion: Occasion, language: &str, merchant: &Merchant) -> Result<String, Refusal> {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}').unwrap_or((after, ""));
        let value = occasion.value(name, language, merchant).ok_or_else(|| {
            let key = occasion.key();
            Refusal::not_configured(format!("`{{{name}}}` in a text for `{key}` is no placeholder it has"))
        })?;
        filled.push_str(before);
        filled.push_str(&value);
        rest = behind;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use perkgate::sample;

    #[test]
    fn every_built_in_text_fills_in() {
        for occasion in [Occasion::FirstPurchase, Occasion::Visit(10), Occasion::Milestone(10_000)] {
            for language in LANGUAGES {
                let text = occasion.built_in(language);
                let filled = fill(&text.text, occasion, language, &sample::merchant()).expect(language);
                assert!(filled.contains("Kaváreň pri moste") && !filled.contains('{'), "{filled}");
                assert!(language == "en" || text.text != occasion.built_in("en").text, "{language} is translated");
            }
        }
    }

    #[test]
    fn the_word_follows_the_number() {
        let said = |language, number| {
            fill("{purchases}", Occasion::Visit(number), language, &sample::merchant()).expect(language)
        };
        assert_eq!([said("sk", 1), said("sk", 3), said("sk", 5)], ["1 nákup", "3 nákupy", "5 nákupov"]);
        assert_eq!([said("cs", 2), said("cs", 22)], ["2 nákupy", "22 nákupů"]);
        assert_eq!([said("pl", 12), said("pl", 22), said("pl", 25)], ["12 zakupów", "22 zakupy", "25 zakupów"]);
        assert_eq!([said("en", 1), said("en", 10), said("de", 10)], ["1 purchase", "10 purchases", "10 Einkäufe"]);
    }

    #[test]
    fn an_unknown_placeholder_is_named_and_a_shop_is_not_a_template() {
        let merchant = sample::merchant();
        for template in ["{name}", "{amount}", "{shop"] {
            let refused = fill(template, Occasion::Visit(2), "en", &merchant);
            if template == "{shop" {
                // A brace that is never closed still names its placeholder.
                assert_eq!(refused, Ok(merchant.name.clone()));
            } else {
                assert!(matches!(refused, Err(Refusal::NotConfigured(why)) if why.contains(template)));
            }
        }
        let tricky = Merchant { name: "{visits}".to_owned(), ..merchant };
        assert_eq!(fill("{shop}", Occasion::Visit(2), "en", &tricky), Ok("{visits}".to_owned()));
    }
}
