//! Lanes on a device.

mod answers;
mod lanes;
mod layer;
mod model;
mod read;
mod state;

pub use model::ModelOn;
pub use state::Session;
