//! What one connection is doing, as far as it matters for closing it: whom it waits for, and since when.

use super::Bounds;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio::time::Instant;

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// A request's head is on its way.
    Head,
    /// A request's body is.
    Body,
    /// The gateway works on a request.
    Work,
    /// Between two requests.
    Idle,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    since: Instant,
    /// Since when the other side takes nothing of what is written.
    stalled: Option<Instant>,
}

/// What a look at a connection came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is to be closed, for this reason.
    Overdue(&'static str),
    /// All is well until then at least.
    LookAgain(Instant),
}

/// See the module's head.
#[derive(Debug)]
pub(super) struct Connection {
    state: Mutex<State>,
    close: Notify,
}

impl Connection {
    /// One that was just made: its first request's head is awaited.
    pub(super) fn new() -> Self {
        let state = State { phase: Phase::Head, since: Instant::now(), stalled: None };
        Self { state: Mutex::new(state), close: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn enters(&self, phase: Phase) {
        let mut state = self.state();
        (state.phase, state.since) = (phase, Instant::now());
    }

    /// Bytes came.
    pub(super) fn heard(&self) {
        if self.state().phase == Phase::Idle {
            self.enters(Phase::Head);
        }
    }
    /// A request's head is whole.
    pub(super) fn begins(&self) {
        self.enters(Phase::Body);
    }
    /// A request's body is whole: from now on its sender waits for us.
    pub(super) fn whole(&self) {
        self.enters(Phase::Work);
    }
    /// A request has its answer.
    pub(super) fn answered(&self) {
        self.enters(Phase::Idle);
    }
    /// Bytes of an answer were taken, or were not.
    pub(super) fn writes(&self, taken: bool) {
        let mut state = self.state();
        state.stalled = if taken { None } else { state.stalled.or_else(|| Some(Instant::now())) };
    }

    /// Since when it waits for its sender; nothing if its sender waits for us.
    pub(super) fn silent_since(&self) -> Option<Instant> {
        let state = self.state();
        (state.phase != Phase::Work).then_some(state.since)
    }

    /// Asks whoever serves it to close it.
    pub(super) fn close(&self) {
        self.close.notify_one();
    }
    /// Completes when that was asked.
    pub(super) async fn asked_to_close(&self) {
        self.close.notified().await;
    }

    /// Whether its time is up at `now`. A deadline that begins after this look ends after the next one, so none is missed.
    pub(super) fn look(&self, now: Instant, bounds: &Bounds) -> Verdict {
        let state = self.state();
        let head = (state.phase == Phase::Head).then_some((state.since + bounds.head, "head"));
        let stall = state.stalled.map(|since| (since + bounds.stall, "stalled"));
        let mut next = now + bounds.head.min(bounds.stall);
        for (deadline, why) in head.into_iter().chain(stall) {
            if deadline <= now {
                return Verdict::Overdue(why);
            }
            next = next.min(deadline);
        }
        Verdict::LookAgain(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// What a look comes to in so many seconds.
    fn in_seconds(connection: &Connection, seconds: u64) -> Option<&'static str> {
        let after = Duration::from_secs;
        let bounds = Bounds { connections: 1, head: after(10), idle: after(75), stall: after(30) };
        match connection.look(Instant::now() + after(seconds), &bounds) {
            Verdict::Overdue(why) => Some(why),
            Verdict::LookAgain(_) => None,
        }
    }

    #[test]
    fn a_head_has_its_time_from_its_first_byte_on() {
        let connection = Connection::new();
        let since = connection.silent_since();
        connection.heard();
        assert_eq!(connection.silent_since(), since, "more of a head gives it no more time");
        assert_eq!((in_seconds(&connection, 5), in_seconds(&connection, 11)), (None, Some("head")));
        connection.begins();
        assert_eq!(in_seconds(&connection, 60), None, "a body's time is its reader's affair");
        connection.whole();
        connection.answered();
        assert_eq!(in_seconds(&connection, 60), None, "idle is not overdue");
        connection.heard();
        assert_eq!(in_seconds(&connection, 11), Some("head"));
    }

    #[test]
    fn whoever_takes_nothing_of_its_answer_is_left() {
        let connection = Connection::new();
        connection.begins();
        connection.whole();
        connection.writes(false);
        connection.writes(false);
        assert_eq!((in_seconds(&connection, 20), in_seconds(&connection, 31)), (None, Some("stalled")));
        connection.writes(true);
        assert_eq!(in_seconds(&connection, 60), None);
    }

    #[test]
    fn only_who_keeps_us_waiting_is_silent() {
        let connection = Connection::new();
        assert!(connection.silent_since().is_some());
        connection.begins();
        assert!(connection.silent_since().is_some(), "its body is awaited");
        connection.whole();
        assert_eq!(connection.silent_since(), None);
        connection.answered();
        assert!(connection.silent_since().is_some());
    }
}
