//! Files without a name: when the process ends, however it ends, they are gone.
//!
//! Linux has them (`O_TMPFILE`, open(2)) on most of its file systems; elsewhere there are none.

use std::fs::File;
use std::io;
use std::path::Path;

/// A new file without a name, on the file system of `directory`, that [`link`] can name.
/// `private`: nobody but its owner will be able to read it.
///
/// # Errors
/// The system or the file system has none; `directory` cannot be written.
#[cfg(target_os = "linux")]
pub fn create(directory: &Path, private: bool) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, open};
    // The process's mask takes its part of these away.
    let mode = if private { 0o600 } else { 0o666 };
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let file = File::from(open(directory, flags, Mode::from_raw_mode(mode))?);
    // Without /proc it could never be named.
    std::fs::read_link(address(&file))?;
    Ok(file)
}

/// Gives a file of [`create`] a name that nothing has yet.
///
/// # Errors
/// Something has it; it lies on another file system; the system forbids it.
#[cfg(target_os = "linux")]
pub fn link(file: &File, path: &Path) -> io::Result<()> {
    use rustix::fs::{AtFlags, CWD, linkat};
    Ok(linkat(
        CWD,
        address(file),
        CWD,
        path,
        AtFlags::SYMLINK_FOLLOW,
    )?)
}

/// Where an open file is found by the functions that want a path.
#[cfg(target_os = "linux")]
fn address(file: &File) -> String {
    use std::os::fd::AsRawFd;
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

#[cfg(not(target_os = "linux"))]
pub fn create(_: &Path, _: bool) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(target_os = "linux"))]
pub fn link(_: &File, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
