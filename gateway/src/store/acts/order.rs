//! Everything about one order, for `perkgate explain`.

use super::look::{ARRIVALS_OF_ENTRY, arrival_view};
use super::rows::{delivery, document, lot, reward};
use crate::store::engine::{Engine, Kind, Row, Set, Tx};
use crate::store::{DecisionView, DeliveryView, EntryView, ExplainView, PostingView, StoreError};
use perkgate_domain::event::Event;
use perkgate_domain::ids::{EntryId, MerchantId, SourceId};
use perkgate_domain::ledger::HeldReward;
use perkgate_domain::plan::DecisionRecord;
use perkgate_domain::purchase::Purchase;
use perkgate_domain::time::Moment;
use std::collections::BTreeSet;

/// Entries with where they stand.
macro_rules! entries {
    ($rest:literal) => {
        concat!(
            "select e.*, coalesce(w.state, 'settled') as state, coalesce(w.cause, e.cause) as why
             from entries e left join waiting w on w.entry_id = e.entry_id ",
            $rest
        )
    };
}

pub(in crate::store) async fn explain(
    engine: &Engine,
    merchant: &MerchantId,
    source: &SourceId,
    order: &str,
) -> Result<Option<ExplainView>, StoreError> {
    let mut tx = engine.read().await?;
    let Some((entry, purchase)) = find(&mut tx, merchant, source, order).await? else {
        tx.commit().await?;
        return Ok(None);
    };
    let rows = tx.rows(entries!("where e.purchase_entry = $1 order by e.entry_id"), &[entry.id.into()], &[]).await?;
    let (mut refunds, mut edits) = (Vec::new(), Vec::new());
    for row in &rows {
        match document("event", row.get("document")?)? {
            Event::Refund(refund) => refunds.push((entry_view(row)?, refund)),
            Event::Edit(edit) => edits.push((entry_view(row)?, edit)),
            _ => {}
        }
    }
    let later = refunds.iter().map(|(refund, _)| refund.id.0).chain(edits.iter().map(|(edit, _)| edit.id.0));
    let entries = Set::of_ids("k", std::iter::once(entry.id.0).chain(later));
    let coupons = coupons(&mut tx, merchant, &purchase.codes).await?;
    let mut all = async |statement: &'static str| tx.rows(statement, &[merchant.into()], &[&entries]).await;
    let decisions =
        all("select d.* from {k} join decisions d on d.merchant_id = $1 and d.entry_id = k.id order by d.entry_id")
            .await?;
    let postings =
        all("select p.* from {k} join postings p on p.merchant_id = $1 and p.entry_id = k.id order by p.posting_id")
            .await?;
    let lots = all("select l.* from {k} join lots l on l.merchant_id = $1 and l.entry_id = k.id
                    order by l.earned_at, l.entry_id, l.lot_id")
    .await?;
    let deliveries = all("select d.* from {k} join deliveries d on d.merchant_id = $1 and d.entry_id = k.id
                          order by d.created_at, d.delivery_id")
    .await?;
    let rewards = all("select r.* from {k} join rewards r on r.merchant_id = $1 and r.entry_id = k.id
                       order by r.issued_at, r.reward_id")
    .await?;
    let arrivals = tx.rows(ARRIVALS_OF_ENTRY, &[entry.id.into()], &[]).await?;
    tx.commit().await?;
    let decisions = decisions.iter().map(decision_views).collect::<Result<Vec<_>, _>>()?;
    Ok(Some(ExplainView {
        entry,
        purchase,
        decisions: decisions.into_iter().flatten().collect(),
        postings: postings.iter().map(posting_view).collect::<Result<_, _>>()?,
        lots: lots.iter().map(lot).collect::<Result<_, _>>()?,
        deliveries: deliveries.iter().map(delivery_view).collect::<Result<_, _>>()?,
        rewards: rewards.iter().map(reward).collect::<Result<_, _>>()?,
        coupons,
        refunds,
        edits,
        arrivals: arrivals.iter().map(arrival_view).collect::<Result<_, _>>()?,
    }))
}

/// The purchase that has this id, or else the first that staff call this.
async fn find(
    tx: &mut Tx,
    merchant: &MerchantId,
    source: &SourceId,
    order: &str,
) -> Result<Option<(EntryView, Purchase)>, StoreError> {
    for statement in [
        entries!(
            "where e.merchant_id = $1 and e.source_id = $2 and e.kind = 'purchase' and e.external_id = $3
             order by e.entry_id limit 1"
        ),
        entries!(
            "where e.merchant_id = $1 and e.source_id = $2 and e.kind = 'purchase' and e.reference = $3
             order by e.entry_id limit 1"
        ),
    ] {
        if let Some(row) = tx.row(statement, &[merchant.into(), source.into(), order.into()]).await? {
            return Ok(match document("event", row.get("document")?)? {
                Event::Purchase(purchase) => Some((entry_view(&row)?, purchase)),
                _ => None,
            });
        }
    }
    Ok(None)
}

/// Rewards whose codes a purchase names.
async fn coupons(tx: &mut Tx, merchant: &MerchantId, codes: &[String]) -> Result<Vec<HeldReward>, StoreError> {
    let mut named = Set::new("k", &[("code", Kind::Text)]);
    for code in codes.iter().map(|code| code.trim().to_ascii_uppercase()).collect::<BTreeSet<_>>() {
        named.push([code.into()]);
    }
    let statement = "select r.* from {k} join rewards r on r.merchant_id = $1 and r.code = k.code order by r.code";
    tx.rows(statement, &[merchant.into()], &[&named]).await?.iter().map(reward).collect()
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

fn delivery_view(row: &Row) -> Result<DeliveryView, StoreError> {
    Ok(DeliveryView { delivery: delivery(row)?, attempts: row.get("attempts")? })
}

/// The records of one entry.
fn decision_views(row: &Row) -> Result<Vec<DecisionView>, StoreError> {
    let entry = EntryId(row.get("entry_id")?);
    let records: Vec<DecisionRecord> = document("decisions", row.get("document")?)?;
    Ok(records.into_iter().map(|record| DecisionView { entry, record }).collect())
}

pub(super) fn posting_view(row: &Row) -> Result<PostingView, StoreError> {
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
