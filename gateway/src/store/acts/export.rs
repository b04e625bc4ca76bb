//! Everything that is kept about one member, for the member to have.

use super::order::posting_view;
use super::question;
use super::rows::{delivery, document, member as member_row, reward};
use crate::store::engine::{Cell, Engine, Row, Tx};
use crate::store::{ContactField, DeliveryView, EntryRecord, ExportView, StoreError};
use perkgate_domain::ids::{EntryId, MemberId, MerchantId};
use perkgate_domain::time::Moment;

/// The most that is told of anything, newest first.
const MOST: i64 = 10_000;

pub(in crate::store) async fn export(
    engine: &Engine,
    merchant: &MerchantId,
    member: &MemberId,
) -> Result<Option<ExportView>, StoreError> {
    let whom = [merchant.into(), member.into()];
    let mut tx = engine.read().await?;
    let found = tx.row("select * from members where merchant_id = $1 and member_id = $2", &whom).await?;
    let Some(row) = found else {
        tx.commit().await?;
        return Ok(None);
    };
    let mut told = ExportView {
        member: member_row(&row)?,
        keys: list(&mut tx, KEYS, &whom, |row| row.get("kind")).await?,
        contact: list(&mut tx, CONTACT, &whom, contact_field).await?,
        entries: list(&mut tx, ENTRIES, &whom, entry_record).await?,
        postings: list(&mut tx, POSTINGS, &whom, posting_view).await?,
        rewards: list(&mut tx, REWARDS, &whom, reward).await?,
        deliveries: list(&mut tx, DELIVERIES, &whom, delivery_view).await?,
        questions: list(&mut tx, QUESTIONS, &whom, question::view).await?,
        complete: false,
    };
    tx.commit().await?;
    let most = usize::try_from(MOST).unwrap_or(usize::MAX);
    let counts =
        [told.entries.len(), told.postings.len(), told.rewards.len(), told.deliveries.len(), told.questions.len()];
    told.complete = counts.into_iter().all(|count| count < most);
    Ok(Some(told))
}

const KEYS: &str =
    "select kind from member_keys where merchant_id = $1 and member_id = $2 order by kind, hash limit $3";
const CONTACT: &str =
    "select field, sealed from contacts where merchant_id = $1 and member_id = $2 order by field limit $3";
const ENTRIES: &str = "select e.*, coalesce(w.state, 'settled') as state, coalesce(w.cause, e.cause) as why
     from entries e left join waiting w on w.entry_id = e.entry_id
     where e.merchant_id = $1 and e.member_id = $2 order by e.happened_at desc, e.entry_id desc limit $3";
/// By their entries, which is also where the postings of whoever became one with them are.
const POSTINGS: &str =
    "select p.* from entries e join postings p on p.merchant_id = e.merchant_id and p.entry_id = e.entry_id
     where e.merchant_id = $1 and e.member_id = $2 order by p.posting_id desc limit $3";
const REWARDS: &str =
    "select * from rewards where merchant_id = $1 and member_id = $2 order by issued_at desc, reward_id limit $3";
const DELIVERIES: &str =
    "select d.* from entries e join deliveries d on d.merchant_id = e.merchant_id and d.entry_id = e.entry_id
     where e.merchant_id = $1 and e.member_id = $2 and d.member_id = $2 order by d.created_at desc, d.delivery_id limit $3";
const QUESTIONS: &str =
    "select * from questions where merchant_id = $1 and member_id = $2 order by asked_at desc, question_id limit $3";

async fn list<T>(
    tx: &mut Tx,
    statement: &str,
    whom: &[Cell<'_>; 2],
    view: impl Fn(&Row) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let [merchant, member] = whom.clone();
    tx.rows(statement, &[merchant, member, MOST.into()], &[]).await?.iter().map(view).collect()
}

fn delivery_view(row: &Row) -> Result<DeliveryView, StoreError> {
    Ok(DeliveryView { delivery: delivery(row)?, attempts: row.get("attempts")? })
}

fn contact_field(row: &Row) -> Result<ContactField, StoreError> {
    Ok(ContactField { field: row.get("field")?, sealed: row.get("sealed")? })
}

fn entry_record(row: &Row) -> Result<EntryRecord, StoreError> {
    Ok(EntryRecord {
        entry: EntryId(row.get("entry_id")?),
        source: row.get::<&str>("source_id")?.into(),
        state: row.get("state")?,
        cause: row.get("why")?,
        at: Moment(row.get("happened_at")?),
        event: document("event", row.get("document")?)?,
    })
}
