//! What a merchant file changed, for the audit log: the names of the parts that differ, and a keyed digest of each before and after. No
//! secret can be told from those, and that one was changed can.

use super::{Prepared, open_all};
use crate::store::{Actor, Note, ProgrammeRows};
use crate::vault::Vault;
use perkgate_domain::ids::MerchantId;
use perkgate_domain::programme::{Channel, Installation, Source};
use perkgate_domain::time::Moment;
use serde::Serialize;
use std::collections::BTreeMap;

type Parts = BTreeMap<String, String>;

pub(super) fn note(
    prepared: &Prepared,
    stored: Option<&ProgrammeRows>,
    vault: &Vault,
    by: &Actor,
    now: Moment,
) -> Note {
    let merchant = &prepared.merchant.id;
    let mut after = Parts::new();
    add(&mut after, vault, merchant, "merchant".to_owned(), &prepared.merchant);
    for source in &prepared.sources {
        add(&mut after, vault, merchant, format!("source/{}", source.id), source);
    }
    for channel in &prepared.channels {
        add(&mut after, vault, merchant, format!("channel/{}", channel.id), channel);
    }
    installations(&mut after, vault, merchant, prepared.installations.iter().map(|row| &row.installation));
    let mut before = stored.map(|rows| parts(rows, vault)).unwrap_or_default();
    let same: Vec<String> = after
        .iter()
        .filter(|(name, digest)| before.get(*name) == Some(*digest))
        .map(|(name, _)| name.clone())
        .collect();
    for name in same {
        before.remove(&name);
        after.remove(&name);
    }
    let note = Note::new(Some(merchant), by, "programme.apply", now);
    note.was(serde_json::json!(before)).now(serde_json::json!(after))
}

fn parts(rows: &ProgrammeRows, vault: &Vault) -> Parts {
    let merchant = &rows.merchant.id;
    let mut parts = Parts::new();
    add(&mut parts, vault, merchant, "merchant".to_owned(), &rows.merchant);
    // What does not open any more differs from everything.
    for source in open_all::<Source>(vault, merchant, "source", &rows.sources).unwrap_or_default() {
        add(&mut parts, vault, merchant, format!("source/{}", source.id), &source);
    }
    for channel in open_all::<Channel>(vault, merchant, "channel", &rows.channels).unwrap_or_default() {
        add(&mut parts, vault, merchant, format!("channel/{}", channel.id), &channel);
    }
    installations(&mut parts, vault, merchant, rows.installations.iter().map(|row| &row.installation));
    parts
}

/// Their order counts, and which revision of their settings it is does not.
fn installations<'a>(
    parts: &mut Parts,
    vault: &Vault,
    merchant: &MerchantId,
    installations: impl Iterator<Item = &'a Installation>,
) {
    for (place, installation) in installations.enumerate() {
        let bare = Installation { settings_revision: 0, ..installation.clone() };
        let told = (place, &bare.digest, &bare.partner, &bare.settings, &bare.grants, &bare.caps, &bare.mode);
        add(parts, vault, merchant, format!("plugin/{}", installation.id), &told);
    }
}

fn add<T: Serialize>(parts: &mut Parts, vault: &Vault, merchant: &MerchantId, name: String, part: &T) {
    // What was read from a merchant file always serialises.
    let document = serde_json::to_vec(part).unwrap_or_default();
    let digest = vault.digest(merchant, &document).to_string();
    let digits = digest.rsplit(':').next().unwrap_or_default();
    parts.insert(name, digits.chars().take(16).collect());
}
