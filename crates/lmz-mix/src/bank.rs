//! A bank of contexts: for each a hashed table of bit histories and a map from history to probability.

use std::ops::Range;

use crate::memory::{Table, fetch};
use crate::state::{States, states};
use crate::tables::{Tables, hash, tables};

/// Contexts of a bank.
pub const CONTEXTS: usize = 12;
/// Nodes of a slot: 0 for the end of a token, 1 to 15 for the bits of a nibble.
pub const NODES: usize = 16;

/// Slots that are looked at for a hash.
const TRIED: usize = 3;
/// Bits of a map's count, below those of its probability.
const COUNT_BITS: u32 = 10;
/// Seen histories weigh at most so much in the maps.
const COUNT_LIMIT: u32 = 255;
/// The bits of a count that are used, and the count of what never moves: a history of nothing says nothing.
const STEP_BITS: u32 = 9;
const FIXED: u32 = (1 << STEP_BITS) - 1;
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

/// Of a context without a slot.
const NOWHERE: usize = usize::MAX;
/// The node whose history tells how often a slot was used.
const WORTH: usize = 1;

/// The bank. `DIRECT` is [`NODES`] where slots hold probabilities of their own beside the histories: two inputs of
/// the mixer for each context; or 0: one.
#[derive(Debug)]
pub struct Bank<const DIRECT: usize, A> {
    /// Slots of a context, a power of two.
    size: usize,
    slots: Table<Slot<DIRECT, A>>,
    /// Of each slot, four by four: a search stays among four.
    tags: Table<[Tag; 4]>,
    /// By kind of decision, context and state: 22 bits of probability, 10 of count.
    maps: Box<[[[u32; 256]; CONTEXTS]; 2]>,
    /// Where each context's slot lies in `slots`.
    at: [usize; CONTEXTS],
    /// Where the slots lie that were located last; [`NOWHERE`] where there is none.
    found: [usize; CONTEXTS],
    /// A copy of the slots at `at`, which go back when others are wanted.
    here: [Slot<DIRECT, A>; CONTEXTS],
    /// The node that was looked at, and its kind.
    node: usize,
    kind: usize,
    states: &'static States,
    tables: &'static Tables,
    /// By count: how far a map moves, and in the lowest bit whether the count grows.
    steps: [u32; 1 << STEP_BITS],
    rates: [u32; 256],
}

impl<const DIRECT: usize, A: Copy> Bank<DIRECT, A> {
    /// Inputs of the mixer for a context.
    pub const INPUTS: usize = if DIRECT > 0 { 2 } else { 1 };

    /// A bank with 2^`bits` slots, of 64 or 16 bytes and 4 of a tag, for each context.
    pub fn new(bits: u32) -> Self {
        assert!((4..=24).contains(&bits));
        let states = states();
        let size = 1usize << bits;
        let mut begin = [0; 256];
        for (map, &(n0, n1)) in begin.iter_mut().zip(&states.counts) {
            // (n1 + 0.4) / (n0 + n1 + 0.8)
            let (n0, n1) = (u32::from(n0), u32::from(n1));
            let p = (((10 * n1 + 4) << 22) / (10 * (n0 + n1) + 8)).min((1 << 22) - 1);
            *map = p << COUNT_BITS;
        }
        begin[0] |= FIXED;
        let mut steps = [0; 1 << STEP_BITS];
        for (n, step) in (0..=COUNT_LIMIT).zip(&mut steps) {
            *step = 2 * (131_072 / (2 * n + 3)) + u32::from(n < COUNT_LIMIT);
        }
        let mut rates = [0; 256];
        for (rate, &(n0, n1)) in rates.iter_mut().zip(&states.counts) {
            let n = (u32::from(n0) + u32::from(n1)).min(DIRECT_LIMIT);
            *rate = 655_360 / (10 * n + 16);
        }
        Self {
            size,
            slots: Table::new(Slot::new(), CONTEXTS * size),
            tags: Table::new([Tag::default(); 4], CONTEXTS * size / 4),
            maps: Box::new([[begin; CONTEXTS]; 2]),
            at: std::array::from_fn(|context| context * size),
            found: [NOWHERE; CONTEXTS],
            here: [Slot::new(); CONTEXTS],
            node: 0,
            kind: 0,
            states,
            tables: tables(),
            steps,
            rates,
        }
    }

    /// Bytes that a bank takes.
    pub fn memory(bits: u32) -> usize {
        let slot = size_of::<Slot<DIRECT, A>>() + size_of::<Tag>();
        CONTEXTS * ((slot << bits) + 2048)
    }

    /// Fetches what a search for the hashes will read, some time before it: all at once, so that none waits for another.
    #[inline(always)]
    pub fn fetch_tags(&self, hashes: &[u32; CONTEXTS]) {
        for (context, &hash) in hashes.iter().enumerate() {
            fetch(&self.tags, self.home(context, hash) / 4);
        }
    }

    /// Finds the slots of the contexts' hashes and fetches them, some time before they are selected.
    #[inline(always)]
    pub fn locate(&mut self, hashes: &[u32; CONTEXTS]) {
        for (context, &hash) in hashes.iter().enumerate() {
            let home = self.home(context, hash);
            let tags = &self.tags[home / 4];
            let is = |step: usize| tags[(home ^ step) % 4].check == check(hash);
            // Without branches, which would wait for the tags.
            let mut found = NOWHERE;
            for step in (0..TRIED).rev() {
                found = if is(step) { home ^ step } else { found };
            }
            fetch(&self.slots, found);
            self.found[context] = found;
        }
    }

    /// Where a search for a hash begins.
    #[inline(always)]
    fn home(&self, context: usize, hash: u32) -> usize {
        context * self.size + (hash as usize & (self.size - 1))
    }

    /// Takes the slots of the contexts' hashes, which were located and of which nothing was selected since. Where there is none, it is made.
    #[inline(always)]
    pub fn select(&mut self, hashes: &[u32; CONTEXTS]) {
        for (&at, slot) in self.at.iter().zip(&self.here) {
            self.slots[at] = *slot;
        }
        for (context, &hash) in hashes.iter().enumerate() {
            let found = self.found[context];
            if found == NOWHERE {
                let home = self.home(context, hash);
                self.at[context] = self.make(home, check(hash));
                self.here[context] = Slot::new();
            } else {
                self.at[context] = found;
                self.here[context] = self.slots[found];
            }
        }
    }

    /// A slot for a hash that has none, in place of the one that is worth least.
    #[inline(always)]
    fn make(&mut self, home: usize, check: u16) -> usize {
        let tags = &mut self.tags[home / 4];
        let (mut worst, mut least) = (0, u32::MAX);
        for step in 0..TRIED {
            let tag = tags[(home ^ step) % 4];
            let (n0, n1) = self.states.counts[tag.state as usize];
            let used = 1 + u32::from(n0) + u32::from(n1);
            let worth = if tag.check == 0 { 0 } else { used };
            if worth < least {
                (worst, least) = (home ^ step, worth);
            }
        }
        tags[worst % 4] = Tag { check, state: 0 };
        worst
    }

    /// Goes to a node; `kind` is 1 for the end of a token, otherwise 0.
    #[inline(always)]
    pub fn look(&mut self, node: usize, kind: usize) {
        (self.node, self.kind) = (node % NODES, kind % 2);
    }

    /// The mixer's inputs at the node. What was never seen gives 0: its probabilities are still 1/2.
    #[inline(always)]
    pub fn inputs(&self, inputs: &mut [i16]) {
        let inputs = &mut inputs[..CONTEXTS * Self::INPUTS];
        let (node, maps) = (self.node % NODES, &self.maps[self.kind % 2]);
        each_context(
            #[inline(always)]
            |i| {
                let map = maps[i][self.here[i].states[node] as usize];
                inputs[i * Self::INPUTS] = self.tables.stretch(map >> (COUNT_BITS + 10));
                if DIRECT > 0 {
                    let direct = u32::from(self.here[i].direct[node % DIRECT.max(1)]);
                    inputs[i * Self::INPUTS + 1] = self.tables.stretch(direct >> 4);
                }
            },
        );
    }

    /// How many of some contexts have seen anything at the node.
    #[inline(always)]
    pub fn seen(&self, contexts: Range<usize>) -> usize {
        let node = self.node % NODES;
        let seen = |slot: &Slot<DIRECT, A>| usize::from(slot.states[node] != 0);
        self.here[contexts].iter().map(seen).sum()
    }

    /// Learns the bit of the node.
    #[inline(always)]
    pub fn learn(&mut self, bit: bool) {
        let (node, maps) = (self.node % NODES, &mut self.maps[self.kind % 2]);
        let next = &self.states.next[usize::from(bit)];
        let goal = if bit { (1 << 22) - 1 } else { 0 };
        let direct_goal = if bit { 65535 } else { 0 };
        each_context(
            #[inline(always)]
            |i| {
                let slot = &mut self.here[i];
                let state = slot.states[node] as usize;
                let map = &mut maps[i][state];
                let step = self.steps[(*map & FIXED) as usize];
                let p = i64::from(*map >> COUNT_BITS);
                let by = ((goal - p) * i64::from(step >> 1)) >> 16;
                *map = map.wrapping_add((by as u32) << COUNT_BITS) + (step & 1);
                if DIRECT > 0 {
                    let direct = &mut slot.direct[node % DIRECT.max(1)];
                    let p = i64::from(*direct);
                    let by = ((direct_goal - p) * i64::from(self.rates[state])) >> 16;
                    *direct = (p + by) as u16;
                }
                slot.states[node] = next[state];
            },
        );
        if node == WORTH {
            for (&at, slot) in self.at.iter().zip(&self.here) {
                self.tags[at / 4][at % 4].state = slot.states[node];
            }
        }
    }
}

/// Calls `f` with each context's number, which the compiler knows.
#[inline(always)]
fn each_context(mut f: impl FnMut(usize)) {
    f(0);
    f(1);
    f(2);
    f(3);
    f(4);
    f(5);
    f(6);
    f(7);
    f(8);
    f(9);
    f(10);
    f(11);
}

/// The hashes of contexts behind the first half of a byte: its bits behind a leading 1.
#[inline(always)]
pub fn in_second_half(hashes: &[u32; CONTEXTS], high: u32) -> [u32; CONTEXTS] {
    let mut all = *hashes;
    for h in &mut all {
        *h = hash(*h, high);
    }
    all
}

/// What a slot's tag holds of a hash.
#[inline(always)]
fn check(hash: u32) -> u16 {
    (hash >> 16) as u16 | 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_seen_says_nothing_and_goes_on_saying_it() {
        let mut bank = TextBank::new(8);
        let hashes = std::array::from_fn(|i| hash(i as u32, 7));
        bank.locate(&hashes);
        bank.select(&hashes);
        let mut inputs = [1; CONTEXTS * TextBank::INPUTS];
        for bit in [true, false, true, true] {
            // At nodes that were learnt there is something to say, at the next one there is not.
            for node in 2..NODES {
                bank.look(node, 0);
                bank.learn(bit);
            }
            bank.look(1, 0);
            bank.inputs(&mut inputs);
            assert_eq!(inputs, [0; CONTEXTS * TextBank::INPUTS]);
            assert_eq!(bank.seen(0..CONTEXTS), 0);
        }
        bank.learn(true);
        bank.inputs(&mut inputs);
        // The probabilities of its own: those of histories have learnt from the other nodes.
        let direct = inputs.chunks(TextBank::INPUTS).map(|inputs| inputs[1]);
        assert!(direct.into_iter().all(|input| input > 0));
        assert_eq!(bank.seen(1..5), 4);
    }

    #[test]
    fn a_slot_is_found_again_as_it_was_left() {
        let mut bank = ByteBank::new(4);
        let hashes: [[u32; CONTEXTS]; 2] =
            std::array::from_fn(|n| std::array::from_fn(|i| hash(i as u32, n as u32)));
        for _ in 0..3 {
            for (hashes, bit) in hashes.iter().zip([false, true]) {
                bank.locate(hashes);
                bank.select(hashes);
                bank.look(1, 0);
                bank.learn(bit);
            }
        }
        let mut inputs = [0; CONTEXTS];
        for (hashes, bit) in hashes.iter().zip([false, true]) {
            bank.locate(hashes);
            bank.select(hashes);
            bank.look(1, 0);
            bank.inputs(&mut inputs);
            assert!(inputs.iter().all(|&input| (input > 0) == bit), "{inputs:?}");
        }
    }
}
