//! Actors of the stories: a real gateway that is asked what came of things, shops that sign as their platforms do, and inboxes,
//! mail servers and platform APIs on loopback. Nothing here is a stand-in for the gateway's own code.

#![expect(clippy::expect_used, reason = "a story whose ground is missing stops there")]
#![expect(clippy::missing_panics_doc, reason = "everything in here panics where the story goes another way")]
#![expect(clippy::must_use_candidate, reason = "what a story does not look at, it does not look at")]

mod collector;
mod everything;
pub mod fuzz;
mod gateway;
mod hostile;
mod inbox;
mod load;
mod loopback;
mod mail;
mod platform;
mod postgres;
pub mod programme;
pub mod sales;
mod served;
mod shop;
mod staff;
mod stepped;
mod wait;

pub use collector::{Collector, Told};
pub use everything::{Kept, everything};
pub use gateway::{Ground, NOON, TestGateway};
pub use hostile::hostile;
pub use inbox::{FakeInbox, Got, Says};
pub use load::{Books, Dice, Load, Standing, Tally};
pub use mail::{Mail, MailServer};
pub use platform::FakePlatform;
pub use postgres::{Postgres, own_postgres_or_skip, postgres_or_skip};
pub use sales::Sale;
pub use served::{Premises, Ran, Served};
pub use shop::{FakeShop, Reply};
pub use staff::{Heard, Staff, follows};
pub use stepped::{Ask, Fate, Held, Stepped};
pub use wait::until;
