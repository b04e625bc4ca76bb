//! What a member is told about the pass: the built-in texts in five languages, and what stands for the placeholders in them.

use crate::OwnTexts;
use perkgate::texts::Own;
use perkgate::{Date, texts};

/// What there is to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion<'a> {
    /// It was bought or extended, and ends with the day before this.
    Started(Date),
    /// It ends soon, with the day before this.
    Reminder(Date),
    /// It has ended with the day before this.
    Ended(Date),
    /// The regular reward, by its title.
    Reward(&'a str),
}

impl Occasion<'_> {
    /// The message's key in reports.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Started(_) => "pass-started",
            Self::Reminder(_) => "pass-reminder",
            Self::Ended(_) => "pass-ended",
            Self::Reward(_) => "pass-reward",
        }
    }

    pub(crate) fn own(self, texts: &OwnTexts) -> &Own {
        match self {
            Self::Started(_) => &texts.started,
            Self::Reminder(_) => &texts.reminder,
            Self::Ended(_) => &texts.ended,
            Self::Reward(_) => &texts.reward,
        }
    }

    /// The built-in text; English for languages that have none. Where names are inflected the shop only signs.
    #[rustfmt::skip]
    pub(crate) fn built_in(self, language: &str) -> (&'static str, &'static str) {
        match (self, language) {
            (Self::Started(_), "cs") => ("Vaše členství platí", "Vaše členství platí do {until} včetně. Děkujeme, {shop}."),
            (Self::Started(_), "sk") => ("Vaše členstvo platí", "Vaše členstvo platí do {until} vrátane. Ďakujeme, {shop}."),
            (Self::Started(_), "pl") => ("Twoje członkostwo jest ważne", "Twoje członkostwo jest ważne do {until} włącznie. Dziękujemy, {shop}."),
            (Self::Started(_), "de") => ("Ihre Mitgliedschaft gilt", "Ihre Mitgliedschaft gilt bis einschließlich {until}. Danke, {shop}."),
            (Self::Started(_), _) => ("Your membership is valid", "Your membership is valid up to and including {until}. Thank you, {shop}."),
            (Self::Reminder(_), "cs") => ("Vaše členství brzy skončí", "Vaše členství platí jen do {until} včetně. Rádi vám ho prodloužíme. {shop}"),
            (Self::Reminder(_), "sk") => ("Vaše členstvo sa čoskoro skončí", "Vaše členstvo platí už len do {until} vrátane. Radi vám ho predĺžime. {shop}"),
            (Self::Reminder(_), "pl") => ("Twoje członkostwo niedługo wygaśnie", "Twoje członkostwo jest ważne tylko do {until} włącznie. Chętnie je przedłużymy. {shop}"),
            (Self::Reminder(_), "de") => ("Ihre Mitgliedschaft endet bald", "Ihre Mitgliedschaft gilt nur noch bis einschließlich {until}. Gern verlängern wir sie. {shop}"),
            (Self::Reminder(_), _) => ("Your membership ends soon", "Your membership is only valid up to and including {until}. We will gladly extend it. {shop}"),
            (Self::Ended(_), "cs") => ("Vaše členství skončilo", "Vaše členství platilo do {until}. Budeme rádi, když se k nám vrátíte. {shop}"),
            (Self::Ended(_), "sk") => ("Vaše členstvo sa skončilo", "Vaše členstvo platilo do {until}. Budeme radi, keď sa k nám vrátite. {shop}"),
            (Self::Ended(_), "pl") => ("Twoje członkostwo wygasło", "Twoje członkostwo było ważne do {until}. Zapraszamy ponownie. {shop}"),
            (Self::Ended(_), "de") => ("Ihre Mitgliedschaft ist beendet", "Ihre Mitgliedschaft galt bis {until}. Wir freuen uns, wenn Sie wiederkommen. {shop}"),
            (Self::Ended(_), _) => ("Your membership has ended", "Your membership was valid until {until}. We would be glad to see you back. {shop}"),
            (Self::Reward(_), "cs") => ("Odměna pro členy", "Jako člen máte u nás novou odměnu: {reward}. {shop}"),
            (Self::Reward(_), "sk") => ("Odmena pre členov", "Ako člen máte u nás novú odmenu: {reward}. {shop}"),
            (Self::Reward(_), "pl") => ("Nagroda dla członków", "W ramach członkostwa czeka na Ciebie nowa nagroda: {reward}. {shop}"),
            (Self::Reward(_), "de") => ("Eine Prämie für Mitglieder", "Als Mitglied haben Sie bei uns eine neue Prämie: {reward}. {shop}"),
            (Self::Reward(_), _) => ("A reward for members", "As a member you have a new reward with us: {reward}. {shop}"),
        }
    }

    /// What its placeholders stand for.
    pub(crate) fn values(self, language: &str) -> Vec<(&'static str, String)> {
        match self {
            Self::Started(end) | Self::Reminder(end) | Self::Ended(end) => {
                vec![("until", texts::date(language, end.plus_days(-1)))]
            }
            Self::Reward(title) => vec![("reward", title.to_owned())],
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
        let end = Date::new(2026, 12, 1);
        let all = [Occasion::Started(end), Occasion::Reminder(end), Occasion::Ended(end), Occasion::Reward("X")];
        for occasion in all {
            for language in LANGUAGES {
                let text = Text::from(occasion.built_in(language));
                let values = occasion.values(language);
                let filled = text.filled(occasion.key(), &sample::merchant(), &values).expect(language);
                assert!(filled.text.contains("Kaváreň pri moste") && !filled.text.contains('{'), "{filled:?}");
                assert!(filled.text.contains(&values[0].1), "{filled:?}");
                assert!(language == "en" || text.text != occasion.built_in("en").1, "{language} is translated");
            }
        }
    }
}
