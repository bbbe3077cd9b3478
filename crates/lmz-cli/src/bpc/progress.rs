//! A bar of tokens, with speed and time left.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lmz::metric::Watch;

use crate::signal;

const READING: &str = "{spinner} reading {pos} documents {elapsed}";
const SCORING: &str = "scoring {wide_bar} {percent:>3}% of {human_len} tokens {per_sec} {eta} left";

/// Watches a run: draws its bar, and stops it on a signal.
pub struct Progress(ProgressBar);

impl Progress {
    /// Documents that are read, their number unknown.
    pub fn reading(visible: bool) -> Self {
        Self(draw(visible, ProgressBar::no_length(), READING))
    }

    /// This many tokens to be scored.
    pub fn scoring(visible: bool, tokens: u64) -> Self {
        Self(draw(visible, ProgressBar::new(tokens), SCORING))
    }

    /// One more document.
    pub fn document(&self) {
        self.0.inc(1);
    }
}

fn draw(visible: bool, bar: ProgressBar, template: &str) -> ProgressBar {
    if !visible {
        bar.set_draw_target(ProgressDrawTarget::hidden());
        return bar;
    }
    bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(8));
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    // A first batch can take minutes.
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

impl Watch for Progress {
    fn advance(&self, tokens: u64, again: bool) {
        if again {
            // Not this run's speed.
            self.0.set_position(self.0.position() + tokens);
            self.0.reset_eta();
        } else {
            self.0.inc(tokens);
        }
    }

    fn cancelled(&self) -> bool {
        signal::interrupted()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_valid() {
        for template in [READING, SCORING] {
            assert!(ProgressStyle::with_template(template).is_ok());
        }
    }
}
