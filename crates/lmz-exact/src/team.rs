//! Threads that share the work of a pass.
//!
//! A pass of a few rows is some hundred jobs of 10 to 100 microseconds: to wake a sleeping thread for each takes about as long.
//! So the threads of a team look for the next job for a while before they sleep. A job's items go to whoever asks for the
//! next one, and nobody waits for a thread that has not begun: on a busy machine a team is no slower than one thread.
#![allow(unsafe_code)]

use std::any::Any;
use std::cell::UnsafeCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Looks at what is awaited before a thread lets others run in between: some microseconds.
const SPINS: u32 = 1 << 10;
/// Looks after that before it sleeps: some hundred microseconds on an idle machine.
const YIELDS: u32 = 1 << 9;

/// A job is open to those who have not begun it.
const OPEN: u64 = 1 << 15;
/// How far a job's number is shifted, above that and the count of those who work on it.
const NUMBER: u32 = 16;

type Job = dyn Fn() + Sync;

/// Threads that work on one job at a time, the caller's among them.
pub struct Team {
    shared: Arc<Shared>,
    others: Vec<JoinHandle<()>>,
}

struct Shared {
    /// What those who enter run.
    job: UnsafeCell<Option<&'static Job>>,
    /// Its number, whether it is [`OPEN`], and how many of the others are at it.
    state: AtomicU64,
    /// No more jobs.
    over: AtomicBool,
    panicked: Mutex<Option<Box<dyn Any + Send>>>,
}

// SAFETY: `job` is written by `Team::share` alone, while no job is open and nobody at one; the others read it between
// their entry into `state` and their leave.
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
            state: AtomicU64::new(0),
            over: AtomicBool::new(false),
            panicked: Mutex::new(None),
        });
        let mut team = Self {
            shared: shared.clone(),
            others: Vec::new(),
        };
        // As many as can be counted in a state.
        for _ in 1..threads.min(OPEN as usize) {
            let shared = shared.clone();
            let start = move || shared.work();
            team.others.push(std::thread::Builder::new().spawn(start)?);
        }
        Ok(team)
    }

    /// How many there are, the caller's included.
    pub fn threads(&self) -> usize {
        self.others.len() + 1
    }

    /// Runs `work` once for each number below `count`, and returns when all have ended.
    ///
    /// # Panics
    /// If `work` does, once all who were at it have ended.
    pub fn run(&mut self, count: usize, work: &(dyn Fn(usize) + Sync)) {
        let next = AtomicUsize::new(0);
        let job = || {
            loop {
                match next.fetch_add(1, Ordering::Relaxed) {
                    number if number < count => work(number),
                    _ => break,
                }
            }
        };
        if self.others.is_empty() || count < 2 {
            return job();
        }
        self.share(&job);
    }

    fn share(&mut self, job: &(dyn Fn() + Sync)) {
        let shared = &*self.shared;
        // SAFETY: only the lifetime changes. Nobody uses it who has not entered, and this function does not end before
        // the job is closed and all have left.
        let lasting: &'static Job = unsafe { std::mem::transmute(job) };
        // SAFETY: the last job is closed, and all have left it.
        unsafe { *shared.job.get() = Some(lasting) };
        let number = (shared.state.load(Ordering::Relaxed) >> NUMBER) + 1;
        shared
            .state
            .store(number << NUMBER | OPEN, Ordering::SeqCst);
        for other in &self.others {
            other.thread().unpark();
        }
        let own = catch_unwind(AssertUnwindSafe(job));
        shared.state.fetch_and(!OPEN, Ordering::AcqRel);
        let left = || shared.state.load(Ordering::Acquire) == number << NUMBER;
        wait(left, std::thread::yield_now);
        let theirs = shared
            .panicked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(panic) = own.err().or(theirs) {
            resume_unwind(panic);
        }
    }

    /// `work` on each item, by all threads.
    pub fn each<T: Send>(&mut self, items: &mut [T], work: &(impl Fn(&mut T) + Sync)) {
        let items: Vec<Mutex<&mut T>> = items.iter_mut().map(Mutex::new).collect();
        self.run(items.len(), &|number| {
            work(&mut items[number].lock().unwrap_or_else(PoisonError::into_inner));
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
    /// What all but the caller's thread do.
    fn work(&self) {
        let mut seen = 0;
        loop {
            let open = || {
                let state = self.state.load(Ordering::Acquire);
                (state & OPEN != 0 && state >> NUMBER != seen).then_some(state)
            };
            let over = || self.over.load(Ordering::Acquire);
            wait(|| open().is_some() || over(), std::thread::park);
            if over() {
                return;
            }
            let Some(state) = open() else { continue };
            let enter = (state, state + 1, Ordering::AcqRel, Ordering::Relaxed);
            if self
                .state
                .compare_exchange(enter.0, enter.1, enter.2, enter.3)
                .is_err()
            {
                continue;
            }
            seen = state >> NUMBER;
            // SAFETY: the job was open, and `state` counts this thread until it is done.
            let job = unsafe { *self.job.get() };
            let ran = catch_unwind(AssertUnwindSafe(|| job.map(|job| job())));
            if let Err(panic) = ran {
                *self.panicked.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
            }
            self.state.fetch_sub(1, Ordering::Release);
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
    fn every_item_is_worked_on_once() {
        for threads in [1, 2, 5] {
            let mut team = Team::new(threads).unwrap();
            assert_eq!(team.threads(), threads);
            let counts: Vec<AtomicU32> = (0..7).map(|_| AtomicU32::new(0)).collect();
            for job in 1..=300u32 {
                team.run(7, &|item| {
                    counts[item].fetch_add(job, Ordering::Relaxed);
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
    fn threads_work_at_the_same_time() {
        // Each waits for the other: one thread alone would not end.
        let mut team = Team::new(2).unwrap();
        let barrier = std::sync::Barrier::new(2);
        let leaders = AtomicU32::new(0);
        team.run(2, &|_| {
            leaders.fetch_add(barrier.wait().is_leader().into(), Ordering::Relaxed);
        });
        assert_eq!(leaders.into_inner(), 1);
    }

    #[test]
    fn a_panic_is_handed_on_and_the_team_lives() {
        let mut team = Team::new(3).unwrap();
        for panics in 0..40 {
            let ran = AtomicU32::new(0);
            let job = |item| {
                ran.fetch_add(1, Ordering::Relaxed);
                assert!(item != panics % 4, "item {item}");
            };
            let result = catch_unwind(AssertUnwindSafe(|| team.run(4, &job)));
            let panic = result.unwrap_err();
            let words = panic.downcast_ref::<String>().unwrap();
            assert_eq!(*words, format!("item {}", panics % 4));
            team.run(4, &|_| {
                ran.fetch_add(100, Ordering::Relaxed);
            });
            assert!(ran.into_inner() > 400);
        }
    }
}
