//! Groups by themselves, without a container.

use lmz_format::ContextPolicy;
use lmz_mix::Version;

use super::decode::{CodedGroup, decode_groups};
use super::encode::encode_groups as encode_with;
use crate::drive::Drive;
use crate::error::{CodecError, Result};
use crate::model::Model;
use crate::observer::{Observer, Phase};
use crate::options::{CompressOptions, DecompressOptions};
use crate::pool::Pool;
use crate::prime::Prime;
use crate::shown::Shown;

/// Codes groups of at most 2^26 bytes each under `options`, of which the plan and verifying are not looked at.
///
/// # Errors
/// A number of lanes that is not within 1 to [`MAX_LANES`](super::MAX_LANES), a group that is longer; impossible options; a model that
/// cannot compress; cancellation.
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
    let longest = groups.iter().map(|group| group.len()).max().unwrap_or(0);
    let policy = options.context_policy(model, longest)?;
    let shown = shown(options.prime.as_ref(), model, policy)?;
    let drive = Drive::new(model, policy, &shown, Version::NEWEST, observer);
    let coded =
        Pool::new(options.threads)?.install(|| encode_with(&drive, groups, options.lanes))?;
    Ok(coded.into_iter().map(|(coded, _)| coded.bytes).collect())
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
    let drive = Drive::new(model, policy, &shown, Version::NEWEST, observer);
    let pool = Pool::new(options.threads)?;
    let group = CodedGroup {
        coded,
        raw_len,
        known: &[],
    };
    let decoded = pool.install(|| decode_groups(&drive, &[group], Phase::Decode))?;
    let decoded = decoded.into_iter().next();
    let decoded = decoded.unwrap_or_else(|| Err("was not decoded".into()));
    decoded.map_err(|why| CodecError::InvalidArgument(format!("the group {why}")))
}

pub(super) fn shown(prime: Option<&Prime>, model: &Model, policy: ContextPolicy) -> Result<Shown> {
    Ok(match prime {
        Some(prime) => prime.begin(model, policy)?.1,
        None => Shown::default(),
    })
}
