//! Who looks on while a corpus is built.

/// Is told how far a build is, and may stop it.
pub trait Watch: Sync {
    /// A stage begins: what it is called, and how many bytes it will pass, if that is known.
    fn stage(&self, name: &str, bytes: Option<u64>);

    /// Bytes of this stage have passed.
    fn advance(&self, bytes: u64);

    /// Something that the user should know.
    fn note(&self, text: &str);

    /// Whether to stop. What was finished is kept.
    fn cancelled(&self) -> bool;
}

/// Looks at nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Watch for Silent {
    fn stage(&self, _: &str, _: Option<u64>) {}

    fn advance(&self, _: u64) {}

    fn note(&self, _: &str) {}

    fn cancelled(&self) -> bool {
        false
    }
}
