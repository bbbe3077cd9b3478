//! Files that are there whole, or not at all.

use std::io::Write;
use std::path::Path;

use crate::error::{Result, StudyError};

/// Writes a file under its name only when all of it is on the disk; an older one is replaced.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let io = StudyError::io(path);
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(directory).map_err(StudyError::io(directory))?;
    let mut file = tempfile::Builder::new()
        .prefix(".lmz-study.")
        .suffix(".tmp")
        .tempfile_in(directory)
        .map_err(&io)?;
    let written = file.write_all(bytes);
    written
        .and_then(|()| file.as_file().sync_all())
        .map_err(&io)?;
    // Readable for a colleague, as a file that is created by name would be.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::Permissions::from_mode(0o644);
        file.as_file().set_permissions(mode).map_err(&io)?;
    }
    file.persist(path).map_err(|failed| io(failed.error))?;
    Ok(())
}
