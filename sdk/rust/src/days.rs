//! Days as rules about time need them: today, the day of a moment, the next time of an hour, and how often a member comes.

use crate::{CivilTime, Date, Decimal, Facts, Refusal, locale, texts};

/// Days with visits that it takes to speak of a rhythm.
const RHYTHM_FROM: usize = 4;

/// So many days in words: `1 deň`, `14 dní`, `14 days`.
#[must_use]
pub fn counted(language: &str, number: i64) -> String {
    let forms = match locale::language(language) {
        "cs" => ["den", "dny", "dní"],
        "sk" => ["deň", "dni", "dní"],
        "pl" => ["dzień", "dni", "dni"],
        "de" => ["Tag", "Tage", "Tage"],
        _ => ["day", "days", "days"],
    };
    texts::counted(language, number, forms)
}

/// `factor` times so many days; a part of a day counts as one.
///
/// # Errors
/// [`Refusal::NotConfigured`] if the factor is negative, has more than two decimal places or is beyond reason.
pub fn times(factor: Decimal, days: i64) -> Result<i64, Refusal> {
    let hundredths = factor.minor(2).ok().filter(|hundredths| (0..=100_000).contains(hundredths));
    let Some(hundredths) = hundredths else {
        let why = format!("a factor is from 0 to 1000 with at most two decimal places, not {factor}");
        return Err(Refusal::not_configured(why));
    };
    Ok(days.saturating_mul(hundredths).saturating_add(99) / 100)
}

impl Facts {
    /// The day of the entry by the merchant's clocks.
    #[must_use]
    pub fn today(&self) -> Date {
        Date::of(&self.local)
    }

    /// The day of a moment, milliseconds since 1970, as [`Date::of_moment`] has it.
    #[must_use]
    pub fn day_of(&self, moment: i64) -> Date {
        Date::of_moment(moment, &self.local)
    }

    /// The full hour (0 to 23) of `day` by the merchant's clocks, or the next time they show that hour if it is past.
    #[must_use]
    pub fn at_hour(&self, day: Date, hour: u8) -> CivilTime {
        let hour = hour.min(23);
        let next = if self.local.hour < hour { self.today() } else { self.today().plus_days(1) };
        day.max(next).at(hour, 0)
    }

    /// The usual number of days between the member's visits: the median of the gaps in `history`, the longer of the middle two.
    /// `also` is the moment of the present purchase, which the history has not yet. Visits of one day are one, and fewer than
    /// four such days are no rhythm. Only for plugins that ask for `history`.
    #[must_use]
    pub fn rhythm(&self, also: Option<i64>) -> Option<i64> {
        let moments = also.into_iter().chain(self.history.iter().map(|visit| visit.at));
        let mut days: Vec<Date> = moments.map(|moment| self.day_of(moment)).collect();
        days.sort_unstable();
        days.dedup();
        if days.len() < RHYTHM_FROM {
            return None;
        }
        let mut gaps: Vec<i64> = days.windows(2).map(|two| two[1].since(two[0])).collect();
        gaps.sort_unstable();
        gaps.get(gaps.len() / 2).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Channel, LocalTime, Visit, sample};

    /// The sample's facts with visits so many days ago.
    fn visited(days_ago: &[i64]) -> Facts {
        let visit = |days: &i64| Visit {
            at: sample::NOW - days * 86_400_000,
            total: 500,
            currency: "EUR".to_owned(),
            channel: Channel::InStore,
            location: None,
        };
        Facts { history: days_ago.iter().map(visit).collect(), ..sample::facts() }
    }

    #[test]
    fn an_hour_that_is_past_comes_tomorrow() {
        // The sample's day is 21 November, 12:00.
        let facts = sample::facts();
        let at = |day: &str, hour| {
            let time = facts.at_hour(Date::parse(day).expect(day), hour);
            (time.month, time.day, time.hour, time.minute)
        };
        assert_eq!(at("2026-11-21", 13), (11, 21, 13, 0));
        assert_eq!(at("2026-11-21", 12), (11, 22, 12, 0));
        assert_eq!(at("2026-01-01", 9), (11, 22, 9, 0));
        assert_eq!(at("2026-12-01", 99), (12, 1, 23, 0));
    }

    #[test]
    fn the_rhythm_is_the_median_gap_of_days() {
        assert_eq!(visited(&[0, 7, 14]).rhythm(None), None);
        assert_eq!(visited(&[7, 14, 21]).rhythm(Some(sample::NOW)), Some(7));
        // Gaps of 7, 7, 7 and a holiday of 60.
        assert_eq!(visited(&[0, 7, 67, 74, 81]).rhythm(None), Some(7));
        // Gaps of 5 and 9, and 10: of 5, 9, 10, 20 the longer middle one is 10.
        assert_eq!(visited(&[0, 5, 14, 24, 44]).rhythm(None), Some(10));
    }

    #[test]
    fn days_are_counted_in_words_and_multiplied_upwards() {
        let said = [("cs", 1), ("sk", 3), ("pl", 5), ("de", 1), ("en", 1), ("en", 30)];
        let said = said.map(|(language, number)| counted(language, number));
        assert_eq!(said, ["1 den", "3 dni", "5 dni", "1 Tag", "1 day", "30 days"]);
        let factor = |text: &str| Decimal::parse(text).expect(text);
        assert_eq!((times(factor("1.5"), 7), times(factor("2"), 7)), (Ok(11), Ok(14)));
        for wrong in ["1.505", "-1", "1001"] {
            assert!(matches!(times(factor(wrong), 7), Err(Refusal::NotConfigured(why)) if why.contains(wrong)));
        }
    }

    #[test]
    fn visits_of_one_day_are_one() {
        assert_eq!(visited(&[0, 0, 0, 7, 7, 14]).rhythm(None), None);
        assert_eq!(visited(&[0, 0, 7, 14, 14, 21]).rhythm(None), Some(7));
    }

    #[test]
    fn the_day_is_that_of_the_merchants_clocks() {
        let facts = sample::facts();
        assert_eq!((facts.today(), facts.day_of(facts.now)), (Date::new(2026, 11, 21), Date::new(2026, 11, 21)));
        let utc = Facts { local: LocalTime { offset_minutes: -720, ..facts.local }, ..facts };
        assert_eq!(utc.day_of(utc.now), Date::new(2026, 11, 20));
    }
}
