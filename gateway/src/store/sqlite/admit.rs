//! From what arrivals say to entries: deduped for ever by (source, kind, external id), given to a member, queued or parked.

use super::rows::{json, set};
use crate::store::{Admission, AdmissionResult, NewEntry, StoreError};
use perkgate_domain::ids::{Digest, EntryId, MemberId, derive};
use perkgate_domain::plan::EntryState;
use perkgate_domain::purchase::{Event, Kind};
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Merchant, source, kind, external id.
type EntryKey = (String, String, &'static str, String);
/// Merchant, kind of key, its hash.
type KnownKey = (String, &'static str, String);

/// A new entry on its way into the table.
struct Draft<'a> {
    admission: &'a Admission,
    entry: &'a NewEntry,
    key: EntryKey,
    member: Option<MemberId>,
    purchase_entry: Option<EntryId>,
    /// The entry that waited for this: a repetition that names the member an earlier one did not.
    claims: Option<EntryId>,
    state: EntryState,
    cause: Option<&'static str>,
}

/// An entry as it is in the table already.
#[derive(Clone, Copy)]
struct Known {
    entry: EntryId,
    digest: Digest,
    unclaimed: bool,
}

/// How one arrival ends.
struct Ending {
    state: &'static str,
    note: Option<String>,
    /// Keys of the entries it speaks of; the first becomes its link.
    first: Option<EntryKey>,
}

pub(super) async fn admit(pool: &SqlitePool, admissions: &[Admission]) -> Result<(), StoreError> {
    let mut tx = pool.begin_with("begin immediate").await?;
    let keys: Vec<EntryKey> = spoken(admissions).map(|(admission, entry)| entry_key(admission, entry)).collect();
    let mut known = existing(&mut tx, &keys).await?;
    let (mut drafts, endings) = sort_out(admissions, &known);
    resolve_members(&mut tx, &mut drafts).await?;
    find_purchases(&mut tx, &mut drafts).await?;
    insert_entries(&mut tx, &drafts).await?;
    claim_entries(&mut tx, &drafts).await?;
    known = existing(&mut tx, &keys).await?;
    end_arrivals(&mut tx, admissions, &endings, &known).await?;
    tx.commit().await?;
    Ok(())
}

fn spoken(admissions: &[Admission]) -> impl Iterator<Item = (&Admission, &NewEntry)> {
    admissions.iter().flat_map(|admission| match &admission.result {
        AdmissionResult::Entries(entries) => entries.iter().map(|entry| (admission, entry)).collect(),
        _ => Vec::new(),
    })
}

fn entry_key(admission: &Admission, entry: &NewEntry) -> EntryKey {
    let kind = entry.event.kind().as_str();
    (admission.merchant.to_string(), admission.source.to_string(), kind, entry.event.external_id().to_owned())
}

async fn existing(tx: &mut SqliteConnection, keys: &[EntryKey]) -> Result<HashMap<EntryKey, Known>, StoreError> {
    let rows = sqlx::query(
        "select e.entry_id, e.merchant_id, e.source_id, e.kind, e.external_id, e.digest, e.state
         from json_each($1) k join entries e on e.merchant_id = k.value ->> 0 and e.source_id = k.value ->> 1
              and e.kind = k.value ->> 2 and e.external_id = k.value ->> 3",
    )
    .bind(set(keys)?)
    .fetch_all(tx)
    .await?;
    rows.iter()
        .map(|row| {
            let kind = super::rows::word("kind", row.try_get("kind")?, Kind::parse)?.as_str();
            let key = (row.try_get("merchant_id")?, row.try_get("source_id")?, kind, row.try_get("external_id")?);
            let known = Known {
                entry: EntryId(row.try_get("entry_id")?),
                digest: super::rows::digest(row, "digest")?,
                unclaimed: row.try_get::<&str, _>("state")? == EntryState::Unclaimed.as_str(),
            };
            Ok((key, known))
        })
        .collect()
}

/// New entries become drafts; repetitions and contradictions become the arrival's note. Also within the batch.
fn sort_out<'a>(admissions: &'a [Admission], known: &HashMap<EntryKey, Known>) -> (Vec<Draft<'a>>, Vec<Ending>) {
    let mut drafts: Vec<Draft<'a>> = Vec::new();
    let mut seen: HashMap<EntryKey, Digest> = known.iter().map(|(key, known)| (key.clone(), known.digest)).collect();
    let mut unclaimed: HashMap<EntryKey, EntryId> =
        known.iter().filter(|(_, known)| known.unclaimed).map(|(key, known)| (key.clone(), known.entry)).collect();
    let endings = admissions
        .iter()
        .map(|admission| match &admission.result {
            AdmissionResult::Entries(entries) => {
                let mut ending = Ending { state: "read", note: None, first: None };
                for entry in entries {
                    let key = entry_key(admission, entry);
                    ending.first.get_or_insert_with(|| key.clone());
                    match seen.get(&key) {
                        None => {
                            seen.insert(key.clone(), entry.digest);
                            drafts.push(draft(admission, entry, key, None));
                        }
                        Some(digest)
                            if *digest == entry.digest && !entry.keys.is_empty() && unclaimed.contains_key(&key) =>
                        {
                            ending.note = Some(format!("says who made {} {}", key.2, key.3));
                            let claims = unclaimed.remove(&key);
                            drafts.push(draft(admission, entry, key, claims));
                        }
                        Some(digest) if *digest == entry.digest => {
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
    Draft { admission, entry, key, member: None, purchase_entry: None, claims, state: EntryState::Queued, cause: None }
}

/// Gives each draft with a key its member: the one its strongest known key belongs to, or a new one. Keys that nobody has yet
/// become the member's; keys of somebody else stay theirs (joining two members is an act of its own).
async fn resolve_members(tx: &mut SqliteConnection, drafts: &mut [Draft<'_>]) -> Result<(), StoreError> {
    let hashed = |merchant: &str, key: &perkgate_domain::member::MemberKey| -> KnownKey {
        (merchant.to_owned(), key.kind.as_str(), hex::encode(key.hash))
    };
    let wanted: Vec<KnownKey> =
        drafts.iter().flat_map(|draft| draft.entry.keys.iter().map(|key| hashed(&draft.key.0, key))).collect();
    let mut owners = key_owners(tx, &wanted).await?;
    let (mut new_members, mut updates, mut new_keys, mut contacts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for draft in drafts.iter_mut().filter(|draft| !draft.entry.keys.is_empty()) {
        let keys: Vec<KnownKey> = draft.entry.keys.iter().map(|key| hashed(&draft.key.0, key)).collect();
        let entry = draft.entry;
        let member = if let Some(member) = keys.iter().find_map(|key| owners.get(key)) {
            updates.push((draft.key.0.clone(), member.to_string(), entry.locale.clone(), entry.consent.map(i64::from)));
            member.clone()
        } else {
            let member = MemberId::new(derive("mem", &[&draft.key.0, &draft.key.1, draft.key.2, &draft.key.3]));
            new_members.push((
                draft.key.0.clone(),
                member.to_string(),
                entry.event.at().0,
                entry.locale.clone(),
                i64::from(entry.consent.unwrap_or(false)),
            ));
            member
        };
        for key in keys {
            if let Entry::Vacant(free) = owners.entry(key) {
                let key = free.key();
                new_keys.push((key.0.clone(), key.1, key.2.clone(), member.to_string()));
                free.insert(member.clone());
            }
        }
        for field in &entry.contact {
            contacts.push((draft.key.0.clone(), member.to_string(), field.field.clone(), hex::encode(&field.sealed)));
        }
        draft.member = Some(member);
    }
    write_members(tx, &set(&new_members)?, &set(&updates)?, &set(&new_keys)?, &set(&contacts)?).await
}

async fn key_owners(tx: &mut SqliteConnection, wanted: &[KnownKey]) -> Result<HashMap<KnownKey, MemberId>, StoreError> {
    let rows = sqlx::query(
        "select m.merchant_id, m.kind, lower(hex(m.hash)) as hash, m.member_id
         from json_each($1) k join member_keys m
         on m.merchant_id = k.value ->> 0 and m.kind = k.value ->> 1 and m.hash = unhex(k.value ->> 2)",
    )
    .bind(set(wanted)?)
    .fetch_all(tx)
    .await?;
    rows.iter()
        .map(|row| {
            let kind = super::rows::word("key kind", row.try_get("kind")?, perkgate_domain::member::KeyKind::parse)?;
            let key = (row.try_get("merchant_id")?, kind.as_str(), row.try_get("hash")?);
            Ok((key, row.try_get::<&str, _>("member_id")?.into()))
        })
        .collect()
}

async fn write_members(
    tx: &mut SqliteConnection,
    new_members: &str,
    updates: &str,
    new_keys: &str,
    contacts: &str,
) -> Result<(), StoreError> {
    let statements = [
        ("insert into members (merchant_id, member_id, version, joined_at, locale, consent, visits, spent, tags, chain)
          select value ->> 0, value ->> 1, 0, value ->> 2, value ->> 3, value ->> 4, 0, 0, '[]', zeroblob(32)
          from json_each($1)", new_members),
        ("update members set locale = coalesce(k.value ->> 2, locale), consent = coalesce(k.value ->> 3, consent)
          from json_each($1) k where merchant_id = k.value ->> 0 and member_id = k.value ->> 1", updates),
        ("insert into member_keys (merchant_id, kind, hash, member_id)
          select value ->> 0, value ->> 1, unhex(value ->> 2), value ->> 3 from json_each($1)", new_keys),
        ("insert into contacts (merchant_id, member_id, field, sealed)
          select value ->> 0, value ->> 1, value ->> 2, unhex(value ->> 3) from json_each($1) where true
          on conflict do update set sealed = excluded.sealed", contacts),
    ];
    for (statement, rows) in statements {
        if rows != "[]" {
            sqlx::query(statement).bind(rows).execute(&mut *tx).await?;
        }
    }
    Ok(())
}

/// A refund goes to its purchase's member once the purchase is settled; until then it is parked, and the purchase's settlement
/// wakes it.
async fn find_purchases(tx: &mut SqliteConnection, drafts: &mut [Draft<'_>]) -> Result<(), StoreError> {
    let wanted: Vec<_> = drafts
        .iter()
        .filter_map(|draft| match &draft.entry.event {
            Event::Refund(refund) => Some((&draft.key.0, &draft.key.1, &refund.purchase)),
            _ => None,
        })
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let rows = sqlx::query(
        "select e.entry_id, e.merchant_id, e.source_id, e.external_id, e.member_id, e.state
         from json_each($1) k join entries e on e.merchant_id = k.value ->> 0 and e.source_id = k.value ->> 1
              and e.kind = 'purchase' and e.external_id = k.value ->> 2",
    )
    .bind(set(&wanted)?)
    .fetch_all(tx)
    .await?;
    let mut purchases = HashMap::new();
    for row in &rows {
        let key: (String, String, String) =
            (row.try_get("merchant_id")?, row.try_get("source_id")?, row.try_get("external_id")?);
        let member: Option<String> = row.try_get("member_id")?;
        purchases.insert(key, (EntryId(row.try_get("entry_id")?), member, row.try_get::<String, _>("state")?));
    }
    for draft in drafts {
        let Event::Refund(refund) = &draft.entry.event else { continue };
        let found = purchases.get(&(draft.key.0.clone(), draft.key.1.clone(), refund.purchase.clone()));
        if let Some((entry, member, state)) = found {
            draft.purchase_entry = Some(*entry);
            draft.member = member.as_deref().map(Into::into);
            if state == EntryState::Settled.as_str() || state == EntryState::Unclaimed.as_str() {
                continue;
            }
        }
        draft.state = EntryState::Parked;
        draft.cause = Some("waits for its purchase");
    }
    Ok(())
}

async fn insert_entries(tx: &mut SqliteConnection, drafts: &[Draft<'_>]) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(drafts.len());
    for draft in drafts.iter().filter(|draft| draft.claims.is_none()) {
        let (reference, purchase) = match &draft.entry.event {
            Event::Purchase(purchase) => (purchase.reference.as_ref(), None),
            Event::Refund(refund) => (None, Some(&refund.purchase)),
            Event::Join(_) => (None, None),
        };
        rows.push((
            (&draft.key, reference, draft.admission.arrival.0, draft.member.as_ref(), purchase),
            (
                draft.purchase_entry,
                json("event", &draft.entry.event)?,
                hex::encode(draft.entry.digest.as_bytes()),
                draft.entry.event.at().0,
                draft.state.as_str(),
                draft.cause,
            ),
        ));
    }
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into entries (merchant_id, source_id, kind, external_id, reference, arrival_id, member_id, purchase_id,
                              purchase_entry, document, digest, happened_at, state, cause)
         select value ->> '$[0][0][0]', value ->> '$[0][0][1]', value ->> '$[0][0][2]', value ->> '$[0][0][3]',
                value ->> '$[0][1]', value ->> '$[0][2]', value ->> '$[0][3]', value ->> '$[0][4]',
                value ->> '$[1][0]', value ->> '$[1][1]', unhex(value ->> '$[1][2]'), value ->> '$[1][3]', value ->> '$[1][4]',
                value ->> '$[1][5]'
         from json_each($1) order by key",
    )
    .bind(set(&rows)?)
    .execute(tx)
    .await?;
    Ok(())
}

/// Queues what nobody had claimed, now that somebody is named. Its refunds wait for it, as if they had come first.
async fn claim_entries(tx: &mut SqliteConnection, drafts: &[Draft<'_>]) -> Result<(), StoreError> {
    let rows: Vec<_> = drafts.iter().filter_map(|draft| Some((draft.claims?, draft.member.as_ref()?))).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let rows = set(&rows)?;
    for statement in [
        "update entries set state = 'parked', cause = 'waits for its purchase'
         from json_each($1) k where purchase_entry = k.value ->> 0 and state = 'unclaimed'",
        "update entries set state = 'queued', cause = null, member_id = k.value ->> 1
         from json_each($1) k where entry_id = k.value ->> 0 and state = 'unclaimed'",
    ] {
        sqlx::query(statement).bind(&rows).execute(&mut *tx).await?;
    }
    Ok(())
}

async fn end_arrivals(
    tx: &mut SqliteConnection,
    admissions: &[Admission],
    endings: &[Ending],
    known: &HashMap<EntryKey, Known>,
) -> Result<(), StoreError> {
    let rows: Vec<_> = admissions
        .iter()
        .zip(endings)
        .map(|(admission, ending)| {
            let entry = ending.first.as_ref().and_then(|key| known.get(key)).map(|known| known.entry);
            let (failed, not_before) = match &admission.result {
                AdmissionResult::Later(_, at) => (1, at.0),
                AdmissionResult::Asking(at) => (0, at.0),
                _ => (0, 0),
            };
            let fetched = admission.fetched.as_ref().map(hex::encode);
            (admission.arrival.0, ending.state, &ending.note, entry, fetched, failed, not_before)
        })
        .collect();
    sqlx::query(
        "update arrivals set state = k.value ->> 1, note = k.value ->> 2, entry_id = k.value ->> 3,
                fetched = coalesce(unhex(k.value ->> 4), fetched), attempts = attempts + (k.value ->> 5),
                not_before = k.value ->> 6
         from json_each($1) k where arrival_id = k.value ->> 0",
    )
    .bind(set(&rows)?)
    .execute(tx)
    .await?;
    Ok(())
}
