//! Restoring what is left of a damaged file.

mod holes;
mod how;
mod report;
mod rescue;

use std::io::{Read, Seek, Write};

use lmz_format::{Part, Salvage};

use crate::error::Result;
use crate::member::Means;
use crate::observer::{Observer, Phase};
use crate::options::DecompressOptions;
use crate::pool::Pool;
use crate::source::ModelSource;

pub use holes::{Holes, MAX_WRITTEN_ZEROS, write_zeros};
pub use how::{Fill, Salvaging};
pub use report::{LostRange, SalvageReport};

use holes::Written;
use rescue::Rescue;

/// Restores every sound segment of a file, whatever else is damaged.
///
/// ```
/// use lmz_codec::{CompressOptions, DecompressOptions, Fill, Model, SegmentPlan, compress, salvage};
///
/// let model = Model::open("../../tests/models/stories260K.lmzm".as_ref())?;
/// let text = b"Once upon a time there was a little dog. ".repeat(20);
/// let options = CompressOptions { plan: SegmentPlan::fixed(200)?, ..Default::default() };
/// let mut file = Vec::new();
/// compress(&text[..], &mut file, &model, &options, &())?;
/// file.truncate(file.len() / 2);
///
/// let mut saved = Vec::new();
/// let file = std::io::Cursor::new(file);
/// let report = salvage(file, &mut saved, &model, &DecompressOptions::default(), Fill::Skip, &())?;
/// assert!(!report.is_whole() && saved.len() > 200 && text.starts_with(&saved));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Zero bytes are written once a sound one follows them or, at the end, precedes them, and at most
/// [`MAX_WRITTEN_ZEROS`] of them: [`salvage_with_holes`] has no such bound.
///
/// # Errors
/// An input that is empty or cannot be read at all; a missing model or prime; output that cannot be
/// written; cancellation. Damage is no error.
pub fn salvage(
    input: impl Read + Seek,
    output: impl Write,
    models: &dyn ModelSource,
    options: &DecompressOptions,
    how: impl Into<Salvaging>,
    observer: &dyn Observer,
) -> Result<SalvageReport> {
    let mut written = Written::new(output);
    salvage_with_holes(input, &mut written, models, options, how.into(), observer)
}

/// As [`salvage`], into what can leave holes.
///
/// # Errors
/// As [`salvage`].
pub fn salvage_with_holes(
    input: impl Read + Seek,
    output: &mut dyn Holes,
    models: &dyn ModelSource,
    options: &DecompressOptions,
    how: Salvaging,
    observer: &dyn Observer,
) -> Result<SalvageReport> {
    let mut found = Salvage::open(input)?;
    let pool = Pool::new(options.threads)?;
    observer.begin(&[Phase::Decode], None);
    let means = Means {
        models,
        prime: options.prime.as_ref(),
        pool: &pool,
        observer,
    };
    let mut rescue = Rescue::new(output, means, how);
    for part in found.parts().to_vec() {
        match part {
            Part::Rubbish(range, why) => rescue.rubbish(range, why),
            Part::Member(remains) => rescue.member(&mut found, &remains)?,
        }
    }
    rescue.finish()
}
