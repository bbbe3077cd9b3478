//! Files and streams: what is read, what is written, and what they are called.

pub mod input;
pub mod names;
pub mod output;
pub mod source;
pub mod system;
