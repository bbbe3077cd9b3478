//! One worker, its lanes and the tasks that sit on them.

use std::collections::VecDeque;
use std::ops::Range;

use lmz_exact::Lanes;

use super::crew::Crew;
use super::exchange::Presence;
use super::pace::Pace;
use super::task::{Pass, Seated, Task};
use super::workers::Stop;
use crate::clock;
use crate::observer::{Phase, check};

/// Rows from one look at the observer to the next.
const LOOK: usize = 32;

/// Lanes, and the tasks that sit on them.
pub struct Worker<'w, 'a, T: Task> {
    crew: &'w Crew<'a, T>,
    lanes: &'w mut dyn Lanes,
    presence: Presence<'w, Seated<T>>,
    /// Of each lane.
    seats: Vec<Option<Seated<T>>>,
    pace: Pace,
    queued: VecDeque<Pass>,
    unreported: u64,
}

impl<'w, 'a, T: Task> Worker<'w, 'a, T> {
    pub fn new(crew: &'w Crew<'a, T>, lanes: &'w mut dyn Lanes) -> Self {
        // Lanes that were opened for other work may be more than there are tasks: both halves of the seats are to be
        // used.
        let seats = lanes.lanes().min(crew.load.tasks);
        Self {
            crew,
            pace: Pace::new(seats, lanes.works_ahead(), crew.load.phase == Phase::Encode),
            lanes,
            presence: crew.exchange.enter(),
            seats: (0..seats).map(|_| None).collect(),
            queued: VecDeque::new(),
            unreported: 0,
        }
    }

    /// Until all is done.
    pub fn work(mut self) -> Result<(), Stop> {
        let stopped = self.run();
        self.report();
        if let Err(Stop::Lanes(_)) = stopped {
            let mut left: Vec<_> = self.seats.into_iter().flatten().collect();
            left.iter_mut().for_each(|seated| seated.task.resume(0));
            self.presence.leave(left);
        }
        stopped
    }

    fn run(&mut self) -> Result<(), Stop> {
        let seats = self.seats.len();
        let (mut parts, mut turn, mut advanced, mut rows) = (1, 0, 0, LOOK);
        loop {
            if self.is_empty() {
                // Nobody sits where a queued pass has asked for something.
                self.queued.clear();
                self.fill(0..seats)?;
                if self.is_empty() {
                    self.report();
                    match self.presence.receive() {
                        Some(given) => self.seat(given),
                        None => return Ok(()),
                    }
                }
            }
            if self.queued.is_empty() {
                (parts, turn) = (self.pace.groups(), 0);
                self.share();
            }
            if rows >= LOOK {
                check(self.crew.drive.observer)?;
                self.report();
                rows = 0;
            }
            // All seats advance together, or in two parts of which one is taken here while the device computes the
            // other. Where that is to change, what is queued comes to its end first.
            while self.queued.len() < parts && parts == self.pace.groups() {
                let which = seats * turn / parts..seats * (turn + 1) / parts;
                turn = (turn + 1) % parts;
                self.submit(which, turn == 0)?;
            }
            let Some(pass) = self.queued.pop_front() else {
                continue;
            };
            self.collect(&pass)?;
            rows += pass.rows.len();
            advanced += pass.queries.len();
            if pass.ends_round {
                self.pace.round(clock::now, std::mem::take(&mut advanced));
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.seats.iter().all(Option::is_none)
    }

    /// Gives empty seats to what another worker left behind, or to new tasks.
    fn fill(&mut self, which: Range<usize>) -> Result<(), Stop> {
        for seat in which {
            if self.seats[seat].is_some() {
                continue;
            }
            if let Some(seated) = self.presence.pick() {
                self.sit(seat, seated);
            } else if let Some(mut seated) = self.crew.begin()? {
                if seated.task.begins() {
                    let prefix = self.crew.drive.shown.prefix();
                    let positions = self.lanes.begin(seat as u32, prefix);
                    seated.task.resume(positions);
                }
                self.seats[seat] = Some(seated);
            } else {
                break;
            }
        }
        Ok(())
    }

    fn sit(&mut self, seat: usize, mut seated: Seated<T>) {
        if let Some(cache) = seated.cache.take()
            && !self.lanes.put(seat as u32, cache)
        {
            seated.task.resume(0);
        }
        self.seats[seat] = Some(seated);
    }

    /// Seats for what another worker has given; what is too much is left for others.
    fn seat(&mut self, given: Vec<Seated<T>>) {
        let mut given = given.into_iter();
        for seat in 0..self.seats.len() {
            if let None = self.seats[seat]
                && let Some(seated) = given.next()
            {
                self.sit(seat, seated);
            }
        }
        self.presence.leave(given);
    }

    /// Gives tasks to a worker without any, if one waits, which has found that there are no more of them. As much is
    /// left of them as of those that stay.
    fn share(&mut self) {
        let others = self.presence.hungry();
        if others == 0 {
            return;
        }
        let taken = self.seats.iter().enumerate();
        let mut taken: Vec<(usize, usize)> = taken
            .filter_map(|(seat, seated)| Some((seated.as_ref()?.task.left(), seat)))
            .collect();
        if taken.len() < 2 {
            return;
        }
        taken.sort_unstable();
        let given = (taken.len() / (others + 1)).max(1);
        // Every second, from the one that ends last but one.
        let given = (0..given).filter_map(|i| {
            let (_, seat) = taken[taken.len() - 2 - 2 * i];
            let mut seated = self.seats[seat].take()?;
            seated.cache = self.lanes.take(seat as u32);
            if seated.cache.is_none() {
                seated.task.resume(0);
            }
            Some(seated)
        });
        let given = given.collect();
        self.presence.give(given);
    }

    /// Queues what the tasks in these seats ask for.
    fn submit(&mut self, which: Range<usize>, ends_round: bool) -> Result<(), Stop> {
        self.fill(which.clone())?;
        let mut pass = Pass::new(which.clone(), ends_round, self.lanes.rows());
        for seat in which {
            if let Some(seated) = &mut self.seats[seat] {
                pass.turn_to(seat);
                seated.task.ask(&mut pass);
            }
        }
        if !pass.rows.is_empty() {
            self.lanes.submit(&pass.rows, &pass.queries)?;
        }
        self.queued.push_back(pass);
        Ok(())
    }

    /// Takes the answers of a pass. Tasks that are at their end leave their seats.
    fn collect(&mut self, pass: &Pass) -> Result<(), Stop> {
        let (seats, unreported) = (&mut self.seats, &mut self.unreported);
        if !pass.rows.is_empty() {
            self.lanes.collect(&mut |query, prediction| {
                if let Some(seated) = &mut seats[pass.owners[query]] {
                    *unreported += seated.task.take(prediction);
                }
            })?;
        }
        for seat in &mut seats[pass.seats.clone()] {
            if let Some(seated) = seat.take_if(|seated| seated.task.is_done()) {
                self.crew.end(seated.number, seated.task);
            }
        }
        Ok(())
    }

    fn report(&mut self) {
        let bytes = std::mem::take(&mut self.unreported);
        if bytes > 0 {
            self.crew
                .drive
                .observer
                .advance(self.crew.load.phase, bytes);
        }
    }
}
