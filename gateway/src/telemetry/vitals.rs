//! Whether the process does its work: when each loop last came round, and whether the database takes what is written. Kept up to date by
//! those who do the work, so that whoever asks only looks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// A loop that has not come round for so long is stuck. Each looks at least every few seconds, and a batch takes less.
const STUCK: Duration = Duration::from_mins(1);
/// A trial write is made every few seconds; one that takes so long counts as failed.
const UNWRITTEN: Duration = Duration::from_secs(10);

/// See the module's head. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Vitals {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    passes: Mutex<BTreeMap<&'static str, Pass>>,
    written: Mutex<Written>,
    journal: Mutex<Arc<AtomicBool>>,
}

#[derive(Clone, Copy, Debug)]
struct Pass {
    at: Instant,
    on: SystemTime,
}

#[derive(Debug, Default)]
struct Written {
    last: Option<Instant>,
    error: Option<String>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Vitals {
    /// A loop came round.
    pub fn passed(&self, which: &'static str) {
        lock(&self.inner.passes).insert(which, Pass { at: Instant::now(), on: SystemTime::now() });
    }

    /// What came of a trial write.
    pub fn wrote(&self, result: Result<(), String>) {
        let mut written = lock(&self.inner.written);
        match result {
            Ok(()) => *written = Written { last: Some(Instant::now()), error: None },
            Err(error) => written.error = Some(error),
        }
    }

    /// The journal says by this whether its latest commit failed.
    pub fn follow(&self, journal_fails: Arc<AtomicBool>) {
        *lock(&self.inner.journal) = journal_fails;
    }

    /// When each loop last came round, seconds since 1970.
    #[must_use]
    pub fn passes(&self) -> BTreeMap<&'static str, f64> {
        let seconds = |on: SystemTime| on.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        lock(&self.inner.passes).iter().map(|(which, pass)| (*which, seconds(pass.on))).collect()
    }

    /// Why no work should be sent here; nothing if it should.
    #[must_use]
    pub fn troubles(&self) -> Vec<String> {
        self.troubles_at(Instant::now())
    }

    fn troubles_at(&self, now: Instant) -> Vec<String> {
        let mut troubles = Vec::new();
        {
            let written = lock(&self.inner.written);
            match (&written.error, written.last) {
                (Some(error), _) => troubles.push(format!("the database cannot be written: {error}")),
                (None, None) => troubles.push("nothing was written yet: the gateway is starting".to_owned()),
                (None, Some(last)) if now.duration_since(last) > UNWRITTEN => {
                    troubles
                        .push(format!("the database has taken nothing for {} s", now.duration_since(last).as_secs()));
                }
                (None, Some(_)) => {}
            }
        }
        if lock(&self.inner.journal).load(Ordering::Relaxed) {
            troubles.push("the journal cannot be written".to_owned());
        }
        for (which, pass) in lock(&self.inner.passes).iter() {
            let silent = now.duration_since(pass.at);
            if silent > STUCK {
                troubles.push(format!("the loop `{which}` is stuck: it has not come round for {} s", silent.as_secs()));
            }
        }
        troubles
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_seconds(vitals: &Vitals, seconds: u64) -> Vec<String> {
        vitals.troubles_at(Instant::now() + Duration::from_secs(seconds))
    }

    #[test]
    fn a_process_is_ready_while_it_writes_and_its_loops_come_round() {
        let vitals = Vitals::default();
        assert!(in_seconds(&vitals, 0)[0].contains("starting"));
        vitals.wrote(Ok(()));
        assert!(in_seconds(&vitals, 0).is_empty());
        assert!(in_seconds(&vitals, 11)[0].contains("taken nothing for 1"));
        vitals.wrote(Err("the disk is full".to_owned()));
        assert_eq!(in_seconds(&vitals, 0), ["the database cannot be written: the disk is full"]);
        vitals.wrote(Ok(()));
        let failing = Arc::new(AtomicBool::new(true));
        vitals.follow(Arc::clone(&failing));
        assert_eq!(in_seconds(&vitals, 0), ["the journal cannot be written"]);
        failing.store(false, Ordering::Relaxed);
        vitals.passed("settle");
        assert!(in_seconds(&vitals, 0).is_empty());
        let stuck = in_seconds(&vitals, 62);
        assert!(stuck.iter().any(|trouble| trouble.contains("`settle` is stuck")), "{stuck:?}");
        assert_eq!(vitals.passes().len(), 1);
    }
}
