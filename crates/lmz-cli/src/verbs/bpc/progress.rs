//! A bar of documents that are read, then one of tokens that are scored, with speed and time left.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lmz::BpcWatch;
use lmz::metric::Watch;

use crate::settings::{Talk, Volume};
use crate::terminal::message::say;
use crate::terminal::signal;

const READING: &str = "{spinner} reading {pos} documents {elapsed}";
const SCORING: &str = "scoring {wide_bar} {percent:>3}% of {human_len} tokens {per_sec} {eta} left";
const CODING: &str =
    "coding {wide_bar} {percent:>3}% of {binary_total_bytes} {binary_bytes_per_sec} {eta} left";

/// Watches a run: draws its bars, and stops it on a signal.
pub struct Progress {
    bar: Mutex<ProgressBar>,
    talk: Talk,
}

impl Progress {
    /// Documents are read, nobody knows how many.
    pub fn new(talk: Talk) -> Self {
        let bar = draw(talk.progress, ProgressBar::no_length(), READING);
        let bar = Mutex::new(bar);
        Self { bar, talk }
    }

    /// Another bar, of `length`.
    fn next(&self, length: u64, template: &str) {
        let mut bar = self.bar();
        bar.finish_and_clear();
        *bar = draw(self.talk.progress, ProgressBar::new(length), template);
    }

    fn bar(&self) -> MutexGuard<'_, ProgressBar> {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner)
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
        let bar = self.bar();
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
        self.bar().inc(1);
    }

    fn scoring(&self, tokens: u64) {
        self.next(tokens, SCORING);
    }

    fn coding(&self, bytes: u64) {
        self.next(bytes, CODING);
    }

    fn note(&self, text: &str) {
        if self.talk.volume > Volume::Quiet {
            self.bar().suspend(|| say(&format!("lmz: {text}")));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar().finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_valid() {
        for template in [READING, SCORING, CODING] {
            assert!(ProgressStyle::with_template(template).is_ok());
        }
    }
}
