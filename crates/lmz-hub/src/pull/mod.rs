//! Fetching a model into the cache.

mod blob;
mod choose;
mod info;
mod server;
mod snapshot;
mod watch;

use std::fs;
use std::path::{Path, PathBuf};

use crate::cache::{CONFIG, HubCache, INDEX, SINGLE, refs, shards};
use crate::environment::Environment;
use crate::error::{HubError, Result};
use crate::name::{HubName, is_commit};
pub use watch::PullWatch;

use blob::fetch;
use info::{Info, Listed};
use server::Server;
use snapshot::{place, temporary};

/// What a pull has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulled {
    /// What [`HubCache::find`] gives from now on.
    pub path: PathBuf,
    /// Files of the model that lmz reads.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes of those that were not there before.
    pub fetched: u64,
}

/// The hub, or a server like it, and a cache.
#[derive(Clone, Debug)]
pub struct Hub {
    environment: Environment,
    cache: HubCache,
}

impl Hub {
    /// What the environment says.
    ///
    /// # Errors
    /// It names no home.
    pub fn from_env() -> Result<Self> {
        Self::new(Environment::of_user())
    }

    /// By such an environment.
    ///
    /// # Errors
    /// It names no home.
    pub fn new(environment: Environment) -> Result<Self> {
        let cache = environment.cache.clone().ok_or(HubError::NoHome)?;
        Ok(Self {
            environment,
            cache: HubCache::new(cache),
        })
    }

    /// Where models are put.
    pub fn cache(&self) -> &HubCache {
        &self.cache
    }

    /// Fetches what lmz reads of a model, unless it is there, in the layout that Hugging Face's tools share: `config.json`,
    /// the tokenizer and the safetensors, or one GGUF file with all of its parts. Sizes and hashes are checked; a file that
    /// broke off, in this run or an earlier one, is gone on with.
    ///
    /// # Errors
    /// There is no such model or none that lmz can read, it may not be had, the server fails, sends something else than
    /// it announced, or there is no room.
    pub fn pull(&self, name: &HubName, watch: &dyn PullWatch) -> Result<Pulled> {
        if self.environment.offline {
            return self.without_network(name);
        }
        let server = Server::new(&self.environment, name, watch)?;
        let info = server.info()?;
        let folder = self.cache.folder(name);
        let snapshot = folder.join("snapshots").join(&info.sha);
        let mut pulled = Pulled {
            path: PathBuf::new(),
            files: 0,
            bytes: 0,
            fetched: 0,
        };
        let chosen = choose::files(name, &info)?;
        // What is there goes on to be found until all of the new commit is; of the first one it can be said what is missing.
        if !refs(&folder).contains_key(name.revision()) {
            write_ref(&folder, name, &info.sha)?;
        }
        self.fetch_all(&server, &info, &chosen, &folder, &mut pulled)?;
        // What the index names is known once it is here.
        if name.file().is_none() && chosen.iter().any(|file| file.name == INDEX) {
            let shards = shards(&snapshot.join(INDEX))?;
            let shards: Result<Vec<Listed>> = shards
                .iter()
                .map(|shard| info.listed(name, shard))
                .collect();
            self.fetch_all(&server, &info, &shards?, &folder, &mut pulled)?;
        }
        write_ref(&folder, name, &info.sha)?;
        pulled.path = match self.cache.find(name) {
            // Of several that are there by now, the one that was chosen.
            Err(HubError::Several { .. }) => {
                snapshot.join(chosen.first().map_or(SINGLE, |file| &file.name))
            }
            found => found?,
        };
        Ok(pulled)
    }

    fn fetch_all(
        &self,
        server: &Server<'_>,
        info: &Info,
        files: &[Listed],
        folder: &Path,
        pulled: &mut Pulled,
    ) -> Result<()> {
        let snapshot = folder.join("snapshots").join(&info.sha);
        let missing: Vec<&Listed> = files.iter().filter(|file| !file.is_at(&snapshot)).collect();
        let expected = missing.iter().filter_map(|file| file.size);
        // A hostile list may claim anything.
        server.watch.expect(expected.fold(0, u64::saturating_add));
        for file in files {
            let path = snapshot.join(&file.name);
            if missing.iter().any(|one| one.name == file.name) {
                let blob = fetch(server, &self.cache, folder, info, file)?;
                pulled.fetched += blob.fetched;
                place(&blob.path, &path, &file.name)?;
            }
            if file.name == CONFIG {
                let config = fs::read(&path).map_err(HubError::io(&path))?;
                let fine = server.watch.judge(&config);
                fine.map_err(|reason| HubError::NoModel {
                    name: server.name.to_string(),
                    reason,
                })?;
            }
            pulled.files += 1;
            pulled.bytes += fs::metadata(&path).map_or(0, |found| found.len());
        }
        Ok(())
    }

    /// What is there, if it is.
    fn without_network(&self, name: &HubName) -> Result<Pulled> {
        match self.cache.find(name) {
            Ok(path) => Ok(Pulled {
                path,
                files: 0,
                bytes: 0,
                fetched: 0,
            }),
            Err(error) => Err(HubError::Offline(error.to_string())),
        }
    }
}

/// Notes which commit a revision is, if it is called otherwise.
fn write_ref(folder: &Path, name: &HubName, commit: &str) -> Result<()> {
    let revision = name.revision();
    if is_commit(revision) {
        return Ok(());
    }
    let path = folder.join("refs").join(revision);
    let parent = path.parent().unwrap_or(folder);
    let io = HubError::io(&path);
    fs::create_dir_all(parent).map_err(&io)?;
    let temporary = temporary(parent);
    fs::write(&temporary, commit).map_err(&io)?;
    fs::rename(&temporary, &path).map_err(&io)
}
