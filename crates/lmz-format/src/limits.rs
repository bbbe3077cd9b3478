//! The constants of the format: magic bytes, version, and bounds on what a file may claim.

/// The first four bytes of every member.
pub const MAGIC: [u8; 4] = [0x89, b'L', b'M', b'Z'];
/// The last four bytes of every member.
pub const END_MAGIC: [u8; 4] = [b'Z', b'M', b'L', 0x89];
/// The newest format version that this build writes; it reads all from 1 on.
pub const FORMAT_VERSION: u8 = 2;
/// The most raw bytes that a segment may hold (64 MiB), and so the most coded bytes.
pub const MAX_SEGMENT_LEN: u32 = 1 << 26;
/// The most bytes that a header's body may take.
pub const MAX_BODY_LEN: usize = 4096;
/// The most bytes that a model's name may take.
pub const MAX_MODEL_NAME_LEN: usize = 255;
/// The most raw bytes that a small member of any version may hold.
pub const MAX_SMALL_LEN: usize = 1 << 20;
/// The most raw bytes of a small member that does not name its model.
pub const MAX_NAMELESS_LEN: usize = 64 << 10;
/// The most ideal bits, in units of 1/256 bit, that a segment may claim per raw byte (64 bits).
pub const MAX_IDEAL_PER_RAW_BYTE: u64 = 64 * 256;
