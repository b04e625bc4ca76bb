//! What became of one errand: of its arrival, its entry, and what that entry gave.

use super::rows::reward;
use crate::store::engine::Engine;
use crate::store::{ArrivalView, EntryView, OutcomeView, StoreError};
use perkgate_domain::event::OWN_SOURCE;
use perkgate_domain::ids::{ArrivalId, EntryId, MerchantId};
use perkgate_domain::time::Moment;

pub(in crate::store) async fn errand(
    engine: &Engine,
    merchant: &MerchantId,
    dedupe: &str,
) -> Result<Option<ArrivalId>, StoreError> {
    let found = engine
        .row(
            "select arrival_id from arrivals where merchant_id = $1 and source_id = $2 and dedupe = $3",
            &[merchant.into(), OWN_SOURCE.into(), dedupe.into()],
        )
        .await?;
    found.map(|row| Ok(ArrivalId(row.get("arrival_id")?))).transpose()
}

pub(in crate::store) async fn outcome(
    engine: &Engine,
    merchant: &MerchantId,
    arrival: ArrivalId,
) -> Result<Option<OutcomeView>, StoreError> {
    let mut tx = engine.read().await?;
    let found = tx
        .row(
            "select a.arrival_id, a.topic, coalesce(r.state, 'new') as state, coalesce(r.note, i.note) as note, r.entry_id,
                    e.member_id, e.happened_at, coalesce(w.state, 'settled') as stands, coalesce(w.cause, e.cause) as why
             from arrivals a
             left join readings r on r.arrival_id = a.arrival_id
             left join inbox i on i.arrival_id = a.arrival_id
             left join entries e on e.entry_id = r.entry_id
             left join waiting w on w.entry_id = r.entry_id
             where a.merchant_id = $1 and a.arrival_id = $2",
            &[merchant.into(), arrival.into()],
        )
        .await?;
    let Some(row) = found else {
        tx.commit().await?;
        return Ok(None);
    };
    let id = row.get::<Option<i64>>("entry_id")?.map(EntryId);
    let at = row.get::<Option<i64>>("happened_at")?.map(Moment);
    let (entry, rewards) = match (id, at) {
        (Some(id), Some(at)) => {
            let given = tx
                .rows(
                    "select * from rewards where merchant_id = $1 and entry_id = $2 order by issued_at, reward_id",
                    &[merchant.into(), id.into()],
                    &[],
                )
                .await?;
            let entry = EntryView {
                id,
                state: row.get("stands")?,
                cause: row.get("why")?,
                member: row.get::<Option<&str>>("member_id")?.map(Into::into),
                at,
            };
            (Some(entry), given.iter().map(reward).collect::<Result<_, _>>()?)
        }
        _ => (None, Vec::new()),
    };
    tx.commit().await?;
    let arrival =
        ArrivalView { arrival, topic: row.get("topic")?, state: row.get("state")?, note: row.get("note")?, entry: id };
    Ok(Some(OutcomeView { arrival, entry, rewards }))
}
