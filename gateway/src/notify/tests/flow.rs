//! What is under way from pass to pass: who waits for whom, and what becomes of it when something fails or ends.

use super::*;

/// A receiver that answers nobody but who the gate lets through.
fn behind_a_gate() -> (Receiver, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    (Receiver { gate: Some(gate.clone()), ..Receiver::saying(200) }, gate)
}

fn some(count: usize, channel: &str) -> Vec<DueDelivery> {
    (0..count).map(|n| due(&format!("dlv_{channel}_{n:02}"), channel)).collect()
}

impl Stage {
    fn add(&self, due: Vec<DueDelivery>) {
        self.outbox.due.lock().unwrap().extend(due);
    }
    /// Deliveries of a channel that nobody has claimed.
    fn unclaimed(&self, channel: &str) -> usize {
        let due = self.outbox.due.lock().unwrap();
        due.iter().filter(|due| due.delivery.channel.as_str() == channel).count()
    }
    /// How many attempts of each channel are recorded.
    fn recorded(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for attempt in self.outbox.recorded.lock().unwrap().iter().flatten() {
            *counts.entry(attempt.channel.to_string()).or_default() += 1;
        }
        counts
    }
    /// Passes until this holds.
    async fn passes_until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let passes = async {
            while !holds(self) {
                self.notifier.pass().await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, passes).await.unwrap_or_else(|_| panic!("never: {what}"));
    }
    /// Passes until nothing is due or under way.
    async fn comes_to_rest(&self) {
        let passes = async { while self.notifier.pass().await.unwrap() > 0 {} };
        tokio::time::timeout(PATIENCE, passes).await.expect("all is sent");
    }
    fn recorded_of(&self, channel: &str) -> usize {
        self.recorded().get(channel).copied().unwrap_or(0)
    }
}

/// Waits until so many requests are with the receiver.
async fn has(receiver: &Receiver, requests: usize) {
    let there = async {
        while receiver.now.load(Ordering::SeqCst) != requests {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, there).await.expect("the requests arrive");
}

#[tokio::test]
async fn a_receiver_that_never_answers_delays_nobody_else() {
    let ((silent, _gate), quick) = (behind_a_gate(), Receiver::saying(200));
    let stage = stage(true, 60_000, &[("silent", silent.listens().await), ("quick", quick.listens().await)]);
    stage.add(some(30, "silent"));
    stage.add(some(3, "quick"));
    stage.passes_until("the quick one has its messages", |stage| stage.recorded_of("quick") == 3).await;
    stage.add(some(20, "quick"));
    stage.passes_until("and those that came later", |stage| stage.recorded_of("quick") == 23).await;
    assert_eq!((stage.recorded_of("silent"), stage.unclaimed("silent")), (0, 26), "four are under way, none is leased");
    has(&silent, PER_DESTINATION).await;
}

#[tokio::test]
async fn a_channel_has_at_most_four_under_way() {
    let (receiver, gate) = behind_a_gate();
    let stage = stage(true, 60_000, &[("hook", receiver.listens().await)]);
    stage.add(some(10, "hook"));
    assert_eq!(stage.notifier.pass().await.unwrap(), 4, "claimed");
    assert_eq!(stage.notifier.pass().await.unwrap(), 4, "nothing to do, and four are under way");
    assert_eq!(stage.unclaimed("hook"), 6);
    let name = || (MerchantId::from("kavarna"), ChannelId::from("hook"));
    assert_eq!(*stage.outbox.asked.lock().unwrap(), [(16, 4, vec![]), (12, 4, vec![name()])]);

    gate.add_permits(1);
    stage.passes_until("one follows", |stage| stage.unclaimed("hook") == 5).await;
    assert_eq!(stage.recorded_of("hook"), 1);
    assert!(stage.outbox.asked.lock().unwrap().contains(&(13, 1, vec![])), "there is room for one");
    gate.add_permits(9);
    stage.comes_to_rest().await;
    assert_eq!((stage.recorded_of("hook"), receiver.most.load(Ordering::SeqCst)), (10, PER_DESTINATION));
}

#[tokio::test]
async fn a_destination_gets_at_most_four_at_once() {
    let mut receiver = Receiver::saying(200);
    receiver.meet = Some(Arc::new(Barrier::new(PER_DESTINATION)));
    let hook = receiver.listens().await;
    let stage = stage(true, 5_000, &[("hook", hook.clone()), ("same", hook)]);
    let due = (0..16).map(|n| due(&format!("dlv_{n:02}"), if n % 2 == 0 { "hook" } else { "same" })).collect();
    let attempts = stage.sends(due).await;
    assert!(attempts.iter().all(|attempt| attempt.next == Next::Delivered));
    assert_eq!(receiver.most.load(Ordering::SeqCst), PER_DESTINATION);
}

#[tokio::test]
async fn many_channels_of_one_silent_host_delay_nobody_else() {
    let ((silent, gate), quick) = (behind_a_gate(), Receiver::saying(200));
    let host = silent.listens().await;
    let names: Vec<String> = (0..40).map(|n| format!("branch_{n:02}")).collect();
    let mut channels: Vec<_> = names.iter().map(|name| (name.as_str(), host.clone())).collect();
    channels.push(("quick", quick.listens().await));
    let stage = stage(true, 60_000, &channels);
    for name in &names {
        stage.add(some(2, name));
    }
    stage.add(some(20, "quick"));
    stage.passes_until("the quick one has its messages", |stage| stage.recorded_of("quick") == 20).await;
    has(&silent, PER_DESTINATION).await;

    // Those that were claimed before it was known where they lead are let go when they have waited for too long.
    stage.clock.advance_ms(60_001);
    stage.notifier.pass().await.unwrap();
    let unclaimed: usize = names.iter().map(|name| stage.unclaimed(name)).sum();
    gate.add_permits(100);
    stage.comes_to_rest().await;
    assert_eq!(silent.got.lock().unwrap().len(), PER_DESTINATION + unclaimed);
    assert_eq!(silent.most.load(Ordering::SeqCst), PER_DESTINATION);
}

#[tokio::test]
async fn no_more_are_under_way_than_the_limit() {
    let (receivers, gates) = (0..5).map(|_| behind_a_gate()).unzip::<_, _, Vec<_>, Vec<_>>();
    let names = ["a", "b", "c", "d", "e"];
    let mut channels = Vec::new();
    for (name, receiver) in names.into_iter().zip(&receivers) {
        channels.push((name, receiver.listens().await));
    }
    let stage = stage(true, 60_000, &channels);
    for name in names {
        stage.add(some(4, name));
    }
    assert_eq!(stage.notifier.pass().await.unwrap(), 16);
    assert_eq!(stage.notifier.pass().await.unwrap(), 16, "under way");
    assert_eq!(stage.outbox.asked.lock().unwrap().len(), 1, "who has no room does not ask");
    for gate in &gates {
        gate.add_permits(4);
    }
    stage.comes_to_rest().await;
    assert_eq!(stage.recorded().values().sum::<usize>(), 20);
}

#[tokio::test]
async fn the_limits_hold_whatever_the_outbox_gives() {
    let (receiver, gate) = behind_a_gate();
    let names = ["a", "b", "c", "d", "e"];
    let mut channels = Vec::new();
    for name in names {
        channels.push((name, receiver.listens().await));
    }
    let stage = stage(true, 60_000, &channels);
    stage.outbox.generous.store(true, Ordering::SeqCst);
    for name in names {
        stage.add(some(6, name));
    }
    assert_eq!(stage.notifier.pass().await.unwrap(), 30);
    has(&receiver, 16).await;
    gate.add_permits(100);
    stage.comes_to_rest().await;
    assert_eq!((stage.recorded().values().sum::<usize>(), receiver.most.load(Ordering::SeqCst)), (30, 16));
}

#[tokio::test]
async fn a_record_that_fails_is_kept() {
    let receiver = Receiver::saying(200);
    let stage = stage(true, 5_000, &[("hook", receiver.listens().await)]);
    stage.outbox.failing.store(usize::MAX, Ordering::SeqCst);
    stage.add(some(3, "hook"));
    assert_eq!(stage.notifier.pass().await.unwrap(), 3);
    let passes = async {
        loop {
            if let Err(error) = stage.notifier.pass().await {
                return error.to_string();
            }
        }
    };
    let error = tokio::time::timeout(PATIENCE, passes).await.unwrap();
    assert_eq!(error, "the outbox: cannot record the attempts: the disk is full");
    // While a record waits, nothing is claimed.
    let asked = stage.outbox.asked.lock().unwrap().len();
    stage.add(some(5, "later"));
    for _ in 0..5 {
        assert_eq!(stage.notifier.pass().await.unwrap_err().to_string(), error);
    }
    assert_eq!((stage.unclaimed("later"), stage.outbox.asked.lock().unwrap().len()), (5, asked));
    stage.outbox.due.lock().unwrap().clear();
    stage.outbox.failing.store(0, Ordering::SeqCst);
    stage.comes_to_rest().await;
    assert_eq!((stage.recorded_of("hook"), receiver.got.lock().unwrap().len()), (3, 3), "sent once, recorded once");
}

#[tokio::test]
async fn at_the_end_what_is_under_way_is_recorded_and_nothing_is_begun() {
    let (receiver, gate) = behind_a_gate();
    let stage = stage(true, 60_000, &[("hook", receiver.listens().await)]);
    stage.add(some(6, "hook"));
    assert_eq!(stage.notifier.pass().await.unwrap(), 4);
    has(&receiver, 4).await;
    // The first records fail, the last try does not.
    stage.outbox.failing.store(3, Ordering::SeqCst);
    gate.add_permits(100);
    tokio::time::timeout(PATIENCE, stage.notifier.finish()).await.unwrap();
    assert_eq!((stage.recorded_of("hook"), stage.unclaimed("hook")), (4, 2));
    stage.notifier.finish().await;
    assert_eq!((stage.recorded_of("hook"), receiver.got.lock().unwrap().len()), (4, 4));
}

#[tokio::test]
async fn what_cannot_be_recorded_at_the_end_does_not_hold_it_up() {
    let stage = stage(true, 5_000, &[("hook", Receiver::saying(200).listens().await)]);
    stage.add(some(1, "hook"));
    assert_eq!(stage.notifier.pass().await.unwrap(), 1);
    stage.outbox.failing.store(usize::MAX, Ordering::SeqCst);
    tokio::time::timeout(PATIENCE, stage.notifier.finish()).await.unwrap();
    assert_eq!(stage.recorded_of("hook"), 0);
}

#[tokio::test]
async fn what_is_under_way_is_not_begun_again() {
    let (receiver, gate) = behind_a_gate();
    let stage = stage(true, 60_000, &[("hook", receiver.listens().await)]);
    stage.add(some(1, "hook"));
    assert_eq!(stage.notifier.pass().await.unwrap(), 1);
    // Its lease has ended: the machine slept.
    stage.add(some(1, "hook"));
    assert_eq!(stage.notifier.pass().await.unwrap(), 1, "under way");
    assert_eq!(stage.unclaimed("hook"), 0);
    gate.add_permits(100);
    stage.comes_to_rest().await;
    assert_eq!((receiver.got.lock().unwrap().len(), stage.recorded_of("hook")), (1, 1));
}

#[tokio::test]
async fn a_store_in_trouble_sends_nothing() {
    let receiver = Receiver::saying(200);
    let stage = stage(true, 5_000, &[("hook", receiver.listens().await)]);
    stage.outbox.broken.store(true, Ordering::SeqCst);
    stage.add(some(2, "hook"));
    for _ in 0..3 {
        let error = stage.notifier.pass().await.unwrap_err();
        assert_eq!(error.to_string(), "the outbox: cannot look up a channel: the database is away");
    }
    assert!(receiver.got.lock().unwrap().is_empty());
    stage.outbox.broken.store(false, Ordering::SeqCst);
    stage.comes_to_rest().await;
    assert_eq!((receiver.got.lock().unwrap().len(), stage.outbox.asked.lock().unwrap().len()), (2, 3));
}

/// A clock that breaks when an attempt, which is a task of its own, first looks at it.
#[derive(Default)]
struct Breaking {
    broken: AtomicBool,
}

impl Clock for Breaking {
    fn now(&self) -> Moment {
        let in_attempt = tokio::task::try_id().is_some();
        assert!(!in_attempt || self.broken.swap(true, Ordering::SeqCst), "the clock breaks");
        SystemClock.now()
    }
}

#[tokio::test]
async fn an_attempt_that_panics_frees_its_place() {
    let receiver = Receiver::saying(200);
    let stage = stage(true, 5_000, &[("hook", receiver.listens().await)]);
    let outbound = Outbound::new(Private::loopback(), Duration::from_secs(5)).unwrap();
    let limits = DeliveryLimits { parallel: 1, ..DeliveryLimits::default() };
    let clock = Arc::new(Breaking::default());
    let notifier = Notifier::new(stage.outbox.clone(), outbound, clock, Traces::default(), limits);
    let stage = Stage { notifier, ..stage };
    stage.add(some(6, "hook"));
    stage.passes_until("the others are sent", |stage| stage.recorded_of("hook") == 5).await;
    stage.comes_to_rest().await;
    assert_eq!((receiver.got.lock().unwrap().len(), stage.unclaimed("hook")), (5, 0));
    assert!(stage.outbox.asked.lock().unwrap().iter().any(|asked| *asked == (1, 4, vec![])), "all the room is back");
}
