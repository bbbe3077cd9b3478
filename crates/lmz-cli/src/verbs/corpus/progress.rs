//! A bar for each stage.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lmz_corpus::build::Watch;

use crate::settings::Talk;
use crate::terminal::message::say;
use crate::terminal::signal;

const KNOWN: &str =
    "{msg:10} {wide_bar} {percent:>3}% of {total_bytes} {binary_bytes_per_sec} {eta} left";
const UNKNOWN: &str = "{spinner} {msg:10} {bytes} {elapsed}";

/// Draws bars, and stops the work on a signal.
pub struct Progress {
    bar: Mutex<ProgressBar>,
    talk: Talk,
}

impl Progress {
    /// Nothing has begun.
    pub fn new(talk: Talk) -> Self {
        Self {
            bar: Mutex::new(ProgressBar::hidden()),
            talk,
        }
    }

    fn bar(&self) -> MutexGuard<'_, ProgressBar> {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch for Progress {
    fn stage(&self, name: &str, bytes: Option<u64>) {
        if !self.talk.progress {
            return;
        }
        let new = bytes.map_or_else(ProgressBar::no_length, ProgressBar::new);
        new.set_draw_target(ProgressDrawTarget::stderr_with_hz(8));
        let template = if bytes.is_some() { KNOWN } else { UNKNOWN };
        if let Ok(style) = ProgressStyle::with_template(template) {
            new.set_style(style);
        }
        new.set_message(name.to_owned());
        new.enable_steady_tick(Duration::from_millis(250));
        let mut bar = self.bar();
        bar.finish_and_clear();
        *bar = new;
    }

    fn advance(&self, bytes: u64) {
        self.bar().inc(bytes);
    }

    fn note(&self, text: &str) {
        if self.talk.reports {
            self.bar().suspend(|| say(&format!("lmz: {text}")));
        }
    }

    fn cancelled(&self) -> bool {
        signal::interrupted()
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
        for template in [KNOWN, UNKNOWN] {
            assert!(ProgressStyle::with_template(template).is_ok());
        }
    }
}
