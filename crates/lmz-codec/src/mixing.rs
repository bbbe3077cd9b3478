//! The constants of mixing that more than the groups themselves need.

/// The version of mixing (docs/mixing.md) that this build writes; it reads all from 1 on.
pub const MIXING: u8 = 1;

/// Raw bytes of a group, where nothing else is asked for.
pub const GROUP_LEN: u32 = 1 << 20;

/// Most lanes of a round.
pub const MAX_LANES: usize = 64;
