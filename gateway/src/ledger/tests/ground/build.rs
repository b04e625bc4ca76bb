//! Builders: one line for each thing a story needs.

use crate::civil::Zone;
use perkgate_domain::decision::{CivilTime, Decision, Earn, Offer, Price, Reward, Share, Spend};
use perkgate_domain::event::{Event, Redemption, Undo};
use perkgate_domain::facts::{Facts, LocalTime, MerchantFacts};
use perkgate_domain::ids::{Digest, RewardId};
use perkgate_domain::member::{Climb, Member};
use perkgate_domain::money::Currency;
use perkgate_domain::programme::{Caps, Installation, Merchant, Mode};
use perkgate_domain::purchase::{Channel, Line, LineKind, Purchase, Refund, RefundLine};
use perkgate_domain::rules::RewardKind;
use perkgate_domain::rules::{CatalogueReward, Rules};
use perkgate_domain::time::Moment;
use std::collections::{BTreeMap, BTreeSet};

/// `2026-03-01 10:00` by the shop's clocks.
pub(in crate::ledger::tests) fn at(text: &str) -> Moment {
    let number = |range| text.get(range).and_then(|part: &str| part.parse::<u8>().ok()).expect("a civil time");
    let year = text[..4].parse().expect("a year");
    let civil =
        CivilTime { year, month: number(5..7), day: number(8..10), hour: number(11..13), minute: number(14..16) };
    Zone::named("Europe/Bratislava").moment(civil)
}

pub(in crate::ledger::tests) fn eur() -> Currency {
    Currency::parse("EUR").expect("known")
}

pub(super) fn merchant() -> Merchant {
    Merchant {
        id: "shop".into(),
        name: "Shop".into(),
        currency: eur(),
        timezone: "Europe/Bratislava".into(),
        locale: "sk".into(),
        country: None,
        url: None,
        rules: Rules::default(),
    }
}

pub(super) fn member(id: &str) -> Member {
    Member {
        id: id.into(),
        version: 0,
        joined_at: at("2026-01-01 00:00"),
        locale: None,
        consent: true,
        visits: 0,
        spent: 0,
        first_purchase_at: None,
        last_purchase_at: None,
        birthday: None,
        referrer: None,
        tier: None,
        climb: Climb::default(),
        tags: vec![],
        wallets: BTreeMap::new(),
        through: Moment(0),
        due_at: None,
        merged_into: None,
        chain: [0; 32],
    }
}

pub(in crate::ledger::tests) fn installation(id: &str) -> Installation {
    Installation {
        id: id.into(),
        digest: Digest::of(id.as_bytes()),
        partner: Some("kino".into()),
        settings: "{}".into(),
        settings_revision: 1,
        grants: BTreeSet::new(),
        caps: Caps::default(),
        mode: Mode::Live,
    }
}

pub(super) fn facts() -> Facts {
    Facts {
        now: Moment(0),
        local: LocalTime { year: 2026, month: 1, day: 1, hour: 0, minute: 0, weekday: 4, offset_minutes: 60 },
        merchant: MerchantFacts {
            id: "shop".into(),
            name: "Shop".into(),
            currency: eur(),
            timezone: "Europe/Bratislava".into(),
            locale: "sk".into(),
        },
        member: None,
        settings: "{}".into(),
        memory: vec![],
        dice: 0,
        birthday: None,
        standing: None,
        referral: None,
        history: vec![],
        favourites: vec![],
        coming: vec![],
    }
}

/// Lines `0`, `1`, … of four pieces each, with these totals.
pub(in crate::ledger::tests) fn purchase(id: &str, placed_at: Moment, totals: &[i64]) -> Purchase {
    let line = |(place, total): (usize, &i64)| Line {
        id: place.to_string(),
        sku: None,
        name: place.to_string(),
        category: None,
        quantity_milli: 4000,
        unit: *total,
        total: *total,
        tax: 0,
        kind: LineKind::Item,
    };
    Purchase {
        id: id.into(),
        reference: None,
        channel: Channel::InStore,
        placed_at,
        currency: eur(),
        total: totals.iter().sum(),
        tax: 0,
        discount: 0,
        unaccounted: 0,
        unaccounted_reason: None,
        lines: totals.iter().enumerate().map(line).collect(),
        codes: vec![],
        location: None,
    }
}

/// Shared over the lines by what they cost.
pub(in crate::ledger::tests) fn earn(wallet: &str, amount: i64) -> Decision {
    earn_on(wallet, amount, (None, None))
}

/// With days until it matures, and until it is lost, of its own.
pub(in crate::ledger::tests) fn earn_on(wallet: &str, amount: i64, days: (Option<u32>, Option<u32>)) -> Decision {
    let (matures_days, valid_days) = days;
    let reason = "test".into();
    Decision::Earn(Earn { wallet: wallet.into(), amount, shares: vec![], matures_days, valid_days, reason })
}

/// Which line earned how much.
pub(in crate::ledger::tests) fn shared(wallet: &str, shares: &[(&str, i64)]) -> Decision {
    let amount = shares.iter().map(|(_, amount)| amount).sum();
    let shares = shares.iter().map(|(line, amount)| Share { line: (*line).into(), amount: *amount }).collect();
    let reason = "test".into();
    Decision::Earn(Earn { wallet: wallet.into(), amount, shares, matures_days: None, valid_days: None, reason })
}

pub(in crate::ledger::tests) fn spend(wallet: &str, amount: i64) -> Decision {
    Decision::Spend(Spend { wallet: wallet.into(), amount, reason: "test".into() })
}

pub(in crate::ledger::tests) fn price(wallet: &str, amount: i64) -> Price {
    Price { wallet: wallet.into(), amount }
}

/// A plugin's reward, paid in stamps.
pub(in crate::ledger::tests) fn coffee(stamps: i64) -> Decision {
    let price = Some(price("stamps", stamps));
    Decision::Reward(Reward { key: "coffee".into(), title: "Coffee".into(), price, valid_days: None })
}

/// An offer that one member may have.
pub(in crate::ledger::tests) fn offer(limit: Option<u32>, valid_days: Option<u32>) -> Decision {
    Decision::Offer(Offer { key: "kino".into(), title: "1+1".into(), text: "…".into(), limit, valid_days })
}

/// A reward of the catalogue for so many points, or one that the merchant gives.
pub(in crate::ledger::tests) fn item(points: Option<i64>) -> CatalogueReward {
    CatalogueReward {
        title: "Mug".into(),
        titles: BTreeMap::new(),
        kind: RewardKind::Custom,
        price: points.map(|amount| price("points", amount)),
        stock: None,
        per_member: None,
        valid_days: None,
        from: None,
        until: None,
        returns_price: false,
        undo_minutes: 15,
        automatic: false,
        code: None,
        audience: None,
    }
}

pub(in crate::ledger::tests) fn redeem(id: &str, at: Moment, reward: &str) -> Event {
    Event::Redemption(Redemption { id: id.into(), at, reward: reward.into() })
}

pub(in crate::ledger::tests) fn undo(id: &str, at: Moment, reward: &RewardId) -> Event {
    Event::Undo(Undo { id: id.into(), at, reward: reward.clone() })
}

/// Money given back: in all, and of lines (pieces in thousandths, money).
pub(in crate::ledger::tests) fn back(amount: i64, lines: &[(&str, i64, i64)]) -> Refund {
    let line = |(line, quantity_milli, amount): &(&str, i64, i64)| RefundLine {
        line: (*line).into(),
        quantity_milli: *quantity_milli,
        amount: *amount,
    };
    Refund {
        id: String::new(),
        purchase: "p".into(),
        at: Moment(0),
        currency: eur(),
        amount,
        complete: false,
        lines: lines.iter().map(line).collect(),
    }
}

/// A cancelled order.
pub(in crate::ledger::tests) fn cancelled() -> Refund {
    Refund { complete: true, ..back(0, &[]) }
}
