//! The management API: staff with a token, members who join, take rewards and give them back.

use super::{BY_JANA, JANA, ORDER};
use perkgate_gateway::store::Actor;
use perkgate_gateway::tokens::Access;
use perkgate_tests::programme::{COFFEE, ESHOP, OWN, POINTS};
use perkgate_tests::{FakeShop, Ground, Sale, Staff, TestGateway};
use serde_json::{Value, json};
use tokio::task::JoinSet;

const MEAL: (&str, i64, i64) = ("Obed", 1, 600);
/// Jana, in a path.
const HER: &str = "/members/email:jana%40example.com";

async fn gateway() -> TestGateway {
    TestGateway::open(&[ESHOP, OWN, POINTS, COFFEE]).await
}

/// Jana has bought for six euros: six points, one coffee.
async fn with_six_points() -> (TestGateway, Staff) {
    let gateway = gateway().await;
    FakeShop::at(&gateway, "eshop").sells(&Sale::new(ORDER, &[MEAL]).by(JANA)).await;
    gateway.settle().await;
    assert_eq!(gateway.balance(BY_JANA, "points").await, 6);
    let staff = Staff::at(&gateway);
    (gateway, staff)
}

fn coffee() -> Value {
    json!({"reward": "free-coffee"})
}

#[tokio::test]
async fn who_joins_earns_and_takes_a_reward_gets_its_code() {
    let gateway = gateway().await;
    let staff = Staff::at(&gateway);
    let person =
        json!({"email": "Jana@Example.com", "name": "Jana Nováková", "locale": "sk", "birthday": "1990-03-08"});
    let joined = staff.does("POST", "/members", "j-1", person.clone()).await.is(201);
    let again = staff.does("POST", "/members", "j-1", person).await.is(201);
    assert_eq!(joined, again);
    FakeShop::at(&gateway, "eshop").sells(&Sale::new(ORDER, &[MEAL]).by(JANA)).await;
    gateway.settle().await;

    let shown = staff.asks(HER).await.is(200);
    assert_eq!(shown["member"], joined["member"]);
    assert_eq!(shown["balances"]["points"]["available"], 6);
    assert_eq!(staff.asks("/rewards").await.is(200)["rewards"][0]["key"], "free-coffee");

    let taken = staff.does("POST", &format!("{HER}/redemptions"), "r-1", coffee()).await.is(201);
    let code = taken["rewards"][0]["code"].as_str().expect("a code");
    assert!(code.len() >= 8, "{code}");
    assert_eq!(taken["member"], joined["member"]);
    let shown = staff.asks(HER).await.is(200);
    assert_eq!((&shown["balances"]["points"]["available"], &shown["rewards"][0]["code"]), (&json!(1), &json!(code)));

    // Asked for again, it is the same one. Another wish under the same key is a mistake.
    let again = staff.does("POST", &format!("{HER}/redemptions"), "r-1", coffee()).await.is(201);
    assert_eq!(again, taken);
    staff.does("POST", "/members", "j-1", json!({"email": "peter@example.com"})).await.is_problem(409, "key_reused");
    let refused = staff.does("POST", &format!("{HER}/redemptions"), "r-2", coffee()).await;
    refused.is_problem(409, "refused");
    assert!(refused.message().contains("costs 5 points, the member has 1"), "{}", refused.message());

    // In time it may be given back.
    let id = taken["rewards"][0]["id"].as_str().expect("an id");
    gateway.later(9 * 60);
    staff.does("DELETE", &format!("{HER}/redemptions/{id}"), "u-1", Value::Null).await.is(200);
    let shown = staff.asks(HER).await.is(200);
    assert_eq!(
        (&shown["balances"]["points"]["available"], &shown["rewards"][0]["state"]),
        (&json!(6), &json!("undone"))
    );
    staff.does("DELETE", &format!("{HER}/redemptions/{id}"), "u-2", Value::Null).await.is_problem(409, "refused");
    gateway.close().await;
}

#[tokio::test]
async fn one_key_asked_for_at_once_gives_one_reward() {
    let (gateway, staff) = with_six_points().await;
    let mut asking = JoinSet::new();
    for _ in 0..8 {
        let staff = staff.clone();
        asking.spawn(async move { staff.does("POST", &format!("{HER}/redemptions"), "same", coffee()).await.is(201) });
    }
    let answers = asking.join_all().await;
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    let jana = gateway.member(BY_JANA).await;
    assert_eq!((jana.rewards.len(), jana.member.wallets["points"].available), (1, 1));
    gateway.close().await;
}

#[tokio::test]
async fn points_are_spent_once_however_many_ask() {
    let (gateway, staff) = with_six_points().await;
    let mut asking = JoinSet::new();
    for number in 0..6 {
        let staff = staff.clone();
        let key = format!("k-{number}");
        asking.spawn(async move { staff.does("POST", &format!("{HER}/redemptions"), &key, coffee()).await });
    }
    let answers = asking.join_all().await;
    let (taken, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((taken.len(), refused.len()), (1, 5));
    for answer in refused {
        answer.is_problem(409, "refused");
    }
    assert_eq!(gateway.balance(BY_JANA, "points").await, 1);
    gateway.close().await;
}

#[tokio::test]
async fn only_a_token_for_this_merchant_opens_it() {
    let gateway = gateway().await;
    let other = TestGateway::open(&[ESHOP]).await;
    let rewards = "/v1/merchants/kavarna/rewards";
    let ask = async |staff: &Staff| staff.sends("GET", rewards, &[], "").await;
    let mine = Staff::at(&gateway);
    for staff in [Staff::of(&gateway, &Access::Operator), mine.clone()] {
        ask(&staff).await.is(200);
    }
    for access in [Access::Merchant("pekaren".into()), Access::Partner("kino-lumiere".into())] {
        ask(&Staff::of(&gateway, &access)).await.is_problem(403, "forbidden");
    }
    let nobody = Staff::with(&gateway, None);
    ask(&nobody).await.is_problem(401, "unauthorised");
    assert_eq!(ask(&nobody).await.header("www-authenticate"), Some("Bearer"));
    let odd = ["Bearer", "Basic a2F2YXJuYTpoZXNsbw==", "Bearer a.b.c", "Bearer ", "bearer"];
    for odd in odd {
        nobody.sends("GET", rewards, &[("authorization", odd)], "").await.is_problem(401, "unauthorised");
    }
    let strange = perkgate_gateway::tokens::Tokens::new(&other.gateway().vault);
    let strange =
        strange.issue(&Access::Operator, None, perkgate_tests::NOON, 30, &Actor::command("eve@home")).expect("a token");
    ask(&Staff::with(&gateway, Some(strange.token))).await.is_problem(401, "unauthorised");
    // What is written needs one, too, and says nothing of who is there.
    nobody.does("POST", &format!("{HER}/redemptions"), "k", coffee()).await.is_problem(401, "unauthorised");
    gateway.later(31 * 24 * 3600);
    let expired = ask(&mine).await;
    expired.is_problem(401, "unauthorised");
    assert!(expired.message().contains("expired"), "{}", expired.message());

    // The description is everybody's; the built-in source is nobody's.
    let document = nobody.sends("GET", "/v1/openapi.json", &[], "").await.is(200);
    assert_eq!(document["openapi"], "3.1.0");
    let posted = nobody.sends("POST", "/in/kavarna/perkgate", &[], "{\"do\":\"forget\",\"member\":\"mem_1\"}").await;
    assert_eq!(posted.status, 404);
    other.close().await;
    gateway.close().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said() {
    let (gateway, staff) = with_six_points().await;
    let redemptions = format!("{HER}/redemptions");
    let path = |rest: &str| format!("/v1/merchants/kavarna{rest}");
    let bare = staff.sends("POST", &path(&redemptions), &[], &coffee().to_string()).await;
    bare.is_problem(400, "bad_request");
    assert!(bare.message().contains("Idempotency-Key"), "{}", bare.message());
    for key in ["k".repeat(201), "two words".to_owned()] {
        staff.does("POST", &redemptions, &key, coffee()).await.is_problem(400, "bad_request");
    }
    for (body, word) in [
        (json!({"reward": "free-coffee", "wallet": "points"}), "wallet"),
        (json!({}), "reward"),
        (json!([]), "not the JSON document"),
        (Value::Null, "not the JSON document"),
    ] {
        let answer = staff.does("POST", &redemptions, "k", body).await;
        answer.is_problem(400, "bad_request");
        assert!(answer.message().contains(word), "{}", answer.message());
    }
    for (person, word) in [
        (json!({"email": "jana"}), "`email`"),
        (json!({"phone": "112"}), "`phone`"),
        (json!({"email": JANA, "birthday": "31. 2."}), "`birthday`"),
        (json!({"name": "Jana"}), "known by"),
        (json!({"email": JANA, "points": 1000}), "points"),
    ] {
        let answer = staff.does("POST", "/members", "k", person).await;
        answer.is_problem(400, "bad_request");
        assert!(answer.message().contains(word), "{}", answer.message());
    }
    staff.asks("/members/jana").await.is_problem(400, "bad_request");
    staff.asks("/members/email:nobody%40example.com").await.is_problem(404, "unknown_member");
    staff.asks("/members/id:mem_00000000000000000000000000").await.is_problem(404, "unknown_member");
    staff.does("POST", &redemptions, "k", json!({"reward": "yacht"})).await.is_problem(404, "unknown_reward");
    staff.does("DELETE", &format!("{redemptions}/rwd_1"), "k", Value::Null).await.is_problem(404, "unknown_reward");
    let receipt = json!({"source": "eshop", "order": "nothing"});
    staff.does("POST", &format!("{HER}/claims"), "k", receipt).await.is_problem(400, "bad_request");
    let receipt = json!({"source": "eshop", "order": "nothing", "total": "6.00"});
    staff.does("POST", &format!("{HER}/claims"), "k", receipt).await.is_problem(409, "refused");
    staff.does("POST", "/tasks/tsk_1/close", "k", Value::Null).await.is_problem(404, "unknown_task");
    staff.asks("/tasks?state=lost").await.is_problem(400, "bad_request");
    staff.asks("/nowhere").await.is_problem(404, "unknown_path");
    staff.does("PUT", HER, "k", coffee()).await.is_problem(405, "wrong_method");
    let long = json!({"reward": "x".repeat(20_000)});
    staff.does("POST", &redemptions, "k", long).await.is_problem(413, "too_large");
    let operator = Staff::of(&gateway, &Access::Operator);
    operator.sends("GET", "/v1/merchants/pekaren/rewards", &[], "").await.is_problem(404, "unknown_merchant");
    let jana = gateway.member(BY_JANA).await;
    assert_eq!((jana.rewards.len(), jana.member.wallets["points"].available), (0, 6));
    gateway.close().await;
}

#[tokio::test]
async fn a_receipt_is_claimed_once_and_earns() {
    let (gateway, staff) = with_six_points().await;
    let own = FakeShop::at(&gateway, "own");
    own.sells(&Sale::new(7, &[MEAL])).await;
    gateway.settle().await;
    let receipt = json!({"source": "own", "order": "7", "total": "6.00", "date": "2026-06-01"});
    let claim = |whom: &'static str, key: &'static str| {
        let (staff, receipt) = (staff.clone(), receipt.clone());
        async move { staff.does("POST", &format!("/members/{whom}/claims"), key, receipt).await }
    };
    // Whoever knows the number alone is told nothing more than whoever knows nothing.
    let mut told = Vec::new();
    for wrong in [
        json!({"source": "own", "order": "7", "total": "6.01"}),
        json!({"source": "own", "order": "7", "date": "2026-05-31"}),
        json!({"source": "own", "order": "7", "total": "6.00", "date": "2026-05-31"}),
        json!({"source": "own", "order": "8", "total": "6.00"}),
    ] {
        let refused = staff.does("POST", &format!("{HER}/claims"), "wrong", wrong).await;
        refused.is_problem(409, "refused");
        told.push(refused.message());
    }
    assert!(told.iter().all(|message| *message == told[0]), "{told:?}");
    assert_eq!(gateway.explain("own", 7).await.entry.state, "unclaimed");
    let claimed = claim("email:jana%40example.com", "c-1").await.is(200);
    gateway.settle().await;
    assert_eq!(gateway.balance(BY_JANA, "points").await, 12);
    assert_eq!(claim("email:jana%40example.com", "c-1").await.is(200), claimed);
    staff.does("POST", "/members", "j", json!({"card": "KAV-7"})).await.is(201);
    claim("card:KAV-7", "c-2").await.is_problem(409, "already_claimed");
    gateway.close().await;
}

#[tokio::test]
async fn members_are_updated_merged_exported_and_forgotten() {
    let (gateway, staff) = with_six_points().await;
    let card = staff.does("POST", "/members", "j", json!({"card": "KAV-0042", "consent": true})).await.is(201);
    staff.does("PATCH", HER, "p", json!({"name": "Jana Nováková", "phone": "0903 123 456"})).await.is(200);
    staff.does("PATCH", HER, "p-2", json!({})).await.is_problem(400, "bad_request");
    let hers = staff.asks("/members/phone:%2B421903123456").await.is(200)["member"].clone();

    staff.does("POST", &format!("{HER}/coupons"), "i", coffee()).await.is(201);
    let merged = staff.does("POST", &format!("{HER}/merge"), "m", json!({"other": "card:kav0042"})).await.is(200);
    assert_eq!(merged["member"], hers);
    let gone = card["member"].as_str().expect("an id");
    for key in ["card:KAV-0042".to_owned(), format!("id:{gone}")] {
        assert_eq!(staff.asks(&format!("/members/{key}")).await.is(200)["member"], hers, "{key}");
    }
    // Asked for again, it is the same; under another key there is nothing to merge any more.
    let merge = async |key| staff.does("POST", &format!("{HER}/merge"), key, json!({"other": "card:kav0042"})).await;
    assert_eq!(merge("m").await.is(200), merged);
    merge("m-2").await.is_problem(409, "refused");
    // The id stands for the key, and no address is in the path.
    let found = staff.does("POST", "/members/lookup", "", json!({"key": BY_JANA})).await.is(200);
    assert_eq!(found, json!({"member": hers}));
    let by_id = format!("/members/{}", hers.as_str().expect("an id"));
    assert_eq!(staff.asks(&by_id).await.is(200), staff.asks(HER).await.is(200));
    staff.does("POST", "/members/lookup", "", json!({"key": "card:nobody"})).await.is_problem(404, "unknown_member");

    let told = staff.asks(&format!("{HER}/export")).await.is(200);
    assert_eq!(
        told["contact"],
        json!({"email": "jana@example.com", "name": "Jana Nováková", "phone": "+421903123456"})
    );
    assert_eq!(told["complete"], true);
    let kinds: Vec<_> =
        told["entries"].as_array().expect("entries").iter().map(|entry| &entry["event"]["kind"]).collect();
    for kind in ["purchase", "profile", "issue", "merge", "join"] {
        assert!(kinds.contains(&&json!(kind)), "{kind} is missing in {kinds:?}");
    }
    assert!(told["rewards"].as_array().is_some_and(|list| list.len() == 1), "{told}");

    let forgotten = staff.does("DELETE", HER, "f", Value::Null).await.is(200);
    assert_eq!(staff.does("DELETE", HER, "f", Value::Null).await.is(200), forgotten);
    staff.does("DELETE", HER, "f-2", Value::Null).await.is_problem(404, "unknown_member");
    staff.asks(HER).await.is_problem(404, "unknown_member");
    let hers = hers.as_str().expect("an id");
    let told = staff.asks(&format!("/members/id:{hers}/export")).await.is(200);
    assert_eq!((&told["contact"], &told["keys"]), (&json!({}), &json!([])));
    assert!(!told.to_string().contains("Nováková") && !told.to_string().contains("jana"), "{told}");
    gateway.close().await;
}

#[tokio::test]
async fn what_is_not_journalled_in_time_is_told_to_come_again() {
    // No commit is as fast as this patience ends.
    let door = perkgate_domain::limits::DoorLimits { waiting: 1, patience_ms: 0, ..Default::default() };
    let gateway = Ground::of(&[ESHOP, POINTS, COFFEE]).door(door).open().await;
    let staff = Staff::at(&gateway);
    let busy = staff.does("POST", "/members", "j", json!({"email": JANA})).await;
    busy.is_problem(503, "busy");
    assert!(busy.header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().is_ok()), "{}", busy.head);
    gateway.close().await;
}
