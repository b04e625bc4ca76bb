//! One request to the management API, as far as every route reads it alike: who asks, about whom, under which key, with which body.

use super::Desk;
use super::problem::{Code, Problem, json_response};
use crate::errand::{self, Errand, Outcome};
use crate::identity::{self, Lookup};
use crate::store::{Actor, Note};
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts as _, RawPathParams};
use axum::http::{HeaderMap, Method, Request, Response, header};
use axum::response::IntoResponse;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use perkgate_domain::ids::{MemberId, MerchantId};
use perkgate_domain::limits::REQUEST_BYTES;
use perkgate_domain::programme::Programme;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long a sender may take to send a body.
const BODY_TIME: Duration = Duration::from_secs(10);
/// The header that tells a repetition from another request.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// A request by somebody who may make it.
pub(super) struct Visit {
    /// Of the merchant in the path.
    pub(super) programme: Arc<Programme>,
    /// Who makes it.
    pub(super) actor: Actor,
    params: BTreeMap<String, String>,
    query: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl FromRequest<Desk> for Visit {
    type Rejection = Problem;

    async fn from_request(request: Request<Body>, desk: &Desk) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let params = RawPathParams::from_request_parts(&mut parts, desk)
            .await
            .map_err(|_| Problem::bad("the path is not UTF-8 text once it is decoded"))?;
        let params: BTreeMap<String, String> =
            params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let merchant = MerchantId::new(params.get("merchant").map_or("", String::as_str));
        let caller = desk.tokens.check(desk.store.as_ref(), bearer(&parts.headers)?, desk.clock.now()).await?;
        if !caller.access.manages(&merchant) {
            return Err(Problem::of(Code::Forbidden));
        }
        let snapshot = desk.registry.snapshot();
        let programme = snapshot.programme(&merchant).cloned().ok_or_else(|| {
            let code = if snapshot.leaves_out(&merchant) { Code::Busy } else { Code::UnknownMerchant };
            Problem::of(code)
        })?;
        let reads = matches!(parts.method, Method::GET | Method::HEAD | Method::DELETE);
        let body = if reads { Vec::new() } else { read(body).await? };
        let query = parts.uri.query().unwrap_or_default().to_owned();
        Ok(Self { programme, actor: Actor::token(&caller.id), params, query, headers: parts.headers, body })
    }
}

impl Visit {
    /// Whose programme it is about.
    pub(super) fn merchant(&self) -> &MerchantId {
        &self.programme.merchant.id
    }

    /// A part of the path, decoded.
    pub(super) fn param(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }

    /// A parameter of the query, decoded; the first of its name.
    pub(super) fn query(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The JSON document in the body.
    pub(super) fn document<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        // The sender is told what it sent; nobody else is.
        serde_json::from_slice(&self.body)
            .map_err(|error| Problem::bad(format!("the body is not the JSON document that this path takes: {error}")))
    }

    /// The member that the path's `key` names.
    pub(super) async fn member(&self, desk: &Desk) -> Result<MemberId, Problem> {
        self.look_up(desk, self.param("key")).await
    }

    /// The member that a key names, as on the command line (`email:…`).
    pub(super) async fn look_up(&self, desk: &Desk, key: &str) -> Result<MemberId, Problem> {
        let sources = self.programme.sources.keys();
        let lookup = identity::parse_key(&desk.vault, &self.programme.merchant, sources, key).map_err(Problem::bad)?;
        let found = match lookup {
            // Who became one with somebody is that somebody. Keys went over with them.
            Lookup::Member(member) => {
                let view = desk.store.member(self.merchant(), &member).await?;
                view.map(|view| view.member.merged_into.unwrap_or(view.member.id))
            }
            Lookup::Keys(keys) => desk.store.find_member(self.merchant(), &keys).await?,
        };
        found.ok_or_else(|| Problem::of(Code::UnknownMember))
    }

    /// Writes down that somebody looks at what is kept about a member, before they see it.
    pub(super) async fn looks(&self, desk: &Desk, act: &str, member: &MemberId) -> Result<(), Problem> {
        let note = Note::new(Some(self.merchant()), &self.actor, act, desk.clock.now()).about(member);
        Ok(desk.store.note(&[note]).await?)
    }

    /// Runs an errand under the request's key. One that the rules refuse is a problem.
    pub(super) async fn run(&self, desk: &Desk, errand: &Errand) -> Result<Outcome, Problem> {
        let key = self.key()?;
        let now = desk.clock.now();
        let outcome =
            errand::run(desk.store.as_ref(), &desk.journal, self.merchant(), key, errand, &self.actor, now).await?;
        match outcome.refused(errand) {
            None => Ok(outcome),
            Some(why) => Err(Problem::saying(Code::Refused, why)),
        }
    }

    /// What became of an errand of this name that was asked for under the request's key before.
    pub(super) async fn earlier(&self, desk: &Desk, errand: &str) -> Result<Option<Outcome>, Problem> {
        let dedupe = format!("{errand}/{}", self.key()?);
        let Some(arrival) = desk.store.errand(self.merchant(), &dedupe).await? else { return Ok(None) };
        Ok(errand::outcome(desk.store.as_ref(), self.merchant(), arrival).await?)
    }

    /// The idempotency key. What it must look like, the errand says.
    fn key(&self) -> Result<&str, Problem> {
        let mut keys = self.headers.get_all(IDEMPOTENCY_KEY).iter();
        let (Some(key), None) = (keys.next(), keys.next()) else {
            return Err(Problem::bad(
                "send the header Idempotency-Key, once: 1 to 200 visible ASCII characters that you draw anew for each \
                 thing to be done, and send again when you repeat a request",
            ));
        };
        key.to_str().map_err(|_| Problem::bad("the header Idempotency-Key has visible ASCII characters only"))
    }
}

/// The token of the request.
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (given.next(), given.next()) else { return Err(Problem::of(Code::Unauthorised)) };
    let (scheme, token) =
        value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(|| Problem::of(Code::Unauthorised))?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(Problem::of(Code::Unauthorised)) }
}

/// A body under the cap, within the time.
pub(super) async fn read(body: Body) -> Result<Vec<u8>, Problem> {
    let reading = Limited::new(body, REQUEST_BYTES).collect();
    match tokio::time::timeout(BODY_TIME, reading).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes().to_vec()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Problem::saying(Code::TooLarge, format!("the body has more than {REQUEST_BYTES} bytes")))
        }
        Ok(Err(_)) => Err(Problem::bad("the body ended before its length was reached")),
        Err(_) => Err(Problem::bad(format!("the body did not arrive within {} s", BODY_TIME.as_secs()))),
    }
}

/// A JSON document with its status.
pub(super) struct Reply(pub(super) u16, pub(super) Value);

impl Reply {
    /// What an errand came to.
    pub(super) fn of(status: u16, outcome: &Outcome) -> Self {
        // An outcome always serialises: its maps have texts for keys.
        Self(status, serde_json::to_value(outcome).unwrap_or_default())
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response<Body> {
        json_response(self.0, &self.1)
    }
}
