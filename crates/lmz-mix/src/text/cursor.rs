//! A token in the middle of being coded, and the contexts that it is seen in.

use std::ops::Range;

use super::lane::Lane;
use crate::bank::{CONTEXTS, in_second_half};
use crate::tables::hash;
use crate::walk::{Kind, Node};

/// Those of the last two bytes and more, and those of the last tokens.
pub const OF_BYTES: Range<usize> = 1..5;
pub const OF_TOKENS: Range<usize> = 7..10;

/// A token in the middle of being coded.
#[derive(Clone, Debug)]
pub struct Cursor<'g> {
    /// Bytes of it that are known.
    pub byte: usize,
    pub tail: u128,
    /// Of those bytes.
    pub prefix: u32,
    /// Of the contexts at the start of the byte.
    pub hashes: [u32; CONTEXTS],
    /// The half of the byte that it is in.
    nibble: Option<bool>,
    /// Of that half: what the bank is asked for.
    pub wanted: [u32; CONTEXTS],
    /// Whether the bank has it.
    pub selected: bool,
    /// The bytes that the token most likely has, while it agrees with them.
    guess: &'g [u8],
    /// Of the contexts behind the guess's next byte.
    behind: Option<[u32; CONTEXTS]>,
}

/// A decision that the contexts take part in.
#[derive(Clone, Copy, Debug)]
pub struct Decision {
    pub byte: usize,
    /// `None` for the end of a token.
    pub bit: Option<u8>,
    pub partial: u8,
}

impl<'g> Cursor<'g> {
    /// At the first bits of a token that most likely is `guess`: the contexts are those of [`Lane::ahead`], if it has any.
    pub fn new(lane: &Lane, guess: &'g [u8]) -> Self {
        let mut cursor = Self {
            byte: 0,
            tail: lane.tail,
            prefix: 0,
            hashes: [0; CONTEXTS],
            nibble: None,
            wanted: [0; CONTEXTS],
            selected: false,
            guess,
            behind: None,
        };
        match lane.ahead {
            Some(hashes) => cursor.hashes = hashes,
            None => cursor.find_contexts(lane),
        }
        (cursor.nibble, cursor.wanted) = (Some(false), cursor.hashes);
        cursor
    }

    /// Moves to a decision in a token that begins with `known`; whether the bank must be asked for other slots.
    #[inline(always)]
    pub fn move_to(&mut self, lane: &mut Lane, decision: &Decision, known: &[u8]) -> bool {
        let &Decision { byte, bit, partial } = decision;
        if byte != self.byte {
            let one = self.byte + 1 == byte;
            self.guess = match self.guess.split_first() {
                Some((&next, rest)) if one && known.get(self.byte) == Some(&next) => rest,
                _ => &[],
            };
            let guessed = self.behind.take().filter(|_| one && !self.guess.is_empty());
            for (at, &next) in known.iter().enumerate().take(byte).skip(self.byte) {
                self.tail = self.tail << 8 | u128::from(next);
                self.prefix = hash(self.prefix.wrapping_add(1), u32::from(next));
                for found in &mut lane.matches {
                    found.see(at, next);
                }
            }
            self.byte = byte;
            self.nibble = None;
            match guessed {
                Some(hashes) => self.hashes = hashes,
                None => self.find_contexts(lane),
            }
        }
        let second = bit.is_some_and(|bit| bit >= 4);
        if self.nibble == Some(second) {
            return false;
        }
        self.nibble = Some(second);
        self.wanted = self.hashes;
        if second {
            let high = u32::from(partial) >> (bit.unwrap_or(4) - 4);
            self.wanted = in_second_half(&self.hashes, high);
        }
        self.selected = false;
        true
    }

    /// What the bank will most likely be asked for next.
    #[inline(always)]
    pub fn guess(&mut self, lane: &Lane) -> Option<[u32; CONTEXTS]> {
        let (&byte, rest) = self.guess.split_first()?;
        if self.nibble == Some(false) {
            return Some(in_second_half(&self.hashes, 16 | u32::from(byte >> 4)));
        }
        if rest.is_empty() {
            return None;
        }
        let mut next = Self {
            byte: self.byte + 1,
            tail: self.tail << 8 | u128::from(byte),
            prefix: hash(self.prefix.wrapping_add(1), u32::from(byte)),
            ..self.clone()
        };
        next.find_contexts(lane);
        self.behind = Some(next.hashes);
        self.behind
    }

    /// Computes the hashes of the contexts at a byte's boundary.
    fn find_contexts(&mut self, lane: &Lane) {
        let tail = self.tail;
        let c4 = tail as u32;
        let c8 = (tail >> 32) as u32;
        let prefix = self.prefix;
        let (above, column) = lane.above(self.byte);
        let [t1, t2, t3] = lane.tokens;
        let word = hash(lane.word, prefix);
        let two = hash(hash(t1, t2.wrapping_mul(0x9E37_79B1)), prefix);
        let contexts = [
            c4 & 0xff,
            c4 & 0xffff,
            c4 & 0xff_ffff,
            c4,
            hash(c4, c8 & 0xffff),
            word,
            hash(hash(lane.word, lane.last_word), prefix),
            hash(t1, prefix),
            two,
            hash(two, t3),
            hash(u32::from(above) | (column.min(255) as u32) << 8, c4 & 0xff),
            hash(lane.last_word, prefix),
        ];
        let inside = self.byte.min(7) as u32 + 1;
        for (i, (h, context)) in self.hashes.iter_mut().zip(contexts).enumerate() {
            *h = hash(
                context.wrapping_add((i as u32 + 1).wrapping_mul(0x3D4D_51CB)),
                inside,
            );
        }
    }
}

impl Decision {
    /// The decision at a node; none where tokens with the same bytes are told apart.
    #[inline(always)]
    pub fn new(node: &Node) -> Option<Self> {
        let bit = match node.kind {
            Kind::Bit(bit) => Some(bit),
            Kind::End => None,
            Kind::Twin => return None,
        };
        Some(Self {
            byte: usize::from(node.byte),
            bit,
            partial: node.partial,
        })
    }

    /// The kind of the contexts' maps.
    #[inline(always)]
    pub fn kind(&self) -> usize {
        usize::from(self.bit.is_none())
    }

    /// The node of the contexts' slots.
    #[inline(always)]
    pub fn node(&self) -> usize {
        match self.bit {
            None => 0,
            Some(bit @ 4..) => {
                let low = usize::from(self.partial) & ((1 << (bit - 4)) - 1);
                1 << (bit - 4) | low
            }
            Some(_) => usize::from(self.partial),
        }
    }
}
