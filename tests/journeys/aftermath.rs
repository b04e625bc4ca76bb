//! What must hold after a served gateway went through something: everything that was answered 200 is settled, once, and nothing else is.

use perkgate_gateway::store;
use perkgate_tests::{Books, Premises, Served, Standing};
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use std::time::{Duration, Instant};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);
/// Beyond what settling something takes, even in a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// Stamps that a reward of the stories' card costs.
const GOAL: i64 = 10;

/// Waits until the gateways came to rest, asks them to stop, and compares what is in the database with what must be there.
pub(super) async fn all_is_well(premises: &Premises, mut gateways: Vec<Served>, books: &Books) {
    settled(premises).await;
    for gateway in &mut gateways {
        gateway.stop().await;
        let panics: Vec<String> = gateway.log().into_iter().filter(|line| line.contains("panicked")).collect();
        assert!(panics.is_empty(), "{panics:#?}");
    }
    assert_eq!(entries(premises.url(), "purchase").await, books.orders, "every purchase is there, once");
    assert_eq!(entries(premises.url(), "refund").await, books.refunds, "every refund is there, once");
    for (email, wanted) in &books.members {
        let found = standing(premises, email).await;
        assert_eq!(found, *wanted, "{email}");
    }
    let verified = premises.run(&["ledger", "verify", "--replay"]);
    assert_eq!(verified.code, 0, "{verified}");
}

/// Waits until nothing is to be read or settled and nothing is parked: what overtook its purchase goes on when that comes.
async fn settled(premises: &Premises) {
    let store = store::open(premises.url(), store::Schema::Current).await.expect("the database opens");
    let (mut moved, mut least) = (Instant::now(), i64::MAX);
    loop {
        let depth = store.depth().await.expect("the queues are counted");
        let waiting = depth.arrivals + depth.entries + depth.parked;
        if waiting == 0 {
            return;
        }
        // However much there is, it must get less.
        if waiting < least {
            (moved, least) = (Instant::now(), waiting);
        }
        assert!(moved.elapsed() < PATIENCE, "it does not come to rest: {depth:?}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// External ids of the entries of this kind, in order.
async fn entries(url: &str, kind: &str) -> Vec<String> {
    column(url, "select external_id from entries where kind = $1", kind).await
}

/// The first column, as text, of what `query` finds for one value.
async fn column(url: &str, query: &'static str, value: &str) -> Vec<String> {
    let mut found: Vec<String> = if url.starts_with("sqlite:") {
        let mut hand = SqliteConnection::connect(url).await.expect("the database opens");
        sqlx::query_scalar(query).bind(value).fetch_all(&mut hand).await.expect("rows are read")
    } else {
        let mut hand = PgConnection::connect(url).await.expect("the database opens");
        sqlx::query_scalar(query).bind(value).fetch_all(&mut hand).await.expect("rows are read")
    };
    found.sort_unstable();
    found
}

/// What somebody has, by the command line, and all their rewards, of which that shows the newest.
async fn standing(premises: &Premises, email: &str) -> Standing {
    let member = premises.run(&["member", "--merchant", "kavarna", &format!("email:{email}"), "--json"]).json();
    let balance = |wallet: &str| member["balances"][wallet]["available"].as_i64().unwrap_or_default();
    let id = member["member"].as_str().unwrap_or_default();
    let rewards = "select reward_id from rewards where member_id = $1 and state <> 'withdrawn'";
    let rewards = i64::try_from(column(premises.url(), rewards, id).await.len()).expect("few");
    Standing {
        points: balance("points"),
        stamps: balance("stamps") + GOAL * rewards,
        visits: member["visits"].as_i64().unwrap_or_default(),
    }
}
