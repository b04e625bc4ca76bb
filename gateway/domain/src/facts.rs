//! What a plugin is told besides the event. Everything a decision may depend on is in here, so that it can be made again.

use crate::member::Balance;
use crate::money::Currency;
use crate::time::Moment;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The facts of one decision. Stored with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// When the entry happened (not when it was decided).
    pub now: Moment,
    /// The same in the merchant's time zone.
    pub local: LocalTime,
    /// Whose programme.
    pub merchant: MerchantFacts,
    /// Whose purchase; only for plugins that ask for `member`, and as it stood before this entry.
    pub member: Option<MemberFacts>,
    /// The installation's settings, JSON text.
    pub settings: String,
    /// What this installation remembered about this member; only for plugins that ask for `memory`.
    #[serde(with = "crate::hex_bytes")]
    pub memory: Vec<u8>,
    /// Derived from merchant, entry and installation: the same whenever the decision is made again.
    pub dice: u64,
    /// Only for plugins that ask for `birthday`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birthday: Option<MonthDay>,
    /// Only for plugins that ask for `tier`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
    /// Only for plugins that ask for `referral`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referral: Option<Referral>,
    /// Latest first, at most [`crate::limits::HISTORY`]; only for plugins that ask for `history`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Visit>,
    /// Most often first, at most [`crate::limits::FAVOURITES`]; only for plugins that ask for `favourites`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub favourites: Vec<Favourite>,
    /// Soonest first, at most [`crate::limits::COMING`]; only for plugins that ask for `coming`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coming: Vec<Coming>,
}

/// A day of any year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthDay {
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

impl MonthDay {
    /// Reads `03-08`, `--03-08` or `1990-03-08`; the year is not kept.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = |part: &str, count| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
        let (rest, day) = text.trim().rsplit_once('-')?;
        let month = match rest.rsplit_once('-') {
            None => rest,
            Some((year, month)) if year == "-" || digits(year, 4) => month,
            Some(_) => return None,
        };
        if !digits(month, 2) || !digits(day, 2) {
            return None;
        }
        let (month, day) = (month.parse().ok()?, day.parse().ok()?);
        let longest = match month {
            2 => 29,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        (1..=longest).contains(&day).then_some(Self { month, day })
    }
}

/// As `03-08`.
impl std::fmt::Display for MonthDay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}-{:02}", self.month, self.day)
    }
}

/// A tier above the member's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextTier {
    /// Its name.
    pub name: String,
    /// What it takes, in what the merchant's tiers go by.
    pub at: i64,
    /// How much of it is missing.
    pub missing: i64,
}

/// How the member stands in the merchant's tiers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The tier.
    pub tier: Option<String>,
    /// When they came into it.
    pub since: Option<Moment>,
    /// When it is looked at again; not before.
    pub until: Option<Moment>,
    /// Thousandths; 1000 without a tier.
    pub multiplier_milli: u32,
    /// What counts towards tiers so far.
    pub progress: i64,
    /// None at the top.
    pub next: Option<NextTier>,
}

/// Who brought whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Referral {
    /// What the member tells friends.
    pub code: String,
    /// Whether somebody brought the member.
    pub referred: bool,
}

/// An earlier purchase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// When.
    pub at: Moment,
    /// As paid, minor units.
    pub total: i64,
    /// Of `total`.
    pub currency: Currency,
    /// Where.
    pub channel: crate::purchase::Channel,
    /// Which shop or till.
    pub location: Option<String>,
}

/// Something the member buys often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Favourite {
    /// Article number.
    pub sku: Option<String>,
    /// As the customer reads it.
    pub name: String,
    /// The merchant's category.
    pub category: Option<String>,
    /// In how many of the purchases looked at.
    pub purchases: u32,
    /// When it was bought last.
    pub last_at: Moment,
}

/// An amount that will mature or expire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coming {
    /// Which wallet.
    pub wallet: String,
    /// Whole units.
    pub amount: i64,
    /// When it may be spent; none if it may already.
    pub matures_at: Option<Moment>,
    /// When it is lost; none if never.
    pub expires_at: Option<Moment>,
}

/// Civil time in the merchant's zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalTime {
    /// Gregorian year.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 1 (Monday) to 7 (Sunday).
    pub weekday: u8,
    /// Minutes east of UTC.
    pub offset_minutes: i32,
}

impl LocalTime {
    /// The day as `2026-11-21`.
    #[must_use]
    pub fn date(&self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// The merchant, as far as plugins need it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MerchantFacts {
    /// Id from the merchant file.
    pub id: String,
    /// As customers know it.
    pub name: String,
    /// The programme's currency.
    pub currency: Currency,
    /// IANA time zone.
    pub timezone: String,
    /// The shop's language.
    pub locale: String,
}

/// The member as a plugin sees them: no contact data, and a different id for every partner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberFacts {
    /// `mem_…`, or a pseudonym made for the partner whose plugin this is.
    pub id: String,
    /// Their language, where known.
    pub locale: Option<String>,
    /// When the programme first heard of them.
    pub joined_at: Moment,
    /// Settled purchases before this one.
    pub visits: i64,
    /// Sum of settled purchases less refunds before this one, minor units of the merchant's currency.
    pub spent: i64,
    /// First settled purchase.
    pub first_purchase_at: Option<Moment>,
    /// Latest settled purchase.
    pub last_purchase_at: Option<Moment>,
    /// The tier they are in.
    pub tier: Option<String>,
    /// Sorted, unique.
    pub tags: Vec<String>,
    /// Whether they agreed to messages.
    pub consent: bool,
    /// By wallet; only for plugins that ask for `balances`.
    pub balances: BTreeMap<String, Balance>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_of_the_year_is_read_however_it_is_written() {
        for (text, shown) in [
            ("03-08", "03-08"),
            ("--03-08", "03-08"),
            ("1990-03-08", "03-08"),
            (" 12-31 ", "12-31"),
            ("01-01", "01-01"),
            ("02-29", "02-29"),
            ("--02-29", "02-29"),
            ("1988-02-29", "02-29"),
            ("04-30", "04-30"),
        ] {
            let day = MonthDay::parse(text).expect(text);
            assert_eq!(day.to_string(), shown);
            assert_eq!(MonthDay::parse(shown), Some(day));
        }
    }

    #[test]
    fn what_is_no_day_of_any_year_is_not_read() {
        for text in [
            "",
            "-",
            "--",
            "---",
            "03",
            "0308",
            "02-30",
            "04-31",
            "13-01",
            "00-10",
            "01-00",
            "01-32",
            "3-8",
            "03-8",
            "003-08",
            "+3-08",
            "90-03-08",
            "19900-03-08",
            "x-03-08",
            "-03-08",
            "---03-08",
            "1990-03-08-",
            "1990/03/08",
            "03-08T00",
            "٠٣-٠٨",
        ] {
            assert_eq!(MonthDay::parse(text), None, "{text}");
        }
    }

    #[test]
    fn facts_nobody_asked_for_leave_no_trace() {
        let facts = Facts {
            now: Moment(0),
            local: LocalTime { year: 1970, month: 1, day: 1, hour: 0, minute: 0, weekday: 4, offset_minutes: 0 },
            merchant: MerchantFacts {
                id: "kavaren".into(),
                name: "Kaváreň".into(),
                currency: Currency::parse("EUR").expect("known"),
                timezone: "UTC".into(),
                locale: "sk".into(),
            },
            member: None,
            settings: "{}".into(),
            memory: vec![],
            dice: 0,
            birthday: None,
            standing: None,
            referral: None,
            history: vec![],
            favourites: vec![],
            coming: vec![],
        };
        // What was stored before there were these facts reads as what it was.
        let json = serde_json::to_value(&facts).expect("JSON");
        for name in ["birthday", "standing", "referral", "history", "favourites", "coming"] {
            assert!(json.get(name).is_none(), "{name}");
        }
        assert_eq!(serde_json::from_value::<Facts>(json).expect("facts"), facts);
    }
}
