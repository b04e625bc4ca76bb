//! Makes, builds and runs a plugin as the gateway would, and reports what it used of its limits.
//!
//! In the order an author needs it: [`create()`] copies the template, [`build`] makes the component, a [`Bench`] runs it under
//! production limits, [`run_cases`] holds it to its case files. `perkgate plugin new`, `build`, `test` and `run` are these
//! functions with arguments read and reports printed; the stock plugins' own tests call them too.

mod bench;
mod case;
mod compare;
mod create;
mod report;
mod sample;

pub use bench::{Bench, BenchError};
pub use case::{Case, CaseError, Happening, Taken};
pub use create::{CreateError, create};
pub use perkgate_pack::build::{BuildError, Built, build, build_in, build_plugin};
pub use report::{Report, Result as CaseResult, Run, run_cases};
