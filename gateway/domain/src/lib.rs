//! Perkgate's vocabulary: every word of the design that is data, and nothing that does I/O.
//!
//! Read in the order in which a purchase meets them: [`money`], [`purchase`] and [`event`] are what a platform tells us,
//! [`facts`] and [`decision`] are what a plugin is told and what it answers, [`ledger`] is what is written down,
//! [`plan`] is what one commit writes, [`delivery`] is what goes out and [`health`] how its receivers fare. [`cap`] says what went beyond a cap. [`ids`] names things, [`limits`] bounds them.

pub mod cap;
pub mod decision;
pub mod delivery;
pub mod event;
pub mod facts;
pub mod health;
mod hex_bytes;
pub mod ids;
pub mod ledger;
pub mod limits;
pub mod manifest;
pub mod member;
pub mod money;
pub mod plan;
pub mod programme;
pub mod purchase;
pub mod rules;
pub mod schema;
pub mod time;
