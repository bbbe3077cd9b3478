//! A source and the common arguments to a corpus.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::error::ErrorKind;
use lmz::{CompressOptions, Mix, Model, ModelStore, compress_to_vec};
use lmz_corpus::CorpusError;
use lmz_corpus::build::sources::Source;
use lmz_corpus::build::stages::{
    self, Build, Near, Paragraphs, Part, Quality, Settings, collect, extract, filter, merge,
};

use super::args::{BuildArgs, CorpusArgs, NearArg, StageName};
use super::progress::Progress;
use super::show;
use super::words::in_words;
use crate::exit::Exit;
use crate::settings::{Nonsense, Talk};
use crate::terminal::message::Failure;
use crate::verb::definition_of;

/// What a source does unless it is told otherwise.
pub struct Defaults {
    /// For near duplicates; `None` is off.
    pub near: Option<f64>,
    /// Words that are one element of the sets that are compared: 1 for code, as CodeParrot has it.
    pub near_words: usize,
    /// For lines that several documents have.
    pub paragraphs: Paragraphs,
    /// Fewest characters that must be left.
    pub min_characters: u64,
}

/// Ends the process with a usage error.
pub fn nonsense(message: impl Into<String>) -> ! {
    Nonsense::new(ErrorKind::ValueValidation, message).exit(definition_of::<CorpusArgs>())
}

/// Builds the corpus, or does a stage of it.
pub fn build(
    source: &dyn Source,
    args: BuildArgs,
    defaults: &Defaults,
    progress: Progress,
) -> Result<Exit, Failure> {
    let settings = settings(&args, defaults);
    let needs_out = matches!(args.stage, None | Some(StageName::Collect));
    let out = match (&args.out, needs_out) {
        (Some(out), _) => out.clone(),
        (None, true) => nonsense("where the corpus goes is missing: --out FILE"),
        (None, false) => PathBuf::new(),
    };
    if args.shard.is_some() && matches!(args.stage, Some(StageName::Merge | StageName::Collect)) {
        nonsense(
            "--shard is for the stages extract and filter: merge and collect take all inputs together",
        );
    }
    if needs_out && !has_folder(&out) {
        let error = std::io::ErrorKind::NotFound.into();
        return Err(in_words(CorpusError::Io { path: out, error }));
    }
    let own = args.work.is_none();
    let directory = args.work.clone().unwrap_or_else(|| work_of(&out));
    let build = Build::open(
        source,
        &settings,
        &progress,
        args.threads.count(),
        &directory,
    );
    let build = build.map_err(in_words)?;
    let part = args.shard.unwrap_or(Part::WHOLE);
    let model = match args.quality.filter(|_| needs_out) {
        Some(_) => Some(model(&args)?),
        None => None,
    };
    let score = |text: &str| match &model {
        Some(model) => bits_per_byte(model, text),
        None => Ok(0.0),
    };
    let quality = match (&model, args.quality) {
        (Some(model), Some(percent)) => Some(Quality {
            percent,
            bytes: usize::try_from(args.quality_bytes)
                .unwrap_or(usize::MAX)
                .max(64),
            model: model.id().to_string(),
            score: &score,
        }),
        _ => None,
    };
    let done = match args.stage {
        Some(StageName::Extract) => extract(&build, part).map(|()| None),
        Some(StageName::Merge) => merge(&build).map(|()| None),
        Some(StageName::Filter) => filter(&build, part).map(|()| None),
        Some(StageName::Collect) => collect(&build, &out, quality.as_ref()).map(Some),
        None => stages::build(&build, &out, quality.as_ref()).map(Some),
    };
    let manifest = done.map_err(in_words)?;
    if own {
        build.work().clone().remove().map_err(in_words)?;
    }
    drop(progress);
    match manifest {
        Some(manifest) => show::manifest(&manifest, args.json, Talk::resolve(args.talk)),
        None => Ok(Exit::Success),
    }
}

/// Whether the folder that a file goes to is there.
fn has_folder(path: &Path) -> bool {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    folder.is_none_or(Path::is_dir)
}

/// The work directory of an output without one.
fn work_of(out: &Path) -> PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_os_string();
    name.push(".work");
    out.with_file_name(name)
}

fn settings(args: &BuildArgs, defaults: &Defaults) -> Settings {
    let threshold = match args.near {
        None => defaults.near,
        Some(NearArg::Off) => None,
        Some(NearArg::Above(part)) => Some(part),
    };
    Settings {
        exact: !args.keep_duplicates,
        paragraphs: args.paragraphs.map_or(defaults.paragraphs, Into::into),
        near: threshold.map(|threshold| Near {
            threshold,
            words: defaults.near_words,
        }),
        min_characters: defaults.min_characters,
        seed: args.seed,
        size: args.size,
        per_host: args.per_host,
    }
}

fn model(args: &BuildArgs) -> Result<Model, Failure> {
    let store = ModelStore::from_env();
    let found = match args.model.model.as_deref() {
        Some(asked) => store.open(asked).map_err(anyhow::Error::from),
        None => lmz::embedded_model().map_err(anyhow::Error::from),
    };
    found.map_err(Failure::Fatal)
}

/// What a text costs: the size of what this program would make of it with the model alone. Integers decide, so it is the same
/// on every machine.
fn bits_per_byte(model: &Model, text: &str) -> Result<f64, CorpusError> {
    let options = CompressOptions {
        mix: Mix::None,
        threads: 1,
        verify: false,
        ..CompressOptions::default()
    };
    let packed = compress_to_vec(text.as_bytes(), model, &options);
    let packed = packed
        .map_err(|error| CorpusError::Refused(anyhow!(error).context("the model").to_string()))?;
    Ok(packed.len() as f64 * 8.0 / text.len().max(1) as f64)
}
