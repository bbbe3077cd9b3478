//! lmz beside other compressors, each at its strongest, on the same bytes.

mod error;
mod measure;
mod method;

pub use error::BenchError;
pub use measure::{Cost, Measurement, Setup, UsedModel, measure};
pub use method::{Engine, Method};
