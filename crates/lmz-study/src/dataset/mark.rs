//! A score beside its error and beside what guessing scores.

/// The rule of [`Mark::is_chance`], in words.
pub const CHANCE_RULE: &str = "a score is not above chance if it is no more than 1.645 of its standard errors above what \
     guessing scores (one-sided, 5 %); of a mean of benchmarks the mean of what guessing scores, and the root of the sum of \
     their squared standard errors over their number";

/// The 95th percentile of the normal distribution.
const ONE_SIDED: f64 = 1.644_853_626_951_472_6;

/// A model's figure in a column of scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    /// From 0 to 1.
    pub value: f64,
    /// Standard error of the value; `None` if it is not known.
    pub stderr: Option<f64>,
    /// What guessing scores; `None` if it is not known.
    pub chance: Option<f64>,
}

impl Mark {
    /// Whether the score cannot be told from guessing. Of a score whose error is not known, or in a
    /// benchmark whose chance is not, that is never said.
    pub fn is_chance(&self) -> bool {
        let limit = self.chance.zip(self.stderr);
        limit.is_some_and(|(chance, stderr)| self.value <= chance + ONE_SIDED * stderr)
    }

    /// The mean of marks that are independent of each other, if all are known and there are any.
    pub fn mean(marks: impl Iterator<Item = Option<Self>>) -> Option<Self> {
        let marks: Vec<Self> = marks.collect::<Option<_>>()?;
        if marks.is_empty() {
            return None;
        }
        let n = marks.len() as f64;
        let sum = |of: &dyn Fn(&Self) -> Option<f64>| marks.iter().map(of).sum::<Option<f64>>();
        Some(Self {
            value: sum(&|mark| Some(mark.value))? / n,
            stderr: sum(&|mark| Some(mark.stderr? * mark.stderr?))
                .map(|squares| squares.sqrt() / n),
            chance: sum(&|mark| mark.chance).map(|chances| chances / n),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(value: f64, stderr: f64, chance: f64) -> Mark {
        Mark {
            value,
            stderr: Some(stderr),
            chance: Some(chance),
        }
    }

    #[test]
    fn what_is_near_guessing_is_chance() {
        assert!(mark(0.53, 0.02, 0.5).is_chance());
        assert!(!mark(0.534, 0.02, 0.5).is_chance());
        assert!(mark(0.41, 0.02, 0.5).is_chance(), "below it, too");
        assert!(
            mark(0.0, 0.0, 0.0).is_chance(),
            "nothing right of what nobody guesses"
        );
        let unknown = Mark {
            stderr: None,
            ..mark(0.1, 0.0, 0.5)
        };
        assert!(!unknown.is_chance());
    }

    #[test]
    fn a_mean_has_the_mean_chance_and_a_smaller_error() {
        let marks = [mark(0.6, 0.03, 0.5), mark(0.3, 0.04, 0.25)];
        let mean = Mark::mean(marks.iter().copied().map(Some)).unwrap();
        assert!((mean.value - 0.45).abs() < 1e-12);
        assert!((mean.stderr.unwrap() - 0.025).abs() < 1e-12);
        assert_eq!(mean.chance, Some(0.375));
        assert_eq!(Mark::mean([Some(marks[0]), None].into_iter()), None);
        assert_eq!(Mark::mean([].into_iter()), None);
        let unknown = Mark {
            stderr: None,
            ..marks[0]
        };
        let mean = Mark::mean([Some(unknown), Some(marks[1])].into_iter()).unwrap();
        assert_eq!((mean.stderr, mean.chance), (None, Some(0.375)));
    }
}
