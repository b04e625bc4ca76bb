//! Look-ups for whoever asks: a member, an order, what waits, what was turned away.

use super::rows::{MEMBER, add_balance, delivery, digest, document, member as member_row, reward, set};
use crate::store::{
    ArrivalView, DecisionView, DeliveryView, EntryView, ExplainView, MemberView, PostingView, QueueDepth,
    RejectionView, StoreError,
};
use perkgate_domain::ids::{ArrivalId, EntryId, MemberId, MerchantId, SourceId};
use perkgate_domain::member::MemberKey;
use perkgate_domain::purchase::{Event, Refund};
use perkgate_domain::time::Moment;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{AssertSqlSafe, Row as _};

pub(super) async fn depth(pool: &SqlitePool) -> Result<QueueDepth, StoreError> {
    let row = sqlx::query(
        "select (select count(*) from arrivals where state = 'new') as arrivals,
                (select count(*) from entries where state = 'queued') as entries,
                (select count(*) from arrivals where state = 'parked')
                    + (select count(*) from entries where state = 'parked') as parked,
                (select count(*) from deliveries where state = 'due') as deliveries",
    )
    .fetch_one(pool)
    .await?;
    Ok(QueueDepth {
        arrivals: row.try_get("arrivals")?,
        entries: row.try_get("entries")?,
        parked: row.try_get("parked")?,
        deliveries: row.try_get("deliveries")?,
    })
}

pub(super) async fn find_member(
    pool: &SqlitePool,
    merchant: &MerchantId,
    keys: &[MemberKey],
) -> Result<Option<MemberId>, StoreError> {
    for key in keys {
        let found: Option<String> =
            sqlx::query_scalar("select member_id from member_keys where merchant_id = $1 and kind = $2 and hash = $3")
                .bind(merchant.as_str())
                .bind(key.kind.as_str())
                .bind(key.hash.as_slice())
                .fetch_optional(pool)
                .await?;
        if let Some(member) = found {
            return Ok(Some(MemberId::new(member)));
        }
    }
    Ok(None)
}

pub(super) async fn member(
    pool: &SqlitePool,
    merchant: &MerchantId,
    member: &MemberId,
) -> Result<Option<MemberView>, StoreError> {
    let mut tx = pool.begin().await?;
    let row = sqlx::query(AssertSqlSafe(format!(
        "select {MEMBER} from members m where m.merchant_id = $1 and m.member_id = $2"
    )))
    .bind(merchant.as_str())
    .bind(member.as_str())
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let mut found = member_row(&row)?;
    let balances = sqlx::query(
        "select account, wallet, amount from balances
         where merchant_id = $1 and account in ($2 || '/available', $2 || '/pending')",
    )
    .bind(merchant.as_str())
    .bind(member.as_str())
    .fetch_all(&mut *tx)
    .await?;
    for row in &balances {
        add_balance(&mut found.balances, row)?;
    }
    let rewards = sqlx::query(
        "select * from rewards where merchant_id = $1 and member_id = $2 and state <> 'withdrawn'
         order by issued_at desc, reward_id limit 200",
    )
    .bind(merchant.as_str())
    .bind(member.as_str())
    .fetch_all(&mut *tx)
    .await?;
    let rewards = rewards.iter().map(reward).collect::<Result<_, _>>()?;
    tx.commit().await?;
    Ok(Some(MemberView { member: found, rewards }))
}

pub(super) async fn explain(
    pool: &SqlitePool,
    merchant: &MerchantId,
    source: &SourceId,
    order: &str,
) -> Result<Option<ExplainView>, StoreError> {
    let mut tx = pool.begin().await?;
    let row = sqlx::query(
        "select * from entries where merchant_id = $1 and source_id = $2 and kind = 'purchase'
              and (external_id = $3 or reference = $3)
         order by external_id = $3 desc, entry_id limit 1",
    )
    .bind(merchant.as_str())
    .bind(source.as_str())
    .bind(order)
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let entry = entry_view(&row)?;
    let Event::Purchase(purchase) = document("event", row.try_get("document")?)? else { return Ok(None) };
    let rows = sqlx::query("select * from entries where purchase_entry = $1 order by entry_id")
        .bind(entry.id.0)
        .fetch_all(&mut *tx)
        .await?;
    let refunds: Vec<_> = rows.iter().map(refund_view).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    let entries: Vec<EntryId> = std::iter::once(entry.id).chain(refunds.iter().map(|(refund, _)| refund.id)).collect();
    let entries = set(&entries)?;
    let mut all = async |statement: &'static str| -> Result<Vec<SqliteRow>, StoreError> {
        Ok(sqlx::query(statement).bind(merchant.as_str()).bind(&entries).fetch_all(&mut *tx).await?)
    };
    let rows = all("select d.* from json_each($2) k join decisions d on d.merchant_id = $1 and d.entry_id = k.value
                    order by d.entry_id, d.installation_id")
    .await?;
    let decisions = rows.iter().map(decision_view).collect::<Result<_, _>>()?;
    let rows = all("select p.* from json_each($2) k join postings p on p.merchant_id = $1 and p.entry_id = k.value
                    order by p.posting_id")
    .await?;
    let postings = rows.iter().map(posting_view).collect::<Result<_, _>>()?;
    let rows = all("select d.* from json_each($2) k join deliveries d on d.merchant_id = $1 and d.entry_id = k.value
                    order by d.created_at, d.delivery_id")
    .await?;
    let deliveries = rows
        .iter()
        .map(|row| Ok(DeliveryView { delivery: delivery(row)?, attempts: row.try_get("attempts")? }))
        .collect::<Result<_, StoreError>>()?;
    let rows = all("select r.* from json_each($2) k join rewards r on r.merchant_id = $1 and r.entry_id = k.value
                    order by r.issued_at, r.reward_id")
    .await?;
    let rewards = rows.iter().map(reward).collect::<Result<_, _>>()?;
    let rows = sqlx::query("select * from arrivals where entry_id = $1 order by arrival_id limit 50")
        .bind(entry.id.0)
        .fetch_all(&mut *tx)
        .await?;
    let arrivals = rows.iter().map(arrival_view).collect::<Result<_, _>>()?;
    tx.commit().await?;
    Ok(Some(ExplainView { entry, purchase, decisions, postings, deliveries, rewards, refunds, arrivals }))
}

fn arrival_view(row: &SqliteRow) -> Result<ArrivalView, StoreError> {
    Ok(ArrivalView {
        arrival: ArrivalId(row.try_get("arrival_id")?),
        topic: row.try_get("topic")?,
        state: row.try_get("state")?,
        note: row.try_get("note")?,
        entry: row.try_get::<Option<i64>, _>("entry_id")?.map(EntryId),
    })
}

pub(super) async fn arrivals(
    pool: &SqlitePool,
    merchant: &MerchantId,
    state: &str,
    most: i64,
) -> Result<Vec<ArrivalView>, StoreError> {
    let rows =
        sqlx::query("select * from arrivals where merchant_id = $1 and state = $2 order by arrival_id desc limit $3")
            .bind(merchant.as_str())
            .bind(state)
            .bind(most)
            .fetch_all(pool)
            .await?;
    rows.iter().map(arrival_view).collect()
}

pub(super) async fn arrival(pool: &SqlitePool, arrival: ArrivalId) -> Result<Option<ArrivalView>, StoreError> {
    let row = sqlx::query("select * from arrivals where arrival_id = $1").bind(arrival.0).fetch_optional(pool).await?;
    row.as_ref().map(arrival_view).transpose()
}

fn entry_view(row: &SqliteRow) -> Result<EntryView, StoreError> {
    Ok(EntryView {
        id: EntryId(row.try_get("entry_id")?),
        state: row.try_get("state")?,
        cause: row.try_get("cause")?,
        member: row.try_get::<Option<&str>, _>("member_id")?.map(Into::into),
        at: Moment(row.try_get("happened_at")?),
    })
}

fn refund_view(row: &SqliteRow) -> Result<Option<(EntryView, Refund)>, StoreError> {
    Ok(match document("event", row.try_get("document")?)? {
        Event::Refund(refund) => Some((entry_view(row)?, refund)),
        _ => None,
    })
}

fn decision_view(row: &SqliteRow) -> Result<DecisionView, StoreError> {
    Ok(DecisionView {
        entry: EntryId(row.try_get("entry_id")?),
        installation: row.try_get::<&str, _>("installation_id")?.into(),
        digest: digest(row, "digest")?,
        settings_revision: row.try_get("settings_revision")?,
        facts: document("facts", row.try_get("facts")?)?,
        outcome: document("outcome", row.try_get("outcome")?)?,
        ruling: row.try_get::<Option<&str>, _>("ruling")?.map(|text| document("ruling", text)).transpose()?,
        notes: document("notes", row.try_get("notes")?)?,
        shadow: row.try_get::<i64, _>("shadow")? != 0,
        fuel: row.try_get("fuel")?,
        log: document("log", row.try_get("log")?)?,
    })
}

fn posting_view(row: &SqliteRow) -> Result<PostingView, StoreError> {
    Ok(PostingView {
        entry: EntryId(row.try_get("entry_id")?),
        wallet: row.try_get("wallet")?,
        source: row.try_get("source")?,
        destination: row.try_get("destination")?,
        amount: row.try_get("amount")?,
        lot: row.try_get("lot_id")?,
        at: Moment(row.try_get("at")?),
    })
}

pub(super) async fn rejections(
    pool: &SqlitePool,
    merchant: &MerchantId,
    most: i64,
) -> Result<Vec<RejectionView>, StoreError> {
    let rows = sqlx::query(
        "select source_id, cause, detail, digest, bytes, received_at from rejections
         where merchant_id = $1 order by rejection_id desc limit $2",
    )
    .bind(merchant.as_str())
    .bind(most)
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(RejectionView {
                source: row.try_get::<&str, _>("source_id")?.into(),
                cause: row.try_get("cause")?,
                detail: row.try_get("detail")?,
                digest: digest(row, "digest")?.to_string(),
                bytes: row.try_get("bytes")?,
                received_at: Moment(row.try_get("received_at")?),
            })
        })
        .collect()
}
