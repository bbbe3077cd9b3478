//! Text by a language model and by what was seen of it: tokens, walked bit by bit.

mod cursor;
mod decide;
mod history;
mod lane;
mod matches;

use crate::coder::Coder;
use crate::tables::{PROBABILITY_BITS, STRETCH_MAX, tables};
use crate::walk::{Opinion, Walk};

use cursor::{Cursor, Decision};
use decide::{Learnt, View};
use history::History;
use lane::Lane;

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
    learnt: Learnt,
    history: History,
    lanes: Vec<Lane>,
    /// The last lane of the round before.
    before: Lane,
}

impl<'w> Text<'w> {
    /// For texts of about 2^`size` bytes: the contexts' tables have 2^(size - 3) slots each, at most 2^17.
    pub fn new(walk: &'w Walk, size: u32) -> Self {
        Self {
            walk,
            learnt: Learnt::new(size),
            history: History::default(),
            lanes: Vec::new(),
            before: Lane::default(),
        }
    }

    /// Bytes of memory that [`Text::new`] takes, to a few percent.
    pub fn memory(size: u32) -> usize {
        Learnt::memory(size)
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
        let mut lanes = std::mem::take(&mut self.lanes);
        let state = &mut lanes[lane];
        let guess = self.walk.bytes(opinion.likely() as usize);
        let mut cursor = Cursor::new(state, guess);
        self.learnt.bank.locate(&cursor.wanted);
        if let Some(hashes) = cursor.guess(state) {
            self.learnt.bank.fetch_tags(&hashes);
        }
        for found in &mut state.matches {
            found.begin(&self.history);
        }
        let escaped = self.walk.has_escape() && {
            let share = alone(opinion.escape());
            coder.code(share, matches!(symbol, Symbol::Escape(_)))
        };
        let symbol = if escaped {
            let byte = match symbol {
                Symbol::Escape(byte) => byte,
                Symbol::Token(_) => 0,
            };
            let byte = self.raw(state, &mut cursor, opinion.likely(), coder, byte);
            self.commit(state, &[byte], self.walk.len());
            Symbol::Escape(byte)
        } else {
            let wanted = match symbol {
                Symbol::Token(place) => place,
                Symbol::Escape(_) => 0,
            };
            let place = self.token(state, &mut cursor, opinion, coder, wanted);
            self.commit(state, self.walk.bytes(place), place);
            Symbol::Token(place)
        };
        self.lanes = lanes;
        symbol
    }

    /// Shows a lane a token that is not coded, before the first: what precedes the text. Contexts and matches learn
    /// it, the mixer does not.
    ///
    /// # Panics
    /// If the round has no such lane, or the vocabulary no such place.
    pub fn teach(&mut self, lane: usize, place: usize) {
        let mut lanes = std::mem::take(&mut self.lanes);
        let state = &mut lanes[lane];
        let mut cursor = Cursor::new(state, &[]);
        self.learnt.bank.locate(&cursor.wanted);
        for found in &mut state.matches {
            found.begin(&self.history);
        }
        let walk = self.walk;
        let (mut low, mut high, mut at) = (0, walk.len(), 0);
        while high - low > 1 {
            let node = walk.nodes()[at];
            let middle = node.middle as usize;
            let bit = place >= middle;
            if let Some(decision) = Decision::new(&node) {
                self.learnt
                    .approach(state, &mut cursor, &decision, walk.bytes(low));
                self.learnt.bank.look(decision.node(), decision.kind());
                self.learnt.bank.learn(bit);
            }
            (low, high) = if bit { (middle, high) } else { (low, middle) };
            at = node.next[usize::from(bit)] as usize;
        }
        self.commit(state, walk.bytes(place), place);
        self.lanes = lanes;
    }

    fn token<C: Coder, O: Opinion>(
        &mut self,
        lane: &mut Lane,
        cursor: &mut Cursor<'_>,
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
            let decision = Decision::new(&node);
            let mut mixed = None;
            let share = match &decision {
                None => alone(view),
                Some(decision) => {
                    let view = View { view, likely };
                    let by_all = self
                        .learnt
                        .mix(lane, cursor, decision, walk.bytes(low), view);
                    mixed.insert(by_all).probability
                }
            };
            let bit = coder.code(share, bit);
            (low, high) = if bit { (middle, high) } else { (low, middle) };
            at = node.next[usize::from(bit)] as usize;
            if let Some(mixed) = &mixed {
                let more = (high - low > 1).then(|| Decision::new(&walk.nodes()[at]));
                let next = more.flatten().map(|next| (next, walk.bytes(low)));
                self.learnt.learn(mixed, bit, lane, cursor, next);
            }
        }
        low
    }

    fn raw<C: Coder>(
        &mut self,
        lane: &mut Lane,
        cursor: &mut Cursor<'_>,
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
            let view = View { view: 0, likely };
            let mixed = self.learnt.mix(lane, cursor, &decision, &[], view);
            let got = coder.code(mixed.probability, byte >> (7 - bit) & 1 == 1);
            self.learnt.learn(&mixed, got, lane, cursor, None);
            partial = partial << 1 | u32::from(got);
        }
        partial as u8
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
            for (matcher, found) in self.learnt.matchers.iter_mut().zip(&mut lane.matches) {
                let look = (left == 0).then_some((found, &self.history));
                matcher.index(lane.tail, lane.known, place, look);
            }
        }
        lane.push_token(token as u32);
        // Until this lane's next turn the memory has time.
        lane.ahead = None;
        let hashes = Cursor::new(lane, &[]).hashes;
        self.learnt.bank.fetch_tags(&hashes);
        lane.ahead = Some(hashes);
    }
}

/// A share of 2^32 from the model's view alone.
fn alone(view: i16) -> u32 {
    let x = i32::from(view).clamp(-STRETCH_MAX, STRETCH_MAX) << 8;
    let p = tables().squash(x).clamp(2, (1 << PROBABILITY_BITS) - 2);
    p << (32 - PROBABILITY_BITS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::hash;
    use crate::walk::Views;
    use crate::wide::Wide;
    use lmz_coder::Encoder;

    #[test]
    fn every_width_of_registers_gives_the_same_bytes() {
        let words = ["a", "b", "ab", "abc", "the ", "\n", "\u{e9}", "zz"];
        let walk = Walk::new(words.iter().map(|word| word.as_bytes()), 0);
        let coded = |wide| {
            let mut text = Text::new(&walk, 12);
            text.learnt.wide = wide;
            let mut encoder = Encoder::new();
            text.begin_round(2);
            for i in 0..3000u32 {
                let place = hash(i / 3, i % 7) as usize % if i % 100 < 60 { 3 } else { walk.len() };
                // More views than a walk has decisions.
                let views: Vec<i16> = (0..8).map(|n| (hash(i, n) % 2000) as i16 - 1000).collect();
                let mut views = Views::new(&views, hash(i, 9) % walk.len() as u32);
                text.code(
                    i as usize % 2,
                    &mut views,
                    &mut encoder,
                    Symbol::Token(place),
                );
            }
            encoder.finish()
        };
        let plain = coded(Wide::Any);
        for wide in Wide::all() {
            assert!(coded(wide) == plain, "{wide:?}");
        }
    }
}
