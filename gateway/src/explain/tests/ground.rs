//! A shop in Bratislava, a purchase of 35.00 EUR, and who bought.

use crate::civil::Zone;
use crate::explain::{Language, Order, Voice};
use perkgate_domain::decision::{Blame, Earn, Fault, FaultKind, LogLevel, LogLine, Outcome, Price, Share};
use perkgate_domain::delivery::{Delivery, DeliveryState};
use perkgate_domain::facts::{Facts, MerchantFacts};
use perkgate_domain::ids::{Digest, EntryId};
use perkgate_domain::ledger::{Expiry, HeldReward, Lot, RewardState};
use perkgate_domain::member::{Climb, Member, Wallet};
use perkgate_domain::money::Currency;
use perkgate_domain::plan::DecisionRecord;
use perkgate_domain::programme::{Installation, Mode};
use perkgate_domain::purchase::{Channel, Line, LineKind, Purchase, Refund};
use perkgate_domain::time::Moment;
use std::collections::{BTreeMap, BTreeSet};

pub(super) const DAY: i64 = 24 * 3600 * 1000;
/// 3 March 2026, 15:05 in Bratislava.
pub(super) const BOUGHT: Moment = Moment(1_772_546_700_000);

pub(super) fn days_later(days: i64) -> Moment {
    BOUGHT.plus_ms(days * DAY)
}

pub(super) fn zone() -> Zone {
    Zone::named("Europe/Bratislava")
}

/// A day after the purchase.
pub(super) fn voice(language: Language, zone: &Zone) -> Voice<'_> {
    Voice { language, zone, now: days_later(1) }
}

/// As a terminal shows it: spaces that may not break are spaces.
pub(super) fn plain(said: &[String]) -> Vec<String> {
    said.iter().map(|sentence| sentence.replace('\u{a0}', " ")).collect()
}

pub(super) fn eur() -> Currency {
    Currency::parse("EUR").unwrap()
}

fn line(id: &str, name: &str, total: i64) -> Line {
    Line {
        id: id.into(),
        sku: None,
        name: name.into(),
        category: None,
        quantity_milli: 1000,
        unit: total,
        total,
        tax: 0,
        kind: LineKind::Item,
    }
}

pub(super) fn purchase() -> Purchase {
    Purchase {
        id: "5001".into(),
        reference: Some("#1001".into()),
        channel: Channel::InStore,
        placed_at: BOUGHT,
        currency: eur(),
        total: 3500,
        tax: 0,
        discount: 0,
        unaccounted: 0,
        unaccounted_reason: None,
        lines: vec![line("1", "Flat white", 2000), line("2", "Croissant", 1500)],
        codes: vec![],
        location: None,
    }
}

pub(super) fn member() -> Member {
    Member {
        id: "mem_jana".into(),
        version: 1,
        joined_at: Moment(0),
        locale: None,
        consent: true,
        visits: 1,
        spent: 3500,
        first_purchase_at: None,
        last_purchase_at: None,
        birthday: None,
        referrer: None,
        tier: None,
        climb: Climb::default(),
        tags: vec![],
        wallets: BTreeMap::new(),
        through: BOUGHT,
        due_at: None,
        merged_into: None,
        chain: [0; 32],
    }
}

pub(super) fn wallet(amounts: &[(&str, i64)]) -> Wallet {
    let mut wallet = Wallet::default();
    for (key, amount) in amounts {
        let key = perkgate_domain::ledger::TrancheKey::parse(key).unwrap();
        if key.matures.is_some() {
            wallet.pending += amount;
        } else {
            wallet.available += amount;
        }
        wallet.add(key, *amount);
    }
    wallet
}

pub(super) fn installation(id: &str, mode: Mode) -> Installation {
    Installation {
        id: id.into(),
        digest: Digest::of(id.as_bytes()),
        partner: None,
        settings: "{}".into(),
        settings_revision: 1,
        grants: BTreeSet::new(),
        caps: BTreeMap::new(),
        mode,
    }
}

pub(super) fn earn(wallet: &str, amount: i64, reason: &str) -> Earn {
    let shares =
        vec![Share { line: "1".into(), amount: amount - amount / 3 }, Share { line: "2".into(), amount: amount / 3 }];
    Earn { wallet: wallet.into(), amount, shares, matures_days: None, valid_days: None, reason: reason.into() }
}

pub(super) fn record(plugin: &str, outcome: Outcome) -> DecisionRecord {
    let merchant = MerchantFacts {
        id: "shop".into(),
        name: "Shop".into(),
        currency: eur(),
        timezone: "Europe/Bratislava".into(),
        locale: "sk".into(),
    };
    DecisionRecord {
        installation: plugin.into(),
        digest: Digest::of(plugin.as_bytes()),
        settings_revision: 1,
        about: None,
        facts: Facts {
            now: BOUGHT,
            local: zone().local(BOUGHT),
            merchant,
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
        },
        outcome,
        ruling: None,
        notes: vec![],
        shadow: false,
        fuel: 1,
        log: vec![],
    }
}

pub(super) fn ruled_out(plugin: &str, kind: FaultKind, detail: &str) -> DecisionRecord {
    let fault = Fault { blame: Blame::Plugin, kind, detail: detail.into() };
    DecisionRecord { ruling: Some(fault), ..record(plugin, Outcome::Decided(vec![])) }
}

pub(super) fn says(plugin: &str, text: &str) -> DecisionRecord {
    let log = vec![LogLine { level: LogLevel::Info, text: text.into() }];
    DecisionRecord { log, ..record(plugin, Outcome::Decided(vec![])) }
}

pub(super) fn lot(entry: i64, plugin: &str, earn: &Earn, at: Moment) -> Lot {
    Lot {
        id: format!("lot_{entry}_{plugin}").as_str().into(),
        entry: EntryId(entry),
        member: "mem_jana".into(),
        installation: plugin.into(),
        digest: Digest::of(plugin.as_bytes()),
        settings_revision: 1,
        wallet: earn.wallet.clone(),
        amount: earn.amount,
        reversed: 0,
        forgiven: 0,
        expired: 0,
        earned_at: at,
        matures_at: None,
        expires: Expiry::Never,
        shares: earn.shares.clone(),
    }
}

pub(super) fn reward(state: RewardState) -> HeldReward {
    HeldReward {
        id: "rwd_1".into(),
        member: "mem_jana".into(),
        entry: EntryId(1),
        installation: "stamp-card".into(),
        partner: None,
        key: "coffee".into(),
        title: "Káva zdarma".into(),
        text: String::new(),
        code: "AB12CD34EF".into(),
        price: Some(Price { wallet: "stamps".into(), amount: 22 }),
        paid: vec![],
        kind: None,
        returns_price: false,
        used_in: None,
        state,
        issued_at: BOUGHT,
        // The end of 31 March.
        expires_at: Some(zone().end_of(BOUGHT, crate::civil::Period::Month)),
    }
}

pub(super) fn delivery(state: DeliveryState) -> Delivery {
    Delivery {
        id: "dlv_1".into(),
        merchant: "shop".into(),
        channel: "email".into(),
        entry: EntryId(1),
        installation: "thank-you".into(),
        member: "mem_jana".into(),
        message: perkgate_domain::decision::Message {
            key: "welcome".into(),
            subject: "Ďakujeme".into(),
            text: String::new(),
            locale: "sk".into(),
        },
        state,
        note: None,
        created_at: BOUGHT,
    }
}

pub(super) fn refund(amount: i64, currency: &str) -> Refund {
    Refund {
        id: "r1".into(),
        purchase: "5001".into(),
        at: days_later(2),
        currency: Currency::parse(currency).unwrap(),
        amount,
        complete: false,
        lines: vec![],
    }
}

/// Settled, for nobody in particular, and nothing followed.
pub(super) fn bare(purchase: &Purchase) -> Order<'_> {
    Order {
        entry: EntryId(1),
        state: "settled",
        cause: None,
        purchase,
        member: None,
        installations: vec![],
        decisions: vec![],
        lots: &[],
        rewards: &[],
        coupons: &[],
        deliveries: vec![],
        later: vec![],
    }
}
