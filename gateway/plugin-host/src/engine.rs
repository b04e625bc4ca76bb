//! The wasmtime engine: what plugins may consist of, and the pool their instances come from.

use crate::host::HostError;
use perkgate_domain::limits::CallLimits;
use sha2::{Digest as _, Sha256};
use std::hash::{Hash as _, Hasher};
use std::time::Duration;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Strategy};

/// The clock of deadlines: an epoch is this long, so a deadline is kept this exactly.
pub(crate) const TICK: Duration = Duration::from_millis(5);

/// Core instances in one component. Three come of the usual wrapping (module, shim, fixup); what the Python toolchain links
/// together out of libraries has some forty.
const CORE_INSTANCES: u32 = 64;
/// Linear memories in one component, or in one of its modules: composed components bring one each.
const MEMORIES: u32 = 4;
/// Tables in one component, shims' included.
const TABLES: u32 = 8;
/// Bytes of wasmtime's own bookkeeping for a core instance. A JavaScript engine's module has some thousand functions.
const CORE_INSTANCE_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of linear memory that are wiped and kept rather than returned to the kernel: what a rule in Rust touches.
const MEMORY_KEPT: usize = 2 * 1024 * 1024;
/// Bytes of tables that are wiped and kept.
const TABLE_KEPT: usize = 64 * 1024;

/// An engine for `instances` calls at once, and the thread that moves its clock.
pub(crate) fn new(limits: &CallLimits, instances: u32) -> Result<Engine, HostError> {
    let engine = Engine::new(&config(limits, instances)).map_err(|error| HostError::Engine(format!("{error:#}")))?;
    tick(&engine)?;
    Ok(engine)
}

/// An engine that compiles as that of [`new`] does and runs nothing: without a pool, which would take address space.
pub(crate) fn compiling(limits: &CallLimits) -> Result<Engine, wasmtime::Error> {
    let mut config = settings(limits);
    config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    Engine::new(&config)
}

fn config(limits: &CallLimits, instances: u32) -> Config {
    let mut config = settings(limits);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits, instances)));
    config
}

/// All that compiled code depends on.
fn settings(limits: &CallLimits) -> Config {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .consume_fuel(true)
        .epoch_interruption(true)
        .max_wasm_stack(limits.stack_bytes)
        // The same facts must give the same bytes on every machine.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .shared_memory(false)
        .gc_support(false)
        .wasm_memory64(false)
        // What two components of one plugin say to each other is copied by a module with both their memories.
        .wasm_multi_memory(true)
        // Calls are made from whichever thread decides, and never suspend.
        .concurrency_support(false)
        // A fault names its kind; nobody reads a guest's stack frames, and collecting them costs every trap.
        .wasm_backtrace_max_frames(None)
        .generate_address_map(false)
        .memory_init_cow(true)
        // Bounds are checked in the code and not by page protection: otherwise every instance whose memory grows, which is every one
        // that allocates, costs two calls of `mprotect`, and each of them interrupts all other cores.
        .signals_based_traps(false)
        .memory_guard_size(0);
    config
}

fn pool(limits: &CallLimits, instances: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(CORE_INSTANCES))
        .total_memories(instances.saturating_mul(MEMORIES))
        .total_tables(instances.saturating_mul(TABLES))
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(MEMORIES)
        .max_memories_per_module(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_tables_per_module(TABLES)
        .max_core_instance_size(CORE_INSTANCE_BYTES)
        .max_component_instance_size(CORE_INSTANCE_BYTES)
        .max_memory_size(limits.memory_bytes)
        .table_elements(limits.table_elements)
        .max_unused_warm_slots(instances)
        // Resetting a slot by wiping the pages that were touched beats returning them and faulting them in again.
        .linear_memory_keep_resident(MEMORY_KEPT)
        .table_keep_resident(TABLE_KEPT)
        .pagemap_scan(Enabled::Auto);
    pool
}

/// Moves the epoch until nobody holds the engine any more, be it by the host or by a plugin that outlived it.
fn tick(engine: &Engine) -> Result<(), HostError> {
    let engine = engine.weak();
    std::thread::Builder::new()
        .name("plugin-clock".to_owned())
        .spawn(move || {
            loop {
                std::thread::sleep(TICK);
                match engine.upgrade() {
                    Some(engine) => engine.increment_epoch(),
                    None => break,
                }
            }
        })
        .map(drop)
        .map_err(HostError::Clock)
}

/// How many epochs from now a deadline lies. One more than it has ticks, because the current one is partly over.
pub(crate) fn ticks(deadline_ms: u64) -> u64 {
    // TICK is a few milliseconds, so the narrowing never happens.
    let tick = u64::try_from(TICK.as_millis()).unwrap_or(u64::MAX);
    deadline_ms.div_ceil(tick).saturating_add(1)
}

/// Names everything compiled code depends on: wasmtime's version, its settings, the processor's features.
pub(crate) fn fingerprint(engine: &Engine) -> String {
    let mut hasher = Sha(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hex::encode(&hasher.0.finalize()[..16])
}

/// A hasher whose answer is the same in every process, and long enough to be a name.
struct Sha(Sha256);

impl Hasher for Sha {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        digest.iter().take(8).fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_never_early() {
        assert_eq!(ticks(0), 1);
        assert_eq!(ticks(1), 2);
        assert_eq!(ticks(500), 101);
        assert_eq!(ticks(u64::MAX), u64::MAX.div_ceil(5) + 1);
    }

    #[test]
    fn the_fingerprint_follows_the_settings() {
        let of = |stack_bytes| {
            let limits = CallLimits { stack_bytes, ..CallLimits::default() };
            fingerprint(&new(&limits, 1).expect("engine"))
        };
        assert_eq!(of(512 * 1024), of(512 * 1024));
        assert_eq!(of(512 * 1024).len(), 32);
        let mut plain = Config::new();
        plain.consume_fuel(false);
        assert_ne!(fingerprint(&Engine::new(&plain).expect("engine")), of(512 * 1024));
    }

    #[test]
    fn what_only_compiles_makes_code_for_what_runs() {
        let limits = CallLimits::default();
        let compiling = compiling(&limits).expect("engine");
        assert_eq!(fingerprint(&compiling), fingerprint(&new(&limits, 1).expect("engine")));
    }

    #[test]
    fn the_clock_moves_and_does_not_hold_the_engine() {
        let engine = new(&CallLimits::default(), 1).expect("engine");
        let weak = engine.weak();
        drop(engine);
        // The thread may be holding it for the length of one increment.
        let gone = (0..400).any(|_| {
            std::thread::sleep(TICK);
            weak.upgrade().is_none()
        });
        assert!(gone, "the clock keeps the engine alive");
    }
}
