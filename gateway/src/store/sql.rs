//! [`Store`] over SQL: every act is handed to the file that holds its statements.

use super::acts::{
    admit, audit, book, channels, claim, due, erase, export, journal, keys, look, lots, order, outbox, outcome,
    programme, question, replay, segment, settle, stalled, stuck, sweep, tasks, tokens, verify,
};
use super::engine::{self, Engine};
use super::{
    Actor, Admission, Appended, ArrivalView, AuditQuery, AuditRow, ChannelView, Claim, DecidedRow, DeliveryView,
    DueRow, ExplainView, ExportView, KeptPage, KeyRow, LedgerReport, Looked, LotView, MemberView, NewArrival,
    NewRejection, Note, OutcomeView, PluginRow, ProgrammeRows, PutOff, QuestionView, QueueDepth, Reading,
    RejectionView, RowKey, Schema, SealedCell, SealedPlace, StalledView, Standing, Store, StoreError, StuckView, Sweep,
    Swept, TaskView, TokenRow, Unkeyed, UnreadArrival,
};
use async_trait::async_trait;
use perkgate_domain::delivery::Attempt;
use perkgate_domain::ids::{
    ArrivalId, ChannelId, DeliveryId, Digest, EntryId, InstallationId, MemberId, MerchantId, SourceId,
};
use perkgate_domain::limits::BreakerLimits;
use perkgate_domain::member::MemberKey;
use perkgate_domain::plan::{Book, Counter, QueuedEntry, Settlement};
use perkgate_domain::rules::Audience;
use perkgate_domain::time::Moment;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// On either engine.
#[derive(Debug)]
pub(super) struct SqlStore {
    engine: Engine,
}

impl SqlStore {
    pub(super) async fn open(url: &str, schema: Schema) -> Result<Self, StoreError> {
        Ok(Self { engine: engine::open(url, schema).await? })
    }
}

#[async_trait]
impl Store for SqlStore {
    async fn append(&self, arrivals: &[NewArrival], lease_ms: i64) -> Result<Vec<Appended>, StoreError> {
        journal::append(&self.engine, arrivals, lease_ms).await
    }
    async fn reject(&self, rejections: &[NewRejection], keep: i64) -> Result<(), StoreError> {
        journal::reject(&self.engine, rejections, keep).await
    }
    async fn claim_arrivals(&self, claim: &Claim) -> Result<Vec<UnreadArrival>, StoreError> {
        claim::arrivals(&self.engine, claim).await
    }
    async fn admit(&self, admissions: &[Admission], lease_ms: i64) -> Result<Vec<QueuedEntry>, StoreError> {
        admit::admit(&self.engine, admissions, lease_ms).await
    }
    async fn unpark(&self) -> Result<u64, StoreError> {
        journal::unpark(&self.engine).await
    }
    async fn erasable(&self, most: usize) -> Result<Option<KeptPage>, StoreError> {
        erase::erasable(&self.engine, most).await
    }
    async fn erase(&self, looked: &Looked) -> Result<u64, StoreError> {
        erase::erase(&self.engine, looked).await
    }
    async fn sweep(&self, sweep: &Sweep) -> Result<Swept, StoreError> {
        sweep::sweep(&self.engine, sweep).await
    }
    async fn claim_entries(&self, claim: &Claim) -> Result<Vec<QueuedEntry>, StoreError> {
        claim::entries(&self.engine, claim).await
    }
    async fn hold(&self, arrivals: &[ArrivalId], entries: &[EntryId], lease_ms: i64) -> Result<(), StoreError> {
        claim::hold(&self.engine, arrivals, entries, lease_ms).await
    }
    async fn still_queued(&self, entries: &[EntryId]) -> Result<Vec<EntryId>, StoreError> {
        claim::still_queued(&self.engine, entries).await
    }
    async fn book(&self, reading: &Reading<'_>) -> Result<Book, StoreError> {
        book::book(&self.engine, reading).await
    }
    async fn counters(&self, scopes: &BTreeSet<(MerchantId, String)>) -> Result<HashMap<Counter, i64>, StoreError> {
        book::counters(&self.engine, scopes).await
    }
    async fn reserve(&self, count: usize) -> Result<Vec<EntryId>, StoreError> {
        due::reserve(&self.engine, count).await
    }
    async fn due_members(&self, now: Moment, most: usize) -> Result<Vec<(MerchantId, MemberId)>, StoreError> {
        due::members(&self.engine, now, most).await
    }
    async fn enrolling(&self) -> Result<bool, StoreError> {
        due::enrolling(&self.engine).await
    }
    async fn enrol(&self, most: usize, now: Moment) -> Result<usize, StoreError> {
        due::enrol(&self.engine, most, now).await
    }
    async fn lead(&self, name: &str, lease_ms: i64) -> Result<bool, StoreError> {
        due::lead(&self.engine, name, lease_ms).await
    }
    async fn settle(&self, settlements: &[Settlement], put_off: &[PutOff]) -> Result<(), StoreError> {
        settle::settle(&self.engine, settlements, put_off).await
    }
    async fn depth(&self) -> Result<QueueDepth, StoreError> {
        look::depth(&self.engine).await
    }
    async fn due(
        &self,
        claim: &Claim,
        per_channel: usize,
        full: &[(MerchantId, ChannelId)],
        breaker: &BreakerLimits,
    ) -> Result<Vec<DueRow>, StoreError> {
        outbox::due(&self.engine, claim, per_channel, full, breaker).await
    }
    async fn record(&self, attempts: &[Attempt], breaker: &BreakerLimits) -> Result<(), StoreError> {
        outbox::record(&self.engine, attempts, breaker).await
    }
    async fn failing(&self, merchant: &MerchantId) -> Result<Vec<ChannelView>, StoreError> {
        channels::failing(&self.engine, merchant).await
    }
    async fn resume(
        &self,
        merchant: &MerchantId,
        channel: &ChannelId,
        now: Moment,
        by: &Actor,
    ) -> Result<bool, StoreError> {
        channels::resume(&self.engine, merchant, channel, now, by).await
    }
    async fn deliveries(&self, merchant: &MerchantId, state: &str, most: i64) -> Result<Vec<DeliveryView>, StoreError> {
        outbox::list(&self.engine, merchant, state, most).await
    }
    async fn resend(
        &self,
        merchant: &MerchantId,
        delivery: &DeliveryId,
        now: Moment,
        by: &Actor,
    ) -> Result<bool, StoreError> {
        outbox::resend(&self.engine, merchant, delivery, now, by).await
    }
    async fn revision(&self) -> Result<i64, StoreError> {
        programme::revision(&self.engine).await
    }
    async fn standing(&self) -> Result<Standing, StoreError> {
        programme::standing(&self.engine).await
    }
    async fn apply(&self, programme: &ProgrammeRows, plugins: &[PluginRow], note: &Note) -> Result<(), StoreError> {
        programme::apply(&self.engine, programme, plugins, note).await
    }
    async fn component(&self, digest: Digest) -> Result<Option<Vec<u8>>, StoreError> {
        programme::component(&self.engine, digest).await
    }
    async fn settings(
        &self,
        merchant: &MerchantId,
        installation: &str,
        revision: i64,
    ) -> Result<Option<String>, StoreError> {
        programme::settings(&self.engine, merchant, installation, revision).await
    }
    async fn retry(&self, merchant: Option<&MerchantId>, entry: Option<EntryId>) -> Result<u64, StoreError> {
        stalled::retry(&self.engine, merchant, entry).await
    }
    async fn stalled(&self, merchant: &MerchantId, most: i64) -> Result<Vec<StalledView>, StoreError> {
        stalled::list(&self.engine, merchant, most).await
    }
    async fn recover(&self, now: Moment) -> Result<u64, StoreError> {
        stalled::recover(&self.engine, now).await
    }
    async fn find_member(&self, merchant: &MerchantId, keys: &[MemberKey]) -> Result<Option<MemberId>, StoreError> {
        look::find_member(&self.engine, merchant, keys).await
    }
    async fn member(&self, merchant: &MerchantId, member: &MemberId) -> Result<Option<MemberView>, StoreError> {
        look::member(&self.engine, merchant, member).await
    }
    async fn lots(&self, merchant: &MerchantId, member: &MemberId) -> Result<Vec<LotView>, StoreError> {
        lots::lots(&self.engine, merchant, member).await
    }
    async fn explain(
        &self,
        merchant: &MerchantId,
        source: &SourceId,
        order: &str,
    ) -> Result<Option<ExplainView>, StoreError> {
        order::explain(&self.engine, merchant, source, order).await
    }
    async fn arrival(&self, arrival: ArrivalId) -> Result<Option<ArrivalView>, StoreError> {
        look::arrival(&self.engine, arrival).await
    }
    async fn errand(&self, merchant: &MerchantId, dedupe: &str) -> Result<Option<ArrivalId>, StoreError> {
        outcome::errand(&self.engine, merchant, dedupe).await
    }
    async fn outcome(&self, merchant: &MerchantId, arrival: ArrivalId) -> Result<Option<OutcomeView>, StoreError> {
        outcome::outcome(&self.engine, merchant, arrival).await
    }
    async fn arrivals(&self, merchant: &MerchantId, state: &str, most: i64) -> Result<Vec<ArrivalView>, StoreError> {
        look::arrivals(&self.engine, merchant, state, most).await
    }
    async fn rejections(&self, merchant: &MerchantId, most: i64) -> Result<Vec<RejectionView>, StoreError> {
        look::rejections(&self.engine, merchant, most).await
    }
    async fn verify(&self, merchant: Option<&MerchantId>) -> Result<LedgerReport, StoreError> {
        verify::verify(&self.engine, merchant).await
    }
    async fn decided(
        &self,
        after: EntryId,
        merchant: Option<&MerchantId>,
        most: usize,
    ) -> Result<Vec<DecidedRow>, StoreError> {
        replay::decided(&self.engine, after, merchant, most).await
    }
    async fn undecided(
        &self,
        merchant: Option<&MerchantId>,
        most: usize,
    ) -> Result<Vec<(MerchantId, EntryId, InstallationId)>, StoreError> {
        replay::undecided(&self.engine, merchant, most).await
    }
    async fn tasks(&self, merchant: &MerchantId, state: &str, most: i64) -> Result<Vec<TaskView>, StoreError> {
        tasks::tasks(&self.engine, merchant, state, most).await
    }
    async fn close_task(&self, merchant: &MerchantId, id: &str, now: Moment, by: &Actor) -> Result<bool, StoreError> {
        tasks::close(&self.engine, merchant, id, now, by).await
    }
    async fn export(&self, merchant: &MerchantId, member: &MemberId) -> Result<Option<ExportView>, StoreError> {
        export::export(&self.engine, merchant, member).await
    }
    async fn question(&self, merchant: &MerchantId, id: &str) -> Result<Option<QuestionView>, StoreError> {
        question::question(&self.engine, merchant, id).await
    }
    async fn segment(
        &self,
        merchant: &MerchantId,
        audience: &Audience,
        after: Option<&MemberId>,
        most: usize,
    ) -> Result<Vec<MemberId>, StoreError> {
        segment::segment(&self.engine, merchant, audience, after, most).await
    }
    async fn keys(&self) -> Result<Vec<KeyRow>, StoreError> {
        keys::all(&self.engine).await
    }
    async fn add_keys(&self, wrappings: &[KeyRow], new: &[KeyRow], note: &Note) -> Result<(), StoreError> {
        keys::add(&self.engine, wrappings, new, note).await
    }
    async fn activate_keys(&self, note: &Note) -> Result<(), StoreError> {
        keys::activate(&self.engine, note).await
    }
    async fn retire_keys(&self, roots: &[String], gone: &[(String, u32)], note: &Note) -> Result<(), StoreError> {
        keys::retire(&self.engine, roots, gone, note).await
    }
    async fn is_used(&self) -> Result<bool, StoreError> {
        keys::is_used(&self.engine).await
    }
    async fn sealed(&self, place: SealedPlace, current: &[u8], after: &RowKey) -> Result<Vec<SealedCell>, StoreError> {
        keys::sealed(&self.engine, place, current, after).await
    }
    async fn reseal(&self, place: SealedPlace, cells: &[(SealedCell, Vec<u8>)]) -> Result<u64, StoreError> {
        keys::reseal(&self.engine, place, cells).await
    }
    async fn sealed_counts(&self, place: SealedPlace) -> Result<BTreeMap<Vec<u8>, i64>, StoreError> {
        keys::sealed_counts(&self.engine, place).await
    }
    async fn unkeyed(&self) -> Result<Vec<Unkeyed>, StoreError> {
        keys::unkeyed(&self.engine).await
    }
    async fn rekey(&self, rows: &[Unkeyed]) -> Result<(), StoreError> {
        keys::rekey(&self.engine, rows).await
    }
    async fn create_token(&self, token: &TokenRow, by: &Actor) -> Result<(), StoreError> {
        tokens::create(&self.engine, token, by).await
    }
    async fn revoke_token(&self, id: &str, now: Moment, by: &Actor) -> Result<bool, StoreError> {
        tokens::revoke(&self.engine, id, now, by).await
    }
    async fn token(&self, id: &str) -> Result<Option<TokenRow>, StoreError> {
        tokens::one(&self.engine, id).await
    }
    async fn tokens(&self, merchant: Option<&MerchantId>, most: i64) -> Result<Vec<TokenRow>, StoreError> {
        tokens::list(&self.engine, merchant, most).await
    }
    async fn note(&self, notes: &[Note]) -> Result<(), StoreError> {
        audit::note(&self.engine, notes).await
    }
    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRow>, StoreError> {
        audit::list(&self.engine, query).await
    }
    async fn probe(&self) -> Result<(), StoreError> {
        stuck::probe(&self.engine).await
    }
    async fn stuck(&self, now: Moment) -> Result<StuckView, StoreError> {
        stuck::stuck(&self.engine, now).await
    }
    async fn close(&self) {
        self.engine.close().await;
    }
}
