//! A buffered reader that knows its offset and shows what has arrived.

use std::io::{self, Read};

const BUFFER_LEN: usize = 64 << 10;

/// Buffers `inner`. Memory grows with what has arrived, never with what a length claims.
#[derive(Debug)]
pub(crate) struct Input<R> {
    inner: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
}

impl<R: Read> Input<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self {
            inner,
            buffer: vec![0; BUFFER_LEN],
            start: 0,
            end: 0,
            offset: 0,
        }
    }

    /// Offset of the first byte that has not been consumed.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes that have arrived and have not been consumed.
    pub(crate) fn buffered(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Waits for more bytes; 0 means the end of the input (or a full buffer).
    pub(crate) fn fill(&mut self) -> io::Result<usize> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        loop {
            match self.inner.read(&mut self.buffer[self.end..]) {
                Ok(n) => {
                    self.end += n;
                    return Ok(n);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// Drops the first `n` buffered bytes.
    pub(crate) fn consume(&mut self, n: usize) {
        let n = n.min(self.end - self.start);
        self.start += n;
        self.offset += n as u64;
    }

    /// Reads `len` bytes, fewer only at the end of the input.
    pub(crate) fn read_vec(&mut self, len: usize) -> io::Result<Vec<u8>> {
        let buffered = len.min(self.end - self.start);
        let mut out = Vec::with_capacity(len.min(BUFFER_LEN));
        out.extend_from_slice(&self.buffered()[..buffered]);
        self.consume(buffered);
        let missing = (len - buffered) as u64;
        if missing > 0 {
            let read = self.inner.by_ref().take(missing).read_to_end(&mut out)?;
            self.offset += read as u64;
        }
        Ok(out)
    }

    /// Gives the reader underneath back, without what is buffered.
    pub(crate) fn into_inner(self) -> R {
        self.inner
    }
}
