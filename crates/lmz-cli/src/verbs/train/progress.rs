//! The live line: loss, speed, time left, bits a byte on held-out text.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use lmz::figures::show;
use lmz::train::{Event, Row, Watch};

use crate::settings::{Talk, Volume};
use crate::terminal::message::say;
use crate::terminal::signal;

const TEMPLATE: &str = "{spinner} {wide_msg}";

/// How often a log, which is no terminal, gets a line.
const LINE_EVERY: Duration = Duration::from_secs(30);

/// Watches a run.
pub struct Progress {
    bar: ProgressBar,
    /// Whether lines go to a log in place of a terminal.
    lines: bool,
    talk: Talk,
    held_out: Option<f64>,
    /// A mean of the last losses.
    loss: Option<f64>,
    /// Where the budget and the clock stood when the first step was done.
    first: Option<(f64, Instant)>,
    last: Option<Instant>,
}

impl Progress {
    pub fn new(talk: Talk) -> Self {
        let bar = ProgressBar::no_length();
        if talk.progress {
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(4));
            if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(250));
        } else {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        Self {
            bar,
            lines: talk.volume > Volume::Quiet && !std::io::stderr().is_terminal(),
            talk,
            held_out: None,
            loss: None,
            first: None,
            last: None,
        }
    }

    fn step(&mut self, row: &Row) {
        let loss = self
            .loss
            .map_or(row.loss, |mean| 0.9 * mean + 0.1 * row.loss);
        self.loss = Some(loss);
        let (share, clock) = *self
            .first
            .get_or_insert_with(|| (row.share, Instant::now()));
        let mut line = format!(
            "step {}, {:.2}M tokens, loss {loss:.3}, {:.0} tokens/s",
            row.step,
            row.tokens as f64 / 1e6,
            row.tokens_per_second
        );
        if row.share > share {
            let left = (1.0 - row.share).max(0.0) / (row.share - share);
            let left = Duration::from_secs_f64((clock.elapsed().as_secs_f64() * left).min(1e9));
            line += &format!(", {} left", HumanDuration(left));
        }
        if let Some(bits) = self.held_out {
            line += &format!(", held out {bits:.3} bits/byte");
        }
        if self.lines && self.last.is_none_or(|last| last.elapsed() > LINE_EVERY) {
            self.last = Some(Instant::now());
            say(&line);
        }
        self.bar.set_message(line);
    }

    fn tell(&self, line: &str) {
        if self.talk.volume > Volume::Quiet {
            self.bar.suspend(|| say(line));
        }
    }
}

impl Watch for Progress {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Tokenizer => self.bar.set_message("making a tokenizer"),
            Event::Tokens(bytes) => {
                let megabytes = *bytes as f64 / 1e6;
                self.bar
                    .set_message(format!("reading, {megabytes:.1} MB of text"));
            }
            Event::Notice(notice) => self.tell(&format!("lmz: warning: {notice}")),
            Event::Start {
                parameters,
                device,
                step,
                tokens,
            } => {
                let again = match step {
                    0 => String::new(),
                    step => format!(", on from step {step}"),
                };
                self.tell(&format!(
                    "{:.2}M parameters, {:.2}M tokens of text, {device}{again}",
                    *parameters as f64 / 1e6,
                    *tokens as f64 / 1e6
                ));
            }
            Event::Step(row) => self.step(row),
            Event::Kept(path) => self.tell(&format!("kept {}", show(path))),
            Event::HeldOut(held_out) => self.held_out = Some(held_out.bits_per_byte),
            _ => {}
        }
    }

    fn stop(&self) -> bool {
        signal::interrupted()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_valid() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }
}
