//! The ledger's promises, told as stories and held against a model: whole or not at all, exact inverses, time in a fixed order, and sums
//! that do not mind the order in which things are told.

mod caps;
mod codes;
mod edits;
mod expiry;
mod giving;
mod ground;
mod histories;
mod maturity;
mod members;
mod orders;
mod policies;
mod refunds;
mod rewards;
mod spending;
mod tiers;
mod wakes;
