//! Plausible purchases and facts to test a rule with. Change what the test is about, leave the rest.
//!
//! The shop is in Bratislava and trades in euro; it is Saturday, 21 November 2026, 12:00 there.

use crate::{
    Answer, Channel, Facts, Join, Line, LineKind, LocalTime, Member, Merchant, Price, Profile, Purchase, Redemption,
    RedemptionStep, Refund, Scale, Standing, WakeCause, Woken,
};

/// 2026-11-21T11:00:00Z, milliseconds since 1970.
pub const NOW: i64 = 1_795_258_800_000;

/// One piece of goods for `total` minor units; its id, name and article number are `id`.
#[must_use]
pub fn line(id: &str, total: i64) -> Line {
    Line {
        id: id.to_owned(),
        sku: Some(id.to_owned()),
        name: id.to_owned(),
        category: None,
        quantity_milli: 1000,
        unit: total,
        total,
        tax: 0,
        kind: LineKind::Item,
    }
}

/// A purchase of these lines, which add up.
#[must_use]
pub fn purchase(lines: impl IntoIterator<Item = Line>) -> Purchase {
    let lines: Vec<Line> = lines.into_iter().collect();
    Purchase {
        id: "1001".to_owned(),
        source: "till".to_owned(),
        channel: Channel::InStore,
        placed_at: NOW,
        currency: "EUR".to_owned(),
        total: lines.iter().map(|line| line.total).sum(),
        tax: lines.iter().map(|line| line.tax).sum(),
        discount: 0,
        unaccounted: 0,
        lines,
        codes: Vec::new(),
        location: None,
    }
}

/// A refund of `amount` minor units that says nothing about lines.
#[must_use]
pub fn refund(amount: i64) -> Refund {
    Refund { id: "2001".to_owned(), at: NOW, currency: "EUR".to_owned(), amount, complete: false, lines: Vec::new() }
}

/// Somebody joining by the till.
#[must_use]
pub fn join() -> Join {
    Join { at: NOW, source: "till".to_owned(), referrer: None }
}

/// Somebody saying something about themselves at the till.
#[must_use]
pub fn profile() -> Profile {
    Profile { at: NOW, source: "till".to_owned() }
}

/// A time that has come, as asked for with this key.
#[must_use]
pub fn woken(key: &str) -> Woken {
    Woken { at: NOW, cause: WakeCause::Asked, key: key.to_owned(), data: Vec::new() }
}

/// A free coffee taken for 100 points.
#[must_use]
pub fn redemption() -> Redemption {
    Redemption {
        at: NOW,
        step: RedemptionStep::Redeemed,
        reward: "free-coffee".to_owned(),
        title: "Káva zdarma".to_owned(),
        price: Some(Price { wallet: "points".to_owned(), amount: 100 }),
    }
}

/// An answer without words to the question asked with this key.
#[must_use]
pub fn answer(key: &str, scale: Scale, score: u8) -> Answer {
    Answer { at: NOW, key: key.to_owned(), scale, score, text: None }
}

/// A member without a tier, in a shop that has some.
#[must_use]
pub fn standing() -> Standing {
    Standing { tier: None, since: None, until: None, multiplier_milli: 1000, progress: 0, next: None }
}

/// The facts of a plugin that asks for none: no member, no memory, no settings.
#[must_use]
pub fn facts() -> Facts {
    Facts {
        now: NOW,
        local: LocalTime { year: 2026, month: 11, day: 21, hour: 12, minute: 0, weekday: 6, offset_minutes: 60 },
        merchant: merchant(),
        member: None,
        settings: "{}".to_owned(),
        memory: Vec::new(),
        dice: 0,
        birthday: None,
        standing: None,
        referral: None,
        history: Vec::new(),
        favourites: Vec::new(),
        coming: Vec::new(),
    }
}

/// The facts of a plugin that asks for `member`: those of [`facts`] with [`member`].
#[must_use]
pub fn facts_with_member() -> Facts {
    Facts { member: Some(member()), ..facts() }
}

/// A shop.
#[must_use]
pub fn merchant() -> Merchant {
    Merchant {
        id: "kavaren".to_owned(),
        name: "Kaváreň pri moste".to_owned(),
        currency: "EUR".to_owned(),
        exponent: 2,
        timezone: "Europe/Bratislava".to_owned(),
        locale: "sk".to_owned(),
    }
}

/// A member who has not bought anything yet.
#[must_use]
pub fn member() -> Member {
    Member {
        id: "mem_sample".to_owned(),
        locale: None,
        joined_at: NOW,
        visits: 0,
        spent: 0,
        first_purchase_at: None,
        last_purchase_at: None,
        tier: None,
        tags: Vec::new(),
        consent: true,
        balances: Vec::new(),
    }
}
