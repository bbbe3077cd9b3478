//! Models in several files: `NAME-00001-of-00003.gguf` and its siblings.

use std::path::{Path, PathBuf};

use super::metadata::Meta;
use crate::error::{ModelError, Result};

const NUMBER: &str = "split.no";
const COUNT: &str = "split.count";
const TENSORS: &str = "split.tensors.count";
const MAX_PARTS: usize = 4096;

/// Which part of a model a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Split {
    /// From 0.
    pub(super) number: usize,
    /// At least 2.
    pub(super) count: usize,
    /// Of all parts together, where a part says it.
    pub(super) tensors: Option<usize>,
}

impl Split {
    /// What a file's metadata say; `None` if it is a whole model.
    pub(super) fn of(meta: Meta<'_>) -> Result<Option<Self>> {
        let count = meta.uint(COUNT)?.unwrap_or(1);
        let number = meta.uint(NUMBER)?.unwrap_or(0);
        if count > MAX_PARTS {
            return Err(meta.invalid(COUNT, format!("is {count}, more than {MAX_PARTS} parts")));
        }
        if number >= count.max(1) {
            return Err(meta.invalid(NUMBER, format!("is {number}, of {count} parts")));
        }
        let tensors = meta.uint(TENSORS)?;
        Ok((count > 1).then_some(Self {
            number,
            count,
            tensors,
        }))
    }

    /// The paths of all parts, of which `path` is one.
    pub(super) fn paths(self, path: &Path) -> Result<Vec<PathBuf>> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let Some(stem) = name.strip_suffix(&self.suffix(self.number)) else {
            return Err(ModelError::Gguf {
                file: name.clone().into_owned(),
                reason: format!(
                    "it is part {} of a model in {} files and is not called so: name each as \
                     NAME{}",
                    self.number + 1,
                    self.count,
                    self.suffix(self.number)
                ),
            });
        };
        let part = |number| path.with_file_name(format!("{stem}{}", self.suffix(number)));
        (0..self.count)
            .map(|number| {
                let part = part(number);
                if part.is_file() {
                    return Ok(part);
                }
                Err(ModelError::MissingPart {
                    path: part,
                    number: number + 1,
                    count: self.count,
                })
            })
            .collect()
    }

    fn suffix(self, number: usize) -> String {
        format!("-{:05}-of-{:05}.gguf", number + 1, self.count)
    }
}
