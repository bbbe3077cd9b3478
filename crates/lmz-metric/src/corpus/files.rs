//! Which files a corpus consists of, and how they are opened.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use crate::error::{MetricError, Result};

/// Deepest directory that is looked into, the corpus itself being 0.
const MAX_DEPTH: usize = 16;
/// Most files of a directory; more are a mistake (a whole disk), not a corpus.
const MAX_FILES: usize = 1 << 20;
/// Largest window of a zstd frame, as a power of two: what `zstd --long` writes.
const ZSTD_WINDOW_LOG: u32 = 27;

/// How documents lie in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One to a line, as JSON.
    Lines,
    /// The file is one.
    Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    None,
    Zstd,
    Gzip,
}

/// A file of a corpus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    pub path: PathBuf,
    pub form: Form,
    packing: Packing,
}

impl SourceFile {
    /// What the name says; a form of none for a name that is neither `.jsonl` nor `.txt`.
    fn of(path: &Path) -> (Option<Form>, Packing) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.to_ascii_lowercase();
        let (stem, packing) = if let Some(stem) = name.strip_suffix(".zst") {
            (stem, Packing::Zstd)
        } else if let Some(stem) = name.strip_suffix(".gz") {
            (stem, Packing::Gzip)
        } else {
            (name.as_str(), Packing::None)
        };
        let form = if stem.ends_with(".jsonl") {
            Some(Form::Lines)
        } else if stem.ends_with(".txt") {
            Some(Form::Text)
        } else {
            None
        };
        (form, packing)
    }

    /// The file's bytes, unpacked.
    pub fn open(&self) -> Result<Box<dyn BufRead>> {
        let io = MetricError::io(&self.path);
        let file = File::open(&self.path).map_err(&io)?;
        Ok(match self.packing {
            Packing::None => Box::new(BufReader::with_capacity(1 << 16, file)),
            Packing::Gzip => Box::new(BufReader::new(flate2::read::MultiGzDecoder::new(file))),
            Packing::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::new(file).map_err(&io)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(&io)?;
                Box::new(BufReader::with_capacity(1 << 16, decoder))
            }
        })
    }
}

/// The files of a corpus, in order.
pub fn list(path: &Path) -> Result<Vec<SourceFile>> {
    if !fs::metadata(path).map_err(MetricError::io(path))?.is_dir() {
        let (form, packing) = SourceFile::of(path);
        return Ok(vec![SourceFile {
            path: path.to_owned(),
            form: form.unwrap_or(Form::Text),
            packing,
        }]);
    }
    let mut found = Vec::new();
    walk(path, 0, &mut found)?;
    if found.is_empty() {
        return Err(MetricError::NotACorpus {
            path: path.to_owned(),
            reason: "no .jsonl or .txt file (also .zst or .gz) in this directory".into(),
        });
    }
    // Component by component, so that the order is the same with any separator.
    found.sort_by(|a, b| a.path.components().cmp(b.path.components()));
    Ok(found)
}

fn walk(directory: &Path, depth: usize, found: &mut Vec<SourceFile>) -> Result<()> {
    let io = MetricError::io(directory);
    for entry in fs::read_dir(directory).map_err(&io)? {
        let entry = entry.map_err(&io)?;
        let path = entry.path();
        let kind = entry.file_type().map_err(&io)?;
        // A link to a directory may lead in circles.
        if kind.is_dir() && depth < MAX_DEPTH {
            walk(&path, depth + 1, found)?;
            continue;
        }
        let (Some(form), packing) = SourceFile::of(&path) else {
            continue;
        };
        let is_file = kind.is_file() || (kind.is_symlink() && path.is_file());
        if is_file {
            found.push(SourceFile {
                path,
                form,
                packing,
            });
        }
        if found.len() > MAX_FILES {
            return Err(MetricError::NotACorpus {
                path: directory.to_owned(),
                reason: format!("more than {MAX_FILES} files"),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_is_inside() {
        for (name, form, packing) in [
            ("a.jsonl", Some(Form::Lines), Packing::None),
            ("A.JSONL.ZST", Some(Form::Lines), Packing::Zstd),
            ("a.jsonl.gz", Some(Form::Lines), Packing::Gzip),
            ("a.txt", Some(Form::Text), Packing::None),
            ("a.txt.gz", Some(Form::Text), Packing::Gzip),
            ("a.log", None, Packing::None),
            ("jsonl", None, Packing::None),
        ] {
            assert_eq!(SourceFile::of(Path::new(name)), (form, packing), "{name}");
        }
    }

    #[test]
    fn a_directory_is_taken_in_the_order_of_its_paths() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("a")).unwrap();
        for name in ["a/z.txt", "a.txt", "b.jsonl", "a/b.jsonl.gz", "readme.md"] {
            fs::write(root.path().join(name), "").unwrap();
        }
        let files = list(root.path()).unwrap();
        let names: Vec<_> = files
            .iter()
            .map(|file| file.path.strip_prefix(root.path()).unwrap())
            .collect();
        let expected = ["a/b.jsonl.gz", "a/z.txt", "a.txt", "b.jsonl"];
        assert_eq!(names, expected.map(Path::new));
    }

    #[test]
    fn a_directory_without_documents_is_no_corpus() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("readme.md"), "text").unwrap();
        assert!(matches!(
            list(root.path()),
            Err(MetricError::NotACorpus { .. })
        ));
    }
}
