//! Benchmarks: from the names of models and tasks to results. What tasks are and how answers are judged is in the
//! crate `lmz-eval`, of which all is here, too.

mod contaminated;
mod evaluation;
mod model;

pub use contaminated::{ContaminationOptions, contamination};
pub use evaluation::{Answerer, EvalOptions, EvalWatch, Evaluated, evaluate};
pub use lmz_eval::*;
pub use model::FloatLanguageModel;
