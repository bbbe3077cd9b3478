//! Where models run: what `--device` comes to.

use std::fs;
use std::sync::{Mutex, PoisonError};

use lmz::gpu::{self, Device};
use lmz::{CodecError, Header, Model, ModelSource, ModelStore};

use crate::message::say;
use crate::settings::{Mode, Settings, Source, Volume};

/// Multiply-adds below which `auto` stays on the CPU: starting a device takes longer than they do.
const SMALL_WORK: u64 = 1 << 38;

/// Bytes of text that a token stands for, and bytes that a compressed one does, about.
const TEXT_PER_TOKEN: u64 = 4;
const TEXT_PER_PACKED: u64 = 4;

/// Where models run.
#[derive(Clone, Debug)]
pub struct Placement {
    wanted: Device,
    /// Bytes of text, about; none if that is not known.
    text: Option<u64>,
    volume: Volume,
}

impl Placement {
    /// As the command line says, for the files that it names.
    pub fn new(settings: &Settings) -> Self {
        let len = |source: &Source| match source {
            Source::Stdin => None,
            Source::File(path) => fs::metadata(path).ok().map(|m| m.len()),
        };
        let lens: Option<Vec<u64>> = settings.sources.iter().map(len).collect();
        let factor = if settings.mode == Mode::Compress {
            1
        } else {
            TEXT_PER_PACKED
        };
        Self {
            wanted: settings.device,
            text: lens.map(|lens| {
                lens.iter()
                    .fold(0, |a, b| b.saturating_mul(factor).saturating_add(a))
            }),
            volume: settings.volume,
        }
    }

    /// The model on its device; on the CPU, with a notice, if that is not to be had.
    pub fn place(&self, model: Model) -> Model {
        if self.wanted == Device::Cpu {
            return model;
        }
        let (device, notice) = match gpu::resolve(self.wanted, &gpu::available()) {
            Ok(found) => found,
            Err(error) => (Device::Cpu, Some(error.to_string())),
        };
        self.warn(notice.as_deref());
        if device == Device::Cpu {
            if self.wanted == Device::Auto {
                self.explain("no accelerator was found: the CPU is used");
            }
            return model;
        }
        let work = self
            .text
            .map(|text| (text / TEXT_PER_TOKEN).saturating_mul(model.engine().multiply_adds()));
        if self.wanted == Device::Auto && work.is_none_or(|work| work < SMALL_WORK) {
            self.explain(match work {
                Some(_) => "the work is small: the CPU is used",
                None => "how much work there is is not known: the CPU is used",
            });
            return model;
        }
        match gpu::open(device, model.engine(), None) {
            Ok(accelerator) => {
                self.explain(&format!("{device} is used: {}", accelerator.name()));
                model.on(accelerator)
            }
            Err(error) => {
                self.warn(Some(&format!("{error}; the CPU is used instead")));
                model
            }
        }
    }

    fn warn(&self, notice: Option<&str>) {
        if let Some(notice) = notice.filter(|_| self.volume > Volume::Quiet) {
            say(&format!("lmz: warning: {notice}"));
        }
    }

    fn explain(&self, line: &str) {
        if self.volume == Volume::Verbose {
            say(&format!("lmz: {line}"));
        }
    }
}

/// The models of a store, each on its device.
#[derive(Debug)]
pub struct Placed {
    store: ModelStore,
    placement: Placement,
    /// Placed before: a model is taken to a device once.
    placed: Mutex<Vec<Model>>,
}

impl Placed {
    pub fn new(store: ModelStore, placement: Placement) -> Self {
        Self {
            store,
            placement,
            placed: Mutex::default(),
        }
    }
}

impl ModelSource for Placed {
    fn find(&self, header: &Header) -> Result<Model, CodecError> {
        let mut placed = self.placed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(model) = placed.iter().find(|m| header.model_id.names(m.id())) {
            return Ok(model.clone());
        }
        let model = self.placement.place(self.store.find(header)?);
        placed.push(model.clone());
        Ok(model)
    }
}
