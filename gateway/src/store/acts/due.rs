//! Time: for whom something is due, who looks for it, and new installations that are told of the members there are.

use super::rows::owner;
use crate::store::StoreError;
use crate::store::engine::{Dialect, Engine, Kind, Set};
use perkgate_domain::ids::{EntryId, MemberId, MerchantId};
use perkgate_domain::time::Moment;
use std::collections::HashSet;

/// The longest due come first: each is found by a step along an index, and leaves it when it is seen to. Members for whom that failed are
/// left alone until their time comes, so that they never stand in the way of others.
pub(in crate::store) async fn members(
    engine: &Engine,
    now: Moment,
    most: usize,
) -> Result<Vec<(MerchantId, MemberId)>, StoreError> {
    let mut due = Vec::new();
    for statement in [
        "select m.merchant_id, m.member_id from members m where m.due_at <= $1
                and not exists (select 1 from stalled_members s
                                where s.merchant_id = m.merchant_id and s.member_id = m.member_id and s.not_before > $1)
         order by m.due_at limit $2",
        "select w.merchant_id, w.member_id from wakes w where w.at <= $1
                and not exists (select 1 from stalled_members s
                                where s.merchant_id = w.merchant_id and s.member_id = w.member_id and s.not_before > $1)
         order by w.at limit $2",
    ] {
        for row in engine.rows(statement, &[now.into(), most.into()], &[]).await? {
            due.push(owner(&row)?);
        }
    }
    let mut seen = HashSet::new();
    due.retain(|owner| seen.insert(owner.clone()));
    due.truncate(most);
    Ok(due)
}

pub(in crate::store) async fn reserve(engine: &Engine, count: usize) -> Result<Vec<EntryId>, StoreError> {
    let mut tx = engine.write().await?;
    let numbers = match tx.dialect() {
        Dialect::Postgres => {
            let statement =
                "select nextval(pg_get_serial_sequence('entries', 'entry_id')) as number from generate_series(1, $1)";
            let rows = tx.rows(statement, &[count.into()], &[]).await?;
            rows.iter().map(|row| Ok(EntryId(row.get("number")?))).collect::<Result<Vec<_>, StoreError>>()?
        }
        Dialect::Sqlite => {
            tx.run(
                "insert into sqlite_sequence (name, seq) select 'entries', 0
                 where not exists (select 1 from sqlite_sequence where name = 'entries')",
                &[],
                &[],
            )
            .await?;
            let statement = "update sqlite_sequence set seq = seq + $1 where name = 'entries' returning seq";
            let last: i64 = tx.row(statement, &[count.into()]).await?.map_or(Ok(0), |row| row.get("seq"))?;
            let count = i64::try_from(count).unwrap_or(0);
            (last - count + 1..=last).map(EntryId).collect()
        }
    };
    tx.commit().await?;
    // Given out from the end: the lowest first.
    Ok(numbers.into_iter().rev().collect())
}

pub(in crate::store) async fn lead(engine: &Engine, name: &str, lease_ms: i64) -> Result<bool, StoreError> {
    let mut tx = engine.write().await?;
    let changed = tx
        .run(
            "update lead set name = $1, leased_until = {now} + $2 where name = $1 or leased_until <= {now}",
            &[name.into(), lease_ms.into()],
            &[],
        )
        .await?;
    tx.commit().await?;
    Ok(changed == 1)
}

pub(in crate::store) async fn enrolling(engine: &Engine) -> Result<bool, StoreError> {
    let statement =
        "select installation_id from installations where enrolled is not null and place is not null limit 1";
    Ok(engine.row(statement, &[]).await?.is_some())
}

pub(in crate::store) async fn enrol(engine: &Engine, most: usize, now: Moment) -> Result<usize, StoreError> {
    let mut tx = engine.write().await?;
    let statement = "select merchant_id, installation_id, enrolled from installations
                     where enrolled is not null and place is not null order by merchant_id, installation_id limit 1";
    let Some(row) = tx.row(statement, &[]).await? else {
        tx.commit().await?;
        return Ok(0);
    };
    let (merchant, installation): (String, String) = (row.get("merchant_id")?, row.get("installation_id")?);
    let after: String = row.get("enrolled")?;
    let rows = tx
        .rows(
            "select member_id from members where merchant_id = $1 and member_id > $2 and merged_into is null
                    and forgotten_at is null order by member_id limit $3",
            &[(&merchant).into(), (&after).into(), most.into()],
            &[],
        )
        .await?;
    let mut set = Set::new("k", &[("member_id", Kind::Text)]);
    let mut last = None;
    for row in &rows {
        let member: String = row.get("member_id")?;
        set.push([(&member).into()]);
        last = Some(member);
    }
    tx.run(
        "insert into wakes (merchant_id, member_id, installation_id, cause, wake_key, at, data)
         select $1, k.member_id, $2, 'installed', '', $3, $4 from {k} where true
         on conflict (merchant_id, member_id, installation_id, cause, wake_key) do nothing",
        &[(&merchant).into(), (&installation).into(), now.into(), (&[][..] as &[u8]).into()],
        &[&set],
    )
    .await?;
    let next = last.filter(|_| rows.len() == most);
    tx.run(
        "update installations set enrolled = $3 where merchant_id = $1 and installation_id = $2",
        &[(&merchant).into(), (&installation).into(), next.as_ref().into()],
        &[],
    )
    .await?;
    tx.commit().await?;
    Ok(rows.len())
}
