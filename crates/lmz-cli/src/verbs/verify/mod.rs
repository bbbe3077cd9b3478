//! `lmz verify`: the ledger of a file, and whether it keeps what is promised.

mod args;
mod float;
mod run;
mod table;

pub use args::VerifyArgs;
