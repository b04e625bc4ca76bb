//! What can be wrong with a request, in one table: a code for programs, a status for HTTP, a sentence for people.

use crate::errand::ErrandError;
use crate::store::StoreError;
use crate::tokens::CheckError;
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde_json::json;

/// After so many seconds it may go better.
const RETRY_AFTER: &str = "2";

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident $status:literal $name:literal $sentence:literal,)*) => {
        /// The kinds of problem.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Code { $($(#[$doc])* $code,)* }

        impl Code {
            /// Status, code and sentence.
            fn row(self) -> (u16, &'static str, &'static str) {
                match self { $(Self::$code => ($status, $name, $sentence),)* }
            }
            /// Every code's row, for the description of the API.
            #[cfg(test)]
            pub(super) fn rows() -> Vec<(u16, &'static str, &'static str)> {
                vec![$(Self::$code.row(),)*]
            }
        }
    };
}

codes! {
    /// The request is not as documented.
    BadRequest 400 "bad_request" "the request is not as documented in /v1/openapi.json",
    /// No token, or none that is believed.
    Unauthorised 401 "unauthorised" "send `Authorization: Bearer TOKEN`; `perkgate token create` makes a token",
    /// A token for somebody else.
    Forbidden 403 "forbidden" "the token does not speak for this merchant",
    /// No such merchant. Told to operators only.
    UnknownMerchant 404 "unknown_merchant" "there is no such merchant; `perkgate apply FILE` puts one there",
    /// No such member.
    UnknownMember 404 "unknown_member" "the merchant knows no member by this key",
    /// Not in the catalogue.
    UnknownReward 404 "unknown_reward" "there is no such reward",
    /// No such task.
    UnknownTask 404 "unknown_task" "there is no such open task",
    /// No such route.
    UnknownPath 404 "unknown_path" "there is nothing at this path; /v1/openapi.json says what there is",
    /// Another method.
    WrongMethod 405 "wrong_method" "this path is not asked by this method; /v1/openapi.json says by which",
    /// The programme's rules say no.
    Refused 409 "refused" "the programme's rules do not allow it",
    /// The idempotency key was used for something else.
    KeyReused 409 "key_reused" "this Idempotency-Key was used for something else before: take a new one",
    /// The purchase is somebody's.
    AlreadyClaimed 409 "already_claimed" "the purchase belongs to a member already",
    /// The body is larger than anything sensible.
    TooLarge 413 "too_large" "the body is too large",
    /// Our fault, or not done yet.
    Busy 503 "busy" "it could not be done in time: send the same request, with the same Idempotency-Key, again",
}

/// A request that does not get what it asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) code: Code,
    /// More than the table knows.
    detail: Option<String>,
}

impl Problem {
    /// As the table has it.
    pub(super) fn of(code: Code) -> Self {
        Self { code, detail: None }
    }
    /// With a sentence of its own.
    pub(super) fn saying(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: Some(detail.into()) }
    }
    /// The request is not as documented, in this way.
    pub(super) fn bad(detail: impl Into<String>) -> Self {
        Self::saying(Code::BadRequest, detail)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        // Whoever works with the database says it once, and aloud.
        tracing::debug!("a request is answered 503: {error}");
        Self::of(Code::Busy)
    }
}

impl From<CheckError> for Problem {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Token(why) => Self::saying(Code::Unauthorised, why.to_string()),
            CheckError::Store(error) => error.into(),
        }
    }
}

impl From<ErrandError> for Problem {
    fn from(error: ErrandError) -> Self {
        match error {
            ErrandError::Wrong(why) => Self::bad(why),
            ErrandError::Reused => Self::of(Code::KeyReused),
            ErrandError::Store(error) => error.into(),
            ErrandError::Parked(_) => {
                tracing::error!("an errand is not done: {error}");
                Self::of(Code::Busy)
            }
            ErrandError::Journal(_) | ErrandError::Slow => {
                tracing::debug!("an errand is answered 503: {error}");
                Self::of(Code::Busy)
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let (status, code, sentence) = self.code.row();
        let message = self.detail.as_deref().unwrap_or(sentence);
        let mut response = json_response(status, &json!({"error": {"code": code, "message": message}}));
        match self.code {
            Code::Busy => {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
            }
            Code::Unauthorised => {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response
    }
}

/// A JSON document that nobody keeps: it may tell about somebody.
pub(super) fn json_response(status: u16, document: &serde_json::Value) -> Response<Body> {
    let mut response = Response::new(Body::from(document.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
