//! How large things from outside may be.

/// Largest document that is built, and largest file or record that is looked at for one, unpacked.
pub const MAX_ITEM_BYTES: u64 = 16 << 20;
/// Longest line of JSON that describes something (a paper, a message): all of its text with escapes.
pub const MAX_LINE_BYTES: u64 = 4 * MAX_ITEM_BYTES;
