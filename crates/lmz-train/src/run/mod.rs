//! A run: from the settings to the result.

mod card;
mod export;
mod metrics;
mod options;
mod plot;
mod settings;
mod state;
mod trainer;

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::time::Instant;

use lmz_float::{on_device, resolve};

use crate::bpe;
use crate::corpus::Corpus;
use crate::dataset::Dataset;
use crate::error::{Result, TrainError};
use crate::files;
use crate::tokenizer::Tokenizer;
use settings::Settings;
use trainer::Trainer;

pub use metrics::{HeldOut, Row};
pub use options::{Event, Options, Outcome, Summary, Watch};

/// Trains a model on a corpus, or goes on with a run.
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
    let dataset = Dataset::open(&data, &tokenizer.json)?;
    dataset.shares(&options.weights, options.preset.context)?;
    Ok(Some((tokenizer, dataset)))
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
