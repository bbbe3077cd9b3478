//! The segments of one member, back to bytes.

use lmz_format::{Header, RawHash, SegmentInfo, SegmentKind};
use lmz_mix::Version;

use crate::drive::Drive;
use crate::error::{CodecError, Result};
use crate::mixed::{CodedGroup, Stretch, decode_groups, left_of_group};
use crate::model::Model;
use crate::observer::{Observer, Phase};
use crate::pool::Pool;
use crate::prime::{Prime, shown};
use crate::shown::Shown;
use crate::source::{ModelSource, check_versions};
use crate::unzstd::{unzstd, unzstd_beginning};

/// What a member may need to be decoded.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    pub models: &'a dyn ModelSource,
    pub prime: Option<&'a Prime>,
    pub pool: &'a Pool,
    pub observer: &'a dyn Observer,
}

/// Decodes segments of a member. Its model is found when the first of them needs it.
#[derive(Debug)]
pub struct MemberDecoder {
    header: Header,
    ready: Option<Ready>,
}

/// What the model's segments are decoded with.
#[derive(Clone, Debug)]
pub struct Ready {
    pub model: Model,
    pub shown: Shown,
}

/// More bytes than the range decoder looks ahead.
const CUT: usize = 32;

/// A segment's record, and its coded bytes.
pub type CodedSegment = (SegmentInfo, Vec<u8>);

impl MemberDecoder {
    /// For segments under this header.
    pub fn new(header: Header) -> Self {
        Self {
            header,
            ready: None,
        }
    }

    /// What its segments are decoded with, once one has needed it.
    #[cfg(feature = "encode")]
    pub fn drive<'a>(&'a self, observer: &'a dyn Observer) -> Option<Drive<'a>> {
        let Ready { model, shown } = self.ready.as_ref()?;
        Some(Drive::new(
            model,
            self.header.context,
            shown,
            mixing_of(&self.header),
            observer,
        ))
    }

    /// The model, once a segment has needed it.
    pub fn model(&self) -> Option<&Model> {
        self.ready.as_ref().map(|ready| &ready.model)
    }

    /// Decodes segments and checks each.
    pub fn decode(
        &mut self,
        batch: &[CodedSegment],
        means: Means<'_>,
    ) -> Result<Vec<Result<Vec<u8>>>> {
        let of = |kind| {
            let own = batch.iter().filter(move |(info, _)| info.kind == kind);
            own.map(|(info, coded)| (&coded[..], info.raw_len as usize))
        };
        let jobs: Vec<(&[u8], usize)> = of(SegmentKind::Model).collect();
        let groups = of(SegmentKind::Mixed).map(|(coded, raw_len)| CodedGroup {
            coded,
            raw_len,
            known: &[],
        });
        let groups: Vec<CodedGroup<'_>> = groups.collect();
        let (mut decoded, mut mixed) = (Vec::new(), Vec::new());
        // What zstd keeps and what is stored need no model, and no numerics.
        if !(jobs.is_empty() && groups.is_empty()) {
            let drive = self.find(means)?;
            means.pool.install(|| -> Result<()> {
                decoded = drive.decode(&jobs, Phase::Decode)?;
                mixed = decode_groups(&drive, &groups, Phase::Decode)?;
                Ok(())
            })?;
        }
        let (mut decoded, mut mixed) = (decoded.into_iter(), mixed.into_iter());
        let missing = || Err("was not decoded".to_owned());
        let results = batch.iter().map(|(info, coded)| {
            let raw = match info.kind {
                SegmentKind::Model => decoded.next().unwrap_or_else(missing),
                SegmentKind::Mixed => mixed.next().unwrap_or_else(missing),
                SegmentKind::Zstd => unzstd(coded, info.raw_len as usize),
                SegmentKind::Stored => Ok(coded.clone()),
            };
            if matches!(info.kind, SegmentKind::Zstd | SegmentKind::Stored) {
                means.observer.advance(Phase::Decode, info.raw_len.into());
            }
            checked(info, raw)
        });
        Ok(results.collect())
    }

    /// What the first of a segment's coded bytes, up to a cut, say for sure of its raw bytes. No checksum vouches for
    /// it.
    pub fn left(
        &mut self,
        info: &SegmentInfo,
        left: &[u8],
        means: Means<'_>,
    ) -> Result<Vec<Stretch>> {
        let raw_len = info.raw_len as usize;
        let mut raw = match info.kind {
            SegmentKind::Stored => left.to_vec(),
            SegmentKind::Zstd => unzstd_beginning(left, raw_len),
            SegmentKind::Mixed | SegmentKind::Model => {
                let drive = self.find(means)?;
                if info.kind == SegmentKind::Mixed {
                    return means
                        .pool
                        .install(|| left_of_group(&drive, left, raw_len, Phase::Decode));
                }
                // All that may follow lies between these: what they agree on does not depend on it.
                let lowest = [left, &[0; CUT]].concat();
                let highest = [left, &[0xff; CUT]].concat();
                let coded = [&lowest[..], &highest[..]];
                means
                    .pool
                    .install(|| drive.agreed(coded, raw_len, Phase::Decode))?
            }
        };
        raw.truncate(raw_len);
        Ok(match raw.is_empty() {
            true => Vec::new(),
            false => vec![(0, raw)],
        })
    }

    /// Refuses what this build cannot decode, finds the model, and takes of the prime what the model is shown.
    fn find<'a>(&'a mut self, means: Means<'a>) -> Result<Drive<'a>> {
        let ready = match self.ready.take() {
            Some(ready) => ready,
            None => {
                check_versions(&self.header)?;
                let context = self.header.context.context;
                if context as usize > lmz_exact::MAX_CONTEXT {
                    return Err(CodecError::Unsupported {
                        what: "a context of",
                        found: context.into(),
                        supported: lmz_exact::MAX_CONTEXT as u64,
                    });
                }
                let model = means.models.find(&self.header)?;
                let shown = shown(&self.header, &model, means.prime)?;
                Ready { model, shown }
            }
        };
        let Ready { model, shown } = self.ready.insert(ready);
        let (context, mixing) = (self.header.context, mixing_of(&self.header));
        Ok(Drive::new(model, context, shown, mixing, means.observer))
    }
}

/// The version of mixing of a header whose versions were checked; of one without mixing any.
fn mixing_of(header: &Header) -> Version {
    Version::from_number(header.mixing).unwrap_or(Version::NEWEST)
}

fn checked(info: &SegmentInfo, raw: Result<Vec<u8>, String>) -> Result<Vec<u8>> {
    let raw = raw.map_err(|why| segment_error(info, why))?;
    info.check_raw(&raw)
        .map_err(|_| segment_error(info, "its checksum does not match"))?;
    Ok(raw)
}

/// The error of a segment.
pub fn segment_error(info: &SegmentInfo, why: impl Into<String>) -> CodecError {
    let (from, to) = (info.raw_offset, info.raw_offset + u64::from(info.raw_len));
    CodecError::Segment {
        place: info.place(),
        from,
        to,
        why: why.into(),
    }
}

/// Compares the hash of a member's raw bytes. A small member has none: its one segment's checksum covers it.
pub fn check_hash(member: u64, found: RawHash, expected: Option<RawHash>) -> Result<()> {
    match expected {
        Some(expected) if !expected.agrees_with(found) => Err(CodecError::Hash {
            member,
            found: found.to_string(),
            expected: expected.to_string(),
        }),
        _ => Ok(()),
    }
}
