//! The only thing a plugin may do besides deciding: say a line about why. The gateway keeps it with the decision.
//!
//! In the gateway a call may log 50 lines of 1,000 bytes; more is a fault. In native tests the lines are collected for each
//! thread, and [`take`] hands them over.

pub use crate::bindings::purchases::perkgate::plugin::log::Level;

/// For the author.
pub fn debug(text: &str) {
    write(Level::Debug, text);
}

/// For the merchant.
pub fn info(text: &str) {
    write(Level::Info, text);
}

/// Something to mend.
pub fn warn(text: &str) {
    write(Level::Warn, text);
}

#[cfg(target_arch = "wasm32")]
fn write(level: Level, text: &str) {
    crate::bindings::purchases::perkgate::plugin::log::write(level, text);
}

#[cfg(not(target_arch = "wasm32"))]
std::thread_local! {
    static LINES: std::cell::RefCell<Vec<(Level, String)>> = const { std::cell::RefCell::new(Vec::new()) };
}

#[cfg(not(target_arch = "wasm32"))]
fn write(level: Level, text: &str) {
    LINES.with_borrow_mut(|lines| lines.push((level, text.to_owned())));
}

/// What this thread has logged since it was last asked. Native tests only.
#[cfg(not(target_arch = "wasm32"))]
#[must_use]
pub fn take() -> Vec<(Level, String)> {
    LINES.take()
}

#[cfg(test)]
mod tests {
    #[test]
    fn lines_are_kept_until_they_are_taken() {
        super::info("nothing earned");
        assert_eq!(super::take(), [(super::Level::Info, "nothing earned".to_owned())]);
        assert_eq!(super::take(), []);
    }
}
