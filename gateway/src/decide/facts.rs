//! What each plugin is told: no more than it asked for, and nothing that is not stored with the decision.

use crate::vault::Vault;
use jiff::tz::TimeZone;
use perkgate_domain::facts::{Facts, LocalTime, MemberFacts, MerchantFacts};
use perkgate_domain::ids::hash;
use perkgate_domain::manifest::Fact;
use perkgate_domain::plan::{MemberBook, QueuedEntry};
use perkgate_domain::programme::{Installation, Merchant, Programme};
use perkgate_domain::time::Moment;
use std::collections::{BTreeMap, BTreeSet};

/// Civil time in a zone; UTC where the zone is not known (merchant files are checked, so it is).
#[must_use]
pub fn local_time(at: Moment, timezone: &str) -> LocalTime {
    let zone = TimeZone::get(timezone).unwrap_or(TimeZone::UTC);
    let stamp = jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let local = stamp.to_zoned(zone);
    let small = |number: i8| u8::try_from(number).unwrap_or(0);
    LocalTime {
        year: i32::from(local.year()),
        month: small(local.month()),
        day: small(local.day()),
        hour: small(local.hour()),
        minute: small(local.minute()),
        weekday: small(local.weekday().to_monday_one_offset()),
        offset_minutes: local.offset().seconds() / 60,
    }
}

/// The civil day an entry falls on in its merchant's zone.
#[must_use]
pub fn day(entry: &QueuedEntry, merchant: &Merchant) -> String {
    local_time(entry.event.at(), &merchant.timezone).date()
}

/// A number to draw lots with: derived from what the entry is, so that it comes out the same whenever it is decided again.
#[must_use]
pub fn dice(entry: &QueuedEntry, installation: &Installation) -> u64 {
    let parts = [
        "dice",
        entry.merchant.as_str(),
        entry.source.as_str(),
        entry.event.kind().as_str(),
        entry.event.external_id(),
        installation.id.as_str(),
    ];
    let digest = hash(&parts.map(str::as_bytes));
    digest.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// The facts every plugin gets.
pub(super) fn bare(entry: &QueuedEntry, programme: &Programme, installation: &Installation) -> Facts {
    let merchant = &programme.merchant;
    Facts {
        now: entry.event.at(),
        local: local_time(entry.event.at(), &merchant.timezone),
        merchant: MerchantFacts {
            id: merchant.id.to_string(),
            name: merchant.name.clone(),
            currency: merchant.currency,
            timezone: merchant.timezone.clone(),
            locale: merchant.locale.clone(),
        },
        member: None,
        settings: installation.settings.clone(),
        memory: Vec::new(),
        dice: dice(entry, installation),
    }
}

/// The facts a plugin gets that asked for `asked`.
pub(super) fn gather(
    entry: &QueuedEntry,
    programme: &Programme,
    installation: &Installation,
    asked: &BTreeSet<Fact>,
    opened: &MemberBook,
    vault: &Vault,
) -> Facts {
    let mut facts = bare(entry, programme, installation);
    if asked.contains(&Fact::Member) {
        let member = &opened.member;
        let id = match &installation.partner {
            Some(partner) => vault.pseudonym(partner, &member.id),
            None => member.id.to_string(),
        };
        let balances = if asked.contains(&Fact::Balances) { member.balances.clone() } else { BTreeMap::new() };
        facts.member = Some(MemberFacts {
            id,
            locale: member.locale.clone(),
            joined_at: member.joined_at,
            visits: member.visits,
            spent: member.spent,
            first_purchase_at: member.first_purchase_at,
            last_purchase_at: member.last_purchase_at,
            tier: member.tier.clone(),
            tags: member.tags.clone(),
            consent: member.consent,
            balances,
        });
    }
    if asked.contains(&Fact::Memory)
        && let Some(memory) = opened.memories.get(&installation.id)
    {
        facts.memory.clone_from(memory);
    }
    facts
}
