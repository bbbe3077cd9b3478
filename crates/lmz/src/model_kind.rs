//! The kinds of the crates below the codec, in the codec's words.

use lmz_codec::ErrorKind;

/// The kind of an error of a crate that knows no `.lmz` file.
pub(crate) fn from_model(kind: lmz_model::ErrorKind) -> ErrorKind {
    match kind {
        lmz_model::ErrorKind::Compatibility => ErrorKind::Compatibility,
        lmz_model::ErrorKind::Corruption => ErrorKind::Corruption,
        lmz_model::ErrorKind::InsufficientData => ErrorKind::InsufficientData,
        lmz_model::ErrorKind::InvalidArgument => ErrorKind::InvalidArgument,
        lmz_model::ErrorKind::Io => ErrorKind::Io,
        // A kind of a later version says nothing of what is at fault: the model does not suit this one.
        _ => ErrorKind::Compatibility,
    }
}
