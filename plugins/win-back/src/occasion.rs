//! What a member who stays away is told, in five languages.

use perkgate::texts::Text;

/// What there is to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Occasion {
    /// It was said before.
    pub(crate) later: bool,
    /// There is something to give.
    pub(crate) gift: bool,
}

impl Occasion {
    /// The built-in text; English for languages that have none. Where names are inflected the shop only signs.
    pub(crate) fn built_in(self, language: &str) -> Text {
        let (subject, missed) = match (language, self.later) {
            ("cs", false) => ("Dlouho jsme vás neviděli", "Dlouho jsme vás neviděli. Zastavte se u nás!"),
            ("cs", true) => ("Chybíte nám", "Už {days} jsme vás neviděli a chybíte nám."),
            ("sk", false) => ("Dlho sme vás nevideli", "Dlho sme vás nevideli. Zastavte sa u nás!"),
            ("sk", true) => ("Chýbate nám", "Už {days} sme vás nevideli a chýbate nám."),
            ("pl", false) => ("Dawno się nie widzieliśmy", "Dawno się nie widzieliśmy. Zajrzyj do nas!"),
            ("pl", true) => ("Tęsknimy za Tobą", "Nie widzieliśmy się już {days} i tęsknimy za Tobą."),
            ("de", false) => (
                "Schön, wenn Sie wiederkommen",
                "Wir haben Sie lange nicht gesehen. Schauen Sie doch wieder einmal vorbei!",
            ),
            ("de", true) => ("Sie fehlen uns", "Wir haben Sie schon {days} nicht gesehen, und Sie fehlen uns."),
            (_, false) => ("It has been a while", "We have not seen you for a while. Come and see us!"),
            (_, true) => ("We miss you", "We have not seen you for {days}, and we miss you."),
        };
        let (gift, bye) = match language {
            "cs" => (" Náš dárek pro vás: {gift}.", "Těšíme se na vás"),
            "sk" => (" Náš darček pre vás: {gift}.", "Tešíme sa na vás"),
            "pl" => (" Nasz prezent dla Ciebie: {gift}.", "Do zobaczenia"),
            "de" => (" Unser Geschenk für Sie: {gift}.", "Bis bald"),
            _ => (" Our gift for you: {gift}.", "See you soon"),
        };
        let gift = if self.gift { gift } else { "" };
        Text { subject: subject.to_owned(), text: format!("{missed}{gift} {bye}, {{shop}}.") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use perkgate::texts::LANGUAGES;

    #[test]
    fn every_built_in_text_is_translated_and_fills_in() {
        let values = [("gift", "100".to_owned()), ("days", "60 d".to_owned())];
        for (later, gift) in [(false, false), (false, true), (true, false), (true, true)] {
            let occasion = Occasion { later, gift };
            for language in LANGUAGES {
                let text = occasion.built_in(language);
                let filled = text.filled("x", &perkgate::sample::merchant(), &values).expect(language).text;
                assert!(filled.ends_with(", Kaváreň pri moste.") && !filled.contains('{'), "{filled}");
                assert_eq!((filled.contains("60 d"), filled.contains("100")), (later, gift), "{filled}");
                assert!(language == "en" || text != occasion.built_in("en"), "{language}");
            }
        }
    }
}
