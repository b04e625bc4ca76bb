//! The audit log and the list of tokens: written with what they tell of, never changed, and whole.

use super::data::{SHOP, anna, applying, arrival, bare};
use super::ground::Ground;
use perkgate_gateway::store::{Actor, AuditQuery, Note, TokenRow};
use perkgate_tests::NOON;
use serde_json::json;
use tokio::task::JoinSet;

on_both! {
    lines_are_added_and_never_changed
    a_changed_line_is_found
    a_chain_has_one_order_whoever_writes
    an_errand_is_written_down_with_its_arrival_and_once
    a_revoked_token_is_seen_by_all
}

async fn all(ground: &Ground) -> Vec<perkgate_gateway::store::AuditRow> {
    ground.store().audit(&AuditQuery { most: 1_000, ..AuditQuery::default() }).await.expect("it is read")
}

fn read(merchant: Option<&str>, act: &str) -> Note {
    let merchant = merchant.map(Into::into);
    Note::new(merchant.as_ref(), &anna(), act, NOON).about(&"mem_1".into()).now(json!({"a": 1}))
}

async fn lines_are_added_and_never_changed(ground: &Ground) {
    let store = ground.store();
    store
        .note(&[read(Some(SHOP), "member.read"), read(None, "key.rotate"), read(Some("other"), "member.read")])
        .await
        .expect("they are written");
    store.apply(&bare(SHOP), &[], &applying(SHOP)).await.expect("it is applied");
    store.note(&[]).await.expect("nothing");
    let lines = all(ground).await;
    let told: Vec<_> = lines.iter().map(|line| (line.merchant.as_str(), line.place, line.act.as_str())).collect();
    assert_eq!(
        told,
        [("", 1, "key.rotate"), (SHOP, 1, "member.read"), ("other", 1, "member.read"), (SHOP, 2, "programme.apply")]
    );
    assert_eq!((lines[1].actor_kind.as_str(), lines[1].actor.as_str()), ("command", "anna@till"));
    assert_eq!((lines[1].after.clone(), lines[1].member.clone()), (Some(json!({"a": 1})), Some("mem_1".into())));
    let query = AuditQuery { merchant: Some(SHOP.into()), since: Some(NOON), after: lines[1].id, most: 9 };
    let own = store.audit(&query).await.expect("it is read");
    assert_eq!(own.iter().map(|line| line.place).collect::<Vec<_>>(), [2]);
    let later = AuditQuery { since: Some(NOON.plus_ms(1)), most: 9, ..AuditQuery::default() };
    assert!(store.audit(&later).await.expect("it is read").is_empty());
    for statement in ["update audit set act = 'nothing'", "delete from audit"] {
        let error = ground.by_hand(statement).await.expect_err("it is refused");
        assert!(error.to_string().contains("the audit log is never"), "{error}");
    }
    let report = store.verify(None).await.expect("it is checked");
    assert!(report.holds() && report.audit == 4, "{report:?}");
}

async fn past_the_triggers(ground: &Ground) {
    let statements: &[&str] = if ground.is_sqlite() {
        &["drop trigger audit_is_never_updated", "drop trigger audit_is_never_deleted"]
    } else {
        &["drop trigger audit_is_never_changed on audit"]
    };
    for statement in statements {
        ground.by_hand(statement).await.expect("the trigger goes");
    }
}

async fn a_changed_line_is_found(ground: &Ground) {
    let store = ground.store();
    for act in ["one", "two", "three"] {
        store.note(&[read(Some(SHOP), act)]).await.expect("it is written");
    }
    past_the_triggers(ground).await;
    for (change, back, said) in [
        ("act = 'tow' where place = 2", "act = 'two' where place = 2", "line 2 of the audit log of kavarna"),
        ("member_id = null where place = 1", "member_id = 'mem_1' where place = 1", "line 1"),
        ("after = null where place = 3", "after = '{\"a\":1}' where place = 3", "line 3"),
        ("place = 9 where place = 3", "place = 3 where place = 9", "line 9"),
    ] {
        ground.by_hand(&format!("update audit set {change}")).await.expect("it is changed");
        let report = store.verify(Some(&SHOP.into())).await.expect("it is checked");
        assert!(report.problems.iter().any(|problem| problem.contains(said)), "{report:?}");
        ground.by_hand(&format!("update audit set {back}")).await.expect("it is changed back");
        assert!(store.verify(None).await.expect("it is checked").holds());
    }
    ground.by_hand("delete from audit where place = 3").await.expect("the end goes");
    let report = store.verify(None).await.expect("it is checked");
    assert!(report.problems.iter().any(|problem| problem.contains("does not end where it should")), "{report:?}");
}

async fn a_chain_has_one_order_whoever_writes(ground: &Ground) {
    let stores = [ground.shared(), ground.another().await];
    let mut writers = JoinSet::new();
    for writer in 0..8 {
        let store = stores[writer % 2].clone();
        writers.spawn(async move {
            for _ in 0..5 {
                // In no order of the chains.
                let notes = [read(Some("b"), "x"), read(None, "x"), read(Some("a"), "x"), read(Some("b"), "x")];
                store.note(&notes).await.expect("it is written");
            }
        });
    }
    writers.join_all().await;
    let report = ground.store().verify(None).await.expect("it is checked");
    assert!(report.holds() && report.audit == 160, "{report:?}");
    let places: Vec<i64> =
        all(ground).await.iter().filter(|line| line.merchant == "b").map(|line| line.place).collect();
    assert_eq!(places, (1..=80).collect::<Vec<i64>>());
}

async fn an_errand_is_written_down_with_its_arrival_and_once(ground: &Ground) {
    let mut asked = arrival(SHOP, "redeem/k", "body");
    asked.note = Some(Note::new(Some(&SHOP.into()), &Actor::token("tok_1"), "redeem", NOON));
    let plain = arrival(SHOP, "w", "a webhook");
    let told = ground.store().append(&[plain, asked.clone(), asked.clone()], 0).await.expect("they are journalled");
    ground.store().append(&[asked.clone()], 0).await.expect("it is known");
    let other = perkgate_gateway::store::NewArrival { digest: perkgate_domain::ids::Digest::of(b"other"), ..asked };
    ground.store().append(&[other], 0).await.expect("it is kept apart");
    let lines = all(ground).await;
    let [line] = lines.as_slice() else { panic!("it is in there once: {lines:?}") };
    assert_eq!(line.arrival, Some(super::data::accepted(&told[1])));
    assert_eq!((line.actor_kind.as_str(), line.actor.as_str(), line.act.as_str()), ("token", "tok_1", "redeem"));
}

fn token(id: &str, merchant: Option<&str>, ahead: i64) -> TokenRow {
    TokenRow {
        id: id.to_owned(),
        role: if merchant.is_some() { "merchant" } else { "operator" }.to_owned(),
        merchant: merchant.map(Into::into),
        partner: None,
        name: Some("Jana's phone".to_owned()),
        generation: 1,
        created_at: NOON.plus_ms(ahead),
        created_by: anna().to_string(),
        expires_at: NOON.plus_ms(1_000_000),
        revoked_at: None,
        revoked_by: None,
    }
}

async fn a_revoked_token_is_seen_by_all(ground: &Ground) {
    let (store, another) = (ground.store(), ground.another().await);
    let (mine, operator) = (token("tok_1", Some(SHOP), 0), token("tok_2", None, 1));
    for row in [&mine, &operator] {
        store.create_token(row, &anna()).await.expect("it is listed");
    }
    assert!(store.create_token(&mine, &anna()).await.is_err(), "ids are drawn once");
    assert_eq!(another.token("tok_1").await.expect("it is read"), Some(mine.clone()));
    assert_eq!(another.tokens(None, 9).await.expect("they are listed"), [operator, mine.clone()]);
    assert_eq!(another.tokens(Some(&SHOP.into()), 9).await.expect("they are listed"), std::slice::from_ref(&mine));
    let revoked = NOON.plus_ms(5);
    assert!(another.revoke_token("tok_1", revoked, &Actor::token("tok_2")).await.expect("an act"));
    assert!(!store.revoke_token("tok_1", revoked, &anna()).await.expect("it was revoked already"));
    assert!(!store.revoke_token("tok_9", revoked, &anna()).await.expect("there is none"));
    let seen = store.token("tok_1").await.expect("it is read").expect("it stays in the list");
    assert_eq!((seen.revoked_at, seen.revoked_by.as_deref()), (Some(revoked), Some("token tok_2")));
    let lines: Vec<_> = all(ground).await.into_iter().map(|line| (line.merchant, line.act)).collect();
    let told = [(SHOP, "token.create"), ("", "token.create"), (SHOP, "token.revoke")];
    assert_eq!(lines, told.map(|(merchant, act)| (merchant.to_owned(), act.to_owned())));
    assert!(ground.texts("select after from audit").await.iter().all(|text| !text.contains("Jana")));
}
