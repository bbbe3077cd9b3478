//! A decision: what is known of it, mixed; and what it teaches.

use super::cursor::{Cursor, Decision, OF_BYTES, OF_TOKENS};
use super::lane::Lane;
use super::matches::{Expected, Matcher};
use crate::apm::Apm;
use crate::bank::{CONTEXTS, TextBank};
use crate::mixer::{Mixer, Rates, WEIGHT_ONE};
use crate::tables::{PROBABILITY_BITS, hash, tables};
use crate::wide::Wide;

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

/// What the model says.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Of the decision, in 1/256 nat.
    pub view: i16,
    /// The place of the most likely token.
    pub likely: u32,
}

/// A decision as it was mixed.
pub struct Mixed {
    /// Of a 1, a share of 2^32.
    pub probability: u32,
    inputs: [i16; INPUTS],
    expected: [Option<Expected>; 2],
}

/// What decisions have taught.
#[derive(Debug)]
pub struct Learnt {
    pub bank: TextBank,
    pub matchers: [Matcher; 2],
    mixer: Mixer<INPUTS, { SETS.len() }>,
    /// By what is decided.
    plain: Apm,
    /// By the most likely token, too.
    likely: Apm,
    /// What was mixed, by the last byte and by the last two.
    last: Apm,
    last_pair: Apm,
    /// The registers that it is computed with.
    pub wide: Wide,
}

impl Learnt {
    /// Nothing yet, for a text of about 2^`size` bytes.
    pub fn new(size: u32) -> Self {
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
            bank: TextBank::new(bits),
            matchers: [Matcher::new(12, head_bits), Matcher::new(5, head_bits)],
            mixer: Mixer::new(&SETS, &initial, KNOWN, rates),
            plain: Apm::new(1024),
            likely: Apm::new(MAP_CONTEXTS),
            last: Apm::new(MAP_CONTEXTS),
            last_pair: Apm::new(PAIR_CONTEXTS),
            wide: Wide::detect(),
        }
    }

    /// Bytes of memory that [`Learnt::new`] takes, to a few percent.
    pub fn memory(size: u32) -> usize {
        TextBank::memory(slot_bits(size)) + (10 << 20) + (16 << size.clamp(10, 20))
    }

    /// Brings the contexts to a decision.
    #[inline(always)]
    pub fn approach(
        &mut self,
        lane: &mut Lane,
        cursor: &mut Cursor<'_>,
        decision: &Decision,
        known: &[u8],
    ) {
        if cursor.move_to(lane, decision, known) {
            self.bank.fetch_tags(&cursor.wanted);
            self.bank.locate(&cursor.wanted);
        }
        self.select(cursor);
    }

    /// Has the bank bring the slots of the cursor's contexts.
    #[inline(always)]
    fn select(&mut self, cursor: &mut Cursor<'_>) {
        if !cursor.selected {
            cursor.selected = true;
            self.bank.select(&cursor.wanted);
        }
    }

    /// The probability of a decision in a token that begins with `known`.
    #[inline]
    pub fn mix(
        &mut self,
        lane: &mut Lane,
        cursor: &mut Cursor<'_>,
        decision: &Decision,
        known: &[u8],
        view: View,
    ) -> Mixed {
        self.wide.run(
            #[inline(always)]
            || {
                self.approach(lane, cursor, decision, known);
                self.mix_here(lane, cursor, decision, view)
            },
        )
    }

    #[inline(always)]
    fn mix_here(
        &mut self,
        lane: &Lane,
        cursor: &Cursor<'_>,
        decision: &Decision,
        View { view, likely }: View,
    ) -> Mixed {
        let &Decision { byte, bit, partial } = decision;
        let end = bit.is_none();
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
        let [long, short] = &lane.matches;
        let expected = [
            long.expects(byte, end, bit.unwrap_or(0), partial),
            short.expects(byte, end, bit.unwrap_or(0), partial),
        ];

        let mut inputs = [0i16; INPUTS];
        inputs[0] = view;
        inputs[1] = self
            .plain
            .map_stretched(i32::from(view), what + 512 * (1 - start));
        let by_likely =
            |what: usize| hash(likely, (what + 1024 * byte) as u32) as usize % MAP_CONTEXTS;
        inputs[2] = self.likely.map_stretched(i32::from(view), by_likely(what));
        for (i, pair) in inputs[OF_MATCHES..OF_BANK].chunks_exact_mut(2).enumerate() {
            pair.copy_from_slice(&self.matchers[i].inputs(expected[i], end));
        }
        self.bank.look(decision.node(), decision.kind());
        self.bank.inputs(&mut inputs[OF_BANK..CONSTANT]);
        inputs[CONSTANT] = 256;

        let agrees = |e: Expected| usize::from(e.bit == (view > 0));
        let by_match = match expected {
            [Some(long), _] => 1 + long.bucket / 2 * 2 + agrees(long),
            [None, Some(short)] => 40 + short.bucket / 4 * 2 + agrees(short),
            _ => 0,
        };
        let kind = if end { 2 } else { start };
        let seen = self.bank.seen(OF_BYTES) * 4 + self.bank.seen(OF_TOKENS);
        let known = seen * 3 + place;
        let rows = [
            by_match * 3 + place,
            what,
            c1 + 256 * kind,
            likely as usize % 256 + 256 * place,
            known,
        ];
        let mixed = self.mixer.mix(&inputs, &rows, known, self.wide);
        let corrected =
            self.last.map(mixed >> 8, by_last) + self.last_pair.map(mixed >> 8, by_pair);
        let p = (tables().squash(mixed) + (corrected << (PROBABILITY_BITS - 17))) / 2;
        let p = p.clamp(2, (1 << PROBABILITY_BITS) - 2);
        Mixed {
            probability: p << (32 - PROBABILITY_BITS),
            inputs,
            expected,
        }
    }

    /// Learns the bit that a decision gave. The cursor moves to the `next` one, if there is one, and what that will read
    /// is fetched meanwhile.
    #[inline]
    pub fn learn(
        &mut self,
        mixed: &Mixed,
        bit: bool,
        lane: &mut Lane,
        cursor: &mut Cursor<'_>,
        next: Option<(Decision, &[u8])>,
    ) {
        self.wide.run(
            #[inline(always)]
            || {
                if let Some((next, known)) = &next
                    && cursor.move_to(lane, next, known)
                {
                    self.bank.fetch_tags(&cursor.wanted);
                    if let Some(hashes) = cursor.guess(lane) {
                        self.bank.fetch_tags(&hashes);
                    }
                }
                self.mixer.learn(&mixed.inputs, bit);
                self.plain.learn(bit);
                self.likely.learn(bit);
                self.last.learn(bit);
                self.last_pair.learn(bit);
                for (matcher, expected) in self.matchers.iter_mut().zip(mixed.expected) {
                    matcher.learn(expected, bit);
                }
                if !cursor.selected {
                    self.bank.locate(&cursor.wanted);
                }
                self.bank.learn(bit);
            },
        );
    }
}

fn slot_bits(size: u32) -> u32 {
    size.saturating_sub(3).clamp(8, 17)
}
