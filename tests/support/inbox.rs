//! A merchant's webhook receiver: a real web server that checks every message with the official Standard Webhooks library.

use crate::loopback;
use crate::programme::CHANNEL_SECRET;
use crate::wait::until;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use axum::routing::post;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// What the receiver says to one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// This status.
    Status(u16),
    /// 503 and `Retry-After` in seconds.
    Busy(u32),
    /// Nothing, for ever.
    Nothing,
}

/// A message as it came.
#[derive(Clone, Debug)]
pub struct Got {
    /// `webhook-id`: equal over attempts.
    pub id: String,
    /// The JSON document.
    pub body: serde_json::Value,
    /// Whether the official library finds the signature right, and made just now.
    pub verified: bool,
}

#[derive(Debug, Default)]
struct Room {
    got: Vec<Got>,
    answers: VecDeque<Says>,
}

/// The receiver. Says 200 unless it is told otherwise.
#[derive(Clone, Debug)]
pub struct FakeInbox {
    address: SocketAddr,
    room: Arc<Mutex<Room>>,
}

impl FakeInbox {
    /// Opens on loopback.
    pub async fn open() -> Self {
        let routes = |inbox| Router::new().route("/messages", post(take)).with_state(inbox);
        loopback::open(|address| Self { address, room: Arc::default() }, routes).await
    }
    /// Where messages go.
    pub fn url(&self) -> String {
        format!("http://{}/messages", self.address)
    }
    /// The next messages are answered so.
    pub fn will_say(&self, answers: &[Says]) {
        self.room().answers.extend(answers);
    }
    /// What came so far.
    pub fn got(&self) -> Vec<Got> {
        self.room().got.clone()
    }
    /// Waits for this many messages.
    pub async fn gets(&self, count: usize) -> Vec<Got> {
        until("the messages are there", async || Some(self.got()).filter(|got| got.len() >= count)).await
    }
    fn room(&self) -> std::sync::MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn take(State(inbox): State<FakeInbox>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let says = {
        let mut room = inbox.room();
        let verified =
            standardwebhooks::Webhook::new(CHANNEL_SECRET).expect("a secret").verify(&body, &headers).is_ok();
        let id = headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
        room.got.push(Got { id, body: serde_json::from_slice(&body).unwrap_or_default(), verified });
        room.answers.pop_front().unwrap_or(Says::Status(200))
    };
    let answer = Response::builder();
    let answer = match says {
        Says::Status(status) => answer.status(status),
        Says::Busy(seconds) => answer.status(503).header("retry-after", seconds),
        Says::Nothing => std::future::pending().await,
    };
    answer.body(Body::empty()).expect("an answer")
}
