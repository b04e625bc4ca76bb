//! The domain's words in the contract's and back. Total: every value has its counterpart.
//!
//! What goes in borrows from the domain. The contract's records hold slices, so whatever is a list of other records is
//! converted first and kept beside ([`Lines`], [`Lists`]) while the record that shows it is lent out.

use crate::bindings::perkgate::plugin::types as wit;
use perkgate_domain::decision::{Decision, Earn, Message, Offer, Price, Refusal, Reward, Share, Spend, Wake};
use perkgate_domain::facts::{Facts, LocalTime, MemberFacts, MerchantFacts};
use perkgate_domain::purchase::{Channel, Join, Line, LineKind, Purchase, Refund, RefundLine};
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
            channel: match purchase.channel {
                Channel::Online => wit::Channel::Online,
                Channel::InStore => wit::Channel::InStore,
                Channel::Unknown => wit::Channel::Unknown,
            },
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

/// The lists of the facts.
pub(crate) struct Lists<'a> {
    tags: Vec<&'a str>,
    balances: Vec<wit::Balance<'a>>,
}

impl<'a> Lists<'a> {
    pub(crate) fn of(facts: &'a Facts) -> Self {
        let Some(member) = &facts.member else {
            return Self { tags: Vec::new(), balances: Vec::new() };
        };
        let balances = member.balances.iter().map(|(wallet, balance)| wit::Balance {
            wallet,
            available: balance.available,
            pending: balance.pending,
        });
        Self { tags: member.tags.iter().map(String::as_str).collect(), balances: balances.collect() }
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
        wit::Decision::Earn(wit::Earn { wallet, amount, shares, reason }) => {
            let share = |wit::Share { line, amount }| Share { line, amount };
            Decision::Earn(Earn { wallet, amount, shares: shares.into_iter().map(share).collect(), reason })
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
        wit::Decision::Wake(wit::Wake { key, at, data }) => Decision::Wake(Wake { key, at: Moment(at), data }),
        wit::Decision::Remember(bytes) => Decision::Remember { bytes },
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
