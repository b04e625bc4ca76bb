//! The management API: members, rewards and tasks for whoever has a token, by JSON over HTTP; and the page on which members answer
//! questions. What changes anything is an errand: journalled first, done by the gateway's loops, and told when it is done.
//!
//! `openapi.json` beside this file describes it; the routes below and that document are held to each other by a test.

mod audit;
mod claims;
mod members;
mod openapi;
mod page;
mod problem;
mod questions;
mod rewards;
mod tasks;
mod views;
mod visit;

pub use claims::Guesses;
pub use views::{export as export_document, member as member_document};

use crate::clock::Clock;
use crate::journal::Journal;
use crate::registry::Registry;
use crate::store::Store;
use crate::tokens::Tokens;
use crate::vault::Vault;
use axum::Router;
use axum::routing::{MethodRouter, delete, get, patch, post};
use problem::{Code, Problem};
use std::sync::Arc;

/// What the API works with.
#[derive(Clone)]
pub struct Desk {
    /// For look-ups.
    pub store: Arc<dyn Store>,
    /// Whose programmes there are.
    pub registry: Arc<Registry>,
    /// Finds members by their keys, and opens what an export tells.
    pub vault: Arc<Vault>,
    /// Where errands go.
    pub journal: Journal,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Whom to believe.
    pub tokens: Arc<Tokens>,
    /// Whose receipts did not fit lately.
    pub guesses: Arc<Guesses>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("tokens", &self.tokens).finish_non_exhaustive()
    }
}

macro_rules! table {
    ($($method:ident $path:literal => $handler:path,)*) => {
        /// Every route that needs a token: method, path, handler.
        fn table() -> Vec<(&'static str, &'static str, MethodRouter<Desk>)> {
            vec![$((stringify!($method), concat!("/v1/merchants/{merchant}", $path), $method($handler)),)*]
        }
    };
}

table! {
    post "/members" => members::join,
    post "/members/lookup" => members::look_up,
    get "/members/{key}" => members::show,
    patch "/members/{key}" => members::update,
    delete "/members/{key}" => members::forget,
    get "/members/{key}/export" => members::export,
    post "/members/{key}/merge" => members::merge,
    post "/members/{key}/claims" => claims::claim,
    post "/members/{key}/redemptions" => rewards::redeem,
    delete "/members/{key}/redemptions/{reward}" => rewards::undo,
    post "/members/{key}/coupons" => rewards::issue,
    get "/rewards" => rewards::catalogue,
    get "/tasks" => tasks::list,
    post "/tasks/{id}/close" => tasks::close,
    get "/audit" => audit::list,
}

/// The routes of the management API and of the questions' page.
pub fn routes(desk: Desk) -> Router {
    let managed = table().into_iter().fold(Router::new(), |router, (_, path, handler)| router.route(path, handler));
    managed
        .route(openapi::PATH, get(openapi::document))
        .route("/v1/{*rest}", axum::routing::any(async || Problem::of(Code::UnknownPath)))
        .method_not_allowed_fallback(async || Problem::of(Code::WrongMethod))
        .route("/q/{merchant}/{question}", get(questions::ask).post(questions::answer))
        .with_state(desk)
}
