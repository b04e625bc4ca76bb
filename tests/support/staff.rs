//! Whoever has a token, at the management API; and members at the page their link leads to. Requests are written by hand, so that
//! nothing but the gateway decides what they are.

use crate::gateway::{Address, TestGateway};
use crate::served::Served;
use perkgate_gateway::clock::Clock as _;
use perkgate_gateway::store::{Actor, Store, TokenRow};
use perkgate_gateway::tokens::{Access, Tokens};
use serde_json::Value;
use std::fmt::Write as _;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;

/// What was answered.
#[derive(Clone, Debug)]
pub struct Heard {
    /// The status.
    pub status: u16,
    /// Status line and headers.
    pub head: String,
    /// The body.
    pub text: String,
}

impl Heard {
    /// The JSON document; null if there is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
    /// The value of a header, if it is there.
    pub fn header(&self, name: &str) -> Option<&str> {
        let fits = |line: &&str| line.split_once(':').is_some_and(|(header, _)| header.eq_ignore_ascii_case(name));
        self.head.lines().find(fits)?.split_once(':').map(|(_, value)| value.trim())
    }
    /// The code of a problem.
    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
    /// What a problem says.
    pub fn message(&self) -> String {
        self.json()["error"]["message"].as_str().unwrap_or_default().to_owned()
    }
    /// The document, if the status is this one.
    #[track_caller]
    pub fn is(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }
    /// Asserts what the problem is.
    #[track_caller]
    pub fn is_problem(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code().as_str()), (status, code), "{}", self.text);
        assert!(self.message().len() > 10, "{}", self.text);
    }
}

/// Somebody at the API, with a token or without.
#[derive(Clone, Debug)]
pub struct Staff {
    address: Address,
    token: Option<String>,
    listed: Option<Listed>,
}

/// A token that is put into the gateway's list before it is shown for the first time.
#[derive(Clone)]
struct Listed {
    store: Arc<dyn Store>,
    row: TokenRow,
    done: Arc<OnceCell<()>>,
}

impl std::fmt::Debug for Listed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listed").field("row", &self.row).finish_non_exhaustive()
    }
}

impl Staff {
    /// Of a gateway, with a token made there a moment ago.
    pub fn of(gateway: &TestGateway, access: &Access) -> Self {
        let (now, by) = (gateway.clock().now(), Actor::command("anna@till"));
        let issued = Tokens::new(&gateway.gateway().vault).issue(access, None, now, 30, &by).expect("a token");
        let listed = Listed { store: Arc::clone(&gateway.gateway().store), row: issued.row, done: Arc::default() };
        Self { listed: Some(listed), ..Self::with(gateway, Some(issued.token)) }
    }
    /// The id of the token.
    pub fn token_id(&self) -> String {
        self.listed.as_ref().expect("a token of the tests").row.id.clone()
    }
    /// The merchant's own.
    pub fn at(gateway: &TestGateway) -> Self {
        Self::of(gateway, &Access::Merchant(gateway.merchant()))
    }
    /// With this token.
    pub fn with(gateway: &TestGateway, token: Option<String>) -> Self {
        Self { address: gateway.address(), token, listed: None }
    }
    /// At a gateway that is a process.
    pub fn at_served(served: &Served, token: &str) -> Self {
        Self { address: served.address(), token: Some(token.to_owned()), listed: None }
    }

    /// Asks for something of the merchant: `/members/email:…`.
    pub async fn asks(&self, path: &str) -> Heard {
        self.sends("GET", &format!("/v1/merchants/kavarna{path}"), &[], "").await
    }
    /// Has something done, under this key.
    pub async fn does(&self, method: &str, path: &str, key: &str, body: Value) -> Heard {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.sends(method, &format!("/v1/merchants/kavarna{path}"), &[("idempotency-key", key)], &body).await
    }
    /// Any request.
    pub async fn sends(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Heard {
        if let Some(Listed { store, row, done }) = &self.listed {
            let listing = async || store.create_token(row, &Actor::command("anna@till")).await.expect("it is listed");
            done.get_or_init(listing).await;
        }
        let bearer = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let token = bearer.as_deref().map(|bearer| ("authorization", bearer));
        let headers: Vec<(&str, &str)> = headers.iter().copied().chain(token).collect();
        request(&self.address, method, path, &headers, body).await
    }
}

/// A member who follows the link they were sent: looks, or answers with a form.
pub async fn follows(gateway: &TestGateway, path: &str, form: Option<&str>) -> Heard {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let method = if form.is_some() { "POST" } else { "GET" };
    request(&gateway.address(), method, path, &headers, form.unwrap_or_default()).await
}

async fn request(address: &Address, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Heard {
    let base = address.base();
    let host = base.trim_start_matches("http://");
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for (name, value) in headers {
        write!(request, "{name}: {value}\r\n").expect("a text");
    }
    if method != "GET" {
        write!(request, "content-length: {}\r\n", body.len()).expect("a text");
    }
    write!(request, "\r\n{body}").expect("a text");
    let mut stream = TcpStream::connect(host).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("the request is taken");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an answer");
    let answer = String::from_utf8(answer).expect("text");
    let (head, text) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Heard { status, head: head.to_owned(), text: text.to_owned() }
}
