//! A round: consecutive blocks, a symbol of each in turn. Threads or a device say what they think of each symbol.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use lmz_coder::BitDecoder;
use lmz_exact::{ExactError, Lanes, Query, Row};
use lmz_mix::{Symbol as Placed, Text};
use lmz_model::Symbol;

use super::places::spelled;
use crate::blocks::{Block, input};
use crate::drive::Drive;
use crate::error::CodecError;
use crate::observer::{Phase, check};
use crate::pool::cannot_start;

/// Steps from one look at the observer to the next.
const LOOK: usize = 32;

/// What the threads of a group hand to each other.
pub struct State<'a> {
    pub text: Text<'a>,
    pub decoder: BitDecoder<'a>,
    /// The symbols of the round, by lane.
    pub symbols: Vec<Vec<Symbol>>,
    /// Raw bytes of all symbols so far, and those that the observer has heard of.
    pub raw_len: usize,
    reported: usize,
    /// Whose turn it is: how many symbols of the round come before.
    pub turn: usize,
    pub failure: Option<Failure>,
}

/// Why a round does not go on.
pub enum Failure {
    /// No encoder can have written these bytes.
    Damage(String),
    /// What is left of the bytes decides nothing any more.
    Cut,
    Lanes(ExactError),
    Other(CodecError),
}

impl<'a> State<'a> {
    /// Before the first symbol.
    pub fn new(text: Text<'a>, decoder: BitDecoder<'a>) -> Self {
        Self {
            text,
            decoder,
            symbols: Vec::new(),
            raw_len: 0,
            reported: 0,
            turn: 0,
            failure: None,
        }
    }

    /// Tells the observer what is done since the last time.
    pub fn report(&mut self, drive: &Drive<'_>, phase: Phase) {
        let bytes = self.raw_len - self.reported;
        self.reported = self.raw_len;
        drive.observer.advance(phase, bytes as u64);
    }
}

/// What is to be decoded.
#[derive(Clone, Copy)]
pub struct Round<'a> {
    pub drive: Drive<'a>,
    pub phase: Phase,
    pub blocks: &'a [Block],
    /// All symbols of the rounds before, behind those that are shown.
    pub seen: &'a [Symbol],
    /// Raw bytes that the text has.
    pub most: usize,
}

/// Decodes a round into `state`, on one thread for each of these lanes, as far as there is something to do for it.
pub fn decode(state: &mut State<'_>, round: Round<'_>, lanes: &mut [&mut dyn Lanes]) {
    let count = round.blocks.len();
    let shared = Shared {
        state: Mutex::new(state),
        changed: Condvar::new(),
        round,
    };
    let threads = lanes.len().min(count);
    let mut first = 0;
    let mut shares = Vec::new();
    for (i, lanes) in lanes.iter_mut().take(threads).enumerate() {
        let own = count * (i + 1) / threads - first;
        shares.push((first, own, lanes));
        first += own;
    }
    if threads == 1 {
        for (first, own, lanes) in shares {
            shared.work(first, own, *lanes);
        }
    } else {
        std::thread::scope(|scope| {
            for (first, own, lanes) in shares {
                let shared = &shared;
                let work = move || shared.work(first, own, *lanes);
                let started = std::thread::Builder::new().spawn_scoped(scope, work);
                if let Err(error) = started {
                    // The others wait for its turn.
                    Waiting(shared).fail(Failure::Other(cannot_start(threads, &error)));
                    break;
                }
            }
        });
    }
}

/// What the threads share in a round.
struct Shared<'a, 's, 't> {
    state: Mutex<&'s mut State<'t>>,
    changed: Condvar,
    round: Round<'a>,
}

/// The threads that wait for this one's turn: they are told when it fails, and also when it panics.
struct Waiting<'w, 'a, 's, 't>(&'w Shared<'a, 's, 't>);

impl Waiting<'_, '_, '_, '_> {
    fn fail(&self, failure: Failure) {
        let mut state = self.0.lock();
        state.failure.get_or_insert(failure);
        self.0.changed.notify_all();
    }
}

impl Drop for Waiting<'_, '_, '_, '_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.fail(Failure::Damage("was given up".into()));
        }
    }
}

impl<'s, 't> Shared<'_, 's, 't> {
    fn lock(&self) -> MutexGuard<'_, &'s mut State<'t>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, once it is this turn, or after a failure.
    fn wait(&self, turn: usize) -> MutexGuard<'_, &'s mut State<'t>> {
        let mut state = self.lock();
        while state.turn != turn && state.failure.is_none() {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state
    }

    /// `own` of the round's blocks from `first` on.
    fn work(&self, first: usize, own: usize, lanes: &mut dyn Lanes) {
        let waiting = Waiting(self);
        if let Err(failure) = self.steps(first, own, lanes) {
            waiting.fail(failure);
        }
    }

    fn steps(&self, first: usize, own: usize, lanes: &mut dyn Lanes) -> Result<(), Failure> {
        // Other lanes may have been here before.
        let mut last: Vec<Vec<Symbol>> = self.lock().symbols[first..first + own].to_vec();
        let before: Vec<usize> = last.iter().map(Vec::len).collect();
        let mut positions = vec![0u32; own];
        for step in 0..longest(self.round.blocks) {
            if step % LOOK == 0 {
                check(self.round.drive.observer).map_err(Failure::Other)?;
                if first == 0 {
                    self.lock().report(&self.round.drive, self.round.phase);
                }
            }
            let (mut rows, mut queries, mut owners) = (Vec::new(), Vec::new(), Vec::new());
            for lane in 0..own {
                let block = &self.round.blocks[first + lane];
                if step >= block.end - block.first || step < before[lane] {
                    continue;
                }
                self.read(
                    block,
                    lane,
                    &mut last[lane],
                    &mut positions[lane],
                    &mut rows,
                );
                queries.push((rows.len() - 1, Query::Distribution));
                owners.push(lane);
            }
            if !rows.is_empty() {
                lanes.submit(&rows, &queries).map_err(Failure::Lanes)?;
                self.take(step, first, &owners, &mut last, lanes)?;
            }
        }
        Ok(())
    }

    /// What a lane reads next: the symbols that it has not read; the beginning first.
    fn read(
        &self,
        block: &Block,
        lane: usize,
        unread: &mut Vec<Symbol>,
        position: &mut u32,
        rows: &mut Vec<Row>,
    ) {
        let start = self.round.drive.model.engine().start_token();
        let begins = *position == 0;
        let mut row = |token| {
            rows.push(Row {
                lane: lane as u32,
                position: *position,
                token,
            });
            *position += 1;
        };
        if begins {
            row(start);
            // Without an overlap nothing before the block need be known.
            let before = match block.overlap {
                0 => &[],
                n => &self.round.seen[block.first - n..block.first],
            };
            before.iter().for_each(|symbol| row(input(symbol, start)));
        }
        unread
            .drain(..)
            .for_each(|symbol| row(input(&symbol, start)));
    }

    /// The symbols of a step.
    fn take(
        &self,
        step: usize,
        first: usize,
        owners: &[usize],
        last: &mut [Vec<Symbol>],
        lanes: &mut dyn Lanes,
    ) -> Result<(), Failure> {
        let walk = self.round.drive.model.walk();
        let table = self.round.drive.model.engine().symbols();
        let mut sums = Vec::new();
        let mut failure = None;
        let collected = lanes.collect(&mut |query, prediction| {
            let lane = owners[query];
            let Some(scores) = prediction.distribution() else {
                failure.get_or_insert(Failure::Damage("got another answer".into()));
                return;
            };
            if failure.is_some() {
                return;
            }
            let mut opinion = walk.sums(scores.weights, &mut sums);
            let turn = step * self.round.blocks.len() + first + lane;
            let mut state = self.wait(turn);
            if state.failure.is_some() {
                failure = Some(Failure::Damage(String::new()));
                return;
            }
            let State { text, decoder, .. } = &mut **state;
            let placed = text.code(first + lane, &mut opinion, decoder, Placed::Token(0));
            if !decoder.is_sure() {
                state.failure = Some(Failure::Cut);
                failure = Some(Failure::Cut);
                self.changed.notify_all();
                return;
            }
            let len = match placed {
                Placed::Escape(_) => 1,
                Placed::Token(place) => walk.bytes(place).len(),
            };
            let symbol = spelled(walk, table, placed);
            last[lane].push(symbol);
            state.symbols[first + lane].push(symbol);
            state.raw_len += len;
            if state.raw_len > self.round.most {
                let why = "holds more text than it should".to_owned();
                state.failure = Some(Failure::Damage(why));
            }
            state.turn = next_turn(self.round.blocks, turn);
            self.changed.notify_all();
        });
        match failure {
            Some(failure) => Err(failure),
            None => collected.map_err(Failure::Lanes),
        }
    }
}

fn longest(round: &[Block]) -> usize {
    let lengths = round.iter().map(|block| block.end - block.first);
    lengths.max().unwrap_or(0)
}

/// The turn after one: those of lanes that have ended are left out.
fn next_turn(round: &[Block], turn: usize) -> usize {
    let mut next = turn + 1;
    let end = longest(round) * round.len();
    while next < end {
        let (step, lane) = (next / round.len(), next % round.len());
        if step < round[lane].end - round[lane].first {
            break;
        }
        next += 1;
    }
    next
}
