//! Where time comes from. Rooms that need the present are given a [`Clock`]; everything else is told the time.

use perkgate_domain::time::Moment;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present.
    fn now(&self) -> Moment;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        // A machine set to before 1970 is told that it is 1970.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A clock that stands still until it is moved: for tests and replays.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Shows this time.
    #[must_use]
    pub fn at(now: Moment) -> Self {
        Self(AtomicI64::new(now.0))
    }
    /// Shows this time from now on.
    pub fn set(&self, now: Moment) {
        self.0.store(now.0, Ordering::SeqCst);
    }
    /// Moves it on by this many milliseconds.
    pub fn advance_ms(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Moment {
        Moment(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = ManualClock::at(Moment(5));
        assert_eq!((clock.now(), clock.now()), (Moment(5), Moment(5)));
        clock.advance_ms(10);
        assert_eq!(clock.now(), Moment(15));
        clock.set(Moment(1));
        assert_eq!(clock.now(), Moment(1));
    }

    #[test]
    fn the_system_clock_is_past_the_day_this_was_written() {
        assert!(SystemClock.now() > Moment::from_seconds(1_750_000_000));
    }
}
