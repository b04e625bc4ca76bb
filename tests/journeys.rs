//! The stories: a shop, a gateway, an inbox, and what comes of it. Each runs the whole gateway over real HTTP.

mod aftermath;
mod alerts;
mod api;
mod audit;
mod bad_input;
mod components;
mod crash;
mod door;
mod errands;
mod faults;
mod forget;
mod hostile;
mod keys;
mod lateness;
mod ledger;
mod members;
mod messages;
mod once;
mod operate;
mod processes;
mod programme;
mod purchase;
mod questions;
mod refunds;
mod replay;
mod sound;
mod square;
mod stamps;
mod time;
mod traces;
mod upgrade;

/// A regular.
const JANA: &str = "jana@example.com";
/// The key that names her.
const BY_JANA: &str = "email:jana@example.com";
/// Shopify's ids are beyond 2^53, where a double loses count.
const ORDER: u64 = 820_982_911_946_154_508;
