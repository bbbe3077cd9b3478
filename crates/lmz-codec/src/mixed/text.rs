//! The text of a group, round by round, from coded bytes: threads or a device say what they think of each symbol.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use lmz_coder::BitDecoder;
use lmz_exact::{ExactError, Lanes, Query, Row};
use lmz_mix::{Symbol as Placed, Text};
use lmz_model::Symbol;

use super::contexts::size_of;
use super::layout::Head;
use super::places::{spelled, teach};
use super::rounds::rounds;
use crate::blocks::{Block, input};
use crate::drive::{Decoded, Drive, Stop};
use crate::error::CodecError;
use crate::observer::{Phase, check};

/// Steps from one look at the observer to the next.
const LOOK: usize = 32;

/// The text of a group on its way from bytes. It outlives the lanes that it runs on: others go on where these fail.
pub struct TextGroup<'a> {
    drive: Drive<'a>,
    phase: Phase,
    /// Raw bytes that it has.
    raw_len: usize,
    rounds: Box<dyn Iterator<Item = Vec<Block>> + Send + 'a>,
    /// The one that is being decoded.
    round: Option<Vec<Block>>,
    /// All symbols of the rounds before, behind those that are shown.
    seen: Vec<Symbol>,
    raw: Vec<u8>,
    state: State<'a>,
}

/// What the threads of a group hand to each other.
struct State<'a> {
    text: Text<'a>,
    decoder: BitDecoder<'a>,
    /// The symbols of the round, by lane.
    symbols: Vec<Vec<Symbol>>,
    /// Raw bytes of all symbols so far, and those that the observer has heard of.
    raw_len: usize,
    reported: usize,
    /// Whose turn it is: how many symbols of the round come before.
    turn: usize,
    failure: Option<Failure>,
}

enum Failure {
    /// No encoder can have written these bytes.
    Damage(String),
    Lanes(ExactError),
    Other(CodecError),
}

impl<'a> TextGroup<'a> {
    /// A text of `raw_len` bytes.
    pub fn new(
        drive: &Drive<'a>,
        head: Head,
        coded: &'a [u8],
        raw_len: usize,
        phase: Phase,
    ) -> Self {
        let known = drive.shown.len();
        Self {
            drive: *drive,
            phase,
            raw_len,
            rounds: Box::new(rounds(drive.policy, known, head.symbols, head.lanes)),
            round: None,
            seen: drive.shown.to_vec(),
            raw: Vec::with_capacity(raw_len.min(coded.len().saturating_mul(64))),
            state: State {
                text: Text::new(drive.model.walk(), size_of(raw_len)),
                decoder: BitDecoder::new(coded),
                symbols: Vec::new(),
                raw_len: 0,
                reported: 0,
                turn: 0,
                failure: None,
            },
        }
    }

    /// Goes on to the end, with a thread for each of these.
    pub fn run(&mut self, lanes: &mut [&mut dyn Lanes]) -> Result<Decoded, Stop> {
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
                Some(Failure::Other(error)) => return Err(error.into()),
                Some(Failure::Lanes(error)) => {
                    self.round = Some(round);
                    return Err(error.into());
                }
            }
            self.end();
        }
        let raw = std::mem::take(&mut self.raw);
        Ok(match raw.len() == self.raw_len {
            true => Ok(raw),
            false => Err(format!(
                "has {} bytes of text instead of {}",
                raw.len(),
                self.raw_len
            )),
        })
    }

    fn begin(&mut self, round: Vec<Block>) -> Result<Vec<Block>, CodecError> {
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

    /// The symbols of a round that is done become bytes.
    fn end(&mut self) {
        let vocabulary = self.drive.model.engine().symbols().vocabulary();
        for symbols in std::mem::take(&mut self.state.symbols) {
            for symbol in &symbols {
                match *symbol {
                    Symbol::Escape(byte) => self.raw.push(byte),
                    Symbol::Token(token) => {
                        let bytes = vocabulary.get(token);
                        self.raw.extend_from_slice(bytes.unwrap_or_default());
                    }
                }
            }
            self.seen.extend(symbols);
        }
        self.state.report(&self.drive, self.phase);
    }

    /// The round, on one thread for each of these lanes, as far as there is something to do for it.
    fn decode(&mut self, round: &[Block], lanes: &mut [&mut dyn Lanes]) -> Option<Failure> {
        let shared = Shared {
            state: Mutex::new(&mut self.state),
            changed: Condvar::new(),
            drive: self.drive,
            phase: self.phase,
            round,
            seen: &self.seen,
            most: self.raw_len,
        };
        let threads = lanes.len().min(round.len());
        let mut first = 0;
        let mut shares = Vec::new();
        for (i, lanes) in lanes.iter_mut().take(threads).enumerate() {
            let own = round.len() * (i + 1) / threads - first;
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
                    scope.spawn(move || shared.work(first, own, *lanes));
                }
            });
        }
        self.state.failure.take()
    }
}

impl State<'_> {
    fn report(&mut self, drive: &Drive<'_>, phase: Phase) {
        let bytes = self.raw_len - self.reported;
        self.reported = self.raw_len;
        drive.observer.advance(phase, bytes as u64);
    }
}

/// What the threads share in a round.
struct Shared<'a, 's, 't> {
    state: Mutex<&'s mut State<'t>>,
    changed: Condvar,
    drive: Drive<'a>,
    phase: Phase,
    round: &'a [Block],
    /// All symbols of the rounds before, behind those that are shown.
    seen: &'a [Symbol],
    /// Raw bytes that the text has.
    most: usize,
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
        for step in 0..longest(self.round) {
            if step % LOOK == 0 {
                check(self.drive.observer).map_err(Failure::Other)?;
                if first == 0 {
                    self.lock().report(&self.drive, self.phase);
                }
            }
            let (mut rows, mut queries, mut owners) = (Vec::new(), Vec::new(), Vec::new());
            for lane in 0..own {
                let block = &self.round[first + lane];
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
        let start = self.drive.model.engine().start_token();
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
                n => &self.seen[block.first - n..block.first],
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
        let walk = self.drive.model.walk();
        let table = self.drive.model.engine().symbols();
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
            let turn = step * self.round.len() + first + lane;
            let mut state = self.wait(turn);
            if state.failure.is_some() {
                failure = Some(Failure::Damage(String::new()));
                return;
            }
            let State { text, decoder, .. } = &mut **state;
            let placed = text.code(first + lane, &mut opinion, decoder, Placed::Token(0));
            let len = match placed {
                Placed::Escape(_) => 1,
                Placed::Token(place) => walk.bytes(place).len(),
            };
            let symbol = spelled(walk, table, placed);
            last[lane].push(symbol);
            state.symbols[first + lane].push(symbol);
            state.raw_len += len;
            if state.raw_len > self.most {
                let why = "holds more text than it should".to_owned();
                state.failure = Some(Failure::Damage(why));
            }
            state.turn = next_turn(self.round, turn);
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
