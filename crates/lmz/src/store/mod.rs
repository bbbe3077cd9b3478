//! Models are data, found by their identity.

mod cache;
mod error;
mod places;
mod summary;

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use lmz_codec::{CodecError, Kernel, Model, ModelSource, names};
use lmz_exact::{ExactError, Prepared, RECIPES, prepare_as};
use lmz_format::{Form, Header, ModelId};
use lmz_hub::{HubCache, HubError, HubName};
use lmz_model::{Checkpoint, Network, is_gguf};

pub use cache::{KeptModel, PreparedCache};
pub use error::{ARCHIVED, Archived, StoreError};
use summary::claimed_len;
pub use summary::{ModelSummary, summarise};

use crate::embedded::{embedded_bytes, embedded_model};
use crate::figures::hex;
use error::Search;
use places::Place;

/// Fewest hexadecimal digits by which a model may be named.
const MIN_ID_DIGITS: usize = 4;

/// Finds models: one that was given, the embedded one, and the `.lmzm` files of some directories.
///
/// Directories are looked at when a model is needed, not before. An identity is known only once
/// all bytes of a file have been hashed, so the files that are likely are tried first.
#[derive(Debug)]
pub struct ModelStore {
    kernel: Kernel,
    given: Vec<(String, Model)>,
    places: Vec<Place>,
    /// Of the checkpoints that were opened before, if they are kept.
    cache: Option<PreparedCache>,
    /// Models of the hub that were fetched, if they are looked at.
    hub: Option<HubCache>,
    /// Opened before, by this store.
    opened: Mutex<Vec<Model>>,
    /// Directories and GGUF files that were asked for.
    checkpoints: Mutex<Vec<PathBuf>>,
}

/// Where a model is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the program.
    Embedded,
    /// In a file.
    File(PathBuf),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Embedded => f.write_str("embedded in lmz"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// A model that a store can see.
#[derive(Debug)]
pub struct Found {
    /// Where it is.
    pub origin: Origin,
    /// What it says about itself.
    pub summary: io::Result<ModelSummary>,
}

/// What a person should know of a model that works all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remarks {
    /// Fields of its configuration and tensors that count for nothing.
    pub warnings: Vec<String>,
    /// That it was made for chats, as far as one can tell.
    pub chat: Option<String>,
}

impl Origin {
    /// The whole model, checked and hashed, without an engine.
    ///
    /// # Errors
    /// It cannot be read, is damaged, or is not supported.
    pub fn load(&self) -> Result<Prepared, StoreError> {
        let prepared = match self {
            Self::Embedded => Prepared::from_bytes(embedded_bytes()),
            Self::File(path) => {
                let io = |source| StoreError::Io {
                    path: path.clone(),
                    source,
                };
                Prepared::from_bytes(read(path).map_err(io)?)
            }
        };
        prepared.map_err(|error| StoreError::Open {
            origin: self.to_string(),
            source: Box::new(error.into()),
        })
    }
}

/// Refuses what its name says to be no prepared model, in other words than those of a damaged one.
fn check_kind(path: &Path) -> Result<(), StoreError> {
    let reason = match path.extension().and_then(OsStr::to_str) {
        // One that starts as such files do is no prepared model and never comes here.
        Some("gguf") if path.is_file() => {
            "does not start as GGUF files do: it is damaged, or something else was stored under its name; download it again"
        }
        Some("safetensors") => {
            "holds weights alone: give the directory in which it lies, with config.json and tokenizer.json"
        }
        _ => return Ok(()),
    };
    Err(StoreError::Io {
        path: path.to_owned(),
        source: io::Error::new(io::ErrorKind::InvalidData, reason),
    })
}

/// Bytes that are looked at of what is no prepared model.
const START: u64 = 1 << 20;

/// The bytes of a prepared model's file; of another file no more than say that it is none.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let invalid = |what| io::Error::new(io::ErrorKind::InvalidData, what);
    // Opening a named pipe would wait for ever for who writes it.
    let found = std::fs::metadata(path)?;
    if !found.is_file() {
        return Err(invalid("is not a regular file".to_owned()));
    }
    let mut file = File::open(path)?;
    let (found, claimed) = (found.len(), claimed_len(&file));
    if let Some(claimed) = claimed
        && claimed != found
    {
        return Err(invalid(format!(
            "is damaged: it has {found} bytes, and its header says {claimed}"
        )));
    }
    file.rewind()?;
    let mut bytes = Vec::new();
    file.take(claimed.unwrap_or(START))
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl ModelStore {
    /// The embedded model and these directories.
    pub fn new(directories: impl IntoIterator<Item = PathBuf>) -> Self {
        let places = directories.into_iter().map(|path| Place::new(path, ""));
        Self::with_places(places.collect())
    }

    /// The embedded model, the directories of `$LMZ_MODELS` and the user's data directory; what
    /// is prepared on the way is kept in the user's cache directory.
    pub fn from_env() -> Self {
        Self {
            cache: PreparedCache::from_env(),
            hub: HubCache::from_env(),
            ..Self::with_places(places::from_env())
        }
    }

    /// Keeps what is prepared on the way in this cache.
    #[must_use]
    pub fn with_cache(mut self, cache: PreparedCache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Finds models of the hub in this cache.
    #[must_use]
    pub fn with_hub(mut self, hub: HubCache) -> Self {
        self.hub = Some(hub);
        self
    }

    fn with_places(places: Vec<Place>) -> Self {
        Self {
            kernel: Kernel::detect(),
            given: Vec::new(),
            places,
            cache: None,
            hub: None,
            opened: Mutex::new(Vec::new()),
            checkpoints: Mutex::default(),
        }
    }

    /// Opens models with these kernels. The coded bytes do not depend on them.
    #[must_use]
    pub fn with_kernel(mut self, kernel: Kernel) -> Self {
        self.kernel = kernel;
        self
    }

    /// Adds a model that is already open; `what` is how messages call its place.
    pub fn add(&mut self, what: impl Into<String>, model: Model) {
        self.given.push((what.into(), model));
    }

    /// The directories, in the order in which they are looked at.
    pub fn directories(&self) -> impl Iterator<Item = &Path> {
        self.places.iter().map(|place| place.path.as_path())
    }

    /// The embedded model and all `.lmzm` files of the directories.
    pub fn models(&self) -> Vec<Found> {
        let embedded = Found {
            origin: Origin::Embedded,
            summary: summarise(embedded_bytes()),
        };
        let files = self
            .places
            .iter()
            .flat_map(|place| place.files().unwrap_or_default());
        let files = files.map(|path| Found {
            summary: File::open(&path).and_then(summarise),
            origin: Origin::File(path),
        });
        std::iter::once(embedded).chain(files).collect()
    }

    /// The model for compressing when none was asked for: the embedded one.
    ///
    /// # Errors
    /// Those of [`embedded_model`].
    pub fn default_model(&self) -> Result<Model, StoreError> {
        let model = if self.kernel == Kernel::detect() {
            embedded_model()
        } else {
            Model::from_lmzm(embedded_bytes(), self.kernel)
        };
        model.map_err(|source| StoreError::Open {
            origin: Origin::Embedded.to_string(),
            source: Box::new(source),
        })
    }

    /// The model that somebody asked for: the path of an `.lmzm` file, or of a Hugging Face
    /// directory or a GGUF file (prepared on the way), or the name of a model of the hub that was fetched
    /// (`ORG/NAME[@REVISION][:FILE.gguf]`), or a name or the first digits of an identity, at
    /// least four, of a model that [`ModelStore::models`] lists.
    ///
    /// # Errors
    /// There is none, or more than one; it cannot be opened.
    pub fn open(&self, asked: &OsStr) -> Result<Model, StoreError> {
        self.open_prepared(self.load(asked)?)
    }

    /// As [`ModelStore::open`], without an engine.
    ///
    /// # Errors
    /// As [`ModelStore::open`].
    pub fn load(&self, asked: &OsStr) -> Result<Prepared, StoreError> {
        if let Some(path) = self.checkpoint(asked)? {
            let prepared = self.prepare_as(&path, *RECIPES.end());
            let mut known = self
                .checkpoints
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if prepared.is_ok() && !known.contains(&path) {
                known.push(path);
            }
            return prepared;
        }
        let path = Path::new(asked);
        if path.exists() {
            check_kind(path)?;
            return Origin::File(path.to_owned()).load();
        }
        self.named(asked)?.load()
    }

    /// What recipes up to `newest` make of a directory or GGUF file.
    fn prepare_as(&self, path: &Path, newest: u8) -> Result<Prepared, StoreError> {
        let prepared = Checkpoint::open(path)
            .map_err(ExactError::from)
            .and_then(|checkpoint| match &self.cache {
                Some(cache) => cache.prepare_as(&checkpoint, newest),
                None => prepare_as(&checkpoint, &checkpoint.name, newest),
            });
        prepared.map_err(|error| StoreError::Open {
            origin: path.display().to_string(),
            source: Box::new(error.into()),
        })
    }

    /// The directory or GGUF file that somebody asked for: a path of one, or else a model of the hub, which must have been
    /// fetched. None for what else can be asked for: an `.lmzm` file, or the name or identity of a known model.
    ///
    /// # Errors
    /// It is a name of the hub, and the model is not there, or not all of it.
    pub fn checkpoint(&self, asked: &OsStr) -> Result<Option<PathBuf>, StoreError> {
        let path = Path::new(asked);
        if path.is_dir() || is_gguf(path) {
            return Ok(Some(path.to_owned()));
        }
        let name = asked.to_str().and_then(HubName::parse);
        let (Some(name), Some(hub)) = (name.filter(|_| !path.exists()), &self.hub) else {
            return Ok(None);
        };
        match hub.find(&name) {
            Ok(found) => Ok(Some(found)),
            // People may call models of their own so.
            Err(HubError::NotHere { .. }) if self.is_known(&asked.to_string_lossy()) => Ok(None),
            Err(source) => Err(StoreError::Hub { source }),
        }
    }

    /// Whether a known model has this name.
    fn is_known(&self, name: &str) -> bool {
        let known = self.models();
        let mut names = known.iter().filter_map(|found| found.summary.as_ref().ok());
        names.any(|summary| summary.name == name)
    }

    /// What a person should know of the directory, GGUF file or model of the hub that somebody asked for. Nothing for
    /// everything else.
    pub fn remarks(&self, asked: &OsStr) -> Remarks {
        let path = self.checkpoint(asked).ok().flatten();
        let network = path.and_then(|path| Network::open(path).ok());
        network.map_or_else(Remarks::default, |network| Remarks {
            warnings: network.notices(),
            chat: network.chat_notice(),
        })
    }

    /// The known model of this name or identity.
    fn named(&self, asked: &OsStr) -> Result<Origin, StoreError> {
        let text = asked.to_string_lossy();
        let known = self.models();
        let names: Vec<String> = known
            .iter()
            .filter_map(|f| Some(f.summary.as_ref().ok()?.name.clone()))
            .collect();
        let is_name = |f: &Found| f.summary.as_ref().is_ok_and(|s| s.name == text);
        let is_id = text.len() >= MIN_ID_DIGITS && text.bytes().all(|b| b.is_ascii_hexdigit());
        let (mut matching, others): (Vec<_>, Vec<_>) = known.into_iter().partition(is_name);
        if matching.is_empty() && is_id {
            let digits = text.to_ascii_lowercase();
            let same = |f: &Found| {
                f.origin
                    .load()
                    .is_ok_and(|m| hex(&m.identity()).starts_with(&digits))
            };
            matching = others.into_iter().filter(same).collect();
        }
        if matching.len() > 1 {
            let ids = matching.iter().map(|f| Ok(f.origin.load()?.identity()));
            let ids = ids.collect::<Result<Vec<_>, StoreError>>()?;
            if ids.iter().any(|id| id != &ids[0]) {
                let list = matching.iter().zip(&ids);
                return Err(StoreError::Ambiguous {
                    asked: text.into_owned(),
                    candidates: list
                        .map(|(f, id)| format!("{} (id {})", f.origin, &hex(id)[..32]))
                        .collect(),
                });
            }
        }
        matching
            .into_iter()
            .next()
            .map(|found| found.origin)
            .ok_or_else(|| StoreError::Unknown {
                asked: text.into_owned(),
                names,
                places: self.places.iter().map(Place::to_string).collect(),
            })
    }

    fn open_prepared(&self, prepared: Prepared) -> Result<Model, StoreError> {
        let name = prepared.name.clone();
        Model::from_prepared(prepared, self.kernel).map_err(|source| StoreError::Open {
            origin: name,
            source: Box::new(source),
        })
    }

    fn opened(&self) -> std::sync::MutexGuard<'_, Vec<Model>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks through everything for the model of `header`; says where it looked if it fails.
    fn search(&self, header: &Header) -> Result<Model, StoreError> {
        let mut search = Search::new(header);
        for (what, model) in &self.given {
            if model.is_named_by(header) {
                return Ok(model.clone());
            }
            search.saw(what, model.name(), model.id());
        }
        let mut likely: Vec<(Origin, bool)> = vec![(Origin::Embedded, true)];
        for found in self.models() {
            let summary = match &found.summary {
                Ok(summary) => summary,
                Err(error) => {
                    search.failed(format!("{}: {error}", found.origin));
                    continue;
                }
            };
            if found.origin == Origin::Embedded || summary.recipe != u64::from(header.recipe) {
                continue;
            }
            // Models of other versions of the numerics may fit too, but hashing each is not for nothing.
            let same = summary.checkpoint.starts_with(&hex(&header.checkpoint));
            let namesake = summary.name == header.model_name;
            let same_numerics = summary.numerics == u64::from(header.numerics_version);
            if same_numerics || same || header.form == Form::Small {
                likely.push((found.origin, same || namesake));
            }
        }
        // A stable sort: among equals, the order of the directories counts.
        likely.sort_by_key(|(_, likely)| !likely);
        for (origin, _) in likely {
            match origin.load() {
                Ok(prepared) if names(header, &prepared) => {
                    return match origin {
                        Origin::Embedded => self.default_model(),
                        Origin::File(_) => self.open_prepared(prepared),
                    };
                }
                Ok(prepared) => search.saw(&origin.to_string(), &prepared.name, short(&prepared)),
                Err(error) => search.failed(error.to_string()),
            }
        }
        // A checkpoint that was asked for may have been prepared otherwise when the file was made.
        if header.recipe < *RECIPES.end() {
            let known = self
                .checkpoints
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            for path in known.iter() {
                let former = self.prepare_as(path, header.recipe)?;
                if names(header, &former) {
                    return self.open_prepared(former);
                }
            }
        }
        for place in &self.places {
            search.looked(place);
        }
        Err(search.into_error())
    }
}

impl ModelSource for ModelStore {
    fn find(&self, header: &Header) -> Result<Model, CodecError> {
        if let Some(model) = self.opened().iter().find(|m| m.is_named_by(header)) {
            return Ok(model.clone());
        }
        let model = self.search(header).map_err(|error| match error {
            StoreError::Open { source, .. } => *source,
            other => CodecError::ModelNotFound(other.to_string()),
        })?;
        self.opened().push(model.clone());
        Ok(model)
    }
}

/// The identity as files store it.
fn short(prepared: &Prepared) -> ModelId {
    let mut id = [0; 16];
    id.copy_from_slice(&prepared.identity()[..16]);
    ModelId::new(id)
}
