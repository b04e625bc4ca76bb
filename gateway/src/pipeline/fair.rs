//! Turns between merchants: deficit round robin over what this process holds. Each turn a merchant may use a fixed amount of work; what one
//! entry costs depends on how many plugins its programme runs, and what a turn leaves over is kept for the next. A merchant with a long
//! backlog therefore delays another's single purchase by no more than one batch.

use perkgate_domain::ids::MerchantId;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::time::{Duration, Instant};

/// What one turn is worth, in plugin runs. More than one entry's cost for all but the largest programmes, whose turns add up.
const TURN: i64 = 16;

/// Work that a queue can hold.
pub(super) trait Work {
    /// Its number: unique in its queue, rising with age.
    fn number(&self) -> i64;
    /// Whose it is.
    fn merchant(&self) -> &MerchantId;
}

#[derive(Debug)]
struct Line<T> {
    waiting: VecDeque<T>,
    deficit: i64,
}

/// What is held: by merchant what is not begun, and the numbers of all of it.
#[derive(Debug)]
pub(super) struct FairQueue<T> {
    lines: BTreeMap<MerchantId, Line<T>>,
    /// Whose turn was last.
    last: Option<MerchantId>,
    length: usize,
    /// The numbers of everything held, begun or not, and since when, or since its lease was renewed.
    held: BTreeMap<i64, Instant>,
    /// The most held in all.
    room: usize,
    /// The most held of one merchant.
    each: usize,
}

impl<T: Work> FairQueue<T> {
    pub(super) fn new(room: usize, each: usize) -> Self {
        Self { lines: BTreeMap::new(), last: None, length: 0, held: BTreeMap::new(), room, each }
    }

    /// How much waits.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Whether so much more of one merchant would be held.
    pub(super) fn has_room(&self, merchant: &MerchantId, more: usize) -> bool {
        let line = self.lines.get(merchant).map_or(0, |line| line.waiting.len());
        line + more <= self.each && self.length + more <= self.room
    }

    /// Holds work; gives it back if there is no room. What is held already is held once: if a lease ran out while this process was
    /// too busy to renew it, the next claim may bring its own work again, and a batch with one piece twice could never be written.
    pub(super) fn push(&mut self, work: T) -> Result<(), T> {
        if self.held.contains_key(&work.number()) {
            return Ok(());
        }
        if !self.has_room(work.merchant(), 1) {
            return Err(work);
        }
        let line =
            self.lines.entry(work.merchant().clone()).or_insert_with(|| Line { waiting: VecDeque::new(), deficit: 0 });
        self.held.insert(work.number(), Instant::now());
        line.waiting.push_back(work);
        self.length += 1;
        Ok(())
    }

    /// Takes up to `most` pieces of work by turns; they are held until [`FairQueue::done`]. `cost` is what one piece of a
    /// merchant's work takes, in plugin runs.
    pub(super) fn take(&mut self, most: usize, cost: impl Fn(&MerchantId) -> i64) -> Vec<T> {
        let mut taken = Vec::with_capacity(most.min(self.length));
        while taken.len() < most {
            let Some(merchant) = self.next() else { break };
            let price = cost(&merchant).max(1);
            let Some(line) = self.lines.get_mut(&merchant) else { break };
            line.deficit += TURN;
            while line.deficit >= price
                && taken.len() < most
                && let Some(work) = line.waiting.pop_front()
            {
                line.deficit -= price;
                self.length -= 1;
                taken.push(work);
            }
            // Whoever has nothing to do saves nothing up.
            if line.waiting.is_empty() {
                self.lines.remove(&merchant);
            }
            self.last = Some(merchant);
        }
        taken
    }

    fn next(&self) -> Option<MerchantId> {
        let behind = self.last.as_ref().and_then(|last| {
            self.lines.range((Bound::Excluded(last.clone()), Bound::Unbounded)).next().map(|(merchant, _)| merchant)
        });
        behind.or_else(|| self.lines.keys().next()).cloned()
    }

    /// This work is not held any more.
    pub(super) fn done(&mut self, numbers: impl IntoIterator<Item = i64>) {
        for number in numbers {
            self.held.remove(&number);
        }
    }

    /// Puts work that was begun back where it was.
    pub(super) fn put_back(&mut self, work: Vec<T>) {
        for work in work.into_iter().rev() {
            let line = self
                .lines
                .entry(work.merchant().clone())
                .or_insert_with(|| Line { waiting: VecDeque::new(), deficit: 0 });
            line.waiting.push_front(work);
            self.length += 1;
        }
    }

    /// Removes what waits and fits.
    pub(super) fn remove(&mut self, fits: impl Fn(&T) -> bool) -> Vec<T> {
        let mut removed = Vec::new();
        for line in self.lines.values_mut() {
            if line.waiting.iter().any(&fits) {
                let (out, kept): (Vec<T>, Vec<T>) = std::mem::take(&mut line.waiting).into_iter().partition(&fits);
                removed.extend(out);
                line.waiting = kept.into();
            }
        }
        self.length -= removed.len();
        for work in &removed {
            self.held.remove(&work.number());
        }
        self.lines.retain(|_, line| !line.waiting.is_empty());
        removed
    }

    /// The numbers of what has been held for so long, begun or not; from now on they count as renewed.
    pub(super) fn aged(&mut self, age: Duration) -> Vec<i64> {
        let now = Instant::now();
        let old = self.held.iter_mut().filter(|(_, since)| now.duration_since(**since) >= age);
        old.map(|(number, since)| {
            *since = now;
            *number
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[derive(Debug, PartialEq, Eq)]
    struct Piece(i64, MerchantId);

    impl Work for Piece {
        fn number(&self) -> i64 {
            self.0
        }
        fn merchant(&self) -> &MerchantId {
            &self.1
        }
    }

    fn queue(backlog: &[(&str, i64)]) -> FairQueue<Piece> {
        let mut queue = FairQueue::new(100_000, 100_000);
        let mut number = 0;
        for (merchant, count) in backlog {
            for _ in 0..*count {
                number += 1;
                queue.push(Piece(number, (*merchant).into())).unwrap();
            }
        }
        queue
    }

    fn counts(taken: &[Piece]) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for piece in taken {
            *counts.entry(piece.1.as_str()).or_default() += 1;
        }
        counts
    }

    #[test]
    fn a_backlog_delays_nobody_by_more_than_a_batch() {
        let mut queue = queue(&[("busy", 50_000)]);
        queue.take(256, |_| 4);
        queue.push(Piece(99_999, "calm".into())).unwrap();
        assert_eq!(counts(&queue.take(256, |_| 4)), BTreeMap::from([("busy", 255), ("calm", 1)]));
    }

    #[test]
    fn turns_are_equal_in_work_not_in_entries() {
        let mut queue = queue(&[("large", 5_000), ("small", 5_000)]);
        let cost = |merchant: &MerchantId| if merchant.as_str() == "large" { 8 } else { 2 };
        let taken = queue.take(1_000, cost);
        assert_eq!(counts(&taken), BTreeMap::from([("large", 200), ("small", 800)]));
    }

    #[test]
    fn what_costs_more_than_a_turn_still_gets_one() {
        let mut queue = queue(&[("huge", 10), ("small", 1_000)]);
        let cost = |merchant: &MerchantId| if merchant.as_str() == "huge" { TURN * 3 } else { 1 };
        let taken = queue.take(300, cost);
        assert!(counts(&taken)["huge"] >= 5, "{:?}", counts(&taken));
    }

    #[test]
    fn more_merchants_than_a_batch_has_places_all_get_their_turn() {
        let names: Vec<String> = (0..600).map(|number| format!("m{number:03}")).collect();
        let mut queue = FairQueue::new(10_000, 100);
        for (number, name) in (0..).zip(&names) {
            queue.push(Piece(number, name.as_str().into())).unwrap();
            queue.push(Piece(number + 1_000, name.as_str().into())).unwrap();
        }
        let mut seen = BTreeSet::new();
        for _ in 0..6 {
            seen.extend(queue.take(200, |_| TURN).into_iter().map(|piece| piece.1));
        }
        assert_eq!((seen.len(), queue.len()), (600, 0));
    }

    #[test]
    fn room_is_bounded_in_all_and_for_each() {
        let mut queue = FairQueue::new(5, 3);
        for number in 0..3 {
            queue.push(Piece(number, "a".into())).unwrap();
        }
        assert_eq!(queue.push(Piece(3, "a".into())), Err(Piece(3, "a".into())));
        queue.push(Piece(4, "b".into())).unwrap();
        queue.push(Piece(5, "b".into())).unwrap();
        assert_eq!(queue.push(Piece(6, "c".into())), Err(Piece(6, "c".into())));
    }

    #[test]
    fn what_is_put_back_comes_first_again() {
        let mut queue = queue(&[("a", 3)]);
        let taken = queue.take(2, |_| 1);
        assert_eq!(queue.aged(Duration::ZERO).len(), 3);
        queue.put_back(taken);
        let order: Vec<i64> = queue.take(3, |_| 1).iter().map(Work::number).collect();
        assert_eq!((order, queue.len()), (vec![1, 2, 3], 0));
        queue.done([1, 2]);
        assert_eq!(queue.aged(Duration::ZERO), [3]);
    }

    #[test]
    fn what_is_held_is_held_once() {
        let mut queue = queue(&[("a", 3)]);
        let again = |queue: &mut FairQueue<Piece>| {
            for number in 1..=3 {
                queue.push(Piece(number, "a".into())).unwrap();
            }
        };
        again(&mut queue);
        assert_eq!(queue.len(), 3, "waiting");
        let taken = queue.take(2, |_| 1);
        again(&mut queue);
        assert_eq!((queue.len(), queue.aged(Duration::ZERO)), (1, vec![1, 2, 3]), "under way");
        queue.put_back(taken);
        again(&mut queue);
        assert_eq!(queue.len(), 3, "put back");
        queue.remove(|piece| piece.0 == 3);
        queue.take(1, |_| 1);
        queue.done([1]);
        again(&mut queue);
        assert_eq!(queue.aged(Duration::ZERO), [1, 2, 3], "what is done or removed may come again");
    }

    #[test]
    fn what_fits_is_removed() {
        let mut queue = queue(&[("a", 3), ("b", 2)]);
        let removed = queue.remove(|piece| piece.0 % 2 == 0);
        assert_eq!(removed.iter().map(Work::number).collect::<Vec<_>>(), [2, 4]);
        assert_eq!((queue.len(), queue.take(9, |_| 1).len()), (3, 3));
    }
}
