//! From what arrivals say to entries: deduped for ever by (source, kind, external id), given to a member, queued or parked.

use super::entries::{
    claim_by_receipt, claim_entries, enqueue, find_purchases, give_to_members, insert_entries, join_unclaimed,
};
use super::rows::{digest, word};
use super::{doubts, erase, identify};
use crate::store::engine::{Cell, Dialect, Engine, Kind as Column, Set, Tx};
use crate::store::{Admission, AdmissionResult, NewEntry, StoreError};
use perkgate_domain::event::Kind;
use perkgate_domain::ids::{Digest, EntryId, MemberId};
use perkgate_domain::plan::{EntryState, QueuedEntry};
use std::collections::{BTreeSet, HashMap};

/// Merchant, source, kind, external id.
pub(super) type EntryKey = (String, String, &'static str, String);
/// Merchant, kind of key, its hash.
pub(super) type KnownKey = (String, &'static str, [u8; 32]);

/// A new entry on its way into the table.
pub(super) struct Draft<'a> {
    pub(super) admission: &'a Admission,
    pub(super) entry: &'a NewEntry,
    pub(super) key: EntryKey,
    pub(super) member: Option<MemberId>,
    pub(super) purchase_entry: Option<EntryId>,
    /// The entry that waited for this: a repetition that names the member an earlier one did not.
    pub(super) claims: Option<EntryId>,
    /// Its number, once it is in the table.
    pub(super) id: Option<EntryId>,
    pub(super) state: EntryState,
    pub(super) cause: Option<&'static str>,
}

/// An entry as it is in the table already.
#[derive(Clone, Copy)]
pub(super) struct Known {
    pub(super) entry: EntryId,
    /// Of what was told of it.
    pub(super) told: Digest,
    pub(super) unclaimed: bool,
}

/// How one arrival ends.
struct Ending {
    state: &'static str,
    note: Option<String>,
    /// Keys of the entries it speaks of; the first becomes its link.
    first: Option<EntryKey>,
}

pub(in crate::store) async fn admit(
    engine: &Engine,
    admissions: &[Admission],
    lease_ms: i64,
) -> Result<Vec<QueuedEntry>, StoreError> {
    let mut tx = engine.write().await?;
    serialise(&mut tx, admissions).await?;
    let admissions = still_unread(&mut tx, admissions).await?;
    let keys: Vec<EntryKey> = spoken(&admissions).map(|(admission, entry)| entry_key(admission, entry)).collect();
    let mut known = existing(&mut tx, &keys).await?;
    let (mut drafts, endings) = sort_out(&admissions, &known);
    // Before anything is written, so that this waits for settlements and never they for it.
    let purchases = find_purchases(&mut tx, &drafts).await?;
    let doubts = identify::resolve(&mut tx, &mut drafts).await?;
    give_to_members(&mut drafts, &purchases);
    insert_entries(&mut tx, &mut drafts, &mut known).await?;
    doubts::open(&mut tx, &drafts, &doubts).await?;
    let ready = enqueue(&mut tx, &drafts, lease_ms).await?;
    join_unclaimed(&mut tx, &drafts).await?;
    claim_entries(&mut tx, &drafts).await?;
    claim_by_receipt(&mut tx, &drafts).await?;
    end_arrivals(&mut tx, &admissions, &endings, &known).await?;
    let unread = endings.iter().zip(&admissions).filter(|(ending, _)| ending.state != "read" && ending.state != "new");
    erase::look_again(&mut tx, unread.map(|(_, admission)| (admission.merchant.as_str(), admission.arrival))).await?;
    let again = endings.iter().zip(&admissions).filter(|(ending, _)| ending.note.is_some() && ending.first.is_some());
    let about = drafts.iter().filter(|draft| draft.purchase_entry.is_some() || draft.entry.member.is_some());
    let about = about.map(|draft| draft.admission.arrival);
    erase::late(&mut tx, again.map(|(_, admission)| admission.arrival).chain(about)).await?;
    tx.commit().await?;
    Ok(ready)
}

/// One process at a time admits for a merchant, so that no two make one entry, member or key. SQLite has one writer anyway.
async fn serialise(tx: &mut Tx, admissions: &[Admission]) -> Result<(), StoreError> {
    if tx.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    let merchants: BTreeSet<&str> = admissions.iter().map(|admission| admission.merchant.as_str()).collect();
    let mut set = Set::new("k", &[("merchant_id", Column::Text)]);
    for merchant in merchants {
        set.push([merchant.into()]);
    }
    // In the order of their names, so that two processes never wait for each other.
    tx.run(
        "select pg_advisory_xact_lock(1347110740, hashtext(k.merchant_id)) from (select * from {k} order by hashtext(merchant_id)) k",
        &[],
        &[&set],
    )
    .await?;
    Ok(())
}

/// What nobody else has read meanwhile: a lease may have run out.
async fn still_unread<'a>(tx: &mut Tx, admissions: &'a [Admission]) -> Result<Vec<&'a Admission>, StoreError> {
    let ids = Set::of_ids("k", admissions.iter().map(|admission| admission.arrival.0));
    let rows = tx.rows("select i.arrival_id from {k} join inbox i on i.arrival_id = k.id", &[], &[&ids]).await?;
    let unread = rows.iter().map(|row| row.get("arrival_id")).collect::<Result<BTreeSet<i64>, _>>()?;
    Ok(admissions.iter().filter(|admission| unread.contains(&admission.arrival.0)).collect())
}

fn spoken<'a>(admissions: &'a [&'a Admission]) -> impl Iterator<Item = (&'a Admission, &'a NewEntry)> {
    admissions.iter().flat_map(|&admission| match &admission.result {
        AdmissionResult::Entries(entries) => entries.iter().map(|entry| (admission, entry)).collect(),
        _ => Vec::new(),
    })
}

fn entry_key(admission: &Admission, entry: &NewEntry) -> EntryKey {
    let kind = entry.event.kind().as_str();
    (admission.merchant.to_string(), admission.source.to_string(), kind, entry.event.external_id().to_owned())
}

async fn existing(tx: &mut Tx, keys: &[EntryKey]) -> Result<HashMap<EntryKey, Known>, StoreError> {
    let rows = tx
        .rows(
            "select e.entry_id, e.merchant_id, e.source_id, e.kind, e.external_id, coalesce(e.told, e.digest) as told, w.state
             from {k} join entries e on e.merchant_id = k.merchant_id and e.source_id = k.source_id
                  and e.kind = k.kind and e.external_id = k.external_id
             left join waiting w on w.entry_id = e.entry_id",
            &[],
            &[&key_set(keys.iter())],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let kind = word("kind", row.get("kind")?, Kind::parse)?.as_str();
            let key = (row.get("merchant_id")?, row.get("source_id")?, kind, row.get("external_id")?);
            let unclaimed = row.get::<Option<&str>>("state")? == Some(EntryState::Unclaimed.as_str());
            Ok((key, Known { entry: EntryId(row.get("entry_id")?), told: digest(row, "told")?, unclaimed }))
        })
        .collect()
}

pub(super) fn key_set<'a>(keys: impl Iterator<Item = &'a EntryKey>) -> Set {
    let columns = [
        ("merchant_id", Column::Text),
        ("source_id", Column::Text),
        ("kind", Column::Text),
        ("external_id", Column::Text),
    ];
    let mut set = Set::new("k", &columns);
    for (merchant, source, kind, id) in keys {
        set.push([merchant.into(), source.into(), (*kind).into(), id.into()]);
    }
    set
}

/// New entries become drafts; repetitions and contradictions become the arrival's note. Also within the batch.
fn sort_out<'a>(admissions: &[&'a Admission], known: &HashMap<EntryKey, Known>) -> (Vec<Draft<'a>>, Vec<Ending>) {
    let mut drafts: Vec<Draft<'a>> = Vec::new();
    let mut seen: HashMap<EntryKey, Digest> = known.iter().map(|(key, known)| (key.clone(), known.told)).collect();
    let mut unclaimed: HashMap<EntryKey, EntryId> =
        known.iter().filter(|(_, known)| known.unclaimed).map(|(key, known)| (key.clone(), known.entry)).collect();
    // The same within the batch: places of drafts that name nobody.
    let mut nameless: HashMap<EntryKey, usize> = HashMap::new();
    let endings = admissions
        .iter()
        .map(|&admission| match &admission.result {
            AdmissionResult::Entries(entries) => {
                let note = entries.iter().find_map(|entry| entry.note.clone());
                let mut ending = Ending { state: "read", note, first: None };
                for entry in entries {
                    let key = entry_key(admission, entry);
                    ending.first.get_or_insert_with(|| key.clone());
                    match seen.get(&key) {
                        None => {
                            seen.insert(key.clone(), entry.told);
                            if entry.keys.is_empty() {
                                nameless.insert(key.clone(), drafts.len());
                            }
                            drafts.push(draft(admission, entry, key, None));
                        }
                        Some(told) if *told == entry.told && !entry.keys.is_empty() && unclaimed.contains_key(&key) => {
                            ending.note = Some(format!("says who made {} {}", key.2, key.3));
                            let claims = unclaimed.remove(&key);
                            drafts.push(draft(admission, entry, key, claims));
                        }
                        Some(told) if *told == entry.told && !entry.keys.is_empty() && nameless.contains_key(&key) => {
                            ending.note = Some(format!("says who made {} {}", key.2, key.3));
                            if let Some(draft) = nameless.remove(&key).and_then(|place| drafts.get_mut(place)) {
                                draft.entry = entry;
                                draft.state = first_state(entry);
                            }
                        }
                        Some(told) if *told == entry.told => {
                            ending.note.get_or_insert_with(|| format!("{} {} was known already", key.2, key.3));
                        }
                        Some(_) => {
                            ending.state = "conflict";
                            ending.note =
                                Some(format!("says something else of {} {} than what was taken before", key.2, key.3));
                        }
                    }
                }
                ending
            }
            AdmissionResult::Nothing(note) => Ending { state: "nothing", note: Some(note.clone()), first: None },
            AdmissionResult::Test(note) => Ending { state: "test", note: Some(note.clone()), first: None },
            AdmissionResult::Parked(note) => Ending { state: "parked", note: Some(note.clone()), first: None },
            AdmissionResult::Asking(_) => {
                Ending { state: "new", note: Some("the platform is asked for the rest".to_owned()), first: None }
            }
            AdmissionResult::Later(note, _) => Ending { state: "new", note: Some(note.clone()), first: None },
        })
        .collect();
    (drafts, endings)
}

fn draft<'a>(admission: &'a Admission, entry: &'a NewEntry, key: EntryKey, claims: Option<EntryId>) -> Draft<'a> {
    Draft {
        admission,
        entry,
        key,
        member: None,
        purchase_entry: None,
        claims,
        id: None,
        state: first_state(entry),
        cause: None,
    }
}

/// What names nobody waits for a telling that does, and not in the queue: named while it is there, it would be settled as nobody's by
/// whoever holds it already. (A refund is its purchase's member's.)
fn first_state(entry: &NewEntry) -> EntryState {
    let nobody = entry.keys.is_empty() && entry.member.is_none() && entry.event.purchase_id().is_none();
    if nobody { EntryState::Unclaimed } else { EntryState::Queued }
}

async fn end_arrivals(
    tx: &mut Tx,
    admissions: &[&Admission],
    endings: &[Ending],
    known: &HashMap<EntryKey, Known>,
) -> Result<(), StoreError> {
    let mut read = Set::new(
        "k",
        &[
            ("arrival_id", Column::Int),
            ("merchant_id", Column::Text),
            ("state", Column::Text),
            ("note", Column::Text),
            ("entry_id", Column::Int),
            ("fetched", Column::Bytes),
        ],
    );
    let mut later = Set::new(
        "k",
        &[("arrival_id", Column::Int), ("failed", Column::Int), ("not_before", Column::Int), ("note", Column::Text)],
    );
    for (admission, ending) in admissions.iter().zip(endings) {
        match &admission.result {
            AdmissionResult::Later(_, at) => {
                later.push([admission.arrival.into(), Cell::Int(1), (*at).into(), ending.note.as_ref().into()]);
            }
            AdmissionResult::Asking(at) => {
                later.push([admission.arrival.into(), Cell::Int(0), (*at).into(), ending.note.as_ref().into()]);
            }
            _ => {
                let entry = ending.first.as_ref().and_then(|key| known.get(key)).map(|known| known.entry);
                read.push([
                    admission.arrival.into(),
                    (&admission.merchant).into(),
                    ending.state.into(),
                    ending.note.as_ref().into(),
                    entry.into(),
                    admission.fetched.as_ref().into(),
                ]);
            }
        }
    }
    // What was fetched before and not again stays with the arrival.
    tx.run(
        "insert into readings (arrival_id, merchant_id, state, note, entry_id, fetched)
         select k.arrival_id, k.merchant_id, k.state, k.note, k.entry_id, coalesce(k.fetched, i.fetched)
         from {k} join inbox i on i.arrival_id = k.arrival_id",
        &[],
        &[&read],
    )
    .await?;
    tx.run("delete from inbox where arrival_id in (select k.arrival_id from {k})", &[], &[&read]).await?;
    tx.run(
        "update inbox set attempts = attempts + k.failed, not_before = k.not_before, note = k.note, leased_until = 0
         from {k} where inbox.arrival_id = k.arrival_id",
        &[],
        &[&later],
    )
    .await?;
    Ok(())
}
