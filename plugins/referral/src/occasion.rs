//! What friends, referrers and those who might become one are told, in five languages.

use perkgate::texts::Text;

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// A friend's gift.
    Friend,
    /// A referrer's gift.
    Referrer,
    /// The member's own code, and whether there are gifts for either side.
    Invite { friend: bool, referrer: bool },
}

impl Occasion {
    /// The message's key in reports.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Friend => "referral-friend",
            Self::Referrer => "referral",
            Self::Invite { .. } => "referral-invite",
        }
    }

    /// The built-in text; English for languages that have none. Where names are inflected the shop only signs.
    pub(crate) fn built_in(self, language: &str) -> Text {
        match self {
            Self::Friend => friend(language).into(),
            Self::Referrer => referrer(language).into(),
            Self::Invite { friend, referrer } => invite(language, friend, referrer),
        }
    }
}

fn friend(language: &str) -> (&'static str, &'static str) {
    match language {
        "cs" => (
            "Děkujeme, že jste přišli",
            "Přišli jste k nám na doporučení. Náš dárek pro vás: {gift}. Děkujeme, {shop}.",
        ),
        "sk" => (
            "Ďakujeme, že ste prišli",
            "Prišli ste k nám na odporúčanie. Náš darček pre vás: {gift}. Ďakujeme, {shop}.",
        ),
        "pl" => (
            "Dziękujemy za pierwsze zakupy",
            "Jesteś u nas z polecenia. Nasz prezent dla Ciebie: {gift}. Dziękujemy, {shop}.",
        ),
        "de" => (
            "Schön, dass Sie da sind",
            "Sie sind auf Empfehlung zu uns gekommen. Unser Geschenk für Sie: {gift}. Danke, {shop}.",
        ),
        _ => (
            "Thank you for coming",
            "You came to us on a friend's recommendation. Our gift for you: {gift}. Thank you, {shop}.",
        ),
    }
}

fn referrer(language: &str) -> (&'static str, &'static str) {
    match language {
        "cs" => (
            "Děkujeme za doporučení",
            "Na vaše doporučení u nás nakoupil někdo z vašich přátel. Děkujeme! Náš dárek pro vás: {gift}. {shop}",
        ),
        "sk" => (
            "Ďakujeme za odporúčanie",
            "Na vaše odporúčanie u nás nakúpil niekto z vašich priateľov. Ďakujeme! Náš darček pre vás: {gift}. {shop}",
        ),
        "pl" => (
            "Dziękujemy za polecenie",
            "Ktoś z Twoich znajomych zrobił u nas pierwsze zakupy. Dziękujemy za polecenie! Nasz prezent dla Ciebie: \
             {gift}. {shop}",
        ),
        "de" => (
            "Danke für Ihre Empfehlung",
            "Jemand aus Ihrem Freundeskreis hat zum ersten Mal bei uns eingekauft. Danke für Ihre Empfehlung! Unser \
             Geschenk für Sie: {gift}. {shop}",
        ),
        _ => (
            "Thank you for recommending us",
            "Your friend has made a first purchase with us. Thank you for recommending us! Our gift for you: {gift}. \
             {shop}",
        ),
    }
}

fn invite(language: &str, friend: bool, referrer: bool) -> Text {
    let (subject, text, for_friend, for_referrer, thanks) = match language {
        "cs" => (
            "Řekněte o nás přátelům",
            "Řekněte o nás přátelům a dejte jim svůj kód {code}.",
            " Pro ně: {friend_gift}.",
            " Pro vás: {gift}.",
            "Děkujeme",
        ),
        "sk" => (
            "Povedzte o nás priateľom",
            "Povedzte o nás priateľom a dajte im svoj kód {code}.",
            " Pre nich: {friend_gift}.",
            " Pre vás: {gift}.",
            "Ďakujeme",
        ),
        "pl" => (
            "Opowiedz o nas znajomym",
            "Opowiedz o nas znajomym i podaj im swój kod {code}.",
            " Dla nich: {friend_gift}.",
            " Dla Ciebie: {gift}.",
            "Dziękujemy",
        ),
        "de" => (
            "Erzählen Sie von uns",
            "Erzählen Sie Ihren Freunden von uns und geben Sie ihnen Ihren Code {code}.",
            " Für Ihre Freunde: {friend_gift}.",
            " Für Sie: {gift}.",
            "Danke",
        ),
        _ => (
            "Tell your friends about us",
            "Tell your friends about us and give them your code {code}.",
            " For them: {friend_gift}.",
            " For you: {gift}.",
            "Thank you",
        ),
    };
    let (for_friend, for_referrer) = (if friend { for_friend } else { "" }, if referrer { for_referrer } else { "" });
    Text { subject: subject.to_owned(), text: format!("{text}{for_friend}{for_referrer} {thanks}, {{shop}}.") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use perkgate::texts::LANGUAGES;

    #[test]
    fn every_built_in_text_is_translated_and_fills_in() {
        let gifts = [("gift", "100".to_owned()), ("friend_gift", "50".to_owned()), ("code", "REF1".to_owned())];
        let invites = [(false, false), (true, false), (false, true), (true, true)];
        let invites = invites.map(|(friend, referrer)| Occasion::Invite { friend, referrer });
        for occasion in [Occasion::Friend, Occasion::Referrer].into_iter().chain(invites) {
            for language in LANGUAGES {
                let text = occasion.built_in(language);
                let filled = text.filled("x", &perkgate::sample::merchant(), &gifts).expect(language).text;
                assert!(filled.contains("Kaváreň pri moste") && !filled.contains(['{', '\n']), "{filled}");
                assert!(!filled.contains("  "), "{filled}");
                assert!(language == "en" || text != occasion.built_in("en"), "{language}");
                if let Occasion::Invite { friend, referrer } = occasion {
                    let has = |part: &str| filled.contains(part);
                    assert_eq!((has("REF1"), has("50"), has("100")), (true, friend, referrer), "{filled}");
                }
            }
        }
    }
}
