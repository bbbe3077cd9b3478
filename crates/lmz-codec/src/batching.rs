//! Segments that are worked on together.

use crate::model::Model;

/// Segments for each thread of the CPU: as many as its lanes take.
const SEGMENTS_PER_THREAD: usize = 16;
/// Raw bytes, for the CPU: bounds memory.
const BYTES: u64 = 8 << 20;
/// Of the default plan, in bytes.
const LONGEST_SEGMENT: u64 = 256 << 10;

/// When a batch of segments is full.
#[derive(Clone, Copy, Debug)]
pub struct Batching {
    segments: usize,
    bytes: u64,
}

impl Batching {
    /// So many that all lanes of `model`'s device, or of `threads` threads, are busy.
    pub fn new(model: Option<&Model>, threads: usize) -> Self {
        let lanes = model.map_or(0, Model::lanes);
        Self {
            segments: lanes.max(SEGMENTS_PER_THREAD * threads),
            bytes: BYTES.max(lanes as u64 * LONGEST_SEGMENT),
        }
    }

    /// Of groups, whose threads do not share lanes: so many that each of `threads` threads has one.
    #[cfg(feature = "encode")]
    pub fn groups(threads: usize) -> Self {
        Self {
            segments: threads.max(1),
            bytes: BYTES,
        }
    }

    /// For work that keeps much of each byte: no more bytes than the CPU's.
    #[cfg(feature = "encode")]
    pub fn bounded(self) -> Self {
        Self {
            bytes: BYTES / 2,
            ..self
        }
    }

    /// No more bytes than are `wanted`.
    pub fn up_to(self, wanted: u64) -> Self {
        Self {
            bytes: self.bytes.min(wanted),
            ..self
        }
    }
}

/// Segments, or what becomes of them, with the sum of their raw lengths.
#[derive(Debug)]
pub struct Batch<T> {
    pub items: Vec<T>,
    bytes: u64,
}

impl<T> Default for Batch<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            bytes: 0,
        }
    }
}

impl<T> Batch<T> {
    /// Adds a segment of `raw_len` bytes.
    pub fn push(&mut self, raw_len: u64, item: T) {
        self.items.push(item);
        self.bytes += raw_len;
    }

    /// The sum of the raw lengths.
    #[cfg(feature = "encode")]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether it is to be worked on before more comes.
    pub fn is_full(&self, batching: Batching) -> bool {
        self.items.len() >= batching.segments || self.bytes >= batching.bytes
    }
}
