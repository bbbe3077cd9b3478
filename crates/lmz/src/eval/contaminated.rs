//! MIN-K% PROB over the splits of benchmarks.

use std::ffi::OsString;
use std::path::PathBuf;

use lmz_eval::EvalError;
use lmz_eval::contamination::{Contamination, MinK, flags, split_scores};
use lmz_eval::data::DataDirectory;
use lmz_eval::report::ModelFacts;
use lmz_eval::task::Chosen;
use lmz_float::{Device, Dtype, ScoringOptions};

use super::evaluation::EvalWatch;
use super::model::FloatLanguageModel;
use crate::scoring::{ScoredModel, ScoringError};
use crate::store::ModelStore;

/// Which benchmarks are looked at, and how.
#[derive(Clone, Debug)]
pub struct ContaminationOptions {
    /// The model: what [`ScoredModel::open`] takes.
    pub model: Option<OsString>,
    /// The tasks.
    pub tasks: Vec<Chosen>,
    /// A directory with files of benchmarks.
    pub data: Option<PathBuf>,
    /// Percent of the tokens, and how many examples.
    pub min_k: MinK,
    /// Where the model runs.
    pub device: Device,
    /// The type of its numbers.
    pub dtype: Dtype,
    /// Bytes of memory that may be taken there.
    pub memory: Option<u64>,
}

/// Scores every split of the tasks. What is not there is a note.
///
/// # Errors
/// The model cannot be opened or fails; a file is not what the task says; `watch` stopped it.
pub fn contamination(
    options: &ContaminationOptions,
    watch: &dyn EvalWatch,
) -> Result<Contamination, ScoringError> {
    let model = ScoredModel::open(&ModelStore::from_env(), options.model.as_deref())?;
    let mut found = Contamination {
        lmz: env!("CARGO_PKG_VERSION").into(),
        model: ModelFacts {
            name: model.name.clone(),
            kind: model.identity.kind.clone(),
            hash: model.identity.hash.clone(),
            tokenizer_hash: model.identity.tokenizer_hash.clone(),
        },
        splits: Vec::new(),
        flags: Vec::new(),
        notes: model.tokenizer.notices(),
    };
    let scoring = ScoringOptions {
        device: options.device,
        dtype: options.dtype,
        memory_budget: options.memory,
        ..ScoringOptions::default()
    };
    let mut model = FloatLanguageModel::open(model, scoring)?;
    found.notes.extend(model.notice().map(str::to_owned));
    let data = DataDirectory::new(options.data.as_deref());
    for chosen in &options.tasks {
        let task = &chosen.task;
        let mut splits: Vec<&str> = task
            .source
            .iter()
            .map(|source| source.split.as_str())
            .collect();
        splits.sort_unstable();
        splits.dedup();
        for split in splits {
            watch.begin(task, 0);
            match split_scores(&mut model, task, &data, split, options.min_k, watch) {
                Ok(scores) => found.splits.extend(scores),
                Err(error @ EvalError::Missing { .. }) => {
                    found.notes.push(format!("{split}: {error}"));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    found.flags = flags(&found.splits);
    Ok(found)
}
