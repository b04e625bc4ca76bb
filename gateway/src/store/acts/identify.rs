//! Whom what happened names, and what that changes about them. Keys are not equal: a card and a platform's customer id identify, and so does
//! an address that somebody vouches for; what is typed only suggests. Decision 0020 says why each rule is as it is.
//!
//! - The first key that is there decides: card, customer id, e-mail, phone. A weaker one is asked only while the stronger ones are new, and
//!   never makes one of two records that differ in a stronger one.
//! - A purchase attaches no key to a member there is. Whoever it makes gets the keys it names as far as they are free.
//! - What a platform says of its customer, the member or the staff attaches keys. Proved, it takes one that only hung on somebody.

use super::admit::{Draft, KnownKey};
use super::members::MemberRows;
use super::rows::{hash32, word};
use crate::store::StoreError;
use crate::store::engine::{Dialect, Kind as Column, Set, Tx};
use perkgate_domain::event::Event;
use perkgate_domain::ids::MemberId;
use perkgate_domain::limits::NAMED_BESIDE;
use perkgate_domain::member::{KeyKind, MemberKey};
use perkgate_domain::plan::EntryState;
use std::collections::{BTreeSet, HashMap};

/// Two members who may be one person, and the place of the draft that says so.
pub(super) struct Doubt {
    pub(super) draft: usize,
    pub(super) one: MemberId,
    pub(super) other: MemberId,
}

/// Whose a key is.
#[derive(Clone)]
struct Owner {
    member: MemberId,
    proven: bool,
}

/// A key that a draft names.
struct Told {
    kind: KeyKind,
    key: KnownKey,
}

/// A kind of key, and of a customer id the source.
type HeldKey = (KeyKind, Option<String>);

/// What is known of everybody whom a batch may name.
struct People {
    owners: HashMap<KnownKey, Owner>,
    /// Keys that were named beside too many to be anybody's.
    placeholders: BTreeSet<KnownKey>,
    /// What kinds of key a member has; of customer ids, of which source.
    held: HashMap<(String, MemberId), BTreeSet<HeldKey>>,
    /// Members named by their ids who were forgotten: nothing is learnt about them any more.
    forgotten: BTreeSet<(String, MemberId)>,
    /// Who lost a key to whom, since it was asked last.
    taken: Vec<(MemberId, MemberId)>,
}

fn hashed(merchant: &str, key: &MemberKey) -> KnownKey {
    (merchant.to_owned(), key.kind.as_str(), key.hash)
}

/// What the platform's customer, the member or the staff say, and no purchase.
fn is_account(event: &Event) -> bool {
    matches!(event, Event::Join(_) | Event::Profile(_))
}

/// Gives each draft that names somebody its member, there or new, and writes what that changes. Answers who may be one person.
pub(super) async fn resolve(tx: &mut Tx, drafts: &mut [Draft<'_>]) -> Result<Vec<Doubt>, StoreError> {
    let mut people = People::of(tx, drafts).await?;
    let (mut rows, mut doubts) = (MemberRows::default(), Vec::new());
    for (place, draft) in drafts.iter_mut().enumerate() {
        let entry = draft.entry;
        // What is about a purchase is its member's, whoever is named beside it.
        if entry.event.purchase_id().is_some() || (entry.keys.is_empty() && entry.member.is_none()) {
            continue;
        }
        let told = people.told(draft);
        if told.is_empty() && entry.member.is_none() {
            // Placeholders alone name nobody.
            draft.state = EntryState::Unclaimed;
            continue;
        }
        let merchant = draft.key.0.clone();
        if let Some(member) = entry.member.as_ref().filter(|_| is_account(&entry.event))
            && people.forgotten.contains(&(merchant.clone(), member.clone()))
        {
            draft.member = Some(member.clone());
            continue;
        }
        let referrer = entry.referrers.iter().find_map(|key| people.owners.get(&hashed(&merchant, key)));
        let referrer = referrer.map(|owner| owner.member.clone());
        let found = entry.member.clone().map(|member| (member, None)).or_else(|| people.whom(draft, &told));
        let member = match (found, &entry.newcomer) {
            (Some((member, by)), _) => {
                if is_account(&entry.event) {
                    rows.update(&merchant, &member, entry, referrer);
                    people.attach(&mut rows, draft, &told, &member);
                } else {
                    rows.learn(&merchant, &member, entry, referrer, by == Some(KeyKind::Id));
                }
                member
            }
            (None, Some(newcomer)) => {
                rows.add(&merchant, newcomer, entry, referrer.as_ref());
                let referral = hashed(&merchant, &newcomer.referral);
                people.give(&mut rows, referral, KeyKind::Referral, &newcomer.id, true, None);
                if is_account(&entry.event) {
                    people.attach(&mut rows, draft, &told, &newcomer.id);
                } else {
                    people.begin(&mut rows, draft, &told, &newcomer.id);
                }
                newcomer.id.clone()
            }
            (None, None) => continue,
        };
        for Told { key, .. } in told {
            match people.owners.get(&key).map(|owner| owner.member.clone()) {
                Some(owner) if owner == member => continue,
                Some(other) => doubts.push(Doubt { draft: place, one: member.clone(), other }),
                None => {}
            }
            rows.mentions.insert((key, member.clone()));
        }
        doubts.extend(people.taken.drain(..).map(|(one, other)| Doubt { draft: place, one, other }));
        draft.member = Some(member);
    }
    rows.write(tx).await?;
    Ok(doubts)
}

impl People {
    async fn of(tx: &mut Tx, drafts: &[Draft<'_>]) -> Result<Self, StoreError> {
        let asked = |draft: &Draft<'_>| -> Vec<KnownKey> {
            let entry = draft.entry;
            entry.keys.iter().chain(&entry.referrers).map(|key| hashed(&draft.key.0, key)).collect()
        };
        let wanted: BTreeSet<KnownKey> = drafts.iter().flat_map(asked).collect();
        let mut people = Self::owners(tx, &wanted).await?;
        people.holdings(tx, drafts).await?;
        people.gone(tx, drafts).await?;
        Ok(people)
    }

    async fn owners(tx: &mut Tx, wanted: &BTreeSet<KnownKey>) -> Result<Self, StoreError> {
        let mut set = Set::new("k", &[("merchant_id", Column::Text), ("kind", Column::Text), ("hash", Column::Bytes)]);
        for (merchant, kind, hash) in wanted {
            set.push([merchant.into(), (*kind).into(), (*hash).into()]);
        }
        let statement = format!(
            "select k.merchant_id, k.kind, k.hash, m.member_id, m.proven,
                    case when m.proven = 1 then 0 else
                        (select count(*) from (select 1 from mentions b where b.merchant_id = k.merchant_id and b.kind = k.kind
                                               and b.hash = k.hash limit {}) named) end as beside
             from {{k}} left join member_keys m
             on m.merchant_id = k.merchant_id and m.kind = k.kind and m.hash = k.hash",
            NAMED_BESIDE + 1
        );
        let mut people = Self {
            owners: HashMap::new(),
            placeholders: BTreeSet::new(),
            held: HashMap::new(),
            forgotten: BTreeSet::new(),
            taken: Vec::new(),
        };
        for row in &tx.rows(&statement, &[], &[&set]).await? {
            let kind = word("key kind", row.get("kind")?, KeyKind::parse)?;
            let key: KnownKey = (row.get("merchant_id")?, kind.as_str(), hash32("key", row.get("hash")?)?);
            let proven = row.get::<Option<i64>>("proven")?.unwrap_or(0) != 0;
            if !proven && row.get::<i64>("beside")? > NAMED_BESIDE {
                people.placeholders.insert(key);
            } else if let Some(member) = row.get::<Option<&str>>("member_id")? {
                people.owners.insert(key, Owner { member: member.into(), proven });
            }
        }
        Ok(people)
    }

    /// What else those have who may be meant, where the first key of a draft does not settle that.
    async fn holdings(&mut self, tx: &mut Tx, drafts: &[Draft<'_>]) -> Result<(), StoreError> {
        let mut named = BTreeSet::new();
        for draft in drafts {
            let told = self.told(draft);
            let settled =
                told.first().is_some_and(|first| first.kind != KeyKind::Phone && self.owners.contains_key(&first.key));
            if is_account(&draft.entry.event) || !settled {
                let owners = told
                    .iter()
                    .filter_map(|told| Some((told.key.0.clone(), self.owners.get(&told.key)?.member.clone())));
                named.extend(owners);
            }
        }
        let mut set = Set::new("k", &[("merchant_id", Column::Text), ("member_id", Column::Text)]);
        for (merchant, member) in &named {
            set.push([merchant.into(), member.into()]);
        }
        // Left to itself, SQLite walks all keys of the merchant for each member.
        let keys = match tx.dialect() {
            Dialect::Sqlite => "cross join member_keys m indexed by member_keys_member",
            Dialect::Postgres => "join member_keys m",
        };
        let statement = format!(
            "select m.merchant_id, m.member_id, m.kind, m.source_id from {{k}}
             {keys} on m.merchant_id = k.merchant_id and m.member_id = k.member_id"
        );
        for row in &tx.rows(&statement, &[], &[&set]).await? {
            let kind = word("key kind", row.get("kind")?, KeyKind::parse)?;
            let owner = (row.get("merchant_id")?, row.get::<&str>("member_id")?.into());
            self.held.entry(owner).or_default().insert((kind, row.get("source_id")?));
        }
        Ok(())
    }

    async fn gone(&mut self, tx: &mut Tx, drafts: &[Draft<'_>]) -> Result<(), StoreError> {
        let mut set = Set::new("k", &[("merchant_id", Column::Text), ("member_id", Column::Text)]);
        for draft in drafts.iter().filter(|draft| is_account(&draft.entry.event)) {
            if let Some(member) = &draft.entry.member {
                set.push([(&draft.key.0).into(), member.into()]);
            }
        }
        let statement = "select m.merchant_id, m.member_id from {k} join members m on m.merchant_id = k.merchant_id
                              and m.member_id = k.member_id where m.forgotten_at is not null";
        for row in &tx.rows(statement, &[], &[&set]).await? {
            self.forgotten.insert((row.get("merchant_id")?, row.get::<&str>("member_id")?.into()));
        }
        Ok(())
    }

    /// The draft's keys, strongest first, without those that stand for nobody.
    fn told(&self, draft: &Draft<'_>) -> Vec<Told> {
        let keys = draft.entry.keys.iter().map(|key| Told { kind: key.kind, key: hashed(&draft.key.0, key) });
        keys.filter(|told| !self.placeholders.contains(&told.key)).collect()
    }

    /// Who is meant, and by which kind of key.
    fn whom(&self, draft: &Draft<'_>, told: &[Told]) -> Option<(MemberId, Option<KeyKind>)> {
        let proof = draft.entry.proof;
        told.iter().enumerate().find_map(|(place, Told { kind, key })| {
            let owner = self.owners.get(key)?;
            let stronger = || self.has_stronger(&key.0, &owner.member, *kind);
            if self.differs(draft, &owner.member, &told[..place]) {
                return None;
            }
            let meant = match kind {
                // Whoever vouches for an address gets what it names, unless somebody with a stronger key has merely typed it.
                KeyKind::Email if is_account(&draft.entry.event) => {
                    proof.covers(*kind) && (owner.proven || !stronger())
                }
                KeyKind::Card | KeyKind::Id | KeyKind::Email => true,
                KeyKind::Phone => {
                    let told_alone = place == 0;
                    let vouched = !is_account(&draft.entry.event) || proof.covers(*kind);
                    told_alone && vouched && (owner.proven || !stronger())
                }
                KeyKind::Referral => false,
            };
            meant.then(|| (owner.member.clone(), Some(*kind)))
        })
    }

    /// Whether somebody has another key of a kind that is told and new. Customer ids differ only within one source.
    fn differs(&self, draft: &Draft<'_>, member: &MemberId, stronger: &[Told]) -> bool {
        let Some(held) = self.held.get(&(draft.key.0.clone(), member.clone())) else { return false };
        stronger.iter().any(|told| {
            let source = (told.kind == KeyKind::Id).then(|| draft.key.1.clone());
            held.contains(&(told.kind, source))
        })
    }

    fn has_stronger(&self, merchant: &str, member: &MemberId, kind: KeyKind) -> bool {
        let held = self.held.get(&(merchant.to_owned(), member.clone()));
        held.is_some_and(|held| held.iter().any(|(other, _)| *other < kind))
    }

    /// The keys that somebody vouches for become the member's.
    fn attach(&mut self, rows: &mut MemberRows, draft: &Draft<'_>, told: &[Told], member: &MemberId) {
        let proof = draft.entry.proof;
        for Told { kind, key } in told {
            let proven = proof.covers(*kind);
            let free = match self.owners.get(key) {
                None => true,
                Some(owner) if owner.member == *member => proven && !owner.proven,
                Some(owner) => proven && !owner.proven && self.has_stronger(&key.0, &owner.member, *kind),
            };
            if free {
                self.give(rows, key.clone(), *kind, member, proven, Some(&draft.key.1));
            }
        }
    }

    /// The keys with which somebody begins whom a purchase makes. A number beside something stronger is as often the household's.
    fn begin(&mut self, rows: &mut MemberRows, draft: &Draft<'_>, told: &[Told], member: &MemberId) {
        let proof = draft.entry.proof;
        for (place, Told { kind, key }) in told.iter().enumerate() {
            let proven = proof.covers(*kind);
            let free = match self.owners.get(key) {
                None => *kind != KeyKind::Phone || place == 0,
                // What only hangs on somebody goes to whoever is known by nothing else, or by proof.
                Some(owner) => {
                    (place == 0 || proven) && !owner.proven && self.has_stronger(&key.0, &owner.member, *kind)
                }
            };
            if free {
                self.give(rows, key.clone(), *kind, member, proven, Some(&draft.key.1));
            }
        }
    }

    fn give(
        &mut self,
        rows: &mut MemberRows,
        key: KnownKey,
        kind: KeyKind,
        member: &MemberId,
        proven: bool,
        source: Option<&str>,
    ) {
        let source = source.filter(|_| kind == KeyKind::Id).map(str::to_owned);
        self.held.entry((key.0.clone(), member.clone())).or_default().insert((kind, source.clone()));
        let before = self.owners.insert(key.clone(), Owner { member: member.clone(), proven });
        if let Some(before) = before.filter(|before| before.member != *member) {
            if let Some(held) = self.held.get_mut(&(key.0.clone(), before.member.clone())) {
                held.retain(|(other, _)| *other != kind);
            }
            rows.lose(&key.0, &before.member, kind);
            self.taken.push((before.member, member.clone()));
        }
        rows.keys.insert(key, (member.clone(), proven, source));
    }
}
