//! How much text a figure needs: the paper's Figure 7 and Table 10.
//!
//! Both draw documents. A document's cost is what its tokens cost within the whole run, so a
//! sample is not scored again, and tokens keep the context that they had.

use serde::{Deserialize, Serialize};

use crate::stats::{Pairs, SEED, SplitMix64, mean, pearson, percentile, standard_deviation};

/// What a document costs a model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentCost {
    /// Its Unicode code points.
    pub characters: u64,
    /// Bits of its scored tokens.
    pub bits: f64,
}

/// The correlation over samples of one size.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SizePoint {
    /// Characters that were asked for; a sample ends with the document that reaches them.
    pub characters: u64,
    /// Mean characters of the samples.
    pub drawn: f64,
    /// Samples.
    pub samples: usize,
    /// Samples in which rho is defined.
    pub defined: usize,
    /// Mean of Pearson's rho.
    pub mean: f64,
    /// Its 5th percentile.
    pub low: f64,
    /// Its 95th percentile.
    pub high: f64,
    /// Mean over models of the standard deviation of the bits per character.
    pub deviation: f64,
}

/// How far one model's figure moves between samples.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Mean bits per character.
    pub mean: f64,
    /// Sample standard deviation of the bits per character.
    pub deviation: f64,
}

/// Sizes from 50,000 characters up, doubling, while samples of `parts` times the size fit.
fn sizes(total: u64, parts: u64) -> impl Iterator<Item = u64> {
    (0..)
        .map(|doubling| 50_000u64 << doubling)
        .take_while(move |size| size * parts <= total)
}

/// Pearson's rho of bits per character and scores over random samples of the corpus's documents,
/// by the samples' size. `models[m][d]` is what document `d` costs model `m`; all models have the
/// same documents. None of the sizes from 50,000 characters fits a small corpus: then none.
pub fn corpus_sizes(
    models: &[Vec<DocumentCost>],
    scores: &[Option<f64>],
    samples: usize,
) -> Vec<SizePoint> {
    assert_eq!(models.len(), scores.len(), "a score for each model");
    let Some(documents) = models.first().map(Vec::as_slice) else {
        return Vec::new();
    };
    let total: u64 = documents.iter().map(|document| document.characters).sum();
    let mut generator = SplitMix64::new(SEED);
    let point = |size: u64| {
        let drawn: Vec<Vec<usize>> = (0..samples)
            .map(|_| draw(documents, size, &mut generator))
            .collect();
        let figures: Vec<Vec<f64>> = drawn
            .iter()
            .map(|sample| {
                models
                    .iter()
                    .map(|model| figure_of(model, sample))
                    .collect()
            })
            .collect();
        let mut found: Vec<f64> = figures
            .iter()
            .filter_map(|x| {
                let x: Vec<Option<f64>> = x.iter().copied().map(Some).collect();
                let pairs = Pairs::new(&x, scores);
                Some(pearson(&pairs.x, &pairs.y).ok()?.value)
            })
            .collect();
        found.sort_by(f64::total_cmp);
        let characters = drawn.iter().map(|sample| {
            let characters = sample.iter().map(|&d| documents[d].characters);
            characters.sum::<u64>() as f64
        });
        let deviations: Vec<f64> = (0..models.len())
            .filter_map(|model| {
                let column: Vec<f64> = figures.iter().map(|x| x[model]).collect();
                standard_deviation(&column)
            })
            .collect();
        SizePoint {
            characters: size,
            drawn: mean(&characters.collect::<Vec<_>>()),
            samples,
            defined: found.len(),
            mean: mean(&found),
            low: percentile(&found, 0.05),
            high: percentile(&found, 0.95),
            deviation: mean(&deviations),
        }
    };
    sizes(total, 1).map(point).collect()
}

/// How far each model's bits per character move between `parts` disjoint samples, which together
/// hold every document. None if there are fewer documents than parts.
pub fn resampling_spread(models: &[Vec<DocumentCost>], parts: usize) -> Option<Vec<Spread>> {
    let documents = models.first()?.len();
    if parts < 2 || documents < parts {
        return None;
    }
    let mut order: Vec<usize> = (0..documents).collect();
    SplitMix64::new(SEED).shuffle(&mut order);
    let spread = |model: &Vec<DocumentCost>| {
        let figures: Vec<f64> = (0..parts)
            .map(|part| {
                let sample: Vec<usize> = order.iter().copied().skip(part).step_by(parts).collect();
                figure_of(model, &sample)
            })
            .collect();
        Spread {
            mean: mean(&figures),
            // There are two parts at least.
            deviation: standard_deviation(&figures).unwrap_or(f64::NAN),
        }
    };
    Some(models.iter().map(spread).collect())
}

/// Documents without replacement until there are enough characters.
fn draw(documents: &[DocumentCost], size: u64, generator: &mut SplitMix64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..documents.len()).collect();
    generator.shuffle(&mut order);
    let mut characters = 0;
    let enough = order.iter().position(|&document| {
        characters += documents[document].characters;
        characters >= size
    });
    order.truncate(enough.map_or(documents.len(), |last| last + 1));
    order
}

/// Bits per character of a sample.
fn figure_of(model: &[DocumentCost], sample: &[usize]) -> f64 {
    let (mut bits, mut characters) = (0.0, 0);
    for &document in sample {
        bits += model[document].bits;
        characters += model[document].characters;
    }
    bits / characters as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Documents of 5,000 characters that cost each model its own rate, and noise.
    fn models(rates: &[f64], documents: usize) -> Vec<Vec<DocumentCost>> {
        let mut generator = SplitMix64::new(1);
        let of = |rate: &f64| {
            let mut cost = || DocumentCost {
                characters: 5_000,
                bits: 5_000.0 * (rate + (generator.below(1000) as f64 - 500.0) / 2_000.0),
            };
            (0..documents).map(|_| cost()).collect()
        };
        rates.iter().map(of).collect()
    }

    #[test]
    fn more_text_makes_the_correlation_surer() {
        let rates = [0.5, 0.55, 0.6, 0.65, 0.7];
        let scores: Vec<Option<f64>> = rates.iter().map(|rate| Some(1.0 - rate)).collect();
        let points = corpus_sizes(&models(&rates, 400), &scores, 30);
        let sizes: Vec<u64> = points.iter().map(|point| point.characters).collect();
        assert_eq!(
            sizes,
            [50_000, 100_000, 200_000, 400_000, 800_000, 1_600_000]
        );
        let (first, last) = (&points[0], &points[5]);
        assert!(last.mean < first.mean && last.mean < -0.99, "{points:?}");
        assert!(last.high - last.low < first.high - first.low);
        assert!(last.deviation < first.deviation / 3.0);
        assert_eq!((first.drawn, first.defined), (50_000.0, 30));
        assert!(corpus_sizes(&models(&rates, 9), &scores, 3).is_empty());
    }

    #[test]
    fn disjoint_samples_spread_as_the_noise_says() {
        let spread = resampling_spread(&models(&[0.5, 0.9], 300), 3).unwrap();
        // Uniform noise of width 0.5 over 100 documents: 0.5 / sqrt(12) / 10 = 0.0144.
        for (one, rate) in spread.iter().zip([0.5, 0.9]) {
            assert!((one.mean - rate).abs() < 0.03, "{one:?}");
            assert!(one.deviation > 0.0 && one.deviation < 0.045, "{one:?}");
        }
        assert_eq!(resampling_spread(&models(&[0.5], 2), 3), None);
    }
}
