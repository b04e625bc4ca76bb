//! The last coupon of a member: all this plugin remembers.
//!
//! 21 bytes: the version (1); 8 that name the item of the last coupon; the number of the visit it came with, big-endian; the day of it;
//! the day of the wake that was asked for. Days are as `Date::to_bytes` writes them; nothing but zeros is none.

use perkgate::{Date, Favourite, memory};

const VERSION: u8 = 1;

/// What is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    /// The item of the last coupon, see [`item`].
    pub(crate) item: [u8; 8],
    /// The visit it came with, or the visits there had been; 0 if there was none.
    pub(crate) visit: i64,
    pub(crate) day: Option<Date>,
    pub(crate) wake: Option<Date>,
}

impl Memory {
    /// Reads the memory. One this version did not write says nothing.
    pub(crate) fn recall(memory: &[u8]) -> Self {
        Self::read(memory).unwrap_or_default()
    }

    fn read(memory: &[u8]) -> Option<Self> {
        let (item, rest) = memory.strip_prefix(&[VERSION])?.split_first_chunk::<8>()?;
        let (visit, rest) = rest.split_first_chunk::<4>()?;
        let (day, wake) = rest.split_first_chunk::<4>()?;
        Some(Self {
            item: *item,
            visit: i64::from(u32::from_be_bytes(*visit)),
            day: Date::from_bytes(*day),
            wake: Date::from_bytes(wake.try_into().ok()?),
        })
    }

    /// Writes the memory.
    pub(crate) fn remember(&self) -> Vec<u8> {
        let visit = u32::try_from(self.visit).unwrap_or(u32::MAX).to_be_bytes();
        let day = |day: Option<Date>| day.map_or([0; 4], Date::to_bytes);
        [&[VERSION][..], &self.item, &visit, &day(self.day), &day(self.wake)].concat()
    }
}

/// What names an item: its article number, or its name where it has none.
pub(crate) fn item(favourite: &Favourite) -> [u8; 8] {
    memory::name(&[favourite.sku.as_deref().unwrap_or(&favourite.name)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_is_read_as_it_was_written() {
        let day = Date::parse("2026-11-21");
        for memory in [
            Memory::default(),
            Memory { item: [7; 8], visit: 300, day, wake: None },
            Memory { item: [0; 8], visit: 0, day: None, wake: day },
        ] {
            assert_eq!(memory.remember().len(), 21);
            assert_eq!(Memory::recall(&memory.remember()), memory);
        }
        let memory = Memory { item: [9; 8], visit: 258, day, wake: None };
        assert_eq!(memory.remember(), [1, 9, 9, 9, 9, 9, 9, 9, 9, 0, 0, 1, 2, 0x01, 0x35, 0x29, 0x01, 0, 0, 0, 0]);
    }

    #[test]
    fn a_foreign_memory_says_nothing() {
        for memory in [&[][..], &[2; 21], &[1; 5]] {
            assert_eq!(Memory::recall(memory), Memory::default());
        }
    }
}
