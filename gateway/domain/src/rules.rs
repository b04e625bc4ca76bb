//! The rules of a programme that are no plugin's: what a wallet's units live by, tiers, the catalogue of rewards, caps.

use crate::decision::Price;
use crate::facts::MonthDay;
use crate::programme::Caps;
use crate::time::Moment;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a merchant sets besides sources, plugins and channels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rules {
    /// By wallet; one that is not named has the defaults.
    pub wallets: BTreeMap<String, WalletTerms>,
    /// Days in which a customer may return what they bought.
    pub return_window_days: Option<u32>,
    /// The ladder, if there is one.
    pub tiers: Option<Tiers>,
    /// By key.
    pub rewards: BTreeMap<String, CatalogueReward>,
    /// Over all installations together.
    pub caps: Caps,
    /// When the programme began; what happened before is history and asks no plugin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Moment>,
    /// Whether that history counts as visits, spend and towards tiers.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub count_earlier: bool,
}

impl Rules {
    /// Whether something that happened then is from before the programme began.
    #[must_use]
    pub fn is_history(&self, at: Moment) -> bool {
        self.since.is_some_and(|since| at < since)
    }
    /// Whether nothing is set.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What a wallet's units live by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalletTerms {
    /// When what is earned may be spent.
    pub matures: Maturity,
    /// When what is earned is lost.
    pub expires: ExpiryRule,
    /// What a refund does about what was spent already.
    pub refunds: RefundPolicy,
}

/// When what is earned may be spent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Maturity {
    /// At once.
    #[default]
    AtOnce,
    /// So many days later, at the same time of day.
    Days(u32),
    /// At this moment, and at once if it is past.
    On(Moment),
    /// At the end of the merchant's return window.
    ReturnWindow,
    /// At the end of the source's refund window.
    RefundWindow,
}

/// When what is earned is lost. Always between two civil days of the merchant's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExpiryRule {
    /// Never.
    #[default]
    Never,
    /// At the end of the day so many days later, or of the month, quarter or year that this day lies in.
    Days {
        /// Counted from when it is earned.
        days: u32,
        /// To the end of what it is rounded up.
        round: Option<Round>,
    },
    /// At the end of the next of these days.
    Dates(Vec<MonthDay>),
    /// At the end of the day so many days after the latest activity that counts.
    Sliding {
        /// Counted from the activity.
        days: u32,
        /// What counts.
        by: Activity,
    },
}

/// To the end of what a day is rounded up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Round {
    /// Of the month.
    Month,
    /// Of the quarter.
    Quarter,
    /// Of the year.
    Year,
}

/// What counts as activity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activity {
    /// Buying.
    #[default]
    Purchase,
    /// Taking a reward.
    Redemption,
    /// Both.
    Any,
}

/// What a refund takes back for units that were spent already. What is left of the refunded lot is always taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefundPolicy {
    /// What else is pending, and no more.
    PendingOnly,
    /// What else is pending, then what is available, until nothing is left.
    ToZero,
    /// As `ToZero`, and the rest is owed: the next earnings fill it.
    #[default]
    Negative,
}

/// The ladder of tiers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tiers {
    /// What counts.
    pub by: Measure,
    /// Over which time it is added up.
    pub window: Window,
    /// What becomes of who does not reach their tier any more.
    pub downgrade: Downgrade,
    /// Days by which a downgrade waits.
    pub grace_days: u32,
    /// Lowest first; what they take rises.
    pub levels: Vec<Level>,
}

/// What tiers go by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Units earned of this wallet, less what refunds took back.
    Points(String),
    /// Minor units spent, less refunds.
    Spend,
    /// Purchases, less those given back.
    Visits,
}

/// Over which time it is added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Window {
    /// The last so many days, today included.
    Rolling(u32),
    /// The calendar year. A tier lasts for the rest of it and all of the next.
    Calendar,
    /// The year of membership, from the day of joining. A tier lasts for the rest of it and all of the next.
    Membership,
}

/// What becomes of who does not reach their tier any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Downgrade {
    /// The tier below.
    #[default]
    OneStep,
    /// The tier they reach.
    ToEarned,
}

/// One tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// Its name.
    pub name: String,
    /// What it takes. Positive.
    pub at: i64,
    /// Thousandths: 1500 is one and a half. What plugins are told.
    pub multiplier_milli: u32,
    /// On the member while they are in it.
    pub tag: Option<String>,
}

/// A reward that members may take, or that the merchant gives: a coupon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueReward {
    /// As members read it, in the merchant's language.
    pub title: String,
    /// By language.
    #[serde(default)]
    pub titles: BTreeMap<String, String>,
    /// What it is.
    pub kind: RewardKind,
    /// What taking it costs; none for what the merchant gives.
    pub price: Option<Price>,
    /// How many there are.
    pub stock: Option<u32>,
    /// How many a member may ever take or use.
    pub per_member: Option<u32>,
    /// Days until a code lapses; none if it does not.
    pub valid_days: Option<u32>,
    /// Not to be had before.
    pub from: Option<Moment>,
    /// Not to be had from then on.
    pub until: Option<Moment>,
    /// Whether the price returns when a code lapses unused.
    pub returns_price: bool,
    /// Minutes in which a member may give it back.
    pub undo_minutes: u32,
    /// Taken by itself as soon as a member has the price.
    pub automatic: bool,
    /// One code for everybody: a shared coupon, counted when it is used.
    pub code: Option<String>,
    /// Only for members with this tag or in this tier.
    pub audience: Option<Audience>,
}

/// Whom something is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Audience {
    /// Who has this tag.
    Tag(String),
    /// Who is in this tier.
    Tier(String),
}

/// What a reward is, for whoever honours it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RewardKind {
    /// This item, free.
    FreeItem(String),
    /// So many minor units off.
    AmountOff(i64),
    /// So many per cent off.
    PercentOff(u32),
    /// What the title says.
    Custom,
}
