//! The files of one model, opened: metadata, and tensors by their names in the file.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::Path;

use super::dequant::{dequantise, grid};
use super::header::{self, Described};
use super::metadata::{Meta, Metadata};
use super::split::Split;
use crate::blueprint::Grid;
use crate::error::{ModelError, Result};
use crate::mapped::Bytes;

/// A model's files, memory-mapped. A tensor's content is read when it is asked for.
pub(crate) struct Gguf {
    parts: Vec<Part>,
    /// Those of the first part, which has all that there are.
    metadata: Metadata,
    tensors: BTreeMap<String, Entry>,
}

struct Part {
    /// The file's name.
    name: String,
    bytes: Bytes,
}

struct Entry {
    part: usize,
    described: Described,
}

/// A tensor as it is stored.
pub(crate) struct Stored<'a> {
    /// ggml's name of its type.
    pub(crate) kind: &'static str,
    /// Rows first.
    pub(crate) shape: &'a [usize],
    /// Its blocks.
    pub(crate) bytes: &'a [u8],
}

impl fmt::Debug for Gguf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gguf")
            .field("files", &self.parts.len())
            .field("tensors", &self.tensors.len())
            .finish()
    }
}

impl Gguf {
    /// Opens a file, and the other parts of its model.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let name = file_name(path);
        let bytes = Bytes::map(path)?;
        let header = header::read(&name, &bytes)?;
        let meta = Meta {
            file: &name,
            bytes: &bytes,
            metadata: &header.metadata,
        };
        let Some(split) = Split::of(meta)? else {
            return Self::whole(name, bytes, header);
        };
        let mut model = Self::empty();
        for (number, path) in split.paths(path)?.iter().enumerate() {
            model.add_part(path, number, split)?;
        }
        match split.tensors {
            Some(count) if count != model.tensors.len() => Err(ModelError::Gguf {
                file: name,
                reason: format!(
                    "the model is said to have {count} tensors, and its {} files hold {}: are \
                     they all of the same model?",
                    split.count,
                    model.tensors.len()
                ),
            }),
            _ => Ok(model),
        }
    }

    /// Reads the bytes of a file that is a whole model; `name` is how errors call it.
    pub(crate) fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Self> {
        let bytes = Bytes::owned(bytes);
        let header = header::read(name, &bytes)?;
        let meta = Meta {
            file: name,
            bytes: &bytes,
            metadata: &header.metadata,
        };
        if let Some(split) = Split::of(meta)? {
            return Err(ModelError::Gguf {
                file: name.into(),
                reason: format!("it is one of {} parts; open it by its path", split.count),
            });
        }
        Self::whole(name.into(), bytes, header)
    }

    fn empty() -> Self {
        Self {
            parts: Vec::new(),
            metadata: Metadata::default(),
            tensors: BTreeMap::new(),
        }
    }

    fn whole(name: String, bytes: Bytes, header: header::Header) -> Result<Self> {
        let mut model = Self::empty();
        model.add(name, bytes, header)?;
        Ok(model)
    }

    fn add_part(&mut self, path: &Path, number: usize, split: Split) -> Result<()> {
        let name = file_name(path);
        let bytes = Bytes::map(path)?;
        let header = header::read(&name, &bytes)?;
        let meta = Meta {
            file: &name,
            bytes: &bytes,
            metadata: &header.metadata,
        };
        let found = Split::of(meta)?;
        if found.is_none_or(|found| (found.number, found.count) != (number, split.count)) {
            return Err(ModelError::Gguf {
                file: name,
                reason: format!(
                    "it does not say that it is part {} of {}: it is of another model",
                    number + 1,
                    split.count
                ),
            });
        }
        self.add(name, bytes, header)
    }

    fn add(&mut self, name: String, bytes: Bytes, header: header::Header) -> Result<()> {
        let part = self.parts.len();
        for described in header.tensors {
            let tensor = described.name.clone();
            let entry = Entry { part, described };
            if self.tensors.insert(tensor.clone(), entry).is_some() {
                return Err(ModelError::Gguf {
                    file: name,
                    reason: format!("the tensor {tensor} stands there twice"),
                });
            }
        }
        if part == 0 {
            self.metadata = header.metadata;
        }
        self.parts.push(Part { name, bytes });
        Ok(())
    }

    /// The metadata, which are those of the first file.
    pub(super) fn meta(&self) -> Meta<'_> {
        let (file, bytes) = match self.parts.first() {
            Some(part) => (part.name.as_str(), &*part.bytes),
            None => ("", &[][..]),
        };
        Meta {
            file,
            bytes,
            metadata: &self.metadata,
        }
    }

    /// The first file's name.
    pub(crate) fn file(&self) -> &str {
        self.meta().file
    }

    /// What the model says that it is called.
    pub(crate) fn name(&self) -> Result<Option<&str>> {
        self.meta().text("general.name")
    }

    /// ggml's name of the model's family.
    pub(crate) fn architecture(&self) -> Result<&str> {
        const KEY: &str = "general.architecture";
        let meta = self.meta();
        meta.text(KEY)?.ok_or_else(|| meta.missing(KEY))
    }

    /// Whether it has a template for chats.
    pub(crate) fn has_chat_template(&self) -> bool {
        self.meta().has("tokenizer.chat_template")
    }

    /// The names of all tensors, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Whether there is a tensor of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// The shape of a tensor, rows first.
    pub(super) fn shape(&self, name: &str) -> Option<&[usize]> {
        Some(&self.tensors.get(name)?.described.shape)
    }

    fn entry(&self, name: &str) -> Result<&Entry> {
        self.tensors.get(name).ok_or_else(|| {
            let file = match self.parts.as_slice() {
                [_, _, ..] => format!("{} and its other parts", self.file()),
                _ => self.file().into(),
            };
            ModelError::MissingTensor {
                tensor: name.into(),
                file,
            }
        })
    }

    /// A tensor as it is stored.
    pub(crate) fn stored(&self, name: &str) -> Result<Stored<'_>> {
        let Entry { part, described } = self.entry(name)?;
        Ok(Stored {
            kind: described.kind.name(),
            shape: &described.shape,
            bytes: &self.parts[*part].bytes[described.range.clone()],
        })
    }

    /// Checks that a tensor has a shape.
    pub(super) fn expect(&self, name: &str, shape: &[usize]) -> Result<()> {
        let Entry { part, described } = self.entry(name)?;
        if described.shape == shape {
            return Ok(());
        }
        Err(ModelError::Shape {
            tensor: name.into(),
            file: self.parts[*part].name.clone(),
            expected: shape.to_vec(),
            found: described.shape.clone(),
        })
    }

    /// Some rows of a tensor in f32: a vector's rows are its elements, a tensor of more than two
    /// dimensions is a matrix of all its rows. They must be rows that it has.
    pub(super) fn rows(&self, name: &str, rows: Range<usize>) -> Result<Vec<f32>> {
        let Entry { part, described } = self.entry(name)?;
        let part = &self.parts[*part];
        let bytes = &part.bytes[described.range.clone()];
        let is_vector = described.shape.len() == 1;
        let width = described.shape.last().copied().unwrap_or(1);
        let kind = described.kind;
        let mut values = Vec::new();
        let first = if is_vector {
            dequantise(kind, bytes, &mut values);
            values.truncate(rows.end);
            values.drain(..rows.start);
            rows.start
        } else {
            // A row is whole blocks, and the whole tensor lies in memory.
            let size = width / kind.block() * kind.bytes();
            values.reserve_exact(rows.len() * width);
            dequantise(
                kind,
                &bytes[rows.start * size..rows.end * size],
                &mut values,
            );
            rows.start * width
        };
        match values.iter().position(|v| !v.is_finite()) {
            None => Ok(values),
            Some(at) => Err(ModelError::NonFinite {
                tensor: name.into(),
                file: part.name.clone(),
                element: first + at,
            }),
        }
    }
}

impl Gguf {
    /// The grid of some rows of a matrix; `None` if it is not stored in blocks, or is no matrix.
    pub(super) fn grid(&self, name: &str, rows: Range<usize>) -> Result<Option<Grid>> {
        let Entry { part, described } = self.entry(name)?;
        let (kind, width) = match *described.shape.as_slice() {
            [_, width] if described.kind.block() > 1 => (described.kind, width),
            _ => return Ok(None),
        };
        let part = &self.parts[*part];
        let bytes = &part.bytes[described.range.clone()];
        let size = width / kind.block() * kind.bytes();
        let grid = grid(kind, &bytes[rows.start * size..rows.end * size]);
        let Some(grid) = grid else {
            return Ok(None);
        };
        let mut all = grid.steps.iter().chain(&grid.offsets);
        match all.all(|value| value.is_finite()) {
            true => Ok(Some(grid)),
            false => Err(ModelError::NonFinite {
                tensor: name.into(),
                file: part.name.clone(),
                element: rows.start * width,
            }),
        }
    }
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}
