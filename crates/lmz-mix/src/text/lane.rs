//! What a lane knows of its own text: the last bytes, words, lines and tokens.

use super::matches::Match;
use crate::bank::CONTEXTS;
use crate::tables::hash;

/// Bytes of a line that are remembered for the next one.
const LINE: usize = 4096;

/// The state of a lane.
#[derive(Clone, Debug, Default)]
pub struct Lane {
    /// Number of its block.
    pub block: usize,
    /// The last 16 bytes, the last one lowest.
    pub tail: u128,
    /// How many bytes came, up to 16.
    pub known: u32,
    /// Of the word's bytes so far, 0 outside of one.
    pub word: u32,
    /// Of the word before, and what stood between.
    pub last_word: u32,
    /// The last three tokens: places + 1.
    pub tokens: [u32; 3],
    line: Vec<u8>,
    above: Vec<u8>,
    /// The contexts that its next token begins in, if they are known already.
    pub ahead: Option<[u32; CONTEXTS]>,
    /// One for each match model.
    pub matches: [Match; 2],
}

impl Lane {
    /// A byte has come.
    pub fn push(&mut self, byte: u8) {
        self.tail = self.tail << 8 | u128::from(byte);
        self.known = (self.known + 1).min(16);
        if is_letter(byte) {
            self.word = hash(
                self.word.wrapping_add(1),
                u32::from(byte.to_ascii_lowercase()),
            );
        } else {
            if self.word != 0 {
                self.last_word = self.word;
            }
            self.word = 0;
            if byte != b' ' {
                self.last_word = hash(self.last_word, u32::from(byte));
            }
        }
        if byte == b'\n' {
            std::mem::swap(&mut self.line, &mut self.above);
            self.line.clear();
        } else if self.line.len() < LINE {
            self.line.push(byte);
        }
    }

    /// The token that has come.
    pub fn push_token(&mut self, place: u32) {
        self.tokens = [place + 1, self.tokens[0], self.tokens[1]];
    }

    /// The byte of the line above at the column of the byte that comes `ahead` bytes from here, and the column.
    pub fn above(&self, ahead: usize) -> (u8, usize) {
        let column = self.line.len() + ahead;
        (self.above.get(column).copied().unwrap_or(0), column)
    }
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 128
}
