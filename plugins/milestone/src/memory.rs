//! How far a member has come: all this plugin remembers.
//!
//! 19 bytes, numbers big-endian: the version (1); 4 for the highest visit that was a milestone; 8 for the highest amount spent that
//! was one, minor units; 2 for the highest year; 4 for the day of the next anniversary that was asked for, as `Date::to_bytes`
//! writes days, or nothing but zeros.

use perkgate::Date;

const VERSION: u8 = 1;

/// What is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) visit: i64,
    pub(crate) spent: i64,
    pub(crate) years: i64,
    pub(crate) wake: Option<Date>,
}

impl Memory {
    /// Reads the memory. One this version did not write says nothing.
    pub(crate) fn recall(memory: &[u8]) -> Self {
        Self::read(memory).unwrap_or_default()
    }

    fn read(memory: &[u8]) -> Option<Self> {
        let (visit, rest) = memory.strip_prefix(&[VERSION])?.split_first_chunk::<4>()?;
        let (spent, rest) = rest.split_first_chunk::<8>()?;
        let (years, wake) = rest.split_first_chunk::<2>()?;
        Some(Self {
            visit: i64::from(u32::from_be_bytes(*visit)),
            spent: i64::from_be_bytes(*spent),
            years: i64::from(u16::from_be_bytes(*years)),
            wake: Date::from_bytes(wake.try_into().ok()?),
        })
    }

    /// Writes the memory.
    pub(crate) fn remember(&self) -> Vec<u8> {
        let visit = u32::try_from(self.visit).unwrap_or(u32::MAX).to_be_bytes();
        let years = u16::try_from(self.years).unwrap_or(u16::MAX).to_be_bytes();
        let wake = self.wake.map_or([0; 4], Date::to_bytes);
        [&[VERSION][..], &visit, &self.spent.to_be_bytes(), &years, &wake].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_is_read_as_it_was_written() {
        let memory = Memory { visit: 10, spent: 50_000, years: 2, wake: Date::parse("2026-11-21") };
        let bytes = memory.remember();
        assert_eq!(bytes, [1, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0xc3, 0x50, 0, 2, 0x01, 0x35, 0x29, 0x01]);
        assert_eq!(Memory::recall(&bytes), memory);
        assert_eq!(Memory::recall(&Memory::default().remember()), Memory::default());
        for foreign in [&[][..], &[2; 19], &[1; 7]] {
            assert_eq!(Memory::recall(foreign), Memory::default());
        }
    }
}
