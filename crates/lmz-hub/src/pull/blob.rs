//! One file, fetched to the place that its hash names.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::info::{Info, Listed};
use super::server::Server;
use crate::cache::{CONFIG, HubCache, INDEX, MAX_INDEX};
use crate::error::{HubError, Result};

/// Longest file of weights, in bytes: more than any disk that a model is kept on.
const MAX_WEIGHTS: u64 = 16 << 40;
/// Longest tokenizer, and what else is text.
const MAX_TEXT: u64 = 256 << 20;
/// Longest configuration.
const MAX_CONFIG: u64 = 4 << 20;

/// A file's content in the cache.
pub(super) struct Blob {
    pub(super) path: PathBuf,
    /// Bytes that came.
    pub(super) fetched: u64,
}

/// What a file's content is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Hash {
    /// Of large files.
    Sha256(String),
    /// Git's, of small ones.
    Blob(String),
}

impl Hash {
    /// By the number of its digits.
    fn read(text: &str) -> Option<Self> {
        let text = text.strip_prefix("W/").unwrap_or(text).trim_matches('"');
        if !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        match text.len() {
            64 => Some(Self::Sha256(text.to_owned())),
            40 => Some(Self::Blob(text.to_owned())),
            _ => None,
        }
    }

    fn digits(&self) -> &str {
        match self {
            Self::Sha256(digits) | Self::Blob(digits) => digits,
        }
    }

    /// Whether a file of so many bytes has it.
    fn fits(&self, mut file: File, size: u64) -> io::Result<bool> {
        let found = match self {
            Self::Sha256(_) => digest(Sha256::new(), &mut file)?,
            Self::Blob(_) => {
                let header = format!("blob {size}\0");
                digest(Sha1::new().chain_update(header), &mut file)?
            }
        };
        Ok(found == self.digits())
    }
}

fn digest<D: Digest>(mut hash: D, input: &mut impl Read) -> io::Result<String> {
    let mut buffer = vec![0; 1 << 18];
    loop {
        match input.read(&mut buffer)? {
            0 => break,
            n => hash.update(&buffer[..n]),
        }
    }
    Ok(hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

/// Fetches a file, unless it is there.
pub(super) fn fetch(
    server: &Server<'_>,
    cache: &HubCache,
    folder: &Path,
    info: &Info,
    file: &Listed,
) -> Result<Blob> {
    let repo = server.name.repo();
    let what = format!("{repo}, {}", file.name);
    let (hash, size) = known(server, info, file, &what)?;
    let blobs = folder.join("blobs");
    let path = blobs.join(hash.digits());
    let there = |path: &Path| fs::metadata(path).is_ok_and(|found| found.len() == size);
    if there(&path) {
        server.watch.advance(size);
        return Ok(Blob { path, fetched: 0 });
    }
    fs::create_dir_all(&blobs).map_err(HubError::io(&blobs))?;
    let locks = cache
        .directory()
        .join(".locks")
        .join(folder.file_name().unwrap_or_default());
    let lock = lock(&locks, hash.digits(), server, &what)?;
    // Somebody else may have fetched it meanwhile.
    if there(&path) {
        server.watch.advance(size);
        return Ok(Blob { path, fetched: 0 });
    }
    let end = match &lock {
        Some(_) => ".incomplete".to_owned(),
        // Without locks nobody else may write to the same file.
        None => format!(".{}.incomplete", std::process::id()),
    };
    let part = blobs.join(format!("{}{end}", hash.digits()));
    let mut before = fs::metadata(&part).map_or(0, |found| found.len());
    if before > size {
        fs::remove_file(&part).map_err(HubError::io(&part))?;
        before = 0;
    }
    check_room(&part, size)?;
    let mut fetched = size - before;
    server.watch.advance(size - fetched);
    download(server, info, file, &part, size)?;
    let fits = |part: &Path| {
        let found = File::open(part).and_then(|file| hash.fits(file, size));
        found.map_err(HubError::io(part))
    };
    let mut sound = fits(&part)?;
    if !sound && (1..=size).contains(&before) {
        // What an earlier run has left may have been at fault.
        server
            .watch
            .note(&format!("{what}: its beginning was damaged: fetched anew"));
        fs::remove_file(&part).map_err(HubError::io(&part))?;
        server.watch.expect(size);
        download(server, info, file, &part, size)?;
        fetched = size;
        sound = fits(&part)?;
    }
    if !sound {
        fs::remove_file(&part).map_err(HubError::io(&part))?;
        return Err(HubError::Server(format!(
            "{what}: what came is not the file: its hash is not {}. It was removed; try again",
            hash.digits()
        )));
    }
    fs::rename(&part, &path).map_err(HubError::io(&path))?;
    drop(lock);
    Ok(Blob { path, fetched })
}

/// A file's hash and size, by its headers and the list.
fn known(server: &Server<'_>, info: &Info, file: &Listed, what: &str) -> Result<(Hash, u64)> {
    let about = server.about(info, &file.name)?;
    let odd = |why: String| HubError::Server(format!("{what}: {why}"));
    let told = about.header("x-linked-etag").and_then(Hash::read);
    // The tag of an answer that leads elsewhere is nobody's.
    let own = || {
        about
            .last_header("etag")
            .filter(|_| about.elsewhere.is_none())
    };
    let told = told.or_else(|| own().and_then(Hash::read));
    let listed = file.hash.as_deref().and_then(Hash::read);
    if let (Some(told), Some(listed)) = (&told, &listed)
        && told != listed
    {
        return Err(odd(format!(
            "the server says two hashes of it, {} and {}",
            told.digits(),
            listed.digits()
        )));
    }
    let hash = told.or(listed).ok_or_else(|| {
        odd(
            "the server says no hash of it, so that nobody could tell whether it arrives whole"
                .into(),
        )
    })?;
    let number = |text: &str| text.parse::<u64>().ok();
    let size = about.header("x-linked-size").and_then(number);
    let own = || {
        let length = about.last_header("content-length");
        let length = length.filter(|_| about.elsewhere.is_none());
        // An answer without a body may say that it has none.
        length.and_then(number).filter(|length| *length > 0)
    };
    let size = size.or_else(own).or(file.size);
    let size = size.ok_or_else(|| odd("the server does not say how long it is".into()))?;
    if let Some(listed) = file.size.filter(|listed| *listed != size) {
        return Err(odd(format!(
            "the server says two sizes of it, {size} and {listed}"
        )));
    }
    let most = match file.name.as_str() {
        CONFIG => MAX_CONFIG,
        INDEX => MAX_INDEX,
        name if name.ends_with(".safetensors") || name.ends_with(".gguf") => MAX_WEIGHTS,
        _ => MAX_TEXT,
    };
    match size > most {
        true => Err(odd(format!(
            "{size} bytes, more than the {most} that such a file may have"
        ))),
        false => Ok((hash, size)),
    }
}

fn download(server: &Server<'_>, info: &Info, file: &Listed, part: &Path, size: u64) -> Result<()> {
    match server.download(info, &file.name, part, size) {
        Err(HubError::Io { error, .. }) if error.kind() == io::ErrorKind::StorageFull => {
            let have = fs::metadata(part).map_or(0, |found| found.len());
            Err(HubError::Full {
                path: part.to_owned(),
                missing: size.saturating_sub(have),
            })
        }
        done => done.map(drop),
    }
}

/// Waits until nobody else fetches the same content. Hugging Face's tools lock the same files. None where the file system
/// knows no locks.
fn lock(locks: &Path, digits: &str, server: &Server<'_>, what: &str) -> Result<Option<File>> {
    let path = locks.join(format!("{digits}.lock"));
    let io = HubError::io(&path);
    fs::create_dir_all(locks).map_err(&io)?;
    let mut waits = false;
    loop {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(&io)?;
        match file.try_lock() {
            // Somebody may have removed it between the two.
            Ok(()) if is_at(&file, &path) => return Ok(Some(file)),
            Ok(()) => continue,
            Err(TryLockError::Error(_)) => return Ok(None),
            Err(TryLockError::WouldBlock) => {}
        }
        if !waits {
            waits = true;
            let note = format!("{what}: waiting for another program that fetches it");
            server.watch.note(&note);
        }
        if server.watch.cancelled() {
            return Err(HubError::Cancelled);
        }
        sleep(Duration::from_millis(100));
    }
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

/// That what is still missing of a file fits on the disk.
#[cfg(unix)]
fn check_room(part: &Path, size: u64) -> Result<()> {
    let have = fs::metadata(part).map_or(0, |found| found.len());
    let needed = size.saturating_sub(have);
    let parent = part.parent().unwrap_or(part);
    // Who cannot say it lets the writing show.
    let Ok(found) = rustix::fs::statvfs(parent) else {
        return Ok(());
    };
    let room = found.f_bavail.saturating_mul(found.f_frsize);
    match needed > room {
        true => Err(HubError::Full {
            path: part.to_owned(),
            missing: needed - room,
        }),
        false => Ok(()),
    }
}

#[cfg(not(unix))]
fn check_room(_: &Path, _: u64) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_known_by_their_lengths() {
        let sha1 = "a".repeat(40);
        assert_eq!(
            Hash::read(&format!("\"{sha1}\"")),
            Some(Hash::Blob(sha1.clone()))
        );
        assert_eq!(Hash::read(&format!("W/\"{sha1}\"")), Some(Hash::Blob(sha1)));
        assert!(matches!(Hash::read(&"0".repeat(64)), Some(Hash::Sha256(_))));
        for other in [
            "",
            "../../x",
            &"a".repeat(41),
            &"A".repeat(40),
            &"/".repeat(40),
        ] {
            assert_eq!(Hash::read(other), None, "{other}");
        }
    }

    #[test]
    fn gits_hash_is_gits() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x");
        fs::write(&path, "test content\n").unwrap();
        let fits = |digits: &str| {
            let hash = Hash::read(digits).unwrap();
            hash.fits(File::open(&path).unwrap(), 13).unwrap()
        };
        // `echo 'test content' | git hash-object --stdin`, and sha256sum's.
        assert!(fits("d670460b4b4aece5915caf5c68d12f560a9fe3e4"));
        assert!(fits(
            "a1fff0ffefb9eace7230c24e50731f0a91c62f9cefdfe77121c2f607125dffae"
        ));
        assert!(!fits("d670460b4b4aece5915caf5c68d12f560a9fe3e5"));
    }
}
