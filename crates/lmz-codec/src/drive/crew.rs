//! Tasks that workers share.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::context::Drive;
use super::exchange::Exchange;
use super::task::{Seated, Task};
use crate::error::Result;
use crate::observer::Phase;

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

impl<'a, T: Task> Crew<'a, T> {
    /// Before any task is begun: `begin` makes them of their numbers.
    pub fn new(
        drive: Drive<'a>,
        load: Load,
        begin: &'a (dyn Fn(usize) -> Result<T> + Sync),
    ) -> Self {
        Self {
            drive,
            load,
            begin,
            next: AtomicUsize::new(0),
            exchange: Exchange::new(),
            done: Mutex::new((0..load.tasks).map(|_| None).collect()),
        }
    }

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

    /// All tasks in order: each was done, or a worker has returned an error.
    pub fn into_done(self) -> Vec<T> {
        let done = self.done.into_inner();
        let done = done.unwrap_or_else(PoisonError::into_inner).into_iter();
        done.flatten().collect()
    }
}
