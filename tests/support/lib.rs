//! Actors of the stories: a real gateway that is asked what came of things, shops that sign as their platforms do, and inboxes,
//! mail servers and platform APIs on loopback. Nothing here is a stand-in for the gateway's own code.

#![expect(clippy::expect_used, reason = "a story whose ground is missing stops there")]
#![expect(clippy::missing_panics_doc, reason = "everything in here panics where the story goes another way")]
#![expect(clippy::must_use_candidate, reason = "what a story does not look at, it does not look at")]

mod gateway;
mod hostile;
mod inbox;
mod mail;
mod platform;
pub mod programme;
pub mod sales;
mod shop;
mod wait;

pub use gateway::{Ground, NOON, TestGateway};
pub use hostile::hostile;
pub use inbox::{FakeInbox, Got, Says};
pub use mail::{Mail, MailServer};
pub use platform::FakePlatform;
pub use sales::Sale;
pub use shop::{FakeShop, Reply};
pub use wait::until;
