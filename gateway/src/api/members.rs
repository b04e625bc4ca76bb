//! Members: who they are, what they have, and what becomes of them.

use super::problem::{Code, Problem};
use super::visit::{Reply, Visit};
use super::{Desk, views};
use crate::errand::{Errand, check_identity, check_newcomer};
use axum::extract::State;
use perkgate_domain::member::Identity;
use serde::Deserialize;
use serde_json::json;

/// What somebody says about a member.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    email: Option<String>,
    phone: Option<String>,
    card: Option<String>,
    name: Option<String>,
    locale: Option<String>,
    consent: Option<bool>,
    birthday: Option<String>,
    referrer: Option<String>,
}

impl Said {
    /// As the journal takes it.
    fn identity(self) -> Identity {
        Identity {
            email: self.email,
            phone: self.phone,
            card: self.card,
            name: self.name,
            locale: self.locale,
            consent: self.consent,
            birthday: self.birthday,
            referrer: self.referrer,
            ..Identity::default()
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Other {
    other: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    key: String,
}

/// `POST /members`
pub(super) async fn join(State(desk): State<Desk>, visit: Visit) -> Result<Reply, Problem> {
    let identity = visit.document::<Said>()?.identity();
    check_newcomer(&desk.vault, &visit.programme.merchant, &identity).map_err(Problem::bad)?;
    let outcome = visit.run(&desk, &Errand::Join { identity }).await?;
    Ok(Reply::of(201, &outcome))
}

/// `POST /members/lookup`: an address in a path would be in the log of every proxy on the way.
pub(super) async fn look_up(State(desk): State<Desk>, visit: Visit) -> Result<Reply, Problem> {
    let Known { key } = visit.document()?;
    let member = visit.look_up(&desk, &key).await?;
    Ok(Reply(200, json!({"member": member})))
}

/// `GET /members/{key}`
pub(super) async fn show(State(desk): State<Desk>, visit: Visit) -> Result<Reply, Problem> {
    let member = visit.member(&desk).await?;
    visit.looks(&desk, "member.read", &member).await?;
    let view = desk.store.member(visit.merchant(), &member).await?;
    let view = view.ok_or_else(|| Problem::of(Code::UnknownMember))?;
    Ok(Reply(200, views::member(&view)))
}

/// `PATCH /members/{key}`
pub(super) async fn update(State(desk): State<Desk>, visit: Visit) -> Result<Reply, Problem> {
    let identity = visit.document::<Said>()?.identity();
    check_identity(&desk.vault, &visit.programme.merchant, &identity).map_err(Problem::bad)?;
    if identity == Identity::default() {
        return Err(Problem::bad("the body says nothing new: name one field at least"));
    }
    let member = visit.member(&desk).await?;
    let outcome = visit.run(&desk, &Errand::Profile { member, identity }).await?;
    Ok(Reply::of(200, &outcome))
}

/// `DELETE /members/{key}`
pub(super) async fn forget(State(desk): State<Desk>, visit: Visit) -> Result<Reply, Problem> {
    let errand = match visit.member(&desk).await {
        Ok(member) => Errand::Forget { member },
        // Asked for again, the key names nobody any more.
        Err(problem) => {
            let before = visit.earlier(&desk, "forget").await?;
            return before.map(|outcome| Reply::of(200, &outcome)).ok_or(problem);
        }
    };
    let outcome = visit.run(&desk, &errand).await?;
    Ok(Reply::of(200, &outcome))
}

/// `GET /members/{key}/export`
pub(super) async fn export(State(desk): State<Desk>, visit: Visit) -> Result<Reply, Problem> {
    let member = visit.member(&desk).await?;
    visit.looks(&desk, "member.export", &member).await?;
    let found = desk.store.export(visit.merchant(), &member).await?;
    let found = found.ok_or_else(|| Problem::of(Code::UnknownMember))?;
    Ok(Reply(200, views::export(&desk.vault, visit.merchant(), &found)))
}

/// `POST /members/{key}/merge`
pub(super) async fn merge(State(desk): State<Desk>, visit: Visit) -> Result<Reply, Problem> {
    let Other { other } = visit.document()?;
    let member = visit.member(&desk).await?;
    let other = visit.look_up(&desk, &other).await?;
    if member == other {
        // Asked for again, they are one already.
        let before = visit.earlier(&desk, "merge").await?.filter(|outcome| outcome.member.as_ref() == Some(&member));
        if let Some(outcome) = before {
            return Ok(Reply::of(200, &outcome));
        }
        return Err(Problem::saying(Code::Refused, "both keys name one member already: there is nothing to merge"));
    }
    let outcome = visit.run(&desk, &Errand::Merge { member, other }).await?;
    Ok(Reply::of(200, &outcome))
}
