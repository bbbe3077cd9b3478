//! Bounds: what a hostile file may make a target write and decode.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use lmz_codec::{Observer, Phase};

/// Keeps what is written, up to a limit; then it is a full disk.
pub struct Sink {
    pub bytes: Vec<u8>,
    limit: usize,
}

impl Sink {
    pub fn new(limit: usize) -> Self {
        Self {
            bytes: Vec::new(),
            limit,
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.limit {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Cancels once so many bytes have been decoded.
pub struct Budget(AtomicU64);

impl Budget {
    pub fn new(bytes: u64) -> Self {
        Self(bytes.into())
    }
}

impl Observer for Budget {
    fn advance(&self, _: Phase, bytes: u64) {
        let spend = |left: u64| Some(left.saturating_sub(bytes));
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend);
    }

    fn cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}
