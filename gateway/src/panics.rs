//! Turns a panic into an error that says where it came from. A mistake met while working on one entry must stop that entry alone.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// What panicked, and where.
#[derive(Debug, thiserror::Error)]
#[error("a mistake in Perkgate (panic at {place}: {message}); please report it")]
pub struct Panicked {
    place: String,
    message: String,
}

/// Runs `work`. What it shares with the outside may be half changed if it panics: the caller throws that away.
///
/// # Errors
/// [`Panicked`] if it panics.
pub fn guard<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    remember_places();
    let outer = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(outer);
    result.map_err(|payload| Panicked {
        // A panic that came over from another thread has left its place there, with a log line.
        place: PLACE.take().unwrap_or_else(|| "an unknown place".to_owned()),
        message: message(payload.as_ref()),
    })
}

/// Where a panic is guarded, its place is kept for the error; elsewhere it is logged.
fn remember_places() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let place = info.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
            if GUARDED.get() {
                PLACE.set(Some(place));
            } else {
                tracing::error!("panic at {place}: {}", message(info.payload()));
                usual(info);
            }
        }));
    });
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_place() {
        let error = guard(|| [1, 2].iter().position(|number| *number == 3).expect("there is none")).unwrap_err();
        let said = error.to_string();
        assert!(said.contains("panics.rs:") && said.contains("there is none"), "{said}");
        assert_eq!(guard(|| 7).unwrap(), 7);
    }

    #[test]
    fn a_guard_within_a_guard_leaves_the_outer_one_on() {
        let error = guard(|| {
            assert!(guard(|| panic!("inner")).is_err());
            panic!("outer")
        });
        assert!(error.is_err_and(|error: Panicked| error.to_string().contains("outer")));
    }
}
