//! How many stamps a member got on which day: all this plugin remembers.
//!
//! Nine bytes: the version (1), the date as a big-endian 32-bit number (20261121), the count likewise.

use perkgate::LocalTime;

const VERSION: u8 = 1;

/// The day of the entry, and what was remembered.
#[derive(Debug)]
pub(crate) struct Day {
    today: u32,
    remembered: Option<(u32, u32)>,
}

impl Day {
    /// Reads the memory. One this version did not write says nothing.
    pub(crate) fn recall(memory: &[u8], local: &LocalTime) -> Self {
        let year = u32::try_from(local.year).unwrap_or(0);
        let today = year * 10_000 + u32::from(local.month) * 100 + u32::from(local.day);
        let remembered = memory.strip_prefix(&[VERSION]).and_then(|rest| {
            let (day, count) = rest.split_first_chunk::<4>()?;
            Some((u32::from_be_bytes(*day), u32::from_be_bytes(count.try_into().ok()?)))
        });
        Self { today, remembered }
    }

    /// Stamps of this day so far.
    pub(crate) fn count(&self) -> i64 {
        self.remembered.filter(|(day, _)| *day == self.today).map_or(0, |(_, count)| i64::from(count))
    }

    /// The memory after `stamps` more. None if a later day is remembered: an entry that comes late must not wipe that out.
    pub(crate) fn with(&self, stamps: i64) -> Option<Vec<u8>> {
        if self.remembered.is_some_and(|(day, _)| day > self.today) {
            return None;
        }
        let count = u32::try_from(self.count().saturating_add(stamps)).unwrap_or(u32::MAX);
        Some([&[VERSION][..], &self.today.to_be_bytes(), &count.to_be_bytes()].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use perkgate::sample;

    fn on(day: u8, memory: &[u8]) -> Day {
        Day::recall(memory, &LocalTime { day, ..sample::facts().local })
    }

    #[test]
    fn a_day_counts_on_and_the_next_starts_anew() {
        let first = on(21, &[]).with(2).expect("remembers");
        assert_eq!(first, [1, 0x01, 0x35, 0x29, 0x01, 0, 0, 0, 2]);
        assert_eq!(on(21, &first).count(), 2);
        let second = on(21, &first).with(3).expect("remembers");
        assert_eq!((on(21, &second).count(), on(22, &second).count()), (5, 0));
    }

    #[test]
    fn an_entry_that_comes_late_wipes_nothing_out() {
        let memory = on(22, &[]).with(1).expect("remembers");
        assert_eq!((on(21, &memory).count(), on(21, &memory).with(1)), (0, None));
    }

    #[test]
    fn a_foreign_memory_says_nothing() {
        for memory in [&[][..], &[2, 0, 0, 0, 0, 0, 0, 0, 9], &[1, 2, 3]] {
            assert_eq!(on(21, memory).count(), 0);
        }
    }
}
