//! Everything about one order, for `perkgate explain`.

use super::look::{ARRIVALS_OF_ENTRY, arrival_view};
use super::rows::{delivery, document, reward};
use crate::store::engine::{Engine, Row, Set};
use crate::store::{DecisionView, DeliveryView, EntryView, ExplainView, PostingView, StoreError};
use perkgate_domain::ids::{EntryId, MerchantId, SourceId};
use perkgate_domain::plan::DecisionRecord;
use perkgate_domain::purchase::{Event, Refund};
use perkgate_domain::time::Moment;

pub(in crate::store) async fn explain(
    engine: &Engine,
    merchant: &MerchantId,
    source: &SourceId,
    order: &str,
) -> Result<Option<ExplainView>, StoreError> {
    let mut tx = engine.read().await?;
    let mut found = None;
    for column in ["external_id", "reference"] {
        let statement = format!(
            "select e.*, coalesce(w.state, 'settled') as state, coalesce(w.cause, e.cause) as why
             from entries e left join waiting w on w.entry_id = e.entry_id
             where e.merchant_id = $1 and e.source_id = $2 and e.kind = 'purchase' and e.{column} = $3
             order by e.entry_id limit 1"
        );
        found = tx.row(&statement, &[merchant.into(), source.into(), order.into()]).await?;
        if found.is_some() {
            break;
        }
    }
    let read = match &found {
        Some(row) => match document("event", row.get("document")?)? {
            Event::Purchase(purchase) => Some((entry_view(row)?, purchase)),
            Event::Refund(_) | Event::Join(_) => None,
        },
        None => None,
    };
    let Some((entry, purchase)) = read else {
        tx.commit().await?;
        return Ok(None);
    };
    let rows = tx
        .rows(
            "select e.*, coalesce(w.state, 'settled') as state, coalesce(w.cause, e.cause) as why
             from entries e left join waiting w on w.entry_id = e.entry_id where e.purchase_entry = $1 order by e.entry_id",
            &[entry.id.into()],
            &[],
        )
        .await?;
    let refunds: Vec<_> = rows.iter().map(refund_view).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    let ids = std::iter::once(entry.id.0).chain(refunds.iter().map(|(refund, _)| refund.id.0));
    let entries = Set::of_ids("k", ids);
    let mut all = async |statement: &'static str| tx.rows(statement, &[merchant.into()], &[&entries]).await;
    let rows =
        all("select d.* from {k} join decisions d on d.merchant_id = $1 and d.entry_id = k.id order by d.entry_id")
            .await?;
    let decisions = rows.iter().map(decision_views).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    let rows =
        all("select p.* from {k} join postings p on p.merchant_id = $1 and p.entry_id = k.id order by p.posting_id")
            .await?;
    let postings = rows.iter().map(posting_view).collect::<Result<_, _>>()?;
    let rows = all("select d.* from {k} join deliveries d on d.merchant_id = $1 and d.entry_id = k.id
                    order by d.created_at, d.delivery_id")
    .await?;
    let deliveries = rows
        .iter()
        .map(|row| Ok(DeliveryView { delivery: delivery(row)?, attempts: row.get("attempts")? }))
        .collect::<Result<_, StoreError>>()?;
    let rows = all("select r.* from {k} join rewards r on r.merchant_id = $1 and r.entry_id = k.id
                    order by r.issued_at, r.reward_id")
    .await?;
    let rewards = rows.iter().map(reward).collect::<Result<_, _>>()?;
    let rows = tx.rows(ARRIVALS_OF_ENTRY, &[entry.id.into()], &[]).await?;
    let arrivals = rows.iter().map(arrival_view).collect::<Result<_, _>>()?;
    tx.commit().await?;
    Ok(Some(ExplainView { entry, purchase, decisions, postings, deliveries, rewards, refunds, arrivals }))
}

fn entry_view(row: &Row) -> Result<EntryView, StoreError> {
    Ok(EntryView {
        id: EntryId(row.get("entry_id")?),
        state: row.get("state")?,
        cause: row.get("why")?,
        member: row.get::<Option<&str>>("member_id")?.map(Into::into),
        at: Moment(row.get("happened_at")?),
    })
}

fn refund_view(row: &Row) -> Result<Option<(EntryView, Refund)>, StoreError> {
    Ok(match document("event", row.get("document")?)? {
        Event::Refund(refund) => Some((entry_view(row)?, refund)),
        _ => None,
    })
}

/// The records of one entry.
fn decision_views(row: &Row) -> Result<Vec<DecisionView>, StoreError> {
    let entry = EntryId(row.get("entry_id")?);
    let records: Vec<DecisionRecord> = document("decisions", row.get("document")?)?;
    Ok(records.into_iter().map(|record| DecisionView { entry, record }).collect())
}

fn posting_view(row: &Row) -> Result<PostingView, StoreError> {
    Ok(PostingView {
        entry: EntryId(row.get("entry_id")?),
        wallet: row.get("wallet")?,
        source: row.get("source")?,
        destination: row.get("destination")?,
        amount: row.get("amount")?,
        lot: row.get("lot_id")?,
        at: Moment(row.get("at")?),
    })
}
