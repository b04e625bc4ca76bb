//! The pass of one member: all this plugin remembers.
//!
//! The memory, version 1, numbers big-endian, days as `Date::to_bytes` writes them:
//!
//! | bytes | what |
//! |---|---|
//! | 0 | the version: 1 |
//! | 1 | 0: no pass, 1: running, 2: paused |
//! | 2–5 | running: the first day it is no longer valid; paused: how many days are left |
//! | 6–9 | running: the day of the next reward; paused: in how many days it was due; 0: it has not been given yet |
//! | 10 | 1 if the member was reminded of this end |
//! | 11–… | for each purchase that added time, the latest last: 8 bytes that name it (`memory::name` of source and id), 2 for the days it added, 2 for those taken off again |

use perkgate::{Date, Purchase, memory};

const VERSION: u8 = 1;
/// Purchases whose refund still takes time off.
const PURCHASES: usize = 40;

/// Where a pass stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// There is none, or it is over.
    #[default]
    None,
    Running {
        /// The first day it is no longer valid.
        end: Date,
        /// When the next reward is due; none: at once.
        reward: Option<Date>,
    },
    Paused {
        /// Days it will still be valid.
        left: i64,
        /// Days until the next reward; none: at once.
        reward: Option<i64>,
    },
}

/// Time that a purchase added.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bought {
    purchase: [u8; 8],
    added: i64,
    taken: i64,
}

/// A member's pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pass {
    pub(crate) state: State,
    pub(crate) reminded: bool,
    bought: Vec<Bought>,
}

impl Pass {
    /// Reads the memory. One this version did not write is no pass.
    pub(crate) fn recall(memory: &[u8]) -> Self {
        Self::read(memory).unwrap_or_default()
    }

    fn read(memory: &[u8]) -> Option<Self> {
        let (&[version, state], rest) = memory.split_first_chunk()?;
        let (first, rest) = rest.split_first_chunk::<4>()?;
        let (second, rest) = rest.split_first_chunk::<4>()?;
        let (reminded, rest) = rest.split_first()?;
        let days = |bytes: [u8; 4]| i64::from(u32::from_be_bytes(bytes));
        let state = match (version, state) {
            (VERSION, 0) => State::None,
            (VERSION, 1) => State::Running { end: Date::from_bytes(*first)?, reward: Date::from_bytes(*second) },
            (VERSION, 2) => State::Paused { left: days(*first), reward: Some(days(*second)).filter(|days| *days > 0) },
            _ => return None,
        };
        let bought = rest.chunks_exact(12).map(|chunk| {
            let (purchase, days) = chunk.split_first_chunk::<8>()?;
            let two = |at: usize| Some(i64::from(u16::from_be_bytes([*days.get(at)?, *days.get(at + 1)?])));
            Some(Bought { purchase: *purchase, added: two(0)?, taken: two(2)? })
        });
        Some(Self { state, reminded: *reminded == 1, bought: bought.collect::<Option<_>>()? })
    }

    /// Writes the memory.
    pub(crate) fn remember(&self) -> Vec<u8> {
        let days = |days: i64| u32::try_from(days).unwrap_or(u32::MAX).to_be_bytes();
        let (state, first, second) = match self.state {
            State::None => (0, [0; 4], [0; 4]),
            State::Running { end, reward } => (1, end.to_bytes(), reward.map_or([0; 4], Date::to_bytes)),
            State::Paused { left, reward } => (2, days(left), reward.map_or([0; 4], days)),
        };
        let mut memory = vec![VERSION, state];
        memory.extend(first.into_iter().chain(second).chain([u8::from(self.reminded)]));
        for Bought { purchase, added, taken } in &self.bought {
            let two = |days: i64| u16::try_from(days).unwrap_or(u16::MAX).to_be_bytes();
            memory.extend(purchase.iter().copied().chain(two(*added)).chain(two(*taken)));
        }
        memory
    }

    /// Stops the clock while the merchant's tag is there, and lets it go on when it is gone. Says whether it changed anything.
    pub(crate) fn pause(&mut self, wanted: bool, today: Date) -> bool {
        self.state = match self.state {
            State::Running { end, reward } if wanted && end > today => {
                State::Paused { left: end.since(today), reward: reward.map(|day| day.since(today).max(1)) }
            }
            State::Paused { left, reward } if !wanted => {
                self.reminded = false;
                State::Running { end: today.plus_days(left), reward: reward.map(|days| today.plus_days(days)) }
            }
            _ => return false,
        };
        true
    }

    /// Adds what was bought: `after` gives the day on which time bought on a day would be over. What is still valid is extended.
    pub(crate) fn sell(&mut self, purchase: &Purchase, today: Date, after: impl Fn(Date) -> Date) {
        let from = match self.state {
            State::Running { end, .. } => end,
            State::None | State::Paused { .. } => today,
        };
        let end = after(from);
        let added = end.since(from);
        self.state = match self.state {
            State::None => State::Running { end, reward: None },
            State::Running { reward, .. } => State::Running { end, reward },
            State::Paused { left, reward } => State::Paused { left: left + added, reward },
        };
        let surplus = (self.bought.len() + 1).saturating_sub(PURCHASES);
        self.bought.drain(..surplus);
        self.bought.push(Bought { purchase: name(purchase), added, taken: 0 });
    }

    /// Takes off again what a purchase added, all of it or the part `given` of `of`. Says whether anything was left to take.
    pub(crate) fn take_back(&mut self, purchase: &Purchase, part: Option<(i64, i64)>) -> bool {
        let name = name(purchase);
        let Some(bought) = self.bought.iter_mut().find(|bought| bought.purchase == name) else { return false };
        let left = bought.added - bought.taken;
        let off = match part {
            None => left,
            Some((given, of)) if of > 0 => (bought.added.saturating_mul(given) / of).clamp(0, left),
            Some(_) => 0,
        };
        bought.taken += off;
        self.state = match self.state {
            State::None => State::None,
            State::Running { end, reward } => State::Running { end: end.plus_days(-off), reward },
            State::Paused { left, reward } => State::Paused { left: (left - off).max(0), reward },
        };
        off > 0
    }

    /// The pass is over. A refund of what was used up no longer changes anything.
    pub(crate) fn end(&mut self) {
        *self = Self::default();
    }
}

fn name(purchase: &Purchase) -> [u8; 8] {
    memory::name(&[&purchase.source, &purchase.id])
}

#[cfg(test)]
mod tests {
    use super::*;
    use perkgate::sample;

    fn day(text: &str) -> Date {
        Date::parse(text).expect(text)
    }

    fn purchase(id: &str) -> Purchase {
        Purchase { id: id.to_owned(), ..sample::purchase([]) }
    }

    #[test]
    fn a_memory_is_read_as_it_was_written() {
        let mut pass = Pass::default();
        assert_eq!(Pass::recall(&pass.remember()), pass);
        pass.sell(&purchase("1"), day("2026-11-21"), |from| from.plus_days(30));
        pass.sell(&purchase("2"), day("2026-11-21"), |from| from.plus_days(30));
        assert!(pass.take_back(&purchase("1"), Some((1, 3))));
        pass.reminded = true;
        let memory = pass.remember();
        assert_eq!((&memory[..11], memory.len()), (&[1, 1, 0x01, 0x35, 0x4c, 0x1e, 0, 0, 0, 0, 1][..], 11 + 24));
        assert_eq!(Pass::recall(&memory), pass);
        assert!(pass.pause(true, day("2026-11-22")));
        assert_eq!(Pass::recall(&pass.remember()), pass);
    }

    #[test]
    fn a_foreign_memory_is_no_pass() {
        for memory in
            [&[][..], &[1], &[2, 1, 0x01, 0x35, 0x29, 0x01, 0, 0, 0, 0, 0], &[1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]]
        {
            assert_eq!(Pass::recall(memory), Pass::default());
        }
    }

    #[test]
    fn parts_never_take_more_than_was_added() {
        let mut pass = Pass::default();
        pass.sell(&purchase("1"), day("2026-11-21"), |from| from.plus_days(31));
        for (taken, end) in [(true, "2026-12-07"), (true, "2026-11-22"), (true, "2026-11-21"), (false, "2026-11-21")] {
            let part = if end == "2026-11-21" { None } else { Some((1, 2)) };
            assert_eq!(pass.take_back(&purchase("1"), part), taken);
            assert_eq!(pass.state, State::Running { end: day(end), reward: None });
        }
        assert!(!pass.take_back(&purchase("2"), None), "another purchase");
    }

    #[test]
    fn only_the_latest_purchases_are_remembered() {
        let mut pass = Pass::default();
        for id in 0..=PURCHASES {
            pass.sell(&purchase(&id.to_string()), day("2026-11-21"), |from| from.plus_days(1));
        }
        assert!(!pass.take_back(&purchase("0"), None) && pass.take_back(&purchase("1"), None));
        assert!(pass.remember().len() < 4096);
    }
}
