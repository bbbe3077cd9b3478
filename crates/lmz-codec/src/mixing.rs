//! The constants of mixing that more than the groups themselves need.

/// Raw bytes of a group, where nothing else is asked for.
pub const GROUP_LEN: u32 = 1 << 20;

/// Most lanes of a round.
pub const MAX_LANES: usize = 64;
