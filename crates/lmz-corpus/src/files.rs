//! Which files a corpus consists of, and how they are opened.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use crate::error::{CorpusError, Result};
use crate::lines::{Documents, Line};

/// Deepest directory that is looked into, the corpus itself being 0.
const MAX_DEPTH: usize = 16;
/// Most files of a directory; more are a mistake (a whole disk), not a corpus.
const MAX_FILES: usize = 1 << 20;
/// Largest window of a zstd frame, as a power of two: more than `zstd --long` writes.
const ZSTD_WINDOW_LOG: u32 = 28;
/// Bytes at a file's start, unpacked, by which text is told from other content.
const SNIFFED: u64 = 1 << 16;

/// How documents lie in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One JSON object to a line, its text in a field.
    Lines,
    /// The whole file is one document.
    Text,
}

/// Which files of a directory belong to a corpus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Those whose names end in `.jsonl` or `.txt`, before `.zst` or `.gz`.
    Named,
    /// All that hold text. Empty files do not count.
    AnyText,
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
    /// The file itself, not a directory.
    pub path: PathBuf,
    /// How its documents lie in it: as its name says, unless a caller knows better.
    pub form: Form,
    packing: Packing,
}

impl SourceFile {
    /// What the name says of form and packing; the form is `None` for a name that is neither `.jsonl` nor `.txt`.
    fn named(path: &Path) -> (Option<Form>, Packing) {
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

    /// The file at a path.
    #[cfg(feature = "build")]
    pub(crate) fn at(path: &Path) -> Self {
        Self::of(path.to_owned())
    }

    fn of(path: PathBuf) -> Self {
        let (form, packing) = Self::named(&path);
        Self {
            path,
            form: form.unwrap_or(Form::Text),
            packing,
        }
    }

    /// Whether it is compressed.
    pub fn is_packed(&self) -> bool {
        self.packing != Packing::None
    }

    /// Its name without the extensions: `web.jsonl.zst` is `web`.
    pub fn stem(&self) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let stem = name.split('.').find(|part| !part.is_empty());
        stem.unwrap_or("text").to_owned()
    }

    /// The file's bytes, unpacked.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(&self) -> Result<Box<dyn BufRead>> {
        let io = CorpusError::io(&self.path);
        let file = File::open(&self.path).map_err(&io)?;
        Ok(match self.packing {
            Packing::None => Box::new(BufReader::with_capacity(1 << 18, file)),
            Packing::Gzip => Box::new(BufReader::new(flate2::read::MultiGzDecoder::new(file))),
            Packing::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::new(file).map_err(&io)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(&io)?;
                Box::new(BufReader::with_capacity(1 << 16, decoder))
            }
        })
    }

    /// The file's lines, whose texts are in `field`, or else in `content` or `text`.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn documents<'a>(&self, field: Option<&'a str>) -> Result<Documents<'a>> {
        Ok(Documents::new(self.open()?, field))
    }

    /// Whether the first line that is not blank is a document.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn starts_with_document(&self) -> Result<bool> {
        let first = self.documents(None)?.next().transpose();
        let first = first.map_err(CorpusError::io(&self.path))?;
        Ok(matches!(first, Some(Line::Document(_))))
    }

    /// What its first bytes look like.
    fn sniff(&self) -> Result<Sniffed> {
        let mut start = Vec::new();
        let read = self.open()?.take(SNIFFED).read_to_end(&mut start);
        read.map_err(CorpusError::io(&self.path))?;
        // Text has no zero bytes and is UTF-8 for the most part.
        let wrong: usize = start.utf8_chunks().map(|chunk| chunk.invalid().len()).sum();
        Ok(if start.is_empty() {
            Sniffed::Empty
        } else if start.contains(&0) || wrong * 10 > start.len() + 40 {
            Sniffed::Binary
        } else {
            Sniffed::Text
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sniffed {
    Empty,
    Text,
    Binary,
}

/// The files of a corpus, in order: `path` itself, or what is selected below it.
///
/// # Errors
/// `path` is not there or cannot be read; a directory without such files; with
/// [`Selection::AnyText`] a file that is empty or no text.
pub fn files(path: &Path, selection: Selection) -> Result<Vec<SourceFile>> {
    let any = selection == Selection::AnyText;
    if !fs::metadata(path).map_err(CorpusError::io(path))?.is_dir() {
        let file = SourceFile::of(path.to_owned());
        let sniffed = if any { file.sniff()? } else { Sniffed::Text };
        return match sniffed {
            Sniffed::Text => Ok(vec![file]),
            Sniffed::Empty => Err(CorpusError::not_a_corpus(path, "there is no text in it")),
            Sniffed::Binary => Err(CorpusError::not_a_corpus(path, "it is not text")),
        };
    }
    let mut found = Vec::new();
    walk(path, 0, selection, &mut found)?;
    if found.is_empty() {
        let reason = match selection {
            Selection::Named => "no .jsonl or .txt file (also .zst or .gz) in this directory",
            Selection::AnyText => "there is no text in it",
        };
        return Err(CorpusError::not_a_corpus(path, reason));
    }
    // Component by component, so that the order is the same with any separator.
    found.sort_by(|a, b| a.path.components().cmp(b.path.components()));
    Ok(found)
}

fn walk(
    directory: &Path,
    depth: usize,
    selection: Selection,
    found: &mut Vec<SourceFile>,
) -> Result<()> {
    let io = CorpusError::io(directory);
    for entry in fs::read_dir(directory).map_err(&io)? {
        let entry = entry.map_err(&io)?;
        // What is hidden is a program's own: .git, .DS_Store.
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let path = entry.path();
        let kind = entry.file_type().map_err(&io)?;
        // A link to a directory may lead in circles.
        if kind.is_dir() && depth < MAX_DEPTH {
            walk(&path, depth + 1, selection, found)?;
            continue;
        }
        // `path.is_file` looks behind a link.
        if kind.is_dir() || !path.is_file() {
            continue;
        }
        let named = SourceFile::named(&path).0.is_some();
        let file = SourceFile::of(path);
        let selected = match selection {
            Selection::Named => named,
            Selection::AnyText => file.sniff()? == Sniffed::Text,
        };
        if selected {
            found.push(file);
        }
        if found.len() > MAX_FILES {
            let reason = format!("more than {MAX_FILES} files");
            return Err(CorpusError::not_a_corpus(directory, reason));
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
            assert_eq!(
                SourceFile::named(Path::new(name)),
                (form, packing),
                "{name}"
            );
        }
        for (name, stem) in [("web.jsonl.zst", "web"), ("a", "a"), (".x.y", "x")] {
            assert_eq!(SourceFile::of(name.into()).stem(), stem);
        }
    }

    fn names(root: &Path, selection: Selection) -> Vec<PathBuf> {
        let files = files(root, selection).unwrap().into_iter();
        files
            .map(|file| file.path.strip_prefix(root).unwrap().to_owned())
            .collect()
    }

    #[test]
    fn a_directory_is_taken_in_the_order_of_its_paths() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir(at("a")).unwrap();
        fs::create_dir(at(".git")).unwrap();
        for name in [
            "a/z.txt",
            "a.txt",
            "b.jsonl",
            "readme.md",
            ".x.txt",
            ".git/c.txt",
        ] {
            fs::write(at(name), "text").unwrap();
        }
        fs::write(at("empty.txt"), "").unwrap();
        fs::write(at("picture"), b"\x89PNG\0\0").unwrap();
        let named = ["a/z.txt", "a.txt", "b.jsonl", "empty.txt"];
        assert_eq!(
            names(root.path(), Selection::Named),
            named.map(PathBuf::from)
        );
        let texts = ["a/z.txt", "a.txt", "b.jsonl", "readme.md"];
        assert_eq!(
            names(root.path(), Selection::AnyText),
            texts.map(PathBuf::from)
        );
    }

    #[cfg(unix)]
    #[test]
    fn links_to_files_are_followed_and_those_to_directories_are_not() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir(at("a")).unwrap();
        fs::write(at("a/b.txt"), "text").unwrap();
        std::os::unix::fs::symlink("b.txt", at("a/link.txt")).unwrap();
        std::os::unix::fs::symlink("a", at("circle")).unwrap();
        std::os::unix::fs::symlink("nowhere.txt", at("a/dangling.txt")).unwrap();
        for selection in [Selection::Named, Selection::AnyText] {
            let expected = ["a/b.txt", "a/link.txt"].map(PathBuf::from);
            assert_eq!(names(root.path(), selection), expected);
        }
    }

    #[test]
    fn what_is_no_corpus_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        let refuse = |name: &str, selection| files(&at(name), selection).unwrap_err().to_string();
        fs::create_dir(at("hollow")).unwrap();
        fs::write(at("hollow/readme.md"), b"\0").unwrap();
        assert!(refuse("hollow", Selection::Named).contains("no .jsonl or .txt file"));
        assert!(refuse("hollow", Selection::AnyText).contains("no text"));
        assert!(refuse("hollow/readme.md", Selection::AnyText).contains("not text"));
        assert!(refuse("nowhere", Selection::Named).contains("nowhere"));
        fs::write(at("empty"), "").unwrap();
        assert!(refuse("empty", Selection::AnyText).contains("no text"));
    }
}
