//! MIN-K% PROB over the splits of benchmarks.

use std::ffi::OsString;
use std::path::PathBuf;

use lmz_eval::contamination::{Contamination, MinK, all_scores, flags};
use lmz_eval::data::DataDirectory;
use lmz_eval::report::ModelFacts;
use lmz_eval::task::Chosen;
use lmz_float::kernels::Products;
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
        // As `lmz eval --min-k`.
        products: Products::Double,
        ..ScoringOptions::default()
    };
    let mut model = FloatLanguageModel::open(model, scoring)?;
    found.notes.extend(model.notice().map(str::to_owned));
    let data = DataDirectory::new(options.data.as_deref());
    for chosen in &options.tasks {
        watch.begin(&chosen.task, 0);
        let (scores, missing) = all_scores(&mut model, &chosen.task, &data, options.min_k, watch)?;
        found.splits.extend(scores);
        found.notes.extend(missing);
    }
    found.flags = flags(&found.splits);
    Ok(found)
}
