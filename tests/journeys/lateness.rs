//! Random histories in which anything may come up to two years late: everything ends settled, nobody else waits, and where 0014 promises
//! it, the end is that of the same history told in time. `PERKGATE_LATE_CASES` says how many, `PERKGATE_LATE_SEED` which.

use perkgate_domain::time::Moment;
use perkgate_gateway::clock::Clock as _;
use perkgate_gateway::store::StalledView;
use perkgate_tests::programme::{OWN, POINTS, webhook};
use perkgate_tests::{Dice, FakeShop, NOON, Staff, TestGateway, until};
use serde_json::{Value, json};

const DAY_MS: i64 = 24 * 3_600_000;
/// Histories of each window, and things told in each.
const CASES: u64 = 2;
const STEPS: u64 = 24;
const SEED: u64 = 20_261_128;
const PEOPLE: [&str; 3] = ["ada@example.com", "bea@example.com", "cyd@example.com"];
const WINDOWS: [&str; 3] =
    ["window = \"rolling\"\ndays = 60\ngrace_days = 7", "window = \"calendar-year\"", "window = \"membership-year\""];

/// Points that mature and expire, two tiers, whoever acts by time, and rewards that people take.
fn rules(window: &str, rest: &str) -> String {
    let channel = webhook("http://127.0.0.1:9/");
    format!(
        r#"
[wallets.points]
matures = {{ days = 2 }}
expires = {{ days = 90, round = "month" }}

[tiers]
by = "spend"
{window}
levels = [ {{ name = "silver", at = "60.00" }}, {{ name = "gold", at = "150.00" }} ]
{rest}{channel}"#
    )
}

const PEOPLE_RULES: &str = r#"
[[rewards]]
key = "coffee"
title = "Coffee"
price = { points = 10 }
valid_days = 20
returns_price = true
undo_minutes = 600

[[rewards]]
key = "gift"
title = "Gift"
price = { points = 90 }
automatic = true

[[plugins]]
plugin = "birthday"
settings = { gift = { points = 20, valid_days = 30 } }
grants = ["earn", "message", "wake", "remember"]

[[plugins]]
plugin = "win-back"
settings = { steps = [ { days = 45, gift = { points = 7, valid_days = 14 } } ] }
grants = ["earn", "message", "wake", "remember", "tag"]
"#;

fn sale(id: u64, cents: i64, at: Moment, who: &str) -> Vec<u8> {
    let customer = json!({"email": who, "consent": true, "birthday": "1990-03-08"});
    let data = json!({
        "purchase": {"id": format!("s{id}"), "currency": "EUR", "total": cents, "placed_at": at.0},
        "customer": customer,
    });
    json!({"type": "purchase", "data": data}).to_string().into_bytes()
}

fn nameless(id: u64, cents: i64, at: Moment) -> Vec<u8> {
    let purchase = json!({"id": format!("s{id}"), "currency": "EUR", "total": cents, "placed_at": at.0});
    json!({"type": "purchase", "data": {"purchase": purchase}}).to_string().into_bytes()
}

fn refund(id: u64, of: u64, cents: i64, at: Moment) -> Vec<u8> {
    let refund = json!({"id": format!("r{id}"), "purchase": format!("s{of}"), "currency": "EUR", "amount": cents});
    json!({"type": "refund", "timestamp": at.0, "data": {"refund": refund}}).to_string().into_bytes()
}

fn edit(id: u64, of: u64, cents: i64, at: Moment) -> Vec<u8> {
    let order = json!({"id": format!("s{of}"), "currency": "EUR", "total": cents, "placed_at": at.0});
    let edit = json!({"id": format!("e{id}"), "purchase": order});
    json!({"type": "edit", "timestamp": at.0, "data": {"edit": edit}}).to_string().into_bytes()
}

/// Waits until nothing is to be settled, and what that made due has been seen to.
async fn rest(gateway: &TestGateway) {
    gateway.settle().await;
    gateway.gateway().pipeline.drain().await.expect("nothing stops the loops");
    gateway.settle().await;
}

/// Nothing waits but for a sale that has not come, nothing failed, and nothing is due that is over. Answers how much waits.
async fn is_at_rest(gateway: &TestGateway, story: &str) -> usize {
    let database = &gateway.gateway().store;
    let stalled = database.stalled(&gateway.merchant(), 100).await.expect("a list");
    let waits = |item: &&StalledView| ["refund", "edit"].contains(&item.kind.as_str()) && item.state == "parked";
    assert!(stalled.iter().all(|item| waits(&item)), "{story}: {stalled:?}");
    let now = gateway.clock().now();
    until("nothing is due any more", async || {
        database.due_members(now, 10).await.expect("a look").is_empty().then_some(())
    })
    .await;
    for who in PEOPLE {
        if let Some(view) = gateway.find_member(&format!("email:{who}")).await {
            assert!(view.member.through <= now, "{story}: {:?}", view.member);
        }
    }
    stalled.len()
}

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[tokio::test]
async fn whatever_comes_late_everything_is_settled_and_nobody_else_waits() {
    let seed = setting("PERKGATE_LATE_SEED", SEED);
    for case in 0..setting("PERKGATE_LATE_CASES", CASES) {
        for window in WINDOWS {
            let mut dice = Dice::of(seed + case);
            let story = format!("PERKGATE_LATE_SEED={} {window}", seed + case);
            play(&mut dice, window, &story).await;
        }
    }
}

async fn play(dice: &mut Dice, window: &str, story: &str) {
    let rules = rules(window, PEOPLE_RULES);
    let mut gateway = TestGateway::open(&[&rules, OWN, POINTS]).await;
    let shop = FakeShop::at(&gateway, "own");
    let staff = Staff::at(&gateway);
    for step in 0..STEPS {
        let who = PEOPLE[dice.pick(PEOPLE.len())];
        let late = i64::try_from(dice.roll(730)).expect("days") * i64::from(dice.roll(2) == 0) * DAY_MS;
        let at = gateway.clock().now().plus_ms(-late);
        let member = format!("/v1/merchants/kavarna/members/email:{who}");
        let key = format!("k{step}");
        match dice.roll(14) {
            0..6 => {
                let cents = i64::try_from(dice.roll(9_000)).expect("cents") + 100;
                shop.tells(None, sale(step, cents, at, who)).await.is(200, "accepted");
            }
            6..8 => {
                let of = dice.roll(step + 1);
                shop.tells(None, refund(step, of, 3_000, at)).await.is(200, "accepted");
            }
            8 => {
                staff.does("POST", &format!("{member}/redemptions"), &key, json!({"reward": "coffee"})).await;
            }
            9 => {
                let other = PEOPLE[dice.pick(PEOPLE.len())];
                staff.does("POST", &format!("{member}/merge"), &key, json!({"other": format!("email:{other}")})).await;
            }
            10 => {
                let of = dice.roll(step + 1);
                shop.tells(None, edit(step, of, 2_500, at)).await.is(200, "accepted");
            }
            11 => {
                // Somebody who names nobody, and whoever shows the receipt later.
                let of = dice.roll(step + 1);
                shop.tells(None, nameless(step, 1_500, at)).await.is(200, "accepted");
                let receipt = json!({"source": "own", "order": format!("s{of}"), "total": "15.00"});
                staff.does("POST", &format!("{member}/claims"), &key, receipt).await;
            }
            12 => {
                staff.does("DELETE", &member, &key, Value::Null).await;
            }
            _ => {
                let levels = if dice.roll(2) == 0 { "60.00" } else { "75.00" };
                gateway.reapply(&[&rules.replace("60.00", levels), OWN, POINTS]).await;
            }
        }
        if dice.roll(3) == 0 {
            rest(&gateway).await;
            is_at_rest(&gateway, story).await;
            gateway.later(i64::try_from(dice.roll(60)).expect("days") * 24 * 3_600);
        }
    }
    rest(&gateway).await;
    gateway.later(800 * 24 * 3_600);
    rest(&gateway).await;
    let waiting = is_at_rest(&gateway, story).await;
    gateway.leaves_parked(i64::try_from(waiting).expect("few"));
    gateway.close().await;
}

/// What sales and refunds come to: balances, and what counts.
async fn outcome(gateway: &TestGateway) -> Vec<Value> {
    let mut members = Vec::new();
    for who in PEOPLE {
        let found = gateway.find_member(&format!("email:{who}")).await;
        members.push(found.map_or(Value::Null, |view| {
            let member = view.member;
            let wallet = member.wallets.get("points").cloned().unwrap_or_default();
            json!({
                "available": wallet.available, "pending": wallet.pending, "expired": wallet.expired,
                "reversed": wallet.reversed, "visits": member.visits, "spent": member.spent, "tier": member.tier,
            })
        }));
    }
    members
}

/// Sales and refunds, told in time or up to two years late: each on its day, or all of them at the end.
async fn told(seed: u64, window: &str, in_time: bool) -> Vec<Value> {
    let mut dice = Dice::of(seed);
    let mut gateway = TestGateway::open(&[&rules(window, ""), OWN, POINTS]).await;
    let shop = FakeShop::at(&gateway, "own");
    let mut history = Vec::new();
    let mut day = 0;
    for step in 0..STEPS / 2 {
        day += i64::try_from(dice.roll(60)).expect("days");
        let at = NOON.plus_ms(day * DAY_MS);
        let who = PEOPLE[dice.pick(PEOPLE.len())];
        let cents = i64::try_from(dice.roll(9_000)).expect("cents") + 100;
        history.push((at, sale(step, cents, at, who)));
        if dice.roll(3) == 0 {
            let at = at.plus_ms(3_600_000);
            history.push((at, refund(step, step, cents / 2, at)));
        }
    }
    let end = NOON.plus_ms(730 * DAY_MS);
    if !in_time {
        gateway.clock().set(end);
        // In any order, but a refund of a sale that is not there yet is parked until it is.
        history.sort_by_key(|_| dice.roll(1_000));
    }
    for (at, body) in history {
        if in_time {
            gateway.clock().set(at);
        }
        shop.tells(None, body).await.is(200, "accepted");
        rest(&gateway).await;
    }
    gateway.clock().set(end);
    rest(&gateway).await;
    let outcome = outcome(&gateway).await;
    gateway.leaves_parked(0);
    gateway.close().await;
    outcome
}

#[tokio::test]
async fn sales_and_refunds_that_come_late_end_as_if_they_had_come_in_time() {
    let seed = setting("PERKGATE_LATE_SEED", SEED);
    for case in 0..setting("PERKGATE_LATE_CASES", CASES) {
        for window in &WINDOWS {
            let (in_time, late) = (told(seed + case, window, true).await, told(seed + case, window, false).await);
            assert_eq!(in_time, late, "PERKGATE_LATE_SEED={} {window}", seed + case);
        }
    }
}
