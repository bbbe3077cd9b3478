//! What is shown on standard error, and signals.

pub mod bar;
pub mod message;
pub mod progress;
pub mod signal;
pub mod usage;
pub mod visible;
