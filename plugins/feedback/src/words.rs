//! What members are asked and told, and what the merchant is told, in five languages. Where names are inflected the shop only signs.

use perkgate::Scale;
use perkgate::texts::Text;

/// The question; `thanks` says whether an answer is thanked for with something. English for languages that have none.
pub(crate) fn question(language: &str, scale: Scale, thanks: bool) -> Text {
    let (subject, text) = match scale {
        Scale::Nps => recommend(language),
        Scale::Csat => content(language),
    };
    let gift = match language {
        _ if !thanks => "",
        "cs" => " Za odpověď vám poděkujeme: {gift}.",
        "sk" => " Za odpoveď sa vám poďakujeme: {gift}.",
        "pl" => " W podziękowaniu za odpowiedź: {gift}.",
        "de" => " Als Dank für Ihre Antwort: {gift}.",
        _ => " Our thanks for your answer: {gift}.",
    };
    Text { subject: subject.to_owned(), text: format!("{text} {{link}}{gift} {{shop}}") }
}

fn recommend(language: &str) -> (&'static str, &'static str) {
    match language {
        "cs" => (
            "Doporučili byste nás?",
            "Jak pravděpodobné je, že nás doporučíte přátelům? Stačí číslo od 0 (vůbec) do 10 (určitě):",
        ),
        "sk" => (
            "Odporučili by ste nás?",
            "Aké pravdepodobné je, že nás odporučíte priateľom? Stačí číslo od 0 (vôbec) do 10 (určite):",
        ),
        "pl" => (
            "Czy nas polecisz?",
            "Na ile prawdopodobne jest, że polecisz nas znajomym? Wystarczy liczba od 0 (wcale) do 10 (na pewno):",
        ),
        "de" => (
            "Würden Sie uns empfehlen?",
            "Wie wahrscheinlich ist es, dass Sie uns weiterempfehlen? Eine Zahl von 0 (gar nicht) bis 10 (ganz sicher) genügt:",
        ),
        _ => (
            "Would you recommend us?",
            "How likely are you to recommend us to your friends? A number from 0 (not at all) to 10 (certainly) is enough:",
        ),
    }
}

fn content(language: &str) -> (&'static str, &'static str) {
    match language {
        "cs" => (
            "Jak jste byli spokojeni?",
            "Jak jste byli spokojeni s nákupem u nás? Stačí číslo od 1 (vůbec) do 5 (velmi):",
        ),
        "sk" => {
            ("Ako ste boli spokojní?", "Ako ste boli spokojní s nákupom u nás? Stačí číslo od 1 (vôbec) do 5 (veľmi):")
        }
        "pl" => (
            "Jak oceniasz zakupy?",
            "Jak oceniasz zakupy u nas? Wystarczy liczba od 1 (bardzo źle) do 5 (bardzo dobrze):",
        ),
        "de" => (
            "Wie zufrieden waren Sie?",
            "Wie zufrieden waren Sie mit Ihrem Einkauf bei uns? Eine Zahl von 1 (gar nicht) bis 5 (sehr) genügt:",
        ),
        _ => (
            "How content were you?",
            "How content were you with your purchase? A number from 1 (not at all) to 5 (very) is enough:",
        ),
    }
}

/// Thanks for a delighted answer, with a code if there is one.
pub(crate) fn invitation(language: &str, code: bool) -> Text {
    let (subject, thanks, invited) = match language {
        "cs" => (
            "Děkujeme za hodnocení",
            "Děkujeme za skvělé hodnocení!",
            " Chcete-li nás doporučit přátelům, dejte jim svůj kód {code}.",
        ),
        "sk" => (
            "Ďakujeme za hodnotenie",
            "Ďakujeme za skvelé hodnotenie!",
            " Ak nás chcete odporučiť priateľom, dajte im svoj kód {code}.",
        ),
        "pl" => (
            "Dziękujemy za ocenę",
            "Dziękujemy za świetną ocenę!",
            " Jeśli chcesz nas polecić znajomym, podaj im swój kod {code}.",
        ),
        "de" => (
            "Danke für Ihre Bewertung",
            "Danke für Ihre großartige Bewertung!",
            " Wenn Sie uns weiterempfehlen möchten, geben Sie Ihren Freunden Ihren Code {code}.",
        ),
        _ => (
            "Thank you for your answer",
            "Thank you for your kind answer!",
            " If you would like to recommend us to your friends, give them your code {code}.",
        ),
    };
    let invited = if code { invited } else { "" };
    Text { subject: subject.to_owned(), text: format!("{thanks}{invited} {{shop}}") }
}

/// Title and text of the merchant's task.
pub(crate) fn task(language: &str) -> (&'static str, &'static str) {
    match language {
        "cs" => ("Nespokojený zákazník: {score} z {most}", "Hodnocení: {score} z {most}. Vlastními slovy: {words}"),
        "sk" => ("Nespokojný zákazník: {score} z {most}", "Hodnotenie: {score} z {most}. Vlastnými slovami: {words}"),
        "pl" => ("Niezadowolony klient: {score} na {most}", "Ocena: {score} na {most}. Własnymi słowami: {words}"),
        "de" => {
            ("Unzufriedener Kunde: {score} von {most}", "Bewertung: {score} von {most}. In eigenen Worten: {words}")
        }
        _ => ("A discontented customer: {score} of {most}", "Score: {score} of {most}. In their own words: {words}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use perkgate::texts::LANGUAGES;

    /// What of a text all languages must have, and that it is not the English one.
    fn holds(text: impl Fn(&str) -> Text, parts: &[&str], values: &[(&str, String)]) {
        for language in LANGUAGES {
            let built_in = text(language);
            let filled = built_in.filled("x", &perkgate::sample::merchant(), values).expect(language).text;
            assert!(parts.iter().all(|part| filled.contains(part)), "{filled}");
            assert!(!filled.contains('{') && !filled.contains("  "), "{filled}");
            assert!(language == "en" || built_in != text("en"), "{language}");
        }
    }

    #[test]
    fn every_built_in_text_is_translated_and_fills_in() {
        let values = |names: &[&'static str]| -> Vec<(&'static str, String)> {
            names.iter().map(|name| (*name, format!("<{name}>"))).collect()
        };
        let shop = "Kaváreň pri moste";
        for scale in [Scale::Nps, Scale::Csat] {
            holds(|language| question(language, scale, false), &["<link>", shop], &values(&["link"]));
            let gift = ["<link>", "<gift>", shop];
            holds(|language| question(language, scale, true), &gift, &values(&["link", "gift"]));
        }
        holds(|language| invitation(language, true), &["<code>", shop], &values(&["code"]));
        holds(|language| invitation(language, false), &[shop], &[]);
        let task_of = |language: &str| Text::from(task(language));
        holds(task_of, &["<score>", "<most>", "<words>"], &values(&["score", "most", "words"]));
    }
}
