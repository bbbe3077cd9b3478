//! Reading a vocabulary out of `tokenizer.json`.

use std::collections::HashSet;

use super::file::TokenizerFile;
use crate::error::{ModelError, Result};
use crate::vocab::Vocabulary;

impl Vocabulary {
    /// Reads a byte-level BPE or a SentencePiece-style BPE with byte fallback.
    ///
    /// Without bytes are: special tokens, the unknown token, added tokens that merging cannot
    /// produce, tokens whose text stands for no bytes, and the ids from the tokenizer's last to
    /// `vocab_size`. Two ids may stand for the same bytes (`<0x41>` and `A`).
    ///
    /// # Errors
    /// A tokenizer of another kind; an id used twice, or an ordinary token beyond `vocab_size`.
    pub fn from_tokenizer_json(json: &[u8], vocab_size: usize) -> Result<Self> {
        let file = TokenizerFile::parse(json)?;
        let blocked = blocked_ids(&file);
        let mut parts: Vec<Option<Vec<u8>>> = vec![None; vocab_size];
        let mut used = HashSet::new();
        for (text, &id) in &file.vocab {
            if !used.insert(id) {
                return Err(ModelError::Tokenizer(format!(
                    "the token id {id} is used twice"
                )));
            }
            if blocked.contains(&id) {
                continue;
            }
            let Some(slot) = parts.get_mut(id as usize) else {
                return Err(ModelError::Tokenizer(format!(
                    "the token id {id} lies beyond the model's vocab_size = {vocab_size}"
                )));
            };
            *slot = file.family.token_bytes(text);
        }
        Ok(Self::from_parts(parts))
    }
}

/// Ids that stand for something other than text.
fn blocked_ids(file: &TokenizerFile) -> HashSet<u32> {
    let mut blocked: HashSet<u32> = HashSet::new();
    blocked.extend(file.unk_token.as_ref().and_then(|unk| file.vocab.get(unk)));
    let mut ordinary = HashSet::new();
    for added in &file.added_tokens {
        let in_vocab = file.vocab.get(&added.content).copied();
        if !added.special && in_vocab == Some(added.id) {
            ordinary.insert(added.content.as_str());
        } else {
            blocked.insert(added.id);
            blocked.extend(in_vocab);
        }
    }
    // Some tokenizers list ordinary words (runs of line ends, say) among the added tokens so as
    // to match them first. Such a word stays if merging produces it as well.
    if !ordinary.is_empty() {
        for (left, right) in &file.merges {
            ordinary.remove(format!("{left}{right}").as_str());
        }
        // A single character or byte needs no merge.
        ordinary.retain(|text| {
            let bytes = file.family.token_bytes(text);
            text.chars().nth(1).is_some() && bytes.is_none_or(|bytes| bytes.len() > 1)
        });
        blocked.extend(ordinary.into_iter().filter_map(|text| file.vocab.get(text)));
    }
    blocked
}
