//! A bar on a terminal's standard error, with speed and time left.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lmz::{Direction, Meter, Model, Observer, Phase, Timing};

use super::message::say;
use super::signal;

const KNOWN: &str =
    "{prefix} {msg:8} {wide_bar} {percent:>3}% of {total_bytes} {binary_bytes_per_sec} {eta} left";
const UNKNOWN: &str = "{spinner} {prefix} {msg:8} {bytes} {binary_bytes_per_sec} {elapsed}";

/// How long work is watched before its time is predicted.
const CALIBRATION: Duration = Duration::from_secs(2);
/// Work of less than this needs no prediction.
const LONG: Duration = Duration::from_secs(60);

/// Longest name that leaves room for a bar.
const MAX_NAME: usize = 24;

/// Watches one piece of work: draws its bar, if there is one, and stops it on a signal.
pub struct Progress {
    bar: ProgressBar,
    name: String,
    total: Option<u64>,
    start: Instant,
    /// Whether somebody wants to know how long it will take, and has not been told.
    predicts: AtomicBool,
    /// How often the same bytes pass.
    passes: u64,
    /// Bytes that have passed, all passes taken together.
    passed: AtomicU64,
    phase: Mutex<Option<Phase>>,
    meter: Option<Arc<Meter>>,
}

impl Progress {
    /// Progress of `total` raw bytes, if it is known how many there are, that pass twice if
    /// `verify`.
    pub fn new(visible: bool, name: &str, total: Option<u64>, verify: bool) -> Self {
        let bar = if visible {
            draw(name, total)
        } else {
            ProgressBar::hidden()
        };
        Self {
            bar,
            name: name.to_owned(),
            total,
            start: Instant::now(),
            predicts: AtomicBool::new(false),
            passes: if verify { 2 } else { 1 },
            passed: AtomicU64::new(0),
            phase: Mutex::new(None),
            meter: None,
        }
    }

    /// Tells `meter` how long models take.
    #[must_use]
    pub fn metered(mut self, meter: &Arc<Meter>) -> Self {
        self.meter = Some(Arc::clone(meter));
        self
    }

    /// Says how many seconds the work will take, before it begins, if that is over a minute; it is not predicted again.
    pub fn foretell(&self, seconds: f64) {
        let Ok(whole) = Duration::try_from_secs_f64(seconds) else {
            return;
        };
        if self.predicts.swap(false, Ordering::Relaxed)
            && let Some(line) = foretold(&self.name, whole)
        {
            self.bar.suspend(|| say(&line));
        }
    }

    /// Whether somebody wants to know how long so many bytes will take, and has not been told.
    pub fn untold(&self) -> Option<u64> {
        let wanted = self.predicts.load(Ordering::Relaxed);
        self.total.filter(|_| wanted)
    }

    /// Says once, from the first bytes' speed, how long the work will take if that is over a minute.
    #[must_use]
    pub fn predicting(self, wanted: bool) -> Self {
        let known = wanted && self.total.is_some();
        self.predicts.store(known, Ordering::Relaxed);
        self
    }

    fn predict(&self, passed: u64) {
        let elapsed = self.start.elapsed();
        let all = self.total.unwrap_or(0).saturating_mul(self.passes);
        if passed == 0 || elapsed < CALIBRATION || !self.predicts.swap(false, Ordering::Relaxed) {
            return;
        }
        if let Some(line) = prediction(&self.name, elapsed, passed, all, self.passes) {
            self.bar.suspend(|| say(&line));
        }
    }
}

/// The words, if the whole takes long enough for any.
fn prediction(name: &str, elapsed: Duration, passed: u64, all: u64, passes: u64) -> Option<String> {
    let seconds = elapsed.as_secs_f64() * (all as f64 / passed as f64);
    let whole = Duration::try_from_secs_f64(seconds).ok()?;
    if whole < LONG {
        return None;
    }
    let speed = passed as f64 / passes as f64 / elapsed.as_secs_f64() / 1000.0;
    Some(format!(
        "{name}: about {} in all, at {speed:.1} KB/s so far",
        lmz::figures::seconds(whole)
    ))
}

/// The words before the work, if it takes long enough for any.
fn foretold(name: &str, whole: Duration) -> Option<String> {
    let long = whole >= LONG;
    long.then(|| format!("{name}: will take about {}", lmz::figures::seconds(whole)))
}

fn draw(name: &str, total: Option<u64>) -> ProgressBar {
    let bar = match total {
        Some(total) => ProgressBar::new(total),
        None => ProgressBar::no_length(),
    };
    bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(8));
    let template = if total.is_some() { KNOWN } else { UNKNOWN };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_prefix(shorten(name));
    // A first segment can take seconds.
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

impl Observer for Progress {
    fn advance(&self, phase: Phase, raw_bytes: u64) {
        let passed = self.passed.fetch_add(raw_bytes, Ordering::Relaxed) + raw_bytes;
        if self.predicts.load(Ordering::Relaxed) {
            self.predict(passed);
        }
        if self.bar.is_hidden() {
            return;
        }
        self.bar.set_position(passed / self.passes);
        let mut shown = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        if *shown != Some(phase) {
            *shown = Some(phase);
            self.bar.set_message(match phase {
                Phase::Encode => "encoding",
                Phase::Verify => "checking",
                Phase::Decode => "decoding",
            });
        }
    }

    fn timed(&self, model: &Model, direction: Direction, timing: Timing) {
        if let Some(meter) = &self.meter {
            meter.add(model, direction, timing);
        }
    }

    fn notice(&self, text: &str) {
        self.bar.suspend(|| say(&format!("lmz: warning: {text}")));
    }

    fn cancelled(&self) -> bool {
        signal::interrupted()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// The end of a long name: there the names of many files differ.
fn shorten(name: &str) -> String {
    let length = name.chars().count();
    if length <= MAX_NAME {
        return name.to_owned();
    }
    let tail: String = name.chars().skip(length - MAX_NAME + 1).collect();
    format!("…{tail}")
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

    #[test]
    fn only_long_work_is_predicted() {
        let two = Duration::from_secs(2);
        assert_eq!(prediction("a", two, 100_000, 2_000_000, 2), None);
        assert_eq!(
            prediction("a", two, 100_000, 20_000_000, 2).unwrap(),
            "a: about 6 min 40 s in all, at 25.0 KB/s so far"
        );
    }

    #[test]
    fn long_work_is_foretold() {
        assert_eq!(foretold("a", Duration::from_secs(59)), None);
        let line = foretold("a", Duration::from_secs(200)).unwrap();
        assert_eq!(line, "a: will take about 3 min 20 s");
    }

    #[test]
    fn long_names_keep_their_ends() {
        assert_eq!(shorten("short"), "short");
        let name = format!("{}end", "ä".repeat(40));
        assert_eq!(shorten(&name).chars().count(), MAX_NAME);
        assert!(shorten(&name).ends_with("end"));
    }
}
