//! The gateway as the stories have it: the real one, on SQLite in a directory of its own, serving on loopback.

use crate::programme::MERCHANT;
use crate::wait::until;
use perkgate_domain::ids::{ArrivalId, MerchantId};
use perkgate_domain::limits::{DeliveryLimits, DoorLimits, Retention};
use perkgate_domain::programme::Source;
use perkgate_domain::time::Moment;
use perkgate_gateway::clock::{Clock as _, ManualClock};
use perkgate_gateway::decide::Replay;
use perkgate_gateway::gateway::{Config, Gateway, Pages, StartError};
use perkgate_gateway::identity::{self, Lookup};
use perkgate_gateway::outbound::{Outbound, Private};
use perkgate_gateway::store::{
    Actor, ArrivalView, DeliveryView, ExplainView, LedgerReport, MemberView, QueueDepth, RejectionView,
};
use perkgate_gateway::telemetry::TraceTarget;
use perkgate_gateway::{apply, clock};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What time it is in stories that say nothing else: Monday, 2026-06-01T12:00:00Z.
pub const NOON: Moment = Moment(1_780_315_200_000);

/// Where the gateway can be reached; changes when it is restarted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Address(Arc<RwLock<String>>);

impl Address {
    /// `http://127.0.0.1:…`
    pub(crate) fn base(&self) -> String {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
    pub(crate) fn is(&self, base: String) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = base;
    }
}

/// What a gateway stands on before it is opened.
#[derive(Clone, Debug)]
pub struct Ground {
    programme: String,
    now: Moment,
    private: Private,
    door: DoorLimits,
    delivery: DeliveryLimits,
    files: Vec<(String, Vec<u8>)>,
    database: Option<String>,
    retention: Retention,
    traces: Option<TraceTarget>,
    one_port: bool,
}

impl Ground {
    /// A merchant file of these pieces (see [`crate::programme`]), [`NOON`], and messages to loopback allowed.
    #[must_use]
    pub fn of(pieces: &[&str]) -> Self {
        Self {
            programme: pieces.concat(),
            now: NOON,
            private: Private::loopback(),
            door: DoorLimits::default(),
            delivery: DeliveryLimits::default(),
            files: Vec::new(),
            database: None,
            retention: Retention::default(),
            traces: None,
            one_port: false,
        }
    }
    /// With a merchant file of these pieces.
    #[must_use]
    pub fn with(self, pieces: &[&str]) -> Self {
        Self { programme: pieces.concat(), ..self }
    }
    /// On another database than a file of its own.
    #[must_use]
    pub fn database(self, url: String) -> Self {
        Self { database: Some(url), ..self }
    }
    /// Keeping things for another time.
    #[must_use]
    pub fn retention(self, retention: Retention) -> Self {
        Self { retention, ..self }
    }
    /// With the operator's pages at the door.
    #[must_use]
    pub fn on_one_port(self) -> Self {
        Self { one_port: true, ..self }
    }
    /// With traces.
    #[must_use]
    pub fn traces(self, target: TraceTarget) -> Self {
        Self { traces: Some(target), ..self }
    }
    /// At this time.
    #[must_use]
    pub fn at(self, now: Moment) -> Self {
        Self { now, ..self }
    }
    /// At the machine's own time, for what others check against their clock.
    #[must_use]
    pub fn at_present(self) -> Self {
        Self { now: clock::SystemClock.now(), ..self }
    }
    /// Nothing may be sent to private addresses, as in production.
    #[must_use]
    pub fn refusing_private(self) -> Self {
        Self { private: Private::none(), ..self }
    }
    /// With other limits at the door.
    #[must_use]
    pub fn door(self, door: DoorLimits) -> Self {
        Self { door, ..self }
    }
    /// With other limits for deliveries.
    #[must_use]
    pub fn delivery(self, delivery: DeliveryLimits) -> Self {
        Self { delivery, ..self }
    }
    /// With a file beside the merchant file.
    #[must_use]
    pub fn file(mut self, name: &str, bytes: Vec<u8>) -> Self {
        self.files.push((name.to_owned(), bytes));
        self
    }
    /// Opens it.
    pub async fn open(self) -> TestGateway {
        TestGateway::on(self).await
    }
}

/// A running gateway. It must be [closed](TestGateway::close), which asks whether all is well.
#[derive(Debug)]
pub struct TestGateway {
    clock: Arc<ManualClock>,
    ground: Ground,
    data: TempDir,
    address: Address,
    pages: Address,
    running: Option<Running>,
    parked: i64,
    tampered: bool,
    /// Deliveries made so far, by whichever shop: no two have one id by accident.
    sent: Arc<AtomicU64>,
}

struct Running {
    gateway: Gateway,
    sources: Vec<Source>,
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<(), StartError>>,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("sources", &self.sources).finish_non_exhaustive()
    }
}

impl TestGateway {
    /// With a merchant file of these pieces.
    pub async fn open(pieces: &[&str]) -> Self {
        Self::on(Ground::of(pieces)).await
    }

    async fn on(ground: Ground) -> Self {
        let data = tempfile::tempdir().expect("a directory for the gateway");
        for (name, bytes) in &ground.files {
            std::fs::write(data.path().join(name), bytes).expect("a file beside the merchant file");
        }
        let clock = Arc::new(ManualClock::at(ground.now));
        let (address, pages, sent) = (Address::default(), Address::default(), Arc::default());
        let mut opened = Self { clock, ground, data, address, pages, running: None, parked: 0, tampered: false, sent };
        opened.start().await;
        opened
    }

    async fn start(&mut self) {
        let mut config = Config::new(self.database(), self.data.path());
        config.private = self.ground.private.clone();
        config.door = self.ground.door;
        config.delivery = self.ground.delivery;
        config.retention = self.ground.retention;
        config.traces.clone_from(&self.ground.traces);
        config.clock = Arc::clone(&self.clock) as Arc<dyn clock::Clock>;
        let gateway = Gateway::open(config).await.expect("the gateway opens");
        let (sources, _) = self.apply(&gateway, &self.ground.programme).await.expect("the merchant file is in order");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        self.address.is(format!("http://{}", listener.local_addr().expect("an address")));
        let pages = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        self.pages.is(format!("http://{}", pages.local_addr().expect("an address")));
        let pages = if self.ground.one_port { Pages::AtTheDoor } else { Pages::At(pages) };
        let (stop, mut stopped) = watch::channel(false);
        let serving = gateway.clone();
        let task = tokio::spawn(async move {
            serving.serve_with(listener, pages, async move { drop(stopped.wait_for(|stop| *stop).await) }).await
        });
        self.running = Some(Running { gateway, sources, stop, task });
    }

    async fn apply(&self, gateway: &Gateway, pieces: &str) -> Result<(Vec<Source>, bool), apply::ApplyError> {
        let text = format!("{MERCHANT}{pieces}");
        let store = gateway.store.as_ref();
        let prepared = apply::prepare_text(&text, "kavarna.toml", self.data.path().to_owned(), store).await?;
        let changed =
            apply::apply(&prepared, store, &gateway.vault, &Actor::command("anna@till"), gateway.clock().now()).await?;
        gateway.registry.refresh().await.expect("the programmes are read");
        gateway.registry.loaded().await;
        Ok((prepared.sources().to_vec(), changed))
    }

    /// Finishes what was begun and stops.
    async fn stop(&mut self) {
        let Some(Running { gateway, stop, task, .. }) = self.running.take() else { return };
        stop.send_replace(true);
        task.await.expect("serving did not panic").expect("serving ended well");
        drop(gateway);
    }

    /// Stops and starts again over the same directory, at another port.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.start().await;
    }

    /// Applies a merchant file of other pieces. Answers whether anything changed.
    pub async fn reapply(&mut self, pieces: &[&str]) -> bool {
        let programme = pieces.concat();
        let (sources, changed) = self.apply(self.gateway(), &programme).await.expect("the merchant file is in order");
        self.ground.programme = programme;
        if let Some(running) = &mut self.running {
            running.sources = sources;
        }
        changed
    }

    /// The gateway itself.
    pub fn gateway(&self) -> &Gateway {
        &self.running().gateway
    }
    fn running(&self) -> &Running {
        self.running.as_ref().expect("the gateway is running")
    }
    /// Its clock, which stands still until it is moved.
    pub fn clock(&self) -> &Arc<ManualClock> {
        &self.clock
    }
    /// Where its database, key and caches are.
    pub fn directory(&self) -> &Path {
        self.data.path()
    }
    /// The database's URL.
    pub fn database(&self) -> String {
        if let Some(url) = &self.ground.database {
            return url.clone();
        }
        format!("sqlite://{}", self.data.path().join("perkgate.db").display())
    }
    /// Whose programme it is.
    pub fn merchant(&self) -> MerchantId {
        MerchantId::from("kavarna")
    }
    pub(crate) fn address(&self) -> Address {
        self.address.clone()
    }
    pub(crate) fn counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.sent)
    }
    pub(crate) fn source(&self, id: &str) -> Source {
        let found = self.running().sources.iter().find(|source| source.id.as_str() == id);
        found.unwrap_or_else(|| panic!("the merchant file has no source `{id}`")).clone()
    }

    /// One of the operator's pages: status and text.
    pub async fn page(&self, path: &str) -> (u16, String) {
        let outbound = Outbound::new(Private::everything(), Duration::from_secs(10)).expect("an HTTP client");
        let answer = outbound.get(&format!("{}{path}", self.pages.base()), &[], 1 << 20).await.expect("an answer");
        (answer.status, String::from_utf8(answer.body).expect("a text"))
    }

    /// What waits.
    pub async fn depth(&self) -> QueueDepth {
        self.gateway().store.depth().await.expect("the queues are counted")
    }
    /// Waits until nothing is to be read or settled any more.
    pub async fn settle(&self) {
        let idle = |depth: QueueDepth| depth.arrivals == 0 && depth.entries == 0;
        until("everything is settled", async || idle(self.depth().await).then_some(())).await;
    }
    /// Waits until nothing is to be settled or sent any more.
    pub async fn sent(&self) {
        self.settle().await;
        until("everything is sent", async || (self.depth().await.deliveries == 0).then_some(())).await;
    }
    /// Moves the clock on.
    pub fn later(&self, seconds: i64) {
        self.clock.advance_ms(seconds * 1_000);
    }

    /// The member a key of the command line names (`email:…`).
    pub async fn find_member(&self, key: &str) -> Option<MemberView> {
        let (gateway, merchant) = (self.gateway(), self.merchant());
        let snapshot = gateway.registry.snapshot();
        let programme = snapshot.programme(&merchant).expect("the merchant is known");
        let lookup = identity::parse_key(&gateway.vault, &programme.merchant, programme.sources.keys(), key);
        let member = match lookup.expect("a key that names somebody") {
            Lookup::Member(member) => Some(member),
            Lookup::Keys(keys) => gateway.store.find_member(&merchant, &keys).await.expect("members are looked up"),
        };
        gateway.store.member(&merchant, &member?).await.expect("the member is read")
    }
    /// As [`TestGateway::find_member`], for somebody who is there.
    pub async fn member(&self, key: &str) -> MemberView {
        self.find_member(key).await.unwrap_or_else(|| panic!("nobody is known by {key}"))
    }
    /// What a member has available in a wallet.
    pub async fn balance(&self, key: &str, wallet: &str) -> i64 {
        self.member(key).await.member.wallets.get(wallet).map_or(0, |wallet| wallet.available)
    }
    /// Everything about an order, if it is there.
    pub async fn find_order(&self, source: &str, order: &str) -> Option<ExplainView> {
        self.gateway().store.explain(&self.merchant(), &source.into(), order).await.expect("the order is read")
    }
    /// As [`TestGateway::find_order`], for an order that is there.
    pub async fn explain(&self, source: &str, order: impl ToString) -> ExplainView {
        let order = order.to_string();
        self.find_order(source, &order).await.unwrap_or_else(|| panic!("there is no order {order} of {source}"))
    }
    /// What became of an arrival.
    pub async fn arrival(&self, arrival: ArrivalId) -> ArrivalView {
        self.gateway().store.arrival(arrival).await.expect("arrivals are read").expect("the arrival is journalled")
    }
    /// Deliveries in a state.
    pub async fn deliveries(&self, state: &str) -> Vec<DeliveryView> {
        self.gateway().store.deliveries(&self.merchant(), state, 100).await.expect("deliveries are listed")
    }
    /// Requests turned away, newest first.
    pub async fn rejections(&self) -> Vec<RejectionView> {
        self.gateway().store.rejections(&self.merchant(), 10_000).await.expect("rejections are listed")
    }
    /// What a check of the ledger finds, every decision made again.
    pub async fn verify(&self) -> LedgerReport {
        let (store, host) = (self.gateway().store.as_ref(), &self.gateway().host);
        let mut report = store.verify(None).await.expect("the ledger is checked");
        let mut replay = Replay::new(store, host, None);
        while replay.step(&mut report).await.expect("decisions are read") {}
        report
    }
    /// Every file in the gateway's directory.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.directory().to_owned()];
        while let Some(folder) = folders.pop() {
            for file in std::fs::read_dir(folder).expect("a directory").map(|file| file.expect("a file").path()) {
                if file.is_dir() { folders.push(file) } else { found.push(file) }
            }
        }
        found
    }

    /// The story leaves so many things parked.
    pub fn leaves_parked(&mut self, things: i64) {
        self.parked = things;
    }
    /// The story changed the ledger by hand.
    pub fn leaves_tampered(&mut self) {
        self.tampered = true;
    }

    /// Comes to rest, asks whether all is well, and stops.
    ///
    /// # Panics
    /// If something is parked or the ledger does not hold, unless the story said so.
    pub async fn close(mut self) {
        self.settle().await;
        let depth = self.depth().await;
        assert_eq!(depth.parked, self.parked, "things are parked at the end of the story");
        assert_eq!(depth.failed, 0, "something failed and was not tried again");
        let report = self.verify().await;
        assert!(self.tampered || report.holds(), "the ledger does not hold: {:#?}", report.problems);
        self.stop().await;
    }
}

impl Drop for TestGateway {
    fn drop(&mut self) {
        assert!(self.running.is_none() || std::thread::panicking(), "the story ends without closing its gateway");
    }
}
