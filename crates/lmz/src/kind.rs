//! One [`ErrorKind`] for the errors of all crates below this one.

use std::error::Error;

use lmz_codec::{CodecError, ErrorKind};
use lmz_exact::ExactError;
use lmz_format::FormatError;
use lmz_metric::MetricError;
use lmz_metric::ledger::LedgerError;
use lmz_model::ModelError;

use crate::scoring::ScoringError;
use crate::store::StoreError;

/// The kind of an error, or of the first of its causes that has one: of any error of this library's
/// crates, and of those of the operating system. None for errors of other origin.
pub fn error_kind(error: &(dyn Error + 'static)) -> Option<ErrorKind> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(kind) = own(error) {
            return Some(kind);
        }
        next = error.source();
    }
    None
}

fn own(error: &(dyn Error + 'static)) -> Option<ErrorKind> {
    if let Some(error) = error.downcast_ref::<CodecError>() {
        return Some(error.kind());
    }
    if let Some(error) = error.downcast_ref::<FormatError>() {
        return Some(error.kind());
    }
    if let Some(error) = error.downcast_ref::<StoreError>() {
        return Some(error.kind());
    }
    if let Some(error) = error.downcast_ref::<ScoringError>() {
        return Some(error.kind());
    }
    if let Some(error) = error.downcast_ref::<LedgerError>() {
        return Some(error.kind());
    }
    if let Some(error) = error.downcast_ref::<ModelError>() {
        return Some(error.kind());
    }
    if let Some(error) = error.downcast_ref::<ExactError>() {
        return Some(error.kind());
    }
    if let Some(error) = error.downcast_ref::<MetricError>() {
        return Some(error.kind());
    }
    #[cfg(feature = "float")]
    if let Some(error) = error.downcast_ref::<lmz_float::FloatError>() {
        return Some(error.kind());
    }
    #[cfg(feature = "float")]
    if let Some(error) = error.downcast_ref::<lmz_eval::EvalError>() {
        return Some(error.kind());
    }
    #[cfg(feature = "train")]
    if let Some(error) = error.downcast_ref::<lmz_train::TrainError>() {
        return Some(error.kind());
    }
    error.is::<std::io::Error>().then_some(ErrorKind::Io)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_cause_counts() {
        let cause = CodecError::InvalidArgument("a".into());
        let error = StoreError::Open {
            origin: "x".into(),
            source: Box::new(cause),
        };
        assert_eq!(error_kind(&error), Some(ErrorKind::InvalidArgument));
        let io = std::io::Error::other(FormatError::Empty);
        assert_eq!(error_kind(&io), Some(ErrorKind::Io));
        assert_eq!(error_kind(&std::fmt::Error), None);
    }
}
