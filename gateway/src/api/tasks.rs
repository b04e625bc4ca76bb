//! Tasks: what plugins and the gateway leave for the merchant to know or do.

use super::Desk;
use super::problem::{Code, Problem};
use super::visit::{Reply, Visit};
use axum::extract::State;
use serde_json::json;

/// The most that are listed.
const MOST: i64 = 200;

/// `GET /tasks?state=open`
pub(super) async fn list(State(desk): State<Desk>, visit: Visit) -> Result<Reply, Problem> {
    let state = visit.query("state").unwrap_or_else(|| "open".to_owned());
    if !matches!(state.as_str(), "open" | "closed") {
        return Err(Problem::bad("`state` is `open` or `closed`"));
    }
    let tasks = desk.store.tasks(visit.merchant(), &state, MOST).await?;
    Ok(Reply(200, json!({"tasks": tasks})))
}

/// `POST /tasks/{id}/close`
pub(super) async fn close(State(desk): State<Desk>, visit: Visit) -> Result<Reply, Problem> {
    let id = visit.param("id");
    if !desk.store.close_task(visit.merchant(), id, desk.clock.now(), &visit.actor).await? {
        return Err(Problem::of(Code::UnknownTask));
    }
    Ok(Reply(200, json!({"task": id, "state": "closed"})))
}
