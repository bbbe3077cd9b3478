//! Where segments begin: decided by byte offsets alone, never by device or threads.

use crate::error::{FormatError, Result};
use crate::limits::MAX_SEGMENT_LEN;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// How a member's raw bytes are cut into segments. The last segment is what is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SegmentPlan {
    /// 64 KiB in the first MiB, 128 KiB up to 8 MiB, 256 KiB after.
    #[default]
    Default,
    /// Segments of this many bytes: 1 to [`MAX_SEGMENT_LEN`].
    Fixed(u32),
}

impl SegmentPlan {
    /// The plan of `bytes` bytes per segment.
    ///
    /// # Errors
    /// `InvalidArgument` for 0 and for more than [`MAX_SEGMENT_LEN`].
    pub fn fixed(bytes: u64) -> Result<Self> {
        match u32::try_from(bytes) {
            Ok(n) if (1..=MAX_SEGMENT_LEN).contains(&n) => Ok(Self::Fixed(n)),
            _ => Err(FormatError::invalid(format!(
                "a segment of {bytes} bytes is out of range: 1 to {MAX_SEGMENT_LEN}"
            ))),
        }
    }

    /// The size in bytes of the segment that starts at raw offset `offset` of the member, if
    /// enough bytes are left.
    pub fn size_at(self, offset: u64) -> u64 {
        match self {
            Self::Default if offset < MIB => 64 * KIB,
            Self::Default if offset < 8 * MIB => 128 * KIB,
            Self::Default => 256 * KIB,
            Self::Fixed(n) => u64::from(n),
        }
    }

    /// The raw offset at which segment `index` starts (saturating).
    pub fn start_of(self, index: u64) -> u64 {
        match self {
            Self::Default => match index {
                0..16 => index * 64 * KIB,
                16..72 => MIB + (index - 16) * 128 * KIB,
                _ => (index - 72)
                    .saturating_mul(256 * KIB)
                    .saturating_add(8 * MIB),
            },
            Self::Fixed(n) => index.saturating_mul(u64::from(n)),
        }
    }

    /// The number of the segment that holds raw offset `offset`.
    pub fn segment_at(self, offset: u64) -> u64 {
        match self {
            Self::Default if offset < MIB => offset / (64 * KIB),
            Self::Default if offset < 8 * MIB => 16 + (offset - MIB) / (128 * KIB),
            Self::Default => 72 + (offset - 8 * MIB) / (256 * KIB),
            Self::Fixed(n) => offset / u64::from(n.max(1)),
        }
    }

    /// How many segments a member of `raw_len` bytes has.
    pub fn count(self, raw_len: u64) -> u64 {
        raw_len
            .checked_sub(1)
            .map_or(0, |last| self.segment_at(last) + 1)
    }

    /// The plan as the header's varint: 0, or the fixed size.
    pub(crate) fn code(self) -> u64 {
        match self {
            Self::Default => 0,
            Self::Fixed(n) => u64::from(n),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closed_forms_agree_with_size_at() {
        for plan in [
            SegmentPlan::Default,
            SegmentPlan::Fixed(1000),
            SegmentPlan::Fixed(1),
        ] {
            let mut offset = 0;
            for index in 0..200 {
                assert_eq!(plan.start_of(index), offset);
                let size = plan.size_at(offset);
                assert_eq!(plan.segment_at(offset), index);
                assert_eq!(plan.segment_at(offset + size - 1), index);
                assert_eq!(plan.count(offset), index);
                assert_eq!(plan.count(offset + 1), index + 1);
                assert_eq!(plan.count(offset + size), index + 1);
                offset += size;
            }
            assert!(plan.count(u64::MAX) > 1 << 45);
        }
    }

    #[test]
    fn the_default_schedule_is_as_written() {
        let plan = SegmentPlan::Default;
        let sizes: Vec<_> = [0, MIB - 1, MIB, 8 * MIB - 1, 8 * MIB, u64::MAX]
            .map(|o| plan.size_at(o) / KIB)
            .into();
        assert_eq!(sizes, [64, 64, 128, 128, 256, 256]);
        assert!(SegmentPlan::fixed(0).is_err());
        assert!(SegmentPlan::fixed(1 + u64::from(MAX_SEGMENT_LEN)).is_err());
    }
}
