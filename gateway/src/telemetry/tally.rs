//! What happens too often to be said each time: counted, and told once a second with one example. A flood of forgeries must not become
//! a flood of log lines.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often it is told.
const EVERY: Duration = Duration::from_secs(1);

/// Counts by cause since they were last told. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    counts: Arc<Mutex<BTreeMap<&'static str, Count>>>,
}

#[derive(Debug)]
struct Count {
    times: u64,
    example: String,
    trouble: bool,
}

impl Tally {
    /// Counts somebody who was turned away. `about` says of the first of each second whom.
    pub fn note(&self, cause: &'static str, about: impl FnOnce() -> String) {
        self.count(cause, false, about);
    }

    /// Counts something that an operator should see to.
    pub fn trouble(&self, cause: &'static str, about: impl FnOnce() -> String) {
        self.count(cause, true, about);
    }

    fn count(&self, cause: &'static str, trouble: bool, about: impl FnOnce() -> String) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(cause).or_insert_with(|| Count { times: 0, example: about(), trouble });
        count.times += 1;
    }

    fn take(&self) -> BTreeMap<&'static str, Count> {
        std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells what was counted since the last time, a line for each cause.
    pub fn tell(&self) {
        for (cause, Count { times, example, trouble }) in self.take() {
            if trouble {
                tracing::warn!(cause, times, "{example}");
            } else {
                tracing::info!(cause, times, "turned away: {example}");
            }
        }
    }

    /// Tells it every second, for ever.
    pub async fn keep_telling(self) {
        loop {
            tokio::time::sleep(EVERY).await;
            self.tell();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_of_a_kind_are_one_line() {
        let tally = Tally::default();
        for number in 0..1_000 {
            tally.note("bad_signature", || format!("the {number}th"));
        }
        tally.trouble("accept", || "no descriptors".to_owned());
        let told = tally.take();
        let told: Vec<_> =
            told.iter().map(|(cause, count)| (*cause, count.times, count.example.as_str(), count.trouble)).collect();
        assert_eq!(told, [("accept", 1, "no descriptors", true), ("bad_signature", 1_000, "the 0th", false)]);
        assert!(tally.take().is_empty(), "what was told is not told again");
    }
}
