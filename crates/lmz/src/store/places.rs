//! The directories in which models are looked for.

use std::fmt;
use std::path::{Path, PathBuf};
use std::{env, io};

use crate::directories::data_directory;

/// A directory, and why it is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    /// For messages; may be empty.
    why: &'static str,
}

impl Place {
    pub(crate) fn new(path: PathBuf, why: &'static str) -> Self {
        Self { path, why }
    }

    /// Its `.lmzm` files, by name.
    pub(crate) fn files(&self) -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.path)? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "lmzm") && path.is_file() {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if !self.why.is_empty() {
            write!(f, " ({})", self.why)?;
        }
        Ok(())
    }
}

/// The directories of `$LMZ_MODELS`, then the user's data directory; each once.
pub(crate) fn from_env() -> Vec<Place> {
    let listed = env::var_os("LMZ_MODELS").unwrap_or_default();
    let listed = env::split_paths(&listed).filter(|path| path != Path::new(""));
    let mut places: Vec<Place> = Vec::new();
    let listed = listed.map(|path| Place::new(path, "$LMZ_MODELS"));
    let user =
        data_directory().map(|path| Place::new(path.join("models"), "the user's data directory"));
    for place in listed.chain(user) {
        if places.iter().all(|p| p.path != place.path) {
            places.push(place);
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_prepared_models_are_files_of_a_place() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["b.lmzm", "a.lmzm", "c.txt", "lmzm"] {
            std::fs::write(directory.path().join(name), b"x").unwrap();
        }
        std::fs::create_dir(directory.path().join("d.lmzm")).unwrap();
        let place = Place::new(directory.path().to_owned(), "why");
        let names: Vec<_> = place.files().unwrap();
        assert_eq!(
            names,
            ["a.lmzm", "b.lmzm"].map(|n| directory.path().join(n))
        );
        assert!(place.to_string().ends_with(" (why)"));
        assert!(
            Place::new(directory.path().join("none"), "")
                .files()
                .is_err()
        );
    }
}
