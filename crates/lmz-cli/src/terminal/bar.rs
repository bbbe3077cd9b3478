//! A bar that several threads move, one after another for parts of a work.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The bar of now; cleared when it is dropped.
pub struct Bar {
    bar: Mutex<ProgressBar>,
    visible: bool,
}

impl Bar {
    /// None yet. Later ones are drawn if `visible`.
    pub fn new(visible: bool) -> Self {
        let bar = Mutex::new(ProgressBar::hidden());
        Self { bar, visible }
    }

    /// The bar itself.
    pub fn lock(&self) -> MutexGuard<'_, ProgressBar> {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a bar in the place of the one before.
    pub fn draw(&self, bar: ProgressBar, template: &str) {
        let mut old = self.lock();
        old.finish_and_clear();
        bar.set_draw_target(match self.visible {
            true => ProgressDrawTarget::stderr_with_hz(8),
            false => ProgressDrawTarget::hidden(),
        });
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        if self.visible {
            // A first step can take minutes.
            bar.enable_steady_tick(Duration::from_millis(250));
        }
        *old = bar;
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.lock().finish_and_clear();
    }
}
