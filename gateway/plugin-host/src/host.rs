//! Loading: from a component's bytes to a plugin that is ready to be called.

use crate::cache::{self, Cache};
use crate::compile::Compiler;
use crate::engine;
use crate::fault::contained;
use crate::plugin::Plugin;
use crate::state::{self, State};
use perkgate_domain::decision::{Blame, Fault, FaultKind};
use perkgate_domain::ids::Digest;
use perkgate_domain::limits::CallLimits;
use perkgate_pack::{Inspection, PackError};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

/// Components that are compiled at once. Two, so that a large one does not keep a small one waiting.
const AT_ONCE: usize = 2;

/// How a host is set up.
#[derive(Clone)]
pub struct HostConfig {
    /// What every call may use.
    pub limits: CallLimits,
    /// Where compiled code is kept; none compiles anew after every start.
    pub cache_dir: Option<PathBuf>,
    /// Authenticates what lies in `cache_dir`: compiled code is run, so nobody else may put any there.
    pub cache_key: [u8; 32],
    /// How many calls may be under way at once; each has its memory set aside in the address space.
    pub instances: u32,
    /// Who compiles.
    pub compiler: Compiler,
}

impl std::fmt::Debug for HostConfig {
    /// Leaves the key out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostConfig")
            .field("limits", &self.limits)
            .field("cache_dir", &self.cache_dir)
            .field("instances", &self.instances)
            .field("compiler", &self.compiler)
            .finish_non_exhaustive()
    }
}

/// Why there is no host.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// wasmtime refuses the settings, or there is not enough address space for the pool.
    #[error("the WebAssembly engine does not start: {0}; lower `instances` or the memory limit")]
    Engine(String),
    /// No thread for deadlines.
    #[error("the thread that keeps plugin deadlines does not start: {0}")]
    Clock(std::io::Error),
    /// The directory for compiled code cannot be made.
    #[error("the directory for compiled plugins {path} cannot be made: {error}")]
    CacheDir {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
}

/// Why a component is not a plugin this host can run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// What its bytes say is not acceptable.
    #[error(transparent)]
    Refused(#[from] PackError),
    /// It is invalid, or uses WebAssembly features that are off.
    #[error("the component does not compile: {0}; build it anew with `perkgate plugin build`")]
    Compile(String),
    /// Compiling it takes longer, or more memory, than it may.
    #[error("the component takes too much to compile: {0}; make it smaller, or split its largest functions")]
    TooMuch(String),
    /// The compiler crashed over it.
    #[error("the component broke the compiler: {0}; build it with another version of its toolchain")]
    Broke(String),
    /// It has more instances, memories or tables than one instance may have, or larger ones.
    #[error("the component is larger than an instance may be: {0}")]
    Beyond(String),
    /// Its imports or exports differ from the contract it names.
    #[error("the component does not fit the contract: {0}; build it against perkgate:plugin@1.0.0")]
    Contract(String),
    /// The compiler could not be run.
    #[error("the compiler cannot be run: {0}")]
    Compiler(String),
}

impl LoadError {
    /// The same as the fault of a decision that could not be made.
    #[must_use]
    pub fn fault(&self) -> Fault {
        Fault { blame: Blame::Plugin, kind: FaultKind::Load, detail: self.to_string() }
    }

    /// Whether the same component may load another time, because this failure is the machine's.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Compiler(_))
    }
}

/// Loads plugins. Clones share everything.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    engine: Engine,
    linker: Linker<State>,
    limits: CallLimits,
    fingerprint: String,
    cache: Option<Cache>,
    compiler: Compiler,
    compiling: Turns,
}

/// Lets a few in at once.
#[derive(Default)]
struct Turns {
    taken: Mutex<usize>,
    freed: Condvar,
}

/// One turn, until it is dropped.
struct Turn<'a>(&'a Turns);

impl Turns {
    fn take(&self) -> Turn<'_> {
        // A number is never half written, so a poisoned lock does not matter.
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = self.freed.wait_while(taken, |taken| *taken >= AT_ONCE).unwrap_or_else(PoisonError::into_inner);
        *taken += 1;
        Turn(self)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.taken.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.freed.notify_one();
    }
}

impl Host {
    /// Starts an engine with its pool and clock. The clock's thread ends with the last clone of the host and its plugins.
    ///
    /// # Errors
    /// [`HostError`] if this machine cannot have what the configuration asks for.
    pub fn new(config: HostConfig) -> Result<Self, HostError> {
        let engine = engine::new(&config.limits, config.instances)?;
        let fingerprint = engine::fingerprint(&engine);
        let cache = config.cache_dir.map(|dir| Cache::open(dir, config.cache_key, &fingerprint)).transpose()?;
        let mut linker = Linker::new(&engine);
        state::link(&mut linker).map_err(|error| HostError::Engine(format!("{error:#}")))?;
        let (limits, compiler, compiling) = (config.limits, config.compiler, Turns::default());
        Ok(Self(Arc::new(Inner { engine, linker, limits, fingerprint, cache, compiler, compiling })))
    }

    /// Makes a component ready to be called. Compiling takes from milliseconds (Rust) to seconds (JavaScript, Python), and up to
    /// the compiler's limit for what is refused, so this is not for the path of a purchase.
    ///
    /// # Errors
    /// [`LoadError`] says what about the component is not acceptable, and the cure.
    pub fn load(&self, component: &[u8]) -> Result<Plugin, LoadError> {
        contained(|| {
            let inspection = perkgate_pack::inspect(component)?;
            let compiled = self.compiled(component, &inspection)?;
            let contract = |error: wasmtime::Error| LoadError::Contract(format!("{error:#}"));
            let pre = self.0.linker.instantiate_pre(&compiled).map_err(contract)?;
            Plugin::new(inspection, pre, self.0.limits).map_err(contract)
        })
        .unwrap_or_else(|panic| Err(LoadError::Broke(panic)))
    }

    /// Whether compiled code of this component is kept, so that loading it takes no compiling.
    #[must_use]
    pub fn keeps(&self, digest: Digest) -> bool {
        self.0.cache.as_ref().is_some_and(|cache| cache.holds(digest))
    }

    fn compiled(&self, component: &[u8], inspection: &Inspection) -> Result<Component, LoadError> {
        let Inner { engine, limits, cache, compiler, compiling, .. } = &*self.0;
        let kept = || cache.as_ref().and_then(|cache| cache.read(engine, inspection.digest));
        if let Some(kept) = kept() {
            return Ok(kept);
        }
        let _turn = compiling.take();
        // Somebody else may have compiled it in their turn.
        if let Some(kept) = kept() {
            return Ok(kept);
        }
        let code = compiler.compile(engine, limits, component)?;
        let compiled = cache::load(engine, &code).map_err(|error| LoadError::Beyond(format!("{error:#}")))?;
        if let Some(cache) = cache {
            cache.write(&code, inspection.digest);
        }
        Ok(compiled)
    }

    /// What every call may use.
    #[must_use]
    pub fn limits(&self) -> &CallLimits {
        &self.0.limits
    }

    /// Names the engine: compiled code and fuel counts are the same wherever it is the same.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint.clone()
    }
}
