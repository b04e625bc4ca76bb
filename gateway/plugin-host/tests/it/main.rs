//! The host with real components: what it does with good ones, and that it contains bad ones.

mod cache;
mod calls;
mod compiler;
mod composed;
mod hostile;
mod interfaces;
mod limits;
mod support;
