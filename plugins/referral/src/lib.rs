//! Stock plugin: a gift for friends who come on recommendation, and one for whoever recommended. It teaches wakes of the referrer's, and
//! refunds that call them off.
//!
//! Every decision is about the member of the entry: a friend's purchase only asks that the referrer be called, and what the referrer
//! gets is decided then, with the referrer's own memory.

mod account;
mod occasion;

use account::{Account, Counted, Friend};
use occasion::Occasion;
use perkgate::Gift;
use perkgate::prelude::*;
use perkgate::texts::{Own, Values};

/// The wake of a referrer's about this friend.
const FRIEND: &str = "friend/";
/// A day in milliseconds.
const DAY: i64 = 86_400_000;

/// What the merchant set; `settings.schema.json` describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    friend: Gift,
    referrer: Gift,
    min_total: Decimal,
    hold_days: u16,
    max_friends: Option<u32>,
    max_per_month: Option<u32>,
    invite_after_visits: Option<u16>,
    messages: bool,
    texts: OwnTexts,
}

/// Texts by language, for each occasion.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OwnTexts {
    friend: Own,
    referrer: Own,
    invite: Own,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            friend: Gift::default(),
            referrer: Gift::default(),
            min_total: Decimal::whole(0),
            hold_days: 14,
            max_friends: None,
            max_per_month: None,
            invite_after_visits: None,
            messages: true,
            texts: OwnTexts::default(),
        }
    }
}

impl Settings {
    /// Whether a purchase is one the referrer gets something for.
    fn counts(&self, purchase: &Purchase, merchant: &Merchant) -> Result<bool, Refusal> {
        let minimum = self.min_total.minor(merchant.exponent)?;
        let comparable = minimum == 0 || purchase.currency == merchant.currency;
        Ok(!self.referrer.is_empty() && comparable && purchase.total >= minimum)
    }

    /// The friend's side of a purchase: their own gift on the first, and the call of the referrer on the first that counts.
    fn friend(&self, purchase: &Purchase, facts: &Facts, account: &mut Account) -> Decide {
        let member = facts.member()?;
        let mut decisions = Vec::new();
        // Customers from before the plugin came without it.
        let first = member.visits == 0 && member.first_purchase_at.is_none();
        let known = account.friend.take().or_else(|| first.then(Friend::default));
        let Some(mut friend) = known else { return Ok(decisions) };
        // What was free is no purchase a gift is given for; the next may be.
        let paid = purchase.total > 0;
        if paid && !friend.welcomed {
            decisions.extend(self.friend.decisions("referral-friend", "First purchase on a friend's recommendation")?);
            if self.messages && !self.friend.is_empty() {
                let text = &self.texts.friend;
                decisions.push(message(Occasion::Friend, facts, text, |language| self.friend.values(language))?);
            }
            friend.welcomed = true;
        }
        if paid && friend.counted.is_none() && self.counts(purchase, &facts.merchant)? {
            let due = facts.now.saturating_add(i64::from(self.hold_days) * DAY);
            decisions.push(Wake::at(wake_key(member), due).of_referrer().into());
            friend.counted = Some(Counted::of(purchase, due));
        }
        account.friend = Some(friend);
        Ok(decisions)
    }

    /// Tells the member their code, once.
    fn invite(&self, facts: &Facts, account: &mut Account) -> Decide {
        let (Some(after), Some(referral)) = (self.invite_after_visits, &facts.referral) else { return Ok(Vec::new()) };
        if account.invited || facts.member()?.visits.saturating_add(1) < i64::from(after) {
            return Ok(Vec::new());
        }
        account.invited = true;
        let occasion = Occasion::Invite { friend: !self.friend.is_empty(), referrer: !self.referrer.is_empty() };
        let values = |language: &str| {
            let friend = self.friend.values(language).into_iter().map(|(_, words)| ("friend_gift", words));
            let code = ("code", referral.code.clone());
            self.referrer.values(language).into_iter().chain(friend).chain([code]).collect()
        };
        Ok(vec![message(occasion, facts, &self.texts.invite, values)?])
    }
}

/// The friend's gift, the call of their referrer, and the member's own invitation.
#[perkgate::purchases]
pub fn on_purchase(purchase: &Purchase, facts: &Facts, settings: Settings) -> Decide {
    let before: Account = facts.recall();
    let mut account = before.clone();
    let mut decisions = Vec::new();
    if facts.referral.as_ref().is_some_and(|referral| referral.referred) {
        decisions = settings.friend(purchase, facts, &mut account)?;
    }
    decisions.extend(settings.invite(facts, &mut account)?);
    if account != before {
        decisions.push(Decision::remember(&account)?);
    }
    Ok(decisions)
}

/// Calls the referrer's gift off if what is left of the purchase no longer counts.
#[perkgate::refunds]
pub fn on_refund(refund: &Refund, purchase: &Purchase, facts: &Facts, settings: Settings) -> Decide {
    let mut account: Account = facts.recall();
    let Some(friend) = &mut account.friend else { return Ok(Vec::new()) };
    // After the wait the referrer has the gift; and other purchases are not what it is for.
    let Some(counted) = friend.counted.as_mut().filter(|counted| counted.is(purchase) && facts.now < counted.due)
    else {
        return Ok(Vec::new());
    };
    counted.give_back(refund, purchase);
    let minimum = settings.min_total.minor(facts.merchant.exponent)?.max(1);
    let mut decisions = Vec::new();
    if counted.left < minimum {
        let left = money::plain(counted.left, &facts.merchant);
        log::info(&format!("the referrer's gift is called off: {left} is left of the purchase"));
        decisions.push(Wake::cancel(wake_key(facts.member()?)).of_referrer().into());
        friend.counted = None;
    }
    decisions.push(Decision::remember(&account)?);
    Ok(decisions)
}

/// The referrer's gift for a friend, within the limits.
#[perkgate::wakes]
pub fn on_wake(woken: &Woken, facts: &Facts, settings: Settings) -> Decide {
    if !woken.key.starts_with(FRIEND) || settings.referrer.is_empty() {
        return Ok(Vec::new());
    }
    let mut account: Account = facts.recall();
    if let Some(why) = account.limit(settings.max_friends, settings.max_per_month, facts.today()) {
        log::info(&format!("no gift: {why}"));
        return Ok(Vec::new());
    }
    let mut decisions = settings.referrer.decisions("referral", "A friend's first purchase")?;
    if settings.messages {
        let values = |language: &str| settings.referrer.values(language);
        decisions.push(message(Occasion::Referrer, facts, &settings.texts.referrer, values)?);
    }
    account.count(facts.today());
    decisions.push(Decision::remember(&account)?);
    Ok(decisions)
}

/// Names the friend to the gateway and nobody else: the id is in no text.
fn wake_key(friend: &Member) -> String {
    format!("{FRIEND}{}", friend.id)
}

fn message<'a>(
    occasion: Occasion,
    facts: &Facts,
    own: &Own,
    values: impl FnOnce(&str) -> Vec<(&'a str, String)>,
) -> Result<Decision, Refusal> {
    let (language, text) = texts::choose(facts, own, |language| occasion.built_in(language));
    let values = values(language);
    let values: Values<'_> = &values;
    Ok(text.message(occasion.key(), language, &facts.merchant, values)?.into())
}

#[cfg(test)]
mod tests;
