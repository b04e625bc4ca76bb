//! The merchant's audit log: who did what, and who looked at whom.

use super::Desk;
use super::problem::Problem;
use super::visit::{Reply, Visit};
use crate::store::AuditQuery;
use axum::extract::State;
use serde_json::json;

/// The most that are listed.
const MOST: i64 = 200;

/// `GET /audit?after=0`
pub(super) async fn list(State(desk): State<Desk>, visit: Visit) -> Result<Reply, Problem> {
    let after = visit.query("after").map_or(Ok(0), |after| after.parse::<i64>());
    let after = after.map_err(|_| Problem::bad("`after` is the `id` of the last line of the page before"))?;
    let query = AuditQuery { merchant: Some(visit.merchant().clone()), since: None, after, most: MOST };
    let lines = desk.store.audit(&query).await?;
    Ok(Reply(200, json!({"audit": lines})))
}
