//! What admitting writes about members: new ones, what is newly known of others, their keys and contact data.

use super::admit::KnownKey;
use crate::store::StoreError;
use crate::store::engine::{Kind, Set, Tx};
use crate::store::{NewEntry, Newcomer};
use perkgate_domain::ids::MemberId;
use perkgate_domain::member::{KeyKind, Proof};
use std::collections::{BTreeMap, BTreeSet};

/// Merchant, member, field.
type FieldKey = (String, String, String);

/// Rows to be written.
pub(super) struct MemberRows {
    new: Set,
    /// Only the last word on a member counts: no row is updated twice by one statement.
    updates: BTreeMap<(String, String), News>,
    /// Whose a key is from now on, whether that is proved, and of which source a customer id is.
    pub(super) keys: BTreeMap<KnownKey, (MemberId, bool, Option<String>)>,
    /// Keys named beside somebody whose they are not.
    pub(super) mentions: BTreeSet<(KnownKey, MemberId)>,
    contacts: BTreeMap<FieldKey, Vec<u8>>,
    /// Written only where nothing is known.
    fills: BTreeMap<FieldKey, Vec<u8>>,
    /// Fields that went with a key to somebody else.
    lost: BTreeSet<FieldKey>,
}

/// What is newly known of somebody. What only fills is written where nothing is known.
#[derive(Default)]
struct News {
    locale: Option<String>,
    consent: Option<bool>,
    birthday: Option<String>,
    referrer: Option<MemberId>,
    fill_locale: Option<String>,
    fill_birthday: Option<String>,
}

impl Default for MemberRows {
    fn default() -> Self {
        let new = [
            ("merchant_id", Kind::Text),
            ("member_id", Kind::Text),
            ("joined_at", Kind::Int),
            ("locale", Kind::Text),
            ("consent", Kind::Int),
            ("birthday", Kind::Text),
            ("referrer", Kind::Text),
            ("chain", Kind::Bytes),
        ];
        Self {
            new: Set::new("k", &new),
            updates: BTreeMap::new(),
            keys: BTreeMap::new(),
            mentions: BTreeSet::new(),
            contacts: BTreeMap::new(),
            fills: BTreeMap::new(),
            lost: BTreeSet::new(),
        }
    }
}

impl MemberRows {
    /// Somebody new.
    pub(super) fn add(&mut self, merchant: &str, newcomer: &Newcomer, entry: &NewEntry, referrer: Option<&MemberId>) {
        self.new.push([
            merchant.into(),
            (&newcomer.id).into(),
            entry.event.at().into(),
            entry.locale.as_ref().into(),
            entry.consent.unwrap_or(false).into(),
            entry.birthday.map(|day| day.to_string()).into(),
            referrer.into(),
            [0; 32].into(),
        ]);
        self.contact(merchant, &newcomer.id, entry);
    }

    fn contact(&mut self, merchant: &str, member: &MemberId, entry: &NewEntry) {
        for field in &entry.contact {
            let place = (merchant.to_owned(), member.to_string(), field.field.clone());
            self.contacts.insert(place, field.sealed.clone());
        }
    }

    /// What a purchase says about somebody known. Nothing but who brought them, unless it carries the platform's own id of them
    /// (`by_id`): then it fills what is empty, and the platform's record of its customer says whether they agree to messages.
    pub(super) fn learn(
        &mut self,
        merchant: &str,
        member: &MemberId,
        entry: &NewEntry,
        referrer: Option<MemberId>,
        by_id: bool,
    ) {
        let referrer = referrer.filter(|referrer| referrer != member);
        if by_id {
            for field in &entry.contact {
                let place = (merchant.to_owned(), member.to_string(), field.field.clone());
                self.fills.entry(place).or_insert_with(|| field.sealed.clone());
            }
        }
        let says = entry.locale.is_some() || entry.consent.is_some() || entry.birthday.is_some();
        if referrer.is_none() && !(by_id && says) {
            return;
        }
        let news = self.updates.entry((merchant.to_owned(), member.to_string())).or_default();
        news.referrer = news.referrer.take().or(referrer);
        if !by_id {
            return;
        }
        news.consent = entry.consent.filter(|_| entry.proof > Proof::Typed).or(news.consent);
        news.fill_locale = news.fill_locale.take().or_else(|| entry.locale.clone());
        news.fill_birthday = news.fill_birthday.take().or_else(|| entry.birthday.map(|day| day.to_string()));
    }

    /// A key of this kind is somebody else's now, and so is what messages would go to.
    pub(super) fn lose(&mut self, merchant: &str, member: &MemberId, kind: KeyKind) {
        let place = (merchant.to_owned(), member.to_string(), kind.as_str().to_owned());
        self.contacts.remove(&place);
        self.fills.remove(&place);
        self.lost.insert(place);
    }

    /// Something new about somebody known, if there is anything.
    pub(super) fn update(&mut self, merchant: &str, member: &MemberId, entry: &NewEntry, referrer: Option<MemberId>) {
        self.contact(merchant, member, entry);
        let referrer = referrer.filter(|referrer| referrer != member);
        let nothing = entry.locale.is_none() && entry.consent.is_none() && entry.birthday.is_none();
        if nothing && referrer.is_none() {
            return;
        }
        let news = self.updates.entry((merchant.to_owned(), member.to_string())).or_default();
        if entry.locale.is_some() {
            news.locale.clone_from(&entry.locale);
        }
        news.consent = entry.consent.or(news.consent);
        news.birthday = entry.birthday.map(|day| day.to_string()).or(news.birthday.take());
        news.referrer = news.referrer.take().or(referrer);
    }

    pub(super) async fn write(self, tx: &mut Tx) -> Result<(), StoreError> {
        tx.run(
            "insert into members (merchant_id, member_id, version, joined_at, locale, consent, birthday, referrer, visits, spent,
                                  climb, tags, wallets, chain, through)
             select k.merchant_id, k.member_id, 0, k.joined_at, k.locale, k.consent, k.birthday, k.referrer, 0, 0, '{}', '[]',
                    '{}', k.chain, 0
             from {k}",
            &[],
            &[&self.new],
        )
        .await?;
        updates(tx, self.updates).await?;
        keys(tx, &self.keys, &self.mentions).await?;
        contacts(tx, self.contacts, self.fills, self.lost).await
    }
}

async fn updates(tx: &mut Tx, news: BTreeMap<(String, String), News>) -> Result<(), StoreError> {
    let mut rows = Set::new(
        "k",
        &[
            ("merchant_id", Kind::Text),
            ("member_id", Kind::Text),
            ("locale", Kind::Text),
            ("consent", Kind::Int),
            ("birthday", Kind::Text),
            ("referrer", Kind::Text),
            ("fill_locale", Kind::Text),
            ("fill_birthday", Kind::Text),
        ],
    );
    for ((merchant, member), news) in news {
        rows.push([
            merchant.into(),
            member.into(),
            news.locale.into(),
            news.consent.into(),
            news.birthday.into(),
            news.referrer.as_ref().into(),
            news.fill_locale.into(),
            news.fill_birthday.into(),
        ]);
    }
    // Who bought before was brought by nobody.
    tx.run(
        "update members set locale = coalesce(k.locale, members.locale, k.fill_locale),
                consent = coalesce(k.consent, members.consent),
                birthday = coalesce(k.birthday, members.birthday, k.fill_birthday),
                referrer = case when members.visits = 0 then coalesce(members.referrer, k.referrer) else members.referrer end
         from {k} where members.merchant_id = k.merchant_id and members.member_id = k.member_id
              and (coalesce(k.locale, members.locale, k.fill_locale, '') <> coalesce(members.locale, '')
                   or k.consent <> members.consent
                   or coalesce(k.birthday, members.birthday, k.fill_birthday, '') <> coalesce(members.birthday, '')
                   or k.referrer is not null)",
        &[],
        &[&rows],
    )
    .await?;
    Ok(())
}

async fn keys(
    tx: &mut Tx,
    keys: &BTreeMap<KnownKey, (MemberId, bool, Option<String>)>,
    mentions: &BTreeSet<(KnownKey, MemberId)>,
) -> Result<(), StoreError> {
    let columns = [
        ("merchant_id", Kind::Text),
        ("kind", Kind::Text),
        ("hash", Kind::Bytes),
        ("member_id", Kind::Text),
        ("proven", Kind::Int),
        ("source_id", Kind::Text),
    ];
    let (mut rows, mut named) = (Set::new("k", &columns), Set::new("k", &columns[..4]));
    for ((merchant, kind, hash), (member, proven, source)) in keys {
        rows.push([
            merchant.into(),
            (*kind).into(),
            (*hash).into(),
            member.into(),
            (*proven).into(),
            source.as_ref().into(),
        ]);
    }
    for ((merchant, kind, hash), member) in mentions {
        named.push([merchant.into(), (*kind).into(), (*hash).into(), member.into()]);
    }
    tx.run(
        "insert into member_keys (merchant_id, kind, hash, member_id, proven, source_id)
         select k.merchant_id, k.kind, k.hash, k.member_id, k.proven, k.source_id from {k} where true
         on conflict (merchant_id, kind, hash) do update set member_id = excluded.member_id, proven = excluded.proven",
        &[],
        &[&rows],
    )
    .await?;
    tx.run(
        "insert into mentions (merchant_id, kind, hash, member_id)
         select k.merchant_id, k.kind, k.hash, k.member_id from {k} where true on conflict do nothing",
        &[],
        &[&named],
    )
    .await?;
    Ok(())
}

async fn contacts(
    tx: &mut Tx,
    said: BTreeMap<FieldKey, Vec<u8>>,
    fills: BTreeMap<FieldKey, Vec<u8>>,
    lost: BTreeSet<FieldKey>,
) -> Result<(), StoreError> {
    let columns =
        [("merchant_id", Kind::Text), ("member_id", Kind::Text), ("field", Kind::Text), ("sealed", Kind::Bytes)];
    let rows = |fields: BTreeMap<FieldKey, Vec<u8>>| {
        let mut rows = Set::new("k", &columns);
        for ((merchant, member, field), sealed) in fields {
            rows.push([merchant.into(), member.into(), field.into(), (&sealed).into()]);
        }
        rows
    };
    let mut gone = Set::new("k", &columns[..3]);
    for (merchant, member, field) in lost {
        gone.push([merchant.into(), member.into(), field.into()]);
    }
    tx.run(
        "delete from contacts where (merchant_id, member_id, field) in (select k.merchant_id, k.member_id, k.field from {k})",
        &[],
        &[&gone],
    )
    .await?;
    for (fields, otherwise) in [(said, "update set sealed = excluded.sealed"), (fills, "nothing")] {
        let statement = format!(
            "insert into contacts (merchant_id, member_id, field, sealed)
             select k.merchant_id, k.member_id, k.field, k.sealed from {{k}} where true
             on conflict (merchant_id, member_id, field) do {otherwise}"
        );
        tx.run(&statement, &[], &[&rows(fields)]).await?;
    }
    Ok(())
}
