//! What proving decisions reads: page by page what was decided, with what it was decided about.

use super::rows::document;
use crate::store::engine::{Cell, Engine, Row, Set, Tx};
use crate::store::{DecidedRow, StoreError, ToldRow};
use perkgate_domain::event::Kind;
use perkgate_domain::ids::{EntryId, InstallationId, MerchantId};
use perkgate_domain::plan::About;
use serde::Deserialize;
use std::collections::{BTreeSet, HashMap};

/// Of a decision record no more than what it was about.
#[derive(Deserialize)]
struct Subject {
    #[serde(default)]
    about: Option<About>,
}

pub(in crate::store) async fn decided(
    engine: &Engine,
    after: EntryId,
    merchant: Option<&MerchantId>,
    most: usize,
) -> Result<Vec<DecidedRow>, StoreError> {
    // The empty name is nobody's: every merchant.
    let only = merchant.map_or("", MerchantId::as_str);
    let mut tx = engine.read().await?;
    let rows = tx
        .rows(
            "select d.entry_id, d.merchant_id, d.document as decisions, d.digest as sealed, d.emptied,
                    e.source_id, e.kind, e.document, e.digest
             from decisions d left join entries e on e.entry_id = d.entry_id and e.merchant_id = d.merchant_id
             where d.entry_id > $1 and ($2 = '' or d.merchant_id = $2) order by d.entry_id limit $3",
            &[after.into(), only.into(), limit(most)],
            &[],
        )
        .await?;
    let mut subjects: HashMap<EntryId, EntryId> = HashMap::new();
    for row in &rows {
        if row.get::<Option<&str>>("kind")? == Some(Kind::Refund.as_str()) {
            // One that does not read back is found by whoever reads all of it.
            let records: Vec<Subject> = document("decisions", row.get("decisions")?).unwrap_or_default();
            let told = records.into_iter().find_map(|record| match record.about {
                Some(About::Purchase(told_by)) => Some(told_by),
                _ => None,
            });
            subjects.extend(told.map(|told_by| (EntryId(row.get("entry_id").unwrap_or_default()), told_by)));
        }
    }
    let purchases = purchases(&mut tx, &subjects).await?;
    tx.commit().await?;
    rows.iter().map(|row| decided_row(row, &subjects, &purchases)).collect()
}

/// The documents of the entries that tell purchases, with whose they are.
async fn purchases(
    tx: &mut Tx,
    subjects: &HashMap<EntryId, EntryId>,
) -> Result<HashMap<EntryId, (MerchantId, String)>, StoreError> {
    let wanted: BTreeSet<i64> = subjects.values().map(|told_by| told_by.0).collect();
    let statement = "select e.entry_id, e.merchant_id, e.document from {k} join entries e on e.entry_id = k.id";
    let rows = tx.rows(statement, &[], &[&Set::of_ids("k", wanted)]).await?;
    rows.iter()
        .map(|row| {
            let told = (row.get::<&str>("merchant_id")?.into(), row.get("document")?);
            Ok((EntryId(row.get("entry_id")?), told))
        })
        .collect()
}

fn decided_row(
    row: &Row,
    subjects: &HashMap<EntryId, EntryId>,
    purchases: &HashMap<EntryId, (MerchantId, String)>,
) -> Result<DecidedRow, StoreError> {
    let (entry, merchant) = (EntryId(row.get("entry_id")?), MerchantId::from(row.get::<&str>("merchant_id")?));
    let told = match row.get::<Option<&str>>("source_id")? {
        Some(source) => {
            Some(ToldRow { source: source.into(), document: row.get("document")?, digest: row.get("digest")? })
        }
        None => None,
    };
    let purchase = subjects.get(&entry).and_then(|told_by| purchases.get(told_by));
    let purchase = purchase.filter(|(owner, _)| *owner == merchant).map(|(_, document)| document.clone());
    let (document, digest) = (row.get("decisions")?, row.get("sealed")?);
    let emptied = row.get::<i64>("emptied")? != 0;
    Ok(DecidedRow { entry, merchant, told, purchase, document, digest, emptied })
}

pub(in crate::store) async fn undecided(
    engine: &Engine,
    merchant: Option<&MerchantId>,
    most: usize,
) -> Result<Vec<(MerchantId, EntryId, InstallationId)>, StoreError> {
    let only = merchant.map_or("", MerchantId::as_str);
    let rows = engine
        .rows(
            "select distinct l.merchant_id, l.entry_id, l.installation_id
             from lots l left join decisions d on d.entry_id = l.entry_id and d.merchant_id = l.merchant_id
             where ($1 = '' or l.merchant_id = $1) and d.entry_id is null
             order by l.entry_id, l.merchant_id, l.installation_id limit $2",
            &[only.into(), limit(most)],
            &[],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let installation = row.get::<&str>("installation_id")?.into();
            Ok((row.get::<&str>("merchant_id")?.into(), EntryId(row.get("entry_id")?), installation))
        })
        .collect()
}

fn limit(most: usize) -> Cell<'static> {
    i64::try_from(most).unwrap_or(i64::MAX).into()
}
