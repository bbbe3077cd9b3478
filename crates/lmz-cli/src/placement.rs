//! Where models run: what `--device` comes to.

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

use lmz::format::{IndexedReader, MAGIC};
use lmz::gpu::{self, Device};
use lmz::{CodecError, Header, Model, ModelSource, ModelStore, SegmentPlan};

use crate::message::say;
use crate::settings::{Mode, Settings, Source, Volume};
use crate::speed::{Cache, Entry, Key, Speed, Text, choose, rate};

/// Bytes of text that a compressed one stands for, about.
const TEXT_PER_PACKED: u64 = 4;

/// Most files whose index is read to know how much text is in them.
const MOST_READ: usize = 64;

/// Whether there is any device but the CPU to choose.
const HAS_DEVICES: bool = cfg!(any(feature = "vulkan", feature = "cuda"));

/// Where models run.
#[derive(Clone, Debug)]
pub struct Placement {
    wanted: Device,
    /// Bytes that may be taken.
    memory: Option<u64>,
    threads: usize,
    volume: Volume,
    /// Somebody may want to know what was chosen.
    reports: bool,
    work: Work,
    text: OnceLock<Option<Text>>,
}

/// What is to be done with files.
#[derive(Clone, Debug)]
struct Work {
    sources: Vec<Source>,
    mode: Mode,
    verify: bool,
    plan: SegmentPlan,
}

/// A model where it runs.
#[derive(Clone, Debug)]
pub struct Placed {
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
    /// As the command line says, for the files that it names.
    pub fn new(settings: &Settings) -> Self {
        Self {
            wanted: settings.device,
            memory: settings.memory,
            threads: settings.options.threads,
            volume: settings.volume,
            reports: settings.reports,
            work: Work {
                sources: settings.sources.clone(),
                mode: settings.mode,
                verify: settings.options.verify,
                plan: settings.options.plan,
            },
            text: OnceLock::new(),
        }
    }

    /// The model on its device; on the CPU, with a notice, if that is not to be had.
    pub fn place(&self, model: Model) -> Placed {
        if self.wanted == Device::Cpu {
            return Placed::on_cpu(model);
        }
        let all = gpu::available();
        let (device, notice) = match gpu::resolve(self.wanted, &all) {
            Ok(found) => found,
            Err(error) => (Device::Cpu, Some(error.to_string())),
        };
        self.warn(notice.as_deref());
        if device == Device::Cpu {
            if self.wanted == Device::Auto {
                self.explain("auto: no accelerator was found: the CPU is used");
            }
            return Placed::on_cpu(model);
        }
        if self.wanted == Device::Auto {
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
        match gpu::open(device, model.engine(), self.memory) {
            Ok(accelerator) => {
                if self.wanted != Device::Auto {
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
        if !HAS_DEVICES || self.memory.is_some() {
            return;
        }
        let entries: Vec<Entry> = placed.filter_map(|placed| self.measured(placed)).collect();
        Cache::add_to_user_s(&entries);
    }

    /// What is worth keeping. A device that has failed has nothing of the kind.
    fn measured(&self, placed: &Placed) -> Option<Entry> {
        let (model, per_token) = (&placed.model, placed.model.engine().multiply_adds());
        let timings = model.timings();
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
        let threads = match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let isa = model.engine().kernel().isa().name();
        format!("{}, {isa}, threads: {threads}", gpu::cpu_name())
    }

    /// How much is to be done; none if that is not known.
    fn text(&self) -> Option<Text> {
        *self.text.get_or_init(|| self.work.text())
    }

    fn warn(&self, notice: Option<&str>) {
        if let Some(notice) = notice.filter(|_| self.volume > Volume::Quiet) {
            say(&format!("lmz: warning: {notice}"));
        }
    }

    fn tell(&self, line: &str) {
        if self.reports {
            say(&format!("lmz: {line}"));
        }
    }

    fn explain(&self, line: &str) {
        if self.volume == Volume::Verbose {
            say(&format!("lmz: {line}"));
        }
    }
}

impl Work {
    fn text(&self) -> Option<Text> {
        let mut text = Text::default();
        let look = self.sources.len() <= MOST_READ;
        for source in &self.sources {
            let Source::File(path) = source else {
                return None;
            };
            let (len, packed) = size(path, look)?;
            match self.mode {
                Mode::Compress if !packed => text.add(len, true, self.verify, self.plan),
                // Of what is packed already, `verify` and `inspect` are asked.
                _ => text.add(len, false, true, SegmentPlan::Default),
            }
        }
        Some(text)
    }
}

/// The bytes of text in a file, about, and whether they are compressed.
fn size(path: &Path, look: bool) -> Option<(u64, bool)> {
    // Opening a named pipe would wait for its writer, or end what it has to say.
    let meta = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    let mut file = File::open(path).ok()?;
    let mut start = [0; MAGIC.len()];
    let packed = file.read_exact(&mut start).is_ok() && start == MAGIC;
    if !packed {
        return Some((meta.len(), false));
    }
    let index = look.then(|| IndexedReader::open(BufReader::new(file)).ok());
    let len = match index.flatten() {
        Some(index) => index.raw_len(),
        None => meta.len().saturating_mul(TEXT_PER_PACKED),
    };
    Some((len, true))
}

/// The models of a store, each on its device.
#[derive(Debug)]
pub struct PlacedStore {
    store: ModelStore,
    placement: Placement,
    /// Placed before: a model is taken to a device once.
    placed: Mutex<Vec<Placed>>,
}

impl PlacedStore {
    pub fn new(store: ModelStore, placement: Placement) -> Self {
        Self {
            store,
            placement,
            placed: Mutex::default(),
        }
    }

    /// What was placed so far.
    pub fn placed(&self) -> Vec<Placed> {
        let placed = self.placed.lock().unwrap_or_else(PoisonError::into_inner);
        placed.clone()
    }
}

impl ModelSource for PlacedStore {
    fn find(&self, header: &Header) -> Result<Model, CodecError> {
        let mut placed = self.placed.lock().unwrap_or_else(PoisonError::into_inner);
        let known = placed.iter().map(|placed| &placed.model);
        if let Some(model) = known.clone().find(|m| m.is_named_by(header)) {
            return Ok(model.clone());
        }
        let found = self.placement.place(self.store.find(header)?);
        let model = found.model.clone();
        placed.push(found);
        Ok(model)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn text(mode: Mode, verify: bool, paths: &[&PathBuf]) -> Option<Text> {
        let work = Work {
            sources: paths
                .iter()
                .map(|p| Source::File(p.to_path_buf()))
                .collect(),
            mode,
            verify,
            plan: SegmentPlan::Fixed(100),
        };
        work.text()
    }

    #[test]
    fn work_is_known_from_files_alone() {
        let place = tempfile::tempdir().unwrap();
        let plain = place.path().join("plain");
        let packed = place.path().join("packed.lmz");
        let raw = "how much wood would a woodchuck chuck? ".repeat(50);
        fs::write(&plain, &raw).unwrap();
        let mut out = Vec::new();
        let model = lmz::embedded_model().unwrap();
        let options = lmz::CompressOptions::default();
        lmz::compress(raw.as_bytes(), &mut out, &model, &options, &()).unwrap();
        fs::write(&packed, &out).unwrap();
        let len = raw.len() as u64;
        let of = |encoding, decoding, lanes| {
            Some(Text {
                encoding,
                decoding,
                lanes,
            })
        };
        assert_eq!(text(Mode::Compress, true, &[&plain]), of(len, len, 16));
        assert_eq!(text(Mode::Compress, false, &[&plain]), of(len, 0, 16));
        // What a compressed file holds stands in its index.
        assert_eq!(text(Mode::Test, true, &[&packed]), of(0, len, 1));
        assert_eq!(
            text(Mode::Compress, true, &[&plain, &packed]),
            of(len, 2 * len, 16)
        );
        // A file that only begins like one is guessed from its size.
        fs::write(&packed, &out[..out.len() / 2]).unwrap();
        let guess = out.len() as u64 / 2 * TEXT_PER_PACKED;
        assert_eq!(text(Mode::Test, true, &[&packed]), of(0, guess, 1));
    }

    #[test]
    fn what_is_no_file_is_not_opened() {
        let place = tempfile::tempdir().unwrap();
        let missing = place.path().join("missing");
        let directory = place.path().to_path_buf();
        assert_eq!(text(Mode::Compress, true, &[&missing]), None);
        assert_eq!(text(Mode::Compress, true, &[&directory]), None);
        let pipe = place.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        if made.is_ok_and(|status| status.success()) {
            // Opening it would wait for a writer.
            assert_eq!(text(Mode::Compress, true, &[&pipe]), None);
        }
        let work = Work {
            sources: vec![Source::Stdin],
            mode: Mode::Compress,
            verify: true,
            plan: SegmentPlan::Default,
        };
        assert_eq!(work.text(), None);
    }
}
