//! Compilers that misbehave: each is a program of the system in the place of the gateway's own. The real one is tried in
//! `gateway/tests/cli`.

use crate::support::{KEY, compiling_host, component, decide, earned};
use perkgate_domain::decision::Blame;
use perkgate_domain::ids::Digest;
use perkgate_domain::limits::CompileLimits;
use perkgate_plugin_host::{Compiler, LoadError};
use std::time::Instant;

const LIMITS: CompileLimits = CompileLimits { time_ms: 50, memory_bytes: 1 << 30 };

fn program(line: &[&str], time_ms: u64) -> Compiler {
    let limits = CompileLimits { time_ms, ..LIMITS };
    Compiler::Child { program: line[0].into(), arguments: line[1..].iter().map(Into::into).collect(), limits }
}

fn fails(line: &[&str], time_ms: u64) -> LoadError {
    let host = compiling_host(None, KEY, program(line, time_ms));
    match host.load(&component("honest-points")) {
        Err(error) => error,
        Ok(_) => panic!("it was compiled without a compiler"),
    }
}

#[test]
fn one_that_does_not_end_is_killed() {
    let started = Instant::now();
    let error = fails(&["sleep", "600"], 50);
    assert!(matches!(&error, LoadError::TooMuch(why) if why.contains("1 s")), "{error}");
    assert!(!error.is_passing(), "the same component would take as long again");
    // Generous: the machine may be busy. The program itself would take ten minutes.
    assert!(started.elapsed().as_secs() < 60);
}

#[test]
fn one_that_cannot_be_run_or_fails_is_no_fault_of_the_component() {
    for line in [&["/nowhere/perkgate"][..], &["false"], &["sh", "-c", "kill -9 $$"]] {
        let error = fails(line, 60_000);
        assert!(matches!(&error, LoadError::Compiler(_)) && error.is_passing(), "{line:?}: {error}");
    }
}

#[test]
fn what_it_says_of_the_component_is_told() {
    let error = fails(&["sh", "-c", "cat >&2; echo; exit 3"], 60_000);
    assert!(matches!(&error, LoadError::Compile(why) if why.contains("memory_bytes")), "{error}");
    assert_eq!(error.fault().blame, Blame::Plugin);
    let error = fails(&["sh", "-c", "echo 'memory allocation of 8 bytes failed' >&2; kill -6 $$"], 60_000);
    assert!(matches!(&error, LoadError::TooMuch(why) if why.contains("1024 MiB")), "{error}");
    let error = fails(&["sh", "-c", "kill -11 $$"], 60_000);
    assert!(matches!(error, LoadError::Broke(_)), "{error}");
}

#[test]
fn what_is_no_code_is_not_run_and_not_kept() {
    let dir = tempfile::tempdir().expect("dir");
    let host = compiling_host(Some(dir.path().to_owned()), KEY, program(&["cat"], 60_000));
    let component = component("honest-points");
    host.load(&component).expect_err("the component itself is no code");
    assert!(!host.keeps(Digest::of(&component)));
    // Somebody compiles it, and then it is there for everybody.
    let able = compiling_host(Some(dir.path().to_owned()), KEY, Compiler::Here);
    able.load(&component).expect("it compiles");
    assert!(host.keeps(Digest::of(&component)));
    assert_eq!(earned(&decide(&host.load(&component).expect("it is kept"))), 12);
}
