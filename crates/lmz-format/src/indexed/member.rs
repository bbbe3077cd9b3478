//! A member of an opened file, and where its records lie.

use crate::hash::RawHash;
use crate::header::Header;
use crate::record::RecordHeader;
use crate::small::SmallHeader;

/// A member of an opened file.
#[derive(Clone, Debug)]
pub struct Member {
    /// Number of the member in the file.
    pub number: u64,
    /// What its header says (or, if that is damaged, its copy in the footer).
    pub header: Header,
    /// Offset in the file at which the member starts.
    pub start: u64,
    /// Size of the member in bytes.
    pub len: u64,
    /// Offset of the member's first raw byte in the concatenation of all members.
    pub raw_start: u64,
    /// Raw bytes of the member.
    pub raw_len: u64,
    /// The hash of its raw bytes; a small member has none.
    pub raw_hash: Option<RawHash>,
    /// The header is damaged and was replaced by its copy in the footer: worth a warning.
    pub header_damaged: bool,
    /// The end byte before the footer is damaged: a stream reader would refuse the member.
    pub end_byte_damaged: bool,
    pub(super) header_len: u64,
    pub(super) index_len: u64,
    pub(super) records_at: u64,
    pub(super) record_starts: Vec<u64>,
    /// The record of a small member's segment, which its header holds.
    pub(super) small: Option<RecordHeader>,
}

impl Member {
    pub(crate) fn of_small(small: &SmallHeader, start: u64) -> Self {
        let coded = small.record.map(|record| u64::from(record.coded_len));
        Self {
            number: 0,
            header: small.header.clone(),
            start,
            len: small.member_len(),
            raw_start: 0,
            raw_len: small.raw_len(),
            raw_hash: None,
            header_damaged: false,
            end_byte_damaged: false,
            header_len: small.len as u64,
            index_len: 0,
            records_at: start + small.len as u64,
            record_starts: [0].into_iter().chain(coded).collect(),
            small: small.record,
        }
    }

    /// Where the record of a segment lies in the file; empty for none.
    pub(crate) fn record_range(&self, segment: u64) -> std::ops::Range<u64> {
        let bounds = usize::try_from(segment).ok().and_then(|segment| {
            let [from, to] = self.record_starts.get(segment..segment + 2)? else {
                return None;
            };
            Some(self.records_at + from..self.records_at + to)
        });
        bounds.unwrap_or_default()
    }

    /// Segments of the member.
    pub fn segment_count(&self) -> u64 {
        self.record_starts.len() as u64 - 1
    }

    /// Bytes of all segment records, coded bytes included.
    pub fn records_len(&self) -> u64 {
        self.record_starts.last().copied().unwrap_or(0)
    }

    /// Raw bytes of segment `segment`, as the plan and the length give them; 0 beyond the last.
    pub fn segment_raw_len(&self, segment: u64) -> u64 {
        let start = self.header.plan.start_of(segment);
        let left = self.raw_len.saturating_sub(start);
        self.header.plan.size_at(start).min(left)
    }
}
