//! One worker, its lanes and the tasks that sit on them.

use std::collections::VecDeque;
use std::ops::Range;

use lmz_exact::Lanes;

use super::context::Drive;
use super::crew::Crew;
use super::pace::Pace;
use super::task::{Pass, Side, Task};
use crate::clock;
use crate::error::Result;
use crate::observer::{Phase, check};

/// Rows from one look at the observer to the next.
const LOOK: usize = 32;

/// Does tasks on these lanes until all are done. What it has begun when they fail is left to others.
pub fn work<S: Side>(
    drive: Drive<'_>,
    phase: Phase,
    crew: &Crew<Task<'_, S>>,
    lanes: &mut dyn Lanes,
) -> Result<()> {
    // Lanes that were opened for other work may be more than there are tasks: both halves of the seats are to be used.
    let seats = lanes.lanes().min(crew.tasks);
    let _presence = crew.enter();
    let mut worker = Worker {
        drive,
        phase,
        crew,
        seats: (0..seats).map(|_| None).collect(),
        pace: Pace::new(seats, lanes.works_ahead(), phase == Phase::Encode),
        lanes,
        queued: VecDeque::new(),
        rows: 0,
        bytes: 0,
    };
    let worked = worker.run();
    let looked = worker.look();
    crew.give(worker.seats.into_iter().flatten());
    worked.and(looked)
}

struct Worker<'w, 't, S> {
    drive: Drive<'w>,
    phase: Phase,
    crew: &'w Crew<Task<'t, S>>,
    lanes: &'w mut dyn Lanes,
    /// Of each lane.
    seats: Vec<Option<Task<'t, S>>>,
    pace: Pace,
    queued: VecDeque<Pass>,
    /// Rows and raw bytes since the last look at the observer.
    rows: usize,
    bytes: usize,
}

impl<'t, S: Side> Worker<'_, 't, S> {
    /// Rounds, in each of which all seats have their turn.
    fn run(&mut self) -> Result<()> {
        loop {
            let idle = self.seats.iter().all(Option::is_none);
            if idle || self.rows >= LOOK {
                self.look()?;
            }
            if idle && !self.crew.wait() {
                return Ok(());
            }
            // All seats advance together, or in two parts of which one is taken here while the device computes the
            // other. Where that changes, what is queued comes to its end first.
            let parts = self.pace.groups();
            if self.queued.len() != parts {
                while let Some(pass) = self.queued.pop_front() {
                    self.collect(pass)?;
                }
            }
            let (seats, mut symbols) = (self.seats.len(), 0);
            for part in 0..parts {
                if self.queued.len() == parts
                    && let Some(pass) = self.queued.pop_front()
                {
                    symbols += self.collect(pass)?;
                }
                self.submit(seats * part / parts..seats * (part + 1) / parts)?;
            }
            self.pace.round(clock::now, symbols);
        }
    }

    /// Queues what the tasks in these seats ask for, new ones in the empty seats.
    fn submit(&mut self, seats: Range<usize>) -> Result<()> {
        self.share();
        let mut pass = Pass {
            rows: Vec::new(),
            queries: Vec::new(),
            seats: seats.clone(),
            // Of known symbols there are more than a pass takes; of others each task has one to ask for.
            most: match self.phase {
                Phase::Encode => self.lanes.rows(),
                Phase::Verify | Phase::Decode => usize::MAX,
            },
        };
        for seat in seats {
            if self.seats[seat].is_none()
                && let Some(task) = self.crew.take()
            {
                self.sit(seat, task);
            }
            if let Some(task) = &mut self.seats[seat] {
                task.failure = task.ask(&self.drive, seat, &mut pass).err();
            }
        }
        if !pass.rows.is_empty() {
            self.lanes.submit(&pass.rows, &pass.queries)?;
        }
        self.queued.push_back(pass);
        Ok(())
    }

    /// Seats a task. Its lane goes on with the keys and values that came with it, if it can; otherwise it begins with
    /// what is kept of what is shown, or with nothing.
    fn sit(&mut self, seat: usize, mut task: Task<'t, S>) {
        let (lane, shown) = (seat as u32, self.drive.shown);
        let cache = task.cache.take();
        if !cache.is_some_and(|cache| self.lanes.put(lane, cache)) {
            task.read = match task.block.first == shown.len() {
                true => self.lanes.begin(lane, shown.prefix()),
                false => 0,
            };
        }
        self.seats[seat] = Some(task);
    }

    /// Gives tasks to workers that wait since there are no more. As much is left of them as of those that stay.
    fn share(&mut self) {
        let seats = self.seats.iter().enumerate();
        let taken = seats.filter_map(|(seat, task)| Some((task.as_ref()?.left, seat)));
        let mut taken: Vec<(usize, usize)> = taken.collect();
        let others = self.crew.idle();
        if others == 0 || taken.len() < 2 || !self.queued.is_empty() {
            return;
        }
        taken.sort_unstable();
        let given = (taken.len() / (others + 1)).max(1);
        // Every second, from the one that ends last but one.
        let given = taken.iter().rev().skip(1).step_by(2).take(given);
        self.crew.give(given.filter_map(|&(_, seat)| {
            let mut task = self.seats[seat].take()?;
            task.cache = self.lanes.take(seat as u32);
            Some(task)
        }));
    }

    /// Takes the answers of a pass, and returns how many there were. Tasks that are at their end leave their seats.
    fn collect(&mut self, pass: Pass) -> Result<usize> {
        let mut collected = Ok(());
        if !pass.rows.is_empty() {
            collected = self.lanes.collect(&mut |query, prediction| {
                let row = pass.rows[pass.queries[query].0];
                if let Some(task) = &mut self.seats[row.lane as usize] {
                    match task.take(&self.drive, prediction) {
                        Ok(bytes) => self.bytes += bytes,
                        Err(failure) => task.failure = Some(failure),
                    }
                }
            });
        }
        for seat in &mut self.seats[pass.seats] {
            if let Some(task) = seat.take_if(|task| task.is_done()) {
                self.crew.end(task);
            }
        }
        collected?;
        self.rows += pass.rows.len();
        Ok(pass.queries.len())
    }

    /// Tells the observer what is done, and hears whether to stop.
    fn look(&mut self) -> Result<()> {
        if self.bytes > 0 {
            let observer = self.drive.observer;
            observer.advance(self.phase, self.bytes as u64);
        }
        (self.rows, self.bytes) = (0, 0);
        check(self.drive.observer)
    }
}
