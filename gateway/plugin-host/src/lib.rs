//! Runs one plugin component in wasmtime, under limits. Knows no HTTP and no SQL.
//!
//! A [`Host`] loads a component once and a [`Plugin`] decides with it as often as asked, in a fresh instance every time, so
//! nothing of one decision is left for the next. What comes back is always a [`Verdict`](perkgate_domain::decision::Verdict):
//! decisions that make sense, the plugin's own refusal, or a fault with its blame. Whether the merchant grants what was
//! decided is not this room's business.
//!
//! Read in the order of a call: `host` and `engine` make ready, `compile` compiles, `cache` keeps compiled code, `plugin` runs one call,
//! `convert` and `bindings` carry the facts in and the answer out, `state` holds the limits meanwhile, `fault` says what
//! went wrong, `check` reads the answer.

mod bindings;
mod cache;
pub mod check;
mod compile;
mod convert;
mod engine;
mod fault;
mod host;
mod plugin;
mod state;

pub use compile::{Compiler, compile_in_child};
pub use host::{Host, HostConfig, HostError, LoadError};
pub use plugin::{Call, Live, Plugin, Taken};
