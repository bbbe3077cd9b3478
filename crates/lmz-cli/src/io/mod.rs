//! Files and streams: what is read, what is written, and what they are called.

pub mod attributes;
pub mod closed;
pub mod input;
pub mod names;
pub mod output;
pub mod source;
mod sparse;
pub mod system;
