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
mod decide;
mod decimal;
pub mod locale;
pub mod log;
pub mod money;
pub mod plural;
pub mod points;
pub mod sample;
mod settings;

pub use bindings::purchases::perkgate::plugin::types::{
    Balance, Channel, Decision, Earn, Facts, Join, Line, LineKind, LocalTime, Member, Merchant, Message, Offer, Price,
    Purchase, Refund, RefundLine, Refusal, Reward, Share, Spend, Tag, Tier, Wake,
};
pub use decide::Decide;
pub use decimal::Decimal;
pub use perkgate_macros::{joins, purchases, refunds};
pub use points::{Basis, Rounding};
pub use settings::Settings;

/// What a rule needs, in one `use`.
pub mod prelude {
    pub use crate::{
        Basis, Channel, Decide, Decimal, Decision, Earn, Facts, Join, Line, LineKind, LocalTime, Member, Merchant,
        Message, Offer, Price, Purchase, Refund, Refusal, Reward, Rounding, Share, Spend, Tag, Tier, Wake, locale, log,
        money, plural, points,
    };
    pub use serde::Deserialize;
}

/// What the attributes write into a plugin. No part of the interface.
#[doc(hidden)]
pub mod __rt {
    pub use crate::bindings::joins::export_joins;
    pub use crate::bindings::purchases::export_purchases;
    pub use crate::bindings::refunds::export_refunds;
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

    /// Makes a panic say its sentence: on wasm it would otherwise be a bare trap.
    pub fn start() {
        std::panic::set_hook(Box::new(|panic| crate::log::warn(&panic.to_string())));
    }
}
