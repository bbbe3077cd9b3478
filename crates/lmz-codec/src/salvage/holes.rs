//! Zero bytes in the place of lost ones: holes where there can be some.

use std::io::{self, Read, Write};

/// The most zero bytes that are put into the place of lost ones where they cannot be left as holes (1 GiB): a file
/// of a kilobyte may say that it lost a hundred gigabytes.
pub const MAX_WRITTEN_ZEROS: u64 = 1 << 30;

/// Where restored bytes go, if it can leave holes that read as zero bytes.
pub trait Holes: Write {
    /// Goes on `len` zero bytes later.
    ///
    /// # Errors
    /// Those of writing.
    fn hole(&mut self, len: u64) -> io::Result<()>;
}

/// Writes the zero bytes of holes, up to [`MAX_WRITTEN_ZEROS`].
pub struct Written<W> {
    output: W,
    zeros: u64,
}

impl<W> Written<W> {
    pub fn new(output: W) -> Self {
        Self { output, zeros: 0 }
    }
}

impl<W: Write> Write for Written<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

impl<W: Write> Holes for Written<W> {
    fn hole(&mut self, len: u64) -> io::Result<()> {
        self.zeros = self.zeros.saturating_add(len);
        write_zeros(&mut self.output, len, self.zeros)
    }
}

/// Writes `len` zero bytes, if they are not too many together with others, `sum` in all.
///
/// # Errors
/// There would be more than [`MAX_WRITTEN_ZEROS`]; those of writing.
pub fn write_zeros(mut output: impl Write, len: u64, sum: u64) -> io::Result<()> {
    if sum > MAX_WRITTEN_ZEROS {
        return Err(io::Error::other(TooManyZeros(sum)));
    }
    let zeros = io::repeat(0).take(len);
    io::copy(
        &mut io::BufReader::with_capacity(1 << 16, zeros),
        &mut output,
    )?;
    Ok(())
}

/// More zero bytes than are written into a pipe.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0} bytes or more are lost: so many zero bytes are not written into a pipe or a device (restore to a file, \
     where they are a hole, or leave them out: --fill skip)"
)]
struct TooManyZeros(u64);
