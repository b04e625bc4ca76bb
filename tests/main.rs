//! The one integration binary: every story that is told across packages, and the rules that the repository keeps.

#![expect(clippy::expect_used, reason = "a story that cannot go on says so by panicking")]

mod contract;
mod fuzzed;
mod journeys;
mod order;
mod tidy;
