//! Bits of known tokens: by the integer engine and in double precision.

use lmz_coder::{Cost, Encoder};
use lmz_exact::{Cache, Engine, Kernel, Run, Scratch, prepare};
use lmz_model::{Checkpoint, ExactTokenizer, Symbol};
use rayon::prelude::*;

use crate::float::Float;

/// The tokens of a text, which must need no escape.
pub fn tokenize(checkpoint: &Checkpoint, text: &[u8]) -> Vec<u32> {
    let tokenizer =
        ExactTokenizer::new(&checkpoint.tokenizer_json, &checkpoint.vocabulary).unwrap();
    let token = |symbol: &Symbol| match symbol {
        Symbol::Token(token) => *token,
        Symbol::Escape(byte) => panic!("the byte {byte} needs an escape"),
    };
    tokenizer.encode(text).iter().map(token).collect()
}

/// The inputs of a block that codes `coded`.
pub fn inputs(start: u32, coded: &[u32]) -> Vec<u32> {
    std::iter::once(start)
        .chain(coded[..coded.len() - 1].iter().copied())
        .collect()
}

/// Bits by double precision, in blocks of `context` positions: softmax over the tokens that have
/// bytes.
pub fn reference_bits(checkpoint: &Checkpoint, tokens: &[u32], context: usize) -> f64 {
    bits_of(&Float::new(&**checkpoint), checkpoint, tokens, context)
}

/// As [`reference_bits`], of any model with the checkpoint's vocabulary.
pub fn bits_of(model: &Float, checkpoint: &Checkpoint, tokens: &[u32], context: usize) -> f64 {
    let symbols: Vec<usize> = checkpoint
        .vocabulary
        .iter()
        .filter(|(_, bytes)| bytes.is_some())
        .map(|(id, _)| id as usize)
        .collect();
    let block = |coded: &[u32]| -> f64 {
        let logits = model.forward(
            &inputs(checkpoint.blueprint.start_token, coded),
            &mut |_, _| {},
        );
        let bits = logits
            .chunks_exact(checkpoint.blueprint.vocab_size)
            .zip(coded)
            .map(|(z, &token)| {
                let max = symbols.iter().map(|&s| z[s]).fold(f64::MIN, f64::max);
                let sum: f64 = symbols.iter().map(|&s| (z[s] - max).exp()).sum();
                (sum.ln() + max - z[token as usize]) / std::f64::consts::LN_2
            });
        bits.sum()
    };
    tokens.par_chunks(context).map(block).sum()
}

/// The engine of a checkpoint that is prepared now.
pub fn engine(checkpoint: &Checkpoint) -> Engine {
    Engine::new(&prepare(checkpoint, "reference").unwrap(), Kernel::detect()).unwrap()
}

/// What the integer engine says of a text.
#[derive(Default)]
pub struct Exact {
    /// Accounted in fixed point.
    pub ideal: f64,
    /// Double precision softmax of the integer logits.
    pub softmax: f64,
    /// Of the sealed bytes.
    pub coded: f64,
}

/// In blocks of `context` positions.
pub fn exact_bits(engine: &Engine, tokens: &[u32], context: usize) -> Exact {
    let blocks: Vec<_> = tokens
        .par_chunks(context)
        .map(|coded| {
            let mut cache = Cache::new(engine, coded.len());
            let inputs = inputs(engine.start_token(), coded);
            let (mut cost, mut softmax, mut intervals) = (Cost::default(), 0.0, Vec::new());
            let run = Run {
                cache: &mut cache,
                start: 0,
                tokens: &inputs,
                wanted: 0,
            };
            engine.forward(&mut Scratch::new(), &mut [run], &mut |_, at, scores| {
                let symbol = engine.symbols().symbol(coded[at]).unwrap();
                let (interval, own) = scores.code(symbol);
                cost += own;
                intervals.push(interval);
                let power = |z: i32| ((f64::from(z) - f64::from(scores.max)) / 65536.0).exp2();
                let sum: f64 = scores.logits.iter().map(|&z| power(z)).sum();
                softmax += sum.log2()
                    + (f64::from(scores.max) - f64::from(scores.logits[symbol])) / 65536.0;
            });
            (cost, softmax, intervals)
        })
        .collect();
    let mut exact = Exact::default();
    let mut encoder = Encoder::new();
    for (cost, softmax, intervals) in blocks {
        exact.ideal += cost.bits();
        exact.softmax += softmax;
        intervals
            .into_iter()
            .for_each(|interval| encoder.encode(interval).unwrap());
    }
    exact.coded = encoder.finish().len() as f64 * 8.0;
    exact
}
