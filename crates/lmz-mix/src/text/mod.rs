//! Text by a language model and by what was seen of it: tokens, walked bit by bit.

mod cursor;
mod history;
mod lane;
mod matches;

use crate::apm::Apm;
use crate::bank::TextBank;
use crate::coder::Coder;
use crate::mixer::{MAX_SETS, Mixer, Rates, WEIGHT_ONE};
use crate::tables::{PROBABILITY_BITS, STRETCH_MAX, hash, tables};
use crate::walk::{Opinion, Walk};

use cursor::{CONTEXTS, Cursor, Decision, OF_BYTES, OF_TOKENS};
use history::History;
use lane::Lane;
use matches::{Expected, Matcher};

/// Inputs of the mixer.
const INPUTS: usize = 32;
/// The first input of each source.
const OF_MATCHES: usize = 3;
const OF_BANK: usize = 7;
const CONSTANT: usize = OF_BANK + 2 * CONTEXTS;
/// Contexts of the larger maps, and of the one by two bytes.
const MAP_CONTEXTS: usize = 1 << 12;
const PAIR_CONTEXTS: usize = 1 << 14;
/// Contexts of the mixer's sets: the last one's are those of the second layer, too.
const SETS: [usize; 5] = [192, 257, 768, 768, KNOWN];
/// How many contexts of bytes (0 to 4) and of tokens (0 to 3) were seen before, and where in the token.
const KNOWN: usize = 5 * 4 * 3;

/// A token by its place in the walk, or a byte that no token spells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symbol {
    /// A token.
    Token(usize),
    /// A byte.
    Escape(u8),
}

/// What is learnt from a group's text, and the lanes that share it.
#[derive(Debug)]
pub struct Text<'w> {
    walk: &'w Walk,
    bank: TextBank,
    matchers: [Matcher; 2],
    mixer: Mixer<INPUTS>,
    /// By what is decided.
    plain: Apm,
    /// By the most likely token, too.
    likely: Apm,
    /// What was mixed, by the last byte and by the last two.
    last: Apm,
    last_pair: Apm,
    history: History,
    lanes: Vec<Lane>,
    /// The last lane of the round before.
    before: Lane,
}

impl<'w> Text<'w> {
    /// For texts of about 2^`size` bytes: the contexts' tables have 2^(size - 3) slots each, at most 2^17.
    pub fn new(walk: &'w Walk, size: u32) -> Self {
        let bits = slot_bits(size);
        let mut initial = [0; INPUTS];
        initial[0] = WEIGHT_ONE / 10 * 4;
        initial[1] = WEIGHT_ONE / 10 * 3;
        initial[2] = WEIGHT_ONE / 10 * 3;
        for weight in &mut initial[OF_MATCHES..=CONSTANT] {
            *weight = WEIGHT_ONE / 50;
        }
        let rates = Rates {
            first: 84,
            last: 84,
            second: 8,
            least: 32,
        };
        let head_bits = size.clamp(10, 20);
        Self {
            walk,
            bank: TextBank::new(CONTEXTS, bits),
            matchers: [Matcher::new(12, head_bits), Matcher::new(5, head_bits)],
            mixer: Mixer::new(&SETS, &initial, KNOWN, rates),
            plain: Apm::new(1024),
            likely: Apm::new(MAP_CONTEXTS),
            last: Apm::new(MAP_CONTEXTS),
            last_pair: Apm::new(PAIR_CONTEXTS),
            history: History::default(),
            lanes: Vec::new(),
            before: Lane::default(),
        }
    }

    /// Bytes of memory that [`Text::new`] takes, to a few percent.
    pub fn memory(size: u32) -> usize {
        TextBank::memory(CONTEXTS, slot_bits(size)) + (4 << 20) + (16 << size.clamp(10, 20))
    }

    /// Begins a round of `lanes` blocks. The first goes on where the last block ended.
    ///
    /// # Panics
    /// If there is no lane.
    pub fn begin_round(&mut self, lanes: usize) {
        assert!(lanes > 0, "a round without lanes");
        if let Some(last) = self.lanes.pop() {
            self.before = last;
        }
        let first = self.history.blocks();
        self.history.begin_round(lanes);
        self.lanes.clear();
        self.lanes.resize_with(lanes, Lane::default);
        self.lanes[0] = std::mem::take(&mut self.before);
        for (i, lane) in self.lanes.iter_mut().enumerate() {
            lane.block = first + i;
        }
    }

    /// Codes the next symbol of a lane, and learns it. An encoder gives the symbol; a decoder any.
    ///
    /// # Panics
    /// If the round has no such lane, or the vocabulary no such place.
    pub fn code<C: Coder, O: Opinion>(
        &mut self,
        lane: usize,
        opinion: &mut O,
        coder: &mut C,
        symbol: Symbol,
    ) -> Symbol {
        let mut state = std::mem::take(&mut self.lanes[lane]);
        for found in &mut state.matches {
            found.begin(&self.history);
        }
        let mut cursor = Cursor::new(&state);
        let escaped = self.walk.has_escape() && {
            let share = alone(opinion.escape());
            coder.code(share, matches!(symbol, Symbol::Escape(_)))
        };
        let symbol = if escaped {
            let byte = match symbol {
                Symbol::Escape(byte) => byte,
                Symbol::Token(_) => 0,
            };
            let byte = self.raw(&mut state, &mut cursor, opinion.likely(), coder, byte);
            self.commit(&mut state, &[byte], self.walk.len());
            Symbol::Escape(byte)
        } else {
            let wanted = match symbol {
                Symbol::Token(place) => place,
                Symbol::Escape(_) => 0,
            };
            let place = self.token(&mut state, &mut cursor, opinion, coder, wanted);
            self.commit(&mut state, self.walk.bytes(place), place);
            Symbol::Token(place)
        };
        self.lanes[lane] = state;
        symbol
    }

    /// Shows a lane a token that is not coded, before the first: what precedes the text. Contexts and matches learn
    /// it, the mixer does not.
    ///
    /// # Panics
    /// If the round has no such lane, or the vocabulary no such place.
    pub fn teach(&mut self, lane: usize, place: usize) {
        let mut state = std::mem::take(&mut self.lanes[lane]);
        for found in &mut state.matches {
            found.begin(&self.history);
        }
        let mut cursor = Cursor::new(&state);
        let walk = self.walk;
        let (mut low, mut high, mut at) = (0, walk.len(), 0);
        while high - low > 1 {
            let node = walk.nodes()[at];
            let middle = node.middle as usize;
            let bit = place >= middle;
            if let Some(decision) = Decision::new(&node) {
                self.approach(&mut state, &mut cursor, &decision, walk.bytes(low));
                let end = usize::from(decision.bit.is_none());
                self.bank.learn(decision.node(), end, bit);
            }
            (low, high) = if bit { (middle, high) } else { (low, middle) };
            at = node.next[usize::from(bit)] as usize;
        }
        self.commit(&mut state, walk.bytes(place), place);
        self.lanes[lane] = state;
    }

    fn token<C: Coder, O: Opinion>(
        &mut self,
        lane: &mut Lane,
        cursor: &mut Cursor,
        opinion: &mut O,
        coder: &mut C,
        wanted: usize,
    ) -> usize {
        let walk = self.walk;
        let likely = opinion.likely();
        let (mut low, mut high, mut at) = (0, walk.len(), 0);
        while high - low > 1 {
            let node = walk.nodes()[at];
            let middle = node.middle as usize;
            let view = opinion.stretch(low, middle, high);
            let bit = wanted >= middle;
            let bit = match Decision::new(&node) {
                None => coder.code(alone(view), bit),
                Some(decision) => {
                    let known = walk.bytes(low);
                    self.decide(lane, cursor, &decision, known, view, likely, coder, bit)
                }
            };
            (low, high) = if bit { (middle, high) } else { (low, middle) };
            at = node.next[usize::from(bit)] as usize;
        }
        low
    }

    fn raw<C: Coder>(
        &mut self,
        lane: &mut Lane,
        cursor: &mut Cursor,
        likely: u32,
        coder: &mut C,
        byte: u8,
    ) -> u8 {
        let mut partial = 1u32;
        for bit in 0..8 {
            let decision = Decision {
                byte: 0,
                bit: Some(bit),
                partial: partial as u8,
            };
            let wanted = byte >> (7 - bit) & 1 == 1;
            let got = self.decide(lane, cursor, &decision, &[], 0, likely, coder, wanted);
            partial = partial << 1 | u32::from(got);
        }
        partial as u8
    }

    /// Brings the contexts to a decision.
    #[inline]
    fn approach(
        &mut self,
        lane: &mut Lane,
        cursor: &mut Cursor,
        decision: &Decision,
        known: &[u8],
    ) {
        let &Decision { byte, bit, partial } = decision;
        if byte != cursor.byte || cursor.nibble.is_none() {
            for (at, &next) in known.iter().enumerate().take(byte).skip(cursor.byte) {
                cursor.tail = cursor.tail << 8 | u128::from(next);
                cursor.prefix = hash(cursor.prefix.wrapping_add(1), u32::from(next));
                for found in &mut lane.matches {
                    found.see(at, next);
                }
            }
            cursor.byte = byte;
            cursor.nibble = None;
            cursor.find_contexts(lane);
        }
        let second = bit.is_some_and(|bit| bit >= 4);
        if cursor.nibble != Some(second) {
            cursor.nibble = Some(second);
            if second {
                let high = u32::from(partial) >> (bit.unwrap_or(4) - 4);
                let mut hashes = cursor.hashes;
                for h in &mut hashes[..CONTEXTS] {
                    *h = hash(*h, high);
                }
                self.bank.select(&hashes);
            } else {
                self.bank.select(&cursor.hashes);
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    #[inline]
    fn decide<C: Coder>(
        &mut self,
        lane: &mut Lane,
        cursor: &mut Cursor,
        decision: &Decision,
        known: &[u8],
        view: i16,
        likely: u32,
        coder: &mut C,
        wanted: bool,
    ) -> bool {
        self.approach(lane, cursor, decision, known);
        let &Decision { byte, bit, partial } = decision;
        let end = bit.is_none();
        let node = decision.node();
        // What is decided, 1..=256, and where in the token: at its start, inside, its end.
        let what = if end { 256 } else { usize::from(partial) };
        let start = usize::from(byte == 0);
        let place = if end { 0 } else { 2 - start };
        let c1 = cursor.tail as usize & 255;
        let decided = (what + 512 * start) as u32;
        let by_last = hash(c1 as u32, decided) as usize % MAP_CONTEXTS;
        let by_pair = hash(cursor.tail as u32 & 0xffff, decided) as usize % PAIR_CONTEXTS;
        self.last.fetch(by_last);
        self.last_pair.fetch(by_pair);
        let expected: [Option<Expected>; 2] =
            std::array::from_fn(|i| lane.matches[i].expects(byte, end, bit.unwrap_or(0), partial));

        let mut inputs = [0i16; INPUTS];
        inputs[0] = view;
        inputs[1] = self
            .plain
            .map_stretched(i32::from(view), what + 512 * (1 - start));
        let by_likely =
            |what: usize| hash(likely, (what + 1024 * byte) as u32) as usize % MAP_CONTEXTS;
        inputs[2] = self.likely.map_stretched(i32::from(view), by_likely(what));
        if bit.is_some_and(|bit| bit < 7) {
            // What is decided next, most often.
            self.likely.fetch(by_likely(2 * what));
            self.likely.fetch(by_likely(2 * what + 1));
        }
        for (i, pair) in inputs[OF_MATCHES..OF_BANK].chunks_exact_mut(2).enumerate() {
            pair.copy_from_slice(&self.matchers[i].inputs(expected[i], end));
        }
        self.bank
            .inputs(node, usize::from(end), &mut inputs[OF_BANK..CONSTANT]);
        inputs[CONSTANT] = 256;

        let agrees = |e: Expected| usize::from(e.bit == (view > 0));
        let by_match = match expected {
            [Some(long), _] => 1 + long.bucket / 2 * 2 + agrees(long),
            [None, Some(short)] => 40 + short.bucket / 4 * 2 + agrees(short),
            _ => 0,
        };
        let kind = if end { 2 } else { start };
        let seen = self.bank.seen(OF_BYTES, node) * 4 + self.bank.seen(OF_TOKENS, node);
        let known = seen * 3 + place;
        let mut rows = [0; MAX_SETS];
        rows[..5].copy_from_slice(&[
            by_match * 3 + place,
            what,
            c1 + 256 * kind,
            likely as usize % 256 + 256 * place,
            known,
        ]);
        let mixed = self.mixer.mix(&inputs, &rows, known);
        let corrected =
            self.last.map(mixed >> 8, by_last) + self.last_pair.map(mixed >> 8, by_pair);
        let p = (tables().squash(mixed) + (corrected << (PROBABILITY_BITS - 17))) / 2;
        let p = p.clamp(2, (1 << PROBABILITY_BITS) - 2);
        let bit = coder.code(p << (32 - PROBABILITY_BITS), wanted);

        self.mixer.learn(&inputs, bit);
        self.plain.learn(bit);
        self.likely.learn(bit);
        self.last.learn(bit);
        self.last_pair.learn(bit);
        for (matcher, expected) in self.matchers.iter_mut().zip(expected) {
            matcher.learn(expected, bit);
        }
        self.bank.learn(node, usize::from(end), bit);
        bit
    }

    fn commit(&mut self, lane: &mut Lane, bytes: &[u8], token: usize) {
        for (i, &byte) in bytes.iter().enumerate() {
            self.history.push(lane.block, byte, i == 0);
        }
        for found in &mut lane.matches {
            found.commit(bytes, &self.history);
        }
        let end = self.history.end(lane.block);
        for (i, &byte) in bytes.iter().enumerate() {
            lane.push(byte);
            let left = (bytes.len() - 1 - i) as u32;
            let mut place = end;
            place.offset -= left;
            for (matcher, found) in self.matchers.iter_mut().zip(&mut lane.matches) {
                let look = (left == 0).then_some((found, &self.history));
                matcher.index(lane.tail, lane.known, place, look);
            }
        }
        lane.push_token(token as u32);
    }
}

/// A share of 2^32 from the model's view alone.
fn alone(view: i16) -> u32 {
    let x = i32::from(view).clamp(-STRETCH_MAX, STRETCH_MAX) << 8;
    let p = tables().squash(x).clamp(2, (1 << PROBABILITY_BITS) - 2);
    p << (32 - PROBABILITY_BITS)
}

fn slot_bits(size: u32) -> u32 {
    size.saturating_sub(3).clamp(8, 17)
}
