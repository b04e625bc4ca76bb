//! The door's answers, in one table: status, and a JSON document that says what became of the request.

use crate::connectors::{Cause, Rejected};
use crate::journal::Appended;
use axum::body::Body;
use axum::http::{Response, StatusCode, header};
use serde_json::{Value, json};

/// Everything the door can say.
pub(super) enum Answer {
    /// 200.
    Journalled(Appended),
    /// 200 if nothing follows from it, else 400, 401 or 413; a paused source is 503.
    Rejected(Rejected),
    /// 404.
    UnknownSource,
    /// 503 with `Retry-After`.
    OurFault,
}

impl Answer {
    /// The `status` of the JSON document.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Journalled(Appended::Accepted(_)) => "accepted",
            Self::Journalled(Appended::Duplicate(_) | Appended::Conflict(_)) => "duplicate",
            Self::Rejected(Rejected { cause: Cause::UnknownTopic, .. }) => "ignored",
            Self::Rejected(_) | Self::UnknownSource => "rejected",
            Self::OurFault => "unavailable",
        }
    }

    fn status(&self) -> u16 {
        match self {
            Self::Journalled(_) => 200,
            Self::Rejected(rejected) => match rejected.cause {
                Cause::UnknownTopic => 200,
                Cause::BadSignature | Cause::Stale => 401,
                Cause::Unreadable => 400,
                Cause::TooLarge => 413,
                Cause::Paused => 503,
            },
            Self::UnknownSource => 404,
            Self::OurFault => 503,
        }
    }

    fn document(&self) -> Value {
        let status = self.word();
        match self {
            Self::Journalled(Appended::Accepted(entry) | Appended::Duplicate(entry)) => {
                json!({"status": status, "entry": entry})
            }
            Self::Journalled(Appended::Conflict(entry)) => {
                json!({"status": status, "entry": entry, "detail": "other bytes came under this delivery id before; these are kept and not acted on"})
            }
            Self::Rejected(Rejected { cause, detail }) => {
                json!({"status": status, "entry": null, "cause": cause.as_str(), "detail": detail})
            }
            Self::UnknownSource => json!({"status": status, "detail": "there is no such merchant or source"}),
            Self::OurFault => json!({"status": status, "detail": "nothing is wrong with the request; send it again"}),
        }
    }

    /// As an HTTP response.
    pub(super) fn respond(&self) -> Response<Body> {
        let status = self.status();
        let mut response = Self::response(status, "application/json", self.document().to_string());
        if status == 503 {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("5"));
        }
        response
    }

    /// Plain text, for probes and handshakes.
    pub(super) fn text(status: u16, text: &str) -> Response<Body> {
        Self::response(status, "text/plain; charset=utf-8", text.to_owned())
    }

    fn response(status: u16, content_type: &'static str, body: String) -> Response<Body> {
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
        response
    }
}
