//! Loading: from a component's bytes to a plugin that is ready to be called.

use crate::cache::Cache;
use crate::engine;
use crate::plugin::Plugin;
use crate::state::{self, State};
use perkgate_domain::decision::{Blame, Fault, FaultKind};
use perkgate_domain::limits::CallLimits;
use perkgate_pack::{Inspection, PackError};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

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
}

impl std::fmt::Debug for HostConfig {
    /// Leaves the key out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostConfig")
            .field("limits", &self.limits)
            .field("cache_dir", &self.cache_dir)
            .field("instances", &self.instances)
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
    /// It is invalid, uses WebAssembly features that are off, or is larger than an instance may be.
    #[error("the component does not compile: {0}; build it anew with `perkgate plugin build`")]
    Compile(String),
    /// Its imports or exports differ from the contract it names.
    #[error("the component does not fit the contract: {0}; build it against perkgate:plugin@1.0.0")]
    Contract(String),
}

impl LoadError {
    /// The same as the fault of a decision that could not be made.
    #[must_use]
    pub fn fault(&self) -> Fault {
        Fault { blame: Blame::Plugin, kind: FaultKind::Load, detail: self.to_string() }
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
    /// Compiling takes all cores for itself, so one component at a time does.
    compiling: Mutex<()>,
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
        let compiling = Mutex::new(());
        Ok(Self(Arc::new(Inner { engine, linker, limits: config.limits, fingerprint, cache, compiling })))
    }

    /// Makes a component ready to be called. Compiling takes from milliseconds (Rust) to seconds (JavaScript, Python), so
    /// this is not for the path of a purchase.
    ///
    /// # Errors
    /// [`LoadError`] says what about the component is not acceptable, and the cure.
    pub fn load(&self, component: &[u8]) -> Result<Plugin, LoadError> {
        let inspection = perkgate_pack::inspect(component)?;
        let compiled = self.compiled(component, &inspection)?;
        let contract = |error: wasmtime::Error| LoadError::Contract(format!("{error:#}"));
        let pre = self.0.linker.instantiate_pre(&compiled).map_err(contract)?;
        Plugin::new(inspection, pre, self.0.limits).map_err(contract)
    }

    fn compiled(&self, component: &[u8], inspection: &Inspection) -> Result<Component, LoadError> {
        // A poisoned lock guards nothing that could be half done.
        let _turn = self.0.compiling.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = self.0.cache.as_ref().and_then(|cache| cache.read(&self.0.engine, inspection.digest)) {
            return Ok(kept);
        }
        let compiled = Component::from_binary(&self.0.engine, component)
            .map_err(|error| LoadError::Compile(format!("{error:#}")))?;
        if let Some(cache) = &self.0.cache {
            cache.write(&compiled, inspection.digest);
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
