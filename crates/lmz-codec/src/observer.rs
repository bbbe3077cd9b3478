//! Progress and cancellation.

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
    /// `raw_bytes` more bytes have passed `phase`. The sum over a phase is the raw length.
    fn advance(&self, phase: Phase, raw_bytes: u64) {
        let _ = (phase, raw_bytes);
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

/// Looks whether to stop.
pub(crate) fn check(observer: &dyn Observer) -> crate::Result<()> {
    if observer.cancelled() {
        Err(crate::CodecError::Cancelled)
    } else {
        Ok(())
    }
}
