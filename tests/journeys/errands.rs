//! The same from the command line, while a gateway serves on the same database.

use super::JANA;
use perkgate_tests::programme::{COFFEE, OWN, OWN_SECRET, POINTS};
use perkgate_tests::{Premises, Sale, Served, Staff, sales, until};
use serde_json::Value;

const BY_JANA: &str = "email:jana@example.com";
/// Everybody who came once is a regular.
const TIERS: &str = r#"
[tiers]
by = "visits"
window = "rolling"
days = 365
levels = [{ name = "regular", at = 1 }]
"#;

/// A gateway that serves, and Jana, who joined and bought for twenty euros.
async fn open() -> (Premises, Served) {
    let premises = Premises::on(None, &[OWN, POINTS, COFFEE, TIERS]);
    let served = premises.serve().await;
    let joined = premises.run(&["member", "join", "--merchant", "kavarna", "--email", JANA, "--key", "j", "--json"]);
    let member = joined.json()["member"].as_str().expect("an id").to_owned();
    let again = premises.run(&["member", "join", "--merchant", "kavarna", "--email", JANA, "--key", "j", "--json"]);
    assert_eq!(again.json()["member"], member.as_str());
    let now = perkgate_gateway::clock::Clock::now(&perkgate_gateway::clock::SystemClock);
    let sale = Sale::new(1, &[("Svadobná torta", 1, 2_000)]).by(JANA).at(now);
    std::fs::write(premises.path("sale.json"), sales::standard(&sale)).expect("a file");
    let url = format!("{}/in/kavarna/own", served.url());
    let body = premises.path("sale.json").display().to_string();
    let sold =
        premises.run_alone(&["send", "standard-webhooks", "--to", &url, "--secret", OWN_SECRET, "--body", &body]);
    assert_eq!(sold.code, 0, "{sold}");
    until("she has her points", async || (points(&premises) == 20).then_some(())).await;
    (premises, served)
}

fn member(premises: &Premises) -> Value {
    premises.run(&["member", "--merchant", "kavarna", BY_JANA, "--json"]).json()
}

fn points(premises: &Premises) -> i64 {
    member(premises)["balances"]["points"]["available"].as_i64().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rewards_are_taken_given_back_and_given_away_from_the_command_line() {
    let (premises, mut served) = open().await;
    let redeem =
        |key: &str| premises.run(&["redeem", "--merchant", "kavarna", BY_JANA, "free-coffee", "--key", key, "--json"]);
    let taken = redeem("r-1").json();
    assert_eq!(redeem("r-1").json(), taken);
    assert_eq!(points(&premises), 15);
    // The API and the command line share their keys.
    let made = premises.run(&["token", "create", "--role", "merchant", "--merchant", "kavarna", "--days", "1"]);
    assert_eq!(made.code, 0, "{made}");
    let staff = Staff::at_served(&served, made.out.trim());
    let wish = serde_json::json!({"reward": "free-coffee"});
    let path = "/members/email:jana%40example.com/redemptions";
    assert_eq!(staff.does("POST", path, "r-1", wish).await.is(201), taken);

    let id = taken["rewards"][0]["id"].as_str().expect("an id");
    let undone = premises.run(&["undo", "--merchant", "kavarna", BY_JANA, id]);
    assert_eq!(undone.code, 0, "{undone}");
    assert_eq!(points(&premises), 20);
    premises.run(&["undo", "--merchant", "kavarna", BY_JANA, id]).fails_with_one_sentence("refused");

    for key in ["a", "b", "c", "d"] {
        redeem(key).json();
    }
    redeem("e").fails_with_one_sentence("costs 5 points, the member has 0");
    let bought = 4;

    // A campaign reaches everybody in the tier, once.
    let campaign = || {
        let issue = ["coupon", "issue", "--merchant", "kavarna", "free-coffee", "--tier", "regular", "--name", "jar"];
        premises.run(&[&issue[..], &["--json"]].concat()).json()
    };
    let given = campaign();
    assert_eq!(given["given"].as_array().map(Vec::len), Some(1), "{given}");
    assert_eq!(campaign(), given);
    let held = member(&premises)["rewards"]
        .as_array()
        .expect("rewards")
        .iter()
        .filter(|held| held["state"] == "issued")
        .count();
    assert_eq!(held, bought + 1);
    premises.run(&["ledger", "verify"]).out.find("every invariant holds").expect("a sound ledger");
    let claim = |order: &str| premises.run(&["member", "claim", "--merchant", "kavarna", BY_JANA, "own", order]);
    claim("nothing").fails_with_one_sentence("no purchase of the source `own` has the order `nothing`");
    assert_eq!(claim("1").code, 0, "her own is hers");
    served.stop().await;

    // Without anybody who serves it is done all the same.
    let updated = premises.run(&["member", "update", "--merchant", "kavarna", BY_JANA, "--card", "KAV-1"]);
    assert_eq!(updated.code, 0, "{updated}");
    let told = premises.run(&["member", "export", "--merchant", "kavarna", "card:kav1"]).json();
    assert_eq!(told["contact"]["email"], JANA);
    assert_eq!(premises.run(&["member", "forget", "--merchant", "kavarna", "card:KAV-1"]).code, 0);
    premises.run(&["member", "--merchant", "kavarna", BY_JANA]).fails_with_one_sentence("knows no member");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_done_is_said_in_one_sentence() {
    let premises = Premises::on(None, &[OWN, POINTS, COFFEE]);
    premises
        .run(&["member", "join", "--merchant", "kavarna", "--email", JANA])
        .fails_with_one_sentence("cannot open the database");
    assert!(!premises.path("perkgate.db").exists(), "no database is made by asking");
    let file = premises.path("kavarna.toml").display().to_string();
    assert_eq!(premises.run(&["apply", &file]).code, 0);
    let fails = |arguments: &[&str], word: &str| premises.run(arguments).fails_with_one_sentence(word);
    fails(&["member", "join", "--merchant", "kavarna", "--email", "jana"], "`email` is not an e-mail address");
    fails(&["member", "join", "--merchant", "kavarna", "--name", "Jana"], "known by");
    fails(&["member", "update", "--merchant", "kavarna", BY_JANA, "--name", "Jana"], "knows no member");
    fails(&["redeem", "--merchant", "pekaren", BY_JANA, "free-coffee", "--key", "k"], "there is no merchant `pekaren`");
    fails(&["token", "create", "--role", "merchant", "--merchant", "pekaren"], "there is no merchant `pekaren`");
    fails(&["token", "create", "--role", "operator", "--days", "0"], "1 to 3650 days");
    fails(&["tasks", "--merchant", "kavarna", "--close", "tsk_1"], "no open task");
    fails(&["coupon", "issue", "--merchant", "kavarna", "yacht", "--tag", "vip", "--name", "x"], "no reward `yacht`");
    // Nobody may name a source as the gateway names its own: whoever signs for it could ask for anything.
    let named =
        std::fs::read_to_string(premises.path("kavarna.toml")).expect("the file").replace("\"own\"", "\"perkgate\"");
    std::fs::write(premises.path("kavarna.toml"), named).expect("a file");
    fails(&["apply", &file, "--check"], "is \"perkgate\", which is the gateway's own");
    let wrong = |arguments: &[&str]| {
        let ran = premises.run(arguments);
        assert_eq!(ran.code, 2, "{ran}");
    };
    wrong(&["member", "--merchant", "kavarna"]);
    wrong(&["redeem", "--merchant", "kavarna", BY_JANA, "free-coffee"]);
    wrong(&["token", "create", "--role", "merchant"]);
    wrong(&["coupon", "issue", "--merchant", "kavarna", "free-coffee", "--tag", "vip"]);
    wrong(&["coupon", "issue", "--merchant", "kavarna", "free-coffee", "--name", "x"]);
}
