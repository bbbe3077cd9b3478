//! The corpus, and the manifest beside it.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::counts::Counts;
use super::super::document::Item;
use super::super::store::Atomic;
use crate::error::{CorpusError, Result};
use crate::read::CorpusHash;

/// zstd's own default.
const LEVEL: i32 = 3;

/// All that a corpus was made of and by. It has no dates and no absolute paths: the same inputs and settings give the same.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this crate.
    pub lmz: String,
    /// The kind of source.
    pub source: String,
    /// Every setting.
    pub settings: Value,
    /// What was read, in order.
    pub inputs: Vec<ManifestInput>,
    /// What became of everything.
    pub counts: Counts,
    /// What was written.
    pub output: ManifestOutput,
}

/// An input as a manifest has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ManifestInput {
    /// The end of its path.
    pub name: String,
    /// Its size in bytes; of a folder 0.
    pub bytes: u64,
    /// BLAKE3 of what was read of it.
    pub hash: String,
    /// Documents that were made of it.
    pub documents: u64,
}

/// A corpus as its manifest has it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ManifestOutput {
    /// The file's name.
    pub file: String,
    /// Documents in it.
    pub documents: u64,
    /// Bytes of their texts.
    pub bytes: u64,
    /// Unicode code points of their texts.
    pub characters: u64,
    /// The hash that `lmz bpc` reports for the corpus: [`crate::read_corpus`].
    pub hash: String,
}

/// Where the manifest of a corpus is: `web.jsonl` has `web.manifest.json`.
pub(super) fn manifest_path(out: &Path) -> PathBuf {
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    let stem = [".zst", ".gz", ".jsonl"]
        .iter()
        .fold(&*name, |name, end| name.strip_suffix(end).unwrap_or(name));
    let mut name = OsString::from(stem);
    name.push(".manifest.json");
    out.with_file_name(name)
}

/// A corpus on its way: JSON lines, packed if the file's name ends in `.zst` or `.gz`.
pub struct Output {
    out: Packing,
    path: PathBuf,
    hash: CorpusHash,
    facts: ManifestOutput,
}

enum Packing {
    Plain(Atomic),
    Zstd(zstd::stream::write::Encoder<'static, Atomic>),
    Gzip(flate2::write::GzEncoder<Atomic>),
}

impl Output {
    /// Begins a file.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn new(path: &Path) -> Result<Self> {
        Self::of(path, Atomic::new(path)?)
    }

    /// Begins a file that is in `directory` until it is whole.
    ///
    /// # Errors
    /// Those of the file system.
    pub(super) fn within(directory: &Path, path: &Path) -> Result<Self> {
        Self::of(path, Atomic::within(directory, path)?)
    }

    fn of(path: &Path, file: Atomic) -> Result<Self> {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let out = match name.rsplit_once('.').map(|(_, end)| end) {
            Some("zst") => {
                let encoder = zstd::stream::write::Encoder::new(file, LEVEL);
                Packing::Zstd(encoder.map_err(CorpusError::io(path))?)
            }
            // The header of gzip has no time: the same bytes each time.
            Some("gz") => Packing::Gzip(flate2::write::GzEncoder::new(
                file,
                flate2::Compression::default(),
            )),
            _ => Packing::Plain(file),
        };
        let facts = ManifestOutput {
            file: name,
            ..ManifestOutput::default()
        };
        Ok(Self {
            out,
            path: path.to_owned(),
            hash: CorpusHash::default(),
            facts,
        })
    }

    /// Writes a document.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn push(&mut self, item: &Item) -> Result<()> {
        let mut line =
            serde_json::to_vec(item).map_err(|error| CorpusError::io(&self.path)(error.into()))?;
        line.push(b'\n');
        self.put(&line).map_err(CorpusError::io(&self.path))?;
        self.count(&item.content);
        Ok(())
    }

    /// Writes a line as it is, whose document's text is `text`.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn kept(&mut self, text: &str, line: &[u8]) -> Result<()> {
        self.put(line.trim_ascii_end())
            .and_then(|()| self.put(b"\n"))
            .map_err(CorpusError::io(&self.path))?;
        self.count(text);
        Ok(())
    }

    /// Writes lines as they are; they are not counted.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn lines(&mut self, lines: &[u8]) -> Result<()> {
        self.put(lines).map_err(CorpusError::io(&self.path))
    }

    fn count(&mut self, text: &str) {
        self.hash.add(text);
        self.facts.documents += 1;
        self.facts.bytes += text.len() as u64;
        self.facts.characters += text.chars().count() as u64;
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.out {
            Packing::Plain(out) => out.write_all(bytes),
            Packing::Zstd(out) => out.write_all(bytes),
            Packing::Gzip(out) => out.write_all(bytes),
        }
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn finish(self) -> Result<ManifestOutput> {
        let Self {
            out,
            path,
            hash,
            mut facts,
        } = self;
        let file = match out {
            Packing::Plain(file) => Ok(file),
            Packing::Zstd(out) => out.finish(),
            Packing::Gzip(out) => out.finish(),
        };
        file.map_err(CorpusError::io(&path))?.finish()?;
        facts.hash = hash.finish();
        Ok(facts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_lie_beside_their_corpora() {
        for (out, manifest) in [
            ("a/web.jsonl", "a/web.manifest.json"),
            ("web.jsonl.zst", "web.manifest.json"),
            ("web", "web.manifest.json"),
        ] {
            assert_eq!(manifest_path(Path::new(out)), Path::new(manifest));
        }
    }

    #[test]
    fn a_corpus_reads_as_it_was_written() {
        let root = tempfile::tempdir().unwrap();
        for name in ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"] {
            let path = root.path().join(name);
            let mut output = Output::new(&path).unwrap();
            for content in ["one", "zwei\nä"] {
                output
                    .push(&Item {
                        content: content.into(),
                        ..Item::default()
                    })
                    .unwrap();
            }
            let facts = output.finish().unwrap();
            let census = crate::read_corpus(&path, &crate::CorpusOptions::default(), &mut |_| {
                Ok::<(), CorpusError>(())
            });
            let census = census.unwrap();
            assert_eq!(
                (facts.hash, facts.documents, facts.bytes, facts.characters),
                (census.hash, 2, 10, 9)
            );
        }
    }
}
