//! What a plugin is told, and what it is let do.

use super::facts::dice;
use super::grants;
use perkgate_domain::decision::{Decision, Earn, FaultKind};
use perkgate_domain::event::{Event, Join};
use perkgate_domain::ids::{Digest, EntryId};
use perkgate_domain::manifest::Manifest;
use perkgate_domain::plan::QueuedEntry;
use perkgate_domain::programme::{Caps, Installation, Mode};
use perkgate_domain::time::Moment;
use std::collections::BTreeSet;

fn installation(id: &str, grants: &[&str]) -> Installation {
    Installation {
        id: id.into(),
        digest: Digest::of(b"x"),
        partner: None,
        settings: "{}".into(),
        settings_revision: 1,
        grants: grants.iter().map(|grant| (*grant).to_owned()).collect(),
        caps: Caps::default(),
        mode: Mode::Live,
    }
}

fn manifest(decisions: &[&str]) -> Manifest {
    Manifest {
        id: "points".into(),
        version: "1".into(),
        contract: "1.0".into(),
        title: "Points".into(),
        summary: String::new(),
        facts: BTreeSet::new(),
        decisions: decisions.iter().map(|name| (*name).to_owned()).collect(),
        wakes: [].into(),
        settings: serde_json::Value::Null,
    }
}

fn earn() -> [Decision; 1] {
    [Decision::Earn(Earn {
        wallet: "points".into(),
        amount: 1,
        shares: vec![],
        matures_days: None,
        valid_days: None,
        reason: "why".into(),
    })]
}

#[test]
fn dice_are_derived_and_differ_by_installation() {
    let event = Event::Join(Join { id: "7".into(), at: Moment(0), referrer: None });
    let entry = |id| QueuedEntry {
        id: EntryId(id),
        merchant: "shop".into(),
        source: "till".into(),
        arrival: None,
        event: event.clone(),
        member: None,
        purchase: None,
        born: false,
        attempts: 0,
    };
    // The entry's number is ours and may differ in another database; what it is does not.
    assert_eq!(dice(&entry(1), &installation("a", &[])), dice(&entry(2), &installation("a", &[])));
    assert_ne!(dice(&entry(1), &installation("a", &[])), dice(&entry(1), &installation("b", &[])));
}

#[test]
fn a_decision_is_asked_for_and_granted_or_the_refusal_names_the_line() {
    assert_eq!(grants::check(&earn(), &manifest(&["earn"]), &installation("points", &["earn"])), Ok(()));
    let not_asked = grants::check(&earn(), &manifest(&[]), &installation("points", &["earn"])).unwrap_err();
    assert_eq!(not_asked.kind, FaultKind::NotGranted);
    assert!(not_asked.detail.contains("plugin.toml"), "{}", not_asked.detail);
    let not_granted = grants::check(&earn(), &manifest(&["earn"]), &installation("points", &[])).unwrap_err();
    assert!(not_granted.detail.contains("`grants`"), "{}", not_granted.detail);
    let remember = [Decision::Remember { bytes: vec![1] }];
    assert_eq!(grants::check(&remember, &manifest(&["remember"]), &installation("points", &[])), Ok(()));
}
