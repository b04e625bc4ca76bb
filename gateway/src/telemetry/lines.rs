//! Lines for people: what somebody else wrote is shown as it is, and cannot begin a line of its own or steer a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};
use tracing_subscriber::fmt::MakeWriter;

/// The text with everything escaped that moves a cursor, ends a line or turns the direction of writing around.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_invisible) { Cow::Owned(escape(text, is_invisible)) } else { Cow::Borrowed(text) }
}

fn is_invisible(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// As JSON escapes it, so that a line of JSON stays JSON.
fn escape(text: &str, which: impl Fn(char) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        match char {
            '\n' if which(char) => escaped.push_str("\\n"),
            '\r' if which(char) => escaped.push_str("\\r"),
            '\t' if which(char) => escaped.push_str("\\t"),
            _ if which(char) => {
                let _ = write!(escaped, "\\u{:04x}", u32::from(char));
            }
            _ => escaped.push(char),
        }
    }
    escaped
}

/// Standard error, line by line: each event is written at once, and only its own end ends a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lines {
    /// Colours are written by the formatter, which escapes ESC in what it is given.
    pub(super) colours: bool,
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<io::Stderr>;
    fn make_writer(&'a self) -> Self::Writer {
        Line { to: io::stderr(), colours: self.colours }
    }
}

/// Where one event is written.
#[derive(Debug)]
pub(super) struct Line<W> {
    to: W,
    colours: bool,
}

impl<W: Write> Write for Line<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let (line, end) = text.strip_suffix('\n').map_or((text.as_ref(), ""), |line| (line, "\n"));
        let colours = self.colours;
        let line = escape(line, |char| is_invisible(char) && !(colours && char == '\x1b'));
        self.to.write_all(format!("{line}{end}").as_bytes())?;
        Ok(event.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_escaped() {
        assert!(matches!(visible("Káva — 3 €"), Cow::Borrowed("Káva — 3 €")));
        assert_eq!(visible("a\nb\r\tc\x1b[2Jd\u{9b}e\u{7f}"), "a\\nb\\r\\tc\\u001b[2Jd\\u009be\\u007f");
        assert_eq!(visible("a\u{2028}b\u{202e}c\u{2066}d\u{200f}"), "a\\u2028b\\u202ec\\u2066d\\u200f");
    }

    fn written(colours: bool, event: &str) -> String {
        let mut line = Line { to: Vec::new(), colours };
        line.write_all(event.as_bytes()).unwrap();
        String::from_utf8(line.to).unwrap()
    }

    #[test]
    fn an_event_is_one_line() {
        let forged = "WARN id=a\n2026-01-01 INFO all is well\u{2028}\x1b[1A\n";
        assert_eq!(written(false, forged), "WARN id=a\\n2026-01-01 INFO all is well\\u2028\\u001b[1A\n");
        assert_eq!(written(true, "\x1b[31mWARN\x1b[0m a\nb\n"), "\x1b[31mWARN\x1b[0m a\\nb\n");
        let json = written(false, "{\"id\":\"a\u{202e}\u{85}\"}\n");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["id"], "a\u{202e}\u{85}");
    }
}
