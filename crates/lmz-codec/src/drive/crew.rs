//! Tasks, and who does them: lanes of the model's device, or threads of the CPU.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use lmz_exact::{CpuLanes, ExactError};

use super::context::Drive;
use super::exchange::Exchange;
use super::task::Task;
use super::worker::{Seated, Worker};
use crate::clock;
use crate::error::{CodecError, Result};
use crate::observer::Phase;
use crate::pool;
use crate::timing::{Direction, Timing};

/// Why a worker stops before all is done.
pub enum Stop {
    /// Its lanes have failed. Others can go on.
    Lanes(ExactError),
    /// There is nothing to go on with.
    All(CodecError),
}

impl From<ExactError> for Stop {
    fn from(error: ExactError) -> Self {
        Self::Lanes(error)
    }
}

impl From<CodecError> for Stop {
    fn from(error: CodecError) -> Self {
        Self::All(error)
    }
}

/// How much there is to do, and how many lanes the workers have for it.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub tasks: usize,
    /// Raw bytes of them all.
    pub raw_len: usize,
    /// Positions of a lane.
    pub positions: usize,
    /// Lanes of the device's one worker, at most.
    pub device_lanes: usize,
    /// Of each worker on the CPU.
    pub cpu_lanes: usize,
}

/// What the workers share.
pub struct Crew<'a, T> {
    pub drive: Drive<'a>,
    pub phase: Phase,
    begin: &'a (dyn Fn(usize) -> Result<T> + Sync),
    /// The first task that nobody has begun.
    next: AtomicUsize,
    /// Where tasks go from one worker to another.
    pub exchange: Exchange<Seated<T>>,
    done: Mutex<Vec<Option<T>>>,
    tasks: usize,
}

impl<T: Task> Crew<'_, T> {
    /// A task that nobody has begun, if there is one.
    pub fn begin(&self) -> Result<Option<Seated<T>>> {
        if self.next.load(Ordering::Relaxed) >= self.tasks {
            return Ok(None);
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        if number >= self.tasks {
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

impl<'a> Drive<'a> {
    /// Does the tasks that `begin` makes, of each number below that of `sizes`, and returns them in order: by one worker
    /// with lanes of the model's device, if it has one; if not, or once that has failed, by workers on the CPU. What a worker
    /// has not done when its lanes fail it leaves for the others.
    pub fn run<T: Task>(
        &self,
        sizes: Sizes,
        phase: Phase,
        begin: impl Fn(usize) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        let crew = Crew {
            drive: *self,
            phase,
            begin: &begin,
            next: AtomicUsize::new(0),
            exchange: Exchange::new(),
            done: Mutex::new((0..sizes.tasks).map(|_| None).collect()),
            tasks: sizes.tasks,
        };
        let start = clock::now();
        if !self.on_device(&crew, sizes)? {
            let threads = pool::threads().clamp(1, sizes.tasks.max(1));
            pool::map((0..threads).collect(), |_| {
                let engine = self.model.engine();
                let mut lanes = CpuLanes::new(engine, sizes.cpu_lanes, sizes.positions);
                Worker::new(&crew, &mut lanes, sizes.tasks)
                    .work()
                    .map_err(|stop| match stop {
                        Stop::Lanes(error) => error.into(),
                        Stop::All(error) => error,
                    })
            })?;
        }
        if let (Some(start), Some(end)) = (start, clock::now()) {
            let timing = Timing {
                bytes: sizes.raw_len as u64,
                time: end - start,
            };
            let direction = Direction::of(phase);
            self.observer.timed(self.model, direction, timing);
        }
        let done = crew.done.into_inner();
        let done = done.unwrap_or_else(PoisonError::into_inner).into_iter();
        // Every task was done, or an error was returned.
        Ok(done.flatten().collect())
    }

    /// Whether the model's device has done all.
    fn on_device<T: Task>(&self, crew: &Crew<'_, T>, sizes: Sizes) -> Result<bool> {
        let Some(device) = self.model.device() else {
            return Ok(false);
        };
        let worked = match device.borrow(sizes.device_lanes, sizes.positions) {
            Ok(None) => return Ok(false),
            Ok(Some(mut borrowed)) => {
                let worked = Worker::new(crew, borrowed.lanes(), sizes.tasks).work();
                worked.map(|()| borrowed.give_back())
            }
            Err(error) => Err(Stop::Lanes(error)),
        };
        match worked {
            Ok(()) => Ok(true),
            Err(Stop::All(error)) => Err(error),
            Err(Stop::Lanes(error)) => {
                device.give_up();
                let notice = format!("{error}; the CPU is used instead");
                self.observer.notice(&notice);
                Ok(false)
            }
        }
    }
}
