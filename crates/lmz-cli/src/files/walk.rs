//! Directories, gone into.

use std::fs;
use std::path::{Path, PathBuf};

use super::settings::Mode;
use crate::io::names::has_suffix;
use crate::io::source::Source;
use crate::io::system::describe;

/// What is worked on in the place of a source: itself, or the files in it if it is a directory, each or why there
/// are none. Symbolic links in a directory are left alone.
pub fn files_in(source: &Source, mode: Mode) -> Vec<(Source, Option<anyhow::Error>)> {
    let mut found = Vec::new();
    match source {
        Source::File(path) if path.is_dir() => go_into(path, mode, &mut found),
        _ => found.push((source.clone(), None)),
    }
    found
}

fn go_into(directory: &Path, mode: Mode, found: &mut Vec<(Source, Option<anyhow::Error>)>) {
    let failed = |path: &Path, error| (Source::File(path.to_owned()), Some(describe(error)));
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => return found.push(failed(directory, error)),
    };
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in entries {
        match entry {
            Ok(entry) => paths.push(directory.join(entry.file_name())),
            Err(error) => found.push(failed(directory, error)),
        }
    }
    paths.sort();
    for path in paths {
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_dir() => go_into(&path, mode, found),
            Ok(metadata) if metadata.is_file() => {
                if has_suffix(&path) != (mode == Mode::Compress) {
                    found.push((Source::File(path), None));
                }
            }
            Ok(_) => {}
            Err(error) => found.push(failed(&path, error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_hold_what_the_work_is_about() {
        let place = tempfile::tempdir().unwrap();
        let inner = place.path().join("inner");
        fs::create_dir(&inner).unwrap();
        for path in [place.path().join("b"), inner.join("a"), inner.join("a.lmz")] {
            fs::write(path, "x").unwrap();
        }
        let root = Source::File(place.path().to_owned());
        let names = |mode| -> Vec<String> {
            let found = files_in(&root, mode).into_iter();
            found
                .map(|(source, error)| {
                    assert!(error.is_none());
                    let Source::File(path) = source else { panic!() };
                    path.strip_prefix(place.path())
                        .unwrap()
                        .display()
                        .to_string()
                })
                .collect()
        };
        assert_eq!(names(Mode::Compress), ["b", "inner/a"]);
        assert_eq!(names(Mode::Test), ["inner/a.lmz"]);
        let missing = Source::File(place.path().join("missing"));
        assert_eq!(files_in(&missing, Mode::Test)[0].0, missing);
    }
}
