//! The ledger itself.

use lmz_codec::ModelId;
use lmz_format::ContainerBytes;

use super::bits::Bits;

/// Where every bit of a file went. Made by [`reconcile`](super::reconcile).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// The size of the compressed file in bytes.
    pub file_bytes: u64,
    /// Bytes that they restore to.
    pub raw_bytes: u64,
    /// Unicode code points among them; `None` if they are not UTF-8.
    pub characters: Option<u64>,
    /// How it was checked that they restore.
    pub restored: Restored,
    /// Members of the file.
    pub members: u64,
    /// Segments that the model coded, that zstd keeps, that are stored, and that are mixed groups.
    pub segments: [u64; 4],
    /// The models that the members' headers name, without repetition.
    pub models: Vec<(ModelId, String)>,
    /// The number of tokens that the model coded.
    pub tokens: u64,
    /// Bytes coded behind an escape.
    pub escapes: u64,
    /// Ideal bits under the float engine, if one was asked.
    pub float: Option<Bits>,
    /// Ideal bits under the exact engine, the tokens of mixed groups included.
    pub exact: Bits,
    /// Bits under the integer frequencies; of the segments that the model coded alone.
    pub quantised: Bits,
    /// Information in the range coder's state at the ends of these segments.
    pub spent: Bits,
    /// What mixed groups are made of.
    pub mixed: Mixed,
    /// Coded bytes of the segments that the model, zstd and nobody coded, and of mixed groups.
    pub coded: [u64; 4],
    /// The container's bytes by part.
    pub container: ContainerBytes,
    /// Segments whose header records another ideal length than the one found.
    pub misrecorded: u64,
}

/// What mixed groups are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mixed {
    /// Ideal bits of their tokens under the exact engine.
    pub exact: Bits,
    /// What these tokens cost in the file.
    pub text: Bits,
    /// What contexts coded alone.
    pub contexts: Bits,
    /// Bytes of the groups' heads.
    pub heads: u64,
    /// Bytes that groups store.
    pub stored: u64,
}

/// How it was checked that a file restores. It was decoded in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restored {
    /// The decoded bytes were compared with the original, one by one.
    Compared,
    /// The decoded bytes have the checksums and the hash that the file holds.
    Checksums,
}
