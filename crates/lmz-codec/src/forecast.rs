//! How long a text will take under a model that is waited for, from a short trial before the work begins.
//!
//! The trial runs what the work will run, a few times: known tokens, passes of as many lanes as the text has, and passes of one lane early
//! and late in its block, whose difference is what attention to one more position takes.

use std::time::Instant;

use lmz_exact::{CpuLanes, Engine, Lanes, Query, Row, Team};
use lmz_model::Symbol;

use crate::error::Result;
use crate::mixed::{lanes_of, mixed_check};
use crate::model::Model;
use crate::options::{CompressOptions, Mix};
use crate::pool::cannot_start;

/// Known tokens of the trial.
const KNOWN: usize = 256;
/// Passes of each kind: the median counts, of early and late ones the least.
const PASSES: usize = 3;
/// Seconds that the mixer takes for a byte.
const MIXING: f64 = 2.5e-6;

/// Seconds that a text will take, about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// To encode it.
    pub encoding: f64,
    /// To check it then.
    pub checking: f64,
    /// To restore it.
    pub decoding: f64,
}

impl Forecast {
    /// Of a text of `raw_len` bytes that begins with `sample`: some hundred tokens are enough. `None` where nobody has to be told before: the model runs
    /// on a device, or its passes do not wait for its weights and the work's first seconds say as much.
    ///
    /// # Errors
    /// A model without a tokeniser, options that do not fit it, threads that cannot be started.
    pub fn of(
        model: &Model,
        sample: &[u8],
        raw_len: u64,
        options: &CompressOptions,
    ) -> Result<Option<Self>> {
        let engine = model.engine();
        if model.device_name().is_some() || !engine.waits_for_memory() || sample.is_empty() {
            return Ok(None);
        }
        let tokens: Vec<u32> = model
            .symbols(sample)?
            .into_iter()
            .map(|symbol| match symbol {
                Symbol::Token(token) => token,
                Symbol::Escape(_) => engine.start_token(),
            })
            .collect();
        let longest = raw_len.min(options.segments().size_at(0));
        let policy = options.context_policy(model, longest as usize)?;
        let symbols = raw_len as f64 * tokens.len() as f64 / sample.len() as f64;
        let lanes = match (options.mix, options.lanes) {
            (Mix::Auto, None) => lanes_of(policy, symbols as usize, engine),
            (Mix::Auto, Some(lanes)) => lanes,
            // Segments of their own.
            (Mix::None, _) => 2,
        };
        let threads = match options.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let team = Team::new(threads).map_err(|error| cannot_start(threads, &error))?;
        let trial = Trial::run(engine, team, &tokens, lanes)?;
        // What a block's middle sees; in lock step no block sees the one before.
        let context = f64::from(policy.context);
        let again = if lanes == 1 {
            f64::from(policy.overlap)
        } else {
            0.0
        };
        let seen = (context + again).min(symbols) / 2.0;
        let mixing = match options.mix {
            Mix::Auto => raw_len as f64 * MIXING,
            Mix::None => 0.0,
        };
        let repeated = context / (context - again).max(1.0);
        // Known tokens share what is read of the positions before them.
        let known = trial.known + trial.position * (seen - trial.known_at).max(0.0) / 4.0;
        let pass = trial.pass + trial.position * lanes as f64 * seen;
        let passes = symbols / lanes as f64 * pass;
        let reread = symbols * (repeated - 1.0) * known;
        let checking = match options.mix {
            Mix::Auto => mixed_check(passes, symbols * known),
            Mix::None => passes,
        };
        Ok(Some(Self {
            encoding: symbols * repeated * known + mixing,
            checking: checking + reread + mixing,
            decoding: passes + reread + mixing,
        }))
    }
}

/// Seconds.
struct Trial {
    /// A known token, at position `known_at` in the mean.
    known: f64,
    known_at: f64,
    /// A pass of all lanes, each at its beginning.
    pass: f64,
    /// Attention of one lane to one position.
    position: f64,
}

impl Trial {
    fn run(engine: &Engine, team: Team, tokens: &[u32], lanes: usize) -> Result<Self> {
        let known = tokens.len().min(KNOWN);
        let positions = known + 4 * PASSES + 2;
        let mut all = CpuLanes::new(engine, lanes.max(2), positions).shared(team);
        let row = |lane: usize, position: usize| Row {
            lane: lane as u32,
            position: position as u32,
            token: tokens[position % tokens.len()],
        };
        let mut seconds = |rows: &[Row], asked: &[usize]| -> Result<f64> {
            let queries: Vec<_> = asked.iter().map(|&at| (at, Query::Distribution)).collect();
            let begin = Instant::now();
            all.submit(rows, &queries)?;
            all.collect(&mut |_, _| ())?;
            Ok(begin.elapsed().as_secs_f64())
        };
        // All lanes begin; the first pass reads the weights from wherever they are.
        let rows: Vec<Row> = (0..lanes.max(2)).map(|lane| row(lane, 0)).collect();
        seconds(&rows, &[0])?;
        // The lane's beginning again, as every pass of so many rows but the first: that one asks the system for memory.
        let rows: Vec<Row> = (0..=known).map(|position| row(0, position)).collect();
        let every: Vec<usize> = (0..rows.len()).collect();
        seconds(&rows, &every)?;
        let prefill = seconds(&rows, &every)?;
        let (mut late, mut early, mut passes) = ([0.0; PASSES], [0.0; PASSES], [0.0; PASSES]);
        // In turn: the machine may do other things at times.
        for (i, (late, early)) in late.iter_mut().zip(&mut early).enumerate() {
            *late = seconds(&[row(0, known + 1 + i)], &[0])?;
            *early = seconds(&[row(1, 1 + i)], &[0])?;
        }
        for (i, time) in passes.iter_mut().enumerate() {
            let at = |lane| match lane {
                0 if lanes > 1 => known + 1 + PASSES + i,
                0 | 1 => 1 + PASSES + i,
                _ => 1 + i,
            };
            let rows: Vec<Row> = match lanes {
                1 => vec![row(1, at(1))],
                _ => (0..lanes).map(|lane| row(lane, at(lane))).collect(),
            };
            let every: Vec<usize> = (0..rows.len()).collect();
            *time = seconds(&rows, &every)?;
        }
        passes.sort_by(f64::total_cmp);
        let least = |times: [f64; PASSES]| times.into_iter().fold(f64::INFINITY, f64::min);
        Ok(Self {
            known: prefill / rows.len() as f64,
            known_at: known as f64 / 2.0,
            pass: passes[PASSES / 2],
            position: ((least(late) - least(early)) / known as f64).max(0.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> Model {
        let path = "../../models/archive/bootstrap/bootstrap.lmzm";
        Model::open(path.as_ref()).unwrap()
    }

    #[test]
    fn a_model_in_the_cache_needs_no_forecast() {
        let options = CompressOptions::default();
        let forecast = Forecast::of(&model(), b"some text", 1 << 30, &options).unwrap();
        assert_eq!(forecast, None);
    }

    #[test]
    fn a_trial_measures_every_kind_of_pass() {
        let model = model();
        // Fewer tokens than the trial wants, one lane, many lanes.
        for (tokens, lanes) in [(3, 1), (400, 1), (400, 2), (40, 16)] {
            let tokens: Vec<u32> = (0..tokens).map(|i| 300 + i % 50).collect();
            let trial = Trial::run(model.engine(), Team::new(2).unwrap(), &tokens, lanes).unwrap();
            assert!(trial.known > 0.0 && trial.pass > 0.0, "{lanes}");
            assert!(
                trial.position >= 0.0 && trial.position < trial.pass,
                "{lanes}"
            );
            assert!(trial.known_at <= KNOWN as f64 / 2.0);
        }
    }
}
