//! Tasks for the merchant: what is open, and that one is done.

use super::audit;
use super::rows::moment;
use crate::store::engine::{Engine, Row};
use crate::store::{Actor, Note, StoreError, TaskView};
use perkgate_domain::ids::MerchantId;
use perkgate_domain::time::Moment;
use serde_json::json;

pub(in crate::store) async fn tasks(
    engine: &Engine,
    merchant: &MerchantId,
    state: &str,
    most: i64,
) -> Result<Vec<TaskView>, StoreError> {
    let rows = engine
        .rows(
            "select * from tasks where merchant_id = $1 and state = $2 order by opened_at desc, task_id limit $3",
            &[merchant.into(), state.into(), most.into()],
            &[],
        )
        .await?;
    rows.iter().map(view).collect()
}

pub(in crate::store) async fn close(
    engine: &Engine,
    merchant: &MerchantId,
    id: &str,
    now: Moment,
    by: &Actor,
) -> Result<bool, StoreError> {
    let mut tx = engine.write().await?;
    let closed = tx
        .run(
            "update tasks set state = 'closed', closed_at = $3
             where merchant_id = $1 and task_id = $2 and state = 'open'",
            &[merchant.into(), id.into(), now.into()],
            &[],
        )
        .await?;
    if closed > 0 {
        let note = Note::new(Some(merchant), by, "task.close", now).now(json!({"task": id}));
        audit::write(&mut tx, std::iter::once((&note, None))).await?;
    }
    tx.commit().await?;
    Ok(closed > 0)
}

fn view(row: &Row) -> Result<TaskView, StoreError> {
    Ok(TaskView {
        id: row.get("task_id")?,
        installation: row.get::<&str>("installation_id")?.into(),
        member: row.get::<Option<&str>>("member_id")?.map(Into::into),
        key: row.get("task_key")?,
        title: row.get("title")?,
        text: row.get("body")?,
        state: row.get("state")?,
        opened_at: Moment(row.get("opened_at")?),
        closed_at: moment(row, "closed_at")?,
    })
}
