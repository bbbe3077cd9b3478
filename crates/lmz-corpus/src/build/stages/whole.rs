//! All stages, one after the other.

use std::path::Path;

use super::collect::collect;
use super::context::Build;
use super::extract::extract;
use super::filter::filter;
use super::merge::merge;
use super::output::Manifest;
use super::quality::Quality;
use super::shard::Part;
use crate::error::Result;

/// All four stages, and the manifest of what was written.
///
/// # Errors
/// Those of the stages. What was done is kept in the work directory.
pub fn build(build: &Build<'_>, out: &Path, quality: Option<&Quality<'_>>) -> Result<Manifest> {
    build.work.sweep()?;
    extract(build, Part::WHOLE)?;
    merge(build)?;
    filter(build, Part::WHOLE)?;
    collect(build, out, quality)
}
