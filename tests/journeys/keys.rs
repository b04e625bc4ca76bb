//! Keys are rotated beside a gateway that serves, by a command that is killed on the way.

use super::JANA;
use perkgate_tests::programme::{ESHOP, OWN, POINTS};
use perkgate_tests::{Premises, Staff};
use serde_json::json;
use std::io::{BufRead as _, BufReader};

const HER: &str = "/members/email:jana%40example.com";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_rotated_beside_a_gateway_by_a_command_that_is_killed_on_the_way() {
    let premises = Premises::on(None, &[ESHOP, OWN, POINTS]);
    let mut served = premises.serve().await;
    let token = premises.run(&["token", "create", "--role", "operator"]).out.trim().to_owned();
    let staff = Staff::at_served(&served, &token);
    let join = |key: &str, email: &str| {
        let (staff, key, body) = (staff.clone(), key.to_owned(), json!({"email": email}));
        async move { staff.does("POST", "/members", &key, body).await.is(201) }
    };
    let jana = join("j-1", JANA).await;
    let first = std::fs::read_to_string(premises.path("perkgate.key")).expect("the key file");
    premises.run(&["key", "retire"]).fails_with_one_sentence("nothing to retire");

    let mut child = premises.starts(&["key", "rotate"]);
    let said = BufReader::new(child.stderr.take().expect("what it says")).lines().map_while(Result::ok);
    assert!(said.into_iter().any(|line| line.contains("the new keys are known")));
    child.kill().expect("it is killed");
    child.wait().expect("it ends");
    let half = std::fs::read_to_string(premises.path("perkgate.key")).expect("the key file");
    assert_eq!(half.matches("perkgate-key-1 ").count(), 2, "the new root key, then the older one");
    premises.run(&["key", "retire"]).fails_with_one_sentence("key rotate");
    join("j-2", "peter@example.com").await;

    let done = premises.run(&["key", "rotate", "--json"]).json();
    assert_eq!(std::fs::read_to_string(premises.path("perkgate.key")).expect("the key file"), half);
    let older: i64 =
        done["sealed"].as_object().expect("places").values().filter_map(|counts| counts["1"].as_i64()).sum();
    assert_eq!((older, &done["rotating"]), (0, &json!(true)), "{done:#}");
    assert_eq!(staff.asks(HER).await.is(200)["member"], jana["member"], "with a token of before, by the address");
    join("j-3", "eva@example.com").await;
    let exported = staff.asks("/members/email:eva%40example.com/export").await.is(200);
    assert!(exported.to_string().contains("eva@example.com"), "{exported}");

    premises.run(&["key", "retire"]).fails_with_one_sentence("--end-tokens");
    assert_eq!(premises.run(&["key", "retire", "--end-tokens"]).code, 0);
    let last = std::fs::read_to_string(premises.path("perkgate.key")).expect("the key file");
    assert_eq!(last.matches("perkgate-key-1 ").count(), 1);
    let status = premises.run(&["key", "status", "--json"]).json();
    assert_eq!(
        (&status["rotating"], &status["keys"]["seal"][0]["generation"]),
        (&json!(false), &json!(2)),
        "{status:#}"
    );

    // Everything is there with the new key alone, and nothing with the older one.
    served.stop().await;
    std::fs::write(premises.path("perkgate.key"), &first).expect("the older key file");
    premises.run(&["tasks", "--merchant", "kavarna"]).fails_with_one_sentence("another key");
    std::fs::write(premises.path("perkgate.key"), &last).expect("the newer key file");
    let mut served = premises.serve().await;
    let token = premises.run(&["token", "create", "--role", "operator"]).out.trim().to_owned();
    let staff = Staff::at_served(&served, &token);
    let exported = staff.asks(&format!("{HER}/export")).await.is(200);
    assert!(exported.to_string().contains(JANA), "{exported}");
    let again = staff.does("POST", "/members", "j-1", json!({"email": JANA})).await.is(201);
    assert_eq!(again, jana, "a repetition is one, whatever it was sealed with");
    let acts = premises.run(&["audit", "--json"]).json();
    let acts: Vec<&str> =
        acts["audit"].as_array().expect("lines").iter().filter_map(|line| line["act"].as_str()).collect();
    for act in ["key.create", "key.rotate", "key.use", "key.retire"] {
        assert_eq!(acts.iter().filter(|told| **told == act).count(), 1, "{act}: {acts:?}");
    }
    assert_eq!(premises.run(&["ledger", "verify"]).code, 0);
    served.stop().await;
}
