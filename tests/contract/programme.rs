//! Programmes: replaced whole, and every past setting kept.

use super::data::{SHOP, applying};
use super::ground::Ground;
use perkgate_domain::ids::Digest;
use perkgate_domain::money::Currency;
use perkgate_domain::programme::{Caps, Installation, Merchant, Mode, WalletCaps};
use perkgate_domain::rules::Rules;
use perkgate_gateway::store::{InstallationRow, PluginRow, ProgrammeRows, SealedRow};

on_both! {
    a_programme_is_replaced_whole
    a_past_setting_is_kept
    many_apply_at_once
}

fn installation(id: &str, settings: &str) -> InstallationRow {
    InstallationRow {
        installation: Installation {
            id: id.into(),
            digest: Digest::of(b"component"),
            partner: (id == "offer").then(|| "kino".into()),
            settings: settings.to_owned(),
            settings_revision: 0,
            grants: ["earn".to_owned()].into(),
            caps: Caps::from([("points".to_owned(), WalletCaps { per_purchase: Some(10), ..WalletCaps::default() })]),
            mode: Mode::Live,
        },
        plugin_id: "points-per-spend".to_owned(),
        enrols: false,
    }
}

fn programme(merchant: &str, sources: &[&str], installations: Vec<InstallationRow>) -> ProgrammeRows {
    let sealed = |ids: &[&str]| ids.iter().map(|id| SealedRow { id: (*id).to_owned(), sealed: vec![0, 9] }).collect();
    ProgrammeRows {
        merchant: Merchant {
            id: merchant.into(),
            name: "Kavárna U Mosta".to_owned(),
            currency: Currency::parse("EUR").expect("a currency"),
            timezone: "Europe/Bratislava".to_owned(),
            locale: "sk".to_owned(),
            country: None,
            url: None,
            rules: Rules::default(),
        },
        sources: sealed(sources),
        channels: sealed(&["mail"]),
        installations,
        file: None,
    }
}

fn plugin() -> PluginRow {
    PluginRow {
        digest: Digest::of(b"component"),
        plugin_id: "points-per-spend".to_owned(),
        version: "1.0.0".to_owned(),
        component: b"component".to_vec(),
    }
}

async fn a_programme_is_replaced_whole(ground: &Ground) {
    let store = ground.store();
    assert_eq!(store.revision().await.expect("a number"), 0);
    assert!(store.programmes().await.expect("none").is_empty());
    let first = programme(SHOP, &["eshop", "till"], vec![installation("points", "{}"), installation("offer", "{}")]);
    store.apply(&first, &[plugin()], &applying(SHOP)).await.expect("it is applied");
    store.apply(&programme("another", &["own"], vec![]), &[plugin()], &applying(SHOP)).await.expect("it is applied");
    assert_eq!(store.revision().await.expect("a number"), 2);
    let breaks = "insert into failing_channels values ('kavarna', 'mail', 9, 1, 1, null, null)";
    ground.by_hand(breaks).await.expect("a channel fails");

    let second = programme(SHOP, &["till"], vec![installation("offer", "{}"), installation("stamps", "{}")]);
    store.apply(&second, &[], &applying(SHOP)).await.expect("it is applied");
    let all = ground.another().await.programmes().await.expect("they are read");
    let [another, ours] = all.as_slice() else { panic!("two merchants: {all:?}") };
    assert_eq!((another.merchant.id.as_str(), another.sources.len()), ("another", 1));
    assert_eq!(ours.merchant, second.merchant);
    let sources: Vec<_> = ours.sources.iter().map(|source| (source.id.as_str(), source.sealed.as_slice())).collect();
    assert_eq!(sources, [("till", &[0, 9][..])]);
    let runs: Vec<_> = ours.installations.iter().map(|row| row.installation.id.as_str()).collect();
    assert_eq!(runs, ["offer", "stamps"], "in the order in which they run");
    let wanted = Installation { settings_revision: 1, ..second.installations[0].installation.clone() };
    assert_eq!(ours.installations[0].installation, wanted);
    assert!(store.failing(&SHOP.into()).await.expect("they are listed").is_empty(), "a channel begins anew");
    let component = store.component(Digest::of(b"component")).await.expect("it is read");
    assert_eq!(component.as_deref(), Some(&b"component"[..]));
    assert_eq!(store.component(Digest::of(b"none")).await.expect("a look"), None);
}

async fn a_past_setting_is_kept(ground: &Ground) {
    let store = ground.store();
    for settings in ["{}", r#"{"points":2}"#, r#"{"points":2}"#, "{}"] {
        let rows = programme(SHOP, &[], vec![installation("points", settings)]);
        store.apply(&rows, &[plugin()], &applying(SHOP)).await.expect("it is applied");
    }
    // Taken out and put in again, it goes on counting.
    store.apply(&programme(SHOP, &[], vec![]), &[], &applying(SHOP)).await.expect("it is applied");
    let rows = programme(SHOP, &[], vec![installation("points", r#"{"points":3}"#)]);
    store.apply(&rows, &[], &applying(SHOP)).await.expect("it is applied");
    let now = &store.programmes().await.expect("they are read")[0].installations[0];
    assert_eq!(now.installation.settings_revision, 4);
    let wanted = [(1, "{}"), (2, r#"{"points":2}"#), (3, "{}"), (4, r#"{"points":3}"#)];
    for (revision, settings) in wanted {
        let kept = store.settings(&SHOP.into(), "points", revision).await.expect("it is read");
        assert_eq!(kept.as_deref(), Some(settings), "revision {revision}");
    }
    assert_eq!(store.settings(&SHOP.into(), "points", 5).await.expect("a look"), None);
    assert_eq!(store.settings(&"other".into(), "points", 1).await.expect("a look"), None);
}

async fn many_apply_at_once(ground: &Ground) {
    let stores = [ground.shared(), ground.another().await];
    let mut at_once = tokio::task::JoinSet::new();
    for number in 0..10 {
        let store = stores[number % 2].clone();
        let settings = format!(r#"{{"points":{number}}}"#);
        let merchant = if number % 3 == 0 { "another" } else { SHOP };
        let rows = programme(merchant, &["eshop"], vec![installation("points", &settings)]);
        at_once.spawn(async move { store.apply(&rows, &[plugin()], &applying(SHOP)).await.expect("it is applied") });
    }
    at_once.join_all().await;
    assert_eq!(ground.store().revision().await.expect("a number"), 10);
    let revisions: Vec<_> = ground.store().programmes().await.expect("they are read");
    let revisions: Vec<_> = revisions.iter().map(|rows| rows.installations[0].installation.settings_revision).collect();
    assert_eq!(revisions, [4, 6]);
}
