//! Named tensors in memory-mapped safetensors files.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Range;
use std::path::Path;

use half::{bf16, f16};
use safetensors::SafeTensors;
use serde::Deserialize;

use crate::config::without_mark;
use crate::error::{ModelError, Result};
use crate::files::read_bounded;
use crate::mapped::MappedFile;

const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
const MAX_INDEX_BYTES: u64 = 64 << 20;
const MAX_SHARDS: usize = 4096;

/// The number types that weights may have. All widen to f32 without rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    /// IEEE binary32.
    F32,
    /// IEEE binary16.
    F16,
    /// The upper half of an IEEE binary32.
    Bf16,
}

impl Dtype {
    /// Bytes per element.
    pub fn size(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }

    /// The name that safetensors gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
        }
    }
}

/// A tensor's raw content.
#[derive(Clone, Copy, Debug)]
pub struct TensorRef<'a> {
    /// The type of its elements.
    pub dtype: Dtype,
    /// Little-endian elements in row-major order.
    pub bytes: &'a [u8],
}

struct Entry {
    file: usize,
    dtype: safetensors::Dtype,
    shape: Vec<usize>,
    range: Range<usize>,
}

struct Shard {
    name: String,
    map: MappedFile,
}

/// The tensors of a model directory. Opening maps the files and parses their headers; a tensor's
/// content is read when it is asked for.
pub struct Tensors {
    shards: Vec<Shard>,
    entries: HashMap<String, Entry>,
    /// Tensors that the index names and its shard lacks: name -> shard.
    absent: HashMap<String, String>,
}

impl fmt::Debug for Tensors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tensors")
            .field("files", &self.shards.len())
            .field("tensors", &self.entries.len())
            .finish()
    }
}

impl Tensors {
    /// Opens `model.safetensors`, or the files that `model.safetensors.index.json` names, in
    /// `directory`.
    ///
    /// # Errors
    /// Neither file exists; the index is malformed or names a file outside the directory; a file
    /// is missing, truncated or malformed.
    pub fn open(directory: impl AsRef<Path>) -> Result<Self> {
        let directory = directory.as_ref();
        let mut tensors = Self {
            shards: Vec::new(),
            entries: HashMap::new(),
            absent: HashMap::new(),
        };
        if directory.join(SINGLE).exists() {
            tensors.add_file(directory, SINGLE, |_| true)?;
        } else if directory.join(INDEX).exists() {
            tensors.add_index(directory)?;
        } else {
            return Err(ModelError::MissingFile {
                directory: directory.to_owned(),
                file: "model.safetensors or model.safetensors.index.json",
            });
        }
        Ok(tensors)
    }

    fn add_index(&mut self, directory: &Path) -> Result<()> {
        #[derive(Deserialize)]
        struct Index {
            weight_map: BTreeMap<String, String>,
        }
        let text = read_bounded(&directory.join(INDEX), MAX_INDEX_BYTES)?;
        let Index { weight_map } =
            serde_json::from_slice(without_mark(&text)).map_err(|e| ModelError::Json {
                file: INDEX.into(),
                reason: e.to_string(),
            })?;
        let mut files: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (tensor, shard) in &weight_map {
            if !is_plain_name(shard) {
                return Err(ModelError::ShardName {
                    file: INDEX.into(),
                    tensor: tensor.clone(),
                    shard: shard.clone(),
                });
            }
            files.entry(shard).or_default().push(tensor);
        }
        if files.len() > MAX_SHARDS {
            return Err(ModelError::InvalidField {
                file: INDEX.into(),
                field: "weight_map".into(),
                reason: format!("names {} files, at most {MAX_SHARDS} are read", files.len()),
            });
        }
        for (shard, wanted) in files {
            // What a shard holds beyond its part of the index is not of this model.
            self.add_file(directory, shard, |tensor| {
                weight_map.get(tensor).is_some_and(|s| s == shard)
            })?;
            for tensor in wanted {
                if !self.entries.contains_key(tensor) {
                    self.absent.insert(tensor.into(), shard.into());
                }
            }
        }
        Ok(())
    }

    fn add_file(
        &mut self,
        directory: &Path,
        name: &str,
        keep: impl Fn(&str) -> bool,
    ) -> Result<()> {
        let map = MappedFile::open(&directory.join(name))?;
        let malformed = |reason: String| ModelError::Safetensors {
            file: name.into(),
            reason,
        };
        let (header, metadata) =
            SafeTensors::read_metadata(map.bytes()).map_err(|e| malformed(e.to_string()))?;
        let data = header + 8;
        for tensor in metadata.offset_keys() {
            let Some(info) = metadata.info(&tensor).filter(|_| keep(&tensor)) else {
                continue;
            };
            let (start, end) = info.data_offsets;
            // Not left to the parser: its own sum may wrap around.
            let range = match (data.checked_add(start), data.checked_add(end)) {
                (Some(start), Some(end)) if start <= end && end <= map.bytes().len() => start..end,
                _ => return Err(malformed(format!("{tensor} lies outside the file"))),
            };
            self.entries.insert(
                tensor,
                Entry {
                    file: self.shards.len(),
                    dtype: info.dtype,
                    shape: info.shape.clone(),
                    range,
                },
            );
        }
        self.shards.push(Shard {
            name: name.into(),
            map,
        });
        Ok(())
    }

    /// Gives the tensors other names, if that makes `wanted` one of them and it is none yet:
    /// the first of `pairs` (prefix here, prefix there) that fits a name is replaced.
    pub(crate) fn rename(&mut self, wanted: &str, pairs: &[(&str, &str)]) {
        let renamed = |name: &str| {
            let fits =
                |&(old, new): &(&str, &str)| Some(format!("{new}{}", name.strip_prefix(old)?));
            pairs.iter().find_map(fits)
        };
        let mut names = self.entries.keys();
        if self.entries.contains_key(wanted)
            || !names.any(|name| renamed(name).as_deref() == Some(wanted))
        {
            return;
        }
        let changed: Vec<(String, String)> = self
            .entries
            .keys()
            .filter_map(|name| Some((name.clone(), renamed(name)?)))
            .filter(|(_, new)| !self.entries.contains_key(new))
            .collect();
        for (old, new) in changed {
            if let Some(entry) = self.entries.remove(&old) {
                self.entries.insert(new, entry);
            }
        }
        let absent = std::mem::take(&mut self.absent).into_iter();
        self.absent = absent
            .map(|(name, shard)| (renamed(&name).unwrap_or(name), shard))
            .collect();
    }

    /// The names of all tensors present, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.entries.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// The raw content of a tensor.
    ///
    /// # Errors
    /// The tensor is missing, has another shape, or a type that is not in [`Dtype`].
    pub fn get(&self, name: &str, shape: &[usize]) -> Result<TensorRef<'_>> {
        let Some(entry) = self.entries.get(name) else {
            return Err(ModelError::MissingTensor {
                tensor: name.into(),
                file: self.place_of(name),
            });
        };
        let shard = &self.shards[entry.file];
        let dtype = match entry.dtype {
            safetensors::Dtype::F32 => Dtype::F32,
            safetensors::Dtype::F16 => Dtype::F16,
            safetensors::Dtype::BF16 => Dtype::Bf16,
            other => {
                return Err(ModelError::TensorType {
                    tensor: name.into(),
                    file: shard.name.clone(),
                    dtype: format!("{other:?}"),
                });
            }
        };
        if entry.shape != shape {
            return Err(ModelError::Shape {
                tensor: name.into(),
                file: shard.name.clone(),
                expected: shape.to_vec(),
                found: entry.shape.clone(),
            });
        }
        Ok(TensorRef {
            dtype,
            bytes: &shard.map.bytes()[entry.range.clone()],
        })
    }

    /// A whole tensor, widened exactly to f32, in row-major order.
    ///
    /// # Errors
    /// As [`get`](Self::get); also an element that is not finite.
    pub fn f32(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let tensor = self.get(name, shape)?;
        self.widen(name, tensor, 0)
    }

    /// Some rows of a matrix, widened exactly to f32, so that a large one need not be held whole.
    ///
    /// # Errors
    /// As [`f32`](Self::f32); also rows that the matrix does not have.
    pub fn rows_f32(&self, name: &str, shape: [usize; 2], rows: Range<usize>) -> Result<Vec<f32>> {
        let tensor = self.get(name, &shape)?;
        let [height, width] = shape;
        if rows.start > rows.end || rows.end > height {
            return Err(ModelError::Rows {
                tensor: name.into(),
                rows: height,
                start: rows.start,
                end: rows.end,
            });
        }
        // No overflow: the whole tensor lies in memory.
        let first = rows.start * width;
        let size = tensor.dtype.size();
        let bytes = &tensor.bytes[first * size..rows.end * width * size];
        self.widen(name, TensorRef { bytes, ..tensor }, first)
    }

    /// `first` is the index of the first element within its tensor, for the error.
    fn widen(&self, name: &str, tensor: TensorRef<'_>, first: usize) -> Result<Vec<f32>> {
        let pairs = || tensor.bytes.as_chunks::<2>().0.iter();
        let values: Vec<f32> = match tensor.dtype {
            Dtype::F32 => {
                let quads = tensor.bytes.as_chunks::<4>().0.iter();
                quads.map(|b| f32::from_le_bytes(*b)).collect()
            }
            Dtype::F16 => pairs().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
            Dtype::Bf16 => pairs().map(|b| bf16::from_le_bytes(*b).to_f32()).collect(),
        };
        match values.iter().position(|v| !v.is_finite()) {
            None => Ok(values),
            Some(at) => Err(ModelError::NonFinite {
                tensor: name.into(),
                file: self.place_of(name),
                element: first + at,
            }),
        }
    }

    /// The file that holds or should hold a tensor.
    fn place_of(&self, name: &str) -> String {
        match (self.entries.get(name), self.absent.get(name)) {
            (Some(entry), _) => self.shards[entry.file].name.clone(),
            (None, Some(shard)) => shard.clone(),
            (None, None) if self.shards.len() == 1 => self.shards[0].name.clone(),
            (None, None) => INDEX.into(),
        }
    }
}

/// Whether `name` can only mean a file directly inside the directory, on any platform.
fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\', ':', '\0'])
}
