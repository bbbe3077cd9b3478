//! Progress and cancellation.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{CodecError, Result};
use crate::model::Model;
use crate::timing::{Direction, Timing};

/// What a thread has just done to some raw bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The model has scored them.
    Encode,
    /// They were decoded again and compared.
    Verify,
    /// They were decoded.
    Decode,
}

/// Watches long work. Called from several threads.
pub trait Observer: Sync {
    /// Work begins in which each raw byte passes all of `phases`, one after the other: it is done when `phases.len()`
    /// times the raw length has passed. `raw_len` is none while nobody knows it; it may be told later by another call.
    fn begin(&self, phases: &[Phase], raw_len: Option<u64>) {
        let _ = (phases, raw_len);
    }

    /// `raw_bytes` more bytes have passed `phase`. The sum over a phase is the raw length.
    fn advance(&self, phase: Phase, raw_bytes: u64) {
        let _ = (phase, raw_bytes);
    }

    /// `model`, on its device, took so long for a batch. Not called where there is no clock.
    fn timed(&self, model: &Model, direction: Direction, timing: Timing) {
        let _ = (model, direction, timing);
    }

    /// Something that a person should know: a device has failed, and the CPU goes on.
    fn notice(&self, text: &str) {
        let _ = text;
    }

    /// Whether to stop with [`CodecError::Cancelled`](crate::CodecError::Cancelled) soon.
    fn cancelled(&self) -> bool {
        false
    }
}

/// Watches nothing.
impl Observer for () {}

macro_rules! forward {
    ($($what:tt)*) => {
        $($what)* {
            fn begin(&self, phases: &[Phase], raw_len: Option<u64>) {
                (**self).begin(phases, raw_len);
            }

            fn advance(&self, phase: Phase, raw_bytes: u64) {
                (**self).advance(phase, raw_bytes);
            }

            fn timed(&self, model: &Model, direction: Direction, timing: Timing) {
                (**self).timed(model, direction, timing);
            }

            fn notice(&self, text: &str) {
                (**self).notice(text);
            }

            fn cancelled(&self) -> bool {
                (**self).cancelled()
            }
        }
    };
}

forward!(impl<O: Observer + ?Sized> Observer for &O);
forward!(impl<O: Observer + Send + ?Sized> Observer for Arc<O>);
forward!(impl<O: Observer + ?Sized> Observer for Box<O>);

/// Counts what has passed, for a bar that ends at 100 %.
///
/// ```
/// use lmz_codec::{Observer, Phase, Progress};
///
/// let progress = Progress::default();
/// progress.begin(&[Phase::Encode, Phase::Verify], Some(1000));
/// progress.advance(Phase::Encode, 1000);
/// assert_eq!(progress.fraction(), Some(0.5));
/// ```
#[derive(Debug, Default)]
pub struct Progress {
    passed: AtomicU64,
    total: AtomicU64,
}

impl Progress {
    /// Bytes that have passed a phase, the sum over all phases.
    pub fn passed(&self) -> u64 {
        self.passed.load(Ordering::Relaxed)
    }

    /// What [`passed`](Self::passed) will be at the end, where that is known.
    pub fn total(&self) -> Option<u64> {
        let total = self.total.load(Ordering::Relaxed);
        (total > 0).then_some(total)
    }

    /// How much is done, 1 being all, where that is known.
    pub fn fraction(&self) -> Option<f64> {
        Some(self.passed() as f64 / self.total()? as f64)
    }
}

impl Observer for Progress {
    fn begin(&self, phases: &[Phase], raw_len: Option<u64>) {
        let total = raw_len.map_or(0, |len| len.saturating_mul(phases.len() as u64));
        self.total.store(total, Ordering::Relaxed);
    }

    fn advance(&self, _: Phase, raw_bytes: u64) {
        self.passed.fetch_add(raw_bytes, Ordering::Relaxed);
    }
}

/// Looks whether to stop.
pub(crate) fn check(observer: &dyn Observer) -> Result<()> {
    if observer.cancelled() {
        Err(CodecError::Cancelled)
    } else {
        Ok(())
    }
}
