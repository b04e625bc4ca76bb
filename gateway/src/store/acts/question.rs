//! A question to a member, for the page on which it is answered.

use super::rows::{moment, word};
use crate::store::engine::{Engine, Row};
use crate::store::{QuestionView, StoreError};
use perkgate_domain::event::Scale;
use perkgate_domain::ids::MerchantId;
use perkgate_domain::time::Moment;

pub(in crate::store) async fn question(
    engine: &Engine,
    merchant: &MerchantId,
    id: &str,
) -> Result<Option<QuestionView>, StoreError> {
    let row = engine
        .row("select * from questions where merchant_id = $1 and question_id = $2", &[merchant.into(), id.into()])
        .await?;
    row.as_ref().map(view).transpose()
}

pub(super) fn view(row: &Row) -> Result<QuestionView, StoreError> {
    Ok(QuestionView {
        id: row.get("question_id")?,
        member: row.get::<&str>("member_id")?.into(),
        installation: row.get::<&str>("installation_id")?.into(),
        key: row.get("question_key")?,
        scale: word("scale", row.get("scale")?, Scale::parse)?,
        locale: row.get("locale")?,
        asked_at: Moment(row.get("asked_at")?),
        expires_at: Moment(row.get("expires_at")?),
        answered_at: moment(row, "answered_at")?,
    })
}
