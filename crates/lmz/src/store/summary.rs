//! What an `.lmzm` file says about itself, read without loading its weights.

use std::collections::BTreeMap;
use std::io::{self, Read};

use lmz_model::Blueprint;
use serde::Deserialize;

/// Longest header that is read: a few hundred bytes for each tensor.
const MAX_HEADER: u64 = 64 << 20;

/// The metadata of a prepared model. Its identity is not among it: that takes all its bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelSummary {
    /// Version of the file's format.
    pub version: u64,
    /// What people call the model.
    pub name: String,
    /// Number of the recipe that prepared it.
    pub recipe: u64,
    /// Version of the numerics that it is meant for.
    pub numerics: u64,
    /// Content hash of its checkpoint, in hexadecimal digits.
    pub checkpoint: String,
    /// What it computes.
    pub blueprint: Blueprint,
}

/// Reads the header at the front of an `.lmzm` file.
///
/// # Errors
/// `InvalidData` if this is no such header, or one of a version that this build does not know;
/// those of `input`.
pub fn summarise(mut input: impl Read) -> io::Result<ModelSummary> {
    #[derive(Deserialize)]
    struct Header {
        #[serde(rename = "__metadata__")]
        metadata: Outer,
    }
    #[derive(Deserialize)]
    struct Outer {
        lmzm: String,
    }
    #[derive(Deserialize)]
    struct Inner {
        version: u64,
        name: String,
        recipe: u64,
        numerics: u64,
        checkpoint: String,
        blueprint: String,
    }
    let invalid = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    let not = || invalid("not a prepared model (.lmzm)".into());
    let mut length = [0; 8];
    input
        .read_exact(&mut length)
        .map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => not(),
            _ => error,
        })?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER {
        return Err(not());
    }
    let mut json = Vec::new();
    if input.take(length).read_to_end(&mut json)? as u64 != length {
        return Err(not());
    }
    let header: Header = serde_json::from_slice(&json).map_err(|_| not())?;
    let inner: Inner = serde_json::from_str(&header.metadata.lmzm)
        .map_err(|error| invalid(format!("an .lmzm file of an unknown version: {error}")))?;
    let blueprint = serde_json::from_str(&inner.blueprint).map_err(|error| {
        invalid(format!(
            "an .lmzm file of an unknown kind of model: {error}"
        ))
    })?;
    // The name goes to terminals.
    let name = inner.name.chars().filter(|c| !c.is_control()).collect();
    Ok(ModelSummary {
        version: inner.version,
        name,
        recipe: inner.recipe,
        numerics: inner.numerics,
        checkpoint: inner.checkpoint,
        blueprint,
    })
}

/// The size in bytes that an `.lmzm` file has by its header, which is read and nothing else; none for what is no
/// safetensors file.
pub(super) fn claimed_len(mut input: impl Read) -> Option<u64> {
    #[derive(Deserialize)]
    struct Tensor {
        data_offsets: (u64, u64),
    }
    let mut length = [0; 8];
    input.read_exact(&mut length).ok()?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER {
        return None;
    }
    let mut json = Vec::new();
    input.take(length).read_to_end(&mut json).ok()?;
    let header: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&json).ok()?;
    let tensors = header
        .into_iter()
        .filter(|(name, _)| name != "__metadata__");
    let ends = tensors.map(|(_, tensor)| {
        let tensor: Tensor = serde_json::from_value(tensor).ok()?;
        Some(tensor.data_offsets.1)
    });
    let end = ends.collect::<Option<Vec<u64>>>()?.into_iter().max()?;
    (8 + length).checked_add(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_model_says_what_it_is() {
        let summary = summarise(crate::embedded_bytes()).unwrap();
        let model = crate::embedded_model().unwrap();
        assert_eq!(summary.name, model.name());
        assert_eq!(&summary.blueprint, &model.prepared().blueprint);
    }

    #[test]
    fn the_header_tells_the_length() {
        let bytes = crate::embedded_bytes();
        assert_eq!(claimed_len(bytes), Some(bytes.len() as u64));
        assert_eq!(claimed_len(&b"short"[..]), None);
        assert_eq!(claimed_len(&b"\x02\0\0\0\0\0\0\0{}"[..]), None);
    }

    #[test]
    fn other_files_are_refused_without_reading_much() {
        let mut huge = u64::MAX.to_le_bytes().to_vec();
        huge.extend([b' '; 64]);
        for bytes in [
            &b""[..],
            b"short",
            &huge,
            b"\x02\0\0\0\0\0\0\0{}",
            b"\x09\0\0\0\0\0\0\0{}",
        ] {
            let error = summarise(bytes).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
        for length in 0..200 {
            assert!(summarise(&crate::embedded_bytes()[..length]).is_err());
        }
    }
}
