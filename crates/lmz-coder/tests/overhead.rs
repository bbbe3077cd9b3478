//! The coder's bits over the model's ideal bits: at most 0.05 %, sealing left out.

use lmz_coder::{Cost, Decoder, Distribution, Encoder, exp2_weights};
use lmz_testkit::Random;

/// A distribution as language models have them: a power law over a random order, of random steepness.
struct Peaked {
    logits: Vec<i32>,
    max: i32,
    weights: Vec<u32>,
    /// Softmax in double precision, summed up.
    cumulative: Vec<f64>,
}

impl Peaked {
    fn new(symbols: usize, random: &mut Random) -> Self {
        let mut order: Vec<usize> = (0..symbols).collect();
        for i in (1..symbols).rev() {
            order.swap(i, random.below(i as u64 + 1) as usize);
        }
        let (steep, noise) = (0.8 + 2.7 * random.unit(), 2.0 * random.unit());
        let mut logits = vec![0; symbols];
        for (rank, &symbol) in order.iter().enumerate() {
            let z = -steep * ((rank + 1) as f64).log2() + noise * random.unit();
            logits[symbol] = (z * 65536.0).round() as i32;
        }
        let max = *logits.iter().max().unwrap();
        let mut weights = vec![0; symbols];
        exp2_weights(&logits, max, &mut weights);
        let mut sum = 0.0;
        let terms = logits
            .iter()
            .map(|&z| (f64::from(z - max) / 65536.0).exp2());
        let cumulative = terms
            .map(|term| {
                sum += term;
                sum
            })
            .collect();
        Self {
            logits,
            max,
            weights,
            cumulative,
        }
    }

    fn draw(&self, random: &mut Random) -> usize {
        let total = self.cumulative[self.cumulative.len() - 1];
        let point = random.unit() * total;
        self.cumulative
            .partition_point(|&c| c <= point)
            .min(self.logits.len() - 1)
    }

    /// Bits by the softmax.
    fn bits(&self, symbol: usize) -> f64 {
        let total = self.cumulative[self.cumulative.len() - 1];
        total.log2() + f64::from(self.max - self.logits[symbol]) / 65536.0
    }
}

fn overhead(symbols: usize, distributions: usize, steps: usize, seed: u64) {
    let mut random = Random(seed);
    let models: Vec<Peaked> = (0..distributions)
        .map(|_| Peaked::new(symbols, &mut random))
        .collect();
    let drawn: Vec<(usize, usize)> = (0..steps)
        .map(|_| {
            let model = random.below(distributions as u64) as usize;
            (model, models[model].draw(&mut random))
        })
        .collect();
    let mut encoder = Encoder::new();
    let (mut ideal, mut accounted) = (0.0, Cost::default());
    for &(model, symbol) in &drawn {
        let model = &models[model];
        let distribution = Distribution::new(&model.weights, 0);
        encoder.encode(distribution.interval(symbol)).unwrap();
        ideal += model.bits(symbol);
        accounted += distribution.cost((model.max - model.logits[symbol]) as u32);
    }
    let bytes = encoder.finish();
    let real = bytes.len() as f64 * 8.0;
    println!(
        "V = {symbols}, {steps} steps: {ideal:.1} ideal bits ({:.3} each), accounted {:+.5} %, real {:+.4} %",
        ideal / steps as f64,
        (accounted.bits() / ideal - 1.0) * 100.0,
        (real / ideal - 1.0) * 100.0,
    );
    assert!(real - 32.0 <= ideal * 1.0005, "{real} bits against {ideal}");
    assert!(real >= ideal * 0.9999, "{real} bits cannot hold {ideal}");
    assert!(
        (accounted.bits() / ideal - 1.0).abs() < 2e-5,
        "accounted {} of {ideal}",
        accounted.bits()
    );
    let mut decoder = Decoder::new(&bytes);
    for &(model, symbol) in &drawn {
        assert_eq!(
            decoder
                .decode(&Distribution::new(&models[model].weights, 0))
                .unwrap(),
            symbol
        );
    }
}

#[test]
fn of_a_small_vocabulary() {
    overhead(4_096, 48, 100_000, 1);
}

#[test]
fn of_a_large_vocabulary() {
    overhead(150_000, 6, 4_000, 2);
}
