//! A bank of contexts: for each a hashed table of bit histories and a map from history to probability.

use std::ops::Range;

use crate::memory::{fetch, filled};
use crate::state::{States, states};
use crate::tables::{Tables, tables};

/// Largest number of contexts of a bank.
pub const MAX_CONTEXTS: usize = 16;
/// Nodes of a slot: 0 for the end of a token, 1 to 15 for the bits of a nibble.
pub const NODES: usize = 16;

/// Slots that are looked at for a hash.
const TRIED: usize = 3;
/// Bits of a map's count, below those of its probability.
const COUNT_BITS: u32 = 10;
/// Seen histories weigh at most so much in the maps.
const COUNT_LIMIT: u32 = 255;
/// Largest n of the direct probabilities' rate 1 / (n + 1.6).
const DIRECT_LIMIT: u32 = 30;

/// Puts a slot at the start of a line of a processor's cache.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct Line;

/// At the start of a quarter of one.
#[derive(Clone, Copy, Debug)]
#[repr(align(16))]
pub struct QuarterLine;

/// The bank for text: histories and direct probabilities.
pub type TextBank = Bank<NODES, Line>;
/// The bank for bytes: histories.
pub type ByteBank = Bank<0, QuarterLine>;

/// What was seen in one context, for the decisions of one nibble.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct Slot<const DIRECT: usize, A> {
    align: [A; 0],
    states: [u8; NODES],
    /// Probabilities of 1, moved towards each bit.
    direct: [u16; DIRECT],
}

impl<const DIRECT: usize, A> Slot<DIRECT, A> {
    fn new() -> Self {
        Self {
            align: [],
            states: [0; NODES],
            direct: [1 << 15; DIRECT],
        }
    }
}

/// Whose a slot is and what it is worth: kept apart from the slots, so that a search reads one line of a small table and
/// only the slot that it finds is fetched from memory. 0 for an empty slot.
#[derive(Clone, Copy, Debug, Default)]
struct Tag {
    /// Of the hash, odd.
    check: u16,
    /// The history of node [`WORTH`].
    state: u8,
}

/// The node whose history tells how often a slot was used.
const WORTH: usize = 1;

/// The bank. `DIRECT` is [`NODES`] where slots hold probabilities of their own beside the histories: two inputs of
/// the mixer for each context; or 0: one.
#[derive(Debug)]
pub struct Bank<const DIRECT: usize, A> {
    contexts: usize,
    /// Slots of a context, a power of two.
    size: usize,
    slots: Vec<Slot<DIRECT, A>>,
    /// Of each slot.
    tags: Vec<Tag>,
    /// By context, kind of decision and state: 22 bits of probability, 10 of count.
    maps: Vec<u32>,
    /// Where each context's slot lies in `slots`.
    at: [usize; MAX_CONTEXTS],
    states: &'static States,
    tables: &'static Tables,
    reciprocals: Vec<u32>,
    rates: [u32; 256],
}

impl<const DIRECT: usize, A: Copy> Bank<DIRECT, A> {
    /// Inputs of the mixer for a context.
    pub const INPUTS: usize = if DIRECT > 0 { 2 } else { 1 };

    /// A bank with 2^`bits` slots, of 64 or 16 bytes and 4 of a tag, for each context.
    pub fn new(contexts: usize, bits: u32) -> Self {
        assert!(contexts <= MAX_CONTEXTS && (4..=24).contains(&bits));
        let states = states();
        let size = 1usize << bits;
        let mut maps = Vec::with_capacity(contexts * 512);
        for _ in 0..2 * contexts {
            maps.extend(states.counts.iter().map(|&(n0, n1)| {
                // (n1 + 0.4) / (n0 + n1 + 0.8)
                let (n0, n1) = (u32::from(n0), u32::from(n1));
                let p = (((10 * n1 + 4) << 22) / (10 * (n0 + n1) + 8)).min((1 << 22) - 1);
                p << COUNT_BITS
            }));
        }
        let mut rates = [0; 256];
        for (rate, &(n0, n1)) in rates.iter_mut().zip(&states.counts) {
            let n = (u32::from(n0) + u32::from(n1)).min(DIRECT_LIMIT);
            *rate = 655_360 / (10 * n + 16);
        }
        Self {
            contexts,
            size,
            slots: filled(Slot::new(), contexts * size),
            tags: vec![Tag::default(); contexts * size],
            maps,
            at: [0; MAX_CONTEXTS],
            states,
            tables: tables(),
            reciprocals: (0..=COUNT_LIMIT).map(|n| 131_072 / (2 * n + 3)).collect(),
            rates,
        }
    }

    /// Bytes that a bank takes.
    pub fn memory(contexts: usize, bits: u32) -> usize {
        let slot = size_of::<Slot<DIRECT, A>>() + size_of::<Tag>();
        contexts * ((slot << bits) + 2048)
    }

    /// Finds or makes the slots of the contexts' hashes.
    pub fn select(&mut self, hashes: &[u32; MAX_CONTEXTS]) {
        // All tags are fetched at once, then all slots: no branch on what one holds waits for the others.
        for (context, &hash) in hashes.iter().enumerate().take(self.contexts) {
            let home = hash as usize & (self.size - 1);
            fetch(&self.tags, context * self.size + home);
        }
        for (context, &hash) in hashes.iter().enumerate().take(self.contexts) {
            let at = self.find(context, hash);
            fetch(&self.slots, at);
            self.at[context] = at;
        }
    }

    fn find(&mut self, context: usize, hash: u32) -> usize {
        let check = (hash >> 16) as u16 | 1;
        let home = hash as usize & (self.size - 1);
        let base = context * self.size;
        let (mut worst, mut least) = (0, u32::MAX);
        for step in 0..TRIED {
            let at = base + (home ^ step);
            let tag = self.tags[at];
            if tag.check == check {
                return at;
            }
            let worth = if tag.check == 0 {
                0
            } else {
                let (n0, n1) = self.states.counts[tag.state as usize];
                1 + u32::from(n0) + u32::from(n1)
            };
            if worth < least {
                (worst, least) = (at, worth);
            }
        }
        self.tags[worst] = Tag { check, state: 0 };
        self.slots[worst] = Slot::new();
        worst
    }

    /// The mixer's inputs at a node; `kind` is 1 for the end of a token, otherwise 0.
    #[inline]
    pub fn inputs(&self, node: usize, kind: usize, inputs: &mut [i16]) {
        let inputs = inputs.chunks_exact_mut(Self::INPUTS);
        for (i, inputs) in inputs.take(self.contexts).enumerate() {
            let slot = &self.slots[self.at[i]];
            let state = slot.states[node] as usize;
            // Without a branch: what was never seen says nothing.
            let seen = -i16::from(state != 0);
            let map = self.maps[(i * 2 + kind) * 256 + state];
            inputs[0] = self.tables.stretch(map >> (COUNT_BITS + 10)) & seen;
            if DIRECT > 0 {
                inputs[1] = self.tables.stretch(u32::from(slot.direct[node]) >> 4) & seen;
            }
        }
    }

    /// How many of some contexts have seen anything at a node.
    #[inline]
    pub fn seen(&self, contexts: Range<usize>, node: usize) -> usize {
        self.at[contexts]
            .iter()
            .filter(|&&at| self.slots[at].states[node] != 0)
            .count()
    }

    /// Learns the bit of a node.
    #[inline]
    pub fn learn(&mut self, node: usize, kind: usize, bit: bool) {
        for i in 0..self.contexts {
            let slot = &mut self.slots[self.at[i]];
            let state = slot.states[node] as usize;
            let map = &mut self.maps[(i * 2 + kind) * 256 + state];
            let count = *map & ((1 << COUNT_BITS) - 1);
            let p = (*map >> COUNT_BITS) as i32;
            let goal = if bit { (1 << 22) - 1 } else { 0 };
            let step = (i64::from(goal - p) * i64::from(self.reciprocals[count as usize])) >> 16;
            let p = (p + step as i32) as u32;
            *map = p << COUNT_BITS | (count + u32::from(count < COUNT_LIMIT));
            if DIRECT > 0 {
                let p = i64::from(slot.direct[node]);
                let goal = if bit { 65535 } else { 0 };
                slot.direct[node] =
                    (p + (((goal - p) * i64::from(self.rates[state])) >> 16)) as u16;
            }
            let next = self.states.next[state][usize::from(bit)];
            slot.states[node] = next;
            if node == WORTH {
                self.tags[self.at[i]].state = next;
            }
        }
    }
}
