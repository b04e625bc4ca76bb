//! What the merchant is told, in five languages. It is written in the merchant's language, not the member's.

use super::{LATE, Look};
use perkgate::texts::{self, Own};
use perkgate::{Decision, Facts, Refusal, Task, days, money};

/// That a regular with this rhythm is late.
pub(crate) fn late(look: &Look, rhythm: i64, facts: &Facts, own: &Own) -> Result<Decision, Refusal> {
    let of_merchant = Facts { member: None, ..facts.clone() };
    let (language, text) = texts::choose(&of_merchant, own, built_in);
    let values = [
        ("visits", money::number(language, look.visits)),
        ("rhythm", days::counted(language, rhythm)),
        ("date", texts::date(language, look.since)),
        ("days", days::counted(language, look.away)),
    ];
    let text = text.filled(LATE, &facts.merchant, &values)?;
    Ok(Task::new(LATE, text.subject, text.text).into())
}

/// Title and text; English for languages that have none.
fn built_in(language: &str) -> (&'static str, &'static str) {
    match language {
        "cs" => (
            "Stálý zákazník dlouho nepřišel",
            "Nákupy: {visits}. Obvyklá doba mezi nimi: {rhythm}. Poslední nákup: {date}, od té doby {days}. Možná stojí za \
             to se ozvat.",
        ),
        "sk" => (
            "Stály zákazník dlho neprišiel",
            "Nákupy: {visits}. Obvyklá doba medzi nimi: {rhythm}. Posledný nákup: {date}, odvtedy {days}. Možno stojí za to \
             sa ozvať.",
        ),
        "pl" => (
            "Stały klient dawno nie był",
            "Zakupy: {visits}. Zwykły odstęp między nimi: {rhythm}. Ostatni zakup: {date}, od tego czasu {days}. Może warto \
             się odezwać.",
        ),
        "de" => (
            "Ein Stammkunde bleibt aus",
            "Einkäufe: {visits}. Üblicher Abstand: {rhythm}. Letzter Einkauf: {date}, seither {days}. Vielleicht lohnt es \
             sich, sich zu melden.",
        ),
        _ => (
            "A regular is late",
            "Purchases: {visits}. Usual time between them: {rhythm}. Latest purchase: {date}, {days} ago. It may be worth \
             getting in touch.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use perkgate::sample::{NOW, facts_with_member};
    use perkgate::texts::LANGUAGES;

    #[test]
    fn every_built_in_text_is_translated_and_says_all() {
        let mut facts = facts_with_member();
        facts.member.as_mut().expect("a member").locale = Some("en".to_owned());
        let since = facts.today().plus_days(-15);
        let look = Look { visits: 12, last: NOW, since, away: 15, regular: Some((7, 14)) };
        let mut titles = Vec::new();
        for language in LANGUAGES {
            facts.merchant.locale = language.to_owned();
            let Ok(Decision::Task(task)) = late(&look, 7, &facts, &Own::new()) else { panic!("{language}") };
            for part in [" 12.", " 7 ", "15 ", "2026"] {
                assert!(task.text.contains(part), "{}", task.text);
            }
            titles.push(task.title);
        }
        titles.dedup();
        assert_eq!(titles.len(), LANGUAGES.len());
    }
}
