//! The stages of a build; see [`super`].

mod collect;
mod context;
mod extract;
mod filter;
mod merge;
mod output;
mod quality;
mod settings;
mod shard;
mod whole;

pub use collect::collect;
pub use context::Build;
pub use extract::extract;
pub use filter::filter;
pub use merge::merge;
pub use output::{Manifest, ManifestInput, ManifestOutput, Output};
pub use quality::{Quality, Score};
pub use settings::{Near, Paragraphs, Settings};
pub use shard::Part;
pub use whole::build;
