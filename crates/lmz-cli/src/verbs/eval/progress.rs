//! A bar for each task, and how long it will take.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::ProgressBar;
use lmz::eval::task::Task;
use lmz::eval::{EvalWatch, Progress};

use crate::settings::{Talk, Volume};
use crate::terminal::bar::Bar;
use crate::terminal::message::say;
use crate::terminal::signal;

const BAR: &str = "{prefix} {wide_bar} {percent:>3}% {eta} left";

/// Watches a run: draws a bar, and stops it on a signal.
pub struct Watcher {
    bar: Bar,
    name: Mutex<String>,
    talk: Talk,
}

impl Watcher {
    pub fn new(talk: Talk) -> Self {
        Self {
            bar: Bar::new(talk.progress),
            name: Mutex::new(String::new()),
            talk,
        }
    }

    fn name(&self) -> MutexGuard<'_, String> {
        self.name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Watcher {
    fn planned(&self, all: u64, seconds: Option<f64>) {
        let name = self.name().clone();
        if let Some(seconds) = seconds
            && self.talk.reports
        {
            let about = lmz::figures::seconds(Duration::from_secs_f64(seconds.clamp(0.0, 1e9)));
            self.bar
                .lock()
                .suspend(|| say(&format!("lmz: {name}: about {about}")));
        }
        if self.bar.lock().length() != Some(all) {
            self.bar.draw(ProgressBar::new(all).with_prefix(name), BAR);
        }
    }

    fn advance(&self, done: u64, again: bool) {
        let bar = self.bar.lock();
        if again {
            // Not this run's speed.
            bar.set_position(bar.position() + done);
            bar.reset_eta();
        } else {
            bar.inc(done);
        }
    }

    fn cancelled(&self) -> bool {
        signal::interrupted()
    }
}

impl EvalWatch for Watcher {
    fn begin(&self, task: &Task, _: usize) {
        *self.name() = task.name.clone();
        let mut bar = self.bar.lock();
        bar.finish_and_clear();
        *bar = ProgressBar::hidden();
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
    fn the_template_is_valid() {
        assert!(ProgressStyle::with_template(BAR).is_ok());
    }
}
