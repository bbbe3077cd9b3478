//! From the arguments to a model.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use lmz::figures::show;
use lmz::float::{Device, use_threads};
use lmz::train::{Budget, Options, Outcome, Preset};

use super::args::{TrainArgs, definition};
use super::progress::Progress;
use crate::exit::Exit;
use crate::settings::{Talk, Volume};
use crate::terminal::message::{Failure, say};
use crate::verb::{Entry, Verb};
use crate::verbs::prepare::{Preparation, prepare};

/// The longest TOML file that is read.
const MAX_PRESET: u64 = 1 << 20;

impl Verb for TrainArgs {
    const NAME: &'static str = "train";

    fn definition() -> clap::Command {
        definition()
    }

    /// Trains a model, and prepares it for `-m`.
    fn run(self, _: &[Entry]) -> Result<Exit, Failure> {
        let talk = Talk::resolve(self.talk);
        let options = options(&self)?;
        let threads = usize::from(self.device.threads.unwrap_or(0));
        use_threads(threads).map_err(anyhow::Error::from)?;
        let mut progress = Progress::new(talk);
        let outcome = lmz::train::train(&options, &mut progress).map_err(anyhow::Error::from)?;
        drop(progress);
        let summary = match outcome {
            Outcome::Finished(summary) => summary,
            Outcome::Stopped(step) => {
                say(&format!(
                    "lmz: stopped after {step} steps; the same command with --resume goes on"
                ));
                return Ok(Exit::Error);
            }
        };
        let mut line = format!(
            "{}: {} parameters, {} tokens in {:.1} minutes",
            show(&self.out),
            summary.parameters,
            summary.tokens,
            summary.minutes
        );
        if let Some(held_out) = &summary.held_out {
            line += &format!(", held out {:.3} bits/byte", held_out.bits_per_byte);
        }
        say(&line);
        let resolved = self.out.canonicalize();
        let resolved = resolved.context("cannot find the model again")?;
        let name = resolved.file_name().unwrap_or_default().to_string_lossy();
        let prepared = self.out.join(format!("{name}.lmzm"));
        let quiet = talk.volume == Volume::Quiet;
        let exit = prepare(&Preparation {
            checkpoint: self.out.as_os_str(),
            output: &prepared,
            name: None,
            recipe: *lmz::RECIPES.end(),
            force: false,
            quiet,
        })?;
        if !quiet {
            let prepared = show(&prepared);
            say(&format!(
                "use it: lmz -m {prepared} FILE, and lmz -d -m {prepared} FILE.lmz (in a directory of \
                 $LMZ_MODELS, -d finds it by itself)"
            ));
        }
        Ok(exit)
    }
}

fn options(args: &TrainArgs) -> Result<Options> {
    let mut preset = match Preset::named(&args.preset) {
        Some(preset) => preset,
        None => read(Path::new(&args.preset))?,
    };
    if let Some(vocab) = args.vocab {
        preset.vocab = vocab;
    }
    Ok(Options {
        corpus: args.corpus.clone(),
        held_out: args.holdout.clone(),
        raw: args.raw,
        preset,
        out: args.out.clone(),
        tokenizer: args.tokenizer.clone(),
        weights: args.weights.clone(),
        budget: match (args.tokens, args.minutes) {
            (Some(tokens), _) => Budget::Tokens(tokens),
            (None, minutes) => Budget::Minutes(minutes.unwrap_or(15.0)),
        },
        device: args.device.device.unwrap_or(Device::Auto),
        dtype: args.dtype.as_deref().map(str::parse).transpose()?,
        seed: args.seed,
        resume: args.resume,
        save_every: Duration::from_secs(args.save_every),
        keep_at: args.keep_at.clone(),
    })
}

fn read(path: &Path) -> Result<Preset> {
    let names = Preset::NAMES.join(", ");
    let what = || {
        format!(
            "{} is none of {names}, and cannot be read as a file",
            show(path)
        )
    };
    let length = fs::metadata(path).with_context(what)?.len();
    if length > MAX_PRESET {
        return Err(anyhow!("{}: too long for a preset", show(path)));
    }
    let text = fs::read_to_string(path).with_context(what)?;
    Preset::from_toml(&text).with_context(|| show(path))
}
