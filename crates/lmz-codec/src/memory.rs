//! Memory that is asked for before a part of it is there: an allocation that fails in the middle ends the process.

use crate::error::{CodecError, Result};

const FEWER: &str = "fewer threads take less: -T 1; so do a shorter --context and smaller segments when compressing";
const SMALLER: &str = "a smaller model takes less";

/// Refuses what there is no memory for. `what` names it, as in "8 lanes of 512 positions".
pub fn ask(bytes: usize, what: impl FnOnce() -> String) -> Result<()> {
    ask_for(bytes, what, FEWER)
}

/// The same of a model's weights.
pub fn ask_for_weights(bytes: usize, model: &str) -> Result<()> {
    ask_for(
        bytes,
        || format!("the weights of the model {model}"),
        SMALLER,
    )
}

fn ask_for(bytes: usize, what: impl FnOnce() -> String, remedy: &'static str) -> Result<()> {
    Vec::<u8>::new()
        .try_reserve_exact(bytes)
        .map_err(|_| CodecError::Memory {
            bytes,
            what: what(),
            remedy,
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
