//! Sorted records of several places as one sequence.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::vec;

use super::atomic::open;
use super::records::{RecordReader, spill};
use crate::error::{CorpusError, Result};

/// Files that are open at once while many are merged.
const FAN_IN: usize = 256;

/// Sorted records from one place.
pub(super) enum Run<const N: usize> {
    Memory(vec::IntoIter<[u64; N]>),
    File(RecordReader<N>),
}

impl<const N: usize> Run<N> {
    pub(super) fn file(file: File) -> Self {
        Self::File(RecordReader::of(file))
    }

    fn next(&mut self) -> io::Result<Option<[u64; N]>> {
        match self {
            Self::Memory(records) => Ok(records.next()),
            Self::File(reader) => reader.next_record(),
        }
    }
}

/// Records of several sorted runs in order.
pub struct Merged<const N: usize> {
    runs: Vec<Run<N>>,
    heads: BinaryHeap<Reverse<([u64; N], usize)>>,
}

impl<const N: usize> Merged<N> {
    pub(super) fn new(mut runs: Vec<Run<N>>, directory: &Path) -> Result<Self> {
        let mut heads = BinaryHeap::new();
        for (number, run) in runs.iter_mut().enumerate() {
            if let Some(record) = run.next().map_err(CorpusError::io(directory))? {
                heads.push(Reverse((record, number)));
            }
        }
        Ok(Self { runs, heads })
    }
}

impl<const N: usize> Iterator for Merged<N> {
    type Item = io::Result<[u64; N]>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut head = self.heads.peek_mut()?;
        let Reverse((record, number)) = *head;
        match self.runs[number].next() {
            Ok(Some(next)) => *head = Reverse((next, number)),
            Ok(None) => _ = std::collections::binary_heap::PeekMut::pop(head),
            Err(error) => return Some(Err(error)),
        }
        Some(Ok(record))
    }
}

/// The records of many sorted files in order. More than a few hundred are merged by way of files without a name in
/// `directory`.
///
/// # Errors
/// Those of the file system.
pub fn merge_files<const N: usize>(directory: &Path, paths: &[PathBuf]) -> Result<Merged<N>> {
    if paths.len() <= FAN_IN {
        let runs = paths.iter().map(|path| Ok(Run::file(open(path)?)));
        return Merged::new(runs.collect::<Result<_>>()?, directory);
    }
    let mut files = Vec::new();
    for group in paths.chunks(FAN_IN) {
        files.push(spill(directory, merge_files::<N>(directory, group)?)?);
    }
    // A dump has 90,000 files: two levels, and a few hundred files open at the second.
    Merged::new(files.into_iter().map(Run::file).collect(), directory)
}
