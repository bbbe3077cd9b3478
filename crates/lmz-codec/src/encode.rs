//! Segments to coded bytes. The unit of parallel work is a block: its inputs are known.

use lmz_coder::{Cost, Encoder, Interval};
use lmz_exact::{Cache, Run, Scratch, Symbols};
use lmz_format::ContextPolicy;
use lmz_model::Symbol;
use rayon::prelude::*;

use crate::blocks::{Block, blocks, read_by};
use crate::error::{CodecError, Result};
use crate::model::Model;
use crate::observer::{Observer, Phase, check};
use crate::shown::Shown;
use crate::timing::{Direction, Stopwatch};

/// A segment as the model codes it.
#[derive(Debug)]
pub struct Coded {
    pub bytes: Vec<u8>,
    /// The model's ideal code length.
    pub ideal: Cost,
}

/// Codes segments on the model's device, or with the current rayon pool, each after the symbols of
/// `prime`.
pub fn encode(
    model: &Model,
    policy: ContextPolicy,
    prime: &Shown,
    segments: &[&[u8]],
    observer: &dyn Observer,
) -> Result<Vec<Coded>> {
    let tokenizer = model.tokenizer()?;
    let symbols: Vec<Vec<Symbol>> = segments
        .par_iter()
        .map(|raw| [prime, &tokenizer.encode(raw)[..]].concat())
        .collect();
    let tasks: Vec<(usize, Block)> = symbols
        .iter()
        .enumerate()
        .flat_map(|(segment, symbols)| {
            blocks(policy, prime.len(), symbols.len()).map(move |block| (segment, block))
        })
        .collect();
    let watch = Stopwatch::start(model, Direction::Encoding);
    let mut scored = match model.device() {
        Some(device) => device.score(model, &symbols, &tasks, observer)?,
        None => tasks.iter().map(|_| None).collect(),
    };
    let left: Vec<usize> = (0..tasks.len()).filter(|&i| scored[i].is_none()).collect();
    let rest: Vec<Scored> = left
        .par_iter()
        .map_init(
            || Worker::new(model, policy, prime),
            |worker, &task| {
                check(observer)?;
                let (segment, block) = tasks[task];
                let scored = worker.score(&symbols[segment], block)?;
                let bytes = raw_len(model, &symbols[segment][block.first..block.end]);
                observer.advance(Phase::Encode, bytes);
                Ok(scored)
            },
        )
        .collect::<Result<_>>()?;
    for (task, result) in left.into_iter().zip(rest) {
        scored[task] = Some(result);
    }
    watch.stop(segments.iter().map(|raw| raw.len() as u64).sum());
    let mut by_segment: Vec<Vec<Scored>> = segments.iter().map(|_| Vec::new()).collect();
    for ((segment, _), scored) in tasks.iter().zip(scored.into_iter().flatten()) {
        by_segment[*segment].push(scored);
    }
    by_segment
        .into_par_iter()
        .zip(symbols)
        .map(|(scored, symbols)| pack(scored, &symbols[prime.len()..]))
        .collect()
}

/// What the model says of the symbols of one block.
#[derive(Debug, Default)]
pub struct Scored {
    pub intervals: Vec<Interval>,
    /// Sum of the ideal costs, without the escaped bytes.
    pub cost: Cost,
}

/// Raw bytes that symbols stand for.
pub fn raw_len(model: &Model, symbols: &[Symbol]) -> u64 {
    let vocabulary = model.engine().symbols().vocabulary();
    let raw = |symbol: &Symbol| match symbol {
        Symbol::Token(token) => vocabulary.get(*token).map_or(0, <[u8]>::len),
        Symbol::Escape(_) => 1,
    };
    symbols.iter().map(raw).sum::<usize>() as u64
}

/// One thread's engine state.
struct Worker<'a> {
    model: &'a Model,
    prime: &'a Shown,
    scratch: Scratch,
    cache: Cache,
    inputs: Vec<u32>,
}

impl<'a> Worker<'a> {
    fn new(model: &'a Model, policy: ContextPolicy, prime: &'a Shown) -> Self {
        let cache = Cache::new(model.engine(), policy.context as usize);
        Self {
            model,
            prime,
            scratch: Scratch::new(),
            cache,
            inputs: Vec::new(),
        }
    }

    fn score(&mut self, symbols: &[Symbol], block: Block) -> Result<Scored> {
        let engine = self.model.engine();
        let table = engine.symbols();
        let coded = &symbols[block.first..block.end];
        let numbers = numbers(table, coded)?;
        read_by(block, symbols, engine.start_token(), &mut self.inputs);
        let mut scored = Scored {
            intervals: Vec::with_capacity(coded.len()),
            cost: Cost::default(),
        };
        let begun = match block.first == self.prime.len() {
            true => self.prime.begin(self.model, &mut self.cache),
            false => 0,
        };
        let wanted = block.overlap - begun;
        let run = Run {
            cache: &mut self.cache,
            start: begun,
            tokens: &self.inputs[begun..],
            wanted,
        };
        engine.forward(&mut self.scratch, &mut [run], &mut |_, token, scores| {
            let (interval, cost) = scores.code(numbers[token - wanted]);
            scored.intervals.push(interval);
            scored.cost += cost;
        });
        Ok(scored)
    }
}

/// The symbols' numbers in the engine's table; the escape's is one past the last.
pub fn numbers(table: &Symbols, symbols: &[Symbol]) -> Result<Vec<usize>> {
    let number = |symbol: &Symbol| match symbol {
        Symbol::Escape(_) => Some(table.len()),
        Symbol::Token(token) => table.symbol(*token),
    };
    symbols
        .iter()
        .map(number)
        .collect::<Option<_>>()
        .ok_or_else(|| {
            CodecError::InvalidArgument("the tokeniser gave a token that cannot be coded".into())
        })
}

/// Intervals to bytes.
fn pack(scored: Vec<Scored>, symbols: &[Symbol]) -> Result<Coded> {
    let mut ideal: Cost = scored.iter().map(|block| block.cost).sum();
    let escapes = symbols.iter().filter(|s| matches!(s, Symbol::Escape(_)));
    for _ in escapes {
        ideal += Cost::from_bits(lmz_coder::ESCAPE_BYTE_BITS);
    }
    let intervals = scored.iter().flat_map(|block| &block.intervals);
    Ok(Coded {
        bytes: seal(intervals.copied().zip(symbols.iter().copied()))?,
        ideal,
    })
}

/// The coded bytes of symbols and their intervals.
pub fn seal(symbols: impl Iterator<Item = (Interval, Symbol)>) -> Result<Vec<u8>> {
    let mut encoder = Encoder::new();
    let put = |encoder: &mut Encoder, interval| {
        encoder
            .encode(interval)
            .map_err(|e| CodecError::InvalidArgument(e.to_string()))
    };
    for (interval, symbol) in symbols {
        put(&mut encoder, interval)?;
        if let Symbol::Escape(byte) = symbol {
            put(&mut encoder, Interval::of_byte(byte))?;
        }
    }
    Ok(encoder.finish())
}
