//! What a member reads: a plugin's built-in texts or the merchant's own, in the member's language, with their placeholders
//! filled in; and the words that stand in many of them.
//!
//! A placeholder is a name in braces: `{shop}` is the shop's name in every text, others are the rule's.

use crate::{Date, Facts, Merchant, Message, Refusal, locale, money, plural};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The languages the stock plugins have texts in.
pub const LANGUAGES: [&str; 5] = ["cs", "sk", "pl", "en", "de"];

/// What the merchant wrote, by language (`sk`, `hu`): messages, or lines such as titles.
pub type Own<T = Text> = BTreeMap<String, T>;

/// What a placeholder stands for, by its name.
pub type Values<'a> = &'a [(&'a str, String)];

/// A message before its placeholders are filled in, or after. In settings `{ "subject": "…", "text": "…" }`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

/// Subject and text.
impl From<(&str, &str)> for Text {
    fn from((subject, text): (&str, &str)) -> Self {
        Self { subject: subject.to_owned(), text: text.to_owned() }
    }
}

impl Text {
    /// The text with its placeholders filled in; `key` names it in a complaint.
    ///
    /// # Errors
    /// As [`fill`].
    pub fn filled(&self, key: &str, merchant: &Merchant, values: Values<'_>) -> Result<Self, Refusal> {
        let fill = |template| fill(template, key, merchant, values);
        Ok(Self { subject: fill(&self.subject)?, text: fill(&self.text)? })
    }

    /// A message of it, named `key` in reports.
    ///
    /// # Errors
    /// As [`fill`].
    pub fn message(
        &self,
        key: &str,
        language: &str,
        merchant: &Merchant,
        values: Values<'_>,
    ) -> Result<Message, Refusal> {
        let Self { subject, text } = self.filled(key, merchant, values)?;
        Ok(Message::new(key, language, subject, text))
    }
}

/// The language to write to the member in: what [`locale::choose`] chooses from those the merchant wrote in and [`LANGUAGES`].
#[must_use]
pub fn language<'a, T>(facts: &Facts, own: &'a Own<T>) -> &'a str {
    let known: Vec<&str> = own.keys().map(String::as_str).chain(LANGUAGES).collect();
    locale::choose(facts, &known)
}

/// That [`language()`], and the text: the merchant's own if there is one in it, else the built-in one, for which `built_in` is told
/// the language.
#[must_use]
pub fn choose<'a, T: Clone, B: Into<T>>(
    facts: &Facts,
    own: &'a Own<T>,
    built_in: impl FnOnce(&str) -> B,
) -> (&'a str, T) {
    let language = language(facts, own);
    (language, own.get(language).cloned().unwrap_or_else(|| built_in(language).into()))
}

/// Fills the placeholders of a text in. What they stand for is not read for placeholders again.
///
/// # Errors
/// [`Refusal::NotConfigured`] if a placeholder is neither `{shop}` nor one of `values`; `key` says whose text it is.
pub fn fill(template: &str, key: &str, merchant: &Merchant, values: Values<'_>) -> Result<String, Refusal> {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        // A brace that is never closed still names its placeholder.
        let (name, behind) = after.split_once('}').unwrap_or((after, ""));
        filled.push_str(before);
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => filled.push_str(value),
            None if name == "shop" => filled.push_str(&merchant.name),
            None => {
                let known: Vec<String> = values.iter().map(|(known, _)| format!(", {{{known}}}")).collect();
                return Err(Refusal::not_configured(format!(
                    "`{{{name}}}` in a text for `{key}` is no placeholder it has: {{shop}}{}",
                    known.concat()
                )));
            }
        }
        rest = behind;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// A number with the form of a word that goes with it: `5 nákupov`. The forms are those of [`plural::choose`].
#[must_use]
pub fn counted(language: &str, number: i64, forms: [&str; 3]) -> String {
    format!("{} {}", money::number(language, number), plural::choose(language, number, forms))
}

/// So many points, as a subject or an object: `1 bod`, `1 250 punktów`.
#[must_use]
pub fn points(language: &str, number: i64) -> String {
    let forms = match locale::language(language) {
        "cs" => ["bod", "body", "bodů"],
        "sk" => ["bod", "body", "bodov"],
        "pl" => ["punkt", "punkty", "punktów"],
        "de" => ["Punkt", "Punkte", "Punkte"],
        _ => ["point", "points", "points"],
    };
    counted(language, number, forms)
}

/// So many purchases, as a subject or an object: `1 nákup`, `5 Einkäufe`.
#[must_use]
pub fn purchases(language: &str, number: i64) -> String {
    let forms = match locale::language(language) {
        "cs" => ["nákup", "nákupy", "nákupů"],
        "sk" => ["nákup", "nákupy", "nákupov"],
        "pl" => ["zakup", "zakupy", "zakupów"],
        "de" => ["Einkauf", "Einkäufe", "Einkäufe"],
        _ => ["purchase", "purchases", "purchases"],
    };
    counted(language, number, forms)
}

/// A day as a reader of the language writes it: `21. 11. 2026`, in English `21 November 2026`, which nobody misreads.
#[must_use]
pub fn date(language: &str, date: Date) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let (year, month, day) = date.parts();
    match locale::language(language) {
        "cs" | "sk" => format!("{day}. {month}. {year}"),
        "pl" | "de" => format!("{day:02}.{month:02}.{year}"),
        _ => format!("{day} {} {year}", MONTHS.get(usize::from(month) - 1).copied().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn filled(template: &str, values: Values<'_>) -> Result<String, Refusal> {
        fill(template, "visit", &sample::merchant(), values)
    }

    #[test]
    fn placeholders_are_filled_in_once() {
        let values = [("visits", "5".to_owned()), ("name", "{visits}".to_owned())];
        assert_eq!(filled("{visits}× {shop}: {name}", &values), Ok("5× Kaváreň pri moste: {visits}".to_owned()));
        assert_eq!(filled("nothing", &[]), Ok("nothing".to_owned()));
        assert_eq!(filled("{shop", &[]), Ok("Kaváreň pri moste".to_owned()));
    }

    #[test]
    fn a_placeholder_that_does_not_exist_is_named_with_those_that_do() {
        let Err(Refusal::NotConfigured(why)) = filled("{name}", &[("visits", String::new())]) else {
            panic!("{{name}} is not known")
        };
        assert_eq!(why, "`{name}` in a text for `visit` is no placeholder it has: {shop}, {visits}");
    }

    #[test]
    fn the_merchants_own_text_goes_before_the_built_in_one() {
        let mut facts = sample::facts_with_member();
        let own: Own = serde_json::from_str(r#"{"hu":{"subject":"S","text":"T"}}"#).expect("texts");
        let chosen = |facts: &Facts| {
            let (language, text) = choose(facts, &own, |language| Text::from(("built in", language)));
            (language.to_owned(), text.subject, text.text)
        };
        let expected = |language: &str, subject: &str, text: &str| (language.into(), subject.into(), text.into());
        assert_eq!(chosen(&facts), expected("sk", "built in", "sk"));
        facts.member.as_mut().expect("a member").locale = Some("hu-HU".to_owned());
        assert_eq!(chosen(&facts), expected("hu", "S", "T"));
        facts.member.as_mut().expect("a member").locale = Some("fr".to_owned());
        facts.merchant.locale = "it".to_owned();
        assert_eq!(chosen(&facts), expected("en", "built in", "en"));
    }

    #[test]
    fn numbers_carry_their_word() {
        let said = |language, number| points(language, number).replace('\u{a0}', " ");
        assert_eq!([said("sk", 1), said("sk", 3), said("cs", 1250)], ["1 bod", "3 body", "1 250 bodů"]);
        assert_eq!([said("pl", 22), said("pl", 12), said("de", 1)], ["22 punkty", "12 punktów", "1 Punkt"]);
        assert_eq!([said("en", 1250), said("hu", 1)], ["1,250 points", "1 point"]);
        assert_eq!([purchases("sk", 1), purchases("sk", 3), purchases("sk", 5)], ["1 nákup", "3 nákupy", "5 nákupov"]);
        assert_eq!([purchases("cs", 2), purchases("cs", 22)], ["2 nákupy", "22 nákupů"]);
        assert_eq!([12, 22, 25].map(|number| purchases("pl", number)), ["12 zakupów", "22 zakupy", "25 zakupów"]);
        let english_and_german = [purchases("en", 1), purchases("en", 10), purchases("de", 10)];
        assert_eq!(english_and_german, ["1 purchase", "10 purchases", "10 Einkäufe"]);
    }

    #[test]
    fn dates_are_written_as_readers_do() {
        let day = Date::new(2026, 3, 8);
        let written = ["cs", "sk-SK", "pl", "de", "en"].map(|language| date(language, day));
        assert_eq!(written, ["8. 3. 2026", "8. 3. 2026", "08.03.2026", "08.03.2026", "8 March 2026"]);
    }
}
