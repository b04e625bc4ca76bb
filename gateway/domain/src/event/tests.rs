//! Every kind of event: by name, as JSON, and by what it is found by.

use super::*;
use crate::limits::EXTERNAL_ID_BYTES;
use crate::money::Currency;
use crate::purchase::{Channel, Line, LineKind, Refund, RefundLine};

/// Every kind, in the order of the table.
const KINDS: [(Kind, &str); 14] = [
    (Kind::Purchase, "purchase"),
    (Kind::Refund, "refund"),
    (Kind::Join, "join"),
    (Kind::Edit, "edit"),
    (Kind::Profile, "profile"),
    (Kind::Wake, "wake"),
    (Kind::Due, "due"),
    (Kind::Redemption, "redemption"),
    (Kind::Undo, "undo"),
    (Kind::Issue, "issue"),
    (Kind::Answer, "answer"),
    (Kind::Merge, "merge"),
    (Kind::Forget, "forget"),
    (Kind::Claim, "claim"),
];

const AT: Moment = Moment(1_795_258_800_000);

fn purchase(id: &str) -> Purchase {
    let line = Line {
        id: "1".into(),
        sku: None,
        name: "Flat white".into(),
        category: None,
        quantity_milli: 1000,
        unit: 450,
        total: 450,
        tax: 0,
        kind: LineKind::Item,
    };
    Purchase {
        id: id.into(),
        reference: Some("#1001".into()),
        channel: Channel::InStore,
        placed_at: AT,
        currency: Currency::parse("EUR").expect("known"),
        total: 450,
        tax: 0,
        discount: 0,
        unaccounted: 0,
        unaccounted_reason: None,
        lines: vec![line],
        codes: vec![],
        location: None,
    }
}

fn refund(id: &str, purchase: &str) -> Refund {
    Refund {
        id: id.into(),
        purchase: purchase.into(),
        at: AT,
        currency: Currency::parse("EUR").expect("known"),
        amount: 450,
        complete: false,
        lines: vec![RefundLine { line: "1".into(), quantity_milli: 1000, amount: 450 }],
    }
}

fn woken(id: &str) -> Woken {
    Woken {
        id: id.into(),
        at: AT,
        installation: "birthday".into(),
        cause: WakeCause::Tier,
        key: "gold".into(),
        data: vec![0, 127, 255],
    }
}

fn answer(id: &str) -> Answer {
    Answer {
        id: id.into(),
        at: AT,
        installation: "survey".into(),
        key: "first".into(),
        scale: Scale::Nps,
        score: 9,
        text: Some("Dobrá káva".into()),
    }
}

/// One event of each kind with this id, in the order of [`KINDS`].
fn every(id: &str) -> [Event; 14] {
    let (at, text) = (AT, |text: &str| text.to_owned());
    let id = text(id);
    [
        Event::Purchase(purchase(&id)),
        Event::Refund(refund(&id, "1001")),
        Event::Join(Join { id: id.clone(), at, referrer: Some(text("anna")) }),
        Event::Edit(Edit { id: id.clone(), at, purchase: purchase("1001") }),
        Event::Profile(Profile { id: id.clone(), at }),
        Event::Wake(woken(&id)),
        Event::Due(Due { id: id.clone(), at }),
        Event::Redemption(Redemption { id: id.clone(), at, reward: text("free-coffee") }),
        Event::Undo(Undo { id: id.clone(), at, reward: "rwd_1".into() }),
        Event::Issue(Issue { id: id.clone(), at, reward: text("free-coffee") }),
        Event::Answer(answer(&id)),
        Event::Merge(Merge { id: id.clone(), at, other: "mem_2".into() }),
        Event::Forget(Forget { id: id.clone(), at }),
        Event::Claim(Claim { id: id.clone(), at, source: "till".into(), order: text("#1001") }),
    ]
}

#[test]
fn kinds_are_read_by_their_names() {
    for (kind, name) in KINDS {
        assert_eq!(kind.as_str(), name);
        assert_eq!(Kind::parse(name), Some(kind));
        assert_eq!(serde_json::to_value(kind).expect("JSON"), name);
        assert_eq!(serde_json::from_value::<Kind>(name.into()).expect("a kind"), kind);
    }
    for wrong in ["", "Purchase", "purchases", "woken", "wakes"] {
        assert_eq!(Kind::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn an_event_reads_back_from_its_json() {
    for (event, (kind, name)) in every("77").into_iter().zip(KINDS) {
        let json = serde_json::to_value(&event).expect("JSON");
        assert_eq!(json["kind"], name);
        assert_eq!(serde_json::from_value::<Event>(json.clone()).expect(name), event);
        assert_eq!(serde_json::from_str::<Event>(&json.to_string()).expect(name), event);
        assert_eq!((event.kind(), event.external_id(), event.at()), (kind, "77", AT));
        let mut unknown = json.clone();
        unknown["colour"] = "red".into();
        let error = serde_json::from_value::<Event>(unknown).expect_err(name);
        assert!(error.to_string().contains("colour"), "{name}: {error}");
        let mut nameless = json;
        nameless.as_object_mut().expect("an object").remove("id");
        assert!(serde_json::from_value::<Event>(nameless).is_err(), "{name}");
    }
}

#[test]
fn what_a_wake_hands_back_is_readable_json() {
    let json = serde_json::to_value(Event::Wake(woken("77"))).expect("JSON");
    assert_eq!((json["data"].as_str(), json["cause"].as_str()), (Some("007fff"), Some("tier")));
    for wrong in ["0", "0g", "+f", "é"] {
        let mut json = json.clone();
        json["data"] = wrong.into();
        assert!(serde_json::from_value::<Event>(json).is_err(), "{wrong}");
    }
}

#[test]
fn ids_can_be_kept() {
    let longest = "x".repeat(EXTERNAL_ID_BYTES);
    for event in every(&longest) {
        assert!(event.check_ids().is_ok(), "{event:?}");
    }
    for wrong in [String::new(), format!("{longest}x"), "a\0b".to_owned()] {
        for event in every(&wrong) {
            let kind = event.kind().as_str();
            let error = event.check_ids().expect_err(kind).to_string();
            assert!(error.contains(kind), "{error}");
        }
        assert!(Event::Refund(refund("77", &wrong)).check_ids().is_err(), "the purchase given back");
        let edit = |purchase| Event::Edit(Edit { id: "77".into(), at: AT, purchase });
        assert!(edit(purchase(&wrong)).check_ids().is_err(), "the purchase changed");
        let shown = Event::Purchase(Purchase { reference: Some(wrong.clone()), ..purchase("77") });
        assert!(shown.check_ids().is_err(), "what staff call it");
    }
}

#[test]
fn what_is_about_a_purchase_names_it() {
    for event in every("77") {
        let expected = matches!(event, Event::Refund(_) | Event::Edit(_)).then_some("1001");
        assert_eq!(event.purchase_id(), expected, "{event:?}");
    }
}

#[test]
fn an_interface_is_of_one_kind() {
    for (kind, name) in KINDS {
        let Some(interface) = kind.interface() else { continue };
        // Giving a reward back is told by the interface of taking one.
        let expected = if kind == Kind::Undo { Kind::Redemption } else { kind };
        assert_eq!(Kind::of_interface(interface), Some(expected), "{name}");
    }
    let told = KINDS.iter().filter_map(|(kind, _)| kind.interface()).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(
        told.into_iter().collect::<Vec<_>>(),
        ["answers", "joins", "profiles", "purchases", "redemptions", "refunds", "wakes"]
    );
    for wrong in ["", "types", "log", "purchase", "edits", "dues"] {
        assert_eq!(Kind::of_interface(wrong), None, "{wrong}");
    }
}

#[test]
fn causes_and_scales_are_read_by_their_names() {
    for (cause, name) in [(WakeCause::Asked, "asked"), (WakeCause::Installed, "installed"), (WakeCause::Tier, "tier")] {
        assert_eq!((cause.as_str(), WakeCause::parse(name)), (name, Some(cause)));
        assert_eq!(serde_json::to_value(cause).expect("JSON"), name);
    }
    for (scale, name, scores) in [(Scale::Nps, "nps", 0..=10), (Scale::Csat, "csat", 1..=5)] {
        assert_eq!((scale.as_str(), Scale::parse(name), scale.scores()), (name, Some(scale), scores));
        assert_eq!(serde_json::to_value(scale).expect("JSON"), name);
    }
    assert_eq!((WakeCause::parse("Asked"), Scale::parse("ces")), (None, None));
}

#[test]
fn a_wake_and_what_falls_due_are_known_by_what_they_are() {
    let (anna, ben): (MemberId, MemberId) = ("mem_a".into(), "mem_b".into());
    let (one, two): (InstallationId, InstallationId) = ("birthday".into(), "winback".into());
    let later = Moment(AT.0 + 1);
    let wakes = [
        Woken::id_of((&anna, 1), &one, WakeCause::Asked, "k", AT),
        Woken::id_of((&ben, 1), &one, WakeCause::Asked, "k", AT),
        Woken::id_of((&anna, 1), &two, WakeCause::Asked, "k", AT),
        Woken::id_of((&anna, 1), &one, WakeCause::Installed, "k", AT),
        Woken::id_of((&anna, 1), &one, WakeCause::Asked, "l", AT),
        Woken::id_of((&anna, 1), &one, WakeCause::Asked, "k", later),
        Woken::id_of((&anna, 2), &one, WakeCause::Asked, "k", AT),
        Due::id_of((&anna, 1), AT),
        Due::id_of((&ben, 1), AT),
        Due::id_of((&anna, 1), later),
        Due::id_of((&anna, 2), AT),
    ];
    let different: std::collections::BTreeSet<_> = wakes.iter().collect();
    assert_eq!(different.len(), wakes.len());
    assert_eq!(wakes[0], Woken::id_of((&anna, 1), &one, WakeCause::Asked, "k", AT));
    for id in &wakes {
        assert!(id.len() <= EXTERNAL_ID_BYTES, "{id}");
    }
}
