//! Names of files: those that outputs get, and how they are shown.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// The suffix of compressed files.
const SUFFIX: &str = ".lmz";

/// `FILE` -> `FILE.lmz`.
///
/// # Errors
/// `FILE` has the suffix already, unless `force`.
pub fn compressed(path: &Path, force: bool) -> Result<PathBuf> {
    if !force && has_suffix(path) {
        bail!("already has the suffix {SUFFIX}: unchanged (-f compresses it again)");
    }
    let mut name = path.as_os_str().to_owned();
    name.push(SUFFIX);
    Ok(name.into())
}

/// `FILE.lmz` -> `FILE`.
///
/// # Errors
/// There is no suffix to take off.
pub fn restored(path: &Path) -> Result<PathBuf> {
    match (path.file_stem(), has_suffix(path)) {
        (Some(stem), true) => Ok(path.with_file_name(stem)),
        _ => bail!("the name does not end in {SUFFIX}: say where to write with -o or -c"),
    }
}

/// Whether a path ends as compressed files do.
pub fn has_suffix(path: &Path) -> bool {
    let suffix = OsStr::new(&SUFFIX[1..]);
    path.extension()
        .is_some_and(|e| e.eq_ignore_ascii_case(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for name in [
            "a",
            "dir.x/a.txt",
            ".hidden",
            "a b",
            "./models",
            "a.lmz.txt",
            "lmz",
        ] {
            let out = compressed(Path::new(name), false).unwrap();
            assert_eq!(out, Path::new(&format!("{name}.lmz")));
            assert_eq!(restored(&out).unwrap(), Path::new(name));
        }
    }

    #[test]
    fn suffixes_are_not_doubled_and_not_invented() {
        assert!(compressed(Path::new("a.lmz"), false).is_err());
        assert!(compressed(Path::new("a.LMZ"), false).is_err());
        assert!(compressed(Path::new("a.lmz"), true).is_ok());
        for name in ["a", "a.txt", ".lmz", "dir/.lmz", "dir.lmz/a", "almz"] {
            assert!(restored(Path::new(name)).is_err(), "{name}");
        }
    }
}
