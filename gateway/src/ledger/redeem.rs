//! The catalogue: taking rewards for their price, giving them back, using their codes, letting them lapse.

use super::apply::{Kept, hold};
use super::desk::Desk;
use super::refund::withdraw;
use perkgate_domain::event::Event;
use perkgate_domain::ids::{InstallationId, MerchantId, RewardId};
use perkgate_domain::ledger::{Account, HeldReward, RewardState};
use perkgate_domain::plan::{Book, Counter, QueuedEntry, Settlement};
use perkgate_domain::rules::{Activity, Audience, CatalogueReward};
use perkgate_domain::time::Moment;
use std::collections::HashMap;

/// How a reward comes to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// They took it.
    Redeemed,
    /// The merchant gave it: a coupon, without a price.
    Issued,
    /// By itself, as soon as they had the price.
    Automatic,
}

/// Rewards taken by themselves at one moment, at most: a price of 1 must not spin.
const AT_ONCE: usize = 100;

/// The codes of the batch's purchases.
type Codes = HashMap<(MerchantId, String), HeldReward>;

/// Takes a reward of the catalogue, or says in the entry's cause why not.
pub(super) fn take(desk: &mut Desk<'_>, key: &str, way: Way) {
    let at = desk.at();
    if let Err(why) = get(desk, key, way, at, "") {
        desk.out.cause = Some(why);
    }
}

fn get(desk: &mut Desk<'_>, key: &str, way: Way, at: Moment, nth: &str) -> Result<(), String> {
    let terms = desk.terms;
    let item = terms.merchant.rules.rewards.get(key);
    let item = item.ok_or_else(|| format!("the catalogue has no reward `{key}`"))?;
    allowed(desk, key, item, at)?;
    let price = item.price.as_ref().filter(|_| way != Way::Issued);
    if price.is_none() && way == Way::Redeemed {
        return Err(format!("`{key}` has no price: the merchant gives it, members cannot take it"));
    }
    let paid = match price {
        None => Vec::new(),
        Some(price) => {
            let available = desk.book.member.wallets.get(&price.wallet).map_or(0, |wallet| wallet.available);
            if available < price.amount {
                return Err(format!("`{key}` costs {} {}, the member has {available}", price.amount, price.wallet));
            }
            desk.spend(&price.wallet, price.amount, &Account::Redeemed, at)
        }
    };
    for counter in counters(desk, key, item) {
        desk.count(counter, 1);
    }
    let locale = desk.book.member.locale.as_deref().unwrap_or(&terms.merchant.locale);
    let language = locale.split(['-', '_']).next().unwrap_or(locale);
    let kept = Kept {
        key: key.to_owned(),
        title: item.titles.get(language).unwrap_or(&item.title).clone(),
        text: String::new(),
        kind: Some(item.kind.clone()),
        price: price.cloned(),
        paid,
        returns_price: item.returns_price,
        expires_at: item.valid_days.map(|days| terms.zone.end_of_day(at, days)),
        offer: false,
    };
    let id = RewardId::new(desk.id("rwd", &["", key, nth, &at.0.to_string()]));
    hold(desk, id, (&InstallationId::new(""), None), kept, at);
    desk.slide(Activity::Redemption, at);
    Ok(())
}

/// Whether this member may have one more of it at that time.
fn allowed(desk: &Desk<'_>, key: &str, item: &CatalogueReward, at: Moment) -> Result<(), String> {
    let member = &desk.book.member;
    if item.from.is_some_and(|from| at < from) || item.until.is_some_and(|until| at >= until) {
        return Err(format!("`{key}` is not to be had at that time"));
    }
    match &item.audience {
        Some(Audience::Tag(tag)) if !member.tags.contains(tag) => {
            return Err(format!("`{key}` is for members with the tag `{tag}`"));
        }
        Some(Audience::Tier(tier)) if member.tier.as_ref() != Some(tier) => {
            return Err(format!("`{key}` is for members of the tier `{tier}`"));
        }
        _ => {}
    }
    for counter in counters(desk, key, item) {
        let (most, whose) =
            if counter.scope.is_empty() { (item.stock, "there are") } else { (item.per_member, "a member may have") };
        if let Some(most) = most.filter(|most| desk.counted(&counter) >= i64::from(*most)) {
            return Err(format!("no more of `{key}`: {whose} {most}"));
        }
    }
    Ok(())
}

/// What is counted when one is had: of all members, and of this one, where there is a limit.
fn counters(desk: &Desk<'_>, key: &str, item: &CatalogueReward) -> Vec<Counter> {
    let counter = |scope: &str| Counter {
        merchant: desk.entry.merchant.clone(),
        installation: InstallationId::new(""),
        name: format!("reward/{key}"),
        scope: scope.to_owned(),
    };
    let all = item.stock.map(|_| counter(""));
    let own = item.per_member.map(|_| counter(desk.book.member.id.as_str()));
    all.into_iter().chain(own).collect()
}

/// Takes what takes itself, as long as there is enough.
pub(super) fn automatically(desk: &mut Desk<'_>, at: Moment) {
    let terms = desk.terms;
    for (key, _) in terms.merchant.rules.rewards.iter().filter(|(_, item)| item.automatic) {
        for _ in 0..AT_ONCE {
            // What is given by one entry is told apart by its number: this is looked at more than once.
            let nth = format!("auto/{}", desk.out.rewards.len());
            if get(desk, key, Way::Automatic, at, &nth).is_err() {
                break;
            }
        }
    }
}

/// Gives back an unused reward in time, or says in the entry's cause why not.
pub(super) fn undo(desk: &mut Desk<'_>, id: &RewardId) {
    let Some(reward) = desk.book.rewards.iter().find(|reward| reward.id == *id).cloned() else {
        desk.out.cause = Some(
            "the member has no such reward that could be given back: it was used, has lapsed, or is not theirs"
                .to_owned(),
        );
        return;
    };
    let item = desk.terms.merchant.rules.rewards.get(&reward.key).filter(|_| reward.installation.as_str().is_empty());
    let minutes = item.map_or(0, |item| i64::from(item.undo_minutes));
    if desk.at().since_ms(reward.issued_at) > minutes * 60_000 {
        desk.out.cause = Some(format!("`{}` may be given back for {minutes} minutes, and these are over", reward.key));
        return;
    }
    if let Some(item) = item {
        for counter in counters(desk, &reward.key, item) {
            desk.count(counter, -1);
        }
    }
    withdraw(desk, |held| held.id == reward.id);
    if let Some((_, state)) = desk.out.reward_states.last_mut() {
        *state = RewardState::Undone;
    }
}

/// Lets codes lapse that nobody used in time.
pub(super) fn lapse(desk: &mut Desk<'_>, at: Moment) {
    let over = |reward: &HeldReward| reward.expires_at.is_some_and(|end| end <= at);
    let (gone, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut desk.book.rewards).into_iter().partition(over);
    desk.book.rewards = kept;
    for reward in gone {
        if let (Some(price), true) = (&reward.price, reward.returns_price) {
            desk.give_back(&price.wallet, &reward.paid, reward.expires_at.unwrap_or(at));
        }
        desk.out.reward_states.push((reward.id, RewardState::Lapsed));
    }
}

/// Marks what a purchase's codes name as used, and counts shared ones.
pub(super) fn use_codes(desk: &mut Desk<'_>, codes: &[String], known: &mut Codes) {
    let terms = desk.terms;
    for code in codes {
        let code = code.trim().to_ascii_uppercase();
        if use_code(desk.entry, &code, known, desk.out) {
            desk.book.rewards.retain(|reward| reward.code != code);
            continue;
        }
        // Its own reward of this very batch is not in the table yet.
        if let Some(place) = desk.book.rewards.iter().position(|reward| reward.code == code) {
            let reward = desk.book.rewards.remove(place);
            mark_used(&reward, desk.out);
            continue;
        }
        let shared = terms.merchant.rules.rewards.iter().find(|(_, item)| item.code.as_deref() == Some(&code));
        let Some((key, item)) = shared else { continue };
        match allowed(desk, key, item, desk.at()) {
            Ok(()) => counters(desk, key, item).into_iter().for_each(|counter| desk.count(counter, 1)),
            Err(why) => note(desk.out, &format!("code {code}: {why}")),
        }
    }
}

/// The same for a purchase that names nobody: a code is used whoever uses it.
pub(super) fn use_codes_of_nobody(entry: &QueuedEntry, known: &mut Codes, out: &mut Settlement) {
    let Event::Purchase(purchase) = &entry.event else { return };
    for code in &purchase.codes {
        use_code(entry, &code.trim().to_ascii_uppercase(), known, out);
    }
}

/// Marks the reward that has this code as used, or says why not. Answers whether any has it.
fn use_code(entry: &QueuedEntry, code: &str, known: &mut Codes, out: &mut Settlement) -> bool {
    let Some(reward) = known.get_mut(&(entry.merchant.clone(), code.to_owned())) else { return false };
    if reward.state != RewardState::Issued {
        note(out, &format!("code {code} was {} before", reward.state.as_str()));
    } else if reward.expires_at.is_some_and(|end| end <= entry.event.at()) {
        note(out, &format!("code {code} had lapsed"));
    } else {
        reward.state = RewardState::Used;
        mark_used(reward, out);
        if entry.member.as_ref().is_some_and(|member| *member != reward.member) {
            note(out, &format!("code {code} was given to another member"));
        }
    }
    true
}

/// A code is one thing wherever the batch meets it: what became of it counts for its holder's next entry, and for whoever uses it next.
pub(super) fn agree(book: &mut Book, settlement: &Settlement) {
    for (id, state) in &settlement.reward_states {
        let Some(known) = book.codes.values_mut().find(|reward| reward.id == *id) else { continue };
        known.state = *state;
        let holder = (settlement.merchant.clone(), known.member.clone());
        if let Some(holder) = book.members.get_mut(&holder) {
            holder.rewards.retain(|reward| reward.id != *id);
        }
    }
}

fn mark_used(reward: &HeldReward, out: &mut Settlement) {
    out.reward_states.push((reward.id.clone(), RewardState::Used));
    out.used.push(reward.id.clone());
}

fn note(out: &mut Settlement, why: &str) {
    out.cause = Some(out.cause.take().map_or_else(|| why.to_owned(), |cause| format!("{cause}; {why}")));
}
