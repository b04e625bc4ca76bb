//! The catalogue: what there is, taking it, giving it back, giving it away.

use super::problem::{Code, Problem};
use super::visit::{Reply, Visit};
use super::{Desk, views};
use crate::errand::Errand;
use axum::extract::State;
use perkgate_domain::ids::RewardId;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    reward: String,
}

/// The key of a reward that is in the catalogue.
fn wish(visit: &Visit) -> Result<String, Problem> {
    let Wish { reward } = visit.document()?;
    let known = visit.programme.merchant.rules.rewards.contains_key(&reward);
    if known { Ok(reward) } else { Err(Problem::of(Code::UnknownReward)) }
}

/// `GET /rewards`
pub(super) async fn catalogue(visit: Visit) -> Reply {
    let rewards = &visit.programme.merchant.rules.rewards;
    let list: Vec<Value> = rewards.iter().map(|(key, reward)| views::reward(key, reward)).collect();
    Reply(200, json!({"rewards": list}))
}

/// `POST /members/{key}/redemptions`
pub(super) async fn redeem(State(desk): State<Desk>, visit: Visit) -> Result<Reply, Problem> {
    let reward = wish(&visit)?;
    let member = visit.member(&desk).await?;
    let outcome = visit.run(&desk, &Errand::Redeem { member, reward }).await?;
    Ok(Reply::of(201, &outcome))
}

/// `DELETE /members/{key}/redemptions/{reward}`
pub(super) async fn undo(State(desk): State<Desk>, visit: Visit) -> Result<Reply, Problem> {
    let member = visit.member(&desk).await?;
    let reward = RewardId::new(visit.param("reward"));
    let view = desk.store.member(visit.merchant(), &member).await?;
    if !view.is_some_and(|view| view.rewards.iter().any(|held| held.id == reward)) {
        return Err(Problem::saying(Code::UnknownReward, "the member has no such reward"));
    }
    let outcome = visit.run(&desk, &Errand::Undo { member, reward }).await?;
    Ok(Reply::of(200, &outcome))
}

/// `POST /members/{key}/coupons`
pub(super) async fn issue(State(desk): State<Desk>, visit: Visit) -> Result<Reply, Problem> {
    let reward = wish(&visit)?;
    let member = visit.member(&desk).await?;
    let outcome = visit.run(&desk, &Errand::Issue { member, reward }).await?;
    Ok(Reply::of(201, &outcome))
}
