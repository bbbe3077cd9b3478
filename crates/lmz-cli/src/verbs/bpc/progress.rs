//! A bar of documents that are read, then one of tokens that are scored, with speed and time left.

use indicatif::ProgressBar;
use lmz::BpcWatch;
use lmz::metric::Watch;

use crate::settings::{Talk, Volume};
use crate::terminal::bar::Bar;
use crate::terminal::message::say;
use crate::terminal::signal;

const READING: &str = "{spinner} reading {pos} documents {elapsed}";
const SCORING: &str = "scoring {wide_bar} {percent:>3}% of {human_len} tokens {per_sec} {eta} left";
const CODING: &str =
    "coding {wide_bar} {percent:>3}% of {binary_total_bytes} {binary_bytes_per_sec} {eta} left";

/// Watches a run: draws its bars, and stops it on a signal.
pub struct Progress {
    bar: Bar,
    talk: Talk,
}

impl Progress {
    /// Documents are read, nobody knows how many.
    pub fn new(talk: Talk) -> Self {
        let bar = Bar::new(talk.progress);
        bar.draw(ProgressBar::no_length(), READING);
        Self { bar, talk }
    }
}

impl Watch for Progress {
    fn advance(&self, tokens: u64, again: bool) {
        let bar = self.bar.lock();
        if again {
            // Not this run's speed.
            bar.set_position(bar.position() + tokens);
            bar.reset_eta();
        } else {
            bar.inc(tokens);
        }
    }

    fn cancelled(&self) -> bool {
        signal::interrupted()
    }
}

impl BpcWatch for Progress {
    fn document(&self) {
        self.bar.lock().inc(1);
    }

    fn scoring(&self, tokens: u64) {
        self.bar.draw(ProgressBar::new(tokens), SCORING);
    }

    fn coding(&self, bytes: u64) {
        self.bar.draw(ProgressBar::new(bytes), CODING);
    }

    fn note(&self, text: &str) {
        if self.talk.volume > Volume::Quiet {
            self.bar.lock().suspend(|| say(&format!("lmz: {text}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use indicatif::ProgressStyle;

    use super::*;

    #[test]
    fn the_templates_are_valid() {
        for template in [READING, SCORING, CODING] {
            assert!(ProgressStyle::with_template(template).is_ok());
        }
    }
}
