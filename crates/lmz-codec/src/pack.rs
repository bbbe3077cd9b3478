//! A batch of segments to what is written of them: coded by the model or kept otherwise, and verified.

use lmz_format::Payload;
use lmz_model::Symbol;

use crate::drive::Drive;
use crate::error::{CodecError, Result};
use crate::fallback::{Packed, worth_modelling};
use crate::mixed::{CodedGroup, decode_groups, encode_with};
use crate::observer::Phase;
use crate::options::Mix;
use crate::pool;
use crate::unzstd::unzstd;

/// Packs segments, the first of which begins at raw offset `offset`.
pub fn pack(drive: &Drive<'_>, batch: &[Vec<u8>], how: How, offset: u64) -> Result<Vec<Packed>> {
    let (packed, symbols) = match how.mix {
        Mix::None => (by_the_model(drive, batch)?, Vec::new()),
        Mix::Auto => mixed(drive, batch, how.lanes)?,
    };
    if how.verify {
        verify(drive, batch, &packed, &symbols, offset)?;
    }
    Ok(packed)
}

/// How segments are packed.
#[derive(Clone, Copy, Debug)]
pub struct How {
    pub mix: Mix,
    pub lanes: Option<usize>,
    /// Whether each is decoded again and compared.
    pub verify: bool,
}

/// As groups, with the symbols of their text.
fn mixed(
    drive: &Drive<'_>,
    batch: &[Vec<u8>],
    lanes: Option<usize>,
) -> Result<(Vec<Packed>, Vec<Vec<Symbol>>)> {
    let groups: Vec<&[u8]> = batch.iter().map(|raw| &raw[..]).collect();
    let (coded, symbols): (Vec<_>, _) = encode_with(drive, &groups, lanes)?.into_iter().unzip();
    let packed = pool::map(batch.iter().zip(coded).collect(), |(raw, coded)| {
        Ok(Packed::smallest(raw, Some(coded), true))
    })?;
    Ok((packed, symbols))
}

/// By the model alone, what it is worth running on.
fn by_the_model(drive: &Drive<'_>, batch: &[Vec<u8>]) -> Result<Vec<Packed>> {
    let worth = pool::map(batch.iter().collect(), |raw| Ok(worth_modelling(raw)))?;
    let of = |wanted: bool| {
        let segments = batch.iter().zip(&worth);
        segments.filter(move |(_, worth)| **worth == wanted)
    };
    let modelled: Vec<&[u8]> = of(true).map(|(raw, _)| &raw[..]).collect();
    let mut coded = drive.encode(&modelled)?.into_iter();
    let coded = worth
        .iter()
        .map(|&worth| if worth { coded.next() } else { None });
    let packed = pool::map(batch.iter().zip(coded).collect(), |(raw, coded)| {
        Ok(Packed::smallest(raw, coded, false))
    })?;
    let skipped: usize = of(false).map(|(raw, _)| raw.len()).sum();
    drive.observer.advance(Phase::Encode, skipped as u64);
    Ok(packed)
}

/// Decodes each segment again, and compares it. What the model is shown of a group's text is read ahead where its passes wait for the
/// weights: each symbol still comes from the coded bytes, and must be the one that was shown.
fn verify(
    drive: &Drive<'_>,
    batch: &[Vec<u8>],
    packed: &[Packed],
    symbols: &[Vec<Symbol>],
    offset: u64,
) -> Result<()> {
    let (mut jobs, mut groups) = (Vec::new(), Vec::new());
    let ahead = drive.model.engine().waits_for_memory() && drive.model.device_name().is_none();
    for (number, (raw, packed)) in batch.iter().zip(packed).enumerate() {
        match packed.payload() {
            Payload::Model { coded, .. } => jobs.push((coded, raw.len())),
            Payload::Mixed { coded, .. } => groups.push(CodedGroup {
                coded,
                raw_len: raw.len(),
                known: symbols
                    .get(number)
                    .filter(|_| ahead)
                    .map_or(&[], Vec::as_slice),
            }),
            Payload::Zstd(_) | Payload::Stored => {}
        }
    }
    let mut decoded = drive.decode(&jobs, Phase::Verify)?.into_iter();
    let mut mixed = decode_groups(drive, &groups, Phase::Verify)?.into_iter();
    let missing = || Err("was not decoded".to_owned());
    let mut from = offset;
    for (raw, packed) in batch.iter().zip(packed) {
        let again = match packed {
            Packed::Model { .. } => decoded.next().unwrap_or_else(missing),
            Packed::Mixed { .. } => mixed.next().unwrap_or_else(missing),
            Packed::Zstd(coded) => unzstd(coded, raw.len()),
            Packed::Stored => Ok(raw.clone()),
        };
        if matches!(packed, Packed::Zstd(_) | Packed::Stored) {
            drive.observer.advance(Phase::Verify, raw.len() as u64);
        }
        let to = from + raw.len() as u64;
        let why = match again {
            Ok(again) if again == *raw => {
                from = to;
                continue;
            }
            Ok(_) => "other bytes".to_owned(),
            Err(why) => why,
        };
        return Err(CodecError::Verification { from, to, why });
    }
    Ok(())
}
