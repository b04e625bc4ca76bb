//! What a call has used so far, and the only thing it can reach: its log.

use crate::bindings::perkgate::plugin::log::Level;
use perkgate_domain::decision::{LogLevel, LogLine};
use perkgate_domain::limits::CallLimits;
use wasmtime::component::{Linker, WasmStr};
use wasmtime::{Result, StoreContextMut};

/// The host's side of one store.
pub(crate) struct State {
    pub(crate) limits: CallLimits,
    pub(crate) log: Vec<LogLine>,
    memory: Meter,
    table: Meter,
}

impl State {
    pub(crate) fn new(limits: CallLimits) -> Self {
        let memory = Meter::new(limits.memory_bytes);
        let table = Meter::new(limits.table_elements);
        Self { limits, log: Vec::new(), memory, table }
    }

    /// The most linear memory held, bytes.
    pub(crate) fn memory_peak(&self) -> u64 {
        self.memory.now.peak as u64
    }

    /// Whether more memory or table was asked for than there may be.
    pub(crate) fn denied(&self) -> bool {
        self.memory.denied || self.table.denied
    }
}

/// Counts what all memories, or all tables, of one store hold together.
struct Meter {
    most: usize,
    now: Held,
    /// As it was before the latest growth, which may still fail.
    before: Held,
    denied: bool,
}

#[derive(Clone, Copy, Default)]
struct Held {
    amount: usize,
    peak: usize,
}

impl Meter {
    fn new(most: usize) -> Self {
        Self { most, now: Held::default(), before: Held::default(), denied: false }
    }

    fn grow(&mut self, current: usize, desired: usize) -> bool {
        let amount = self.now.amount.saturating_sub(current).saturating_add(desired);
        if amount > self.most {
            self.denied = true;
            return false;
        }
        self.before = self.now;
        self.now = Held { amount, peak: self.now.peak.max(amount) };
        true
    }

    /// A growth that was granted did not happen: the plugin's own maximum forbids it.
    fn undo(&mut self) {
        self.now = self.before;
    }
}

impl wasmtime::ResourceLimiter for State {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        Ok(self.memory.grow(current, desired))
    }
    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> Result<()> {
        self.memory.undo();
        Ok(())
    }
    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        Ok(self.table.grow(current, desired))
    }
    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> Result<()> {
        self.table.undo();
        Ok(())
    }
}

/// More was logged than may be. Ends the call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LogExceeded {
    /// Too often.
    #[error("it logged more than {0} lines")]
    Lines(usize),
    /// Too much at once.
    #[error("it logged a line of more than {0} bytes")]
    Line(usize),
}

/// Provides `log`, all there is to import.
pub(crate) fn link(linker: &mut Linker<State>) -> Result<()> {
    // Not by the generated trait: that would copy the text before its length can be judged.
    linker.instance("perkgate:plugin/log@1.0.0")?.func_wrap("write", write)
}

fn write(mut store: StoreContextMut<'_, State>, (level, text): (Level, WasmStr)) -> Result<()> {
    let CallLimits { log_lines, log_line_bytes, .. } = store.data().limits;
    if store.data().log.len() >= log_lines {
        return Err(LogExceeded::Lines(log_lines).into());
    }
    let text = text.to_str(&store)?;
    if text.len() > log_line_bytes {
        return Err(LogExceeded::Line(log_line_bytes).into());
    }
    let text = text.into_owned();
    let level = match level {
        Level::Debug => LogLevel::Debug,
        Level::Info => LogLevel::Info,
        Level::Warn => LogLevel::Warn,
    };
    // The answer may have what the log left over.
    let left = store.hostcall_fuel().saturating_sub(text.len());
    store.set_hostcall_fuel(left);
    store.data_mut().log.push(LogLine { level, text });
    Ok(())
}
