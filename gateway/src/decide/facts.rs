//! What each plugin is told: no more than it asked for, and nothing that is not stored with the decision.

use crate::civil::Zone;
use crate::ladder;
use crate::vault::Vault;
use perkgate_domain::facts::{Coming, Facts, Favourite, MemberFacts, MerchantFacts, Referral, Visit};
use perkgate_domain::ids::hash;
use perkgate_domain::limits::{COMING, FAVOURITES, HISTORY};
use perkgate_domain::manifest::Fact;
use perkgate_domain::member::Member;
use perkgate_domain::plan::{MemberBook, QueuedEntry};
use perkgate_domain::programme::{Installation, Programme};
use perkgate_domain::purchase::{LineKind, Purchase};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// What all decisions of a merchant stand on.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// As it stands now.
    pub programme: &'a Programme,
    /// The merchant's civil time.
    pub zone: &'a Zone,
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
fn bare(entry: &QueuedEntry, ground: Ground<'_>, installation: &Installation) -> Facts {
    let merchant = &ground.programme.merchant;
    Facts {
        now: entry.event.at(),
        local: ground.zone.local(entry.event.at()),
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
        birthday: None,
        standing: None,
        referral: None,
        history: Vec::new(),
        favourites: Vec::new(),
        coming: Vec::new(),
    }
}

/// The facts a plugin gets that asked for `asked`.
pub(super) fn gather(
    entry: &QueuedEntry,
    ground: Ground<'_>,
    installation: &Installation,
    asked: &BTreeSet<Fact>,
    opened: &MemberBook,
    vault: &Vault,
) -> Facts {
    let mut facts = bare(entry, ground, installation);
    let member = &opened.member;
    if asked.contains(&Fact::Member) {
        let id = match &installation.partner {
            Some(partner) => vault.pseudonym(partner, &member.id),
            None => member.id.to_string(),
        };
        let balances = member.wallets.iter().filter(|_| asked.contains(&Fact::Balances));
        let balances = balances.map(|(name, wallet)| (name.clone(), wallet.balance())).collect();
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
    if asked.contains(&Fact::Birthday) {
        facts.birthday = member.birthday;
    }
    if asked.contains(&Fact::Tier) {
        facts.standing = Some(ladder::standing(&ground.programme.merchant.rules, ground.zone, member, facts.now));
    }
    if asked.contains(&Fact::Referral) {
        let code = vault.referral_code(entry.merchant.as_str(), &member.id);
        facts.referral = Some(Referral { code, referred: member.referrer.is_some() });
    }
    if asked.contains(&Fact::History) {
        facts.history = opened.history.iter().take(HISTORY).map(visit).collect();
    }
    if asked.contains(&Fact::Favourites) {
        facts.favourites = favourites(&opened.history);
    }
    if asked.contains(&Fact::Coming) {
        facts.coming = coming(member);
    }
    facts
}

fn visit(purchase: &Purchase) -> Visit {
    Visit {
        at: purchase.placed_at,
        total: purchase.total,
        currency: purchase.currency,
        channel: purchase.channel,
        location: purchase.location.clone(),
    }
}

/// The items that are in most of these purchases; of equals the one bought last.
fn favourites(history: &[Purchase]) -> Vec<Favourite> {
    let mut items: BTreeMap<&str, Favourite> = BTreeMap::new();
    for purchase in history {
        let mut seen = BTreeSet::new();
        for line in purchase.lines.iter().filter(|line| line.kind == LineKind::Item) {
            let key = line.sku.as_deref().unwrap_or(&line.name);
            if !seen.insert(key) {
                continue;
            }
            let item = items.entry(key).or_insert_with(|| Favourite {
                sku: line.sku.clone(),
                name: line.name.clone(),
                category: line.category.clone(),
                purchases: 0,
                last_at: purchase.placed_at,
            });
            item.purchases += 1;
            item.last_at = item.last_at.max(purchase.placed_at);
        }
    }
    let mut items: Vec<_> = items.into_iter().collect();
    items.sort_by_key(|(key, item)| (Reverse(item.purchases), Reverse(item.last_at), *key));
    items.into_iter().map(|(_, item)| item).take(FAVOURITES).collect()
}

/// What matures or is lost next.
#[must_use]
pub fn coming(member: &Member) -> Vec<Coming> {
    let mut coming: Vec<Coming> = Vec::new();
    for (name, wallet) in &member.wallets {
        for tranche in &wallet.tranches {
            let (matures_at, expires_at) = (tranche.key.matures, wallet.lost_at(tranche.key.expires));
            if matures_at.is_some() || expires_at.is_some() {
                coming.push(Coming { wallet: name.clone(), amount: tranche.amount, matures_at, expires_at });
            }
        }
    }
    coming.sort_by_key(|coming| (coming.matures_at.or(coming.expires_at), coming.wallet.clone()));
    coming.truncate(COMING);
    coming
}
