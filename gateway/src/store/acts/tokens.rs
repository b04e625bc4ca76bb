//! The tokens that were made, and whether they were taken back.

use super::{audit, rows::moment};
use crate::store::engine::{Engine, Row};
use crate::store::{Actor, Note, StoreError, TokenRow};
use perkgate_domain::ids::MerchantId;
use perkgate_domain::time::Moment;
use serde_json::json;

/// A token's line in the audit log. Its name is its maker's own word and stays out.
fn line(token: &TokenRow, actor: &Actor, act: &str, at: Moment) -> Note {
    let said = json!({"token": token.id, "role": token.role, "partner": token.partner, "expires_at": token.expires_at});
    Note::new(token.merchant.as_ref(), actor, act, at).now(said)
}

pub(in crate::store) async fn create(engine: &Engine, token: &TokenRow, actor: &Actor) -> Result<(), StoreError> {
    let mut tx = engine.write().await?;
    tx.run(
        "insert into tokens (token_id, role, merchant_id, partner_id, name, generation, created_at, created_by, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            (&token.id).into(),
            (&token.role).into(),
            token.merchant.as_ref().into(),
            token.partner.as_ref().into(),
            token.name.as_ref().into(),
            i64::from(token.generation).into(),
            token.created_at.into(),
            (&token.created_by).into(),
            token.expires_at.into(),
        ],
        &[],
    )
    .await?;
    audit::write(&mut tx, std::iter::once((&line(token, actor, "token.create", token.created_at), None))).await?;
    tx.commit().await
}

/// Takes one back. Answers whether there was one that was not taken back yet.
pub(in crate::store) async fn revoke(
    engine: &Engine,
    id: &str,
    now: Moment,
    actor: &Actor,
) -> Result<bool, StoreError> {
    let mut tx = engine.write().await?;
    let revoked = tx
        .row(
            "update tokens set revoked_at = $2, revoked_by = $3 where token_id = $1 and revoked_at is null returning *",
            &[id.into(), now.into(), actor.to_string().into()],
        )
        .await?;
    if let Some(row) = &revoked {
        audit::write(&mut tx, std::iter::once((&line(&view(row)?, actor, "token.revoke", now), None))).await?;
    }
    tx.commit().await?;
    Ok(revoked.is_some())
}

pub(in crate::store) async fn one(engine: &Engine, id: &str) -> Result<Option<TokenRow>, StoreError> {
    engine.row("select * from tokens where token_id = $1", &[id.into()]).await?.as_ref().map(view).transpose()
}

/// Newest first; of one merchant, or all.
pub(in crate::store) async fn list(
    engine: &Engine,
    merchant: Option<&MerchantId>,
    most: i64,
) -> Result<Vec<TokenRow>, StoreError> {
    let only = merchant.map_or("", MerchantId::as_str);
    let statement =
        "select * from tokens where $1 = '' or merchant_id = $1 order by created_at desc, token_id limit $2";
    engine.rows(statement, &[only.into(), most.into()], &[]).await?.iter().map(view).collect()
}

fn view(row: &Row) -> Result<TokenRow, StoreError> {
    Ok(TokenRow {
        id: row.get("token_id")?,
        role: row.get("role")?,
        merchant: row.get::<Option<&str>>("merchant_id")?.map(Into::into),
        partner: row.get::<Option<&str>>("partner_id")?.map(Into::into),
        name: row.get("name")?,
        generation: u32::try_from(row.get::<i64>("generation")?).unwrap_or(0),
        created_at: Moment(row.get("created_at")?),
        created_by: row.get("created_by")?,
        expires_at: Moment(row.get("expires_at")?),
        revoked_at: moment(row, "revoked_at")?,
        revoked_by: row.get("revoked_by")?,
    })
}
