//! Customers at several tills at once, and a model of what they must have in the end. A till repeats a webhook until it is answered 200,
//! as platforms do, and again at times when it was.
//!
//! Everything is drawn from a seed: purchases of whole euros by a few members, refunds in full and in part, refunds that overtake their
//! purchase, repetitions under the same and under another delivery id.

use crate::gateway::Address;
use crate::programme::OWN_SECRET;
use crate::sales::{self, Sale};
use crate::served::Served;
use crate::shop::Reply;
use perkgate_domain::programme::Source;
use perkgate_domain::time::Moment;
use perkgate_gateway::clock::{Clock as _, SystemClock};
use perkgate_gateway::connectors;
use perkgate_gateway::outbound::{Outbound, Private};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How late a webhook may be.
const LATE_DAYS: u64 = 700;
/// Customers, whom every till may meet.
const MEMBERS: u64 = 10;
/// Orders of one till are numbered within this.
const ORDERS: u64 = 1_000_000;
/// Before something is sent again.
const AGAIN: Duration = Duration::from_millis(20);
/// How long a till waits for an answer.
const ANSWER: Duration = Duration::from_secs(5);
/// What there is to buy: whole euros, so that no line's points are rounded.
const MENU: [(&str, i64); 6] = [
    ("Espresso", 200),
    ("Flat white", 300),
    ("Medovník", 500),
    ("Obed", 700),
    ("Káva 250 g", 1_100),
    ("Džezva", 1_900),
];

/// Numbers drawn from a seed (SplitMix64): the same seed, the same numbers.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Of this seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        Self(seed)
    }
    /// 0 to `sides` - 1.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
    /// True once in so many times.
    fn once_in(&mut self, times: u64) -> bool {
        self.roll(times) == 0
    }
    /// One of 0 to `count` - 1.
    pub fn pick(&mut self, count: usize) -> usize {
        usize::try_from(self.roll(u64::try_from(count).expect("few"))).expect("few")
    }
}

/// What somebody must have in the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Points: one for each euro that was not given back.
    pub points: i64,
    /// Stamps ever given and not taken back, those that became rewards included.
    pub stamps: i64,
    /// Purchases of which something was kept.
    pub visits: i64,
}

/// What the door said so far.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Answered 200.
    pub answered: u64,
    /// Answered 503.
    pub refused: u64,
    /// Not answered at all.
    pub unheard: u64,
    /// The longest that somebody waited for a 503.
    pub slowest_refusal: Duration,
}

/// What must be there in the end.
#[derive(Clone, Debug, Default)]
pub struct Books {
    /// External ids of purchases.
    pub orders: Vec<String>,
    /// External ids of refunds.
    pub refunds: Vec<String>,
    /// By e-mail address.
    pub members: BTreeMap<String, Standing>,
    /// How it went.
    pub tally: Tally,
}

/// Tills that sell until they are told to close.
#[derive(Debug)]
pub struct Load {
    tills: JoinSet<Books>,
    tally: Arc<Mutex<Tally>>,
    close: watch::Sender<bool>,
}

impl Load {
    /// So many tills open, each of which sends every webhook to any of these gateways. `pause` is between two of a till's webhooks.
    pub fn start(gateways: &[Served], seed: u64, tills: u64, pause: Duration) -> Self {
        let (close, closed) = watch::channel(false);
        let tally: Arc<Mutex<Tally>> = Arc::default();
        let addresses: Vec<Address> = gateways.iter().map(Served::address).collect();
        let now = SystemClock.now();
        let mut running = JoinSet::new();
        for number in 0..tills {
            let till = Till {
                number,
                dice: Dice::of(seed.wrapping_mul(0x1_0000_0001).wrapping_add(number)),
                opened: now.plus_ms(-3_600_000),
                addresses: addresses.clone(),
                source: source(),
                outbound: Outbound::new(Private::everything(), ANSWER).expect("an HTTP client"),
                tally: Arc::clone(&tally),
                books: Books::default(),
                pause,
            };
            running.spawn(till.sell(closed.clone()));
        }
        Self { tills: running, tally, close }
    }

    /// How it goes.
    pub fn tally(&self) -> Tally {
        locked(&self.tally).clone()
    }

    /// No more customers; waits until everything that was begun is answered 200.
    ///
    /// # Panics
    /// If a till did not like an answer: one that is neither 200 nor a 503 with `Retry-After`.
    pub async fn finish(self) -> Books {
        self.close.send_replace(true);
        let mut all = Books { tally: self.tally(), ..Books::default() };
        for books in self.tills.join_all().await {
            all.orders.extend(books.orders);
            all.refunds.extend(books.refunds);
            for (member, standing) in books.members {
                let sum = all.members.entry(member).or_default();
                sum.points += standing.points;
                sum.stamps += standing.stamps;
                sum.visits += standing.visits;
            }
        }
        all.tally = locked(&self.tally).clone();
        all.orders.sort_unstable();
        all.refunds.sort_unstable();
        all
    }
}

fn locked(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The shop's own till of [`crate::programme::OWN`].
fn source() -> Source {
    Source {
        id: "own".into(),
        platform: "standard-webhooks".to_owned(),
        secrets: vec![OWN_SECRET.to_owned()],
        url: None,
        api: None,
        options: serde_json::Map::new(),
        test: false,
        paused: false,
        refund_window_days: None,
    }
}

/// One webhook: its delivery id and its body.
type Webhook = (String, Vec<u8>);

struct Till {
    number: u64,
    dice: Dice,
    opened: Moment,
    addresses: Vec<Address>,
    source: Source,
    outbound: Outbound,
    tally: Arc<Mutex<Tally>>,
    books: Books,
    pause: Duration,
}

impl Till {
    async fn sell(mut self, closed: watch::Receiver<bool>) -> Books {
        let mut next = self.number * ORDERS;
        while !*closed.borrow() {
            for (delivery, body) in self.customer(next) {
                self.deliver(&delivery, &body).await;
                if self.dice.once_in(10) {
                    self.deliver(&delivery, &body).await;
                }
                if self.dice.once_in(10) {
                    self.deliver(&format!("{delivery}-again"), &body).await;
                }
                tokio::time::sleep(self.pause).await;
            }
            next += 1;
        }
        self.books
    }

    /// What one customer leads to, and what it comes to.
    fn customer(&mut self, id: u64) -> Vec<Webhook> {
        let email = format!("guest{}@example.com", self.dice.roll(MEMBERS));
        let mut menu = MENU.to_vec();
        let items: Vec<sales::Item> = (0..=self.dice.roll(3))
            .map(|_| {
                let (name, price) = menu.remove(self.dice.pick(menu.len()));
                (name, 1 + i64::try_from(self.dice.roll(3)).expect("few"), price)
            })
            .collect();
        // Some come very late: a till that was offline, a shop that imports.
        let late = i64::try_from(self.dice.roll(LATE_DAYS)).expect("days") * i64::from(self.dice.once_in(5));
        let sale = Sale::new(id, &items).by(&email).at(self.opened.plus_ms(-late * 24 * 3_600_000));
        let refunds = self.refunds(&sale);

        let line = |index: usize| items[index].1 * items[index].2;
        let dearest = (0..items.len()).rev().max_by_key(|index| line(*index)).expect("a line");
        let returned =
            |index: usize| -> i64 { refunds.iter().filter(|(of, _)| *of == index).map(|(_, pieces)| *pieces).sum() };
        let all_of = |index: usize| items[index].1 == returned(index);
        let kept: i64 = (0..items.len()).map(|index| (items[index].1 - returned(index)) * items[index].2).sum();
        let standing = self.books.members.entry(email).or_default();
        standing.points += kept / 100;
        // A visit's stamp lies on the dearest line and goes back with it.
        standing.stamps += i64::from(!all_of(dearest));
        standing.visits += i64::from(!(0..items.len()).all(all_of));

        self.books.orders.push(id.to_string());
        let mut webhooks = vec![(format!("sale-{id}"), sales::standard(&sale))];
        for (number, part) in (0..).zip(&refunds) {
            let refund = id * 10 + number;
            self.books.refunds.push(refund.to_string());
            webhooks.push((format!("refund-{refund}"), sales::standard_refund(refund, &sale, &[*part])));
        }
        if self.dice.once_in(6) {
            // The refunds overtake their purchase.
            webhooks.rotate_left(1);
        }
        webhooks
    }

    /// Lines given back, one refund for each: whole ones, and pieces of those on which no stamp lies.
    fn refunds(&mut self, sale: &Sale) -> Vec<(usize, i64)> {
        let lines = sale.items.len();
        let line = |index: usize| sale.items[index].1 * sale.items[index].2;
        let dearest = (0..lines).rev().max_by_key(|index| line(*index)).expect("a line");
        let mut refunds = Vec::new();
        if self.dice.once_in(3) {
            for index in 0..lines {
                let pieces = sale.items[index].1;
                match self.dice.roll(3) {
                    0 => refunds.push((index, pieces)),
                    1 if index != dearest => {
                        // In two parts, which add up.
                        refunds.push((index, 1));
                        if pieces > 1 {
                            refunds.push((index, pieces - 1));
                        }
                    }
                    2 if index != dearest && pieces > 1 => refunds.push((index, 1)),
                    _ => {}
                }
            }
        }
        refunds
    }

    /// Sends until it is answered 200.
    async fn deliver(&mut self, delivery: &str, body: &[u8]) {
        loop {
            let gateway = self.dice.pick(self.addresses.len());
            if self.post(gateway, delivery, body).await {
                return;
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Sends once. Whatever is not a 200 may or may not be journalled.
    async fn post(&mut self, gateway: usize, delivery: &str, body: &[u8]) -> bool {
        let base = self.addresses[gateway].base();
        if base.is_empty() {
            return false;
        }
        let connector = connectors::find(&self.source.platform).expect("a connector");
        let headers = connector.sign(body, None, delivery, &self.source, SystemClock.now()).expect("a signature");
        let url = format!("{base}/in/kavarna/{}", self.source.id);
        let started = Instant::now();
        let answer = self.outbound.post(&url, &headers, body.to_vec(), 64 * 1024).await;
        let mut tally = locked(&self.tally);
        match answer.map(Reply::of) {
            Ok(reply) if reply.status == 200 => {
                tally.answered += 1;
                true
            }
            Ok(reply) => {
                assert!(reply.status == 503 && reply.retry_after.is_some(), "{delivery}: {reply:?}");
                tally.refused += 1;
                tally.slowest_refusal = tally.slowest_refusal.max(started.elapsed());
                false
            }
            Err(error) => {
                assert!(error.is_transient(), "{delivery}: {error}");
                tally.unheard += 1;
                false
            }
        }
    }
}
