//! A database as a whole: copied into another one, backed up, restored, and one merchant's part of it exported and removed.
//!
//! Which tables and columns there are is read from the database's own catalogue, so a table that a later migration adds is copied and
//! removed like the others, without being named here.

mod backup;
mod catalogue;
mod copy;
mod merchant;

pub(super) use backup::make_private_file;
pub use backup::{backup, restore};
pub use copy::{Copied, Progress, move_to};
pub use merchant::{Leaving, RemovedRow};
