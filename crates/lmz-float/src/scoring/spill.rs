//! Hidden states that wait for the next layer: in memory as far as a budget goes, then in a
//! temporary file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor, TensorData};

use crate::error::{FloatError, Result};

/// The states of several batches.
pub(crate) struct Store {
    slots: Vec<Slot>,
    memory_left: u64,
    disk_left: u64,
    directory: PathBuf,
    file: Option<File>,
    end: u64,
}

enum Slot {
    Memory(Option<TensorData>),
    /// In the file from this byte on.
    Disk {
        offset: u64,
        shape: [usize; 3],
    },
}

impl Store {
    /// A store of at most so many bytes in memory and on disk.
    pub fn new(memory: u64, disk: u64, directory: Option<&Path>) -> Self {
        Self {
            slots: Vec::new(),
            memory_left: memory,
            disk_left: disk,
            directory: directory.map_or_else(std::env::temp_dir, Path::to_path_buf),
            file: None,
            end: 0,
        }
    }

    /// Whether a batch of so many bytes still fits.
    pub fn fits(&self, bytes: u64) -> bool {
        bytes <= self.memory_left.max(self.disk_left)
    }

    /// How many batches it holds.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Adds a batch of states, in f32.
    pub fn push<B: Backend>(&mut self, states: Tensor<B, 3>) -> Result<()> {
        let shape = states.dims();
        let bytes = shape.iter().product::<usize>() as u64 * 4;
        // A pass has at least one batch, and without a disk it stays in memory: the plan has
        // counted it as the batch at work.
        let alone = self.slots.is_empty() && bytes > self.disk_left;
        if bytes <= self.memory_left || alone {
            self.memory_left = self.memory_left.saturating_sub(bytes);
            self.slots.push(Slot::Memory(None));
        } else {
            self.disk_left = self.disk_left.saturating_sub(bytes);
            self.slots.push(Slot::Disk {
                offset: self.end,
                shape,
            });
            self.end += bytes;
        }
        self.put(self.slots.len() - 1, states)
    }

    /// Puts a batch's states back.
    pub fn put<B: Backend>(&mut self, index: usize, states: Tensor<B, 3>) -> Result<()> {
        let data = states.cast(DType::F32).into_data();
        match &mut self.slots[index] {
            Slot::Memory(slot) => {
                *slot = Some(data);
                Ok(())
            }
            &mut Slot::Disk { offset, .. } => self.write(offset, &data.bytes),
        }
    }

    /// Takes a batch's states out, as `dtype`.
    pub fn take<B: Backend>(
        &mut self,
        index: usize,
        device: &B::Device,
        dtype: DType,
    ) -> Result<Tensor<B, 3>> {
        let data = match &mut self.slots[index] {
            Slot::Memory(slot) => slot
                .take()
                .ok_or_else(|| self.failed(io::Error::other("a batch was taken twice")))?,
            &mut Slot::Disk { offset, shape } => {
                let mut bytes = vec![0; shape.iter().product::<usize>() * 4];
                self.read(offset, &mut bytes)?;
                let values: Vec<f32> = bytes
                    .chunks_exact(4)
                    .map(|b| f32::from_ne_bytes([b[0], b[1], b[2], b[3]]))
                    .collect();
                TensorData::new(values, shape)
            }
        };
        Ok(Tensor::from_data(data, (device, dtype)))
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<()> {
        let file = match &mut self.file {
            Some(file) => Ok(file),
            none => tempfile::tempfile_in(&self.directory).map(|file| none.insert(file)),
        };
        file.and_then(|file| {
            file.seek(SeekFrom::Start(offset))?;
            file.write_all(bytes)
        })
        .map_err(|e| self.failed(e))
    }

    fn read(&mut self, offset: u64, bytes: &mut [u8]) -> Result<()> {
        match &mut self.file {
            Some(file) => file
                .seek(SeekFrom::Start(offset))
                .and_then(|_| file.read_exact(bytes)),
            None => Err(io::Error::other("nothing was written")),
        }
        .map_err(|e| self.failed(e))
    }

    fn failed(&self, source: io::Error) -> FloatError {
        FloatError::Spill {
            directory: self.directory.display().to_string(),
            source,
        }
    }
}

#[cfg(all(test, feature = "cpu"))]
mod tests {
    use burn_flex::Flex;

    use super::*;

    fn states(value: f32) -> Tensor<Flex, 3> {
        Tensor::full([1, 2, 5], value, &Default::default())
    }

    #[test]
    fn what_goes_in_comes_out_of_memory_and_disk() {
        // One batch takes 40 bytes: one fits into memory, two onto the disk.
        let mut store = Store::new(50, 90, None);
        for i in 0..3 {
            assert!(store.fits(40));
            store.push(states(i as f32)).expect("it fits");
        }
        assert!(!store.fits(40));
        assert!(matches!(store.slots[0], Slot::Memory(_)));
        assert!(matches!(store.slots[1], Slot::Disk { .. }));
        for round in 0..2 {
            for i in 0..3 {
                let expected = (i + 10 * round) as f32;
                let taken = store
                    .take::<Flex>(i, &Default::default(), DType::F32)
                    .expect("it is there");
                assert_eq!(taken.dims(), [1, 2, 5]);
                let sum: f32 = taken.clone().sum().into_scalar();
                assert_eq!(sum, 10.0 * expected);
                store.put(i, taken + 10.0).expect("it fits");
            }
        }
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error() {
        let missing = Path::new("/nonexistent/lmz");
        let mut store = Store::new(0, 1000, Some(missing));
        let error = store.push(states(1.0)).expect_err("no such directory");
        assert_eq!(error.kind(), crate::ErrorKind::Io);
    }

    #[test]
    fn without_any_budget_one_batch_stays_in_memory() {
        let mut store = Store::new(0, 0, None);
        store.push(states(1.0)).expect("the first is always taken");
        assert!(matches!(store.slots[0], Slot::Memory(_)));
        assert!(!store.fits(40));
    }
}
