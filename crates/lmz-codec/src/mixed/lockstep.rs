//! A round: consecutive blocks, a symbol of each in turn. Threads or a device say what they think of each symbol.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use lmz_coder::BitDecoder;
use lmz_exact::{ExactError, Lanes, Query, Row};
use lmz_mix::{Opinion, Symbol as Placed, Text};
use lmz_model::Symbol;

use super::places::spelled;
use super::views::BlockViews;
use crate::blocks::{Block, input};
use crate::drive::Drive;
use crate::error::CodecError;
use crate::observer::{Phase, check};
use crate::pool::cannot_start;

/// Steps from one look at the observer to the next, at least.
const LOOK: usize = 32;
/// Steps of known symbols that are read at once, between two that are read alone.
const KNOWN: usize = 31;

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
    /// What all symbols of the text should turn out to be, behind those that are shown.
    pub known: Option<&'a [Symbol]>,
}

impl Round<'_> {
    /// What a block's symbol number `step` should turn out to be.
    fn known(&self, block: &Block, step: usize) -> Option<Symbol> {
        let at = block.first + step - self.drive.shown.len();
        self.known?.get(at).copied()
    }

    /// How many steps are read at once from this one on: of known symbols most with others behind them, and some alone, as a
    /// reader reads them all.
    fn ahead(&self, step: usize) -> usize {
        match self.known {
            Some(_) if !step.is_multiple_of(KNOWN + 1) => KNOWN,
            _ => 1,
        }
    }
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
        let (mut step, mut look) = (0, 0);
        while step < longest(self.round.blocks) {
            if step >= look {
                look = step + LOOK;
                check(self.round.drive.observer).map_err(Failure::Other)?;
                if first == 0 {
                    self.lock().report(&self.round.drive, self.round.phase);
                }
            }
            let ahead = self.round.ahead(step);
            let (mut rows, mut queries, mut asked) = (Vec::new(), Vec::new(), Vec::new());
            for lane in 0..own {
                let block = &self.round.blocks[first + lane];
                let end = (step + ahead).min(block.end - block.first);
                for step in step.max(before[lane])..end {
                    let unread = &mut last[lane];
                    self.read(block, lane, unread, &mut positions[lane], &mut rows);
                    queries.push((rows.len() - 1, Query::Distribution));
                    asked.push(Asked { lane, step });
                    if step + 1 < end {
                        unread.extend(self.round.known(block, step));
                    }
                }
            }
            if !rows.is_empty() {
                lanes.submit(&rows, &queries).map_err(Failure::Lanes)?;
                match ahead {
                    1 => self.take(first, &asked, &mut last, lanes)?,
                    _ => self.take_known(first, &asked, &mut last, lanes)?,
                }
            }
            step += ahead;
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

    /// The symbols of a step, as the lanes hand out what the model says of them.
    fn take(
        &self,
        first: usize,
        asked: &[Asked],
        last: &mut [Vec<Symbol>],
        lanes: &mut dyn Lanes,
    ) -> Result<(), Failure> {
        let walk = self.round.drive.model.walk();
        let mut sums = Vec::new();
        let mut failure = None;
        let collected = lanes.collect(&mut |query, prediction| {
            let Asked { lane, step } = asked[query];
            if failure.is_some() {
                return;
            }
            let symbol = match prediction.distribution() {
                Some(scores) => {
                    let mut opinion = walk.sums(scores.weights, &mut sums);
                    self.symbol(step, first + lane, &mut opinion)
                }
                None => Err(another_answer()),
            };
            match symbol {
                Ok(symbol) => last[lane].push(symbol),
                Err(why) => failure = Some(why),
            }
        });
        match failure {
            Some(failure) => Err(failure),
            None => collected.map_err(Failure::Lanes),
        }
    }

    /// The symbols of several steps, each but the first read behind those that are known.
    fn take_known(
        &self,
        first: usize,
        asked: &[Asked],
        last: &mut [Vec<Symbol>],
        lanes: &mut dyn Lanes,
    ) -> Result<(), Failure> {
        let walk = self.round.drive.model.walk();
        let table = self.round.drive.model.engine().symbols();
        let known = |&Asked { lane, step }: &Asked| {
            let block = &self.round.blocks[first + lane];
            self.round.known(block, step)
        };
        // The lanes hand them out one lane after the other; they are coded in turn.
        let mut views = BlockViews::default();
        let mut failure = None;
        let collected = lanes.collect(&mut |query, prediction| {
            let place = match known(&asked[query]) {
                Some(Symbol::Token(token)) => table.symbol(token).map(|n| walk.place(n)),
                _ => None,
            };
            match prediction.distribution() {
                Some(scores) => views.push(walk, scores.weights, place),
                None => failure = Some(another_answer()),
            }
        });
        if let Some(failure) = failure {
            return Err(failure);
        }
        collected.map_err(Failure::Lanes)?;
        let mut queries: Vec<usize> = (0..asked.len()).collect();
        queries.sort_by_key(|&query| (asked[query].step, asked[query].lane));
        for query in queries {
            let Asked { lane, step } = asked[query];
            let symbol = self.symbol(step, first + lane, &mut views.of(query))?;
            last[lane].clear();
            last[lane].push(symbol);
        }
        Ok(())
    }

    /// The symbol of a step of one of the round's lanes, once it is its turn. It must be the one that is known.
    fn symbol(
        &self,
        step: usize,
        lane: usize,
        opinion: &mut impl Opinion,
    ) -> Result<Symbol, Failure> {
        let walk = self.round.drive.model.walk();
        let turn = step * self.round.blocks.len() + lane;
        let mut state = self.wait(turn);
        if state.failure.is_some() {
            return Err(Failure::Damage(String::new()));
        }
        let State { text, decoder, .. } = &mut **state;
        let placed = text.code(lane, opinion, decoder, Placed::Token(0));
        if !decoder.is_sure() {
            state.failure = Some(Failure::Cut);
            self.changed.notify_all();
            return Err(Failure::Cut);
        }
        let len = match placed {
            Placed::Escape(_) => 1,
            Placed::Token(place) => walk.bytes(place).len(),
        };
        let symbol = spelled(walk, self.round.drive.model.engine().symbols(), placed);
        let known = self.round.known(&self.round.blocks[lane], step);
        if known.is_some_and(|known| known != symbol) {
            return Err(Failure::Damage("has other symbols than the text".into()));
        }
        state.symbols[lane].push(symbol);
        state.raw_len += len;
        if state.raw_len > self.round.most {
            let why = "holds more text than it should".to_owned();
            state.failure = Some(Failure::Damage(why));
        }
        state.turn = next_turn(self.round.blocks, turn);
        self.changed.notify_all();
        Ok(symbol)
    }
}

/// A symbol that the model is asked about: of one of a thread's lanes, at a step.
struct Asked {
    lane: usize,
    step: usize,
}

fn another_answer() -> Failure {
    Failure::Damage("got another answer".into())
}

/// Seconds to check a text of which all symbols are known, from those that it takes to read each alone and to read all at once.
#[cfg(feature = "encode")]
pub fn mixed_check(alone: f64, at_once: f64) -> f64 {
    (alone + at_once * KNOWN as f64) / (KNOWN + 1) as f64
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
