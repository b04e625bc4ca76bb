//! Standard output and standard error of a command. Whoever reads may hang up (`perkgate member … | head`): then the rest is not shown,
//! and what the command does is done to its end.
//!
//! In this program `println!` and `eprintln!` are these: the standard library's panic when nobody reads. Control characters of what
//! is shown are written out, since it may be something that a stranger sent.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};
use std::sync::{Mutex, PoisonError};

/// Why standard output was not written, if it was for another reason than that nobody reads it.
static FAILED: Mutex<Option<io::Error>> = Mutex::new(None);

/// A line on standard output.
macro_rules! println {
    ($($text:tt)*) => { $crate::screen::out(format_args!($($text)*)) };
}

/// A line on standard error.
macro_rules! eprintln {
    ($($text:tt)*) => { $crate::screen::err(format_args!($($text)*)) };
}

/// See `println!`.
pub(crate) fn out(text: Arguments<'_>) {
    if let Err(error) = line(&mut io::stdout().lock(), text) {
        FAILED.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
}

/// See `eprintln!`. What cannot be said here can be said nowhere.
pub(crate) fn err(text: Arguments<'_>) {
    let _ = line(&mut io::stderr().lock(), text);
}

/// Whether everything was shown to whoever still reads.
///
/// # Errors
/// Why not: the disk that it is written to is full, say.
pub(crate) fn finish() -> io::Result<()> {
    let flushed = heard(io::stdout().lock().flush());
    match FAILED.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(error) => Err(error),
        None => flushed,
    }
}

fn line(to: &mut dyn Write, text: Arguments<'_>) -> io::Result<()> {
    let mut shown = visible(&text.to_string());
    shown.push('\n');
    heard(to.write_all(shown.as_bytes()))
}

/// Nobody there is no failure.
fn heard(written: io::Result<()>) -> io::Result<()> {
    written.or_else(|error| if error.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}

/// Control characters as a terminal does not act on them; only lines end and tabs jump.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        if character.is_control() && !matches!(character, '\n' | '\t') {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes a few bytes and then fails.
    struct Full(ErrorKind);

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn who_hangs_up_is_no_failure_and_a_full_disk_is_one() {
        assert!(line(&mut Full(ErrorKind::BrokenPipe), format_args!("a")).is_ok());
        assert!(line(&mut Full(ErrorKind::StorageFull), format_args!("a")).is_err());
    }

    #[test]
    fn a_terminal_does_not_act_on_what_is_shown() {
        let mut shown = Vec::new();
        line(&mut shown, format_args!("a\tb\nKavárna \u{1b}[31m{}\r\u{9b}", '\u{7}')).unwrap();
        assert_eq!(String::from_utf8(shown).unwrap(), "a\tb\nKavárna \\u{1b}[31m\\u{7}\\r\\u{9b}\n");
    }
}
