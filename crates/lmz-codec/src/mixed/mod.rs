//! Groups: segments that are coded by the model together with what is learnt of them.
//!
//! A *group* is what decodes independently. The router cuts its bytes into parts by looking at them: text is coded by
//! the model and by what was seen; binary, tables and the like by what was seen alone; noise is stored; a long repeat
//! is a copy. The text's symbols are read by the model in blocks; a *round* is so many consecutive blocks, coded in lock
//! step, a symbol of each in turn, and all of them teach the same contexts. The order depends on the bytes and on the
//! number of *lanes* alone, never on threads. The arithmetic is that of `docs/mixing.md`, the layout that of
//! `docs/format.md`.
//!
//! Files are made of groups by [`compress`](crate::compress()); here are groups by themselves.
//!
//! * `route` and `repeats`: the parts; `part`: their list; `layout`: what stands before the coded bytes;
//! * `rounds`: which blocks go in lock step; `places`: symbols as the walk knows them;
//! * `encode`, `decode`, `text`, and `contexts` for what no model is worth running on.

mod contexts;
mod decode;
#[cfg(feature = "encode")]
mod encode;
mod layout;
mod part;
mod places;
#[cfg(feature = "encode")]
mod priced;
#[cfg(feature = "encode")]
mod repeats;
mod rounds;
#[cfg(feature = "encode")]
mod route;
mod text;
#[cfg(feature = "encode")]
mod views;

use lmz_format::ContextPolicy;

use crate::drive::Drive;
use crate::error::{CodecError, Result};
use crate::model::Model;
use crate::observer::{Observer, Phase};
use crate::options::{CompressOptions, DecompressOptions};
use crate::pool::Pool;
use crate::prime::Prime;
use crate::shown::Shown;

pub(crate) use decode::decode_groups;
#[cfg(feature = "encode")]
pub(crate) use encode::{Group, encode_groups as encode_with, mix, prepare, score};
#[cfg(feature = "encode")]
pub(crate) use layout::Head;
#[cfg(feature = "encode")]
pub(crate) use part::PartKind;
#[cfg(feature = "encode")]
pub(crate) use views::{BlockViews, Reduce};

pub use crate::mixing::{GROUP_LEN, MAX_LANES};

/// How many blocks go in lock step in a group that begins with these coded bytes; none in what no group begins with.
pub fn lanes(coded: &[u8]) -> Option<usize> {
    layout::lanes(*coded.first()?)
}

/// Codes groups of at most 2^26 bytes each under `options`, of which the plan and verifying are not looked at.
///
/// # Errors
/// A number of lanes that is not within 1 to [`MAX_LANES`], a group that is longer; impossible options; a model that
/// cannot compress; cancellation.
#[cfg(feature = "encode")]
pub fn encode_groups(
    groups: &[&[u8]],
    model: &Model,
    options: &CompressOptions,
    observer: &dyn Observer,
) -> Result<Vec<Vec<u8>>> {
    options.check_lanes()?;
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
    let coded =
        Pool::new(options.threads)?.install(|| encode_with(&drive, groups, options.lanes))?;
    Ok(coded.into_iter().map(|coded| coded.bytes).collect())
}

/// Restores a group of `raw_len` bytes that was coded under `policy`. Whether the bytes are the right ones only a
/// checksum tells.
///
/// # Errors
/// Coded bytes that no group has, as [`CodecError::InvalidArgument`]; a model that fails; cancellation.
#[cfg(feature = "encode")]
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
    let pool = Pool::new(options.threads)?;
    let decoded = pool.install(|| decode_groups(&drive, &[(coded, raw_len)], Phase::Decode))?;
    let decoded = decoded.into_iter().next();
    let decoded = decoded.unwrap_or_else(|| Err("was not decoded".into()));
    decoded.map_err(|why| CodecError::InvalidArgument(format!("the group {why}")))
}

#[cfg(feature = "encode")]
fn shown(prime: Option<&Prime>, model: &Model, policy: ContextPolicy) -> Result<Shown> {
    Ok(match prime {
        Some(prime) => prime.begin(model, policy)?.1,
        None => Shown::default(),
    })
}
