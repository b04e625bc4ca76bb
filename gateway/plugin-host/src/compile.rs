//! Compiling: here, or in a child process that may use so much time and memory and no more.
//!
//! Cranelift has no bound of its own: a component of a few megabytes can keep it busy for minutes, or take gigabytes, and what goes
//! wrong in it would go wrong in the gateway. A child has its limits set by the system, knows no secret, and can be killed. It is
//! given the component and gives compiled code back, which the parent seals; it writes no files.

use crate::cache::FILE_BYTES;
use crate::engine;
use crate::host::LoadError;
use perkgate_domain::limits::{COMPONENT_BYTES, CallLimits, CompileLimits};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use wasmtime::Engine;

/// How a child says that the component is to blame.
const REFUSED: u8 = 3;
/// Between two looks whether a child has ended.
const PAUSE: Duration = Duration::from_millis(5);
/// Bytes of what a child says that are kept.
const SAID: u64 = 4_096;
/// Characters of it that a sentence shows.
const SHOWN: usize = 300;
/// Signals of a program that crashed, by Linux's numbers: it gave up by itself, or did what it must not.
const CRASHED: [i32; 6] = [4, 5, 6, 7, 8, 11];
/// The signal of a process that has used up its processor time.
const OUT_OF_TIME: i32 = 24;

/// Who compiles components.
#[derive(Clone, Debug)]
pub enum Compiler {
    /// This process, without any bound: for tests and tools that bring their components themselves.
    Here,
    /// A child process for each component. The program must answer with [`compile_in_child`].
    Child {
        /// What is started.
        program: PathBuf,
        /// And told, so that it compiles.
        arguments: Vec<OsString>,
        /// What it may use.
        limits: CompileLimits,
    },
}

impl Compiler {
    /// The running program once more, with these arguments.
    #[must_use]
    pub fn this_program(arguments: &[&str], limits: CompileLimits) -> Self {
        // By this name Linux finds the very program that runs, even if its file was replaced meanwhile by an update.
        let running = Path::new("/proc/self/exe");
        let elsewhere = || std::env::current_exe().unwrap_or_else(|_| running.to_owned());
        let program = if running.exists() { running.to_owned() } else { elsewhere() };
        Self::Child { program, arguments: arguments.iter().map(OsString::from).collect(), limits }
    }

    /// Compiled code for an engine with these limits.
    pub(crate) fn compile(&self, engine: &Engine, call: &CallLimits, component: &[u8]) -> Result<Vec<u8>, LoadError> {
        match self {
            Self::Here => {
                engine.precompile_component(component).map_err(|error| LoadError::Compile(format!("{error:#}")))
            }
            Self::Child { program, arguments, limits } => {
                let order = Order { call: *call, limits: *limits };
                // Compiling leaves half of the machine to whatever else it does.
                let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2));
                let child = Command::new(program)
                    .args(arguments)
                    // No key, no database: nothing of the environment is its business.
                    .env_clear()
                    .env("RAYON_NUM_THREADS", threads.to_string())
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .spawn()
                    .map_err(|error| LoadError::Compiler(format!("{}: {error}", program.display())))?;
                attend(child, &order, component)
            }
        }
    }
}

/// What a child is told before the component.
#[derive(Serialize, Deserialize)]
struct Order {
    call: CallLimits,
    limits: CompileLimits,
}

/// Gives a child the component, takes the code, and kills it when its time is over.
fn attend(mut child: Child, order: &Order, component: &[u8]) -> Result<Vec<u8>, LoadError> {
    let begun = Instant::now();
    let failed = |what: &dyn std::fmt::Display| LoadError::Compiler(what.to_string());
    let (Some(mut input), Some(output), Some(errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(failed(&"it has no pipes"));
    };
    let order_line = serde_json::to_string(order).map_err(|error| failed(&error))?;
    let (ended, code, said) = std::thread::scope(|scope| {
        scope.spawn(move || {
            // A child that does not take it to its end says why.
            let told = writeln!(input, "{order_line}").and_then(|()| input.write_all(component));
            drop(told);
        });
        let code = scope.spawn(move || bounded(output, FILE_BYTES + 1));
        let said = scope.spawn(move || bounded(errors, SAID));
        let ended = wait(&mut child, begun + Duration::from_millis(order.limits.time_ms));
        (ended, code.join().unwrap_or_default(), said.join().unwrap_or_default())
    });
    let ended = ended.map_err(|error| failed(&error))?;
    judge(ended, code, &String::from_utf8_lossy(&said), &order.limits)
}

/// As much as is wanted; the rest is read and thrown away, so that the writer does not stop.
fn bounded(mut from: impl Read, most: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Broken off is no more than short.
    let _ = (&mut from).take(most).read_to_end(&mut bytes);
    let _ = std::io::copy(&mut from, &mut std::io::sink());
    bytes
}

/// How the child ended; none if it had to be killed because its time was over.
fn wait(child: &mut Child, until: Instant) -> std::io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= until {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        // The standard library waits for a child for ever or not at all.
        std::thread::sleep(PAUSE);
    }
}

fn judge(ended: Option<ExitStatus>, code: Vec<u8>, said: &str, limits: &CompileLimits) -> Result<Vec<u8>, LoadError> {
    let seconds = limits.time_ms.div_ceil(1_000);
    let megabytes = limits.memory_bytes / (1024 * 1024);
    let Some(status) = ended else { return Err(LoadError::TooMuch(format!("more than {seconds} s"))) };
    // As Rust, the system, and a thread that found no room for its stack say it.
    let scarce = ["memory allocation of", "Cannot allocate memory", "Resource temporarily unavailable"];
    let memory = scarce.iter().any(|words| said.contains(words));
    let said = one_line(said);
    let told = if said.is_empty() { "it said nothing".to_owned() } else { said.chars().take(SHOWN).collect() };
    match (status.code(), status.signal()) {
        (Some(0), _) if code.len() as u64 > FILE_BYTES => {
            Err(LoadError::TooMuch(format!("its code has more than {} MB", FILE_BYTES / 1_000_000)))
        }
        (Some(0), _) => Ok(code),
        _ if memory => Err(LoadError::TooMuch(format!("more than {megabytes} MiB of memory"))),
        (Some(refused), _) if refused == i32::from(REFUSED) => Err(LoadError::Compile(told)),
        (_, Some(OUT_OF_TIME)) => Err(LoadError::TooMuch(format!("more than {seconds} s"))),
        (_, Some(signal)) if CRASHED.contains(&signal) => Err(LoadError::Broke(format!("{status}: {told}"))),
        // Whoever ended it (the system, for want of memory, or a person) need not do so again.
        (_, Some(_)) => Err(LoadError::Compiler(format!("the compiler was ended from outside ({status})"))),
        (Some(_), _) if said.contains("panicked") => Err(LoadError::Broke(told)),
        _ => Err(LoadError::Compiler(told)),
    }
}

/// The child's side: reads what to compile from standard input, writes the code to standard output. Answers the exit code.
///
/// To be called first thing by a program that is a [`Compiler::Child`]: the limits hold for the process from then on.
#[must_use]
pub fn compile_in_child() -> u8 {
    match compile_what_comes(BufReader::new(std::io::stdin().lock()), std::io::stdout().lock()) {
        Ok(()) => 0,
        Err(Failed::Refused(why)) => {
            eprintln!("{why}");
            REFUSED
        }
        Err(Failed::Ours(why)) => {
            eprintln!("{why}");
            1
        }
    }
}

enum Failed {
    /// The component does not compile.
    Refused(String),
    /// It could not even be tried.
    Ours(String),
}

fn compile_what_comes(mut input: impl std::io::BufRead, mut output: impl Write) -> Result<(), Failed> {
    let ours = |what: &dyn std::fmt::Display| Failed::Ours(what.to_string());
    let mut line = String::new();
    (&mut input).take(SAID).read_line(&mut line).map_err(|error| ours(&error))?;
    let Order { call, limits } = serde_json::from_str(&line).map_err(|error| ours(&error))?;
    limit(&limits).map_err(|error| ours(&error))?;
    let mut component = Vec::new();
    input.take(COMPONENT_BYTES as u64 + 1).read_to_end(&mut component).map_err(|error| ours(&error))?;
    let engine = engine::compiling(&call).map_err(|error| ours(&format!("{error:#}")))?;
    let code =
        engine.precompile_component(&component).map_err(|error| Failed::Refused(one_line(&format!("{error:#}"))))?;
    output.write_all(&code).and_then(|()| output.flush()).map_err(|error| ours(&error))
}

/// Limits this process. The processor time is for when the parent, which watches the wall clock, is gone.
fn limit(limits: &CompileLimits) -> std::io::Result<()> {
    use rlimit::Resource;
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let seconds = limits.time_ms.div_ceil(1_000).saturating_mul(cores).saturating_add(1);
    Resource::CPU.set(seconds, seconds)?;
    Resource::CORE.set(0, 0)?;
    Resource::AS.set(limits.memory_bytes, limits.memory_bytes)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: CompileLimits = CompileLimits { time_ms: 2_500, memory_bytes: 512 * 1024 * 1024 };

    /// What becomes of a child that ended with this status (of `wait`: the exit code times 256, or a signal).
    fn of(status: i32, said: &str) -> Result<Vec<u8>, LoadError> {
        judge(Some(ExitStatus::from_raw(status)), vec![1], said, &LIMITS)
    }

    #[test]
    fn each_end_of_a_child_is_told_apart() {
        assert!(matches!(of(0, ""), Ok(code) if code == [1]));
        assert!(matches!(of(3 << 8, "\nunknown import\n"), Err(LoadError::Compile(why)) if why == "unknown import"));
        let memory = of(6, "memory allocation of 64 bytes failed").expect_err("too much");
        assert!(matches!(&memory, LoadError::TooMuch(_)) && memory.to_string().contains("512 MiB"), "{memory}");
        assert!(matches!(of(101 << 8, "thread 'main' panicked at x"), Err(LoadError::Broke(_))));
        assert!(matches!(of(11, ""), Err(LoadError::Broke(_))), "a stack overflow");
        assert!(matches!(of(OUT_OF_TIME, ""), Err(LoadError::TooMuch(_))));
        for (status, said) in [(9, ""), (2, ""), (1 << 8, "no such limit")] {
            assert!(of(status, said).expect_err("ours").is_passing());
        }
        let late = judge(None, Vec::new(), "", &LIMITS).expect_err("too late");
        assert!(late.to_string().contains("3 s") && !late.is_passing(), "{late}");
    }

    #[test]
    fn what_it_says_is_bounded_and_read_to_the_end() {
        assert_eq!(bounded(&[7_u8; 9][..], 4), [7; 4]);
        assert_eq!(bounded(&[7_u8; 3][..], 4), [7; 3]);
    }
}
