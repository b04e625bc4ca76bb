//! Who it was: members are found by any key, and a key belongs to whoever had it first.

use super::data::{LEASE, SHOP, book, email, entry, join, key, purchase, says, standing};
use super::ground::Ground;
use perkgate_domain::ids::MemberId;
use perkgate_domain::member::{KeyKind, MemberKey};
use perkgate_gateway::store::{ContactField, NewEntry};

on_both! {
    a_member_is_found_by_any_key
    a_key_of_somebody_else_stays_theirs
    what_is_said_last_about_a_member_counts
    two_merchants_never_share_a_member
}

/// Buys something and answers who they are taken for.
async fn buys(ground: &Ground, merchant: &str, order: &str, keys: &[MemberKey]) -> MemberId {
    let (_, ready) = says(ground, merchant, vec![entry(purchase(order), keys)], LEASE).await;
    ground.by_hand("update waiting set leased_until = 0").await.expect("nothing is held");
    let found = ground.store().find_member(&merchant.into(), &keys[..1]).await.expect("a look");
    if let Some(entry) = ready.first() {
        assert_eq!(entry.member, found, "as the entry has it");
    }
    found.expect("somebody")
}

async fn a_member_is_found_by_any_key(ground: &Ground) {
    let (card, mail, phone) = (key(KeyKind::Card, "K-1"), email("jana"), key(KeyKind::Phone, "+421"));
    let jana = buys(ground, SHOP, "1", &[card, mail]).await;
    assert_eq!(buys(ground, SHOP, "2", &[mail]).await, jana);
    // A purchase attaches nothing to a member there is.
    assert_eq!(buys(ground, SHOP, "3", &[mail, phone]).await, jana);
    assert_ne!(buys(ground, SHOP, "4", &[phone]).await, jana);
    assert_ne!(buys(ground, SHOP, "5", &[key(KeyKind::Card, "+421")]).await, jana, "another kind of key");
    let store = ground.store();
    for keys in [&[card][..], &[email("nobody"), mail]] {
        assert_eq!(store.find_member(&SHOP.into(), keys).await.expect("a look").as_ref(), Some(&jana));
    }
    assert_eq!(store.find_member(&SHOP.into(), &[email("nobody")]).await.expect("a look"), None);
    assert_eq!(store.find_member(&SHOP.into(), &[]).await.expect("a look"), None);
}

async fn a_key_of_somebody_else_stays_theirs(ground: &Ground) {
    let (jana, tom) = (buys(ground, SHOP, "1", &[email("jana")]).await, buys(ground, SHOP, "2", &[email("tom")]).await);
    assert_ne!(jana, tom);
    // The strongest known key decides; Tom's stays his.
    let both = [email("jana"), email("tom")];
    assert_eq!(buys(ground, SHOP, "3", &both).await, jana);
    assert_eq!(buys(ground, SHOP, "4", &[email("tom")]).await, tom);
    // Two strangers in one arrival who share a number are two.
    let family = key(KeyKind::Phone, "+421");
    let told = vec![entry(purchase("5"), &[email("eva"), family]), entry(purchase("6"), &[email("adam"), family])];
    let (_, ready) = says(ground, SHOP, told, LEASE).await;
    assert_ne!(ready[0].member, ready[1].member);
    assert_eq!(
        (ground.count("members").await, ground.count("member_keys").await),
        (4, 4 + 4),
        "and a friend's code each"
    );
}

async fn what_is_said_last_about_a_member_counts(ground: &Ground) {
    let field = |sealed: u8| ContactField { field: "email".to_owned(), sealed: vec![sealed] };
    let says_of = |order: &str, locale: Option<&str>, consent: Option<bool>, contact: Vec<ContactField>| NewEntry {
        locale: locale.map(str::to_owned),
        consent,
        contact,
        ..entry(join(order), &[email("jana")])
    };
    let (_, ready) = says(ground, SHOP, vec![says_of("1", Some("sk"), None, vec![field(1)])], LEASE).await;
    let jana = standing(&book(ground, &ready).await, &ready[0]);
    assert_eq!((jana.locale.as_deref(), jana.consent), (Some("sk"), false), "nobody agreed");
    let more = vec![
        says_of("2", None, Some(true), vec![field(2)]),
        says_of("3", Some("cs"), None, vec![]),
        says_of("4", Some("cs"), None, vec![field(4)]),
    ];
    says(ground, SHOP, more, LEASE).await;
    let jana = standing(&book(ground, &ready).await, &ready[0]);
    assert_eq!((jana.locale.as_deref(), jana.consent), (Some("cs"), true));
    let sealed = if ground.is_sqlite() { "hex(sealed) = '04'" } else { "encode(sealed, 'hex') = '04'" };
    assert_eq!(ground.number(&format!("select count(*) from contacts where {sealed}")).await, 1);
    assert_eq!(ground.count("contacts").await, 1);
    says(ground, SHOP, vec![says_of("5", None, Some(false), vec![])], LEASE).await;
    let jana = standing(&book(ground, &ready).await, &ready[0]);
    assert_eq!((jana.locale.as_deref(), jana.consent), (Some("cs"), false), "she thought otherwise");
}

async fn two_merchants_never_share_a_member(ground: &Ground) {
    let here = buys(ground, SHOP, "1", &[email("jana")]).await;
    let there = buys(ground, "other", "1", &[email("jana")]).await;
    assert_ne!(here, there);
    let store = ground.store();
    assert!(store.member(&SHOP.into(), &there).await.expect("a look").is_none());
    let view = store.member(&SHOP.into(), &here).await.expect("a look").expect("she is there");
    assert_eq!((view.member.id, view.rewards.len()), (here, 0));
}
