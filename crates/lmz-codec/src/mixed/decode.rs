//! Coded bytes to groups.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use lmz_coder::BitDecoder;
use lmz_exact::{CpuLanes, Engine, ExactError, Lanes, Query, Row};
use lmz_mix::{Symbol as Placed, Text, Walk};
use lmz_model::Symbol;

use super::contexts::{Decoding, size_of};
use super::layout::{Head, Shape};
use super::part::{PartKind, join, take_list, total};
use super::places::{spelled, teach};
use super::rounds::rounds;
use crate::blocks::{Block, input};
use crate::drive::Drive;
use crate::error::{CodecError, Result};
use crate::observer::{Phase, check};

/// Decodes a group of `raw_len` bytes with up to `threads` threads. One that cannot be decoded gives the reason;
/// whether the bytes are the right ones only a checksum tells.
///
/// # Errors
/// Cancellation; a model that fails.
pub fn decode_group(
    drive: &Drive<'_>,
    coded: &[u8],
    raw_len: usize,
    threads: usize,
    phase: Phase,
) -> Result<Result<Vec<u8>, String>> {
    let mut rest = coded;
    let head = match Head::take(&mut rest, raw_len) {
        Ok(head) => head,
        Err(why) => return Ok(Err(why)),
    };
    match head.shape {
        Shape::Bytes => {
            let raw = Decoding::new(rest, size_of(raw_len)).take(raw_len);
            drive.observer.advance(phase, raw_len as u64);
            Ok(Ok(raw))
        }
        Shape::Text => decode_text(drive, rest, head, raw_len, threads, phase),
        Shape::List { list, coded } => {
            let Some((packed, rest)) = rest.split_at_checked(coded) else {
                return Ok(Err("ends before its parts".into()));
            };
            let mut decoding = Decoding::new(packed, size_of(raw_len));
            let parts = match take_list(&decoding.take(list), raw_len) {
                Ok(parts) => parts,
                Err(why) => return Ok(Err(why)),
            };
            let bytes = decoding.take(total(&parts, PartKind::Bytes));
            let Some((stored, rest)) = rest.split_at_checked(total(&parts, PartKind::Stored))
            else {
                return Ok(Err("ends before what it stores".into()));
            };
            let text_len = total(&parts, PartKind::Text);
            drive.observer.advance(phase, (raw_len - text_len) as u64);
            let text = match text_len {
                0 => Ok(Vec::new()),
                _ => decode_text(drive, rest, head, text_len, threads, phase)?,
            };
            Ok(text.map(|text| join(&parts, &text, &bytes, stored)))
        }
    }
}

/// What the threads of a group hand to each other.
struct State<'a> {
    text: Text<'a>,
    decoder: BitDecoder<'a>,
    /// The symbols so far, by lane of the round.
    symbols: Vec<Vec<Symbol>>,
    /// Raw bytes of them all, and of the rounds before.
    raw_len: usize,
    /// How many symbols have been taken in the round: whose turn it is.
    turn: usize,
    failure: Option<Failure>,
}

enum Failure {
    Damage(String),
    Other(CodecError),
}

fn decode_text(
    drive: &Drive<'_>,
    coded: &[u8],
    head: Head,
    raw_len: usize,
    threads: usize,
    phase: Phase,
) -> Result<Result<Vec<u8>, String>> {
    let walk = drive.model.walk();
    let engine = drive.model.engine();
    let table = engine.symbols();
    let known = drive.shown.len();
    if head.symbols == 0 {
        return Ok(Err("has text without symbols".into()));
    }
    let mut state = State {
        text: Text::new(walk, size_of(raw_len)),
        decoder: BitDecoder::new(coded),
        symbols: Vec::new(),
        raw_len: 0,
        turn: 0,
        failure: None,
    };
    let mut all: Vec<Symbol> = drive.shown.to_vec();
    // Of a block: no more than the text has symbols.
    let positions = (drive.policy.context as usize).min(known + head.symbols);
    let lanes = head.lanes.min(head.symbols);
    let threads = threads.clamp(1, lanes);
    // Each thread has some of the lanes.
    let mut workers: Vec<CpuLanes<&Engine>> = (0..threads)
        .map(|_| CpuLanes::new(engine, lanes.div_ceil(threads), positions))
        .collect();
    let mut raw: Vec<u8> = Vec::with_capacity(raw_len.min(coded.len().saturating_mul(64)));
    let rounds = rounds(drive.policy, known, head.symbols, head.lanes);
    for (number, round) in rounds.enumerate() {
        check(drive.observer)?;
        state.text.begin_round(round.len());
        if number == 0 {
            teach(&mut state.text, walk, table, drive.shown)?;
        }
        state.symbols = round.iter().map(|_| Vec::new()).collect();
        state.turn = 0;
        let before = state.raw_len;
        let shared = Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
            walk,
            drive: *drive,
            round: &round,
            seen: &all,
            most: raw_len,
        };
        run(&shared, &mut workers);
        state = shared
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        match state.failure {
            Some(Failure::Damage(why)) => return Ok(Err(why)),
            Some(Failure::Other(error)) => return Err(error),
            None => {}
        }
        for symbols in std::mem::take(&mut state.symbols) {
            for symbol in &symbols {
                match *symbol {
                    Symbol::Escape(byte) => raw.push(byte),
                    Symbol::Token(token) => {
                        let bytes = table.vocabulary().get(token);
                        raw.extend_from_slice(bytes.unwrap_or_default());
                    }
                }
            }
            all.extend(symbols);
        }
        drive
            .observer
            .advance(phase, (state.raw_len - before) as u64);
    }
    Ok(match raw.len() == raw_len {
        true => Ok(raw),
        false => Err(format!(
            "has {} bytes of text instead of {raw_len}",
            raw.len()
        )),
    })
}

/// What the threads share in a round.
struct Shared<'a, 't> {
    state: Mutex<State<'t>>,
    changed: Condvar,
    walk: &'a Walk,
    drive: Drive<'a>,
    round: &'a [Block],
    /// All symbols of the rounds before, behind those that are shown.
    seen: &'a [Symbol],
    /// Raw bytes that the text has.
    most: usize,
}

/// One round, with as many threads as there are workers with lanes.
fn run(shared: &Shared<'_, '_>, workers: &mut [CpuLanes<&Engine>]) {
    let lanes = shared.round.len();
    let threads = workers.len().min(lanes);
    let mut first = 0;
    let mut shares = Vec::new();
    for (i, worker) in workers.iter_mut().take(threads).enumerate() {
        let own = lanes * (i + 1) / threads - first;
        shares.push((first, own, worker));
        first += own;
    }
    if threads == 1 {
        for (first, own, worker) in shares {
            work(shared, first, own, worker);
        }
        return;
    }
    std::thread::scope(|scope| {
        for (first, own, worker) in shares {
            scope.spawn(move || work(shared, first, own, worker));
        }
    });
}

fn work(shared: &Shared<'_, '_>, first: usize, own: usize, lanes: &mut dyn Lanes) {
    let waiting = Waiting(shared);
    if let Err(failure) = steps(shared, first, own, lanes) {
        waiting.fail(failure);
    }
}

/// The threads that wait for this one's turn: they are told when it fails, and also when it panics.
struct Waiting<'s, 'a, 't>(&'s Shared<'a, 't>);

impl Waiting<'_, '_, '_> {
    fn fail(&self, failure: Failure) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.failure.get_or_insert(failure);
        self.0.changed.notify_all();
    }
}

impl Drop for Waiting<'_, '_, '_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.fail(Failure::Damage("was given up".into()));
        }
    }
}

fn steps(
    shared: &Shared<'_, '_>,
    first: usize,
    own: usize,
    lanes: &mut dyn Lanes,
) -> Result<(), Failure> {
    let start = shared.drive.model.engine().start_token();
    let table = shared.drive.model.engine().symbols();
    let round = shared.round;
    let count = round.len();
    let longest = round.iter().map(|b| b.end - b.first).max().unwrap_or(0);
    let mut last: Vec<Symbol> = vec![Symbol::Escape(0); own];
    let mut positions = vec![0u32; own];
    for step in 0..longest {
        let (mut rows, mut queries, mut owners) = (Vec::new(), Vec::new(), Vec::new());
        for lane in 0..own {
            let block = &round[first + lane];
            if step >= block.end - block.first {
                continue;
            }
            let mut row = |token| {
                let position = positions[lane];
                positions[lane] += 1;
                rows.push(Row {
                    lane: lane as u32,
                    position,
                    token,
                });
            };
            if step == 0 {
                row(start);
                // Without an overlap nothing before the block need be known.
                let before = match block.overlap {
                    0 => &[],
                    n => &shared.seen[block.first - n..block.first],
                };
                before.iter().for_each(|symbol| row(input(symbol, start)));
            } else {
                row(input(&last[lane], start));
            }
            queries.push((rows.len() - 1, Query::Distribution));
            owners.push(lane);
        }
        if rows.is_empty() {
            return Ok(());
        }
        let failed = |error: ExactError| Failure::Other(error.into());
        lanes.submit(&rows, &queries).map_err(failed)?;
        let mut sums = Vec::new();
        let mut failure = None;
        lanes
            .collect(&mut |query, prediction| {
                let lane = owners[query];
                let Some(scores) = prediction.distribution() else {
                    failure.get_or_insert(Failure::Damage("got another answer".into()));
                    return;
                };
                if failure.is_some() {
                    return;
                }
                let mut opinion = shared.walk.sums(scores.weights, &mut sums);
                let turn = step * count + first + lane;
                let mut state = shared.wait(turn);
                if state.failure.is_some() {
                    failure = Some(Failure::Damage(String::new()));
                    return;
                }
                let State { text, decoder, .. } = &mut *state;
                let placed = text.code(first + lane, &mut opinion, decoder, Placed::Token(0));
                let len = match placed {
                    Placed::Escape(_) => 1,
                    Placed::Token(place) => shared.walk.bytes(place).len(),
                };
                let symbol = spelled(shared.walk, table, placed);
                last[lane] = symbol;
                state.symbols[first + lane].push(symbol);
                state.raw_len += len;
                if state.raw_len > shared.most {
                    let why = "holds more text than it should".to_owned();
                    state.failure = Some(Failure::Damage(why));
                }
                state.turn = next_turn(round, turn);
                shared.changed.notify_all();
            })
            .map_err(failed)?;
        if let Some(failure) = failure {
            return Err(failure);
        }
    }
    Ok(())
}

/// The turn after one: those of lanes that have ended are left out.
fn next_turn(round: &[Block], turn: usize) -> usize {
    let mut next = turn + 1;
    let longest = round.iter().map(|b| b.end - b.first).max().unwrap_or(0);
    while next < longest * round.len() {
        let (step, lane) = (next / round.len(), next % round.len());
        if step < round[lane].end - round[lane].first {
            break;
        }
        next += 1;
    }
    next
}

impl<'t> Shared<'_, 't> {
    /// The state, once it is this turn, or after a failure.
    fn wait(&self, turn: usize) -> MutexGuard<'_, State<'t>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while state.turn != turn && state.failure.is_none() {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state
    }
}
