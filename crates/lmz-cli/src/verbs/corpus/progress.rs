//! A bar for each stage.

use indicatif::ProgressBar;
use lmz_corpus::build::Watch;

use crate::settings::Talk;
use crate::terminal::bar::Bar;
use crate::terminal::message::say;
use crate::terminal::signal;

const KNOWN: &str =
    "{msg:10} {wide_bar} {percent:>3}% of {total_bytes} {binary_bytes_per_sec} {eta} left";
const UNKNOWN: &str = "{spinner} {msg:10} {bytes} {elapsed}";

/// Draws bars, and stops the work on a signal.
pub struct Progress {
    bar: Bar,
    talk: Talk,
}

impl Progress {
    /// Nothing has begun.
    pub fn new(talk: Talk) -> Self {
        Self {
            bar: Bar::new(talk.progress),
            talk,
        }
    }
}

impl Watch for Progress {
    fn stage(&self, name: &str, bytes: Option<u64>) {
        if !self.talk.progress {
            return;
        }
        let new = bytes.map_or_else(ProgressBar::no_length, ProgressBar::new);
        let template = if bytes.is_some() { KNOWN } else { UNKNOWN };
        self.bar.draw(new.with_message(name.to_owned()), template);
    }

    fn advance(&self, bytes: u64) {
        self.bar.lock().inc(bytes);
    }

    fn note(&self, text: &str) {
        if self.talk.reports {
            self.bar.lock().suspend(|| say(&format!("lmz: {text}")));
        }
    }

    fn cancelled(&self) -> bool {
        signal::interrupted()
    }
}

#[cfg(test)]
mod tests {
    use indicatif::ProgressStyle;

    use super::*;

    #[test]
    fn the_templates_are_valid() {
        for template in [KNOWN, UNKNOWN] {
            assert!(ProgressStyle::with_template(template).is_ok());
        }
    }
}
