//! Who did it: what staff, members and the command line leave in the audit log, and what they do not; and tokens that are taken back.

use super::{JANA, ORDER};
use perkgate_domain::ids::MerchantId;
use perkgate_gateway::store::{Actor, AuditQuery, AuditRow};
use perkgate_gateway::tokens::Access;
use perkgate_tests::programme::{COFFEE, ESHOP, OWN, POINTS};
use perkgate_tests::{FakeShop, NOON, Premises, Sale, Staff, TestGateway};
use serde_json::{Value, json};

const HER: &str = "/members/email:jana%40example.com";

async fn lines(gateway: &TestGateway) -> Vec<AuditRow> {
    let query = AuditQuery { merchant: Some(gateway.merchant()), most: 100, ..AuditQuery::default() };
    gateway.gateway().store.audit(&query).await.expect("it is read")
}

#[tokio::test]
async fn what_staff_do_and_look_at_is_written_down_without_what_it_says() {
    let gateway = TestGateway::open(&[ESHOP, OWN, POINTS, COFFEE]).await;
    let staff = Staff::at(&gateway);
    let jana = json!({"email": JANA, "name": "Jana Nováková", "phone": "+421905123456", "consent": true});
    let joined = staff.does("POST", "/members", "j-1", jana.clone()).await.is(201);
    staff.does("POST", "/members", "j-1", jana).await.is(201);
    FakeShop::at(&gateway, "eshop").sells(&Sale::new(ORDER, &[("Obed", 1, 600)]).by(JANA)).await;
    gateway.settle().await;
    staff.asks(HER).await.is(200);
    staff.asks(&format!("{HER}/export")).await.is(200);
    staff.does("POST", &format!("{HER}/redemptions"), "r-1", json!({"reward": "free-coffee"})).await.is(201);
    staff.does("DELETE", HER, "f-1", Value::Null).await.is(200);
    staff.asks(HER).await.is_problem(404, "unknown_member");

    let lines = lines(&gateway).await;
    let acts: Vec<&str> = lines.iter().map(|line| line.act.as_str()).collect();
    let told = ["programme.apply", "token.create", "join", "member.read", "member.export", "redeem", "forget"];
    assert_eq!(
        acts, told,
        "the shop's webhook is nobody's act, a repetition is none, and nobody was looked at in vain"
    );
    let member = joined["member"].as_str();
    for line in &lines[2..] {
        assert_eq!((line.actor_kind.as_str(), line.actor.as_str()), ("token", staff.token_id().as_str()));
    }
    for line in &lines[3..] {
        assert_eq!(line.member.as_ref().map(perkgate_domain::ids::MemberId::as_str), member, "{line:?}");
    }
    assert_eq!(lines[2].after, Some(json!({"fields": ["consent", "email", "name", "phone"]})));
    let everything = serde_json::to_string(&lines).expect("a document");
    for word in [JANA, "Nováková", "421905", "jana"] {
        assert!(!everything.contains(word), "`{word}`: {everything}");
    }
    assert!(gateway.verify().await.audit >= 7);
    let asked = staff.asks("/audit").await.is(200);
    assert_eq!(asked["audit"], serde_json::to_value(&lines).expect("a document"));
    let last = lines[5].id;
    assert_eq!(staff.asks(&format!("/audit?after={last}")).await.is(200)["audit"][0]["act"], "forget");
    staff.asks("/audit?after=yesterday").await.is_problem(400, "bad_request");
    Staff::of(&gateway, &Access::Merchant("pekaren".into())).asks("/audit").await.is_problem(403, "forbidden");
    gateway.close().await;
}

#[tokio::test]
async fn a_revoked_token_opens_nothing_from_the_next_request_on() {
    let gateway = TestGateway::open(&[ESHOP, OWN]).await;
    let (mine, other) = (Staff::at(&gateway), Staff::of(&gateway, &Access::Operator));
    for staff in [&mine, &other] {
        staff.asks("/rewards").await.is(200);
    }
    let store = &gateway.gateway().store;
    assert!(store.revoke_token(&mine.token_id(), NOON, &Actor::command("anna@till")).await.expect("an act"));
    let refused = mine.asks("/rewards").await;
    refused.is_problem(401, "unauthorised");
    assert!(refused.message().contains("revoked"), "{}", refused.message());
    other.asks("/rewards").await.is(200);
    gateway.close().await;
}

#[tokio::test]
async fn a_changed_programme_says_which_parts_and_no_secret() {
    let mut gateway = TestGateway::open(&[ESHOP, OWN, POINTS]).await;
    assert!(gateway.reapply(&[ESHOP, OWN, POINTS, COFFEE]).await);
    let lines = lines(&gateway).await;
    let last = lines.last().expect("it was applied");
    let parts = |value: &Option<Value>| -> Vec<String> {
        let parts = value.as_ref().and_then(Value::as_object).expect("parts");
        parts.keys().cloned().collect()
    };
    assert_eq!((parts(&last.before), parts(&last.after)), (vec!["merchant".to_owned()], vec!["merchant".to_owned()]));
    assert!(parts(&lines[0].after).iter().any(|part| part == "source/eshop"), "{lines:?}");
    assert!(!serde_json::to_string(&lines).expect("a document").contains("shpss-kavarna-signing"));
    gateway.close().await;
}

/// The command line as its users have it, beside a gateway that serves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_lists_and_revokes_tokens_and_tells_who_did_what() {
    let premises = Premises::on(None, &[ESHOP, OWN]);
    let mut served = premises.serve().await;
    let create = ["token", "create", "--role", "merchant", "--merchant", "kavarna", "--name", "till 1"];
    let token = premises.run(&create).out.trim().to_owned();
    let staff = Staff::at_served(&served, &token);
    staff.asks("/rewards").await.is(200);
    let listed = premises.run(&["token", "list", "--json"]).json();
    let row = &listed["tokens"][0];
    assert_eq!((&row["role"], &row["name"], &row["generation"]), (&json!("merchant"), &json!("till 1"), &json!(1)));
    let id = row["id"].as_str().expect("an id");
    assert!(premises.run(&["token", "list"]).out.contains(id));
    assert_eq!(premises.run(&["token", "revoke", id]).code, 0);
    staff.asks("/rewards").await.is_problem(401, "unauthorised");
    assert_eq!(premises.run(&["token", "list", "--json"]).json()["tokens"], json!([]));
    premises.run(&["token", "revoke", id]).fails_with_one_sentence("token list");

    premises.run(&["member", "join", "--merchant", "kavarna", "--email", JANA, "--json"]).json();
    premises.run(&["member", "--merchant", "kavarna", "email:jana@example.com", "--json"]).json();
    let told = premises.run(&["audit", "--merchant", "kavarna", "--json"]).json();
    let acts: Vec<&str> =
        told["audit"].as_array().expect("lines").iter().filter_map(|line| line["act"].as_str()).collect();
    assert_eq!(acts, ["programme.apply", "token.create", "token.revoke", "join", "member.read"]);
    assert_eq!(told["audit"][1]["actor_kind"], "command");
    assert!(told["audit"][1]["actor"].as_str().is_some_and(|who| who.contains('@')), "{told}");
    let words = premises.run(&["audit", "--since", "2020-01-01"]);
    assert!(words.out.contains("token.revoke") && words.out.contains("key.create"), "{words}");
    assert!(premises.run(&["audit", "--since", "2999-01-01T00:00:00Z"]).out.is_empty());
    premises.run(&["audit", "--since", "yesterday"]).fails_with_one_sentence("2026-06-01");
    let proof = premises.run(&["ledger", "verify", "--json"]).json();
    assert_eq!((&proof["holds"], proof["audit"].as_i64() >= Some(6)), (&json!(true), true), "{proof}");
    let merchant: MerchantId = "kavarna".into();
    assert_eq!(told["audit"][0]["merchant"], merchant.as_str());
    served.stop().await;
}
