//! `lmz inspect`: what is in a file, and where its bits go.

mod args;
mod columns;
mod page;
mod run;
mod table;

pub use args::InspectArgs;
