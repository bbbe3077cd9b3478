//! The stage that learns the file.
#![forbid(unsafe_code)]

mod apm;
mod bank;
mod bytes;
mod coder;
mod mixer;
mod state;
mod tables;
mod text;
mod walk;

pub use bytes::Bytes;
pub use coder::Coder;
pub use text::{Symbol, Text};
pub use walk::{Kind, Node, Opinion, Sums, Views, Walk};
