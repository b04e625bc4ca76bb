//! What a member is thanked for: the built-in texts in five languages, and what stands for the placeholders in them.

use perkgate::{Merchant, money, texts};

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
    pub(crate) fn built_in(self, language: &str) -> (&'static str, &'static str) {
        match (self, language) {
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
        }
    }

    /// What its placeholders stand for.
    pub(crate) fn values(self, language: &str, merchant: &Merchant) -> Vec<(&'static str, String)> {
        match self {
            Self::FirstPurchase => Vec::new(),
            Self::Visit(number) => {
                vec![("visits", number.to_string()), ("purchases", texts::purchases(language, number))]
            }
            Self::Milestone(minor) => vec![("amount", money::of_merchant(language, minor, merchant))],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use perkgate::sample;
    use perkgate::texts::{LANGUAGES, Text};

    #[test]
    fn every_built_in_text_fills_in() {
        for occasion in [Occasion::FirstPurchase, Occasion::Visit(10), Occasion::Milestone(10_000)] {
            for language in LANGUAGES {
                let text = Text::from(occasion.built_in(language));
                let values = occasion.values(language, &sample::merchant());
                let filled = text.filled(occasion.key(), &sample::merchant(), &values).expect(language);
                assert!(filled.text.contains("Kaváreň pri moste") && !filled.text.contains('{'), "{filled:?}");
                assert!(language == "en" || text.text != occasion.built_in("en").1, "{language} is translated");
            }
        }
    }
}
