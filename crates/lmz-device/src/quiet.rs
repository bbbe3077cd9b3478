//! Panics of a backend, turned into errors.
//!
//! burn and CubeCL panic where a driver is missing, a device lacks a feature or memory runs out.

use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// What CubeCL's threads have given up.
struct Undone {
    count: usize,
    /// Why, of the last ones.
    reasons: VecDeque<String>,
}

/// Reasons that are kept: more than the launches of a pass.
const REASONS: usize = 1024;

static UNDONE: Mutex<Undone> = Mutex::new(Undone {
    count: 0,
    reasons: VecDeque::new(),
});

fn undone() -> MutexGuard<'static, Undone> {
    UNDONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether this is one of the threads that CubeCL runs devices in; it calls them DSD-0-0 and the like.
fn is_device_thread() -> bool {
    let thread = std::thread::current();
    thread
        .name()
        .is_some_and(|name| name.starts_with("DS") && name.split('-').count() == 3)
}

fn first_line(payload: &(dyn std::any::Any + Send)) -> String {
    let message = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("it panicked");
    // CubeCL's word of a missing toolkit starts with an empty line.
    let mut lines = message.lines().map(str::trim);
    let line = lines.find(|line| !line.is_empty());
    line.unwrap_or("it panicked").to_string()
}

fn install() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            let of_device = is_device_thread();
            if of_device {
                let mut undone = undone();
                undone.count += 1;
                undone.reasons.truncate(REASONS - 1);
                undone.reasons.push_front(first_line(info.payload()));
            }
            // Whoever waits for the device is told; for those who look for the cause it is printed too.
            let wanted = !of_device || std::env::var_os("RUST_BACKTRACE").is_some();
            if !QUIET.get() && wanted {
                before(info);
            }
        }));
    });
}

/// Notices work that a device has left undone.
///
/// CubeCL queues allocations, copies and launches for a thread of its own. It drops work that panics there (no memory
/// is left, the device is lost) and tells nobody; the work queued behind it runs all the same, on whatever its
/// buffers hold. So results that were read back count only if nothing was dropped before. The watch is over all
/// devices of the process, and ends where a program sets a panic hook of its own later.
#[derive(Clone, Debug)]
pub struct Watch {
    seen: usize,
}

impl Watch {
    /// Watches from now on.
    pub fn start() -> Self {
        install();
        Self {
            seen: undone().count,
        }
    }

    /// Whether all the work was done that the reads which have come back had to wait for.
    ///
    /// # Errors
    /// Why something was not.
    pub fn check(&self) -> Result<(), String> {
        let undone = undone();
        // The first since then is the cause, what follows often its echo.
        match undone.count - self.seen {
            0 => Ok(()),
            since => {
                let first = since.min(undone.reasons.len());
                Err(undone.reasons[first - 1].clone())
            }
        }
    }
}

/// Runs `f`; a panic becomes its message, and is not printed.
pub fn catch<T>(f: impl FnOnce() -> T) -> Result<T, String> {
    let watch = Watch::start();
    let outer = QUIET.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(f));
    QUIET.set(outer);
    // Where the device's thread panicked first, that is the cause.
    result.map_err(|payload| match watch.check() {
        Ok(()) => first_line(&*payload),
        Err(reason) => reason,
    })
}

#[cfg(test)]
mod tests {
    use super::{Watch, catch};

    // One test: the watch is over all threads of the process.
    #[test]
    fn panics_become_reasons() {
        let caught = catch(|| -> u32 { panic!("\n  no driver\nand more") });
        assert_eq!(caught, Err("no driver".to_string()));
        assert_eq!(catch(|| 7), Ok(7));

        let watch = Watch::start();
        let run = |name: &str, panics: bool| {
            let thread = std::thread::Builder::new().name(name.to_string());
            let work = move || assert!(!panics, "no memory is left");
            let _ = thread.spawn(work).unwrap().join();
        };
        run("DSD-0-7", false);
        run("other", true);
        assert_eq!(watch.check(), Ok(()));
        run("DSD-0-7", true);
        assert_eq!(watch.check(), Err("no memory is left".to_string()));
        assert_eq!(Watch::start().check(), Ok(()));
        // What a caller dies of may only be the echo.
        let caught = catch(|| {
            run("DSD-0-7", true);
            panic!("no answer");
        });
        assert_eq!(caught, Err::<(), _>("no memory is left".to_string()));
    }
}
