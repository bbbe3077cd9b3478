//! From a wish for a device to a model that runs there.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use lmz_codec::{Meter, Model};
use lmz_gpu::Device;

use super::cache::{Cache, Entry};
use super::choice::choose;
use super::speed::{Key, Speed, rate};
use super::work::{Text, Work};

/// Whether there is any device but the CPU to choose.
const HAS_DEVICES: bool = cfg!(any(feature = "vulkan", feature = "cuda"));

/// What was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Where models are to run.
    pub device: Device,
    /// Bytes that may be taken there; a share of what is free if nobody says.
    pub memory: Option<u64>,
    /// Threads of the CPU; one for each core if 0.
    pub threads: usize,
}

/// What a person may want to know of a placement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Something did not go as it was asked for.
    Warning(String),
    /// A card was chosen.
    Choice(String),
    /// Why models run where they do.
    Detail(String),
}

/// Receives notes, from any thread.
pub type Notes = Arc<dyn Fn(&Note) + Send + Sync>;

/// Decides on which device models run, and takes them there.
#[derive(Clone)]
pub struct Placement {
    wanted: Wanted,
    work: Work,
    notes: Notes,
    text: OnceLock<Option<Text>>,
    meter: Arc<Meter>,
}

impl std::fmt::Debug for Placement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Placement")
            .field("wanted", &self.wanted)
            .field("work", &self.work)
            .finish_non_exhaustive()
    }
}

/// A model where it runs.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The model, ready to run.
    pub model: Model,
    device: Device,
    /// Seconds that the device took before it began.
    start: Option<f64>,
}

impl Placed {
    fn on_cpu(model: Model) -> Self {
        Self {
            model,
            device: Device::Cpu,
            start: None,
        }
    }

    /// Where it runs: on the CPU too once its device has failed. The device, and what it calls itself.
    pub fn place(&self) -> (Device, Option<String>) {
        match self.model.device_name() {
            Some(name) => (self.device, Some(name)),
            None => (Device::Cpu, None),
        }
    }
}

impl Placement {
    /// Places models for some work. `notes` hears what a person may want to know.
    pub fn new(wanted: Wanted, work: Work, notes: Notes) -> Self {
        Self {
            wanted,
            work,
            notes,
            text: OnceLock::new(),
            meter: Arc::default(),
        }
    }

    /// What is to be told how long models take ([`Observer::timed`](lmz_codec::Observer::timed)).
    pub fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    /// The model on its device; on the CPU, with a notice, if that is not to be had.
    pub fn place(&self, model: Model) -> Placed {
        if self.wanted.device == Device::Cpu {
            return Placed::on_cpu(model);
        }
        let all = lmz_gpu::available();
        let (device, notice) = match lmz_gpu::resolve(self.wanted.device, &all) {
            Ok(found) => found,
            Err(error) => (Device::Cpu, Some(error.to_string())),
        };
        self.warn(notice.as_deref());
        if device == Device::Cpu {
            if self.wanted.device == Device::Auto {
                self.explain("auto: no accelerator was found: the CPU is used");
            }
            return Placed::on_cpu(model);
        }
        if self.wanted.device == Device::Auto {
            let name = all.iter().find(|info| info.device == device);
            let name = name.map_or(String::new(), |info| info.name.clone());
            let text = self.text();
            let cache = Cache::of_user();
            let per_token = model.engine().multiply_adds();
            let lanes = text.map_or(1, |text| text.lanes);
            let cpu = cache.nearest(&Key::new(&self.cpu(&model), per_token, lanes));
            let card = cache.speed(&Key::new(&name, per_token, lanes));
            let choice = choose(text, per_token, cpu, card);
            if !choice.card {
                self.explain(&format!(
                    "auto: the CPU is used, not {device} ({name}): {}",
                    choice.why
                ));
                return Placed::on_cpu(model);
            }
            self.tell(&format!("auto: {device} ({name}): {}", choice.why));
        }
        let start = Instant::now();
        match lmz_gpu::open(device, model.engine(), self.wanted.memory) {
            Ok(accelerator) => {
                if self.wanted.device != Device::Auto {
                    self.explain(&format!("{device} is used: {}", accelerator.name()));
                }
                Placed {
                    model: model.on(accelerator),
                    device,
                    start: Some(start.elapsed().as_secs_f64()),
                }
            }
            Err(error) => {
                self.warn(Some(&format!("{error}; the CPU is used instead")));
                Placed::on_cpu(model)
            }
        }
    }

    /// Keeps what was measured of models while they worked, for the next `auto`.
    pub fn remember<'a>(&self, placed: impl Iterator<Item = &'a Placed>) {
        // With less memory than there is, a card is slower than it could be.
        if !HAS_DEVICES || self.wanted.memory.is_some() {
            return;
        }
        let entries: Vec<Entry> = placed.filter_map(|placed| self.measured(placed)).collect();
        Cache::add_to_user_s(&entries);
    }

    /// What is worth keeping. A device that has failed has nothing of the kind.
    fn measured(&self, placed: &Placed) -> Option<Entry> {
        let (model, per_token) = (&placed.model, placed.model.engine().multiply_adds());
        let timings = self.meter.timings(model);
        let mut speed = Speed {
            encoding: rate(timings.encoding, per_token),
            decoding: rate(timings.decoding, per_token),
            start: None,
        };
        if speed == Speed::default() {
            return None;
        }
        speed.start = placed.start;
        let name = match (placed.device, placed.place()) {
            (Device::Cpu, _) => self.cpu(model),
            (_, (_, Some(name))) => name,
            (_, (_, None)) => return None,
        };
        let lanes = self.text()?.lanes;
        Some(Entry::new(Key::new(&name, per_token, lanes), speed))
    }

    /// The CPU's name, with what of it is used.
    fn cpu(&self, model: &Model) -> String {
        let threads = match self.wanted.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let isa = model.engine().kernel().isa().name();
        format!("{}, {isa}, threads: {threads}", lmz_gpu::cpu_name())
    }

    /// How much is to be done; none if that is not known.
    fn text(&self) -> Option<Text> {
        *self.text.get_or_init(|| self.work.text())
    }

    pub(super) fn warn(&self, notice: Option<&str>) {
        if let Some(notice) = notice {
            (self.notes)(&Note::Warning(notice.to_owned()));
        }
    }

    pub(super) fn tell(&self, line: &str) {
        (self.notes)(&Note::Choice(line.to_owned()));
    }

    fn explain(&self, line: &str) {
        (self.notes)(&Note::Detail(line.to_owned()));
    }
}
