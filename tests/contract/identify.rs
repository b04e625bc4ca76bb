//! Keys are not equal: what a purchase types credits the member it names and changes nothing about them; what somebody vouches for does.

use super::data::{LEASE, SHOP, email, entry, join, key, purchase, says};
use super::ground::Ground;
use perkgate_domain::decision::Message;
use perkgate_domain::event::Event;
use perkgate_domain::ids::MemberId;
use perkgate_domain::limits::NAMED_BESIDE;
use perkgate_domain::member::{KeyKind, MemberKey, Proof};
use perkgate_gateway::store::{ContactField, DoubtTask, NewEntry};

on_both! {
    who_types_a_card_gets_nothing_of_whose_it_is
    a_household_shares_a_number_and_stays_two
    records_that_differ_in_a_stronger_key_are_not_joined_by_a_weaker_one
    a_purchase_with_the_platforms_own_id_fills_what_is_empty_and_no_more
    what_somebody_vouches_for_takes_a_key_that_was_only_typed
    an_address_that_no_platform_verified_joins_nobody
    a_number_identifies_only_where_nothing_stronger_is_told
    a_pair_that_may_be_one_person_is_told_once
    what_is_named_beside_many_is_nobodys
}

fn card(code: &str) -> MemberKey {
    key(KeyKind::Card, code)
}
fn id(id: &str) -> MemberKey {
    key(KeyKind::Id, id)
}
fn phone(number: &str) -> MemberKey {
    key(KeyKind::Phone, number)
}

/// As a connector reads it: with contact data, and a task for the merchant in case.
fn told(event: Event, keys: &[MemberKey], proof: Proof) -> NewEntry {
    let field = |field: &str| ContactField { field: field.to_owned(), sealed: event.external_id().as_bytes().to_vec() };
    let message = Message {
        key: "one-person".to_owned(),
        subject: "One person?".to_owned(),
        text: "{one} and {other}".to_owned(),
        locale: "en".to_owned(),
    };
    NewEntry {
        contact: vec![field("email"), field("name")],
        locale: Some("sk".to_owned()),
        consent: Some(true),
        proof,
        doubt: Some(DoubtTask { message, channels: vec!["office".into()] }),
        ..entry(event, keys)
    }
}

/// Admits it and answers whom it is taken for.
async fn is(ground: &Ground, told: NewEntry) -> MemberId {
    let (kind, id) = (told.event.kind().as_str(), told.event.external_id().to_owned());
    says(ground, SHOP, vec![told], 0).await;
    let statement = format!("select member_id from entries where kind = '{kind}' and external_id = '{id}'");
    ground.text(&statement).await.as_str().into()
}

async fn buys(ground: &Ground, order: &str, keys: &[MemberKey]) -> MemberId {
    is(ground, told(purchase(order), keys, Proof::Typed)).await
}

async fn finds(ground: &Ground, key: MemberKey) -> Option<MemberId> {
    ground.store().find_member(&SHOP.into(), &[key]).await.expect("a look")
}

async fn contact(ground: &Ground, member: &MemberId) -> String {
    let text = if ground.is_sqlite() { "cast(sealed as text)" } else { "convert_from(sealed, 'UTF8')" };
    let statement =
        format!("select coalesce(max({text}), '') from contacts where member_id = '{member}' and field = 'email'");
    ground.text(&statement).await
}

async fn who_types_a_card_gets_nothing_of_whose_it_is(ground: &Ground) {
    let victim = is(ground, told(join("v"), &[card("C4711"), email("victim")], Proof::Told)).await;
    let mut attack = told(purchase("a1"), &[card("C4711"), email("attacker")], Proof::Typed);
    attack.consent = Some(false);
    attack.locale = Some("de".to_owned());
    assert_eq!(is(ground, attack).await, victim, "the card decides");
    assert_eq!(finds(ground, email("attacker")).await, None);
    assert_eq!(contact(ground, &victim).await, "v");
    let standing = ground.store().member(&SHOP.into(), &victim).await.expect("a look").expect("the victim").member;
    assert_eq!((standing.locale.as_deref(), standing.consent), (Some("sk"), true));
    // Whoever types the victim's address or number is as far away.
    assert_eq!(buys(ground, "a2", &[email("victim"), phone("+421")]).await, victim);
    assert_eq!(finds(ground, phone("+421")).await, None);
    assert_eq!(contact(ground, &victim).await, "v");
}

async fn a_household_shares_a_number_and_stays_two(ground: &Ground) {
    let ivan = buys(ground, "1", &[id("i"), email("ivan"), phone("+421")]).await;
    let eva = buys(ground, "2", &[id("e"), email("eva"), phone("+421")]).await;
    assert_ne!(ivan, eva);
    assert_eq!((finds(ground, email("ivan")).await, finds(ground, email("eva")).await), (Some(ivan), Some(eva)));
}

async fn records_that_differ_in_a_stronger_key_are_not_joined_by_a_weaker_one(ground: &Ground) {
    let jana = buys(ground, "1", &[id("7"), email("jana")]).await;
    let other = buys(ground, "2", &[id("8"), email("jana")]).await;
    assert_ne!(jana, other);
    // Each is found by what is theirs; the address stays where it was.
    assert_eq!(buys(ground, "3", &[id("8"), email("jana")]).await, other);
    assert_eq!(buys(ground, "4", &[email("jana")]).await, jana);
    // Somebody without a customer id does not differ in it.
    let guest = buys(ground, "5", &[email("eva")]).await;
    assert_eq!(buys(ground, "6", &[id("9"), email("eva")]).await, guest);
    assert_eq!(finds(ground, id("9")).await, None, "and is credited, no more");
    let carded = buys(ground, "7", &[card("K1"), email("olga")]).await;
    assert_ne!(buys(ground, "8", &[card("K2"), email("olga")]).await, carded);
}

async fn a_purchase_with_the_platforms_own_id_fills_what_is_empty_and_no_more(ground: &Ground) {
    let bare =
        NewEntry { contact: vec![], locale: None, consent: None, ..told(purchase("1"), &[id("7")], Proof::Record) };
    let jana = is(ground, bare).await;
    assert_eq!(is(ground, told(purchase("2"), &[id("7"), email("jana")], Proof::Record)).await, jana);
    assert_eq!(contact(ground, &jana).await, "2", "there was none");
    let mut later = told(purchase("3"), &[id("7"), email("elsewhere")], Proof::Record);
    (later.locale, later.consent) = (Some("de".to_owned()), Some(false));
    assert_eq!(is(ground, later).await, jana);
    assert_eq!(contact(ground, &jana).await, "2");
    let standing = ground.store().member(&SHOP.into(), &jana).await.expect("a look").expect("jana").member;
    assert_eq!((standing.locale.as_deref(), standing.consent), (Some("sk"), false), "the platform's record withdraws");
    assert_eq!(finds(ground, email("elsewhere")).await, None);
}

async fn what_somebody_vouches_for_takes_a_key_that_was_only_typed(ground: &Ground) {
    // Known by nothing else: it is the owner's.
    let guest = buys(ground, "1", &[email("jana")]).await;
    assert_eq!(is(ground, told(join("c1"), &[id("7"), email("jana")], Proof::Verified)).await, guest);
    assert_eq!(finds(ground, id("7")).await, Some(guest));
    // Typed beside somebody's own card: the card stays, the address goes, and where messages went to with it.
    let squatter = buys(ground, "2", &[card("K1"), email("eva")]).await;
    assert_eq!(
        (finds(ground, email("eva")).await.as_ref(), contact(ground, &squatter).await),
        (Some(&squatter), "2".into())
    );
    let eva = is(ground, told(join("c2"), &[email("eva")], Proof::Told)).await;
    assert_ne!(eva, squatter);
    assert_eq!(finds(ground, email("eva")).await, Some(eva.clone()));
    assert_eq!(finds(ground, card("K1")).await, Some(squatter.clone()));
    assert_eq!((contact(ground, &squatter).await.as_str(), contact(ground, &eva).await.as_str()), ("", "c2"));
    // What is proved is not taken again.
    let tom = is(ground, told(join("c3"), &[card("K2"), email("eva")], Proof::Told)).await;
    assert_eq!(tom, eva, "it names her: she has no other card");
    let stranger = is(ground, told(join("c4"), &[card("K3"), email("eva")], Proof::Told)).await;
    assert_ne!(stranger, eva);
    assert_eq!(finds(ground, email("eva")).await, Some(eva));
}

async fn an_address_that_no_platform_verified_joins_nobody(ground: &Ground) {
    let jana = is(ground, told(join("j"), &[email("jana")], Proof::Told)).await;
    let registered = is(ground, told(join("77"), &[id("77"), email("jana"), phone("+421")], Proof::Record)).await;
    assert_ne!(registered, jana);
    assert_eq!(finds(ground, email("jana")).await, Some(jana.clone()));
    assert_eq!(contact(ground, &jana).await, "j");
    // Not even where the address was only typed.
    let guest = buys(ground, "1", &[email("eva")]).await;
    assert_ne!(is(ground, told(join("78"), &[id("78"), email("eva")], Proof::Record)).await, guest);
    // Their own record says more about them whenever it likes.
    let mut again = told(join("77b"), &[id("77"), email("jana")], Proof::Record);
    again.consent = Some(false);
    assert_eq!(is(ground, again).await, registered);
    assert!(!ground.store().member(&SHOP.into(), &registered).await.expect("a look").expect("them").member.consent);
}

async fn a_number_identifies_only_where_nothing_stronger_is_told(ground: &Ground) {
    let jana = is(ground, told(join("j"), &[email("jana"), phone("+421")], Proof::Told)).await;
    assert_eq!(buys(ground, "1", &[phone("+421")]).await, jana, "the staff vouch for it");
    assert_ne!(buys(ground, "2", &[email("guest"), phone("+421")]).await, jana);
    let caller = buys(ground, "3", &[phone("+420")]).await;
    assert_eq!(buys(ground, "4", &[phone("+420")]).await, caller, "there is nothing else");
    assert_ne!(buys(ground, "5", &[id("9"), phone("+420")]).await, caller);
}

async fn a_pair_that_may_be_one_person_is_told_once(ground: &Ground) {
    let jana = buys(ground, "1", &[id("7"), email("jana")]).await;
    for order in ["2", "3"] {
        let other = buys(ground, order, &[id("8"), email("jana")]).await;
        let tasks = ground.store().tasks(&SHOP.into(), "open", 9).await.expect("a list");
        let [task] = tasks.as_slice() else { panic!("one task: {tasks:?}") };
        assert_eq!(task.text, format!("{other} and {jana}"));
    }
    assert_eq!(ground.count("deliveries").await, 1, "the office is told, once");
    let task = ground.store().tasks(&SHOP.into(), "open", 9).await.expect("a list").remove(0);
    assert!(
        ground
            .store()
            .close_task(&SHOP.into(), &task.id, super::data::claim().now, &super::data::anna())
            .await
            .expect("an act")
    );
    buys(ground, "4", &[id("8"), email("jana")]).await;
    assert!(ground.store().tasks(&SHOP.into(), "open", 9).await.expect("a list").is_empty(), "for ever");
}

async fn what_is_named_beside_many_is_nobodys(ground: &Ground) {
    let typed = buys(ground, "0", &[email("shop")]).await;
    let proved = is(ground, told(join("p"), &[email("owner")], Proof::Told)).await;
    for number in 0..=NAMED_BESIDE {
        let keys = |word: &str| [id(&format!("{word}{number}")), email(word), phone("+421")];
        // The first is credited; from then on a customer id of their own tells them apart.
        is(ground, told(join(&format!("s{number}")), &keys("shop"), Proof::Record)).await;
        is(ground, told(join(&format!("o{number}")), &keys("owner"), Proof::Record)).await;
    }
    assert_eq!(finds(ground, email("shop")).await, None);
    assert_eq!(finds(ground, email("owner")).await, Some(proved), "what somebody vouches for cannot be talked away");
    assert_ne!(buys(ground, "1", &[card("K1"), email("shop")]).await, typed);
    // Alone it names nobody.
    let (_, ready) = says(ground, SHOP, vec![told(purchase("2"), &[email("shop")], Proof::Typed)], LEASE).await;
    assert!(ready.is_empty());
    let nobody = "select count(*) from entries where external_id = '2' and kind = 'purchase' and member_id is null";
    assert_eq!(ground.number(nobody).await, 1);
    let (_, ready) = says(ground, SHOP, vec![told(purchase("3"), &[phone("+421")], Proof::Typed)], LEASE).await;
    assert!(ready.is_empty(), "nobody ever had this number, and too many were named with it");
}
