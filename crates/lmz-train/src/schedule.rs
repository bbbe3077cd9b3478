//! The budget, and the learning rate that follows it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::preset::Preset;

/// When training ends, by time or by tokens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Budget {
    /// After so many minutes of work, preparation included.
    Minutes(f64),
    /// After so many tokens.
    Tokens(u64),
}

impl Budget {
    /// The share of the budget that is spent: 1 or more at the end.
    pub fn share(self, tokens: u64, spent: Duration) -> f64 {
        match self {
            Self::Minutes(minutes) => spent.as_secs_f64() / (60.0 * minutes),
            Self::Tokens(all) => tokens as f64 / all as f64,
        }
    }
}

/// The factor of both learning rates at a step: a rise, a plateau, and a fall to a hundredth
/// that ends with the budget. `share` is [`Budget::share`].
pub fn rate(preset: &Preset, step: u64, share: f64) -> f64 {
    let by_steps = (step + 1) as f64 / preset.warmup.max(1) as f64;
    // A short run has no hundred steps to give away.
    let rise = by_steps.max(share * 20.0).min(1.0);
    let fall = ((1.0 - share) / preset.decay).clamp(0.01, 1.0);
    rise * fall
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_rises_holds_and_falls_to_the_end() {
        let preset = Preset::default();
        assert!((rate(&preset, 0, 0.0) - 0.01).abs() < 1e-9);
        assert!((rate(&preset, 49, 0.0) - 0.5).abs() < 1e-9);
        assert_eq!(rate(&preset, 500, 0.3), 1.0);
        assert_eq!(rate(&preset, 500, 0.54), 1.0);
        assert!((rate(&preset, 900, 0.775) - 0.5).abs() < 1e-9);
        assert_eq!(rate(&preset, 1000, 1.0), 0.01);
        // Ten steps in all.
        assert_eq!(rate(&preset, 2, 0.2), 1.0);
    }

    #[test]
    fn budgets_are_shares() {
        let tokens = Budget::Tokens(1000);
        assert_eq!(tokens.share(250, Duration::from_secs(9)), 0.25);
        let minutes = Budget::Minutes(2.0);
        assert_eq!(minutes.share(250, Duration::from_secs(30)), 0.25);
    }

    proptest! {
        #[test]
        fn it_is_a_share_and_never_nothing(step in 0_u64..1_000_000, share in 0.0_f64..2.0) {
            let rate = rate(&Preset::default(), step, share);
            prop_assert!(rate > 0.0 && rate <= 1.0);
        }

        #[test]
        fn after_the_rise_it_never_grows(a in 0.05_f64..1.0, b in 0.05_f64..1.0) {
            let preset = Preset::default();
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(rate(&preset, 1000, low) >= rate(&preset, 1001, high));
        }
    }
}
