//! Tasks, runs and results as the library's users see them; no real model is needed.

mod bad_input;
mod common;
mod oracle;
mod running;
#[cfg(target_os = "linux")]
mod sandbox;
