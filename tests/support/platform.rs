//! Square's API, as far as a webhook leaves something out: answers questions about orders.

use crate::loopback;
use crate::sales::{self, Sale};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response};
use axum::routing::get;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// The token that the API wants.
const TOKEN: &str = "sq0atp-kavarna";

#[derive(Debug, Default)]
struct Desk {
    orders: BTreeMap<String, Vec<u8>>,
    moods: VecDeque<u16>,
    asked: usize,
}

/// The API.
#[derive(Clone, Debug)]
pub struct FakePlatform {
    address: SocketAddr,
    desk: Arc<Mutex<Desk>>,
}

impl FakePlatform {
    /// Opens on loopback.
    pub async fn open() -> Self {
        let routes = |platform| Router::new().route("/v2/orders/{id}", get(answer)).with_state(platform);
        loopback::open(|address| Self { address, desk: Arc::default() }, routes).await
    }
    /// The line of a source that tells the gateway how to ask.
    pub fn api(&self) -> String {
        format!("api = {{ token = \"{TOKEN}\", base = \"http://{}\" }}\n", self.address)
    }
    /// Knows the order of this sale from now on.
    pub fn knows(&self, sale: &Sale) {
        self.desk().orders.insert(format!("order-{}", sale.id), sales::square_order(sale));
    }
    /// Answers the next questions with these statuses and nothing else.
    pub fn will_say(&self, statuses: &[u16]) {
        self.desk().moods.extend(statuses);
    }
    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.desk().asked
    }
    fn desk(&self) -> std::sync::MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn answer(State(platform): State<FakePlatform>, Path(id): Path<String>, headers: HeaderMap) -> Response<Body> {
    let mut desk = platform.desk();
    desk.asked += 1;
    let allowed =
        headers.get("authorization").is_some_and(|token| token.as_bytes() == format!("Bearer {TOKEN}").as_bytes());
    let (status, body) = match (desk.moods.pop_front(), desk.orders.get(&id)) {
        (Some(status), _) => (status, Vec::new()),
        _ if !allowed => (401, Vec::new()),
        (None, Some(order)) => (200, order.clone()),
        (None, None) => (404, Vec::new()),
    };
    Response::builder().status(status).body(Body::from(body)).expect("an answer")
}
