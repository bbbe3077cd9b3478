//! Sorting more records than memory holds.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::merged::{Merged, Run};
use super::records::{RecordWriter, spill};
use crate::error::{CorpusError, Result};

/// Bytes of records in memory before they go to disk.
const BUFFER: usize = 32 << 20;

/// Takes records in any order.
pub struct Sorter<const N: usize> {
    buffer: Vec<[u64; N]>,
    most: usize,
    runs: Vec<File>,
    directory: PathBuf,
}

impl<const N: usize> Sorter<N> {
    /// Records that do not fit in memory go to files without a name in `directory`.
    pub fn new(directory: &Path) -> Self {
        Self::with_buffer(directory, BUFFER / (8 * N))
    }

    fn with_buffer(directory: &Path, most: usize) -> Self {
        let (buffer, runs, directory) = (Vec::new(), Vec::new(), directory.to_owned());
        Self {
            buffer,
            most,
            runs,
            directory,
        }
    }

    /// Takes a record.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn push(&mut self, record: [u64; N]) -> Result<()> {
        if self.buffer.len() >= self.most {
            self.buffer.sort_unstable();
            let sorted = self.buffer.drain(..).map(Ok);
            self.runs.push(spill(&self.directory, sorted)?);
        }
        self.buffer.push(record);
        Ok(())
    }

    /// All records in order.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn finish(mut self) -> Result<Merged<N>> {
        self.buffer.sort_unstable();
        let mut runs: Vec<Run<N>> = self.runs.into_iter().map(Run::file).collect();
        runs.push(Run::Memory(self.buffer.into_iter()));
        Merged::new(runs, &self.directory)
    }

    /// All records in order, each once, in a file.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(self, path: &Path) -> Result<()> {
        let mut out = RecordWriter::new(path)?;
        let mut last = None;
        for record in self.finish()? {
            let record = record.map_err(CorpusError::io(path))?;
            if last != Some(record) {
                out.push(&record)?;
            }
            last = Some(record);
        }
        out.finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::merged::merge_files;
    use super::super::records::RecordReader;
    use super::*;

    proptest! {
        #[test]
        fn records_come_sorted(records in prop::collection::vec(any::<[u64; 2]>(), 0..300), most in 1usize..70) {
            let directory = tempfile::tempdir().unwrap();
            let mut sorter = Sorter::with_buffer(directory.path(), most);
            for record in &records {
                sorter.push(*record).unwrap();
            }
            let mut expected = records;
            expected.sort_unstable();
            let found: Vec<[u64; 2]> = sorter.finish().unwrap().map(Result::unwrap).collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn many_files_are_merged() {
        let directory = tempfile::tempdir().unwrap();
        let paths = (0..600u64).map(|n| {
            let path = directory.path().join(format!("{n}"));
            let mut sorter = Sorter::new(directory.path());
            for k in [n % 7, n, n % 7] {
                sorter.push([k]).unwrap();
            }
            sorter.write(&path).unwrap();
            path
        });
        let paths: Vec<PathBuf> = paths.collect();
        let merged = merge_files::<1>(directory.path(), &paths).unwrap();
        let found: Vec<u64> = merged.map(|record| record.unwrap()[0]).collect();
        assert!(found.is_sorted());
        // A number that is there twice in one file was written once.
        assert_eq!(found.len(), 600 * 2 - 7);
        assert_eq!(RecordReader::<1>::all(&paths[9]).unwrap(), [[2], [9]]);
    }
}
