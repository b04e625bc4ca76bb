//! When a member was told last: all this plugin remembers.
//!
//! Nine bytes: the version (1); the day of the last message; the day of the monthly wake that was asked for. Days are as
//! `Date::to_bytes` writes them; nothing but zeros is none.

use perkgate::Date;

const VERSION: u8 = 1;

/// What is remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) told: Option<Date>,
    pub(crate) monthly: Option<Date>,
}

impl Memory {
    /// Reads the memory. One this version did not write says nothing.
    pub(crate) fn recall(memory: &[u8]) -> Self {
        Self::read(memory).unwrap_or_default()
    }

    fn read(memory: &[u8]) -> Option<Self> {
        let (told, monthly) = memory.strip_prefix(&[VERSION])?.split_first_chunk::<4>()?;
        Some(Self { told: Date::from_bytes(*told), monthly: Date::from_bytes(monthly.try_into().ok()?) })
    }

    /// Writes the memory.
    pub(crate) fn remember(self) -> Vec<u8> {
        let day = |day: Option<Date>| day.map_or([0; 4], Date::to_bytes);
        [&[VERSION][..], &day(self.told), &day(self.monthly)].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_is_read_as_it_was_written() {
        let memory = Memory { told: Date::parse("2026-11-21"), monthly: None };
        assert_eq!(memory.remember(), [1, 0x01, 0x35, 0x29, 0x01, 0, 0, 0, 0]);
        for memory in [memory, Memory::default(), Memory { told: None, monthly: Date::parse("2026-12-01") }] {
            assert_eq!(Memory::recall(&memory.remember()), memory);
        }
        for foreign in [&[][..], &[2; 9], &[1, 1]] {
            assert_eq!(Memory::recall(foreign), Memory::default());
        }
    }
}
