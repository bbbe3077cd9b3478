//! A batch of segments to what is written of them: coded by the model or kept otherwise, and verified.

use lmz_format::Payload;

use crate::drive::{Drive, Job};
use crate::error::{CodecError, Result};
use crate::fallback::{Packed, worth_modelling};
use crate::observer::Phase;
use crate::pool;
use crate::unzstd::unzstd;

/// Packs segments, the first of which begins at raw offset `offset`; with `verify`, each is decoded again and compared.
pub fn pack(
    drive: &Drive<'_>,
    batch: &[Vec<u8>],
    verify: bool,
    offset: u64,
) -> Result<Vec<Packed>> {
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
        Ok(Packed::smallest(raw, coded))
    })?;
    if verify {
        self::verify(drive, batch, &packed, offset)?;
    }
    let skipped: usize = of(false).map(|(raw, _)| raw.len()).sum();
    drive.observer.advance(Phase::Encode, skipped as u64);
    Ok(packed)
}

fn verify(drive: &Drive<'_>, batch: &[Vec<u8>], packed: &[Packed], offset: u64) -> Result<()> {
    let jobs = batch.iter().zip(packed);
    let jobs: Vec<Job<'_>> = jobs
        .filter_map(|(raw, packed)| match packed.payload() {
            Payload::Model { coded, .. } => Some(Job::new(coded, raw.len())),
            _ => None,
        })
        .collect();
    let mut decoded = drive.decode(&jobs, Phase::Verify)?.into_iter();
    let mut from = offset;
    for (raw, packed) in batch.iter().zip(packed) {
        let again = match packed {
            Packed::Model { .. } => decoded
                .next()
                .unwrap_or_else(|| Err("was not decoded".to_owned())),
            Packed::Zstd(coded) => unzstd(coded, raw.len()),
            Packed::Stored => Ok(raw.clone()),
        };
        if !matches!(packed, Packed::Model { .. }) {
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
