//! From a file to its ledger.

use std::io::{Read, Seek};

use lmz_codec::trace::{SegmentTrace, Tracer};
use lmz_codec::{ModelSource, Observer, Phase};
use lmz_coder::Cost;
use lmz_format::{ContainerBytes, MAX_IDEAL_PER_RAW_BYTE, SegmentKind};
use lmz_model::Symbol;

use super::account::{Ledger, Mixed, Restored};
use super::bits::Bits;
use super::characters::Characters;
use super::error::LedgerError;
use super::float;
use crate::scorer::Scorer;

/// Decodes the whole file, traces it, and draws up its ledger.
///
/// With an `original`, the decoded bytes are compared with it. `scorer` is the float engine of the
/// file's model; it sees exactly the contexts in which the file was coded. Raw bytes pass
/// [`Phase::Decode`] and, where the model codes them, [`Phase::Encode`]; with a scorer all pass
/// [`Phase::Verify`] as well.
///
/// # Errors
/// A file that is damaged or does not restore; a model that is not there; a failure of the float
/// engine; cancellation. A broken promise is no error: see [`Ledger::bounds`].
pub fn reconcile<R: Read + Seek, S: ModelSource>(
    tracer: &mut Tracer<R, S>,
    mut scorer: Option<&mut dyn Scorer>,
    mut original: Option<&mut dyn Read>,
    observer: &dyn Observer,
) -> Result<Ledger, LedgerError> {
    let mut models = Vec::new();
    for member in tracer.members() {
        let model = (member.header.model_id, member.header.model_name.clone());
        if !models.contains(&model) {
            models.push(model);
        }
    }
    let mut ids = models.iter().map(|(id, _)| id);
    if let (Some(_), Some(first)) = (&scorer, ids.next())
        && ids.any(|id| id != first)
    {
        return Err(LedgerError::SeveralModels);
    }
    let mut ledger = Ledger {
        file_bytes: tracer.file_len(),
        raw_bytes: tracer.raw_len(),
        characters: None,
        restored: match original {
            Some(_) => Restored::Compared,
            None => Restored::Checksums,
        },
        members: tracer.members().len() as u64,
        segments: [0; 4],
        models,
        tokens: 0,
        escapes: 0,
        float: scorer.as_ref().map(|_| Bits::default()),
        exact: Bits::default(),
        quantised: Bits::default(),
        spent: Bits::default(),
        mixed: Mixed::default(),
        coded: [0; 4],
        container: ContainerBytes::default(),
        misrecorded: 0,
    };
    ledger.container = tracer.container_bytes()?;
    let mut characters = Characters::default();
    let mut compared = 0;
    while let Some(batch) = tracer.next_batch(observer)? {
        for segment in &batch {
            characters.push(&segment.raw);
            ledger.add(segment);
            if let Some(original) = &mut original {
                compare(&segment.raw, *original, compared)?;
            }
            compared += segment.raw.len() as u64;
        }
        if let (Some(scorer), Some(sum)) = (&mut scorer, &mut ledger.float) {
            *sum += float::bits(&batch, *scorer, observer)?;
            observer.advance(
                Phase::Verify,
                batch.iter().map(|segment| segment.raw.len() as u64).sum(),
            );
        }
    }
    if let Some(original) = original {
        end(original, compared)?;
    }
    ledger.characters = characters.finish();
    Ok(ledger)
}

impl Ledger {
    fn add(&mut self, segment: &SegmentTrace) {
        let kind = match segment.info.kind {
            SegmentKind::Model => 0,
            SegmentKind::Zstd => 1,
            SegmentKind::Stored => 2,
            SegmentKind::Mixed => 3,
        };
        self.segments[kind] += 1;
        self.coded[kind] += u64::from(segment.info.coded_len);
        if matches!(segment.info.kind, SegmentKind::Zstd | SegmentKind::Stored) {
            return;
        }
        for symbol in &segment.symbols {
            match symbol.symbol {
                Symbol::Token(_) => self.tokens += 1,
                Symbol::Escape(_) => self.escapes += 1,
            }
        }
        let ideal: Cost = segment.ideal();
        self.exact += ideal.into();
        let coded = match &segment.mixed {
            None => {
                self.quantised += segment.quantised().into();
                self.spent += segment.spent.cost().into();
                ideal
            }
            Some(group) => {
                let mixed = &mut self.mixed;
                mixed.exact += ideal.into();
                mixed.text += group.text.into();
                mixed.contexts += group.contexts.into();
                mixed.heads += group.head as u64;
                mixed.stored += group.stored as u64;
                group.ideal()
            }
        };
        let most = MAX_IDEAL_PER_RAW_BYTE * u64::from(segment.info.raw_len);
        // A small member's header has no room for it.
        let recorded = segment.info.ideal_bits;
        if recorded.is_some_and(|recorded| recorded != coded.to_q8().min(most)) {
            self.misrecorded += 1;
        }
    }
}

/// Reads as many bytes of the original as were decoded, and compares.
fn compare(decoded: &[u8], original: &mut dyn Read, offset: u64) -> Result<(), LedgerError> {
    let mut same = Vec::with_capacity(decoded.len());
    original
        .take(decoded.len() as u64)
        .read_to_end(&mut same)
        .map_err(LedgerError::Original)?;
    if same == decoded {
        return Ok(());
    }
    let at = same.iter().zip(decoded).position(|(a, b)| a != b);
    Err(LedgerError::Differs {
        offset: offset + at.unwrap_or(same.len()) as u64,
    })
}

/// Nothing may be left of the original.
fn end(original: &mut dyn Read, offset: u64) -> Result<(), LedgerError> {
    let mut more = Vec::new();
    original
        .take(1)
        .read_to_end(&mut more)
        .map_err(LedgerError::Original)?;
    if more.is_empty() {
        Ok(())
    } else {
        Err(LedgerError::Differs { offset })
    }
}
