//! The one integration binary: every story that is told across packages, and the rules that the repository keeps.

mod journeys;
mod tidy;
