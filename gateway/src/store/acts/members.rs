//! What admitting writes about members: new ones, what is newly known of others, their keys and contact data.

use crate::store::NewEntry;
use crate::store::StoreError;
use crate::store::engine::{Kind, Set, Tx};
use perkgate_domain::ids::MemberId;
use std::collections::BTreeMap;

/// Rows to be written.
pub(super) struct MemberRows {
    new: Set,
    /// Only the last word on a member counts: no row is updated twice by one statement.
    updates: BTreeMap<(String, String), (Option<String>, Option<bool>)>,
    pub(super) keys: Set,
    pub(super) contacts: BTreeMap<(String, String, String), Vec<u8>>,
}

impl Default for MemberRows {
    fn default() -> Self {
        let new = [
            ("merchant_id", Kind::Text),
            ("member_id", Kind::Text),
            ("joined_at", Kind::Int),
            ("locale", Kind::Text),
            ("consent", Kind::Int),
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
    pub(super) fn add(&mut self, merchant: &str, member: &MemberId, entry: &NewEntry) {
        self.new.push([
            merchant.into(),
            member.into(),
            entry.event.at().into(),
            entry.locale.as_ref().into(),
            entry.consent.unwrap_or(false).into(),
            [0; 32].into(),
        ]);
    }

    /// Something new about somebody known.
    pub(super) fn update(&mut self, merchant: &str, member: &MemberId, entry: &NewEntry) {
        let (locale, consent) = self.updates.entry((merchant.to_owned(), member.to_string())).or_default();
        if entry.locale.is_some() {
            locale.clone_from(&entry.locale);
        }
        *consent = entry.consent.or(*consent);
    }

    pub(super) async fn write(self, tx: &mut Tx) -> Result<(), StoreError> {
        tx.run(
            "insert into members (merchant_id, member_id, version, joined_at, locale, consent, visits, spent, tags, balances, chain)
             select k.merchant_id, k.member_id, 0, k.joined_at, k.locale, k.consent, 0, 0, '[]', '{}', k.chain from {k}",
            &[],
            &[&self.new],
        )
        .await?;
        let columns =
            [("merchant_id", Kind::Text), ("member_id", Kind::Text), ("locale", Kind::Text), ("consent", Kind::Int)];
        let mut updates = Set::new("k", &columns);
        for ((merchant, member), (locale, consent)) in self.updates {
            updates.push([merchant.into(), member.into(), locale.into(), consent.into()]);
        }
        tx.run(
            "update members set locale = coalesce(k.locale, members.locale), consent = coalesce(k.consent, members.consent)
             from {k} where members.merchant_id = k.merchant_id and members.member_id = k.member_id
                  and (k.locale <> coalesce(members.locale, '') or k.consent <> members.consent)",
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
