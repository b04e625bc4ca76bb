//! The acts, each a file or a part of one: statements that both engines understand.

pub(super) mod admit;
pub(super) mod book;
pub(super) mod channels;
pub(super) mod claim;
mod entries;
mod gains;
pub(super) mod journal;
pub(super) mod look;
mod members;
pub(super) mod order;
pub(super) mod outbox;
pub(super) mod programme;
mod rows;
pub(super) mod settle;
pub(super) mod verify;
