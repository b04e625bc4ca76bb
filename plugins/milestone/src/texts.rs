//! What a member is told about a milestone: the built-in texts in five languages, and what stands for the placeholders in them.

use crate::OwnTexts;
use perkgate::texts::{Text, choose, counted, points, purchases};
use perkgate::{Facts, Merchant, Message, Refusal, money};

/// What was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    /// The visit with this number.
    Visit(i64),
    /// So much altogether, minor units of the merchant's currency.
    Spent(i64),
    /// So many years with the shop.
    Years(i64),
}

impl Reached {
    fn key(self) -> &'static str {
        match self {
            Self::Visit(_) => "milestone-visit",
            Self::Spent(_) => "milestone-spent",
            Self::Years(_) => "milestone-anniversary",
        }
    }

    /// For whoever asks why points were given.
    pub(crate) fn reason(self, merchant: &Merchant) -> String {
        match self {
            Self::Visit(number) => format!("Milestone: {}", purchases("en", number)),
            Self::Spent(minor) => format!("Milestone: {} spent", money::plain(minor, merchant)),
            Self::Years(number) => format!("Milestone: {} with the shop", years("en", number)),
        }
    }

    /// Subject and sentence; English for languages that have none.
    fn built_in(self, language: &str) -> (&'static str, &'static str) {
        match (self, language) {
            (Self::Visit(_), "cs") => ("Děkujeme, že se k nám vracíte", "Máte u nás už {purchases}."),
            (Self::Visit(_), "sk") => ("Ďakujeme, že sa k nám vraciate", "Máte u nás už {purchases}."),
            (Self::Visit(_), "pl") => ("Dziękujemy, że do nas wracasz", "Masz u nas już {purchases}."),
            (Self::Visit(_), "de") => ("Danke, dass Sie wiederkommen", "Das sind schon {purchases} bei uns."),
            (Self::Visit(_), _) => ("Thank you for coming back", "You have made {purchases} with us."),
            (Self::Spent(_), "cs") => ("Děkujeme za důvěru", "Nakoupili jste u nás už za {amount}."),
            (Self::Spent(_), "sk") => ("Ďakujeme za dôveru", "Nakúpili ste u nás už za {amount}."),
            (Self::Spent(_), "pl") => ("Dziękujemy za zaufanie", "Suma Twoich zakupów u nas to już {amount}."),
            (Self::Spent(_), "de") => ("Danke für Ihr Vertrauen", "Sie haben bei uns schon für {amount} eingekauft."),
            (Self::Spent(_), _) => ("Thank you for your trust", "You have spent {amount} with us."),
            (Self::Years(_), "cs") => ("Máme společné výročí", "Jste s námi už {years}."),
            (Self::Years(_), "sk") => ("Máme spoločné výročie", "Ste s nami už {years}."),
            (Self::Years(_), "pl") => ("Mamy wspólną rocznicę", "Jesteś z nami już {years}."),
            (Self::Years(_), "de") => ("Wir feiern ein Jubiläum", "Sie sind schon {years} bei uns."),
            (Self::Years(_), _) => ("We have an anniversary", "You have been with us for {years}."),
        }
    }

    fn value(self, language: &str, merchant: &Merchant) -> (&'static str, String) {
        match self {
            Self::Visit(number) => ("purchases", purchases(language, number)),
            Self::Spent(minor) => ("amount", money::of_merchant(language, minor, merchant)),
            Self::Years(number) => ("years", years(language, number)),
        }
    }
}

/// What is said about a gift.
fn thanks(language: &str) -> &'static str {
    match language {
        "cs" => "Jako poděkování máme pro vás: {gift}.",
        "sk" => "Ako poďakovanie máme pre vás: {gift}.",
        "pl" => "W podziękowaniu mamy dla Ciebie: {gift}.",
        "de" => "Als Dankeschön haben wir für Sie: {gift}.",
        _ => "To thank you, we have for you: {gift}.",
    }
}

fn years(language: &str, number: i64) -> String {
    let forms = match perkgate::locale::language(language) {
        "cs" => ["rok", "roky", "let"],
        "sk" => ["rok", "roky", "rokov"],
        "pl" => ["rok", "lata", "lat"],
        "de" => ["Jahr", "Jahre", "Jahre"],
        _ => ["year", "years", "years"],
    };
    counted(language, number, forms)
}

/// The message about a milestone and its gift. Built-in texts speak of a gift only where there is one.
pub(crate) fn message(
    reached: Reached,
    earned: Option<i64>,
    reward: Option<&str>,
    facts: &Facts,
    own: &OwnTexts,
) -> Result<Message, Refusal> {
    let own = match reached {
        Reached::Visit(_) => &own.visits,
        Reached::Spent(_) => &own.spent,
        Reached::Years(_) => &own.anniversaries,
    };
    let (language, text) = choose(facts, own, |language| {
        let (subject, sentence) = reached.built_in(language);
        let thanks = if earned.is_some() || reward.is_some() { thanks(language) } else { "" };
        let parts: Vec<&str> = [sentence, thanks, "{shop}"].into_iter().filter(|part| !part.is_empty()).collect();
        Text { subject: subject.to_owned(), text: parts.join(" ") }
    });
    let earned = earned.map(|number| points(language, number));
    let gift: Vec<String> = earned.into_iter().chain(reward.map(str::to_owned)).collect();
    let values = [reached.value(language, &facts.merchant), ("gift", gift.join(" + "))];
    text.message(reached.key(), language, &facts.merchant, &values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use perkgate::sample;
    use perkgate::texts::LANGUAGES;

    fn said(reached: Reached, language: &str, earned: Option<i64>, reward: Option<&str>) -> String {
        let mut facts = sample::facts_with_member();
        facts.member.as_mut().expect("a member").locale = Some(language.to_owned());
        let message = message(reached, earned, reward, &facts, &OwnTexts::default()).expect(language);
        message.text.replace('\u{a0}', " ")
    }

    #[test]
    fn every_built_in_text_fills_in() {
        for reached in [Reached::Visit(10), Reached::Spent(10_000), Reached::Years(3)] {
            for language in LANGUAGES {
                let said = said(reached, language, Some(50), Some("Free coffee"));
                assert!(said.ends_with("Kaváreň pri moste") && !said.contains('{'), "{said}");
                assert!(said.contains("50 ") && said.contains(" + Free coffee."), "{said}");
                assert!(language == "en" || reached.built_in(language) != reached.built_in("en"), "{language}");
            }
        }
    }

    #[test]
    fn years_follow_the_number_and_no_gift_is_not_spoken_of() {
        let said = |language, number| said(Reached::Years(number), language, None, None);
        assert_eq!(said("cs", 5), "Jste s námi už 5 let. Kaváreň pri moste");
        assert_eq!(said("sk", 1), "Ste s nami už 1 rok. Kaváreň pri moste");
        assert_eq!(said("pl", 22), "Jesteś z nami już 22 lata. Kaváreň pri moste");
        assert_eq!(said("de", 2), "Sie sind schon 2 Jahre bei uns. Kaváreň pri moste");
        assert_eq!(said("en", 1), "You have been with us for 1 year. Kaváreň pri moste");
    }
}
