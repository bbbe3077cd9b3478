//! The user's directories.

use std::env;
use std::path::PathBuf;

/// Where models are kept: `lmz` in the user's data directory.
pub(crate) fn data_directory() -> Option<PathBuf> {
    let data = variable("XDG_DATA_HOME").or_else(|| {
        if cfg!(windows) {
            variable("LOCALAPPDATA")
        } else if cfg!(target_os = "macos") {
            Some(variable("HOME")?.join("Library/Application Support"))
        } else {
            Some(variable("HOME")?.join(".local/share"))
        }
    });
    Some(data?.join("lmz"))
}

/// Where the command keeps files that it can do without: `lmz` in the user's cache directory. `None` if the
/// environment names no home. The directory need not exist.
pub fn cache_directory() -> Option<PathBuf> {
    if let Some(cache) = variable("XDG_CACHE_HOME") {
        return Some(cache.join("lmz"));
    }
    if cfg!(windows) {
        Some(variable("LOCALAPPDATA")?.join("lmz").join("cache"))
    } else if cfg!(target_os = "macos") {
        Some(variable("HOME")?.join("Library/Caches/lmz"))
    } else {
        Some(variable("HOME")?.join(".cache/lmz"))
    }
}

/// A directory that a variable of the environment names; a relative one counts for nothing.
fn variable(name: &str) -> Option<PathBuf> {
    Some(PathBuf::from(env::var_os(name)?)).filter(|path| path.is_absolute())
}
