//! Conformance vectors: of the operations, of whole models, and of the coder.

mod coder;
mod models;
mod operations;
mod wide;

use crate::files::{Files, Result};

pub fn write(files: &mut Files) -> Result<()> {
    operations::write(files)?;
    models::write(files)?;
    wide::write(files)?;
    coder::write(files)
}
