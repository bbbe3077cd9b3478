//! What a study's figures say.

mod answer;
mod exclusion;
mod size;
mod study;

pub use answer::{Answer, Drawn, ModelPart, Resampled, answer};
pub use exclusion::{Exclusion, MinK, RULE, abnormal};
pub use size::{DocumentCost, SizePoint, Spread, corpus_sizes, resampling_spread};
pub use study::{Study, study};
