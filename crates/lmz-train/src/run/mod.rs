//! A run: from the settings to the result.

mod card;
mod export;
mod metrics;
mod plot;
mod settings;
mod state;
mod trainer;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lmz_float::{Device, Dtype, on_device, resolve};
use serde::{Deserialize, Serialize};

use crate::bpe;
use crate::corpus::Corpus;
use crate::dataset::Dataset;
use crate::error::{Result, TrainError};
use crate::files;
use crate::preset::Preset;
use crate::schedule::Budget;
use crate::tokenizer::Tokenizer;
use settings::Settings;
use trainer::Trainer;

pub use metrics::{HeldOut, Row};

/// What to train, on what, and for how long.
#[derive(Clone, Debug)]
pub struct Options {
    /// Files and directories of text.
    pub corpus: Vec<PathBuf>,
    /// Text that is never trained on, for validation; the ends of the corpus if empty.
    pub held_out: Vec<PathBuf>,
    /// Take `.jsonl` files as they are, even where their lines have a `text`.
    pub raw: bool,
    /// Shape and recipe.
    pub preset: Preset,
    /// The result's directory; new or empty, unless a run is resumed.
    pub out: PathBuf,
    /// A `tokenizer.json` in place of one made from the corpus.
    pub tokenizer: Option<PathBuf>,
    /// Shares of the domains; those of their tokens if empty.
    pub weights: Vec<(String, f64)>,
    /// When to stop.
    pub budget: Budget,
    /// Where to compute.
    pub device: Device,
    /// The precision of products: [`Dtype::F32`], [`Dtype::Bf16`], or what the device is faster in.
    pub dtype: Option<Dtype>,
    /// Decides first weights and batches.
    pub seed: u64,
    /// Go on with the run in `out`.
    pub resume: bool,
    /// The time between saved states.
    pub save_every: Duration,
}

/// What a run tells while it is under way.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The tokenizer is being made.
    Tokenizer,
    /// The corpus is being tokenised: bytes of text so far.
    Tokens(u64),
    /// Something that the user should know.
    Notice(String),
    /// Training begins, or goes on at this step.
    Start {
        /// Parameters of the model.
        parameters: u64,
        /// The device's name and the precision of products.
        device: String,
        /// Steps done before.
        step: u64,
        /// Tokens of the corpus that are trained on.
        tokens: u64,
    },
    /// One more step.
    Step(Row),
    /// Held-out text was scored.
    HeldOut(HeldOut),
    /// The state was saved.
    Saved(u64),
}

/// Looks on, and may stop a run.
pub trait Watch {
    /// Something happened.
    fn event(&mut self, event: &Event);

    /// Whether to save the state and stop.
    fn stop(&self) -> bool {
        false
    }
}

/// How a run ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The model is in the output directory.
    Finished(Summary),
    /// It was stopped after this many steps, and can be resumed.
    Stopped(u64),
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Parameters of the model.
    pub parameters: u64,
    /// Steps.
    pub steps: u64,
    /// Tokens seen.
    pub tokens: u64,
    /// Minutes of work, preparation included.
    pub minutes: f64,
    /// The mean loss of the last steps, in nats a token.
    pub loss: f64,
    /// The last validation.
    pub held_out: Option<HeldOut>,
}

/// Trains a model.
///
/// # Errors
/// Settings that make no sense, a corpus that cannot be read or is too small, an output directory
/// that is in use; a resumed run whose settings differ; a state that cannot be saved; a loss that is
/// no number any more.
pub fn train(options: &Options, watch: &mut dyn Watch) -> Result<Outcome> {
    let begin = Instant::now();
    options.check()?;
    let corpus = Corpus::open(&options.corpus, options.raw)?;
    let held_out = match options.held_out.is_empty() {
        true => None,
        false => Some(Corpus::open(&options.held_out, options.raw)?),
    };
    let settings = Settings::new(options, &corpus, held_out.as_ref())?;
    let directory = options.out.join("run");
    if !options.resume {
        fresh(&options.out)?;
    } else if !directory.join(settings::FILE).exists() {
        return Err(TrainError::Output {
            path: options.out.clone(),
            reason: "there is no unfinished run to resume".into(),
        });
    }
    fs::create_dir_all(&directory).map_err(TrainError::write(&directory))?;
    let _lock = lock(&directory)?;
    match options.resume {
        true => settings.same_as(&Settings::read(&directory)?)?,
        false => settings.write(&directory)?,
    }
    files::remove_leftovers(&directory);
    files::remove_leftovers(&options.out);
    let made = prepare(options, &corpus, held_out.as_ref(), &directory, watch);
    let (tokenizer, dataset) = match made {
        Ok(Some(made)) => made,
        Ok(None) => return Ok(Outcome::Stopped(0)),
        Err(error) => {
            if !options.resume {
                // Nothing was trained yet, and the same call will do again.
                drop(_lock);
                let _ = fs::remove_dir_all(&directory);
                let _ = fs::remove_dir(&options.out);
            }
            return Err(error);
        }
    };
    let trainer = Trainer {
        options,
        settings: &settings,
        tokenizer: &tokenizer,
        dataset: &dataset,
        directory: &directory,
        begin,
        watch,
    };
    let (found, notice) = resolve(options.device)?;
    if let Some(notice) = notice {
        trainer.watch.event(&Event::Notice(notice));
    }
    on_device(found, trainer)?.0
}

/// The tokenizer and the tokens; none if the watch stopped it.
fn prepare(
    options: &Options,
    corpus: &Corpus,
    held_out: Option<&Corpus>,
    directory: &Path,
    watch: &mut dyn Watch,
) -> Result<Option<(Tokenizer, Dataset)>> {
    let path = directory.join("tokenizer.json");
    let json = match (&options.tokenizer, path.exists()) {
        (_, true) => fs::read(&path).map_err(TrainError::read(&path))?,
        (Some(given), false) => fs::read(given).map_err(TrainError::read(given))?,
        (None, false) => {
            watch.event(&Event::Tokenizer);
            bpe::train(corpus, options.preset.vocab, options.seed)?
        }
    };
    let tokenizer = Tokenizer::new(json)?;
    files::replace_bytes(&path, &tokenizer.json)?;
    let data = directory.join("data");
    if !data.exists() {
        let mut stopped = false;
        let (preset, seed) = (&options.preset, options.seed);
        let made = Dataset::make(
            &data,
            corpus,
            held_out,
            &tokenizer,
            preset,
            seed,
            &mut |bytes| {
                watch.event(&Event::Tokens(bytes));
                stopped = watch.stop();
                match stopped {
                    true => Err(TrainError::Tokenizer("stopped".into())),
                    false => Ok(()),
                }
            },
        );
        if stopped {
            return Ok(None);
        }
        for (skipped, what) in made?.iter().zip(["the corpus", "the held-out text"]) {
            if skipped.left_out() > 0 {
                let reasons = skipped.reasons().join(", ");
                let notice = format!("left out of {what}: lines that are no documents ({reasons})");
                watch.event(&Event::Notice(notice));
            }
        }
    }
    let dataset = Dataset::open(&data)?;
    dataset.shares(&options.weights, options.preset.context)?;
    Ok(Some((tokenizer, dataset)))
}

impl Options {
    fn check(&self) -> Result<()> {
        self.preset.check()?;
        match self.budget {
            Budget::Minutes(minutes) if !(minutes > 0.0 && minutes <= 1e7) => {
                return Err(TrainError::setting("minutes", "must be more than 0"));
            }
            Budget::Tokens(0) => return Err(TrainError::setting("tokens", "must be more than 0")),
            _ => {}
        }
        if let Some((name, weight)) = self.weights.iter().find(|(_, w)| !(*w >= 0.0 && *w < 1e9)) {
            let reason = format!("{name} has {weight}, which is no weight");
            return Err(TrainError::setting("weights", reason));
        }
        if self.dtype == Some(Dtype::F16) {
            let reason = "f16 has too small a range for gradients; take bf16 or f32";
            return Err(TrainError::setting("dtype", reason));
        }
        Ok(())
    }
}

/// Refuses to write among other files.
fn fresh(out: &Path) -> Result<()> {
    let refuse = |reason: &str| {
        Err(TrainError::Output {
            path: out.to_owned(),
            reason: reason.into(),
        })
    };
    match fs::read_dir(out) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) if out.join("run").join(settings::FILE).exists() => {
                refuse("there is an unfinished run in it: --resume goes on with it")
            }
            Some(_) => refuse("it is not empty"),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
            refuse("it is not a directory")
        }
        Err(error) => Err(TrainError::read(out)(error)),
    }
}

/// One process a run.
fn lock(directory: &Path) -> Result<File> {
    let path = directory.join("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path);
    let file = file.map_err(TrainError::write(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(TrainError::Output {
            path: directory.to_owned(),
            reason: "another process is at work on it".into(),
        }),
        Err(TryLockError::Error(error)) => Err(TrainError::write(&path)(error)),
    }
}
