//! Forgetting somebody: every byte that names them goes, in the commit that settles it, wherever a row leads to it. What no row leads to
//! (what came in and was not read, rejections) is looked through afterwards: `erase.rs`. Postings and sums stay, and are nobody's.

use super::rows::{document, json};
use crate::store::StoreError;
use crate::store::engine::{Cell, Kind as Column, Set, Tx};
use perkgate_domain::decision::{Decision, Outcome, Refusal};
use perkgate_domain::event::Event;
use perkgate_domain::ids::{Digest, EntryId, MerchantId};
use perkgate_domain::limits::NAMED_BESIDE;
use perkgate_domain::member::Member;
use perkgate_domain::plan::{DecisionRecord, Settlement};

/// Entries emptied by one statement.
const PAGE: i64 = 256;
/// What stays of a message.
const NO_MESSAGE: &str = r#"{"key":"","subject":"","text":"","locale":""}"#;
/// What stays of raw bytes.
pub(super) const NOTHING: &[u8] = &[];

/// The keys the member has, and those named beside them that are nobody else's.
const KEYS: &str = "select kind, hash from member_keys where merchant_id = $1 and member_id = $2
     union select m.kind, m.hash from mentions m where m.merchant_id = $1 and m.member_id = $2
           and not exists (select 1 from member_keys o where o.merchant_id = $1 and o.kind = m.kind and o.hash = m.hash
                           and o.member_id <> $2)";

pub(super) async fn forget(tx: &mut Tx, settlement: &Settlement, member: &Member) -> Result<(), StoreError> {
    let merchant = &settlement.merchant;
    let whom: [Cell<'_>; 2] = [merchant.into(), (&member.id).into()];
    let [one, two] = whom.clone();
    let remembered = format!(
        "insert into forgotten (merchant_id, kind, hash, at) select $1, k.kind, k.hash, $3 from ({KEYS}) k where true
         on conflict (merchant_id, kind, hash) do update set at = excluded.at"
    );
    tx.run(&remembered, &[one.clone(), two.clone(), settlement.at.into()], &[]).await?;
    tx.run(
        "insert into erasures (merchant_id, arrivals_seen, rejections_seen, done) values ($1, 0, 0, 0)
         on conflict (merchant_id) do update set arrivals_seen = 0, rejections_seen = 0, done = 0",
        std::slice::from_ref(&one),
        &[],
    )
    .await?;
    raw_bytes(tx, &whom).await?;
    entries(tx, merchant, &whom).await?;
    for statement in [
        "delete from member_keys where merchant_id = $1 and member_id = $2",
        "delete from mentions where merchant_id = $1 and member_id = $2",
        "delete from contacts where merchant_id = $1 and member_id = $2",
        "delete from memories where merchant_id = $1 and member_id = $2",
        "delete from wakes where merchant_id = $1 and member_id = $2",
        "delete from questions where merchant_id = $1 and member_id = $2",
        // A task may quote what they wrote.
        "delete from tasks where merchant_id = $1 and member_id = $2",
        "update attempts set error = null where delivery_id in
             (select d.delivery_id from deliveries d where d.merchant_id = $1 and d.entry_id in
                  (select e.entry_id from entries e where e.merchant_id = $1 and e.member_id = $2))",
        "update members set referrer = null where merchant_id = $1 and referrer = $2",
    ] {
        tx.run(statement, &whom, &[]).await?;
    }
    // Also what went to the merchant about them, and to them because of somebody else.
    for whose in [
        "entry_id in (select e.entry_id from entries e where e.merchant_id = $1 and e.member_id = $2)",
        "member_id = $2",
    ] {
        let statement = format!(
            "update deliveries set message = $3, note = 'the member was forgotten',
                    state = case when state = 'due' then 'suppressed' else state end
             where merchant_id = $1 and {whose}"
        );
        tx.run(&statement, &[one.clone(), two.clone(), NO_MESSAGE.into()], &[]).await?;
    }
    // Whoever became one with them is them.
    let statement = "update members set locale = null, birthday = null, referrer = null, consent = 0, tags = '[]', forgotten_at = $3
                     where merchant_id = $1 and (member_id = $2 or merged_into = $2)";
    tx.run(statement, &[one, two, settlement.at.into()], &[]).await?;
    Ok(())
}

/// What came in about them, and what came in about others and named them.
async fn raw_bytes(tx: &mut Tx, whom: &[Cell<'_>; 2]) -> Result<(), StoreError> {
    let named = format!(
        "select r.arrival_id from ({KEYS}) k
         join mentions m on m.merchant_id = $1 and m.kind = k.kind and m.hash = k.hash and m.member_id <> $2
         join entries e on e.merchant_id = $1 and e.member_id = m.member_id
         join readings r on r.entry_id = e.entry_id
         where (select count(*) from (select 1 from mentions b where b.merchant_id = $1 and b.kind = k.kind and b.hash = k.hash
                                      limit {}) named) <= {NAMED_BESIDE}",
        NAMED_BESIDE + 1
    );
    for arrivals in [
        "select e.arrival_id from entries e where e.merchant_id = $1 and e.member_id = $2",
        "select r.arrival_id from entries e join readings r on r.entry_id = e.entry_id
         where e.merchant_id = $1 and e.member_id = $2",
        &named,
    ] {
        let statement = format!("update readings set fetched = null where arrival_id in ({arrivals})");
        tx.run(&statement, whom, &[]).await?;
        let [merchant, member] = whom.clone();
        let statement = format!("update arrivals set sealed = $3 where arrival_id in ({arrivals})");
        tx.run(&statement, &[merchant, member, NOTHING.into()], &[]).await?;
    }
    Ok(())
}

/// What they wrote, and what plugins were told of them and made of it.
async fn entries(tx: &mut Tx, merchant: &MerchantId, whom: &[Cell<'_>; 2]) -> Result<(), StoreError> {
    let mut after = EntryId(i64::MIN);
    loop {
        let [one, two] = whom.clone();
        let rows = tx
            .rows(
                "select e.entry_id, e.document, d.document as decisions from entries e
                 left join decisions d on d.entry_id = e.entry_id
                 where e.merchant_id = $1 and e.member_id = $2 and e.entry_id > $3
                       and (d.entry_id is not null or e.kind in ('answer', 'join'))
                 order by e.entry_id limit $4",
                &[one, two, after.into(), PAGE.into()],
                &[],
            )
            .await?;
        let mut page = Emptied::default();
        for row in &rows {
            after = EntryId(row.get("entry_id")?);
            page.add(merchant, after, row.get("document")?, row.get("decisions")?)?;
        }
        page.write(tx).await?;
        if rows.len() < usize::try_from(PAGE).unwrap_or(usize::MAX) {
            return Ok(());
        }
    }
}

/// Entries and decisions without what names anybody.
pub(super) struct Emptied {
    entries: Set,
    decisions: Set,
}

impl Default for Emptied {
    fn default() -> Self {
        let columns = [("entry_id", Column::Int), ("document", Column::Text), ("digest", Column::Bytes)];
        Self { entries: Set::new("k", &columns), decisions: Set::new("k", &columns) }
    }
}

impl Emptied {
    /// Takes up one entry with what was decided on it.
    pub(super) fn add(
        &mut self,
        merchant: &MerchantId,
        entry: EntryId,
        event: &str,
        decisions: Option<&str>,
    ) -> Result<(), StoreError> {
        let mut told: Event = document("event", event)?;
        match &mut told {
            Event::Answer(answer) => answer.text = None,
            Event::Join(join) => join.referrer = None,
            _ => {}
        }
        let told = json("event", &told)?;
        if told != event {
            let digest = Digest::of(told.as_bytes());
            self.entries.push([entry.into(), told.into(), digest.into()]);
        }
        if let Some(decisions) = decisions {
            let mut records: Vec<DecisionRecord> = document("decisions", decisions)?;
            records.iter_mut().for_each(empty);
            let emptied = json("decisions", &records)?;
            let digest = DecisionRecord::digest_of(merchant, entry, &emptied);
            self.decisions.push([entry.into(), emptied.into(), digest.into()]);
        }
        Ok(())
    }

    pub(super) async fn write(self, tx: &mut Tx) -> Result<(), StoreError> {
        tx.run(
            "update entries set document = k.document, digest = k.digest from {k} where entries.entry_id = k.entry_id",
            &[],
            &[&self.entries],
        )
        .await?;
        tx.run(
            "update decisions set document = k.document, digest = k.digest, emptied = 1
             from {k} where decisions.entry_id = k.entry_id",
            &[],
            &[&self.decisions],
        )
        .await?;
        Ok(())
    }
}

/// Leaves what was given and taken, and why nothing was; facts about the person and texts go.
fn empty(record: &mut DecisionRecord) {
    let facts = &mut record.facts;
    facts.birthday = None;
    facts.referral = None;
    facts.memory.clear();
    if let Some(member) = &mut facts.member {
        member.locale = None;
        member.tags.clear();
    }
    record.notes.clear();
    record.log.clear();
    if let Some(ruling) = &mut record.ruling {
        ruling.detail.clear();
    }
    match &mut record.outcome {
        Outcome::Decided(decisions) => decisions.retain(|decision| {
            matches!(
                decision,
                Decision::Earn(_)
                    | Decision::Spend(_)
                    | Decision::Reward(_)
                    | Decision::Offer(_)
                    | Decision::Tier { .. }
            )
        }),
        Outcome::Fault(fault) => fault.detail.clear(),
        Outcome::Refused(Refusal::NotConfigured(why) | Refusal::Unsupported(why) | Refusal::Broken(why)) => why.clear(),
    }
}
