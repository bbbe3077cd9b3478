//! Groups that are coded by the model together with what is learnt of the file, behind the feature `mixed`.
//!
//! **No file is written with it yet**: the container has no kind of segment for it, and what is coded may change. The
//! arithmetic is that of `docs/mixing.md`.
//!
//! A *group* is what decodes independently. The router cuts its bytes into parts by looking at them: text is coded by
//! the model and by what was seen; binary, tables and the like by what was seen alone; noise is stored; a long repeat
//! is a copy. The text's symbols are read by the model in blocks; a *round* is so many consecutive blocks, coded in lock
//! step, a symbol of each in turn, and all of them teach the same contexts. The order depends on the bytes and on the
//! number of *lanes* alone, never on threads.
//!
//! * `route` and `repeats`: the parts; `part`: their list; `layout`: what stands before the coded bytes;
//! * `rounds`: which blocks go in lock step; `places`: symbols as the walk knows them;
//! * `encode`, `decode`, and `contexts` for what no model is worth running on.

mod contexts;
mod decode;
mod encode;
mod layout;
mod part;
mod places;
mod repeats;
mod rounds;
mod route;

use lmz_format::ContextPolicy;

use crate::drive::Drive;
use crate::error::{CodecError, Result};
use crate::model::Model;
use crate::observer::{Observer, Phase};
use crate::options::{CompressOptions, DecompressOptions};
use crate::pool::Pool;
use crate::prime::Prime;
use crate::shown::Shown;

pub use layout::MAX_LANES;

/// Codes groups of at most 2^26 bytes each, in rounds of `lanes` blocks: with 1 the text takes the fewest bytes, with
/// more a decoder has more to do at once. Of `options`, what concerns segments and verifying is not looked at.
///
/// # Errors
/// A number of lanes that is not within 1 to [`MAX_LANES`], a group that is longer; impossible options; a model that
/// cannot compress; cancellation.
pub fn encode_groups(
    groups: &[&[u8]],
    model: &Model,
    options: &CompressOptions,
    lanes: usize,
    observer: &dyn Observer,
) -> Result<Vec<Vec<u8>>> {
    if !(1..=MAX_LANES).contains(&lanes) {
        return Err(CodecError::InvalidArgument(format!(
            "{lanes} lanes are out of range: 1 to {MAX_LANES}"
        )));
    }
    let most = lmz_format::MAX_SEGMENT_LEN as usize;
    if let Some(group) = groups.iter().find(|group| group.len() > most) {
        return Err(CodecError::InvalidArgument(format!(
            "a group of {} bytes is longer than {most}",
            group.len()
        )));
    }
    let policy = options.context_policy(model)?;
    let shown = shown(options.prime.as_ref(), model, policy)?;
    let drive = Drive::new(model, policy, &shown, observer);
    Pool::new(options.threads)?.install(|| encode::encode_groups(&drive, groups, lanes))
}

/// Restores a group of `raw_len` bytes that was coded under `policy`. Whether the bytes are the right ones only a
/// checksum tells.
///
/// # Errors
/// Coded bytes that no group has, as [`CodecError::InvalidArgument`]; a model that fails; cancellation.
pub fn decode_group(
    coded: &[u8],
    raw_len: usize,
    model: &Model,
    policy: ContextPolicy,
    options: &DecompressOptions,
    observer: &dyn Observer,
) -> Result<Vec<u8>> {
    let shown = shown(options.prime.as_ref(), model, policy)?;
    let drive = Drive::new(model, policy, &shown, observer);
    let threads = Pool::new(options.threads)?.threads();
    let decoded = decode::decode_group(&drive, coded, raw_len, threads, Phase::Decode)?;
    decoded.map_err(|why| CodecError::InvalidArgument(format!("the group {why}")))
}

fn shown(prime: Option<&Prime>, model: &Model, policy: ContextPolicy) -> Result<Shown> {
    Ok(match prime {
        Some(prime) => prime.begin(model, policy)?.1,
        None => Shown::default(),
    })
}
