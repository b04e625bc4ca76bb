//! What settlements ask for besides units: wakes, tasks for the merchant, questions to members.

use crate::store::StoreError;
use crate::store::engine::{Kind, Set, Tx};
use perkgate_domain::ids::{InstallationId, MemberId, MerchantId};
use perkgate_domain::plan::{NewTask, Settlement, WakeChange};
use std::collections::{BTreeMap, BTreeSet};

type Key<'a> = (&'a MerchantId, &'a MemberId, &'a InstallationId, &'static str, &'a str);

/// The last word on each wake of the batch.
pub(super) async fn wakes(tx: &mut Tx, settlements: &[Settlement]) -> Result<(), StoreError> {
    let mut last: BTreeMap<Key<'_>, &WakeChange> = BTreeMap::new();
    for settlement in settlements {
        for wake in &settlement.wakes {
            let key = (&settlement.merchant, &wake.member, &wake.installation, wake.cause.as_str(), wake.key.as_str());
            last.insert(key, wake);
        }
    }
    let columns = [
        ("merchant_id", Kind::Text),
        ("member_id", Kind::Text),
        ("installation_id", Kind::Text),
        ("cause", Kind::Text),
        ("wake_key", Kind::Text),
        ("at", Kind::Int),
        ("data", Kind::Bytes),
    ];
    let (mut planned, mut gone) = (Set::new("k", &columns), Set::new("k", &columns[..5]));
    for ((merchant, member, installation, cause, key), wake) in last {
        match &wake.planned {
            Some((at, data)) => planned.push([
                merchant.into(),
                member.into(),
                installation.into(),
                cause.into(),
                key.into(),
                (*at).into(),
                data.into(),
            ]),
            None => gone.push([merchant.into(), member.into(), installation.into(), cause.into(), key.into()]),
        }
    }
    tx.run(
        "delete from wakes where (merchant_id, member_id, installation_id, cause, wake_key) in
             (select k.merchant_id, coalesce(m.merged_into, m.member_id), k.installation_id, k.cause, k.wake_key
              from {k} join members m on m.merchant_id = k.merchant_id and m.member_id = k.member_id)",
        &[],
        &[&gone],
    )
    .await?;
    // Whoever brought somebody may have become one with another since, or be forgotten.
    tx.run(
        "insert into wakes (merchant_id, member_id, installation_id, cause, wake_key, at, data)
         select k.merchant_id, coalesce(m.merged_into, m.member_id), k.installation_id, k.cause, k.wake_key, k.at, k.data
         from {k} join members m on m.merchant_id = k.merchant_id and m.member_id = k.member_id
         where m.forgotten_at is null
         on conflict (merchant_id, member_id, installation_id, cause, wake_key)
         do update set at = excluded.at, data = excluded.data, attempts = 0, not_before = 0",
        &[],
        &[&planned],
    )
    .await?;
    Ok(())
}

/// A task that is there already is not opened again, nor one like an open one.
pub(super) async fn tasks(tx: &mut Tx, settlements: &[Settlement]) -> Result<(), StoreError> {
    let mut rows = Set::new(
        "k",
        &[
            ("merchant_id", Kind::Text),
            ("task_id", Kind::Text),
            ("installation_id", Kind::Text),
            ("member_id", Kind::Text),
            ("task_key", Kind::Text),
            ("title", Kind::Text),
            ("body", Kind::Text),
            ("opened_at", Kind::Int),
        ],
    );
    for settlement in settlements {
        for task in &settlement.tasks {
            rows.push([
                (&settlement.merchant).into(),
                (&task.id).into(),
                (&task.installation).into(),
                task.member.as_ref().into(),
                (&task.key).into(),
                (&task.title).into(),
                (&task.text).into(),
                task.at.into(),
            ]);
        }
    }
    let opened = tx
        .rows(
            "insert into tasks (merchant_id, task_id, installation_id, member_id, task_key, title, body, state, opened_at)
         select k.merchant_id, k.task_id, k.installation_id, k.member_id, k.task_key, k.title, k.body, 'open', k.opened_at
         from {k}
         where not exists (select 1 from tasks t
                           where t.merchant_id = k.merchant_id and t.state = 'open' and t.member_id = k.member_id
                                 and t.installation_id = k.installation_id and t.task_key = k.task_key)
         on conflict (merchant_id, task_id) do nothing returning task_id",
            &[],
            &[&rows],
        )
        .await?;
    let opened = opened.iter().map(|row| row.get("task_id")).collect::<Result<BTreeSet<String>, _>>()?;
    let mut told: BTreeMap<&str, &NewTask> = BTreeMap::new();
    for task in settlements.iter().flat_map(|settlement| &settlement.tasks).filter(|task| opened.contains(&task.id)) {
        told.entry(task.id.as_str()).or_insert(task);
    }
    super::outbox::insert(tx, told.values().flat_map(|task| &task.deliveries)).await
}

pub(super) async fn questions(tx: &mut Tx, settlements: &[Settlement]) -> Result<(), StoreError> {
    let mut rows = Set::new(
        "k",
        &[
            ("merchant_id", Kind::Text),
            ("question_id", Kind::Text),
            ("member_id", Kind::Text),
            ("installation_id", Kind::Text),
            ("question_key", Kind::Text),
            ("scale", Kind::Text),
            ("locale", Kind::Text),
            ("asked_at", Kind::Int),
            ("expires_at", Kind::Int),
        ],
    );
    let columns = [("merchant_id", Kind::Text), ("question_id", Kind::Text), ("at", Kind::Int)];
    let mut answered = Set::new("k", &columns);
    for settlement in settlements {
        for question in &settlement.questions {
            rows.push([
                (&settlement.merchant).into(),
                (&question.id).into(),
                (&question.member).into(),
                (&question.installation).into(),
                (&question.key).into(),
                question.scale.as_str().into(),
                (&question.locale).into(),
                question.asked_at.into(),
                question.expires_at.into(),
            ]);
        }
        if let Some(question) = &settlement.answered {
            answered.push([(&settlement.merchant).into(), question.into(), settlement.at.into()]);
        }
    }
    tx.run(
        "insert into questions (merchant_id, question_id, member_id, installation_id, question_key, scale, locale, asked_at,
                                expires_at)
         select k.merchant_id, k.question_id, k.member_id, k.installation_id, k.question_key, k.scale, k.locale, k.asked_at,
                k.expires_at
         from {k}",
        &[],
        &[&rows],
    )
    .await?;
    tx.run(
        "update questions set answered_at = k.at
         from {k} where questions.merchant_id = k.merchant_id and questions.question_id = k.question_id",
        &[],
        &[&answered],
    )
    .await?;
    Ok(())
}
