//! Two processes on one database share the work, and whoever leaves hands over what it had.

use super::aftermath;
use perkgate_tests::programme::{CARD, OWN, POINTS};
use perkgate_tests::{Load, Premises, Served, postgres_or_skip};
use std::time::{Duration, Instant};

/// Beyond what it takes in a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// What each of them is to settle before the story goes on.
const SHARE: u64 = 40;

/// Waits until every gateway has settled its share.
async fn all_worked(gateways: &[Served]) {
    let started = Instant::now();
    for gateway in gateways {
        while gateway.settled().await < SHARE {
            assert!(started.elapsed() < PATIENCE, "one of them does nothing");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn shared(premises: &Premises) {
    let mut gateways = vec![premises.serve().await, premises.serve().await];
    let load = Load::start(&gateways, 7, 6, Duration::from_millis(2));
    all_worked(&gateways).await;
    // One is told to stop in the middle of it, and comes back.
    gateways[0].stop().await;
    gateways[0].spawn();
    gateways[0].ready().await;
    all_worked(&gateways).await;
    aftermath::all_is_well(premises, gateways, &load.finish().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_share_one_postgresql_database() {
    let Some(postgres) = postgres_or_skip("two_processes_share_one_postgresql_database").await else { return };
    shared(&Premises::on(Some(postgres.fresh_database().await), &[OWN, POINTS, CARD])).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_share_one_sqlite_file() {
    shared(&Premises::on(None, &[OWN, POINTS, CARD])).await;
}
