//! Files that get their names when they are whole.

use std::io;
use std::path::Path;

use tempfile::NamedTempFile;

/// A file in `directory` for a result: not for its owner alone, as temporary ones are.
///
/// # Errors
/// The directory cannot be written.
pub(crate) fn temporary(prefix: &str, directory: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The process's mask takes its part of these away.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn a_result_has_the_mode_of_other_files() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let plain = directory.path().join("plain");
        std::fs::write(&plain, "").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
        let file = temporary(".x.", directory.path()).unwrap();
        assert_eq!(mode(file.path()), mode(&plain));
    }
}
