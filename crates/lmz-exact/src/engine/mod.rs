//! The forward pass in integers (docs/numerics.md, section 4).

mod answer;
mod attention;
mod cache;
mod forward;
mod head;
mod layer;
mod model;
mod parts;
mod pass;
mod planes;
mod rotary;
mod run;
mod scores;
mod shape;
mod share;
mod symbols;
mod wide;

pub use answer::Answer;
pub use cache::Cache;
pub use head::logits;
pub use layer::{BlockNorm, Layer, Norm};
pub use model::Engine;
pub use parts::{Embedding, Parts, Rules};
pub use pass::Scratch;
pub use rotary::Rotary;
pub use run::Run;
pub use scores::Scores;
pub use shape::{MAX_CONTEXT, Shape, VALUE_BITS};
pub use symbols::Symbols;
