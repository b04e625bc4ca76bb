//! Why: what happened to an order, and what a balance is made of, in sentences that somebody at a till can read out. Pure: told the
//! facts and the time, in five languages. What plugins and the gateway wrote down is quoted as it stands.

mod balance;
mod decisions;
mod order;
#[cfg(test)]
mod tests;
mod texts;
mod words;

pub use balance::{Origin, balance, lost_next, matures_next};
pub use order::{Change, Later, Order, order};
pub use words::Language;

use crate::civil::Zone;
use perkgate_domain::time::Moment;

/// In which language, by whose clocks, and when it is said.
#[derive(Clone, Copy, Debug)]
pub struct Voice<'a> {
    /// The listener's.
    pub language: Language,
    /// The merchant's.
    pub zone: &'a Zone,
    /// The present: what is pending still is so as of now.
    pub now: Moment,
}

impl Voice<'_> {
    fn say(self, sentence: texts::Sentence, parts: &[(&str, &str)]) -> String {
        sentence.say(self.language, parts)
    }

    /// The day something happened on.
    fn date(self, at: Moment) -> String {
        self.language.date(&self.zone.local(at))
    }

    /// The day, and the time where it is not midnight.
    fn moment(self, at: Moment) -> String {
        self.language.moment(&self.zone.local(at))
    }

    /// The last day of what ends at this moment: ends lie between two days.
    fn last_day(self, end: Moment) -> String {
        self.date(end.plus_ms(-1))
    }

    /// Amounts of several wallets, in one row.
    fn amounts<'a>(self, amounts: impl IntoIterator<Item = (&'a String, &'a i64)>) -> Option<String> {
        let amounts = amounts.into_iter().filter(|(_, amount)| **amount > 0);
        let said: Vec<_> = amounts.map(|(wallet, amount)| self.language.units(*amount, wallet)).collect();
        (!said.is_empty()).then(|| said.join(", "))
    }
}

/// A quoted sentence within one of ours: that ends with a full stop of its own.
fn unstopped(text: &str) -> &str {
    text.trim().trim_end_matches('.')
}
