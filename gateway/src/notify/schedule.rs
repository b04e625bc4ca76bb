//! When a delivery is tried again. Pure: no clock, no dice; jitter is derived from the delivery and the attempt.

use jiff::fmt::rfc2822;
use perkgate_domain::delivery::Next;
use perkgate_domain::ids::{DeliveryId, hash};
use perkgate_domain::limits::DeliveryLimits;
use perkgate_domain::time::Moment;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// The wait after the first attempt, after the second, and so on, milliseconds; the last one repeats. The schedule that
/// Standard Webhooks recommends: ten attempts in about three days, enough for a receiver to be mended after a weekend.
const WAITS: [i64; 9] =
    [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];

/// What follows failed attempt number `attempt` (from 1) that ended at `now`: another one, or a dead letter if this was the
/// last. `retry_after` is the receiver's header as it came; it is honoured from the schedule's own wait to twice that (an
/// hour at least), so that a receiver can neither hurry the gateway nor put it off for ever.
#[must_use]
pub fn next(
    delivery: &DeliveryId,
    attempt: u32,
    now: Moment,
    retry_after: Option<&str>,
    limits: &DeliveryLimits,
) -> Next {
    if attempt >= limits.attempts {
        return Next::Dead;
    }
    let own = own_wait(delivery, attempt);
    let wait = match retry_after.and_then(|text| asked_wait(text, now)) {
        Some(asked) => asked.clamp(own, own.saturating_mul(2).max(HOUR)),
        None => own,
    };
    Next::Retry(now.plus_ms(wait.min(limits.wait_ms)))
}

/// The schedule's wait after this attempt, up to a fifth longer or shorter, so that what failed together does not come back
/// together.
fn own_wait(delivery: &DeliveryId, attempt: u32) -> i64 {
    let place = usize::try_from(attempt).unwrap_or(usize::MAX).saturating_sub(1).min(WAITS.len() - 1);
    let wait = WAITS[place];
    let hash = hash(&[b"jitter", delivery.as_str().as_bytes(), &attempt.to_be_bytes()]);
    // -200 to 200 thousandths.
    let thousandths = i64::from(u16::from_be_bytes([hash[0], hash[1]]) % 401) - 200;
    wait + wait / 1_000 * thousandths
}

/// `Retry-After` in milliseconds from `now`: seconds or an HTTP date (RFC 9110, section 10.2.3). Nothing if it is neither.
fn asked_wait(text: &str, now: Moment) -> Option<i64> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit()) {
        return Some(text.parse::<i64>().map_or(i64::MAX, |seconds| seconds.saturating_mul(SECOND)));
    }
    let date = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Moment(date.as_millisecond()).since_ms(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment(1_700_000_000_000);

    fn limits() -> DeliveryLimits {
        DeliveryLimits::default()
    }

    fn wait(id: &str, attempt: u32, retry_after: Option<&str>) -> i64 {
        match next(&DeliveryId::from(id), attempt, NOW, retry_after, &limits()) {
            Next::Retry(at) => at.since_ms(NOW),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn waits_follow_the_schedule_within_a_fifth() {
        for (place, expected) in WAITS.into_iter().enumerate() {
            let attempt = u32::try_from(place + 1).unwrap();
            let all: Vec<i64> = (0..200).map(|n| wait(&format!("dlv_{n}"), attempt, None)).collect();
            let (low, high) = (expected - expected / 5, (expected + expected / 5).min(limits().wait_ms));
            assert!(all.iter().all(|wait| (low..=high).contains(wait)), "attempt {attempt}");
            let middle = all.iter().filter(|wait| **wait < expected).count();
            assert!((50..150).contains(&middle), "attempt {attempt}: {middle} of 200 are early");
        }
    }

    #[test]
    fn the_wait_is_the_same_whenever_it_is_asked_for() {
        assert_eq!(wait("dlv_1", 3, None), wait("dlv_1", 3, None));
        assert_ne!(wait("dlv_1", 3, None), wait("dlv_2", 3, None));
    }

    #[test]
    fn the_last_attempt_makes_a_dead_letter() {
        let id = DeliveryId::from("dlv_1");
        assert!(matches!(next(&id, 9, NOW, None, &limits()), Next::Retry(_)));
        assert_eq!(next(&id, 10, NOW, Some("5"), &limits()), Next::Dead);
        assert_eq!(next(&id, 11, NOW, None, &limits()), Next::Dead);
        let many = DeliveryLimits { attempts: u32::MAX, ..limits() };
        assert!(matches!(next(&id, 4_000_000_000, NOW, None, &many), Next::Retry(_)));
    }

    #[test]
    fn retry_after_is_honoured_within_bounds() {
        let own = wait("dlv_1", 1, None);
        assert_eq!(wait("dlv_1", 1, Some("0")), own, "never sooner than the schedule");
        assert_eq!(wait("dlv_1", 1, Some(" 120 ")), 2 * MINUTE);
        assert_eq!(wait("dlv_1", 1, Some("86400")), HOUR, "an hour at most after the first");
        assert_eq!(wait("dlv_1", 1, Some("99999999999999999999")), HOUR);
        let own = wait("dlv_1", 5, None);
        assert_eq!(wait("dlv_1", 5, Some("999999")), 2 * own);
        assert_eq!(wait("dlv_1", 9, Some("999999")), limits().wait_ms, "the limit is over everything");
    }

    #[test]
    fn retry_after_may_be_a_date() {
        // NOW is Tue, 14 Nov 2023 22:13:20 GMT.
        assert_eq!(wait("dlv_1", 1, Some("Tue, 14 Nov 2023 22:23:20 GMT")), 10 * MINUTE);
        let own = wait("dlv_1", 1, None);
        assert_eq!(wait("dlv_1", 1, Some("Tue, 14 Nov 2000 22:23:20 GMT")), own);
        for nonsense in ["", "soon", "-5", "1.5", "Tue, 99 Nov 2023 22:23:20 GMT"] {
            assert_eq!(wait("dlv_1", 1, Some(nonsense)), own, "{nonsense}");
        }
    }

    #[test]
    fn no_wait_is_longer_than_the_limit() {
        let short = DeliveryLimits { wait_ms: 1_000, ..limits() };
        for attempt in 1..10 {
            assert_eq!(next(&DeliveryId::from("dlv_1"), attempt, NOW, None, &short), Next::Retry(NOW.plus_ms(1_000)));
        }
    }
}
