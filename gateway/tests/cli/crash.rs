//! `kill -9` at any moment loses nothing that was answered 200, and doubles nothing.

use crate::binary::{SECRET, Served, Shop};
use perkgate_domain::time::Moment;
use perkgate_gateway::clock::{Clock as _, SystemClock};
use perkgate_gateway::connectors;
use perkgate_gateway::outbound::Outbound;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// When the gateway is killed after it began to listen, milliseconds. Fixed, so that a run can be repeated; far enough apart to
/// meet it journalling, reading and settling.
const MOMENTS: [u64; 5] = [40, 130, 290, 70, 470];
/// Senders at once.
const SENDERS: u64 = 4;

fn order(id: u64, at: Moment) -> Vec<u8> {
    let at = jiff::Timestamp::from_millisecond(at.0).expect("a time").to_string();
    json!({
        "id": id, "name": format!("#{id}"), "created_at": at, "processed_at": at, "currency": "EUR",
        "financial_status": "paid", "taxes_included": true, "total_price": "3.00", "total_tax": "0.00",
        "customer": {"id": id % 7 + 1, "email": format!("guest{}@example.com", id % 7)},
        "line_items": [{"id": id * 10, "name": "Espresso", "quantity": 1, "price": "3.00", "tax_lines": [],
            "discount_allocations": []}],
    })
    .to_string()
    .into_bytes()
}

/// Sends orders of its own until it is stopped; repeats each, as platforms do, until it is answered 200 or the gateway is gone.
async fn send(door: String, mut next: u64, answered: Arc<Mutex<Vec<u64>>>, stop: watch::Receiver<bool>) -> u64 {
    let outbound = Outbound::new(true, Duration::from_secs(5)).expect("a client");
    let connector = connectors::find("shopify").expect("a connector");
    let source = perkgate_domain::programme::Source {
        id: "eshop".into(),
        platform: "shopify".to_owned(),
        secrets: vec![SECRET.to_owned()],
        url: None,
        api: None,
        options: serde_json::Map::new(),
        test: false,
        paused: false,
    };
    let mut in_doubt = false;
    while in_doubt || !*stop.borrow() {
        let body = order(next, Moment(1_780_315_200_000));
        let headers =
            connector.sign(&body, None, &format!("order-{next}"), &source, SystemClock.now()).expect("a signature");
        // Whatever is not a 200 may or may not be journalled: the platform sends it again.
        match outbound.post(&door, &headers, body, 64 * 1024).await {
            Ok(answer) if answer.status == 200 => {
                answered.lock().expect("nobody panicked").push(next);
                next += SENDERS;
                in_doubt = false;
            }
            Ok(_) => {
                in_doubt = true;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Err(_) => break,
        }
    }
    next
}

/// Sends from all senders until the moment comes; answers where each goes on.
async fn under_fire(served: Served, nexts: Vec<u64>, moment: Duration, answered: &Arc<Mutex<Vec<u64>>>) -> Vec<u64> {
    let (stop, stopped) = watch::channel(false);
    let mut senders = JoinSet::new();
    for next in nexts {
        senders.spawn(send(served.door(), next, Arc::clone(answered), stopped.clone()));
    }
    tokio::time::sleep(moment).await;
    tokio::task::spawn_blocking(move || served.kill()).await.expect("killed");
    let _ = stop.send(true);
    senders.join_all().await
}

#[test]
fn killed_five_times_it_loses_nothing_and_doubles_nothing() {
    let shop = Shop::new();
    let answered = Arc::new(Mutex::new(Vec::new()));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let mut nexts: Vec<u64> = (1..=SENDERS).collect();
    for moment in MOMENTS {
        let served = shop.serve();
        nexts = runtime.block_on(under_fire(served, nexts, Duration::from_millis(moment), &answered));
    }
    // Where each sender was interrupted the platform repeats itself, and now it is heard.
    let served = shop.serve();
    let (halt, halted) = watch::channel(false);
    let again = nexts.clone();
    runtime.block_on(async {
        let mut senders = JoinSet::new();
        for next in again {
            senders.spawn(send(served.door(), next, Arc::clone(&answered), halted.clone()));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        halt.send_replace(true);
        senders.join_all().await;
    });
    let answered = answered.lock().expect("nobody panicked").clone();
    assert!(answered.len() > 20, "{} were answered; too few to mean anything", answered.len());

    let mut guests: BTreeMap<u64, i64> = BTreeMap::new();
    for id in &answered {
        *guests.entry(id % 7).or_default() += 1;
    }
    for (guest, visits) in guests {
        let member = shop.until_settled(&format!("email:guest{guest}@example.com"), visits);
        // Three points for each: not one too many, not one too few.
        assert_eq!(member["balances"]["points"]["available"], visits * 3, "guest {guest}: {member:#}");
    }
    let mut settled: Vec<u64> = shop.orders().iter().map(|order| order.parse().expect("a number")).collect();
    let mut wanted = answered;
    settled.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(settled, wanted, "every order that was answered 200 is settled, once");
    served.stops_well();
    let verified = shop.ask(&["ledger", "verify"]);
    assert_eq!(verified.code, 0, "{verified}");
}
