//! Why there is no number.

use serde::{Deserialize, Serialize, Serializer};

/// A number, or why there is none.
pub type Figure<T = f64> = Result<T, Undefined>;

/// Why a statistic has no value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum Undefined {
    /// Fewer models than the statistic needs. Two points always lie on a line.
    #[error("{found} models have both figures, and {needed} are needed")]
    TooFew {
        /// How many it needs.
        needed: usize,
        /// How many there are.
        found: usize,
    },
    /// All values of a column are the same.
    #[error("{0} is the same for all models")]
    Constant(String),
    /// The control explains a column completely.
    #[error("{0} is a linear function of the control")]
    Explained(String),
    /// Too many resamples had no value.
    #[error("only {defined} of {resamples} resamples have a value")]
    Resamples {
        /// Those with a value.
        defined: u32,
        /// All.
        resamples: u32,
    },
}

impl Serialize for Undefined {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// For `serialize_with`: the value, or `{"undefined": reason}`.
pub(crate) fn figure<T: Serialize, S: Serializer>(
    figure: &Figure<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match figure {
        Ok(value) => value.serialize(serializer),
        Err(undefined) => {
            use serde::ser::SerializeMap;
            let mut map = serializer.serialize_map(Some(1))?;
            map.serialize_entry("undefined", undefined)?;
            map.end()
        }
    }
}
