//! Text that is not this program's own: names of files, models and devices. What would steer a terminal, or hide, is shown
//! instead of passed on.

use std::io::{self, Write};

use lmz::figures::{visible, visible_json};
use serde::Serialize;

/// Writes text for people. It is given whole characters, as by `write!`.
pub struct Visible<W>(pub W);

impl<W: Write> Write for Visible<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        self.0.write_all(visible(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Prints text for people on standard output.
pub fn print(text: &str) -> io::Result<()> {
    put(&visible(text))
}

/// Prints JSON on standard output.
pub fn print_json(value: &impl Serialize) -> io::Result<()> {
    print_json_text(&serde_json::to_string_pretty(value)?)
}

/// As [`print_json`], of what is JSON already.
pub fn print_json_text(json: &str) -> io::Result<()> {
    put(&format!("{}\n", visible_json(json)))
}

fn put(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
