//! What a tokenised input consists of.

/// One step of a tokenised input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Symbol {
    /// A token, by its id; it has bytes in the vocabulary.
    Token(u32),
    /// A byte that is coded as itself.
    Escape(u8),
}
