//! Deliveries and their attempts.

use super::rows::{delivery, set};
use crate::store::{ContactField, DeliveryView, DueRow, StoreError};
use perkgate_domain::delivery::{Attempt, Next};
use perkgate_domain::ids::{DeliveryId, MerchantId};
use perkgate_domain::time::Moment;
use sqlx::Row as _;
use sqlx::sqlite::SqlitePool;
use std::collections::HashMap;

pub(super) async fn due(pool: &SqlitePool, now: Moment, most: usize, lease: Moment) -> Result<Vec<DueRow>, StoreError> {
    // Mostly nothing is due, and finding that out should not take the writer's lock.
    let any: i64 = sqlx::query_scalar("select exists (select 1 from deliveries where state = 'due' and next_at <= $1)")
        .bind(now.0)
        .fetch_one(pool)
        .await?;
    if any == 0 {
        return Ok(Vec::new());
    }
    // Consent may have been withdrawn since the message was written.
    sqlx::query(
        "update deliveries set state = 'suppressed', note = 'the member does not agree to messages any more'
         where state = 'due' and next_at <= $1 and exists
             (select 1 from members m where m.merchant_id = deliveries.merchant_id and m.member_id = deliveries.member_id
              and m.consent = 0)",
    )
    .bind(now.0)
    .execute(pool)
    .await?;
    let rows = sqlx::query(
        "update deliveries set next_at = $3 where delivery_id in
             (select delivery_id from deliveries where state = 'due' and next_at <= $1 order by next_at limit $2)
         returning *",
    )
    .bind(now.0)
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .bind(lease.0)
    .fetch_all(pool)
    .await?;
    let mut due = Vec::with_capacity(rows.len());
    for row in &rows {
        let attempts: i64 = row.try_get("attempts")?;
        let attempt = u32::try_from(attempts + 1).unwrap_or(u32::MAX);
        due.push(DueRow { delivery: delivery(row)?, attempt, contact: Vec::new() });
    }
    let owners: Vec<_> = due.iter().map(|row| (&row.delivery.merchant, &row.delivery.member)).collect();
    let rows = sqlx::query(
        "select c.* from (select distinct value ->> 0 as merchant_id, value ->> 1 as member_id from json_each($1)) k
         join contacts c on c.merchant_id = k.merchant_id and c.member_id = k.member_id",
    )
    .bind(set(&owners)?)
    .fetch_all(pool)
    .await?;
    let mut contacts: HashMap<(String, String), Vec<ContactField>> = HashMap::new();
    for row in &rows {
        let owner = (row.try_get("merchant_id")?, row.try_get("member_id")?);
        let field = ContactField { field: row.try_get("field")?, sealed: row.try_get("sealed")? };
        contacts.entry(owner).or_default().push(field);
    }
    for row in &mut due {
        let owner = (row.delivery.merchant.to_string(), row.delivery.member.to_string());
        row.contact = contacts.get(&owner).cloned().unwrap_or_default();
    }
    Ok(due)
}

pub(super) async fn record(pool: &SqlitePool, attempts: &[Attempt]) -> Result<(), StoreError> {
    let rows: Vec<_> = attempts
        .iter()
        .map(|attempt| {
            let (state, next) = match attempt.next {
                Next::Delivered => ("delivered", 0),
                Next::Retry(at) => ("due", at.0),
                Next::Dead => ("dead", 0),
            };
            (
                &attempt.delivery,
                attempt.number,
                attempt.at.0,
                attempt.took_ms,
                attempt.status,
                &attempt.error,
                state,
                next,
            )
        })
        .collect();
    let rows = set(&rows)?;
    let mut tx = pool.begin_with("begin immediate").await?;
    sqlx::query(
        "insert into attempts (delivery_id, number, at, took_ms, status, error)
         select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 from json_each($1) where true
         on conflict do nothing",
    )
    .bind(&rows)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "update deliveries set attempts = k.value ->> 1, state = k.value ->> 6, note = k.value ->> 5, next_at = k.value ->> 7
         from json_each($1) k where delivery_id = k.value ->> 0 and state = 'due'",
    )
    .bind(&rows)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}

pub(super) async fn list(
    pool: &SqlitePool,
    merchant: &MerchantId,
    state: &str,
    most: i64,
) -> Result<Vec<DeliveryView>, StoreError> {
    let rows = sqlx::query(
        "select * from deliveries where merchant_id = $1 and state = $2 order by created_at desc, delivery_id limit $3",
    )
    .bind(merchant.as_str())
    .bind(state)
    .bind(most)
    .fetch_all(pool)
    .await?;
    rows.iter().map(|row| Ok(DeliveryView { delivery: delivery(row)?, attempts: row.try_get("attempts")? })).collect()
}

pub(super) async fn resend(
    pool: &SqlitePool,
    merchant: &MerchantId,
    delivery: &DeliveryId,
    now: Moment,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "update deliveries set state = 'due', attempts = 0, next_at = $3
         where merchant_id = $1 and delivery_id = $2 and state = 'dead'",
    )
    .bind(merchant.as_str())
    .bind(delivery.as_str())
    .bind(now.0)
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}
