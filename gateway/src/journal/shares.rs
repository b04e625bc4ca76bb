//! Something of which there is only so much, such as memory for bodies, shared by merchants. Nobody may hold more than what is left over:
//! one who takes all they can holds half, two hold a third each, and something always remains for whoever comes next. Nothing has to be
//! set for each merchant, and a gateway with one merchant does not keep most of its memory back for others.

use perkgate_domain::ids::MerchantId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// See the module's head. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Shares {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    most: usize,
    held: Mutex<Held>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Held {
    all: usize,
    of: HashMap<MerchantId, usize>,
}

impl Shares {
    /// Of so much.
    #[must_use]
    pub fn of(most: usize) -> Self {
        Self { inner: Arc::new(Inner { most, held: Mutex::default(), freed: Notify::new() }) }
    }

    /// A share of a merchant's, empty at first.
    #[must_use]
    pub fn share(&self, merchant: &MerchantId) -> Share {
        Share { inner: Arc::clone(&self.inner), merchant: merchant.clone(), amount: 0 }
    }

    /// How much is held.
    #[must_use]
    pub fn held(&self) -> usize {
        self.inner.held().all
    }

    /// Completes when something is given back after this call.
    pub fn freed(&self) -> Notified<'_> {
        self.inner.freed.notified()
    }
}

impl Inner {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What somebody holds, until it is dropped.
#[derive(Debug)]
pub struct Share {
    inner: Arc<Inner>,
    merchant: MerchantId,
    amount: usize,
}

impl Share {
    /// Takes so much more. False if that is more than this merchant may hold now.
    #[must_use]
    pub fn grow(&mut self, more: usize) -> bool {
        let mut held = self.inner.held();
        let mine = held.of.get(&self.merchant).copied().unwrap_or_default();
        let left = self.inner.most.saturating_sub(held.all);
        // One piece that is more than half of everything may be held alone.
        let alone = held.all == 0 && more <= left;
        if !alone && mine.saturating_add(more) > left.saturating_sub(more) {
            return false;
        }
        held.all += more;
        held.of.insert(self.merchant.clone(), mine + more);
        self.amount += more;
        true
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.inner.held();
        held.all = held.all.saturating_sub(self.amount);
        if let Some(mine) = held.of.get_mut(&self.merchant) {
            *mine = mine.saturating_sub(self.amount);
            if *mine == 0 {
                held.of.remove(&self.merchant);
            }
        }
        drop(held);
        self.inner.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes units of one merchant until there are no more.
    fn all_of(shares: &Shares, merchant: &str) -> Vec<Share> {
        std::iter::repeat_with(|| shares.share(&merchant.into()))
            .map_while(|mut share| share.grow(1).then_some(share))
            .collect()
    }

    #[test]
    fn nobody_holds_more_than_what_is_left_over() {
        let shares = Shares::of(120);
        let one = all_of(&shares, "one");
        assert_eq!(one.len(), 60);
        let two = all_of(&shares, "two");
        assert_eq!((two.len(), shares.held()), (30, 90));
        assert_eq!(all_of(&shares, "three").len(), 15, "there is always something left");
        drop(one);
        assert_eq!(all_of(&shares, "two").len(), 30, "what was given back is shared anew");
        drop(two);
        assert_eq!(shares.held(), 0);
        assert!(shares.inner.held().of.is_empty(), "nobody is remembered who holds nothing");
    }

    #[test]
    fn the_last_unit_may_be_taken_and_none_that_is_not_there() {
        let shares = Shares::of(1);
        let mut share = shares.share(&"one".into());
        assert!(share.grow(1));
        assert!(!share.grow(1) && !shares.share(&"two".into()).grow(1));
        assert!(!Shares::of(10).share(&"one".into()).grow(usize::MAX));
    }
}
