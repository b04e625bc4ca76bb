//! A shop's platform: signs by the gateway's own connectors (whose signatures are held to the platforms' published vectors
//! elsewhere) and posts over real HTTP.

use crate::gateway::{Address, TestGateway};
use crate::sales::{self, Sale};
use perkgate_domain::ids::ArrivalId;
use perkgate_domain::programme::Source;
use perkgate_domain::time::Moment;
use perkgate_gateway::clock::{Clock as _, ManualClock};
use perkgate_gateway::connectors::{self, Connector};
use perkgate_gateway::outbound::{Answer, Outbound, Private};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Headers of a request.
pub(crate) type Headers = Vec<(String, String)>;

/// What the door answered.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The JSON document; null if there is none.
    pub body: serde_json::Value,
    /// The header `Retry-After`.
    pub retry_after: Option<String>,
}

impl Reply {
    pub(crate) fn of(answer: Answer) -> Self {
        let body = serde_json::from_slice(&answer.body).unwrap_or_default();
        Self { status: answer.status, body, retry_after: answer.retry_after }
    }
    /// `accepted`, `duplicate`, `ignored`, `rejected` or `unavailable`.
    #[must_use]
    pub fn word(&self) -> &str {
        self.body["status"].as_str().unwrap_or_default()
    }
    /// The machine-readable cause of a rejection.
    #[must_use]
    pub fn cause(&self) -> &str {
        self.body["cause"].as_str().unwrap_or_default()
    }
    /// Under which number it is journalled.
    #[must_use]
    pub fn arrival(&self) -> ArrivalId {
        ArrivalId(self.body["entry"].as_i64().unwrap_or_else(|| panic!("it is not journalled: {self:?}")))
    }
    /// Asserts what the door said.
    #[track_caller]
    #[expect(clippy::return_self_not_must_use, reason = "mostly there is nothing more to ask about it")]
    pub fn is(self, status: u16, word: &str) -> Self {
        assert_eq!((self.status, self.word()), (status, word), "{}", self.body);
        self
    }
}

/// One source of the merchant, seen from the other side.
#[derive(Debug)]
pub struct FakeShop {
    source: Source,
    address: Address,
    clock: Arc<ManualClock>,
    outbound: Outbound,
    sent: Arc<AtomicU64>,
}

impl FakeShop {
    /// The platform behind this source of the merchant file.
    pub fn at(gateway: &TestGateway, source: &str) -> Self {
        Self {
            source: gateway.source(source),
            address: gateway.address(),
            clock: Arc::clone(gateway.clock()),
            outbound: Outbound::new(Private::everything(), Duration::from_secs(30)).expect("an HTTP client"),
            sent: gateway.counter(),
        }
    }

    fn connector(&self) -> &'static dyn Connector {
        connectors::find(&self.source.platform).expect("a connector")
    }
    /// Where its webhooks go.
    pub fn url(&self) -> String {
        format!("{}/in/kavarna/{}", self.address.base(), self.source.id)
    }
    /// Another id for each delivery.
    fn delivery(&self) -> String {
        format!("{}-{}", self.source.id, self.sent.fetch_add(1, Ordering::SeqCst))
    }

    /// The platform's purchase webhook, which the door takes.
    pub async fn sells(&self, sale: &Sale) -> Reply {
        self.tells(None, self.body(sale)).await.is(200, "accepted")
    }
    /// Gives back pieces of lines (index of the line, pieces), which the door takes.
    pub async fn refunds(&self, id: u64, sale: &Sale, parts: &[(usize, i64)]) -> Reply {
        let (topic, body) = match self.source.platform.as_str() {
            "shopify" => (Some("refunds/create"), sales::shopify_refund(id, sale, parts)),
            "standard-webhooks" => (None, sales::standard_refund(id, sale, parts)),
            other => panic!("no refunds of {other} in these stories"),
        };
        self.tells(topic, body).await.is(200, "accepted")
    }
    /// Cancels a paid order: everything goes back. Shopify only.
    pub async fn cancels(&self, sale: &Sale) -> Reply {
        self.tells(Some("orders/cancelled"), sales::shopify_cancelled(sale)).await.is(200, "accepted")
    }
    /// The body of the purchase webhook.
    pub fn body(&self, sale: &Sale) -> Vec<u8> {
        match self.source.platform.as_str() {
            "shopify" => sales::shopify(sale),
            "square" => sales::square(sale),
            "stripe" => sales::stripe(sale),
            "standard-webhooks" => sales::standard(sale),
            other => panic!("no sales of {other} in these stories"),
        }
    }

    /// A signed webhook under a delivery id of its own.
    pub async fn tells(&self, topic: Option<&str>, body: Vec<u8>) -> Reply {
        self.delivers(topic, &self.delivery(), body).await
    }
    /// A signed webhook under this delivery id.
    pub async fn delivers(&self, topic: Option<&str>, delivery: &str, body: Vec<u8>) -> Reply {
        self.posts(&self.signs(topic, delivery, &body), body).await
    }
    /// The headers of a webhook, signed now.
    pub fn signs(&self, topic: Option<&str>, delivery: &str, body: &[u8]) -> Headers {
        self.signs_at(self.clock.now(), topic, delivery, body)
    }
    /// The headers of a webhook, signed at another time.
    pub fn signs_at(&self, at: Moment, topic: Option<&str>, delivery: &str, body: &[u8]) -> Headers {
        self.connector().sign(body, topic, delivery, &self.source, at).expect("a signature")
    }
    /// Posts to the source whatever it is given.
    pub async fn posts(&self, headers: &[(String, String)], body: Vec<u8>) -> Reply {
        self.posts_to(&self.url(), headers, body).await
    }
    /// Posts anywhere.
    pub async fn posts_to(&self, url: &str, headers: &[(String, String)], body: Vec<u8>) -> Reply {
        Reply::of(self.outbound.post(url, headers, body, 1 << 20).await.expect("an answer"))
    }
    /// GETs the source's address, or another path of the door.
    pub async fn gets(&self, path: &str) -> (u16, String) {
        let url = format!("{}{path}", self.address.base());
        let answer = self.outbound.get(&url, &[], 1 << 20).await.expect("an answer");
        (answer.status, String::from_utf8_lossy(&answer.body).into_owned())
    }

    /// Writes a request by hand: its head, then `chunk` so many times or until the gateway has heard enough. Answers the status.
    pub async fn writes(&self, headers: &[(&str, String)], chunk: &[u8], times: usize) -> u16 {
        let base = self.address.base();
        let host = base.trim_start_matches("http://");
        let mut head = format!("POST /in/kavarna/{} HTTP/1.1\r\nhost: {host}\r\n", self.source.id);
        for (name, value) in headers {
            head = format!("{head}{name}: {value}\r\n");
        }
        head.push_str("\r\n");
        let stream = TcpStream::connect(host).await.expect("a connection");
        let (mut from, mut to) = stream.into_split();
        to.write_all(head.as_bytes()).await.expect("the head is taken");
        let chunk = chunk.to_vec();
        // Beside the answer: the gateway may answer and hang up while there is more to say.
        let writing = tokio::spawn(async move {
            for _ in 0..times {
                if to.write_all(&chunk).await.is_err() {
                    return;
                }
            }
            // Held open until the answer is read.
            std::future::pending::<()>().await;
        });
        let mut answer = vec![0; 64];
        let read = tokio::time::timeout(Duration::from_secs(30), from.read(&mut answer)).await;
        writing.abort();
        let read = read.expect("an answer in time").expect("an answer");
        let line = String::from_utf8_lossy(&answer[..read]).into_owned();
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        status.unwrap_or_else(|| panic!("no status in `{line}`"))
    }
}
