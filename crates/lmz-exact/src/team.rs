//! Threads that share the work of a pass.
//!
//! A pass of a few rows is some hundred steps of 10 to 100 microseconds: to wake a sleeping thread for each takes about as long.
//! So the threads of a team look for the next step for a while before they sleep.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Looks at what is awaited before a thread lets others run in between: some microseconds.
const SPINS: u32 = 1 << 10;
/// Looks after that before it sleeps: some hundred microseconds on an idle machine.
const YIELDS: u32 = 1 << 9;

type Job = dyn Fn(usize) + Sync;

/// Threads that run the same function at the same time, the caller's among them.
pub struct Team {
    shared: Arc<Shared>,
    others: Vec<JoinHandle<()>>,
}

struct Shared {
    /// What the others run.
    job: UnsafeCell<Option<&'static Job>>,
    /// Counts jobs: a job is there as soon as it differs from what a thread has seen.
    number: AtomicUsize,
    /// How many of the others have not yet ended it.
    running: AtomicUsize,
    /// No more jobs.
    over: AtomicBool,
    panicked: Mutex<Option<Box<dyn std::any::Any + Send>>>,
}

// SAFETY: `job` is written by `Team::run` alone, while no other thread runs a job, and read by the others only between a
// change of `number` that they have seen and their decrement of `running`.
unsafe impl Sync for Shared {}
// SAFETY: as above; a job is `Sync`.
unsafe impl Send for Shared {}

impl fmt::Debug for Team {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Team of {}", self.threads())
    }
}

impl Team {
    /// Starts all threads but the caller's.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn new(threads: usize) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            job: UnsafeCell::new(None),
            number: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
            over: AtomicBool::new(false),
            panicked: Mutex::new(None),
        });
        let mut team = Self {
            shared: shared.clone(),
            others: Vec::new(),
        };
        for index in 1..threads {
            let shared = shared.clone();
            let start = move || shared.work(index);
            team.others.push(std::thread::Builder::new().spawn(start)?);
        }
        Ok(team)
    }

    /// How many there are, the caller's included.
    pub fn threads(&self) -> usize {
        self.others.len() + 1
    }

    /// Runs `job` on all threads, each with its number, and returns when all have ended.
    ///
    /// # Panics
    /// If the job does, once all have ended.
    pub fn run(&mut self, job: &(dyn Fn(usize) + Sync)) {
        if self.others.is_empty() {
            return job(0);
        }
        let shared = &*self.shared;
        // SAFETY: only the lifetime changes. The others use it until they have counted `running` down, and this
        // function does not end before.
        let lasting: &'static Job = unsafe { std::mem::transmute(job) };
        shared.running.store(self.others.len(), Ordering::Relaxed);
        // SAFETY: no other thread runs a job: the last one was waited for.
        unsafe { *shared.job.get() = Some(lasting) };
        shared.number.fetch_add(1, Ordering::SeqCst);
        for other in &self.others {
            other.thread().unpark();
        }
        let own = catch_unwind(AssertUnwindSafe(|| job(0)));
        wait(|| shared.running.load(Ordering::Acquire) == 0, || {});
        let theirs = shared
            .panicked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Err(panic) = own {
            resume_unwind(panic);
        }
        if let Some(panic) = theirs {
            resume_unwind(panic);
        }
    }

    /// `work` on each item, by all threads.
    pub fn each<T: Send>(&mut self, items: &mut [T], work: &(impl Fn(&mut T) + Sync)) {
        let next = AtomicUsize::new(0);
        let items: Vec<Mutex<&mut T>> = items.iter_mut().map(Mutex::new).collect();
        self.run(&|_| {
            while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                work(&mut item.lock().unwrap_or_else(PoisonError::into_inner));
            }
        });
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        for other in self.others.drain(..) {
            other.thread().unpark();
            // A panic was handed on when it happened.
            let _ = other.join();
        }
    }
}

impl Shared {
    fn work(&self, index: usize) {
        let mut seen = 0;
        loop {
            let there =
                || self.number.load(Ordering::Acquire) != seen || self.over.load(Ordering::Acquire);
            wait(there, std::thread::park);
            if self.over.load(Ordering::Acquire) {
                return;
            }
            seen = seen.wrapping_add(1);
            // SAFETY: `number` has changed since this thread's last job, and `running` counts this thread.
            let job = unsafe { *self.job.get() };
            let ran = catch_unwind(AssertUnwindSafe(|| job.map(|job| job(index))));
            if let Err(panic) = ran {
                *self.panicked.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
            }
            self.running.fetch_sub(1, Ordering::Release);
        }
    }
}

/// Until it is so; `sleep` after a while, as often as it returns.
fn wait(so: impl Fn() -> bool, sleep: impl Fn()) {
    let mut looks = 0;
    while !so() {
        looks += 1;
        if looks < SPINS {
            std::hint::spin_loop();
        } else if looks < SPINS + YIELDS {
            std::thread::yield_now();
        } else {
            sleep();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_thread_runs_every_job() {
        for threads in [1, 2, 5] {
            let mut team = Team::new(threads).unwrap();
            assert_eq!(team.threads(), threads);
            let counts: Vec<AtomicU32> = (0..threads).map(|_| AtomicU32::new(0)).collect();
            for job in 1..=300u32 {
                team.run(&|thread| {
                    counts[thread].fetch_add(job, Ordering::Relaxed);
                });
                // All have ended, whoever was asleep.
                let sum = job * (job + 1) / 2;
                assert!(counts.iter().all(|c| c.load(Ordering::Relaxed) == sum));
                if job % 100 == 0 {
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
            let mut items: Vec<usize> = (0..17).collect();
            team.each(&mut items, &|item| *item += 100);
            assert!(items.iter().copied().eq(100..117));
        }
    }

    #[test]
    fn a_panic_is_handed_on_and_the_team_lives() {
        let mut team = Team::new(3).unwrap();
        for panics in 0..3 {
            let ran = AtomicU32::new(0);
            let job = |thread| {
                ran.fetch_add(1, Ordering::Relaxed);
                assert!(thread != panics, "thread {thread}");
            };
            let result = catch_unwind(AssertUnwindSafe(|| team.run(&job)));
            let panic = result.unwrap_err();
            let words = panic.downcast_ref::<String>().unwrap();
            assert_eq!(*words, format!("thread {panics}"));
            assert_eq!(ran.load(Ordering::Relaxed), 3);
        }
    }
}
