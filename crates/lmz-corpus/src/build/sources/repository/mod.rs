//! Source code: repositories of git, and tarballs of them.

mod archive;
mod git;
mod licence;
mod source;

pub use licence::licence_of;
pub use source::{Known, Repositories};
