//! The command line. Exit codes: 0 done, 1 it failed (one sentence on standard error says why and what to do), 2 wrong usage.

#[macro_use]
mod screen;
mod commands;

use clap::Parser as _;
use std::process::ExitCode;

/// Batches are many small allocations on every core: this one serves them with less waiting than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let line = commands::Line::parse();
    let done = commands::run(line).and_then(|code| {
        screen::finish().map(|()| code).map_err(|error| anyhow::Error::from(error).context("cannot write the output"))
    });
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("perkgate: {}", sentence(&error));
            ExitCode::FAILURE
        }
    }
}

/// The error and its causes in one sentence; causes that the error already repeats are left out.
fn sentence(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}
