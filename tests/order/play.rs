//! Plays a case: gives the workers their turns, then lets them come to rest, and looks at what came of it.

use super::cases::{Case, Telling, closing};
use super::ground::{Ground, Merchant};
use super::model::{self, GOAL, Stamps, Standing};
use super::worker::{Ended, Job, Worker};
use perkgate_gateway::identity::{self, Lookup};
use perkgate_gateway::store::MemberView;
use perkgate_tests::Fate;
use std::collections::VecDeque;

/// Rounds in which everybody reads and settles, before it is said that they never come to rest.
const ROUNDS: usize = 60;

/// What came out wrong, in a sentence.
pub(super) type Wrong = String;

/// The workers over one merchant's work.
pub(super) struct Play<'a> {
    ground: &'a mut Ground,
    merchant: Merchant,
    case: &'a Case,
    workers: Vec<Worker>,
    untold: VecDeque<Telling>,
    failed: Option<Wrong>,
}

impl<'a> Play<'a> {
    pub(super) fn new(ground: &'a mut Ground, merchant: Merchant, case: &'a Case) -> Self {
        let workers = case.skews.iter().map(|skew| Worker::start(ground, &merchant, *skew)).collect();
        Self { ground, merchant, case, workers, untold: case.tellings.iter().cloned().collect(), failed: None }
    }

    /// Everything that happens in the case, up to rest, and the checks.
    pub(super) async fn run(mut self) -> Result<(), Wrong> {
        for turn in &self.case.turns {
            let who = turn.who % self.workers.len();
            if turn.lapse {
                self.ground.hand.lapse().await;
            }
            if self.workers[who].is_idle() {
                self.begin(who, turn.job).await;
            } else {
                self.act(who, turn.fate).await;
            }
        }
        self.rest().await?;
        self.check(false).await?;
        // The next visit makes good what order decided: a card that is full again gives its reward.
        self.untold.extend(closing(self.case));
        self.rest().await?;
        self.check(true).await
    }

    async fn begin(&mut self, who: usize, job: Job) -> bool {
        let told = match job {
            Job::Deliver(most) => self.untold.drain(..most.min(self.untold.len())).collect(),
            _ => Vec::new(),
        };
        let job = if matches!(job, Job::Deliver(_)) && told.is_empty() { Job::Read } else { job };
        let ended = self.workers[who].begin(job, told).await;
        self.ended(ended)
    }

    /// One act of a worker that is at one; if it dies of it, another takes its place, with nothing but the database.
    async fn act(&mut self, who: usize, fate: Fate) -> bool {
        let mut ended = self.workers[who].act(fate).await;
        if fate == Fate::Done {
            return self.ended(ended);
        }
        // Nobody hears what a dead worker still does in memory; to the database it can do nothing any more.
        while ended.is_none() {
            ended = self.workers[who].act(Fate::DiesBefore).await;
        }
        let held = self.workers[who].held();
        self.workers[who] = Worker::start(self.ground, &self.merchant, self.case.skews[who]);
        self.ground.hand.bury(held).await;
        self.ended(ended)
    }

    fn ended(&mut self, ended: Option<Ended>) -> bool {
        let Some(ended) = ended else { return true };
        self.untold.extend(ended.again);
        if let Some(why) = ended.failed {
            self.failed.get_or_insert(why);
        }
        ended.moved
    }

    /// Tells what is left to tell, and lets everybody work until nobody finds anything to do.
    async fn rest(&mut self) -> Result<(), Wrong> {
        for round in 0..ROUNDS {
            let mut moved = !self.untold.is_empty();
            for who in 0..self.workers.len() {
                for job in [Job::Deliver(1 + round), Job::Read, Job::Settle] {
                    moved |= self.finish(who).await;
                    moved |= self.begin(who, job).await && !self.workers[who].is_idle() && self.finish(who).await;
                }
            }
            if let Some(why) = self.failed.take() {
                return Err(format!("a job failed by itself: {why}"));
            }
            if !moved {
                return Ok(());
            }
        }
        Err(format!("the workers do not come to rest: {:?}", self.ground.store.depth().await))
    }

    /// Ends the job a worker is at. Answers whether it did anything.
    async fn finish(&mut self, who: usize) -> bool {
        let mut moved = false;
        while !self.workers[who].is_idle() {
            moved = self.act(who, Fate::Done).await;
        }
        moved
    }

    async fn check(&mut self, closed: bool) -> Result<(), Wrong> {
        let depth = self.ground.store.depth().await.map_err(|error| error.to_string())?;
        same("what waits", (depth.arrivals, depth.entries, depth.parked), (0, 0, 0))?;
        let merchant = self.merchant.id.clone();
        let hand = &mut self.ground.hand;
        for (what, where_, count) in [
            ("entries not settled", "waiting where", 0),
            ("arrivals that contradict or cannot be read", "readings where state <> 'read' and", 0),
            ("entries", "entries where", self.case.happenings() + if closed { self.case.buyers().count() } else { 0 }),
        ] {
            let found = hand.number(format!("select count(*) from {where_} merchant_id = '{merchant}'")).await;
            same(what, found, i64::try_from(count).unwrap_or(i64::MAX))?;
        }
        for member in self.case.buyers() {
            self.check_member(member, closed).await.map_err(|wrong| format!("member {member}: {wrong}"))?;
        }
        let report = self.ground.store.verify(Some(&merchant)).await.map_err(|error| error.to_string())?;
        if report.holds() { Ok(()) } else { Err(format!("the ledger does not hold: {:?}", report.problems)) }
    }

    async fn check_member(&self, number: usize, closed: bool) -> Result<(), Wrong> {
        let view = self.member(number).await?;
        let (mut standing, stamps) = model::of(self.case, number);
        if closed {
            standing.points += 1;
            standing.visits += 1;
            standing.spent += 100;
        }
        let wallet = |name: &str| view.member.wallets.get(name).map_or(0, |wallet| wallet.available);
        let found = Standing {
            points: wallet("points"),
            visits: view.member.visits,
            spent: view.member.spent,
            first: if closed { standing.first } else { view.member.first_purchase_at.map(|at| at.0) },
            last: if closed { standing.last } else { view.member.last_purchase_at.map(|at| at.0) },
        };
        same("the standing", found, standing)?;
        let rewards = i64::try_from(view.rewards.len()).unwrap_or(i64::MAX);
        check_cards(stamps, wallet("stamps"), rewards, closed)
    }

    async fn member(&self, number: usize) -> Result<MemberView, Wrong> {
        let snapshot = self.ground.registry.snapshot();
        let programme = snapshot.programme(&self.merchant.id).ok_or("the merchant is not known")?;
        let key = format!("email:m{number}@example.com");
        let lookup = identity::parse_key(&self.ground.vault, &programme.merchant, programme.sources.keys(), &key)?;
        let Lookup::Keys(keys) = lookup else { return Err("an address is no member's id".to_owned()) };
        let store = &self.ground.store;
        let member = store.find_member(&self.merchant.id, &keys).await.map_err(|error| error.to_string())?;
        let member = member.ok_or("nobody has the address")?;
        let view = store.member(&self.merchant.id, &member).await.map_err(|error| error.to_string())?;
        view.ok_or_else(|| "the member is gone".to_owned())
    }
}

/// Stamps are never lost: what is not on the card was paid for rewards. Only which visit fills a card, and so which refund reopens
/// one, depends on the order; without refunds of stamps, and after one more visit in any case, the count does not.
fn check_cards(stamps: Stamps, on_card: i64, rewards: i64, closed: bool) -> Result<(), Wrong> {
    let all = stamps.left + i64::from(closed);
    if closed || !(stamps.any_taken || stamps.any_undone) {
        return same("stamps and rewards", (on_card, rewards), (all % GOAL, all / GOAL));
    }
    same("stamps in all", on_card + GOAL * rewards, all)?;
    if on_card >= 0 { Ok(()) } else { Err(format!("{on_card} stamps on the card, and {rewards} rewards")) }
}

fn same<T: Copy + PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Result<(), Wrong> {
    if found == expected { Ok(()) } else { Err(format!("{what}: found {found:?}, expected {expected:?}")) }
}
