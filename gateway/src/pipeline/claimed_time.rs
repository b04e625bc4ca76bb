//! What a platform says of the time is a claim. It is held against when the webhook arrived: nothing has happened later than that, and a
//! time that nobody can have meant is replaced by it.

use perkgate_domain::event::Event;
use perkgate_domain::limits::{CLOCK_SKEW_MS, EARLIEST};
use perkgate_domain::time::Moment;

/// Makes the times of an event believable. Answers whether one was replaced, and what was wrong with it where that is worth a note.
pub(super) fn hold_against(event: &mut Event, received_at: Moment) -> (bool, Option<String>) {
    let (mut replaced, mut note) = (false, None);
    for at in event.times_mut() {
        let told = *at;
        if told <= received_at && told >= EARLIEST {
            continue;
        }
        *at = received_at;
        replaced = true;
        // Clocks differ a little; that is no news.
        if told < EARLIEST {
            note = Some(format!("dated {told}, which cannot be meant: {received_at}, when it arrived, counts"));
        } else if told > received_at.plus_ms(CLOCK_SKEW_MS) {
            note = Some(format!("dated {told}, later than it arrived: {received_at}, when it did, counts"));
        }
    }
    (replaced, note)
}

#[cfg(test)]
mod tests {
    use super::*;
    use perkgate_domain::event::Join;

    const RECEIVED: Moment = Moment(1_780_315_200_000);

    fn held(at: Moment) -> (Moment, bool) {
        let mut event = Event::Join(Join { id: "1".to_owned(), at, referrer: None });
        let (_, note) = hold_against(&mut event, RECEIVED);
        (event.at(), note.is_some())
    }

    #[test]
    fn a_time_in_the_past_is_believed() {
        for at in [RECEIVED, RECEIVED.plus_ms(-1), RECEIVED.plus_ms(-730 * 86_400_000), EARLIEST] {
            assert_eq!(held(at), (at, false));
        }
    }

    #[test]
    fn nothing_happens_after_it_arrived() {
        assert_eq!(held(RECEIVED.plus_ms(1)), (RECEIVED, false));
        assert_eq!(held(RECEIVED.plus_ms(CLOCK_SKEW_MS)), (RECEIVED, false));
        assert_eq!(held(RECEIVED.plus_ms(CLOCK_SKEW_MS + 1)), (RECEIVED, true));
        assert_eq!(held(Moment(i64::MAX)), (RECEIVED, true));
    }

    #[test]
    fn a_time_nobody_can_mean_is_replaced() {
        // The first moment of .NET's calendar, of Unix time, and one before everything.
        for at in [Moment(-62_135_596_800_000), Moment(0), Moment(i64::MIN), EARLIEST.plus_ms(-1)] {
            assert_eq!(held(at), (RECEIVED, true));
        }
    }
}
