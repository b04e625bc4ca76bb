//! What admitting writes about members: new ones, what is newly known of others, their keys and contact data.

use crate::store::StoreError;
use crate::store::engine::{Kind, Set, Tx};
use crate::store::{NewEntry, Newcomer};
use perkgate_domain::ids::MemberId;
use std::collections::BTreeMap;

/// Rows to be written.
pub(super) struct MemberRows {
    new: Set,
    /// Only the last word on a member counts: no row is updated twice by one statement.
    updates: BTreeMap<(String, String), News>,
    pub(super) keys: Set,
    pub(super) contacts: BTreeMap<(String, String, String), Vec<u8>>,
}

/// What is newly known of somebody.
#[derive(Default)]
struct News {
    locale: Option<String>,
    consent: Option<bool>,
    birthday: Option<String>,
    referrer: Option<MemberId>,
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
        let keys =
            [("merchant_id", Kind::Text), ("kind", Kind::Text), ("hash", Kind::Bytes), ("member_id", Kind::Text)];
        Self {
            new: Set::new("k", &new),
            updates: BTreeMap::new(),
            keys: Set::new("k", &keys),
            contacts: BTreeMap::new(),
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
    }

    /// Something new about somebody known, if there is anything.
    pub(super) fn update(&mut self, merchant: &str, member: &MemberId, entry: &NewEntry, referrer: Option<MemberId>) {
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
        let mut updates = Set::new(
            "k",
            &[
                ("merchant_id", Kind::Text),
                ("member_id", Kind::Text),
                ("locale", Kind::Text),
                ("consent", Kind::Int),
                ("birthday", Kind::Text),
                ("referrer", Kind::Text),
            ],
        );
        for ((merchant, member), news) in self.updates {
            updates.push([
                merchant.into(),
                member.into(),
                news.locale.into(),
                news.consent.into(),
                news.birthday.into(),
                news.referrer.as_ref().into(),
            ]);
        }
        // Who bought before was brought by nobody.
        tx.run(
            "update members set locale = coalesce(k.locale, members.locale), consent = coalesce(k.consent, members.consent),
                    birthday = coalesce(k.birthday, members.birthday),
                    referrer = case when members.visits = 0 then coalesce(members.referrer, k.referrer) else members.referrer end
             from {k} where members.merchant_id = k.merchant_id and members.member_id = k.member_id
                  and (k.locale <> coalesce(members.locale, '') or k.consent <> members.consent
                       or k.birthday <> coalesce(members.birthday, '') or k.referrer is not null)",
            &[],
            &[&updates],
        )
        .await?;
        tx.run(
            "insert into member_keys (merchant_id, kind, hash, member_id)
             select k.merchant_id, k.kind, k.hash, k.member_id from {k}",
            &[],
            &[&self.keys],
        )
        .await?;
        let columns =
            [("merchant_id", Kind::Text), ("member_id", Kind::Text), ("field", Kind::Text), ("sealed", Kind::Bytes)];
        let mut contacts = Set::new("k", &columns);
        for ((merchant, member, field), sealed) in self.contacts {
            contacts.push([merchant.into(), member.into(), field.into(), (&sealed).into()]);
        }
        tx.run(
            "insert into contacts (merchant_id, member_id, field, sealed)
             select k.merchant_id, k.member_id, k.field, k.sealed from {k} where true
             on conflict (merchant_id, member_id, field) do update set sealed = excluded.sealed",
            &[],
            &[&contacts],
        )
        .await?;
        Ok(())
    }
}
