//! Write a Perkgate plugin: a reward rule as an ordinary function.
//!
//! ```
//! use perkgate::prelude::*;
//!
//! #[derive(Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Settings {
//!     points: i64,
//! }
//!
//! /// Every purchase earns the same.
//! #[perkgate::purchases]
//! fn every_purchase(_purchase: &Purchase, _facts: &Facts, settings: Settings) -> Decide {
//!     Ok(vec![Earn::points(settings.points).because("Thank you for coming").into()])
//! }
//! ```
//!
//! A rule is told everything it may know and answers with what it proposes. It has no clock, no dice, no network and no
//! files; so the gateway can ask it again and must get the same answer. `sdk/README.md` leads from nothing to points in a
//! running gateway.

// The attributes write absolute paths, and this crate's own examples and tests use the attributes.
extern crate self as perkgate;

mod bindings;
mod date;
pub mod days;
mod decide;
mod decimal;
mod gift;
pub mod hours;
mod lines;
pub mod locale;
pub mod log;
pub mod memory;
pub mod money;
pub mod plural;
pub mod points;
mod recall;
pub mod sample;
mod settings;
pub mod texts;

pub use bindings::purchases::perkgate::plugin::types::{
    Answer, Ask, Balance, Channel, CivilTime, Coming, Decision, Earn, Facts, Favourite, Join, Line, LineKind,
    LocalTime, Member, Merchant, Message, MonthDay, NextTier, Offer, Price, Profile, Purchase, Redemption,
    RedemptionStep, Referral, Refund, RefundLine, Refusal, Reward, Scale, Share, Spend, Standing, Tag, Task, Tier,
    Visit, Wake, WakeCause, WakeTime, WakeWhom, Woken,
};
pub use date::Date;
pub use decide::Decide;
pub use decimal::Decimal;
pub use gift::{Gift, GiftReward};
pub use perkgate_macros::{answers, joins, profiles, purchases, redemptions, refunds, wakes};
pub use points::{Basis, Rounding};
pub use settings::Settings;

/// What a rule needs, in one `use`.
pub mod prelude {
    pub use crate::{
        Answer, Ask, Basis, Channel, CivilTime, Coming, Date, Decide, Decimal, Decision, Earn, Facts, Favourite, Join,
        Line, LineKind, LocalTime, Member, Merchant, Message, MonthDay, NextTier, Offer, Price, Profile, Purchase,
        Redemption, RedemptionStep, Referral, Refund, Refusal, Reward, Rounding, Scale, Share, Spend, Standing, Tag,
        Task, Tier, Visit, Wake, WakeCause, WakeTime, WakeWhom, Woken, hours, locale, log, money, plural, points,
        texts,
    };
    pub use serde::Deserialize;
}

/// What the attributes write into a plugin. No part of the interface.
#[doc(hidden)]
pub mod __rt {
    pub use crate::bindings::answers::export_answers;
    pub use crate::bindings::joins::export_joins;
    pub use crate::bindings::profiles::export_profiles;
    pub use crate::bindings::purchases::export_purchases;
    pub use crate::bindings::redemptions::export_redemptions;
    pub use crate::bindings::refunds::export_refunds;
    pub use crate::bindings::wakes::export_wakes;
    pub use crate::settings::{are_settings, read as settings};
    pub use std::vec::Vec;
    pub use wit_bindgen;

    pub mod purchases {
        pub use crate::bindings::purchases as bindings;
        pub use crate::bindings::purchases::exports::perkgate::plugin::purchases::Guest;
    }
    pub mod refunds {
        pub use crate::bindings::refunds as bindings;
        pub use crate::bindings::refunds::exports::perkgate::plugin::refunds::Guest;
    }
    pub mod joins {
        pub use crate::bindings::joins as bindings;
        pub use crate::bindings::joins::exports::perkgate::plugin::joins::Guest;
    }
    pub mod answers {
        pub use crate::bindings::answers as bindings;
        pub use crate::bindings::answers::exports::perkgate::plugin::answers::Guest;
    }
    pub mod profiles {
        pub use crate::bindings::profiles as bindings;
        pub use crate::bindings::profiles::exports::perkgate::plugin::profiles::Guest;
    }
    pub mod redemptions {
        pub use crate::bindings::redemptions as bindings;
        pub use crate::bindings::redemptions::exports::perkgate::plugin::redemptions::Guest;
    }
    pub mod wakes {
        pub use crate::bindings::wakes as bindings;
        pub use crate::bindings::wakes::exports::perkgate::plugin::wakes::Guest;
    }

    /// Makes a panic say its sentence: on wasm it would otherwise be a bare trap.
    pub fn start() {
        std::panic::set_hook(Box::new(|panic| crate::log::warn(&panic.to_string())));
    }
}
