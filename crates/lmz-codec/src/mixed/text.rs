//! The text of a group, round by round, from coded bytes.

use lmz_coder::BitDecoder;
use lmz_exact::Lanes;
use lmz_mix::Text;
use lmz_model::Symbol;

use super::contexts::size_of;
use super::layout::Head;
use super::lockstep::{self, Failure, State};
use super::places::teach;
use super::rounds::rounds;
use crate::blocks::{Block, spell};
use crate::drive::{Decoded, Drive};
use crate::error::Result;
use crate::observer::{Phase, check};

/// The text of a group, still coded.
#[derive(Clone, Copy)]
pub struct CodedText<'a> {
    pub head: Head,
    pub coded: &'a [u8],
    /// Raw bytes that it has.
    pub raw_len: usize,
    /// Whether the end of the coded bytes is cut off: as much is decoded as they decide.
    pub cut: bool,
    /// See [`CodedGroup`](super::CodedGroup).
    pub known: &'a [Symbol],
}

impl CodedText<'_> {
    /// Lanes that it needs.
    pub fn lanes(&self) -> usize {
        self.head.lanes.min(self.head.symbols)
    }

    /// Positions that each lane needs: no more than the text has symbols.
    pub fn positions(&self, drive: &Drive<'_>) -> usize {
        let most = drive.shown.len() + self.head.symbols;
        (drive.policy.context as usize).min(most)
    }
}

/// The text of a group on its way from bytes. It outlives the lanes that it runs on: others go on where these fail.
pub struct TextGroup<'a> {
    drive: Drive<'a>,
    phase: Phase,
    of: CodedText<'a>,
    rounds: Box<dyn Iterator<Item = Vec<Block>> + Send + 'a>,
    /// The one that is being decoded.
    round: Option<Vec<Block>>,
    /// All symbols of the rounds before, behind those that are shown.
    seen: Vec<Symbol>,
    raw: Vec<u8>,
    state: State<'a>,
}

impl<'a> TextGroup<'a> {
    /// A text that begins.
    pub fn new(drive: &Drive<'a>, of: CodedText<'a>, phase: Phase) -> Self {
        let known = drive.shown.len();
        let CodedText {
            head,
            coded,
            raw_len,
            cut,
            known: _,
        } = of;
        Self {
            drive: *drive,
            phase,
            of,
            rounds: Box::new(rounds(drive.policy, known, head.symbols, head.lanes)),
            round: None,
            seen: drive.shown.to_vec(),
            raw: Vec::with_capacity(raw_len.min(coded.len().saturating_mul(64))),
            state: State::new(
                Text::new(drive.model.walk(), size_of(raw_len)),
                match cut {
                    true => BitDecoder::cut(coded),
                    false => BitDecoder::new(coded),
                },
            ),
        }
    }

    /// Goes on to the end, with a thread for each of these.
    pub fn run(&mut self, lanes: &mut [&mut dyn Lanes]) -> Result<Decoded> {
        loop {
            check(self.drive.observer)?;
            let round = match self.round.take() {
                Some(round) => round,
                None => match self.rounds.next() {
                    Some(round) => self.begin(round)?,
                    None => break,
                },
            };
            match self.decode(&round, lanes) {
                None => {}
                Some(Failure::Damage(why)) => return Ok(Err(why)),
                Some(Failure::Cut) => {
                    self.end_early(&round);
                    break;
                }
                Some(Failure::Other(error)) => return Err(error),
                Some(Failure::Lanes(error)) => {
                    self.round = Some(round);
                    return Err(error.into());
                }
            }
            self.end();
        }
        let raw = std::mem::take(&mut self.raw);
        let CodedText { raw_len, cut, .. } = self.of;
        Ok(match cut || raw.len() == raw_len {
            true => Ok(raw),
            false => Err(format!(
                "has {} bytes of text instead of {raw_len}",
                raw.len()
            )),
        })
    }

    fn begin(&mut self, round: Vec<Block>) -> Result<Vec<Block>> {
        let state = &mut self.state;
        let first = self.seen.len() == self.drive.shown.len();
        state.text.begin_round(round.len());
        if first {
            let (walk, table) = (self.drive.model.walk(), self.drive.model.engine().symbols());
            teach(&mut state.text, walk, table, self.drive.shown)?;
        }
        state.symbols = round.iter().map(|_| Vec::new()).collect();
        state.turn = 0;
        Ok(round)
    }

    /// Of a round that is cut off, the symbols whose place is known: those of its first block, and of a later one only
    /// where the one before is whole.
    fn end_early(&mut self, round: &[Block]) {
        let ends =
            |(symbols, block): &(&Vec<Symbol>, &Block)| symbols.len() == block.end - block.first;
        let whole = self
            .state
            .symbols
            .iter()
            .zip(round)
            .take_while(ends)
            .count();
        self.state.symbols.truncate(whole + 1);
        self.end();
    }

    /// The symbols of a round that is done become bytes.
    fn end(&mut self) {
        let vocabulary = self.drive.model.engine().symbols().vocabulary();
        for symbols in std::mem::take(&mut self.state.symbols) {
            self.raw.extend(spell(&symbols, vocabulary));
            self.seen.extend(symbols);
        }
        self.state.report(&self.drive, self.phase);
    }

    /// The round, on one thread for each of these lanes, as far as there is something to do for it.
    fn decode(&mut self, round: &[Block], lanes: &mut [&mut dyn Lanes]) -> Option<Failure> {
        let CodedText {
            raw_len,
            head,
            known,
            ..
        } = self.of;
        lockstep::decode(
            &mut self.state,
            lockstep::Round {
                drive: self.drive,
                phase: self.phase,
                blocks: round,
                seen: &self.seen,
                most: raw_len,
                known: (known.len() == head.symbols).then_some(known),
            },
            lanes,
        );
        self.state.failure.take()
    }
}
