//! A store whose every act waits for a word: done, not done, or done without its caller hearing of it. Whoever gives the words decides
//! in which order several workers act on one database, and at which commit one of them dies. Only the acts of reading and settling
//! wait; programmes and look-ups are answered at once.

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
use perkgate_gateway::store::{
    Actor, Admission, Appended, ArrivalView, AuditQuery, AuditRow, ChannelView, Claim, DecidedRow, DeliveryView,
    DueRow, ExplainView, ExportView, KeptPage, KeyRow, LedgerReport, Looked, LotView, MemberView, NewArrival,
    NewRejection, Note, OutcomeView, PluginRow, ProgrammeRows, PutOff, QuestionView, QueueDepth, Reading,
    RejectionView, RowKey, SealedCell, SealedPlace, StalledView, Standing, Store, StoreError, StuckView, Sweep, Swept,
    TaskView, TokenRow, Unkeyed, UnreadArrival,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{Error, ErrorKind};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// What becomes of one act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is done.
    Done,
    /// The process dies before it: nothing is done.
    DiesBefore,
    /// The process dies after it: it is done, and nobody hears of it.
    DiesAfter,
}

/// An act that waits for its word.
pub type Ask = oneshot::Sender<Fate>;

/// What a worker was given to hold.
#[derive(Debug, Default)]
pub struct Held {
    /// Arrivals, by their numbers.
    pub arrivals: BTreeSet<i64>,
    /// Entries, by their numbers.
    pub entries: BTreeSet<i64>,
}

/// See the module's head.
pub struct Stepped {
    inner: Arc<dyn Store>,
    asks: mpsc::UnboundedSender<Ask>,
    held: Mutex<Held>,
}

impl std::fmt::Debug for Stepped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stepped").field("held", &self.held).finish_non_exhaustive()
    }
}

impl Stepped {
    /// Over `inner`. Every act sends its [`Ask`] and waits for the answer; if nobody answers, the process is dead.
    pub fn over(inner: Arc<dyn Store>) -> (Arc<Self>, mpsc::UnboundedReceiver<Ask>) {
        let (asks, asked) = mpsc::unbounded_channel();
        (Arc::new(Self { inner, asks, held: Mutex::default() }), asked)
    }

    /// Everything whose lease was ever given to whoever works with this store.
    pub fn held(&self) -> Held {
        std::mem::take(&mut *self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn act<T>(&self, act: impl Future<Output = Result<T, StoreError>> + Send) -> Result<T, StoreError>
    where
        T: Send,
    {
        let (ask, word) = oneshot::channel();
        let fate = if self.asks.send(ask).is_ok() { word.await.unwrap_or(Fate::DiesBefore) } else { Fate::DiesBefore };
        match fate {
            Fate::Done => act.await,
            Fate::DiesBefore => Err(died()),
            Fate::DiesAfter => {
                act.await?;
                Err(died())
            }
        }
    }

    fn holds(&self, arrivals: impl Iterator<Item = ArrivalId>, entries: impl Iterator<Item = EntryId>) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.arrivals.extend(arrivals.map(|arrival| arrival.0));
        held.entries.extend(entries.map(|entry| entry.0));
    }
}

/// What the dead would hear.
fn died() -> StoreError {
    StoreError::Database(sqlx::Error::Io(Error::new(ErrorKind::ConnectionAborted, "the process died")))
}

#[async_trait]
impl Store for Stepped {
    async fn append(&self, arrivals: &[NewArrival], lease_ms: i64) -> Result<Vec<Appended>, StoreError> {
        self.act(async {
            let appended = self.inner.append(arrivals, lease_ms).await?;
            let new = appended.iter().filter_map(|appended| match appended {
                Appended::Accepted(id) => Some(*id),
                Appended::Duplicate(_) | Appended::Conflict(_) => None,
            });
            self.holds(new, std::iter::empty());
            Ok(appended)
        })
        .await
    }
    async fn reject(&self, rejections: &[NewRejection], keep: i64) -> Result<(), StoreError> {
        self.inner.reject(rejections, keep).await
    }
    async fn claim_arrivals(&self, claim: &Claim) -> Result<Vec<UnreadArrival>, StoreError> {
        self.act(async {
            let claimed = self.inner.claim_arrivals(claim).await?;
            self.holds(claimed.iter().map(|arrival| arrival.id), std::iter::empty());
            Ok(claimed)
        })
        .await
    }
    async fn admit(&self, admissions: &[Admission], lease_ms: i64) -> Result<Vec<QueuedEntry>, StoreError> {
        self.act(async {
            let ready = self.inner.admit(admissions, lease_ms).await?;
            self.holds(std::iter::empty(), ready.iter().map(|entry| entry.id));
            Ok(ready)
        })
        .await
    }
    async fn unpark(&self) -> Result<u64, StoreError> {
        self.inner.unpark().await
    }
    async fn erasable(&self, most: usize) -> Result<Option<KeptPage>, StoreError> {
        self.inner.erasable(most).await
    }
    async fn erase(&self, looked: &Looked) -> Result<u64, StoreError> {
        self.inner.erase(looked).await
    }
    async fn sweep(&self, sweep: &Sweep) -> Result<Swept, StoreError> {
        self.inner.sweep(sweep).await
    }
    async fn errand(&self, merchant: &MerchantId, dedupe: &str) -> Result<Option<ArrivalId>, StoreError> {
        self.inner.errand(merchant, dedupe).await
    }
    async fn claim_entries(&self, claim: &Claim) -> Result<Vec<QueuedEntry>, StoreError> {
        self.act(async {
            let claimed = self.inner.claim_entries(claim).await?;
            self.holds(std::iter::empty(), claimed.iter().map(|entry| entry.id));
            Ok(claimed)
        })
        .await
    }
    async fn hold(&self, arrivals: &[ArrivalId], entries: &[EntryId], lease_ms: i64) -> Result<(), StoreError> {
        self.act(self.inner.hold(arrivals, entries, lease_ms)).await
    }
    async fn still_queued(&self, entries: &[EntryId]) -> Result<Vec<EntryId>, StoreError> {
        self.act(self.inner.still_queued(entries)).await
    }
    async fn book(&self, reading: &Reading<'_>) -> Result<Book, StoreError> {
        self.act(self.inner.book(reading)).await
    }
    async fn counters(&self, scopes: &BTreeSet<(MerchantId, String)>) -> Result<HashMap<Counter, i64>, StoreError> {
        self.act(self.inner.counters(scopes)).await
    }
    async fn reserve(&self, count: usize) -> Result<Vec<EntryId>, StoreError> {
        self.act(self.inner.reserve(count)).await
    }
    async fn due_members(&self, now: Moment, most: usize) -> Result<Vec<(MerchantId, MemberId)>, StoreError> {
        self.act(self.inner.due_members(now, most)).await
    }
    async fn enrolling(&self) -> Result<bool, StoreError> {
        self.act(self.inner.enrolling()).await
    }
    async fn enrol(&self, most: usize, now: Moment) -> Result<usize, StoreError> {
        self.act(self.inner.enrol(most, now)).await
    }
    async fn lead(&self, name: &str, lease_ms: i64) -> Result<bool, StoreError> {
        self.act(self.inner.lead(name, lease_ms)).await
    }
    async fn settle(&self, settlements: &[Settlement], put_off: &[PutOff]) -> Result<(), StoreError> {
        self.act(self.inner.settle(settlements, put_off)).await
    }
    async fn depth(&self) -> Result<QueueDepth, StoreError> {
        self.inner.depth().await
    }
    async fn due(
        &self,
        claim: &Claim,
        per_channel: usize,
        full: &[(MerchantId, ChannelId)],
        breaker: &BreakerLimits,
    ) -> Result<Vec<DueRow>, StoreError> {
        self.inner.due(claim, per_channel, full, breaker).await
    }
    async fn record(&self, attempts: &[Attempt], breaker: &BreakerLimits) -> Result<(), StoreError> {
        self.inner.record(attempts, breaker).await
    }
    async fn failing(&self, merchant: &MerchantId) -> Result<Vec<ChannelView>, StoreError> {
        self.inner.failing(merchant).await
    }
    async fn resume(
        &self,
        merchant: &MerchantId,
        channel: &ChannelId,
        now: Moment,
        by: &Actor,
    ) -> Result<bool, StoreError> {
        self.inner.resume(merchant, channel, now, by).await
    }
    async fn deliveries(&self, merchant: &MerchantId, state: &str, most: i64) -> Result<Vec<DeliveryView>, StoreError> {
        self.inner.deliveries(merchant, state, most).await
    }
    async fn resend(
        &self,
        merchant: &MerchantId,
        delivery: &DeliveryId,
        now: Moment,
        by: &Actor,
    ) -> Result<bool, StoreError> {
        self.inner.resend(merchant, delivery, now, by).await
    }
    async fn revision(&self) -> Result<i64, StoreError> {
        self.inner.revision().await
    }
    async fn standing(&self) -> Result<Standing, StoreError> {
        self.inner.standing().await
    }
    async fn apply(&self, programme: &ProgrammeRows, plugins: &[PluginRow], note: &Note) -> Result<(), StoreError> {
        self.inner.apply(programme, plugins, note).await
    }
    async fn component(&self, digest: Digest) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.component(digest).await
    }
    async fn settings(
        &self,
        merchant: &MerchantId,
        installation: &str,
        revision: i64,
    ) -> Result<Option<String>, StoreError> {
        self.inner.settings(merchant, installation, revision).await
    }
    async fn retry(&self, merchant: Option<&MerchantId>, entry: Option<EntryId>) -> Result<u64, StoreError> {
        self.inner.retry(merchant, entry).await
    }
    async fn stalled(&self, merchant: &MerchantId, most: i64) -> Result<Vec<StalledView>, StoreError> {
        self.inner.stalled(merchant, most).await
    }
    async fn recover(&self, now: Moment) -> Result<u64, StoreError> {
        self.inner.recover(now).await
    }
    async fn find_member(&self, merchant: &MerchantId, keys: &[MemberKey]) -> Result<Option<MemberId>, StoreError> {
        self.inner.find_member(merchant, keys).await
    }
    async fn member(&self, merchant: &MerchantId, member: &MemberId) -> Result<Option<MemberView>, StoreError> {
        self.inner.member(merchant, member).await
    }
    async fn lots(&self, merchant: &MerchantId, member: &MemberId) -> Result<Vec<LotView>, StoreError> {
        self.inner.lots(merchant, member).await
    }
    async fn explain(
        &self,
        merchant: &MerchantId,
        source: &SourceId,
        order: &str,
    ) -> Result<Option<ExplainView>, StoreError> {
        self.inner.explain(merchant, source, order).await
    }
    async fn arrival(&self, arrival: ArrivalId) -> Result<Option<ArrivalView>, StoreError> {
        self.inner.arrival(arrival).await
    }
    async fn arrivals(&self, merchant: &MerchantId, state: &str, most: i64) -> Result<Vec<ArrivalView>, StoreError> {
        self.inner.arrivals(merchant, state, most).await
    }
    async fn outcome(&self, merchant: &MerchantId, arrival: ArrivalId) -> Result<Option<OutcomeView>, StoreError> {
        self.inner.outcome(merchant, arrival).await
    }
    async fn tasks(&self, merchant: &MerchantId, state: &str, most: i64) -> Result<Vec<TaskView>, StoreError> {
        self.inner.tasks(merchant, state, most).await
    }
    async fn close_task(&self, merchant: &MerchantId, id: &str, now: Moment, by: &Actor) -> Result<bool, StoreError> {
        self.inner.close_task(merchant, id, now, by).await
    }
    async fn export(&self, merchant: &MerchantId, member: &MemberId) -> Result<Option<ExportView>, StoreError> {
        self.inner.export(merchant, member).await
    }
    async fn question(&self, merchant: &MerchantId, id: &str) -> Result<Option<QuestionView>, StoreError> {
        self.inner.question(merchant, id).await
    }
    async fn segment(
        &self,
        merchant: &MerchantId,
        audience: &Audience,
        after: Option<&MemberId>,
        most: usize,
    ) -> Result<Vec<MemberId>, StoreError> {
        self.inner.segment(merchant, audience, after, most).await
    }
    async fn rejections(&self, merchant: &MerchantId, most: i64) -> Result<Vec<RejectionView>, StoreError> {
        self.inner.rejections(merchant, most).await
    }
    async fn verify(&self, merchant: Option<&MerchantId>) -> Result<LedgerReport, StoreError> {
        self.inner.verify(merchant).await
    }
    async fn decided(
        &self,
        after: EntryId,
        merchant: Option<&MerchantId>,
        most: usize,
    ) -> Result<Vec<DecidedRow>, StoreError> {
        self.inner.decided(after, merchant, most).await
    }
    async fn undecided(
        &self,
        merchant: Option<&MerchantId>,
        most: usize,
    ) -> Result<Vec<(MerchantId, EntryId, InstallationId)>, StoreError> {
        self.inner.undecided(merchant, most).await
    }
    async fn keys(&self) -> Result<Vec<KeyRow>, StoreError> {
        self.inner.keys().await
    }
    async fn add_keys(&self, wrappings: &[KeyRow], new: &[KeyRow], note: &Note) -> Result<(), StoreError> {
        self.inner.add_keys(wrappings, new, note).await
    }
    async fn activate_keys(&self, note: &Note) -> Result<(), StoreError> {
        self.inner.activate_keys(note).await
    }
    async fn retire_keys(&self, roots: &[String], gone: &[(String, u32)], note: &Note) -> Result<(), StoreError> {
        self.inner.retire_keys(roots, gone, note).await
    }
    async fn is_used(&self) -> Result<bool, StoreError> {
        self.inner.is_used().await
    }
    async fn sealed(&self, place: SealedPlace, current: &[u8], after: &RowKey) -> Result<Vec<SealedCell>, StoreError> {
        self.inner.sealed(place, current, after).await
    }
    async fn reseal(&self, place: SealedPlace, cells: &[(SealedCell, Vec<u8>)]) -> Result<u64, StoreError> {
        self.inner.reseal(place, cells).await
    }
    async fn sealed_counts(&self, place: SealedPlace) -> Result<BTreeMap<Vec<u8>, i64>, StoreError> {
        self.inner.sealed_counts(place).await
    }
    async fn unkeyed(&self) -> Result<Vec<Unkeyed>, StoreError> {
        self.inner.unkeyed().await
    }
    async fn rekey(&self, rows: &[Unkeyed]) -> Result<(), StoreError> {
        self.inner.rekey(rows).await
    }
    async fn create_token(&self, token: &TokenRow, by: &Actor) -> Result<(), StoreError> {
        self.inner.create_token(token, by).await
    }
    async fn revoke_token(&self, id: &str, now: Moment, by: &Actor) -> Result<bool, StoreError> {
        self.inner.revoke_token(id, now, by).await
    }
    async fn token(&self, id: &str) -> Result<Option<TokenRow>, StoreError> {
        self.inner.token(id).await
    }
    async fn tokens(&self, merchant: Option<&MerchantId>, most: i64) -> Result<Vec<TokenRow>, StoreError> {
        self.inner.tokens(merchant, most).await
    }
    async fn note(&self, notes: &[Note]) -> Result<(), StoreError> {
        self.inner.note(notes).await
    }
    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRow>, StoreError> {
        self.inner.audit(query).await
    }
    async fn probe(&self) -> Result<(), StoreError> {
        self.inner.probe().await
    }
    async fn stuck(&self, now: Moment) -> Result<StuckView, StoreError> {
        self.inner.stuck(now).await
    }
    async fn close(&self) {
        self.inner.close().await;
    }
}
