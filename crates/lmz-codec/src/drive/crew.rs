//! Tasks that workers share.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::context::Drive;
use super::exchange::Exchange;
use super::task::Task;
use super::timed::Stopwatch;
use super::worker::{Seated, Worker};
use super::workers::Sizes;
use crate::error::Result;
use crate::observer::Phase;
use crate::timing::Direction;

/// How much there is to do.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub tasks: usize,
    /// Raw bytes of them all.
    pub raw_len: usize,
    pub phase: Phase,
}

/// What the workers share.
pub struct Crew<'a, T> {
    pub drive: Drive<'a>,
    pub load: Load,
    begin: &'a (dyn Fn(usize) -> Result<T> + Sync),
    /// The first task that nobody has begun.
    next: AtomicUsize,
    /// Where tasks go from one worker to another.
    pub exchange: Exchange<Seated<T>>,
    done: Mutex<Vec<Option<T>>>,
}

impl<T: Task> Crew<'_, T> {
    /// A task that nobody has begun, if there is one.
    pub fn begin(&self) -> Result<Option<Seated<T>>> {
        if self.next.load(Ordering::Relaxed) >= self.load.tasks {
            return Ok(None);
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        if number >= self.load.tasks {
            return Ok(None);
        }
        let task = (self.begin)(number)?;
        Ok(Some(Seated::new(number, task)))
    }

    /// Keeps a task that is done.
    pub fn end(&self, number: usize, task: T) {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)[number] = Some(task);
    }
}

impl Drive<'_> {
    /// Does the tasks that `begin` makes of their numbers, and returns them in order.
    pub fn tasks<T: Task>(
        &self,
        load: Load,
        sizes: Sizes,
        begin: impl Fn(usize) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        if load.tasks == 0 {
            return Ok(Vec::new());
        }
        let crew = Crew {
            drive: *self,
            load,
            begin: &begin,
            next: AtomicUsize::new(0),
            exchange: Exchange::new(),
            done: Mutex::new((0..load.tasks).map(|_| None).collect()),
        };
        let watch = Stopwatch::start(Direction::of(load.phase));
        self.run(sizes, |lanes| Worker::new(&crew, lanes).work())?;
        watch.stop(self, load.raw_len);
        let done = crew.done.into_inner();
        // Each was done, or an error was returned.
        let done = done.unwrap_or_else(PoisonError::into_inner).into_iter();
        Ok(done.flatten().collect())
    }
}
