//! Who looks on while something is fetched.

/// Is told how far a download is, and may stop it.
pub trait Watch: Sync {
    /// So many more bytes have come.
    fn advance(&self, bytes: u64);

    /// Something that the user should know.
    fn note(&self, text: &str);

    /// Whether to stop. What has come is kept.
    fn cancelled(&self) -> bool;
}

impl<W: Watch + ?Sized> Watch for &W {
    fn advance(&self, bytes: u64) {
        (**self).advance(bytes);
    }

    fn note(&self, text: &str) {
        (**self).note(text);
    }

    fn cancelled(&self) -> bool {
        (**self).cancelled()
    }
}

/// Looks at nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Watch for Silent {
    fn advance(&self, _: u64) {}

    fn note(&self, _: &str) {}

    fn cancelled(&self) -> bool {
        false
    }
}
