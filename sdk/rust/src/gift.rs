//! What a merchant lets a rule give besides a message: points, a reward, both or neither. Several stock plugins have it among their
//! settings: `gift = { points = 100, reward = { title = "Free coffee" }, valid_days = 30 }`.

use crate::{Decision, Earn, Refusal, Reward, days, locale, texts};
use serde::Deserialize;

/// Points, a reward, both or neither.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gift {
    /// None are 0.
    pub points: i64,
    /// Something to claim with a code, which the gateway makes.
    pub reward: Option<GiftReward>,
    /// Days until the points may be spent; none: as the wallet has it.
    pub matures_days: Option<u32>,
    /// Days until it is lost; none: as the wallet has it, and never for a reward.
    pub valid_days: Option<u32>,
}

/// A reward within a gift.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GiftReward {
    /// As the member reads it.
    pub title: String,
    /// For reports; the occasion's name if there is none.
    pub key: Option<String>,
}

impl Gift {
    /// Whether it is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.points == 0 && self.reward.is_none()
    }

    /// An earn, a reward, both or neither. `key` names the occasion in reports, `reason` says it in a sentence.
    ///
    /// # Errors
    /// [`Refusal::NotConfigured`] if the points are negative.
    pub fn decisions(&self, key: &str, reason: &str) -> Result<Vec<Decision>, Refusal> {
        if self.points < 0 {
            return Err(Refusal::not_configured(format!("the gift's `points` are 0 or more, not {}", self.points)));
        }
        let earn = (self.points > 0).then(|| {
            let Self { matures_days, valid_days, .. } = *self;
            Earn { matures_days, valid_days, ..Earn::points(self.points).because(reason) }.into()
        });
        let reward = self.reward.as_ref().map(|GiftReward { title, key: own }| {
            let reward = Reward::new(own.as_deref().unwrap_or(key), title.as_str());
            Reward { valid_days: self.valid_days, ..reward }.into()
        });
        Ok(earn.into_iter().chain(reward).collect())
    }

    /// The gift as a member reads it behind a colon, `100 bodov (platnosť 30 dní) + Káva zdarma (platnosť 30 dní)`, as the value of
    /// the placeholder `{gift}`; no value if it is nothing, so that a text that speaks of it is found out.
    #[must_use]
    pub fn values(&self, language: &str) -> Vec<(&'static str, String)> {
        let valid = self.valid_days.map(|days| valid(language, days));
        let with = |what: String, terms: Vec<String>| {
            if terms.is_empty() { what } else { format!("{what} ({})", terms.join(", ")) }
        };
        let points = (self.points > 0).then(|| {
            let matures = self.matures_days.filter(|days| *days > 0).map(|days| matures(language, days));
            with(texts::points(language, self.points), matures.into_iter().chain(valid.clone()).collect())
        });
        let reward = self.reward.as_ref().map(|reward| with(reward.title.clone(), valid.clone().into_iter().collect()));
        let parts: Vec<String> = points.into_iter().chain(reward).collect();
        if parts.is_empty() { Vec::new() } else { vec![("gift", parts.join(" + "))] }
    }
}

/// How long something is valid.
fn valid(language: &str, days: u32) -> String {
    let days = days::counted(language, days.into());
    match locale::language(language) {
        "cs" => format!("platnost {days}"),
        "sk" => format!("platnosť {days}"),
        "pl" => format!("ważność: {days}"),
        "de" => format!("{days} gültig"),
        _ => format!("valid for {days}"),
    }
}

/// When points may be spent.
fn matures(language: &str, days: u32) -> String {
    let counted = days::counted(language, days.into());
    match locale::language(language) {
        "cs" => format!("k dispozici za {counted}"),
        "sk" => format!("k dispozícii o {counted}"),
        "pl" => format!("dostępne za {counted}"),
        "de" => format!("verfügbar in {}", texts::counted(language, days.into(), ["Tag", "Tagen", "Tagen"])),
        _ => format!("available in {counted}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gift(json: &str) -> Gift {
        serde_json::from_str(json).expect("a gift")
    }

    #[test]
    fn points_and_a_reward_are_given() {
        let json = r#"{"points":50,"reward":{"title":"Free coffee"},"matures_days":14,"valid_days":30}"#;
        let decisions = gift(json).decisions("birthday", "Happy birthday").expect("decides");
        let [Decision::Earn(earn), Decision::Reward(reward)] = &decisions[..] else { panic!("{decisions:?}") };
        assert_eq!((earn.amount, earn.matures_days, earn.valid_days), (50, Some(14), Some(30)));
        assert_eq!(
            (reward.key.as_str(), reward.title.as_str(), reward.valid_days),
            ("birthday", "Free coffee", Some(30))
        );
        assert_eq!(earn.reason, "Happy birthday");
    }

    #[test]
    fn nothing_is_a_gift_too_and_less_is_not() {
        assert!(gift("{}").is_empty());
        assert_eq!(gift("{}").decisions("x", "x"), Ok(Vec::new()));
        assert!(matches!(gift(r#"{"points":-1}"#).decisions("x", "x"), Err(Refusal::NotConfigured(_))));
        let own = gift(r#"{"reward":{"title":"Cake","key":"cake"}}"#).decisions("x", "x").expect("decides");
        assert!(matches!(&own[..], [Decision::Reward(reward)] if reward.key == "cake"));
    }

    #[test]
    fn it_is_said_in_words() {
        let said = |language, json: &str| {
            let words = gift(json).values(language).pop().map(|(_, words)| words);
            words.unwrap_or_default().replace('\u{a0}', " ")
        };
        assert_eq!(said("sk", r#"{"points":3}"#), "3 body");
        let both = r#"{"points":100,"reward":{"title":"Káva"},"valid_days":30}"#;
        assert_eq!(said("sk", both), "100 bodov (platnosť 30 dní) + Káva (platnosť 30 dní)");
        let late = r#"{"points":100,"matures_days":1,"valid_days":2}"#;
        assert_eq!(said("cs", late), "100 bodů (k dispozici za 1 den, platnost 2 dny)");
        assert_eq!(said("sk", late), "100 bodov (k dispozícii o 1 deň, platnosť 2 dni)");
        assert_eq!(said("pl", late), "100 punktów (dostępne za 1 dzień, ważność: 2 dni)");
        assert_eq!(said("de", late), "100 Punkte (verfügbar in 1 Tag, 2 Tage gültig)");
        assert_eq!(said("de", r#"{"points":1,"matures_days":14}"#), "1 Punkt (verfügbar in 14 Tagen)");
        assert_eq!(said("en", late), "100 points (available in 1 day, valid for 2 days)");
        assert!(gift("{}").values("en").is_empty());
    }
}
