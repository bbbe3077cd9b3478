//! Ctrl-C and its kin: stop, leave nothing behind, and die of the signal.
//!
//! The first signal asks the work to stop, and it cleans up as after any error. Work that does not
//! get to look (it may wait for a pipe) is given a moment; after that, or at a second signal, the
//! temporary file is removed from here and the process ends.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The temporary file of the output under way.
static TEMPORARY: Mutex<Option<PathBuf>> = Mutex::new(None);

/// A lock under which temporary files come and go, so that a signal finds either state whole.
pub struct Registry(MutexGuard<'static, Option<PathBuf>>);

impl Registry {
    /// Waits for the lock.
    pub fn lock() -> Self {
        Self(TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on a signal removes `path`.
    pub fn set(&mut self, path: &Path) {
        *self.0 = Some(path.to_owned());
    }

    /// From now on a signal removes nothing.
    pub fn clear(&mut self) {
        *self.0 = None;
    }

    fn remove(&mut self) {
        if let Some(path) = self.0.take() {
            // The process is about to end: there is nobody left to tell.
            let _ = std::fs::remove_file(path);
        }
    }
}

pub use system::{end_by_broken_pipe, end_if_interrupted, install, interrupted};

#[cfg(unix)]
mod system {
    use std::sync::atomic::{AtomicI32, Ordering};
    use std::time::Duration;
    use std::{io, process, thread};

    use signal_hook::consts::{SIGHUP, SIGINT, SIGPIPE, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    use super::Registry;

    /// How long work may take to notice the first signal.
    const GRACE: Duration = Duration::from_secs(1);

    /// The signal that arrived first; 0 while there was none.
    static SIGNAL: AtomicI32 = AtomicI32::new(0);

    /// Begins to listen.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn install() -> io::Result<()> {
        let ignored = ignored();
        let wanted = [SIGINT, SIGTERM, SIGHUP];
        let mut signals = Signals::new(wanted.iter().filter(|&s| ignored >> (s - 1) & 1 == 0))?;
        thread::Builder::new()
            .name("signals".into())
            .spawn(move || {
                for signal in signals.forever() {
                    if SIGNAL.swap(signal, Ordering::SeqCst) != 0 {
                        end(signal);
                    }
                    thread::spawn(move || {
                        thread::sleep(GRACE);
                        end(signal);
                    });
                }
            })?;
        Ok(())
    }

    /// The signals that this process was started to ignore, a bit for each: `nohup` means it.
    fn ignored() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
            .unwrap_or(0)
    }

    /// Whether work should stop.
    pub fn interrupted() -> bool {
        SIGNAL.load(Ordering::SeqCst) != 0
    }

    /// Ends the process if a signal has arrived; everything has been cleaned up.
    pub fn end_if_interrupted() {
        let signal = SIGNAL.load(Ordering::SeqCst);
        if signal != 0 {
            end(signal);
        }
    }

    /// Ends as a program does that has no reader any more: tar and shells expect this.
    pub fn end_by_broken_pipe() {
        end(SIGPIPE);
    }

    fn end(signal: i32) -> ! {
        let mut registry = Registry::lock();
        registry.remove();
        // A shell's loop stops when the program dies of the signal, not when it exits.
        let _ = emulate_default_handler(signal);
        process::exit(128 + signal);
    }
}

#[cfg(not(unix))]
mod system {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, OnceLock};
    use std::{io, process};

    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::flag;

    use super::Registry;

    static FLAG: OnceLock<Arc<AtomicBool>> = OnceLock::new();

    /// Begins to listen.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn install() -> io::Result<()> {
        let interrupted = FLAG.get_or_init(Arc::default);
        for signal in [SIGINT, SIGTERM] {
            // In this order the first signal sets the flag and the second one finds it set.
            flag::register_conditional_shutdown(signal, 1, Arc::clone(interrupted))?;
            flag::register(signal, Arc::clone(interrupted))?;
        }
        Ok(())
    }

    /// Whether work should stop.
    pub fn interrupted() -> bool {
        FLAG.get().is_some_and(|flag| flag.load(Ordering::SeqCst))
    }

    /// Ends the process if a signal has arrived; everything has been cleaned up.
    pub fn end_if_interrupted() {
        if interrupted() {
            Registry::lock().remove();
            process::exit(1);
        }
    }

    /// Ends without a word: whoever read the output is gone.
    pub fn end_by_broken_pipe() {
        Registry::lock().remove();
        process::exit(1);
    }
}
