//! The documents that the API and the command line tell alike.

use crate::identity::contact_context;
use crate::store::{ContactField, ExportView, MemberView};
use crate::vault::Vault;
use perkgate_domain::ids::MerchantId;
use perkgate_domain::rules::CatalogueReward;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A member, and what they have.
#[must_use]
pub fn member(view: &MemberView) -> Value {
    let member = &view.member;
    let (offers, rewards): (Vec<_>, Vec<_>) = view.rewards.iter().partition(|reward| reward.partner.is_some());
    json!({
        "member": member.id,
        "balances": member.wallets,
        "tier": member.tier,
        "rewards": rewards,
        "offers": offers,
        "visits": member.visits,
        "spent": member.spent,
        "tags": member.tags,
        "locale": member.locale,
        "consent": member.consent,
        "joined_at": member.joined_at,
        "first_purchase_at": member.first_purchase_at,
        "last_purchase_at": member.last_purchase_at,
    })
}

/// Everything that is kept about a member, contact data opened.
#[must_use]
pub fn export(vault: &Vault, merchant: &MerchantId, found: &ExportView) -> Value {
    let open = |field: &ContactField| {
        let plain = vault.open(&contact_context(merchant, &field.field), &field.sealed).ok();
        (field.field.clone(), plain.and_then(|bytes| String::from_utf8(bytes).ok()))
    };
    let contact: BTreeMap<String, Option<String>> = found.contact.iter().map(open).collect();
    json!({
        "member": found.member,
        "keys": found.keys,
        "contact": contact,
        "entries": found.entries,
        "postings": found.postings,
        "rewards": found.rewards,
        "deliveries": found.deliveries,
        "questions": found.questions,
        "complete": found.complete,
    })
}

/// A reward of the catalogue, with its key.
pub(super) fn reward(key: &str, reward: &CatalogueReward) -> Value {
    let mut document = serde_json::to_value(reward).unwrap_or_default();
    if let Some(fields) = document.as_object_mut() {
        fields.insert("key".to_owned(), key.into());
    }
    document
}
