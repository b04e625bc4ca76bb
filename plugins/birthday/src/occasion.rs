//! What a member is told for the birthday, in five languages.

use perkgate::texts::Text;

/// What there is to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Occasion {
    /// The birthday is still to come.
    pub(crate) ahead: bool,
    /// There is something to give.
    pub(crate) gift: bool,
}

impl Occasion {
    /// The built-in text; English for languages that have none. Where names are inflected the shop only signs.
    pub(crate) fn built_in(self, language: &str) -> Text {
        let (subject, wish) = match (language, self.ahead) {
            ("cs", false) => ("Všechno nejlepší", "Všechno nejlepší k narozeninám!"),
            ("cs", true) => ("Blíží se vaše narozeniny", "Dne {date} slavíte narozeniny."),
            ("sk", false) => ("Všetko najlepšie", "Všetko najlepšie k narodeninám!"),
            ("sk", true) => ("Blížia sa vaše narodeniny", "Dňa {date} oslavujete narodeniny."),
            ("pl", false) => ("Wszystkiego najlepszego", "Wszystkiego najlepszego z okazji urodzin!"),
            ("pl", true) => ("Zbliżają się Twoje urodziny", "Dnia {date} obchodzisz urodziny."),
            ("de", false) => ("Alles Gute zum Geburtstag", "Alles Gute zum Geburtstag!"),
            ("de", true) => ("Ihr Geburtstag steht bevor", "Am {date} feiern Sie Geburtstag."),
            (_, false) => ("Happy birthday", "Happy birthday!"),
            (_, true) => ("Your birthday is coming", "You celebrate your birthday on {date}."),
        };
        let gift = match language {
            _ if !self.gift => "",
            "cs" => " Náš dárek pro vás: {gift}.",
            "sk" => " Náš darček pre vás: {gift}.",
            "pl" => " Nasz prezent dla Ciebie: {gift}.",
            "de" => " Unser Geschenk für Sie: {gift}.",
            _ => " Our gift for you: {gift}.",
        };
        Text { subject: subject.to_owned(), text: format!("{wish}{gift} {{shop}}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use perkgate::texts::LANGUAGES;

    #[test]
    fn every_built_in_text_is_translated_and_fills_in() {
        let values = [("gift", "100".to_owned()), ("date", "8. 3.".to_owned())];
        for (ahead, gift) in [(false, false), (false, true), (true, false), (true, true)] {
            let occasion = Occasion { ahead, gift };
            for language in LANGUAGES {
                let text = occasion.built_in(language);
                let filled = text.filled("birthday", &perkgate::sample::merchant(), &values).expect(language).text;
                assert!(filled.ends_with(" Kaváreň pri moste") && !filled.contains('{'), "{filled}");
                assert_eq!((filled.contains("8. 3."), filled.contains("100")), (ahead, gift), "{filled}");
                assert!(language == "en" || text != occasion.built_in("en"), "{language}");
            }
        }
    }
}
