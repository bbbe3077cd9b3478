//! The tokenizer: pieces, runs of text, words, and the check of each.

use std::time::Duration;

use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::{Model, Token};

use super::family::{BLOCK, Family, write_bytes};
use super::file::TokenizerFile;
use super::pieces::pieces;
use super::speller::Speller;
use super::splitter::Splitter;
use super::symbol::Symbol;
use super::watch::{TooSlow, Watch};
use crate::error::{ModelError, Result};
use crate::vocab::Vocabulary;

/// What the regular expressions of a model may take for one piece of text.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Turns any bytes into symbols whose bytes are the input. Thread-safe; a call's result depends
/// on its input alone.
pub struct ExactTokenizer {
    family: Family,
    splitter: Option<Splitter>,
    bpe: BPE,
    /// Byte-level only: the bytes that are tokens of the merging model by themselves. It drops
    /// the others without a trace.
    base: [bool; 256],
    speller: Speller,
    reduced: Box<[u8]>,
}

impl std::fmt::Debug for ExactTokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExactTokenizer")
            .field("family", &self.family)
            .field("vocabulary", &self.speller.vocabulary().len())
            .finish_non_exhaustive()
    }
}

impl ExactTokenizer {
    /// Builds a tokenizer from a `tokenizer.json`, or its [reduced form](Self::reduced_json), and
    /// the vocabulary that decoding will use. Tokens that the vocabulary gives no bytes, or other
    /// bytes than the file does, are never produced.
    ///
    /// # Errors
    /// As [`Vocabulary::from_tokenizer_json`]; also a regular expression that does not compile.
    pub fn new(tokenizer_json: &[u8], vocabulary: &Vocabulary) -> Result<Self> {
        let mut file = TokenizerFile::parse(tokenizer_json)?;
        file.keep_spellable(vocabulary);
        let splitter = file
            .splitter
            .as_ref()
            .map(|spec| spec.build())
            .transpose()?;
        let reduced = file.to_json().into_boxed_slice();
        let mut base = [false; 256];
        for text in file.vocab.keys().filter(|text| text.chars().count() == 1) {
            if let Some([byte]) = file.family.token_bytes(text).as_deref() {
                base[usize::from(*byte)] = true;
            }
        }
        let mut builder = BPE::builder()
            .vocab_and_merges(file.vocab.into_iter().collect::<Vocab>(), file.merges)
            .fuse_unk(file.fuse_unk)
            .byte_fallback(file.family == Family::SentencePiece)
            .ignore_merges(file.ignore_merges);
        if let Some(unk) = file.unk_token {
            builder = builder.unk_token(unk);
        }
        Ok(Self {
            family: file.family,
            splitter,
            bpe: builder
                .build()
                .map_err(|e| ModelError::Tokenizer(e.to_string()))?,
            base,
            speller: Speller::new(vocabulary),
            reduced,
        })
    }

    /// A minimal `tokenizer.json`, always the same bytes for the same tokenizer and vocabulary.
    /// Together with the vocabulary it gives a tokenizer that does exactly the same.
    pub fn reduced_json(&self) -> &[u8] {
        &self.reduced
    }

    /// Symbols whose bytes, put together, are exactly `input`. It is cut at most every
    /// [`PIECE_BYTES`](super::PIECE_BYTES) bytes, which bounds memory. Time is the model's matter:
    /// [`try_encode`](Self::try_encode) bounds it.
    pub fn encode(&self, input: &[u8]) -> Vec<Symbol> {
        let encoded = self.encode_watched(input, Watch::endless);
        // It has all the time that there is.
        encoded.unwrap_or_default()
    }

    /// As [`encode`](Self::encode), for models that nobody vouches for.
    ///
    /// # Errors
    /// [`ModelError::TooSlow`] if the regular expressions that cut the text into words take more than
    /// [`PATIENCE`] for one piece of [`PIECE_BYTES`](super::PIECE_BYTES) bytes, a thousand times what those of published
    /// models take.
    pub fn try_encode(&self, input: &[u8]) -> Result<Vec<Symbol>> {
        let encoded = self.encode_watched(input, || Watch::new(PATIENCE));
        encoded.map_err(|TooSlow| ModelError::TooSlow(PATIENCE))
    }

    fn encode_watched(
        &self,
        input: &[u8],
        watch: impl Fn() -> Watch,
    ) -> Result<Vec<Symbol>, TooSlow> {
        let mut out = Vec::with_capacity(input.len() / 3);
        for piece in pieces(input) {
            self.encode_piece(piece, &mut out, &mut watch())?;
        }
        debug_assert!(self.decode(&out) == input);
        Ok(out)
    }

    /// The bytes of some symbols; a token without bytes adds none.
    pub fn decode(&self, symbols: &[Symbol]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for symbol in symbols {
            match symbol {
                Symbol::Token(id) => bytes.extend_from_slice(self.bytes(*id)),
                Symbol::Escape(byte) => bytes.push(*byte),
            }
        }
        bytes
    }

    fn encode_piece(
        &self,
        piece: &[u8],
        out: &mut Vec<Symbol>,
        watch: &mut Watch,
    ) -> Result<(), TooSlow> {
        // Adjacent invalid chunks are one run, so that a token may span them.
        let (mut start, mut end) = (0, 0);
        for chunk in piece.utf8_chunks() {
            if !chunk.valid().is_empty() {
                self.speller.spell(&piece[start..end], out);
                self.encode_text(chunk.valid(), out, watch)?;
                end += chunk.valid().len();
                start = end;
            }
            end += chunk.invalid().len();
        }
        self.speller.spell(&piece[start..end], out);
        Ok(())
    }

    fn encode_text(
        &self,
        text: &str,
        out: &mut Vec<Symbol>,
        watch: &mut Watch,
    ) -> Result<(), TooSlow> {
        match self.family {
            Family::ByteLevel => self.encode_run(text, out, watch)?,
            Family::SentencePiece => {
                // A block in the input must not be taken for a space.
                let mut block = [0; 4];
                let block = &*BLOCK.encode_utf8(&mut block);
                for (i, part) in text.split(BLOCK).enumerate() {
                    if i > 0 {
                        self.speller.spell(block.as_bytes(), out);
                    }
                    self.encode_run(&part.replace(' ', block), out, watch)?;
                }
            }
        }
        Ok(())
    }

    /// `text` is written as the splitter expects it.
    fn encode_run(
        &self,
        text: &str,
        out: &mut Vec<Symbol>,
        watch: &mut Watch,
    ) -> Result<(), TooSlow> {
        let ends = match &self.splitter {
            None => vec![text.len()],
            Some(splitter) => splitter.ends_within(text, watch)?,
        };
        let (mut word, mut bytes) = (String::new(), Vec::new());
        let mut start = 0;
        for end in ends {
            let part = &text[start..end];
            start = end;
            match self.family {
                Family::ByteLevel => {
                    word.clear();
                    write_bytes(part.as_bytes(), &mut word);
                    self.encode_word(&word, part.as_bytes(), out);
                }
                Family::SentencePiece => {
                    bytes.clear();
                    self.family.source_of(part, &mut bytes);
                    self.encode_word(part, &bytes, out);
                }
            }
        }
        Ok(())
    }

    /// A word as the merging model sees it, and the bytes that it stands for.
    fn encode_word(&self, word: &str, bytes: &[u8], out: &mut Vec<Symbol>) {
        if self.family == Family::SentencePiece || bytes.iter().all(|b| self.base[usize::from(*b)])
        {
            return self.merge(word, bytes, out);
        }
        // One character per byte: both are cut at the same places.
        let mut characters = word.char_indices().map(|(at, _)| at).chain([word.len()]);
        let mut from = characters.next().unwrap_or(0);
        for run in bytes.chunk_by(|a, b| self.base[usize::from(*a)] == self.base[usize::from(*b)]) {
            let to = characters.nth(run.len() - 1).unwrap_or(word.len());
            if self.base[usize::from(run[0])] {
                self.merge(&word[from..to], run, out);
            } else {
                self.speller.spell(run, out);
            }
            from = to;
        }
    }

    fn merge(&self, word: &str, bytes: &[u8], out: &mut Vec<Symbol>) {
        let Ok(tokens) = self.bpe.tokenize(word) else {
            return self.speller.spell(bytes, out);
        };
        let mut rest = bytes;
        for token in &tokens {
            match rest.strip_prefix(self.bytes(token.id)) {
                Some(after) if after.len() < rest.len() => rest = after,
                _ => return self.keep_matching(word, bytes, &tokens, out),
            }
        }
        if !rest.is_empty() {
            return self.keep_matching(word, bytes, &tokens, out);
        }
        out.extend(tokens.iter().map(|token| Symbol::Token(token.id)));
    }

    /// Keeps the tokens that stand for their part of the word and spells the stretches between.
    fn keep_matching(&self, word: &str, bytes: &[u8], tokens: &[Token], out: &mut Vec<Symbol>) {
        // For each place in the word, where it is in the source; none within a character that
        // stands for a single byte.
        let mut places = vec![None; word.len() + 1];
        let mut place = 0;
        for (at, c) in word.char_indices() {
            let length = self.family.source_len(c);
            if length == c.len_utf8() {
                for i in 0..length {
                    places[at + i] = Some(place + i);
                }
            } else {
                places[at] = Some(place);
            }
            place += length;
        }
        places[word.len()] = Some(place);
        let place = |at: usize| places.get(at).copied().flatten();

        let mut done = 0;
        for token in tokens {
            let (Some(start), Some(end)) = (place(token.offsets.0), place(token.offsets.1)) else {
                continue;
            };
            let matches =
                start >= done && start < end && bytes.get(start..end) == Some(self.bytes(token.id));
            if matches {
                self.speller.spell(&bytes[done..start], out);
                out.push(Symbol::Token(token.id));
                done = end;
            }
        }
        self.speller.spell(&bytes[done..], out);
    }

    fn bytes(&self, id: u32) -> &[u8] {
        self.speller.vocabulary().get(id).unwrap_or_default()
    }
}
