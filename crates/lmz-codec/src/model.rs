//! A model for compressing and decompressing, and where a file's model comes from.

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use lmz_exact::{Accelerator, Engine, Kernel, NUMERICS, Prepared, RECIPE, prepare};
use lmz_format::{Header, ModelId};
use lmz_model::{Blueprint, Checkpoint, ExactTokenizer, ModelError};

use crate::device::Device;
use crate::error::{CodecError, Result};
use crate::timing::Timings;

/// Segments of a batch, for each thread of the CPU: as many as its lanes take.
pub(crate) const SEGMENTS_PER_THREAD: usize = 16;
/// Of the default plan, in bytes.
const LONGEST_SEGMENT: u64 = 256 << 10;

/// A prepared model with its engine. Clones share it.
#[derive(Clone, Debug)]
pub struct Model {
    inner: Arc<Inner>,
    /// Where it runs, if not on the CPU.
    device: Option<Arc<Device>>,
    timings: Arc<Mutex<Timings>>,
}

#[derive(Debug)]
struct Inner {
    prepared: Prepared,
    engine: Engine,
    /// Only encoders need one.
    tokenizer: OnceLock<ExactTokenizer>,
}

impl Model {
    /// Opens a Hugging Face directory (prepared on the way) or a prepared `.lmzm` file.
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
        if path.is_dir() {
            let checkpoint = Checkpoint::open(path)?;
            return Self::from_prepared(prepare(&checkpoint, &checkpoint.name)?, kernel);
        }
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
        let engine = Engine::new(&prepared, kernel)?;
        Ok(Self {
            inner: Arc::new(Inner {
                prepared,
                engine,
                tokenizer: OnceLock::new(),
            }),
            device: None,
            timings: Arc::default(),
        })
    }

    /// The same model on a device that holds it: the bytes are the same. If the device fails, the
    /// [observer](crate::Observer::notice) is told, and the CPU goes on.
    pub fn on(&self, accelerator: Arc<dyn Accelerator>) -> Self {
        Self {
            inner: self.inner.clone(),
            device: Some(Arc::new(Device::new(accelerator))),
            timings: Arc::default(),
        }
    }

    /// What the device is called that it runs on; `None` on the CPU, and once the device has failed.
    pub fn device_name(&self) -> Option<String> {
        self.device().and_then(Device::name)
    }

    /// How long its engine took so far, all clones together.
    pub fn timings(&self) -> Timings {
        let mut now = Timings::default();
        self.timed(|timings| now = *timings);
        now
    }

    pub(crate) fn timed(&self, change: impl FnOnce(&mut Timings)) {
        change(&mut self.timings.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Where it runs, if not on the CPU.
    pub(crate) fn device(&self) -> Option<&Device> {
        self.device.as_deref()
    }

    /// Segments that are best coded together with `threads` threads: as many as there are lanes.
    pub(crate) fn segments_at_once(&self, threads: usize) -> usize {
        let lanes = self.device().map_or(0, Device::lanes);
        lanes.max(SEGMENTS_PER_THREAD * threads)
    }

    /// Raw bytes at which a batch is full, `for_cpu` on the CPU: bounds memory.
    pub(crate) fn bytes_at_once(&self, for_cpu: u64) -> u64 {
        let lanes = self.device().map_or(0, Device::lanes) as u64;
        for_cpu.max(lanes * LONGEST_SEGMENT)
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        &self.inner.prepared.name
    }

    /// The first half of its identity, as files store it.
    pub fn id(&self) -> ModelId {
        ModelId::new(first_half(self.inner.prepared.identity()))
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
    pub fn tokenizer(&self) -> Result<&ExactTokenizer> {
        let inner = &*self.inner;
        if let Some(tokenizer) = inner.tokenizer.get() {
            return Ok(tokenizer);
        }
        let json = inner.prepared.tokenizer_json()?;
        let tokenizer = ExactTokenizer::new(&json, inner.engine.symbols().vocabulary())?;
        Ok(inner.tokenizer.get_or_init(|| tokenizer))
    }

    /// The first half of the checkpoint's hash, as files store it.
    pub(crate) fn checkpoint(&self) -> [u8; 16] {
        first_half(self.inner.prepared.checkpoint)
    }
}

fn first_half(hash: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&hash[..16]);
    half
}

/// Where decompression gets the model that a file names.
pub trait ModelSource {
    /// The model of a member's header.
    ///
    /// # Errors
    /// If there is none; the message says where it was looked for.
    fn find(&self, header: &Header) -> Result<Model>;
}

/// The one model at hand, or an error.
impl ModelSource for Model {
    fn find(&self, header: &Header) -> Result<Model> {
        if header.model_id.names(self.id()) {
            return Ok(self.clone());
        }
        Err(CodecError::WrongModel {
            needed: header.model_id,
            needed_name: header.model_name.clone(),
            found: self.id(),
            found_name: self.name().to_owned(),
        })
    }
}

/// Refuses numerics and recipes that this build does not have.
pub(crate) fn check_versions(header: &Header) -> Result<()> {
    let check = |what, found: u8, supported: RangeInclusive<u8>| {
        if supported.contains(&found) {
            return Ok(());
        }
        Err(CodecError::Unsupported {
            what,
            found: found.into(),
            supported: u64::from(*supported.end()),
        })
    };
    check("numerics version", header.numerics_version, NUMERICS)?;
    check("preparation recipe", header.recipe, RECIPE..=RECIPE)
}
