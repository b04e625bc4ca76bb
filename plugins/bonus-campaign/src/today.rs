//! Whether a member had the bonus today: all this plugin remembers.
//!
//! Five bytes: the version (1) and the last day that had it, as `Date::to_bytes` writes days.

use perkgate::{Date, LocalTime};

const VERSION: u8 = 1;

/// A memory this version did not write says nothing.
fn last(memory: &[u8]) -> Option<Date> {
    let day = memory.strip_prefix(&[VERSION])?;
    Date::from_bytes(day.try_into().ok()?)
}

/// Whether the last day is this one.
pub(crate) fn had(memory: &[u8], local: &LocalTime) -> bool {
    last(memory) == Some(Date::of(local))
}

/// The memory after today. None if a later day is remembered: an entry that comes late must not wipe that out.
pub(crate) fn remember(memory: &[u8], local: &LocalTime) -> Option<Vec<u8>> {
    let today = Date::of(local);
    let late = last(memory).is_some_and(|last| last > today);
    (!late).then(|| [&[VERSION][..], &today.to_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use perkgate::sample;

    fn on(day: u8) -> LocalTime {
        LocalTime { day, ..sample::facts().local }
    }

    #[test]
    fn a_day_is_had_once_and_the_next_is_another() {
        let memory = remember(&[], &on(21)).expect("remembers");
        assert_eq!(memory, [1, 0x01, 0x35, 0x29, 0x01]);
        assert!(had(&memory, &on(21)) && !had(&memory, &on(22)) && !had(&memory, &on(20)));
    }

    #[test]
    fn an_entry_that_comes_late_wipes_nothing_out_and_a_foreign_memory_says_nothing() {
        let memory = remember(&[], &on(22)).expect("remembers");
        assert_eq!(remember(&memory, &on(21)), None);
        for foreign in [&[][..], &[2, 0x01, 0x35, 0x29, 0x01], &[1, 2]] {
            assert!(!had(foreign, &on(21)));
            assert!(remember(foreign, &on(21)).is_some());
        }
    }
}
