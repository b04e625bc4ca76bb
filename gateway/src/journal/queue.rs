//! What waits for the journal, by merchant. A commit takes from every merchant by turns, each turn worth so many bytes, so that whoever
//! sends large bodies fills a commit only with what the others leave of it.

use perkgate_domain::ids::MerchantId;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

/// What one turn is worth, bytes: some thirty webhooks of the usual size.
const TURN: usize = 64 * 1024;

/// One merchant's.
#[derive(Debug)]
struct Line<T> {
    waiting: VecDeque<(usize, T)>,
    /// What its turns were worth so far and it did not use.
    saved: usize,
}

/// See the module's head.
#[derive(Debug)]
pub(super) struct Queue<T> {
    lines: BTreeMap<MerchantId, Line<T>>,
    last: Option<MerchantId>,
}

impl<T> Queue<T> {
    pub(super) fn new() -> Self {
        Self { lines: BTreeMap::new(), last: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(super) fn push(&mut self, merchant: MerchantId, bytes: usize, what: T) {
        let line = self.lines.entry(merchant).or_insert_with(|| Line { waiting: VecDeque::new(), saved: 0 });
        line.waiting.push_back((bytes, what));
    }

    /// The next batch: so many pieces, and so many bytes, but one piece at least.
    pub(super) fn take(&mut self, most: usize, most_bytes: usize) -> Vec<T> {
        let mut taken = Vec::new();
        let mut left = most_bytes;
        while taken.len() < most
            && let Some(merchant) = self.next()
        {
            let Some(line) = self.lines.get_mut(&merchant) else { break };
            line.saved += TURN;
            while taken.len() < most
                && let Some((bytes, _)) = line.waiting.front()
                && *bytes <= line.saved
            {
                if *bytes > left && !taken.is_empty() {
                    // It is first in the next batch: its turns are saved up.
                    return taken;
                }
                let Some((bytes, what)) = line.waiting.pop_front() else { break };
                line.saved -= bytes;
                left = left.saturating_sub(bytes);
                taken.push(what);
            }
            // Whoever has nothing waiting saves nothing up.
            if line.waiting.is_empty() {
                self.lines.remove(&merchant);
            }
            self.last = Some(merchant);
        }
        taken
    }

    /// Whose turn it is.
    fn next(&self) -> Option<MerchantId> {
        let behind = self.last.as_ref().and_then(|last| {
            self.lines.range((Bound::Excluded(last.clone()), Bound::Unbounded)).next().map(|(merchant, _)| merchant)
        });
        behind.or_else(|| self.lines.keys().next()).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    fn queue(of: &[(&str, usize, usize)]) -> Queue<String> {
        let mut queue = Queue::new();
        for (merchant, bytes, count) in of {
            for number in 0..*count {
                queue.push((*merchant).into(), *bytes, format!("{merchant}{number}"));
            }
        }
        queue
    }

    #[test]
    fn a_batch_is_bounded_in_pieces_and_in_bytes() {
        let mut small = queue(&[("a", 2_000, 300)]);
        assert_eq!(small.take(256, 4 * MIB).len(), 256);
        assert_eq!(small.take(256, 4 * MIB).len(), 44);
        assert!(small.is_empty() && small.take(256, 4 * MIB).is_empty());
        let mut large = queue(&[("a", MIB, 10)]);
        let sizes: Vec<usize> = std::iter::repeat_with(|| large.take(256, 4 * MIB).len()).take(4).collect();
        assert_eq!(sizes, [4, 4, 2, 0]);
        assert_eq!(queue(&[("a", 9 * MIB, 2)]).take(256, 4 * MIB), ["a0"], "what fits nowhere goes alone");
    }

    #[test]
    fn large_bodies_leave_the_others_their_turns() {
        let mut mixed = queue(&[("a", 4 * MIB, 3), ("b", 2_000, 100)]);
        let first = mixed.take(256, 4 * MIB);
        assert_eq!(first.len(), 100, "everything of b, and nothing of a fits beside it: {first:?}");
        assert!(first.iter().all(|what| what.starts_with('b')));
        assert_eq!(mixed.take(256, 4 * MIB), ["a0"]);
        mixed.push("b".into(), 2_000, "b-late".to_owned());
        let next: Vec<String> = (0..2).flat_map(|_| mixed.take(256, 4 * MIB)).collect();
        assert!(next.contains(&"b-late".to_owned()), "at the latest in the commit after the next: {next:?}");
    }

    #[test]
    fn many_small_ones_leave_the_others_their_turns() {
        let mut mixed = queue(&[("a", 2_000, 1_000), ("b", 2_000, 1)]);
        let taken = mixed.take(64, 4 * MIB);
        assert_eq!((taken.len(), taken.contains(&"b0".to_owned())), (64, true));
        assert_eq!(taken.iter().filter(|what| what.starts_with('a')).count(), 63);
    }
}
