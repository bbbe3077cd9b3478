//! Files of records of N numbers of 64 bits, little-endian.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::atomic::{Atomic, open};
use crate::error::{CorpusError, Result};

fn put<const N: usize>(out: &mut impl Write, record: &[u64; N]) -> io::Result<()> {
    for number in record {
        out.write_all(&number.to_le_bytes())?;
    }
    Ok(())
}

/// Reads records.
pub struct RecordReader<const N: usize> {
    input: BufReader<File>,
}

impl<const N: usize> RecordReader<N> {
    /// Opens a file of records.
    ///
    /// # Errors
    /// It is not there.
    pub fn open(path: &Path) -> Result<Self> {
        open(path).map(Self::of)
    }

    /// The records of an open file.
    pub(super) fn of(file: File) -> Self {
        Self {
            input: BufReader::with_capacity(1 << 16, file),
        }
    }

    /// The next record.
    ///
    /// # Errors
    /// Those of the file, and one that ends within a record.
    pub fn next_record(&mut self) -> io::Result<Option<[u64; N]>> {
        let mut record = [0; N];
        for (at, number) in record.iter_mut().enumerate() {
            let mut bytes = [0; 8];
            let mut filled = 0;
            while filled < 8 {
                match self.input.read(&mut bytes[filled..])? {
                    0 if at == 0 && filled == 0 => return Ok(None),
                    0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                    n => filled += n,
                }
            }
            *number = u64::from_le_bytes(bytes);
        }
        Ok(Some(record))
    }

    /// All records of a file.
    ///
    /// # Errors
    /// As [`RecordReader::open`] and [`RecordReader::next_record`].
    pub fn all(path: &Path) -> Result<Vec<[u64; N]>> {
        let mut reader = Self::open(path)?;
        let mut records = Vec::new();
        while let Some(record) = reader.next_record().map_err(CorpusError::io(path))? {
            records.push(record);
        }
        Ok(records)
    }
}

/// Writes records to a file that is whole or not there.
pub struct RecordWriter<const N: usize> {
    file: Atomic,
    path: PathBuf,
}

impl<const N: usize> RecordWriter<N> {
    /// Begins a file of records.
    ///
    /// # Errors
    /// As [`Atomic::new`].
    pub fn new(path: &Path) -> Result<Self> {
        let file = Atomic::new(path)?;
        Ok(Self {
            file,
            path: path.to_owned(),
        })
    }

    /// Adds a record.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn push(&mut self, record: &[u64; N]) -> Result<()> {
        put(&mut self.file, record).map_err(CorpusError::io(&self.path))
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn finish(self) -> Result<()> {
        self.file.finish()
    }
}

/// Records, to a nameless file in `directory`, rewound.
pub(super) fn spill<const N: usize>(
    directory: &Path,
    records: impl Iterator<Item = io::Result<[u64; N]>>,
) -> Result<File> {
    let io = CorpusError::io(directory);
    let file = tempfile::tempfile_in(directory).map_err(&io)?;
    let mut out = BufWriter::with_capacity(1 << 18, file);
    for record in records {
        put(&mut out, &record.map_err(&io)?).map_err(&io)?;
    }
    let mut file = out.into_inner().map_err(|error| io(error.into_error()))?;
    io::Seek::rewind(&mut file).map_err(&io)?;
    Ok(file)
}
