//! Memory-mapped files: the one place of this crate that needs `unsafe`. Without the feature `mmap` they are read.
#![allow(unsafe_code)]

#[cfg(feature = "mmap")]
use std::fs::File;
use std::ops::Deref;
use std::path::Path;

use crate::error::{ModelError, Result};
use crate::files::check_regular;

/// A read-only view of a whole file.
#[derive(Debug)]
pub(crate) struct MappedFile(
    #[cfg(feature = "mmap")] memmap2::Mmap,
    #[cfg(not(feature = "mmap"))] Vec<u8>,
);

impl MappedFile {
    /// Maps the file at `path`.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let io = |source| ModelError::Io {
            path: path.to_owned(),
            source,
        };
        check_regular(path)?;
        #[cfg(feature = "mmap")]
        let bytes = {
            let file = File::open(path).map_err(io)?;
            // SAFETY: the mapping is private to this value, read-only, and only ever viewed as
            // bytes, for which every content is valid. Should another process rewrite the file
            // meanwhile, bytes may change between two reads or, if it is truncated, the access
            // faults: as with every program that maps its weights, model files must not be
            // modified in place while they are in use.
            unsafe { memmap2::Mmap::map(&file) }.map_err(io)?
        };
        #[cfg(not(feature = "mmap"))]
        let bytes = std::fs::read(path).map_err(io)?;
        Ok(Self(bytes))
    }

    /// The file's bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A file's bytes, mapped or in memory.
#[derive(Debug)]
pub(crate) struct Bytes(Place);

#[derive(Debug)]
enum Place {
    Mapped(MappedFile),
    Owned(Vec<u8>),
}

impl Bytes {
    /// Maps the file at `path`.
    pub(crate) fn map(path: &Path) -> Result<Self> {
        MappedFile::open(path).map(|file| Self(Place::Mapped(file)))
    }

    /// Bytes that are not in a file.
    pub(crate) fn owned(bytes: Vec<u8>) -> Self {
        Self(Place::Owned(bytes))
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Place::Mapped(file) => file.bytes(),
            Place::Owned(bytes) => bytes,
        }
    }
}
