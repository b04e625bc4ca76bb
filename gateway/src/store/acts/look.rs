//! Look-ups for whoever asks: a member, what waits, what came in, what was turned away.

use super::keys::keyed_text;
use super::rows::{digest, member as member_row, reward};
use crate::store::engine::{Engine, Row};
use crate::store::{ArrivalView, MemberView, QueueDepth, RejectionView, StoreError};
use perkgate_domain::ids::{ArrivalId, EntryId, MemberId, MerchantId};
use perkgate_domain::limits::NAMED_BESIDE;
use perkgate_domain::member::MemberKey;
use perkgate_domain::time::Moment;

pub(in crate::store) async fn depth(engine: &Engine) -> Result<QueueDepth, StoreError> {
    let row = engine
        .row(
            "select (select count(*) from inbox) as arrivals,
                    (select count(*) from waiting where state = 'queued') as entries,
                    (select count(*) from readings where state = 'parked')
                        + (select count(*) from waiting where state = 'parked') as parked,
                    (select count(*) from waiting where state = 'failed') as failed,
                    (select count(*) from deliveries where state = 'due') as deliveries",
            &[],
        )
        .await?;
    let Some(row) = row else { return Ok(QueueDepth::default()) };
    Ok(QueueDepth {
        arrivals: row.get("arrivals")?,
        entries: row.get("entries")?,
        parked: row.get("parked")?,
        failed: row.get("failed")?,
        deliveries: row.get("deliveries")?,
    })
}

pub(in crate::store) async fn find_member(
    engine: &Engine,
    merchant: &MerchantId,
    keys: &[MemberKey],
) -> Result<Option<MemberId>, StoreError> {
    for key in keys {
        // What is named beside too many is nobody's, unless somebody vouches for it.
        let found = engine
            .row(
                "select member_id from member_keys where merchant_id = $1 and kind = $2 and hash = $3
                 and (proven = 1 or (select count(*) from (select 1 from mentions b where b.merchant_id = $1 and b.kind = $2
                                                           and b.hash = $3 limit $4 + 1) named) <= $4)",
                &[merchant.into(), key.kind.as_str().into(), key.hash.into(), NAMED_BESIDE.into()],
            )
            .await?;
        if let Some(row) = found {
            return Ok(Some(row.get::<&str>("member_id")?.into()));
        }
    }
    Ok(None)
}

pub(in crate::store) async fn member(
    engine: &Engine,
    merchant: &MerchantId,
    member: &MemberId,
) -> Result<Option<MemberView>, StoreError> {
    let mut tx = engine.read().await?;
    let values = [merchant.into(), member.into()];
    let row = tx.row("select * from members where merchant_id = $1 and member_id = $2", &values).await?;
    let rewards = tx
        .rows(
            "select * from rewards where merchant_id = $1 and member_id = $2 and state <> 'withdrawn'
             order by issued_at desc, reward_id limit 200",
            &values,
            &[],
        )
        .await?;
    tx.commit().await?;
    let Some(row) = row else { return Ok(None) };
    let rewards = rewards.iter().map(reward).collect::<Result<_, _>>()?;
    Ok(Some(MemberView { member: member_row(&row)?, rewards }))
}

/// How an arrival ended, or that it is still to be read.
macro_rules! arrival {
    ($rest:literal) => {
        concat!(
            "select a.arrival_id, a.topic, coalesce(r.state, 'new') as state, coalesce(r.note, i.note) as note, r.entry_id
             from arrivals a left join readings r on r.arrival_id = a.arrival_id
             left join inbox i on i.arrival_id = a.arrival_id ",
            $rest
        )
    };
}

/// What came in about one entry, oldest first: `$1`.
pub(super) const ARRIVALS_OF_ENTRY: &str =
    "select r.arrival_id, a.topic, r.state, r.note, r.entry_id from readings r join arrivals a on a.arrival_id = r.arrival_id
     where r.entry_id = $1 order by r.arrival_id limit 50";

pub(in crate::store) async fn arrival(engine: &Engine, arrival: ArrivalId) -> Result<Option<ArrivalView>, StoreError> {
    let row = engine.row(arrival!("where a.arrival_id = $1"), &[arrival.into()]).await?;
    row.as_ref().map(arrival_view).transpose()
}

pub(in crate::store) async fn arrivals(
    engine: &Engine,
    merchant: &MerchantId,
    state: &str,
    most: i64,
) -> Result<Vec<ArrivalView>, StoreError> {
    let values = [merchant.into(), state.into(), most.into()];
    let rows = engine
        .rows(arrival!("where r.merchant_id = $1 and r.state = $2 order by r.arrival_id desc limit $3"), &values, &[])
        .await?;
    rows.iter().map(arrival_view).collect()
}

pub(super) fn arrival_view(row: &Row) -> Result<ArrivalView, StoreError> {
    Ok(ArrivalView {
        arrival: ArrivalId(row.get("arrival_id")?),
        topic: row.get("topic")?,
        state: row.get("state")?,
        note: row.get("note")?,
        entry: row.get::<Option<i64>>("entry_id")?.map(EntryId),
    })
}

pub(in crate::store) async fn rejections(
    engine: &Engine,
    merchant: &MerchantId,
    most: i64,
) -> Result<Vec<RejectionView>, StoreError> {
    let rows = engine
        .rows(
            "select source_id, cause, detail, digest, bytes, received_at from rejections
             where merchant_id = $1 order by rejection_id desc limit $2",
            &[merchant.into(), most.into()],
            &[],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(RejectionView {
                source: row.get::<&str>("source_id")?.into(),
                cause: row.get("cause")?,
                detail: row.get("detail")?,
                digest: keyed_text(&digest(row, "digest")?),
                bytes: row.get("bytes")?,
                received_at: Moment(row.get("received_at")?),
            })
        })
        .collect()
}
