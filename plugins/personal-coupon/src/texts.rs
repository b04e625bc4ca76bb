//! The built-in title and message in five languages; English for languages that have none. Names of items are not inflected, so
//! they stand behind a colon.

/// Placeholders: {percent}, {item}, {until}.
pub(crate) fn title(language: &str) -> &'static str {
    match language {
        "cs" => "Sleva {percent}\u{a0}%: {item}",
        "sk" => "Zľava {percent}\u{a0}%: {item}",
        "pl" => "Rabat {percent}%: {item}",
        "de" => "{percent}\u{a0}% Rabatt: {item}",
        _ => "{percent}% off your favourite: {item}",
    }
}

/// Subject and text; placeholders: {percent}, {item}, {until}.
pub(crate) fn message(language: &str) -> (&'static str, &'static str) {
    match language {
        "cs" => (
            "Sleva na to, co máte rádi",
            "Máme pro vás slevu {percent}\u{a0}% na to, co si u nás kupujete nejraději: {item}. Platí do {until}. {shop}",
        ),
        "sk" => (
            "Zľava na to, čo máte radi",
            "Máme pre vás zľavu {percent}\u{a0}% na to, čo si u nás kupujete najradšej: {item}. Platí do {until}. {shop}",
        ),
        "pl" => (
            "Rabat na to, co lubisz",
            "Mamy dla Ciebie rabat {percent}% na to, co kupujesz u nas najchętniej: {item}. Ważny do {until}. {shop}",
        ),
        "de" => (
            "Rabatt auf Ihren Favoriten",
            "Sie erhalten {percent}\u{a0}% Rabatt auf Ihren Favoriten bei uns: {item}. Gültig bis {until}. {shop}",
        ),
        _ => (
            "Money off your favourite",
            "You get {percent}% off your favourite with us: {item}. Valid until {until}. {shop}",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use perkgate::sample;
    use perkgate::texts::{LANGUAGES, Text, fill};

    #[test]
    fn every_built_in_text_fills_in() {
        let values = [("percent", "20".to_owned()), ("item", "Flat white".to_owned()), ("until", "DAY".to_owned())];
        for language in LANGUAGES {
            let title = fill(title(language), "title", &sample::merchant(), &values).expect(language);
            assert!(title.contains("20") && title.ends_with(": Flat white"), "{title}");
            let text = Text::from(message(language)).filled("message", &sample::merchant(), &values).expect(language);
            assert!(text.text.contains("DAY") && text.text.ends_with("Kaváreň pri moste"), "{}", text.text);
            assert!(language == "en" || message(language) != message("en"), "{language} is translated");
        }
    }
}
