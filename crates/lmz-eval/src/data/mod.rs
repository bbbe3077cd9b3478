//! Benchmarks' files: found, read, and made documents of.

mod bundled;
mod find;
mod read;

use std::path::{Path, PathBuf};

use crate::error::{EvalError, Result};
use crate::task::{Source, Task};
use crate::template::{Document, Templates};

/// Where files of benchmarks are.
#[derive(Clone, Debug, Default)]
pub struct DataDirectory(Option<PathBuf>);

/// The documents of one split of a benchmark.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Split {
    /// The documents, with the fields that the task gives them.
    pub documents: Vec<Document>,
    /// Where they are from, for a message.
    pub origin: String,
    /// BLAKE3 of the files' contents, in hexadecimal digits.
    pub hash: String,
    /// What of the benchmark it is, if it is not all.
    pub part: Option<String>,
}

impl DataDirectory {
    /// Files of this directory, and those that are part of the program.
    pub fn new(directory: Option<&Path>) -> Self {
        Self(directory.map(Path::to_owned))
    }

    /// The documents of a task's split: of the first of its sources that is there. None if the task has no such
    /// split.
    ///
    /// # Errors
    /// None of its files is there; one cannot be read, or is not what the task says.
    pub fn split(&self, task: &Task, templates: &Templates, split: &str) -> Result<Option<Split>> {
        let mut looked_for = Vec::new();
        let mut any = false;
        for source in task.source.iter().filter(|source| source.split == split) {
            any = true;
            match find::files(self.0.as_deref(), source)? {
                find::Found::Files(files) => return documents(source, files, templates).map(Some),
                find::Found::Nothing(place) => looked_for.extend(place),
            }
        }
        if !any {
            return Ok(None);
        }
        Err(EvalError::Missing {
            task: task.name.clone(),
            files: looked_for,
            public: match &self.0 {
                Some(_) => task.public.clone(),
                None => format!("name a directory by --data; {}", task.public),
            },
        })
    }
}

fn documents(source: &Source, files: Vec<find::File>, templates: &Templates) -> Result<Split> {
    let mut split = Split {
        part: source.part.clone(),
        ..Split::default()
    };
    let mut hash = blake3::Hasher::new();
    let mut origins: Vec<String> = Vec::new();
    for file in files {
        hash.update(&(file.bytes.len() as u64).to_le_bytes());
        hash.update(&file.bytes);
        let records = read::records(source, &file)?;
        for (number, mut document) in records.into_iter().enumerate() {
            let wrong = |reason| EvalError::Data {
                file: file.name.clone(),
                record: number as u64 + 1,
                reason,
            };
            if let Some(subject) = &file.subject {
                document.insert("subject".into(), subject.as_str().into());
            }
            templates
                .extend(&mut document, &source.fields)
                .map_err(wrong)?;
            if let Some(condition) = &source.keep {
                let keep = templates
                    .value("source.keep", condition, &document)
                    .map_err(wrong)?;
                if keep != serde_json::Value::Bool(true) {
                    continue;
                }
            }
            split.documents.push(document);
        }
        if origins.last() != Some(&file.origin) {
            origins.push(file.origin);
        }
    }
    split.hash = hash.finalize().to_hex().to_string();
    split.origin = match &origins[..] {
        [] => String::new(),
        [one] => one.clone(),
        [first, ..] => format!("{first} and {} more", origins.len() - 1),
    };
    Ok(split)
}
