//! Prepared models of checkpoints, kept so that a checkpoint is prepared once.
//!
//! A file's name holds what it was made from (the checkpoint's hash, its tokenizer's, the newest recipe and numerics)
//! and what it is (its identity), so that neither a changed checkpoint nor a damaged file is
//! ever taken for the model.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use lmz_exact::{ExactError, NUMERICS, Prepared, RECIPES, prepare_as};
use lmz_model::Checkpoint;

use super::hex;
use super::summary::{ModelSummary, summarise};
use crate::directories::cache_directory;

/// The most bytes that all models of a cache have together.
const LIMIT: u64 = 16 << 30;
/// How files begin that are being written, and after what time one is left over from a run
/// that ended early.
const UNFINISHED: (&str, Duration) = (".unfinished-", Duration::from_secs(24 * 3600));

/// A directory of prepared models, bounded: those that were used longest ago make room.
#[derive(Clone, Debug)]
pub struct PreparedCache {
    directory: PathBuf,
    limit: u64,
}

/// A model that is kept.
#[derive(Clone, Debug)]
pub struct KeptModel {
    /// What its file says of it.
    pub summary: ModelSummary,
    /// Its identity, by its file's name: 64 hexadecimal digits.
    pub identity: String,
    /// The file's size.
    pub bytes: u64,
    /// The file.
    pub path: PathBuf,
}

impl PreparedCache {
    /// A cache in this directory, which need not exist, of at most `limit` bytes.
    pub fn new(directory: impl Into<PathBuf>, limit: u64) -> Self {
        let directory = directory.into();
        Self { directory, limit }
    }

    /// `prepared` in the user's cache directory, of at most 16 GiB; none if the environment names
    /// no home.
    pub fn from_env() -> Option<Self> {
        Some(Self::new(cache_directory()?.join("prepared"), LIMIT))
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The prepared model of a checkpoint, under the checkpoint's name: the one that is kept, or
    /// a new one, which is kept from now on. That a cache cannot be read or written is no error.
    ///
    /// # Errors
    /// As [`lmz_exact::prepare`].
    pub fn prepare(&self, checkpoint: &Checkpoint) -> Result<Prepared, ExactError> {
        self.prepare_as(checkpoint, *RECIPES.end())
    }

    /// As [`PreparedCache::prepare`], with no recipe above `newest`.
    pub(super) fn prepare_as(
        &self,
        checkpoint: &Checkpoint,
        newest: u8,
    ) -> Result<Prepared, ExactError> {
        // The checkpoint's hash knows the vocabulary, and not how text is cut into it.
        let tokenizer = blake3::hash(&checkpoint.tokenizer_json);
        let made_from = format!(
            "{}-t{}-r{}-n{}-",
            hex(&checkpoint.content_hash()?),
            hex(&tokenizer.as_bytes()[..8]),
            newest,
            NUMERICS.end()
        );
        if let Some(kept) = self.kept(&made_from, &checkpoint.name) {
            return Ok(kept);
        }
        let prepared = prepare_as(checkpoint, &checkpoint.name, newest)?;
        let _ = self.keep(&made_from, &prepared);
        Ok(prepared)
    }

    /// The kept model whose file's name starts so. One that is damaged is removed.
    fn kept(&self, made_from: &str, name: &str) -> Option<Prepared> {
        let entries = fs::read_dir(&self.directory).ok()?;
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            let Some(identity) = file.strip_prefix(made_from) else {
                continue;
            };
            let prepared = fs::read(&path).ok().map(Prepared::from_bytes);
            let sound = |p: &Prepared| identity.strip_suffix(".lmzm") == Some(&hex(&p.identity()));
            match prepared {
                // Of another name: a directory and its renamed copy, say.
                Some(Ok(prepared)) if sound(&prepared) && prepared.name != name => {}
                Some(Ok(prepared)) if sound(&prepared) => {
                    let _ = touch(&path);
                    return Some(prepared);
                }
                _ => drop(fs::remove_file(&path)),
            }
        }
        None
    }

    /// What is kept, by name. Nothing is read of the files but their headers: their names hold what they are.
    pub fn models(&self) -> Vec<KeptModel> {
        let entries = fs::read_dir(&self.directory)
            .into_iter()
            .flatten()
            .flatten();
        let mut found: Vec<KeptModel> = entries
            .filter_map(|entry| {
                let path = entry.path();
                let file = path.file_name()?.to_str()?;
                let identity = file.strip_suffix(".lmzm")?.rsplit_once('-')?.1;
                let is_identity =
                    identity.len() == 64 && identity.bytes().all(|b| b.is_ascii_hexdigit());
                let about = entry
                    .metadata()
                    .ok()
                    .filter(|about| about.is_file() && is_identity)?;
                let summary = File::open(&path).and_then(summarise).ok()?;
                Some(KeptModel {
                    summary,
                    identity: identity.to_owned(),
                    bytes: about.len(),
                    path,
                })
            })
            .collect();
        found.sort_by(|a, b| (&a.summary.name, &a.path).cmp(&(&b.summary.name, &b.path)));
        found
    }

    /// Removes a model that is kept. It is prepared anew when its checkpoint is given again.
    ///
    /// # Errors
    /// It is not of this cache; it cannot be removed.
    pub fn remove(&self, model: &KeptModel) -> io::Result<()> {
        if model.path.parent() != Some(&self.directory) {
            return Err(io::Error::other("is not in the cache of prepared models"));
        }
        fs::remove_file(&model.path)
    }

    fn keep(&self, made_from: &str, prepared: &Prepared) -> io::Result<()> {
        let bytes = prepared.as_bytes();
        if bytes.len() as u64 > self.limit {
            return Ok(());
        }
        fs::create_dir_all(&self.directory)?;
        self.make_room(bytes.len() as u64)?;
        let mut file = tempfile::Builder::new()
            .prefix(UNFINISHED.0)
            .tempfile_in(&self.directory)?;
        file.write_all(bytes)?;
        let name = format!("{made_from}{}.lmzm", hex(&prepared.identity()));
        // Only a whole file gets the name.
        file.persist(self.directory.join(name))?;
        Ok(())
    }

    /// Removes what was used longest ago until `more` bytes fit.
    fn make_room(&self, more: u64) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let about = path.metadata()?;
            let used = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            let age = used.elapsed().unwrap_or_default();
            if name.starts_with(UNFINISHED.0) && age > UNFINISHED.1 {
                let _ = fs::remove_file(&path);
            } else if name.ends_with(".lmzm") {
                files.push((used, about.len(), path));
            }
        }
        files.sort();
        let mut total: u64 = more + files.iter().map(|file| file.1).sum::<u64>();
        for (_, size, path) in files {
            if total <= self.limit {
                break;
            }
            fs::remove_file(path)?;
            total -= size;
        }
        Ok(())
    }
}

/// Notes that a file was used.
fn touch(path: &Path) -> io::Result<()> {
    let file = File::options().write(true).open(path)?;
    file.set_modified(SystemTime::now())
}

#[cfg(test)]
mod tests {
    use super::*;
    use lmz_exact::prepare;

    const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/gguf");

    fn checkpoint(name: &str) -> Checkpoint {
        Checkpoint::open(Path::new(FIXTURES).join(name)).unwrap()
    }

    fn files(cache: &PreparedCache) -> Vec<PathBuf> {
        let entries = fs::read_dir(&cache.directory).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    #[test]
    fn what_is_kept_is_what_is_prepared() {
        let directory = tempfile::tempdir().unwrap();
        let cache = PreparedCache::new(directory.path().join("a/b"), 1 << 30);
        let checkpoint = checkpoint("bytes.gguf");
        let wanted = prepare(&checkpoint, &checkpoint.name).unwrap();
        for _ in 0..2 {
            let found = cache.prepare(&checkpoint).unwrap();
            assert_eq!(found.as_bytes(), wanted.as_bytes());
            assert_eq!(files(&cache).len(), 1);
        }
        // The second time nothing was prepared: what is there is used, if it is what its name says.
        let path = files(&cache).remove(0);
        let old = SystemTime::now() - Duration::from_secs(1000);
        let file = File::options().write(true).open(&path).unwrap();
        file.set_modified(old).unwrap();
        cache.prepare(&checkpoint).unwrap();
        let used = path.metadata().unwrap().modified().unwrap();
        assert!(used > old + Duration::from_secs(500));
    }

    /// Splitting and merges are no part of a checkpoint's hash, and are part of what is prepared.
    #[test]
    fn another_tokenizer_is_another_model() {
        let directory = tempfile::tempdir().unwrap();
        let cache = PreparedCache::new(directory.path(), 1 << 30);
        let mut checkpoint = checkpoint("bytes.gguf");
        let before = cache.prepare(&checkpoint).unwrap();
        let mut json: serde_json::Value =
            serde_json::from_slice(&checkpoint.tokenizer_json).unwrap();
        let merges = json["model"]["merges"].as_array_mut().unwrap();
        assert!(merges.pop().is_some());
        checkpoint.tokenizer_json = json.to_string().into_bytes();
        let after = cache.prepare(&checkpoint).unwrap();
        assert_ne!(before.identity(), after.identity());
        let fresh = prepare(&checkpoint, &checkpoint.name).unwrap();
        assert_eq!(after.as_bytes(), fresh.as_bytes());
    }

    #[test]
    fn damage_is_not_believed() {
        let directory = tempfile::tempdir().unwrap();
        let cache = PreparedCache::new(directory.path(), 1 << 30);
        let checkpoint = checkpoint("pieces.gguf");
        let wanted = cache.prepare(&checkpoint).unwrap();
        let path = files(&cache).remove(0);
        let sound = fs::read(&path).unwrap();
        for at in [3, sound.len() / 2, sound.len() - 1] {
            let mut damaged = sound.clone();
            damaged[at] ^= 1;
            fs::write(&path, damaged).unwrap();
            let found = cache.prepare(&checkpoint).unwrap();
            assert_eq!(found.as_bytes(), wanted.as_bytes());
            assert_eq!(fs::read(&path).unwrap(), sound, "mended");
        }
        fs::write(&path, &sound[..100]).unwrap();
        assert_eq!(
            cache.prepare(&checkpoint).unwrap().as_bytes(),
            wanted.as_bytes()
        );
    }

    #[test]
    fn the_oldest_makes_room() {
        let directory = tempfile::tempdir().unwrap();
        let first = checkpoint("bytes.gguf");
        let second = checkpoint("pieces.gguf");
        let size = |checkpoint: &Checkpoint| {
            let prepared = prepare(checkpoint, &checkpoint.name).unwrap();
            prepared.as_bytes().len() as u64
        };
        let both = size(&first) + size(&second);
        let cache = PreparedCache::new(directory.path(), both - 1);
        fs::write(directory.path().join("somebody's.txt"), "stays").unwrap();
        cache.prepare(&first).unwrap();
        cache.prepare(&second).unwrap();
        assert_eq!(files(&cache).len(), 2);
        assert!(directory.path().join("somebody's.txt").exists());
        let kept = files(&cache)
            .into_iter()
            .find(|path| path.extension().is_some_and(|e| e == "lmzm"));
        let kept = Prepared::from_bytes(fs::read(kept.unwrap()).unwrap()).unwrap();
        assert_eq!(kept.name, second.name);
        // One that does not fit at all is not kept, and drives nothing out.
        let small = PreparedCache::new(directory.path(), 10);
        small.prepare(&first).unwrap();
        assert_eq!(files(&small).len(), 2);
    }

    #[test]
    fn no_cache_is_no_error() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "a file, not a directory").unwrap();
        let cache = PreparedCache::new(&file, 1 << 30);
        assert_eq!(
            cache.prepare(&checkpoint("bytes.gguf")).unwrap().name,
            "bytes fixture"
        );
    }
}
