//! A model for compressing and decompressing.

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use lmz_exact::{Accelerator, Engine, Kernel, NUMERICS, Prepared};
use lmz_format::{Header, ModelId};
use lmz_model::{Blueprint, ModelError};
#[cfg(feature = "encode")]
use lmz_model::{ExactTokenizer, Symbol};

use crate::device::Device;
#[cfg(feature = "encode")]
use crate::error::CodecError;
use crate::error::Result;
use crate::memory::ask_for_weights;

/// A prepared model with its engine. Clones share it.
#[derive(Clone, Debug)]
pub struct Model {
    inner: Arc<Inner>,
    /// Where it runs, if not on the CPU.
    device: Option<Arc<Device>>,
}

#[derive(Debug)]
struct Inner {
    prepared: Prepared,
    engine: Engine,
    /// Only encoders need one.
    #[cfg(feature = "encode")]
    tokenizer: OnceLock<ExactTokenizer>,
    /// By which files of other versions of the numerics name it.
    other_ids: OnceLock<Vec<(u8, ModelId)>>,
    /// Only groups that are mixed need it.
    walk: OnceLock<lmz_mix::Walk>,
}

impl Model {
    /// Opens a Hugging Face directory or a GGUF file (prepared on the way) or a prepared `.lmzm`
    /// file.
    ///
    /// # Errors
    /// What cannot be read, is damaged or is not supported.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, Kernel::detect())
    }

    /// As [`Model::open`], with chosen kernels.
    ///
    /// # Errors
    /// As [`Model::open`].
    pub fn open_with(path: &Path, kernel: Kernel) -> Result<Self> {
        #[cfg(feature = "encode")]
        if path.is_dir() || lmz_model::is_gguf(path) {
            let checkpoint = lmz_model::Checkpoint::open(path)?;
            let prepared = lmz_exact::prepare(&checkpoint, &checkpoint.name)?;
            return Self::from_prepared(prepared, kernel);
        }
        lmz_model::check_regular(path)?;
        let bytes = std::fs::read(path).map_err(|source| ModelError::Io {
            path: path.to_owned(),
            source,
        })?;
        Self::from_lmzm(bytes, kernel)
    }

    /// A prepared model from the bytes of its file.
    ///
    /// # Errors
    /// What is damaged or not supported.
    pub fn from_lmzm(bytes: impl Into<Cow<'static, [u8]>>, kernel: Kernel) -> Result<Self> {
        Self::from_prepared(Prepared::from_bytes(bytes)?, kernel)
    }

    /// A prepared model.
    ///
    /// # Errors
    /// What is damaged or beyond the engine's bounds.
    pub fn from_prepared(prepared: Prepared, kernel: Kernel) -> Result<Self> {
        // The engine has the weights in an order of its own.
        ask_for_weights(prepared.as_bytes().len(), &prepared.name)?;
        let engine = Engine::new(&prepared, kernel)?;
        Ok(Self {
            inner: Arc::new(Inner {
                prepared,
                engine,
                #[cfg(feature = "encode")]
                tokenizer: OnceLock::new(),
                other_ids: OnceLock::new(),
                walk: OnceLock::new(),
            }),
            device: None,
        })
    }

    /// The same model on a device that holds it: the bytes are the same. If the device fails, the
    /// [observer](crate::Observer::notice) is told, and the CPU goes on.
    pub fn on(&self, accelerator: Arc<dyn Accelerator>) -> Self {
        Self {
            inner: self.inner.clone(),
            device: Some(Arc::new(Device::new(accelerator))),
        }
    }

    /// What the device is called that it runs on; `None` on the CPU, and once the device has failed.
    pub fn device_name(&self) -> Option<String> {
        self.device().and_then(Device::name)
    }

    /// Where it runs, if not on the CPU.
    pub(crate) fn device(&self) -> Option<&Device> {
        self.device.as_deref()
    }

    /// Lanes that make full use of its device; none on the CPU.
    pub(crate) fn lanes(&self) -> usize {
        self.device().map_or(0, Device::lanes)
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        &self.inner.prepared.name
    }

    /// The first half of its identity, as files store it.
    pub fn id(&self) -> ModelId {
        ModelId::new(first_half(self.inner.prepared.identity()))
    }

    /// Whether `header` names this model: by its identity, or by the one that it has under the header's version of
    /// the numerics, if the arithmetic is the same (numerics.md, section 8).
    pub fn is_named_by(&self, header: &Header) -> bool {
        let own = self.inner.prepared.numerics;
        if header.numerics_version == own {
            return header.model_id.names(self.id());
        }
        let others = self.inner.other_ids.get_or_init(|| {
            let others = NUMERICS.filter(|&version| version != own);
            let id = |version| Some((version, id_under(&self.inner.prepared, version)?));
            others.filter_map(id).collect()
        });
        let mut others = others.iter();
        others.any(|&(version, id)| version == header.numerics_version && header.model_id.names(id))
    }

    /// The prepared model.
    pub fn prepared(&self) -> &Prepared {
        &self.inner.prepared
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    /// The model's description.
    pub fn blueprint(&self) -> &Blueprint {
        &self.inner.prepared.blueprint
    }

    /// The exact-bytes tokeniser.
    ///
    /// # Errors
    /// A model that was prepared without a usable one.
    #[cfg(feature = "encode")]
    pub fn tokenizer(&self) -> Result<&ExactTokenizer> {
        let inner = &*self.inner;
        if let Some(tokenizer) = inner.tokenizer.get() {
            return Ok(tokenizer);
        }
        let json = inner.prepared.tokenizer_json()?;
        let tokenizer = ExactTokenizer::new(&json, inner.engine.symbols().vocabulary())?;
        Ok(inner.tokenizer.get_or_init(|| tokenizer))
    }

    /// The symbols of a text.
    #[cfg(feature = "encode")]
    pub(crate) fn symbols(&self, text: &[u8]) -> Result<Vec<Symbol>> {
        let symbols = self.tokenizer()?.try_encode(text);
        symbols.map_err(|why| CodecError::Tokenizer {
            model: self.name().to_owned(),
            why,
        })
    }

    /// The walk through its vocabulary.
    pub(crate) fn walk(&self) -> &lmz_mix::Walk {
        self.inner.walk.get_or_init(|| {
            let table = self.inner.engine.symbols();
            let tokens = (0..table.len()).map(|symbol| table.bytes(symbol));
            lmz_mix::Walk::new(tokens, table.escape_shift())
        })
    }

    /// The first half of the checkpoint's hash, as files store it.
    #[cfg(feature = "encode")]
    pub(crate) fn checkpoint(&self) -> [u8; 16] {
        first_half(self.inner.prepared.checkpoint)
    }
}

impl AsRef<Engine> for Model {
    fn as_ref(&self) -> &Engine {
        self.engine()
    }
}

fn first_half(hash: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&hash[..16]);
    half
}

/// The id by which files of a version of the numerics name a prepared model, if its arithmetic is that version's.
fn id_under(prepared: &Prepared, numerics: u8) -> Option<ModelId> {
    Some(ModelId::new(first_half(prepared.identity_under(numerics)?)))
}

/// Whether `header` names a prepared model, as [`Model::is_named_by`] says of an opened one.
pub fn names(header: &Header, prepared: &Prepared) -> bool {
    let id = id_under(prepared, header.numerics_version);
    id.is_some_and(|id| header.model_id.names(id))
}
