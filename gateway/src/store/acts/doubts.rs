//! "These two may be one person": the merchant's task for two members whom one arrival names, once for every pair, for ever.

use super::admit::Draft;
use super::identify::Doubt;
use super::outbox;
use crate::store::StoreError;
use crate::store::engine::{Kind, Set, Tx};
use perkgate_domain::delivery::{Delivery, DeliveryState};
use perkgate_domain::ids::{ChannelId, DeliveryId, EntryId, MemberId, derive};
use std::collections::{BTreeMap, BTreeSet};

/// Opens the tasks that are not there yet, open or closed, and tells the merchant of them.
pub(super) async fn open(tx: &mut Tx, drafts: &[Draft<'_>], doubts: &[Doubt]) -> Result<(), StoreError> {
    let mut tasks: BTreeMap<String, (EntryId, &Draft<'_>, &Doubt)> = BTreeMap::new();
    for doubt in doubts.iter().filter(|doubt| doubt.one != doubt.other) {
        let draft = &drafts[doubt.draft];
        let mut pair = [doubt.one.as_str(), doubt.other.as_str()];
        pair.sort_unstable();
        let id = derive("tsk", &["one-person", &draft.key.0, pair[0], pair[1]]);
        if let Some(entry) = draft.id.or(draft.claims) {
            tasks.entry(id).or_insert((entry, draft, doubt));
        }
    }
    let columns = [
        ("merchant_id", Kind::Text),
        ("task_id", Kind::Text),
        ("member_id", Kind::Text),
        ("task_key", Kind::Text),
        ("title", Kind::Text),
        ("body", Kind::Text),
        ("opened_at", Kind::Int),
    ];
    let (mut rows, mut told) = (Set::new("k", &columns), BTreeMap::new());
    for (id, (entry, draft, doubt)) in &tasks {
        let Some(task) = &draft.entry.doubt else { continue };
        let mut message = task.message.clone();
        message.text = message.text.replace("{one}", doubt.one.as_str()).replace("{other}", doubt.other.as_str());
        rows.push([
            (&draft.key.0).into(),
            id.into(),
            (&doubt.one).into(),
            (&message.key).into(),
            (&message.subject).into(),
            (&message.text).into(),
            draft.admission.received_at.into(),
        ]);
        let delivery = |channel: &ChannelId| Delivery {
            id: DeliveryId::new(derive("dlv", &[id, channel.as_str()])),
            merchant: draft.admission.merchant.clone(),
            channel: channel.clone(),
            entry: *entry,
            installation: "".into(),
            member: MemberId::new(""),
            message: message.clone(),
            state: DeliveryState::Due,
            note: None,
            created_at: draft.admission.received_at,
        };
        told.insert(id.clone(), task.channels.iter().map(delivery).collect::<Vec<_>>());
    }
    let opened = tx
        .rows(
            "insert into tasks (merchant_id, task_id, installation_id, member_id, task_key, title, body, state, opened_at)
             select k.merchant_id, k.task_id, '', k.member_id, k.task_key, k.title, k.body, 'open', k.opened_at
             from {k} where true on conflict (merchant_id, task_id) do nothing returning task_id",
            &[],
            &[&rows],
        )
        .await?;
    let opened = opened.iter().map(|row| row.get("task_id")).collect::<Result<BTreeSet<String>, _>>()?;
    let news = told.iter().filter(|(id, _)| opened.contains(*id)).flat_map(|(_, deliveries)| deliveries);
    outbox::insert(tx, news).await
}
