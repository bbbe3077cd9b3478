//! What a model of the hub is called.

use std::fmt;

use crate::error::{HubError, Result};

/// The revision that is meant where none is named.
const MAIN: &str = "main";
/// Longest name of an owner or a model.
const MAX_LEN: usize = 96;
/// Longest revision, and longest path of a file.
const MAX_PATH: usize = 512;

/// `ORG/NAME[@REVISION][:FILE.gguf]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubName {
    org: String,
    name: String,
    revision: Option<String>,
    file: Option<String>,
}

impl HubName {
    /// Reads a name; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (head, file) = match text.split_once(':') {
            Some((head, file)) => (head, Some(file)),
            None => (text, None),
        };
        let (repo, revision) = match head.split_once('@') {
            Some((repo, revision)) => (repo, Some(revision)),
            None => (head, None),
        };
        let (org, name) = repo.split_once('/')?;
        // `models/x.lmzm` and `models/x.gguf` are paths of files that are not there.
        let is_file = [".lmzm", ".gguf", ".git"]
            .iter()
            .any(|end| name.ends_with(end));
        if !is_part(org) || !is_part(name) || is_file {
            return None;
        }
        let revision_fits = revision.is_none_or(is_path);
        let file_fits = file.is_none_or(|file| is_path(file) && file.ends_with(".gguf"));
        (revision_fits && file_fits).then(|| Self {
            org: org.to_owned(),
            name: name.to_owned(),
            revision: revision.map(str::to_owned),
            file: file.map(str::to_owned),
        })
    }

    /// As [`HubName::parse`], for a text that can be nothing else.
    ///
    /// # Errors
    /// It is none.
    pub fn read(text: &str) -> Result<Self> {
        Self::parse(text).ok_or_else(|| HubError::Name {
            asked: text.to_owned(),
        })
    }

    /// `ORG/NAME`
    pub fn repo(&self) -> String {
        format!("{}/{}", self.org, self.name)
    }

    /// The revision: a branch, a tag or a commit.
    pub fn revision(&self) -> &str {
        self.revision.as_deref().unwrap_or(MAIN)
    }

    /// Whether a revision was named.
    pub fn names_revision(&self) -> bool {
        self.revision.is_some()
    }

    /// The GGUF file, if one was named.
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// The same with a file.
    pub(crate) fn with_file(&self, file: &str) -> Self {
        Self {
            file: Some(file.to_owned()),
            ..self.clone()
        }
    }

    /// Its folder in the cache.
    pub(crate) fn folder(&self) -> String {
        format!("models--{}--{}", self.org, self.name)
    }
}

impl fmt::Display for HubName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.org, self.name)?;
        if let Some(revision) = &self.revision {
            write!(f, "@{revision}")?;
        }
        if let Some(file) = &self.file {
            write!(f, ":{file}")?;
        }
        Ok(())
    }
}

/// As the hub has them: letters, digits, `-`, `_`, `.`, and neither of the last two pairs that mean something in paths.
fn is_part(part: &str) -> bool {
    let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    part.len() <= MAX_LEN
        && part.bytes().all(fine)
        && edge(part.as_bytes().first())
        && !part.ends_with(['.', '-'])
        && !part.contains("--")
        && !part.contains("..")
}

/// Whether a text is a path below where one is, on every system.
pub(crate) fn is_path(path: &str) -> bool {
    let fine = |part: &str| {
        !matches!(part, "" | "." | "..")
            && !part.chars().any(|c| {
                c.is_control() || matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
            })
            && !part.ends_with(['.', ' '])
    };
    path.len() <= MAX_PATH && path.split('/').all(fine)
}

/// Whether a text is the name of a commit.
pub(crate) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_up_to_four_parts() {
        let name = HubName::parse("Qwen/Qwen2.5-0.5B").unwrap();
        assert_eq!(
            (name.repo().as_str(), name.revision(), name.file()),
            ("Qwen/Qwen2.5-0.5B", "main", None)
        );
        assert_eq!(name.folder(), "models--Qwen--Qwen2.5-0.5B");
        let text = "a/b@refs/pr/1:q4/x.gguf";
        let name = HubName::parse(text).unwrap();
        assert_eq!(
            (name.revision(), name.file()),
            ("refs/pr/1", Some("q4/x.gguf"))
        );
        assert_eq!(name.to_string(), text);
    }

    #[test]
    fn paths_are_no_names() {
        for text in [
            "",
            "a",
            "a/b/c",
            "./a",
            "../a",
            "a/..",
            "a/.b",
            "/a",
            "a/",
            "a/b.lmzm",
            "a/b.gguf",
            "a/b--c",
            "a/b.",
            "a b/c",
            "a/b@",
            "a/b@../x",
            "a/b@x/../../y",
            "a/b:",
            "a/b:x.txt",
            "a/b:../x.gguf",
            "a/b:/x.gguf",
            "a/b:x\\y.gguf",
            "a/b@x\n",
            r"C:\a\b",
            &format!("a/{}", "b".repeat(97)),
        ] {
            assert_eq!(HubName::parse(text), None, "{text:?}");
        }
    }
}
