//! What an answer leads to: a task, a code, tags.

use crate::words;
use perkgate::texts::{self, Own};
use perkgate::{Answer, Decision, Facts, Refusal, Scale, Tag, Task};

/// What an answer says of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Delighted: 9 and 10 of 10, 5 of 5.
    Promoter,
    /// Discontented: up to 6 of 10, up to 2 of 5.
    Detractor,
    /// In between.
    Neither,
}

impl Mood {
    /// By the scale the question was asked with, whatever the settings say today.
    pub(crate) fn of(answer: &Answer) -> Self {
        match (answer.scale, answer.score) {
            (Scale::Nps, 9..) | (Scale::Csat, 5..) => Self::Promoter,
            (Scale::Nps, ..=6) | (Scale::Csat, ..=2) => Self::Detractor,
            _ => Self::Neither,
        }
    }

    fn tag(self) -> Option<&'static str> {
        match self {
            Self::Promoter => Some("promoter"),
            Self::Detractor => Some("detractor"),
            Self::Neither => None,
        }
    }

    /// Puts the tag and takes the other off, as far as that changes anything.
    pub(crate) fn tags(self, present: &[String]) -> Vec<Decision> {
        let has = |name: &str| present.iter().any(|tag| tag == name);
        let put = self.tag().filter(|name| !has(name)).map(|name| Tag::put(name).into());
        let others = [Self::Promoter, Self::Detractor].into_iter().filter(|other| *other != self);
        let others = others.filter_map(Self::tag).filter(|name| has(name)).map(|name| Tag::take(name).into());
        put.into_iter().chain(others).collect()
    }
}

/// Tells the merchant, in the merchant's language. A task for every day, so that an open one hides no other.
pub(crate) fn task(answer: &Answer, facts: &Facts, own: &Own) -> Result<Decision, Refusal> {
    let of_merchant = Facts { member: None, ..facts.clone() };
    let (_, text) = texts::choose(&of_merchant, own, words::task);
    let most = match answer.scale {
        Scale::Nps => 10,
        Scale::Csat => 5,
    };
    let said = answer.text.as_deref().map(str::trim).filter(|said| !said.is_empty());
    let values =
        [("score", answer.score.to_string()), ("most", most.to_string()), ("words", said.unwrap_or("–").to_owned())];
    let text = text.filled("detractor", &facts.merchant, &values)?;
    Ok(Task::new(format!("detractor/{}", facts.today()), text.subject, text.text).into())
}

/// Gives the member their code for friends.
pub(crate) fn invitation(facts: &Facts, own: &Own) -> Result<Decision, Refusal> {
    let code = facts.referral.as_ref().map(|referral| referral.code.clone()).filter(|code| !code.is_empty());
    let (language, text) = texts::choose(facts, own, |language| words::invitation(language, code.is_some()));
    let code = code.map(|code| ("code", code));
    Ok(text.message("promoter", language, &facts.merchant, code.as_slice())?.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use perkgate::sample::answer;

    #[test]
    fn moods_are_where_the_scales_have_them() {
        let moods = |scale, scores: std::ops::RangeInclusive<u8>| -> String {
            let mood = |score| match Mood::of(&answer("purchase", scale, score)) {
                Mood::Promoter => '+',
                Mood::Detractor => '-',
                Mood::Neither => '0',
            };
            scores.map(mood).collect()
        };
        assert_eq!(moods(Scale::Nps, 0..=10), "-------00++");
        assert_eq!(moods(Scale::Csat, 1..=5), "--00+");
    }

    #[test]
    fn tags_replace_each_other() {
        let tags = |mood: Mood, present: &[&str]| {
            let present: Vec<String> = present.iter().map(|tag| (*tag).to_owned()).collect();
            mood.tags(&present)
        };
        assert_eq!(tags(Mood::Promoter, &[]), [Tag::put("promoter").into()]);
        assert!(tags(Mood::Promoter, &["promoter"]).is_empty());
        let replaced = [Tag::put("detractor").into(), Tag::take("promoter").into()];
        assert_eq!(tags(Mood::Detractor, &["promoter"]), replaced);
        assert_eq!(tags(Mood::Neither, &["vip", "detractor"]), [Tag::take("detractor").into()]);
    }
}
