//! Text for people that is not this program's own.

use std::io::{self, Write};

use lmz::figures::visible;

/// Shows what would steer a terminal, or hide, instead of passing it on. It is given whole characters, as by `write!`.
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
