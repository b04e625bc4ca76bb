//! What a new member is told, in five languages. Where names are inflected the shop only signs.

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// They are new.
    Welcome,
    /// They are new, and get something.
    WelcomeGift,
    /// They have not bought anything yet.
    Reminder,
}

impl Occasion {
    /// The message's key in reports.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Welcome | Self::WelcomeGift => "welcome",
            Self::Reminder => "reminder",
        }
    }

    /// Subject and text; English for languages that have none.
    pub(crate) fn built_in(self, language: &str) -> (&'static str, &'static str) {
        match (self, language) {
            (Self::Welcome, "cs") => ("Vítejte", "Vítejte u nás! Těšíme se na vás, {shop}."),
            (Self::Welcome, "sk") => ("Vitajte", "Vitajte u nás! Tešíme sa na vás, {shop}."),
            (Self::Welcome, "pl") => ("Witamy", "Miło, że jesteś z nami! Do zobaczenia, {shop}."),
            (Self::Welcome, "de") => ("Herzlich willkommen", "Herzlich willkommen bei {shop}! Bis bald."),
            (Self::Welcome, _) => ("Welcome", "Welcome to {shop}! See you soon."),
            (Self::WelcomeGift, "cs") => (
                "Vítejte",
                "Vítejte u nás! Jako dárek na uvítanou jsme pro vás připravili: {gift}. Těšíme se na vás, {shop}.",
            ),
            (Self::WelcomeGift, "sk") => (
                "Vitajte",
                "Vitajte u nás! Ako darček na privítanie sme pre vás pripravili: {gift}. Tešíme sa na vás, {shop}.",
            ),
            (Self::WelcomeGift, "pl") => {
                ("Witamy", "Miło, że jesteś z nami! Twój prezent powitalny: {gift}. Do zobaczenia, {shop}.")
            }
            (Self::WelcomeGift, "de") => {
                ("Herzlich willkommen", "Herzlich willkommen bei {shop}! Ihr Willkommensgeschenk: {gift}. Bis bald.")
            }
            (Self::WelcomeGift, _) => ("Welcome", "Welcome to {shop}! Your welcome gift: {gift}. See you soon."),
            (Self::Reminder, "cs") => {
                ("Těšíme se na vás", "Zatím jste u nás nic nekoupili. Přijďte se podívat, budeme rádi! {shop}")
            }
            (Self::Reminder, "sk") => {
                ("Tešíme sa na vás", "Zatiaľ ste u nás nič nekúpili. Príďte sa pozrieť, budeme radi! {shop}")
            }
            (Self::Reminder, "pl") => {
                ("Czekamy na Ciebie", "Pierwszy zakup u nas jeszcze przed Tobą. Zapraszamy! {shop}")
            }
            (Self::Reminder, "de") => (
                "Wir freuen uns auf Sie",
                "Sie haben bei uns noch nichts eingekauft. Schauen Sie doch einmal vorbei! {shop}",
            ),
            (Self::Reminder, _) => (
                "We look forward to seeing you",
                "You have not bought anything from us yet. Come and have a look! {shop}",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use perkgate::texts::{LANGUAGES, Text};

    #[test]
    fn every_built_in_text_is_translated_and_fills_in() {
        let merchant = perkgate::sample::merchant();
        for occasion in [Occasion::Welcome, Occasion::WelcomeGift, Occasion::Reminder] {
            for language in LANGUAGES {
                let text = Text::from(occasion.built_in(language));
                let gift = (occasion == Occasion::WelcomeGift).then(|| ("gift", "100".to_owned()));
                let filled = text.filled("welcome", &merchant, gift.as_slice()).expect(language);
                assert!(filled.text.contains("Kaváreň pri moste") && !filled.text.contains('{'), "{filled:?}");
                assert_eq!(filled.text.contains("100"), occasion == Occasion::WelcomeGift);
                assert!(language == "en" || occasion.built_in(language) != occasion.built_in("en"), "{language}");
            }
        }
    }
}
