//! Memory that is asked for before a part of it is there: an allocation that fails in the middle ends the process.

use crate::error::{CodecError, Result};

/// Refuses what there is no memory for. `what` names it, as in "8 lanes of 512 positions".
pub fn ask(bytes: usize, what: impl FnOnce() -> String) -> Result<()> {
    Vec::<u8>::new()
        .try_reserve_exact(bytes)
        .map_err(|_| CodecError::Memory {
            bytes,
            what: what(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_had_is_named() {
        assert!(ask(1 << 16, || unreachable!()).is_ok());
        let error = ask(usize::MAX / 4, || "two lanes".into()).unwrap_err();
        let said = error.to_string();
        assert!(
            said.contains("two lanes") && said.contains("-T 1"),
            "{said}"
        );
    }
}
