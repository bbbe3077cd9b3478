//! One contract for whatever runs a model: lanes, of which the CPU's are the first.
//!
//! A lane is a sequence of positions with its keys and values. Rows, each a position of a lane, are
//! [submitted](Lanes::submit) with [queries](Query); [collecting](Lanes::collect) hands out a [`Prediction`] for each
//! query, in order. Nothing of what is handed out depends on which rows are submitted together.

mod contract;
mod cpu;
mod prediction;
mod prefix;

pub use contract::{Accelerator, Lanes, Query, Row};
pub use cpu::CpuLanes;
pub use prediction::Prediction;
pub use prefix::Prefix;
