//! How a channel's receiver fares: the circuit breaker, as a function of its attempts.
//!
//! A receiver that fails several times in a row is left alone for a while, longer each time ([`Health::closed_until`]). When
//! the while is over it is half open: one delivery goes out as a probe, and its outcome says whether the rest follow. After
//! days of nothing but failure the channel is disabled until somebody resumes it, and [`Health::reason`] tells them why.

use crate::delivery::{Attempt, Next};
use crate::limits::BreakerLimits;
use crate::time::Moment;
use serde::{Deserialize, Serialize};

/// How one channel fares. The default is the health of a channel that nothing is known against.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Attempts in a row that failed.
    pub failures: i64,
    /// When the earliest of them began.
    pub failing_since: Option<Moment>,
    /// Nothing is claimed before this.
    pub closed_until: Moment,
    /// Since when nothing is claimed at all, until somebody resumes the channel.
    pub disabled_at: Option<Moment>,
    /// Why it is disabled and what to do, for the operator.
    pub reason: Option<String>,
}

/// What an attempt shows about the receiver, which is not the same as what it means for the message.
enum Shown {
    /// It takes messages.
    Works,
    /// It does not, or cannot be reached.
    Fails,
    /// Nothing: this message would fare no better with a receiver in perfect health.
    Nothing,
}

impl Health {
    /// What one finished attempt makes of it.
    ///
    /// Attempts under way at once finish in any order, and the outcome hardly depends on it: a failure never shortens a
    /// pause, and a success is a success however late it comes in. One that began before the failures, or that ends after the
    /// channel was disabled, proves as well as any other that the receiver takes messages.
    #[must_use]
    pub fn after(&self, attempt: &Attempt, limits: &BreakerLimits) -> Self {
        match shown(attempt) {
            Shown::Works => Self::default(),
            Shown::Nothing => self.clone(),
            Shown::Fails => self.after_failure(attempt, limits),
        }
    }

    /// Whether so many attempts failed in a row that, once the pause is over, deliveries are claimed one at a time.
    #[must_use]
    pub fn is_tripped(&self, limits: &BreakerLimits) -> bool {
        self.failures >= limits.trip
    }

    fn after_failure(&self, attempt: &Attempt, limits: &BreakerLimits) -> Self {
        let since = self.failing_since.map_or(attempt.at, |since| since.min(attempt.at));
        let ended = attempt.at.plus_ms(attempt.took_ms);
        let mut health = Self { failures: self.failures.saturating_add(1), failing_since: Some(since), ..self.clone() };
        if !health.is_tripped(limits) {
            return health;
        }
        let pause = pause_ms(health.failures.saturating_sub(limits.trip), limits);
        health.closed_until = self.closed_until.max(ended.plus_ms(pause));
        if health.disabled_at.is_none() && ended.since_ms(since) >= limits.disable_ms {
            health.disabled_at = Some(ended);
            health.reason = Some(reason(attempt, since, health.failures));
        }
        health
    }
}

/// The pause after the failure that trips the breaker, or after one of the `further` ones.
fn pause_ms(further: i64, limits: &BreakerLimits) -> i64 {
    let doublings = u32::try_from(further).unwrap_or(u32::MAX);
    limits.pause_ms.saturating_mul(2_i64.saturating_pow(doublings)).min(limits.longest_pause_ms)
}

/// Judges the receiver by an attempt.
fn shown(attempt: &Attempt) -> Shown {
    match attempt.next {
        Next::Delivered => Shown::Works,
        // A later attempt may be dead because it was the last, whatever the receiver said; the first one is dead only for what
        // is wrong with the message.
        Next::Dead if attempt.number == 1 && refuses_the_message(attempt.status) => Shown::Nothing,
        Next::Dead | Next::Retry(_) => Shown::Fails,
    }
}

/// Whether this answer is about the one message that was sent. No answer to a first attempt that is dead means that nobody was
/// asked: the member has no address, or the channel's settings do not allow to send.
fn refuses_the_message(status: Option<u16>) -> bool {
    let Some(status) = status else { return true };
    match status {
        // About the sender, the URL, the connection, or "never again" (410): another message would hear the same.
        401 | 403 | 404 | 407 | 408 | 410 | 429 => false,
        // The rest of HTTP's answers to a bad request, and what a mail server says of one mailbox (RFC 5321, section 4.2.3).
        400..=499 | 550..=553 => true,
        _ => false,
    }
}

/// What the operator reads. An attempt's error has no contact data in it.
fn reason(attempt: &Attempt, since: Moment, failures: i64) -> String {
    let latest = attempt.error.as_deref().unwrap_or("no reason was recorded");
    format!(
        "nothing but failures since {since} ({failures} attempts), the latest: {latest}; mend the receiver, then \
         `perkgate deliveries --merchant {} --resume {}`",
        attempt.merchant, attempt.channel
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::DeliveryId;

    /// 2026-06-01T12:00:00Z.
    const NOON: Moment = Moment(1_780_315_200_000);
    const SECOND: i64 = 1_000;
    const MINUTE: i64 = 60 * SECOND;
    const DAY: i64 = 24 * 60 * MINUTE;

    fn limits() -> BreakerLimits {
        BreakerLimits::default()
    }

    /// An attempt that took a second, as its receiver's answer makes it.
    fn attempt(after_ms: i64, status: Option<u16>, error: Option<&str>, next: Next) -> Attempt {
        Attempt {
            delivery: DeliveryId::from("dlv_1"),
            merchant: "kavarna".into(),
            channel: "hook".into(),
            number: 1,
            at: NOON.plus_ms(after_ms),
            took_ms: SECOND,
            status,
            error: error.map(str::to_owned),
            next,
        }
    }
    fn failed(after_ms: i64) -> Attempt {
        attempt(after_ms, None, Some("connection refused"), Next::Retry(NOON.plus_ms(after_ms + 5 * SECOND)))
    }
    fn delivered(after_ms: i64) -> Attempt {
        attempt(after_ms, Some(204), None, Next::Delivered)
    }
    fn through(attempts: impl IntoIterator<Item = Attempt>) -> Health {
        attempts.into_iter().fold(Health::default(), |health, attempt| health.after(&attempt, &limits()))
    }
    fn failures(count: i64) -> Health {
        through((0..count).map(|_| failed(0)))
    }

    #[test]
    fn four_failures_in_a_row_are_borne_and_the_fifth_trips() {
        let health = failures(4);
        assert_eq!((health.failures, health.failing_since, health.closed_until), (4, Some(NOON), Moment(0)));
        assert!(!health.is_tripped(&limits()));
        let health = failures(5);
        assert_eq!((health.failures, health.closed_until), (5, NOON.plus_ms(SECOND + 30 * SECOND)));
        assert!(health.is_tripped(&limits()));
        assert_eq!((health.disabled_at, health.reason), (None, None));
    }

    #[test]
    fn a_pause_doubles_up_to_the_longest() {
        let pauses: Vec<i64> =
            (5..12).map(|count| failures(count).closed_until.since_ms(NOON.plus_ms(SECOND)) / SECOND).collect();
        assert_eq!(pauses, [30, 60, 120, 240, 480, 900, 900]);
        let endless = Health { failures: i64::MAX, ..Health::default() };
        let endless = endless.after(&failed(0), &limits());
        assert_eq!((endless.failures, endless.closed_until), (i64::MAX, NOON.plus_ms(SECOND + 15 * MINUTE)));
    }

    #[test]
    fn a_delivered_message_forgives_everything() {
        let disabled = failures(5).after(&failed(6 * DAY), &limits());
        assert!(disabled.disabled_at.is_some());
        for health in [failures(1), failures(9), disabled] {
            assert_eq!(health.after(&delivered(7 * DAY), &limits()), Health::default());
        }
        let again = through([failed(0), failed(1), failed(2), failed(3), delivered(4), failed(5)]);
        assert_eq!((again.failures, again.failing_since), (1, Some(NOON.plus_ms(5))), "counted from the start again");
    }

    #[test]
    fn a_late_success_is_still_a_success() {
        let tripped = through((10..15).map(failed));
        assert!(tripped.is_tripped(&limits()));
        assert_eq!(tripped.after(&delivered(0), &limits()), Health::default(), "it began before the first failure");
    }

    #[test]
    fn the_order_of_failures_does_not_matter() {
        let (long_ago, lately) = (through((0..6).map(failed)), through((0..6).rev().map(failed)));
        assert_eq!((long_ago.failures, long_ago.failing_since), (6, Some(NOON)));
        assert_eq!((lately.failures, lately.failing_since), (6, Some(NOON)));
        let straggler = failures(7).after(&failed(-10 * MINUTE), &limits());
        assert!(straggler.closed_until >= failures(7).closed_until, "a straggler does not shorten the pause");
    }

    #[test]
    fn a_message_refused_for_good_says_nothing_of_its_receiver() {
        let dead = |status| attempt(0, status, Some("refused"), Next::Dead);
        let before = failures(3);
        for status in [Some(400), Some(413), Some(422), Some(451), Some(550), Some(553), None] {
            assert_eq!(before.after(&dead(status), &limits()), before, "{status:?}");
        }
        for status in [401, 403, 404, 407, 408, 410, 429, 500, 503, 521, 530, 535, 554] {
            assert_eq!(before.after(&dead(Some(status)), &limits()).failures, 4, "{status}");
        }
        let unsure = attempt(0, Some(400), Some("refused"), Next::Retry(NOON.plus_ms(SECOND)));
        assert_eq!(before.after(&unsure, &limits()).failures, 4, "it is tried again, so it is not for good");
    }

    #[test]
    fn the_last_attempts_failure_counts() {
        for status in [None, Some(400), Some(500)] {
            let last = Attempt { number: 10, ..attempt(0, status, Some("refused"), Next::Dead) };
            assert_eq!(failures(3).after(&last, &limits()).failures, 4, "{status:?}");
        }
    }

    #[test]
    fn days_of_nothing_but_failure_disable_with_a_reason() {
        let five_days = limits().disable_ms;
        let nearly = failures(40).after(&failed(five_days - SECOND - 1), &limits());
        assert_eq!((nearly.failures, nearly.disabled_at), (41, None));
        let health = failures(40).after(&failed(five_days - SECOND), &limits());
        assert_eq!(health.disabled_at, Some(NOON.plus_ms(five_days)));
        assert_eq!(
            health.reason.as_deref(),
            Some(
                "nothing but failures since 2026-06-01T12:00:00Z (41 attempts), the latest: connection refused; mend the \
                 receiver, then `perkgate deliveries --merchant kavarna --resume hook`"
            )
        );
        let later = health.after(&failed(9 * DAY), &limits());
        assert_eq!((later.failures, later.disabled_at), (42, health.disabled_at));
        assert_eq!(later.reason, health.reason, "disabled once, for the reason it was disabled for");
    }

    #[test]
    fn a_few_failures_over_days_disable_nothing() {
        let health = through([failed(0), failed(3 * DAY), failed(6 * DAY), failed(9 * DAY)]);
        assert_eq!((health.failures, health.disabled_at), (4, None));
        assert_eq!(health.after(&failed(9 * DAY), &limits()).disabled_at, Some(NOON.plus_ms(9 * DAY + SECOND)));
        let mended = through([failed(0), delivered(4 * DAY)]);
        let mended = (0..8).fold(mended, |health, _| health.after(&failed(6 * DAY), &limits()));
        assert_eq!(mended.disabled_at, None, "five days are counted from the first failure after the success");
    }

    #[test]
    fn health_is_kept_as_json() {
        let health = failures(5).after(&failed(6 * DAY), &limits());
        let json = serde_json::to_string(&health).unwrap();
        assert_eq!(serde_json::from_str::<Health>(&json).unwrap(), health);
    }
}
