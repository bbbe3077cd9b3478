//! A token in the middle of being coded, and the contexts that it is seen in.

use std::ops::Range;

use super::lane::Lane;
use crate::bank::MAX_CONTEXTS;
use crate::tables::hash;
use crate::walk::{Kind, Node};

/// Contexts of the bank.
pub const CONTEXTS: usize = 12;
/// Those of the last two bytes and more, and those of the last tokens.
pub const OF_BYTES: Range<usize> = 1..5;
pub const OF_TOKENS: Range<usize> = 7..10;

/// A token in the middle of being coded.
pub struct Cursor {
    /// Bytes of it that are known.
    pub byte: usize,
    pub tail: u128,
    /// Of those bytes.
    pub prefix: u32,
    pub hashes: [u32; MAX_CONTEXTS],
    pub nibble: Option<bool>,
}

/// A decision that the contexts take part in.
pub struct Decision {
    pub byte: usize,
    /// `None` for the end of a token.
    pub bit: Option<u8>,
    pub partial: u8,
}

impl Cursor {
    pub fn new(lane: &Lane) -> Self {
        Self {
            byte: 0,
            tail: lane.tail,
            prefix: 0,
            hashes: [0; MAX_CONTEXTS],
            nibble: None,
        }
    }

    /// Computes the hashes of the contexts at a byte's boundary.
    pub fn find_contexts(&mut self, lane: &Lane) {
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

    /// The node of the contexts' slots.
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
