//! Tokens a second of scoring: `score_speed MODEL_DIR [WINDOW [WINDOWS [DEVICE [AT_A_TIME]]]]`.
//!
//! `tools/speed/score_pytorch.py` measures transformers in the same way.

use std::sync::Arc;
use std::time::Instant;

use lmz_float::{Device, Scorer, ScoringOptions, Window};
use lmz_model::Network;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let directory = args.get(1).ok_or("which model?")?;
    let tokens: usize = args.get(2).map_or(Ok(1024), |a| a.parse())?;
    let batch: usize = args.get(3).map_or(Ok(8), |a| a.parse())?;
    let device = Device::parse(args.get(4).map_or("cpu", String::as_str))?;
    let weights = Arc::new(Network::open(directory)?);
    let vocab_size = weights.blueprint.vocab_size as u32;
    let options = ScoringOptions {
        device,
        batch: args.get(5).map(|a| a.parse()).transpose()?,
        ..ScoringOptions::default()
    };
    let mut scorer = Scorer::open(weights, options)?;
    let rows: Vec<Vec<u32>> = (0..batch)
        .map(|b| {
            let token = |t| (t * 7919 + b * 104_729 + t * t * 31) as u32 % vocab_size;
            (0..tokens).map(token).collect()
        })
        .collect();
    let windows: Vec<Window<'_>> = rows
        .iter()
        .map(|tokens| Window {
            tokens,
            scored: tokens.len() - 1,
        })
        .collect();
    let mut best = f64::INFINITY;
    let mut mean = 0.0;
    for round in 0..6 {
        let start = Instant::now();
        let scores = scorer.surprisals(&windows)?;
        let seconds = start.elapsed().as_secs_f64();
        mean = scores.iter().flatten().map(|&s| f64::from(s)).sum::<f64>()
            / scores.iter().map(Vec::len).sum::<usize>() as f64;
        if round > 0 {
            best = best.min(seconds);
        }
    }
    let count = (batch * tokens) as f64;
    println!(
        "{}: {batch} windows of {tokens}, {} at a time: {:.0} tokens/s, mean {mean:.6} nats",
        scorer.description(),
        scorer.batch(tokens).min(batch),
        count / best,
    );
    Ok(())
}
