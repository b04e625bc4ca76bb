//! The domain's words in the contract's and back. Total: every value has its counterpart.
//!
//! What goes in borrows from the domain. The contract's records hold slices, so whatever is a list of other records is
//! converted first and kept beside ([`Lines`], [`Lists`]) while the record that shows it is lent out.

use crate::bindings::perkgate::plugin::types as wit;
use crate::plugin::Taken;
use perkgate_domain::decision::{
    Ask, CivilTime, Decision, Earn, Message, Offer, Price, Refusal, Reward, Share, Spend, Task, Wake, WakeTime,
    WakeWhom,
};
use perkgate_domain::event::{Answer, Join, Profile, Scale, WakeCause, Woken};
use perkgate_domain::facts::{Coming, Facts, Favourite, LocalTime, MemberFacts, MerchantFacts, Standing, Visit};
use perkgate_domain::member::Balance;
use perkgate_domain::purchase::{Channel, Line, LineKind, Purchase, Refund, RefundLine};
use perkgate_domain::time::Moment;

/// The lists of a purchase.
pub(crate) struct Lines<'a> {
    lines: Vec<wit::Line<'a>>,
    codes: Vec<&'a str>,
}

impl<'a> Lines<'a> {
    pub(crate) fn of(purchase: &'a Purchase) -> Self {
        Self {
            lines: purchase.lines.iter().map(line).collect(),
            codes: purchase.codes.iter().map(String::as_str).collect(),
        }
    }

    pub(crate) fn lend(&'a self, source: &'a str, purchase: &'a Purchase) -> wit::Purchase<'a> {
        wit::Purchase {
            id: &purchase.id,
            source,
            channel: channel(purchase.channel),
            placed_at: purchase.placed_at.0,
            currency: purchase.currency.as_str(),
            total: purchase.total,
            tax: purchase.tax,
            discount: purchase.discount,
            unaccounted: purchase.unaccounted,
            lines: &self.lines,
            codes: &self.codes,
            location: purchase.location.as_deref(),
        }
    }
}

fn channel(channel: Channel) -> wit::Channel {
    match channel {
        Channel::Online => wit::Channel::Online,
        Channel::InStore => wit::Channel::InStore,
        Channel::Unknown => wit::Channel::Unknown,
    }
}

fn line(line: &Line) -> wit::Line<'_> {
    wit::Line {
        id: &line.id,
        sku: line.sku.as_deref(),
        name: &line.name,
        category: line.category.as_deref(),
        quantity_milli: line.quantity_milli,
        unit: line.unit,
        total: line.total,
        tax: line.tax,
        kind: match line.kind {
            LineKind::Item => wit::LineKind::Item,
            LineKind::Shipping => wit::LineKind::Shipping,
            LineKind::Tip => wit::LineKind::Tip,
            LineKind::Fee => wit::LineKind::Fee,
            LineKind::GiftCard => wit::LineKind::GiftCard,
            LineKind::Discount => wit::LineKind::Discount,
        },
    }
}

pub(crate) fn refund_lines<'a>(refund: &'a Refund) -> Vec<wit::RefundLine<'a>> {
    let line = |line: &'a RefundLine| wit::RefundLine {
        line: &line.line,
        quantity_milli: line.quantity_milli,
        amount: line.amount,
    };
    refund.lines.iter().map(line).collect()
}

pub(crate) fn refund<'a>(refund: &'a Refund, lines: &'a [wit::RefundLine<'a>]) -> wit::Refund<'a> {
    wit::Refund {
        id: &refund.id,
        at: refund.at.0,
        currency: refund.currency.as_str(),
        amount: refund.amount,
        complete: refund.complete,
        lines,
    }
}

pub(crate) fn join<'a>(source: &'a str, join: &'a Join) -> wit::Join<'a> {
    wit::Join { at: join.at.0, source, referrer: join.referrer.as_deref() }
}

pub(crate) fn profile<'a>(source: &'a str, profile: &Profile) -> wit::Profile<'a> {
    wit::Profile { at: profile.at.0, source }
}

pub(crate) fn woken(woken: &Woken) -> wit::Woken<'_> {
    wit::Woken {
        at: woken.at.0,
        cause: match woken.cause {
            WakeCause::Asked => wit::WakeCause::Asked,
            WakeCause::Installed => wit::WakeCause::Installed,
            WakeCause::Tier => wit::WakeCause::Tier,
        },
        key: &woken.key,
        data: &woken.data,
    }
}

pub(crate) fn price(price: &Price) -> wit::Price {
    wit::Price { wallet: price.wallet.clone(), amount: price.amount }
}

pub(crate) fn redemption<'a>(taken: &Taken<'a>, price: Option<&'a wit::Price>) -> wit::Redemption<'a> {
    wit::Redemption {
        at: taken.at.0,
        step: if taken.undone { wit::RedemptionStep::Undone } else { wit::RedemptionStep::Redeemed },
        reward: taken.reward,
        title: taken.title,
        price,
    }
}

pub(crate) fn answer(answer: &Answer) -> wit::Answer<'_> {
    wit::Answer {
        at: answer.at.0,
        key: &answer.key,
        scale: match answer.scale {
            Scale::Nps => wit::Scale::Nps,
            Scale::Csat => wit::Scale::Csat,
        },
        score: answer.score,
        text: answer.text.as_deref(),
    }
}

/// The lists of the facts.
pub(crate) struct Lists<'a> {
    tags: Vec<&'a str>,
    balances: Vec<wit::Balance<'a>>,
    history: Vec<wit::Visit<'a>>,
    favourites: Vec<wit::Favourite<'a>>,
    coming: Vec<wit::Coming<'a>>,
}

impl<'a> Lists<'a> {
    pub(crate) fn of(facts: &'a Facts) -> Self {
        let member = facts.member.as_ref();
        let balance = |(wallet, balance): (&'a String, &'a Balance)| wit::Balance {
            wallet,
            available: balance.available,
            pending: balance.pending,
        };
        Self {
            tags: member.into_iter().flat_map(|member| member.tags.iter().map(String::as_str)).collect(),
            balances: member.into_iter().flat_map(|member| member.balances.iter().map(balance)).collect(),
            history: facts.history.iter().map(visit).collect(),
            favourites: facts.favourites.iter().map(favourite).collect(),
            coming: facts.coming.iter().map(coming).collect(),
        }
    }

    pub(crate) fn lend(&'a self, facts: &'a Facts) -> wit::Facts<'a> {
        wit::Facts {
            now: facts.now.0,
            local: local(facts.local),
            merchant: merchant(&facts.merchant),
            member: facts.member.as_ref().map(|member| self.member(member)),
            settings: &facts.settings,
            memory: &facts.memory,
            dice: facts.dice,
            birthday: facts.birthday.map(|day| wit::MonthDay { month: day.month, day: day.day }),
            standing: facts.standing.as_ref().map(standing),
            referral: facts
                .referral
                .as_ref()
                .map(|referral| wit::Referral { code: &referral.code, referred: referral.referred }),
            history: &self.history,
            favourites: &self.favourites,
            coming: &self.coming,
        }
    }

    fn member(&'a self, member: &'a MemberFacts) -> wit::Member<'a> {
        wit::Member {
            id: &member.id,
            locale: member.locale.as_deref(),
            joined_at: member.joined_at.0,
            visits: member.visits,
            spent: member.spent,
            first_purchase_at: member.first_purchase_at.map(|at| at.0),
            last_purchase_at: member.last_purchase_at.map(|at| at.0),
            tier: member.tier.as_deref(),
            tags: &self.tags,
            consent: member.consent,
            balances: &self.balances,
        }
    }
}

fn standing(standing: &Standing) -> wit::Standing<'_> {
    let next = standing.next.as_ref();
    wit::Standing {
        tier: standing.tier.as_deref(),
        since: standing.since.map(|at| at.0),
        until: standing.until.map(|at| at.0),
        multiplier_milli: standing.multiplier_milli,
        progress: standing.progress,
        next: next.map(|next| wit::NextTier { name: &next.name, at: next.at, missing: next.missing }),
    }
}

fn visit(visit: &Visit) -> wit::Visit<'_> {
    wit::Visit {
        at: visit.at.0,
        total: visit.total,
        currency: visit.currency.as_str(),
        channel: channel(visit.channel),
        location: visit.location.as_deref(),
    }
}

fn favourite(favourite: &Favourite) -> wit::Favourite<'_> {
    wit::Favourite {
        sku: favourite.sku.as_deref(),
        name: &favourite.name,
        category: favourite.category.as_deref(),
        purchases: favourite.purchases,
        last_at: favourite.last_at.0,
    }
}

fn coming(coming: &Coming) -> wit::Coming<'_> {
    wit::Coming {
        wallet: &coming.wallet,
        amount: coming.amount,
        matures_at: coming.matures_at.map(|at| at.0),
        expires_at: coming.expires_at.map(|at| at.0),
    }
}

fn local(time: LocalTime) -> wit::LocalTime {
    wit::LocalTime {
        year: time.year,
        month: time.month,
        day: time.day,
        hour: time.hour,
        minute: time.minute,
        weekday: time.weekday,
        offset_minutes: time.offset_minutes,
    }
}

fn merchant(merchant: &MerchantFacts) -> wit::Merchant<'_> {
    wit::Merchant {
        id: &merchant.id,
        name: &merchant.name,
        currency: merchant.currency.as_str(),
        exponent: merchant.currency.exponent(),
        timezone: &merchant.timezone,
        locale: &merchant.locale,
    }
}

pub(crate) fn decision(decision: wit::Decision) -> Decision {
    match decision {
        wit::Decision::Earn(wit::Earn { wallet, amount, shares, matures_days, valid_days, reason }) => {
            let share = |wit::Share { line, amount }| Share { line, amount };
            let shares = shares.into_iter().map(share).collect();
            Decision::Earn(Earn { wallet, amount, shares, matures_days, valid_days, reason })
        }
        wit::Decision::Spend(wit::Spend { wallet, amount, reason }) => {
            Decision::Spend(Spend { wallet, amount, reason })
        }
        wit::Decision::Reward(wit::Reward { key, title, price, valid_days }) => {
            let price = price.map(|wit::Price { wallet, amount }| Price { wallet, amount });
            Decision::Reward(Reward { key, title, price, valid_days })
        }
        wit::Decision::Offer(wit::Offer { key, title, text, limit, valid_days }) => {
            Decision::Offer(Offer { key, title, text, limit, valid_days })
        }
        wit::Decision::Tier(wit::Tier { name }) => Decision::Tier { name },
        wit::Decision::Tag(wit::Tag { name, present }) => Decision::Tag { name, present },
        wit::Decision::Message(wit::Message { key, subject, text, locale }) => {
            Decision::Message(Message { key, subject, text, locale })
        }
        wit::Decision::Wake(wit::Wake { key, when, whom, data }) => {
            let whom = match whom {
                wit::WakeWhom::Member => WakeWhom::Member,
                wit::WakeWhom::Referrer => WakeWhom::Referrer,
            };
            Decision::Wake(Wake { key, when: when.map(wake_time), whom, data })
        }
        wit::Decision::Task(wit::Task { key, title, text }) => Decision::Task(Task { key, title, text }),
        wit::Decision::Ask(wit::Ask { key, scale, subject, text, locale, valid_days }) => {
            let scale = match scale {
                wit::Scale::Nps => Scale::Nps,
                wit::Scale::Csat => Scale::Csat,
            };
            Decision::Ask(Ask { key, scale, subject, text, locale, valid_days })
        }
        wit::Decision::Remember(bytes) => Decision::Remember { bytes },
    }
}

fn wake_time(time: wit::WakeTime) -> WakeTime {
    match time {
        wit::WakeTime::Moment(at) => WakeTime::Moment(Moment(at)),
        wit::WakeTime::Civil(wit::CivilTime { year, month, day, hour, minute }) => {
            WakeTime::Civil(CivilTime { year, month, day, hour, minute })
        }
    }
}

pub(crate) fn refusal(refusal: wit::Refusal) -> Refusal {
    match refusal {
        wit::Refusal::NotConfigured(why) => Refusal::NotConfigured(why),
        wit::Refusal::Unsupported(why) => Refusal::Unsupported(why),
        wit::Refusal::Broken(why) => Refusal::Broken(why),
    }
}

/// The sentence of a refusal.
pub(crate) fn refusal_text(refusal: &wit::Refusal) -> &str {
    match refusal {
        wit::Refusal::NotConfigured(why) | wit::Refusal::Unsupported(why) | wit::Refusal::Broken(why) => why,
    }
}
