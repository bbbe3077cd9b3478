//! The table from token ids to exact bytes.

use std::sync::Arc;

/// For each token id, the bytes that it stands for, or nothing where text cannot produce it.
/// Cloning shares the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    bytes: Arc<[Option<Box<[u8]>>]>,
}

impl Vocabulary {
    /// A vocabulary from its table, indexed by token id. An empty entry counts as none.
    pub fn from_parts(parts: Vec<Option<Vec<u8>>>) -> Self {
        let entries = parts.into_iter();
        Self {
            bytes: entries
                .map(|part| part.filter(|b| !b.is_empty()).map(Vec::into_boxed_slice))
                .collect(),
        }
    }

    /// The number of token ids, with and without bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is no token id at all.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes of a token, or `None` if text cannot produce it or the id does not exist.
    pub fn get(&self, id: u32) -> Option<&[u8]> {
        self.bytes.get(id as usize)?.as_deref()
    }

    /// All token ids in order, with their bytes.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (u32, Option<&[u8]>)> {
        let entries = self.bytes.iter().enumerate();
        entries.map(|(id, bytes)| (id as u32, bytes.as_deref()))
    }

    /// Whether each of the 256 bytes is a token by itself, so that nothing needs an escape.
    pub fn is_complete(&self) -> bool {
        let mut spelled = [false; 256];
        for entry in self.bytes.iter().flatten() {
            if let [byte] = **entry {
                spelled[usize::from(byte)] = true;
            }
        }
        spelled.iter().all(|s| *s)
    }
}
