//! What people ask for instead of platforms: members and staff, by the management API, the command line or a page. Each such errand is
//! journalled as an arrival of the built-in source [`OWN_SOURCE`] and read back from there like a webhook, so that it is written
//! down before anything is done, and done once.
//!
//! There is no signature to check: whoever makes an [`Errand`] has seen to who asks. No route leads here from outside, since no
//! programme has a source of this name.

use super::{Arrival, Cause, Happening, Reading, Rejected, Stamp, Unreadable, Verified, parse};
use perkgate_domain::event::{
    Answer, Claim, Event, Forget, Issue, Join, Merge, OWN_SOURCE, Profile, Redemption, Scale, Undo,
};
use perkgate_domain::ids::{InstallationId, MemberId, RewardId, SourceId};
use perkgate_domain::limits::{ANSWER_BYTES, ERRAND_KEY_BYTES, EXTERNAL_ID_BYTES, STAMP_BYTES};
use perkgate_domain::member::{Identity, Proof};
use perkgate_domain::time::Moment;
use serde::{Deserialize, Serialize};

/// Something to be done for a member. Members are named by their ids: whoever asks has looked them up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do", deny_unknown_fields)]
pub enum Errand {
    /// Somebody becomes a member, or is told to be one already.
    Join {
        /// With a key at least that they can be known by.
        identity: Identity,
    },
    /// A member says something new about themselves.
    Profile {
        /// Who.
        member: MemberId,
        /// What is new; the rest stays.
        identity: Identity,
    },
    /// A member takes a reward of the catalogue for its price.
    Redeem {
        /// Who.
        member: MemberId,
        /// Of the catalogue.
        reward: String,
    },
    /// A member gives a reward back, unused.
    Undo {
        /// Who.
        member: MemberId,
        /// Which.
        reward: RewardId,
    },
    /// The merchant gives a member a reward of the catalogue.
    Issue {
        /// To whom.
        member: MemberId,
        /// Of the catalogue.
        reward: String,
    },
    /// Two members are one person.
    Merge {
        /// Who stays.
        member: MemberId,
        /// Who goes.
        other: MemberId,
    },
    /// A member is to be forgotten.
    Forget {
        /// Who.
        member: MemberId,
    },
    /// A member shows the receipt of a purchase that named nobody.
    Claim {
        /// Who.
        member: MemberId,
        /// By which source the purchase came.
        source: SourceId,
        /// The order's id or what staff call it.
        order: String,
    },
    /// A member answers a question. Its errand's key is the question's id, so that it is answered once.
    Answer {
        /// The question's id.
        question: String,
        /// Who asked.
        installation: InstallationId,
        /// Who answers.
        member: MemberId,
        /// As asked.
        key: String,
        /// As asked.
        scale: Scale,
        /// Within the scale.
        score: u8,
        /// What they wrote beside it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
}

impl Errand {
    /// What it is called: the topic of its arrival. It begins what dedupes it, so one key may serve for several kinds of errand.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Join { .. } => "join",
            Self::Profile { .. } => "profile",
            Self::Redeem { .. } => "redeem",
            Self::Undo { .. } => "undo",
            Self::Issue { .. } => "issue",
            Self::Merge { .. } => "merge",
            Self::Forget { .. } => "forget",
            Self::Claim { .. } => "claim",
            Self::Answer { .. } => "answer",
        }
    }

    /// What it is about can be kept, and makes sense as far as it says itself.
    fn check(&self) -> Result<(), Rejected> {
        let fits = |what: &str, text: &str, most: usize| {
            if (1..=most).contains(&text.len()) && !text.contains('\0') {
                return Ok(());
            }
            Err(Rejected::unreadable(format!("{what} has 1 to {most} bytes and no NUL character")))
        };
        match self {
            Self::Redeem { reward, .. } | Self::Issue { reward, .. } => fits("a reward's key", reward, STAMP_BYTES),
            Self::Undo { reward, .. } => fits("a reward's id", reward.as_str(), STAMP_BYTES),
            Self::Merge { member, other } if member == other => {
                Err(Rejected::unreadable("both keys name one member already: there is nothing to merge"))
            }
            Self::Join { .. } | Self::Profile { .. } | Self::Merge { .. } | Self::Forget { .. } => Ok(()),
            Self::Claim { order, .. } => fits("an order's id", order, EXTERNAL_ID_BYTES),
            Self::Answer { scale, score, text, .. } => {
                if !scale.scores().contains(score) {
                    let (low, high) = (scale.scores().start().to_owned(), scale.scores().end().to_owned());
                    return Err(Rejected::unreadable(format!(
                        "a score is between {low} and {high}, this one is {score}"
                    )));
                }
                text.as_deref().map_or(Ok(()), |text| fits("an answer's text", text, ANSWER_BYTES))
            }
        }
    }
}

/// Makes the arrival of an errand. `key` tells a repetition from another errand of the same kind: it has 1 to
/// [`ERRAND_KEY_BYTES`] visible ASCII characters.
///
/// # Errors
/// [`Rejected`] as unreadable, with what is wrong with key or errand.
pub fn verified(key: &str, errand: &Errand, now: Moment) -> Result<Verified, Rejected> {
    if !(1..=ERRAND_KEY_BYTES).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Rejected::unreadable(format!(
            "an idempotency key has 1 to {ERRAND_KEY_BYTES} visible ASCII characters and no blanks"
        )));
    }
    errand.check()?;
    if matches!(errand, Errand::Answer { question, .. } if question != key) {
        return Err(Rejected::unreadable("an answer's key is its question's id: a question is answered once"));
    }
    let body = serde_json::to_vec(errand).map_err(|error| Rejected {
        cause: Cause::Unreadable,
        detail: format!("it cannot be written down: {error}"),
    })?;
    let name = errand.name();
    let stamp = Stamp { topic: name.to_owned(), dedupe: format!("{name}/{key}"), test: false };
    stamp.check()?;
    let headers = vec![("content-type".to_owned(), b"application/json".to_vec())];
    Ok(Verified::new(Arrival { headers, body: body.into(), received_at: now }, stamp))
}

/// Reads an errand from the journal. Pure: when it happened is when it was taken.
///
/// # Errors
/// [`Unreadable`] if it is not what [`verified`] makes: a newer gateway wrote it.
pub fn normalise(arrival: &Verified) -> Result<Reading, Unreadable> {
    let errand: Errand = parse::read(&arrival.arrival().body, "the errand")?;
    let at = arrival.arrival().received_at;
    let (_, id) = arrival
        .stamp()
        .dedupe
        .split_once('/')
        .ok_or_else(|| Unreadable(format!("an errand of `{OWN_SOURCE}` has no key")))?;
    let id = id.to_owned();
    let told = |identity: Identity| Some(Identity { proof: Proof::Told, ..identity });
    let (event, member, identity) = match errand {
        // Who brought them stays with the identity: it may be somebody's address, and events are not sealed.
        Errand::Join { identity } => (Event::Join(Join { id, at, referrer: None }), None, told(identity)),
        Errand::Profile { member, identity } => (Event::Profile(Profile { id, at }), Some(member), told(identity)),
        Errand::Redeem { member, reward } => (Event::Redemption(Redemption { id, at, reward }), Some(member), None),
        Errand::Undo { member, reward } => (Event::Undo(Undo { id, at, reward }), Some(member), None),
        Errand::Issue { member, reward } => (Event::Issue(Issue { id, at, reward }), Some(member), None),
        Errand::Merge { member, other } => (Event::Merge(Merge { id, at, other }), Some(member), None),
        Errand::Forget { member } => (Event::Forget(Forget { id, at }), Some(member), None),
        Errand::Claim { member, source, order } => (Event::Claim(Claim { id, at, source, order }), Some(member), None),
        Errand::Answer { question, installation, member, key, scale, score, text } => {
            let answer = Answer { id: question, at, installation, key, scale, score, text };
            (Event::Answer(answer), Some(member), None)
        }
    };
    Ok(Reading::Entries(vec![Happening { event, identity, member }]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment(1_780_315_200_000);

    fn redeem() -> Errand {
        Errand::Redeem { member: "mem_1".into(), reward: "coffee".to_owned() }
    }

    fn every() -> Vec<Errand> {
        let member = || MemberId::from("mem_1");
        let identity = || Identity { email: Some("jana@example.com".to_owned()), ..Identity::default() };
        vec![
            Errand::Join { identity: identity() },
            Errand::Profile { member: member(), identity: identity() },
            redeem(),
            Errand::Undo { member: member(), reward: "rwd_1".into() },
            Errand::Issue { member: member(), reward: "coffee".to_owned() },
            Errand::Merge { member: member(), other: "mem_2".into() },
            Errand::Forget { member: member() },
            Errand::Claim { member: member(), source: "eshop".into(), order: "1001".to_owned() },
            Errand::Answer {
                question: "k-1".to_owned(),
                installation: "nps".into(),
                member: member(),
                key: "after-visit".to_owned(),
                scale: Scale::Nps,
                score: 9,
                text: Some("Výborná káva".to_owned()),
            },
        ]
    }

    #[test]
    fn every_errand_is_read_as_one_event_under_its_key_and_at_its_time() {
        for errand in every() {
            let arrival = verified("k-1", &errand, NOW).unwrap();
            assert_eq!(arrival.stamp().dedupe, format!("{}/k-1", errand.name()));
            let Ok(Reading::Entries(happenings)) = normalise(&arrival) else { panic!("{errand:?} is not read") };
            let [happening] = happenings.as_slice() else { panic!("{errand:?} is one happening") };
            assert_eq!((happening.event.external_id(), happening.event.at()), ("k-1", NOW), "{errand:?}");
            assert!(happening.event.check_ids().is_ok());
            let joins = matches!(errand, Errand::Join { .. });
            assert_eq!(happening.member.is_none(), joins, "{errand:?}");
            let tells = joins || matches!(errand, Errand::Profile { .. });
            assert_eq!(happening.identity.is_some(), tells, "{errand:?}");
            assert_eq!(errand.name(), serde_json::to_value(&errand).unwrap()["do"]);
        }
    }

    #[test]
    fn two_kinds_of_errand_may_share_a_key_and_two_wishes_may_not() {
        let stamp = |errand: &Errand| verified("k", errand, NOW).unwrap().stamp().clone();
        let issue = Errand::Issue { member: "mem_1".into(), reward: "coffee".to_owned() };
        assert_ne!(stamp(&redeem()).dedupe, stamp(&issue).dedupe);
        let other = Errand::Redeem { member: "mem_1".into(), reward: "cake".to_owned() };
        assert_eq!(stamp(&redeem()).dedupe, stamp(&other).dedupe);
        let body = |errand: &Errand, now| verified("k", errand, now).unwrap().arrival().body.clone();
        assert_eq!(
            body(&redeem(), NOW),
            body(&redeem(), Moment(0)),
            "a repetition has the same bytes whenever it comes"
        );
        assert_ne!(body(&redeem(), NOW), body(&other, NOW));
    }

    #[test]
    fn keys_are_visible_and_bounded() {
        assert!(verified(&"k".repeat(ERRAND_KEY_BYTES), &redeem(), NOW).is_ok());
        for key in ["", "a b", "ž", "a\u{0}", "a\n", &"k".repeat(ERRAND_KEY_BYTES + 1)] {
            assert!(verified(key, &redeem(), NOW).is_err(), "{key:?}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_not_journalled() {
        let answer = |scale, score, text: Option<&str>| Errand::Answer {
            question: "q".to_owned(),
            installation: "nps".into(),
            member: "mem_1".into(),
            key: "k".to_owned(),
            scale,
            score,
            text: text.map(str::to_owned),
        };
        assert!(verified("q", &answer(Scale::Nps, 10, None), NOW).is_ok());
        assert!(verified("q", &answer(Scale::Csat, 5, Some("ok")), NOW).is_ok());
        let long = "x".repeat(ANSWER_BYTES + 1);
        for wrong in [
            answer(Scale::Nps, 11, None),
            answer(Scale::Csat, 0, None),
            answer(Scale::Csat, 3, Some(&long)),
            Errand::Merge { member: "mem_1".into(), other: "mem_1".into() },
            Errand::Redeem { member: "mem_1".into(), reward: String::new() },
            Errand::Claim { member: "mem_1".into(), source: "eshop".into(), order: "x".repeat(256) },
        ] {
            assert!(verified("q", &wrong, NOW).is_err(), "{wrong:?}");
        }
        assert!(verified("another", &answer(Scale::Nps, 10, None), NOW).is_err(), "a question would be answered twice");
    }

    #[test]
    fn an_errand_of_a_newer_gateway_waits_for_it() {
        let stamp = Stamp { topic: "dance".to_owned(), dedupe: "dance/k".to_owned(), test: false };
        let arrival = Arrival { headers: vec![], body: br#"{"do":"dance"}"#.to_vec().into(), received_at: NOW };
        assert!(normalise(&Verified::new(arrival, stamp)).is_err());
    }
}
