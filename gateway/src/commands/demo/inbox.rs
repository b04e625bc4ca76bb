//! Where the demo's messages arrive: a small real web server that checks the signature of what it gets.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::sync::{Arc, Mutex, PoisonError};

/// The demo channel's secret, decoded; its text stands in `merchant.toml`.
const SECRET: &[u8] = b"demo-secret-for-the-inbox-001";

/// One message as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Mail {
    pub(super) to: String,
    pub(super) subject: String,
    pub(super) text: String,
}

pub(super) struct Inbox {
    pub(super) address: String,
    got: Arc<Mutex<Vec<Mail>>>,
}

impl Inbox {
    pub(super) async fn open() -> anyhow::Result<Self> {
        let got = Arc::new(Mutex::new(Vec::new()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        let routes = Router::new().route("/messages", post(take)).with_state(Arc::clone(&got));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { address, got })
    }

    pub(super) fn mails(&self) -> Vec<Mail> {
        self.got.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn take(State(got): State<Arc<Mutex<Vec<Mail>>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(SECRET) else { return StatusCode::INTERNAL_SERVER_ERROR };
    mac.update(format!("{}.{}.", header("webhook-id"), header("webhook-timestamp")).as_bytes());
    mac.update(&body);
    let sent =
        header("webhook-signature").strip_prefix("v1,").and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
    if mac.verify_slice(&sent).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    let Ok(document) = serde_json::from_slice::<serde_json::Value>(&body) else { return StatusCode::BAD_REQUEST };
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let data = &document["data"];
    let mail = Mail { to: text(&data["to"]["email"]), subject: text(&data["subject"]), text: text(&data["text"]) };
    got.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
    StatusCode::NO_CONTENT
}
