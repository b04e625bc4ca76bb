//! The acts, each a file or a part of one: statements that both engines understand.

pub(super) mod admit;
pub(super) mod book;
pub(super) mod channels;
pub(super) mod claim;
pub(super) mod due;
mod entries;
pub(super) mod export;
mod fates;
mod gains;
pub(super) mod journal;
pub(super) mod look;
pub(super) mod lots;
mod members;
pub(super) mod order;
pub(super) mod outbox;
pub(super) mod outcome;
pub(super) mod programme;
pub(super) mod question;
pub(super) mod replay;
mod rows;
mod sayings;
pub(super) mod segment;
pub(super) mod settle;
pub(super) mod stuck;
pub(super) mod tasks;
pub(super) mod verify;
