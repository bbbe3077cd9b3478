//! Coded bytes to segments. Segments are the lanes of a batch: one step of the model advances all.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use lmz_exact::{Cache, Lanes, Row};

use super::context::Drive;
use super::exchange::{Exchange, Presence};
use super::lane::{Beginning, Group};
use super::pace::Pace;
use super::timed::Stopwatch;
use super::workers::{Sizes, Stop};
use crate::clock;
use crate::error::Result;
use crate::observer::{Phase, check};
use crate::pool;
use crate::timing::Direction;

/// Coded bytes, and the raw lengths of the lanes that they hold: one without a stage.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    pub coded: &'a [u8],
    pub raw_lens: Vec<usize>,
}

impl<'a> Job<'a> {
    /// A segment.
    pub fn new(coded: &'a [u8], raw_len: usize) -> Self {
        Self {
            coded,
            raw_lens: vec![raw_len],
        }
    }
}

/// A job's raw bytes, or why there are none.
pub type Decoded = Result<Vec<u8>, String>;

/// Lanes of one thread: enough to reuse each weight, few enough for the caches of a processor.
const MAX_LANES: usize = 16;
/// Bytes that all lanes' caches may take together.
const CACHE_BUDGET: usize = 256 << 20;
/// Steps from one look at the observer to the next.
const LOOK: u32 = 32;

impl Drive<'_> {
    /// Decodes jobs. One that cannot be decoded gives the reason; whether the bytes are the right ones only
    /// a checksum tells.
    pub fn decode(&self, jobs: &[Job<'_>], phase: Phase) -> Result<Vec<Decoded>> {
        self.decode_jobs(jobs, phase, false)
    }

    /// Of jobs whose ends are cut off, what decodes before anything stops it.
    pub fn beginnings(&self, jobs: &[Job<'_>], phase: Phase) -> Result<Vec<Decoded>> {
        self.decode_jobs(jobs, phase, true)
    }

    fn decode_jobs(&self, jobs: &[Job<'_>], phase: Phase, cut: bool) -> Result<Vec<Decoded>> {
        let group = jobs.iter().map(|job| job.raw_lens.len()).max().unwrap_or(0);
        if group == 0 {
            return Ok(jobs.iter().map(|_| Ok(Vec::new())).collect());
        }
        let engine = self.model.engine();
        let start_token = engine.start_token();
        let known = self.shown.iter();
        let known: Vec<u32> = known
            .map(|symbol| crate::blocks::input(symbol, start_token))
            .collect();
        let raw_lens = || jobs.iter().flat_map(|job| job.raw_lens.iter().copied());
        // A block never has more positions than its lane has symbols, one a byte at most.
        let longest = self.shown.len() + raw_lens().max().unwrap_or(0) + 1;
        let positions = longest.min(self.policy.context as usize);
        let threads = pool::threads().clamp(1, jobs.len());
        let affordable = CACHE_BUDGET / threads / Cache::size(engine, positions).max(1);
        let seats = (MAX_LANES.min(affordable) / group).max(1);
        let sizes = Sizes {
            device_lanes: self.model.lanes().min(jobs.len() * group),
            threads,
            cpu_lanes: jobs.len().div_ceil(threads).clamp(1, seats) * group,
            positions,
        };
        let work = Work {
            drive: *self,
            beginning: Beginning {
                policy: self.policy,
                known: &known,
                start_token,
            },
            jobs,
            group,
            next: AtomicUsize::new(0),
            exchange: Exchange::new(),
            done: Mutex::new(jobs.iter().map(|_| None).collect()),
            phase,
            cut,
        };
        let watch = Stopwatch::start(Direction::Decoding);
        self.run(sizes, |lanes| work.by(lanes))?;
        watch.stop(self, raw_lens().sum());
        let done = work
            .done
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let missing = || Err("was not decoded".to_owned());
        Ok(done
            .into_iter()
            .map(|result| result.unwrap_or_else(missing))
            .collect())
    }
}

/// What the workers share.
struct Work<'a> {
    drive: Drive<'a>,
    beginning: Beginning<'a>,
    jobs: &'a [Job<'a>],
    /// Lanes of a group, at most.
    group: usize,
    /// The first job that nobody has begun.
    next: AtomicUsize,
    /// Where groups go from one worker to another.
    exchange: Exchange<Group<'a>>,
    done: Mutex<Vec<Option<Decoded>>>,
    phase: Phase,
    /// What decodes before a failure is wanted.
    cut: bool,
}

impl<'a> Work<'a> {
    /// One worker, with these lanes, until all is done.
    fn by(&self, lanes: &mut dyn Lanes) -> Result<(), Stop> {
        let presence = self.exchange.enter();
        // Lanes that were opened for other work may be more than there are jobs: both halves of the seats are to be
        // used.
        let seats = (lanes.lanes() / self.group).min(self.jobs.len());
        if seats == 0 {
            return Err(Stop::Lanes(lmz_exact::ExactError::Device {
                device: "this device".into(),
                reason: format!("it has no room for {} lanes in lock step", self.group),
            }));
        }
        let mut worker = Worker {
            work: self,
            pace: Pace::new(seats, lanes.works_ahead()),
            lanes,
            presence: &presence,
            seats: (0..seats).map(|_| None).collect(),
            queued: VecDeque::new(),
            unreported: 0,
        };
        let stopped = worker.run();
        worker.report();
        if let Err(Stop::Lanes(_)) = stopped {
            let mut groups: Vec<_> = worker.seats.into_iter().flatten().collect();
            groups
                .iter_mut()
                .for_each(|group| group.flee(&self.beginning));
            presence.leave(groups);
        }
        stopped
    }

    fn begin(&self, number: usize) -> Option<Group<'a>> {
        let job = self.jobs.get(number)?;
        Some(match self.drive.stage {
            None => {
                let raw_len = job.raw_lens.iter().sum();
                Group::alone(number, job.coded, raw_len, self.beginning)
            }
            Some(stage) => {
                let decoding = stage.decoding(job.raw_lens.len(), job.coded);
                Group::staged(number, decoding, &job.raw_lens, self.beginning)
            }
        })
    }
}

/// One symbol of each lane of some seats, which the model has been asked for.
struct Step {
    seats: Range<usize>,
    /// Seat and lane of the group of each query.
    owners: Vec<(usize, usize)>,
    /// Whether all seats have had their turn with it.
    ends_round: bool,
}

/// A worker, its lanes and the groups that sit on them.
struct Worker<'w, 'a> {
    work: &'w Work<'a>,
    lanes: &'w mut dyn Lanes,
    presence: &'w Presence<'w, Group<'a>>,
    /// Each with the lanes of a group.
    seats: Vec<Option<Group<'a>>>,
    pace: Pace,
    queued: VecDeque<Step>,
    unreported: u64,
}

impl<'a> Worker<'_, 'a> {
    fn run(&mut self) -> Result<(), Stop> {
        let seats = self.seats.len();
        let (mut parts, mut turn, mut advanced, mut steps) = (1, 0, 0, 0u32);
        loop {
            if self.is_empty() {
                // Nobody sits where a queued step has asked for something.
                self.queued.clear();
                self.fill(0..seats);
                if self.is_empty() {
                    self.report();
                    match self.presence.receive() {
                        Some(groups) => self.seat(groups),
                        None => return Ok(()),
                    }
                }
            }
            if self.queued.is_empty() {
                (parts, turn) = (self.pace.groups(), 0);
                self.share();
            }
            if steps.is_multiple_of(LOOK) {
                check(self.work.drive.observer)?;
                self.report();
            }
            steps = steps.wrapping_add(1);
            // All seats advance together, or in two parts of which one is decoded here while the device computes the
            // other. Where that is to change, what is queued comes to its end first.
            while self.queued.len() < parts && parts == self.pace.groups() {
                let which = seats * turn / parts..seats * (turn + 1) / parts;
                turn = (turn + 1) % parts;
                let step = self.submit(which, turn == 0)?;
                self.queued.push_back(step);
            }
            let Some(step) = self.queued.pop_front() else {
                continue;
            };
            self.collect(&step.owners)?;
            self.dismiss(step.seats);
            advanced += step.owners.len();
            if step.ends_round {
                self.pace.round(clock::now, std::mem::take(&mut advanced));
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.seats.iter().all(Option::is_none)
    }

    /// The first lane of a seat.
    fn first_lane(&self, seat: usize) -> u32 {
        (seat * self.work.group) as u32
    }

    /// Gives empty seats to what another worker left behind, or to new jobs.
    fn fill(&mut self, which: Range<usize>) {
        let Work {
            drive,
            beginning,
            next,
            jobs,
            ..
        } = self.work;
        for seat in which {
            if self.seats[seat].is_some() {
                continue;
            }
            let first = self.first_lane(seat);
            self.seats[seat] = if let Some(mut group) = self.presence.pick() {
                group.sit(self.lanes, first, beginning);
                Some(group)
            } else if next.load(Ordering::Relaxed) < jobs.len() {
                let group = self.work.begin(next.fetch_add(1, Ordering::Relaxed));
                group.map(|mut group| {
                    group.begin(self.lanes, first, drive.shown.prefix());
                    group
                })
            } else {
                None
            };
        }
    }

    /// Seats for what another worker has given.
    fn seat(&mut self, groups: Vec<Group<'a>>) {
        let mut groups = groups.into_iter();
        for seat in 0..self.seats.len() {
            if self.seats[seat].is_some() {
                continue;
            }
            let Some(mut group) = groups.next() else {
                return;
            };
            let first = self.first_lane(seat);
            group.sit(self.lanes, first, &self.work.beginning);
            self.seats[seat] = Some(group);
        }
        self.presence.leave(groups);
    }

    /// Gives groups to a worker without any, if one waits, which has found that there are no more jobs. As much is
    /// left of them as of those that stay.
    fn share(&mut self) {
        let others = self.presence.hungry();
        if others == 0 {
            return;
        }
        let taken = self.seats.iter().enumerate();
        let mut taken: Vec<(usize, usize)> = taken
            .filter_map(|(seat, group)| Some((group.as_ref()?.left(), seat)))
            .collect();
        if taken.len() < 2 {
            return;
        }
        taken.sort_unstable();
        let given = (taken.len() / (others + 1)).max(1);
        // Every second, from the one that ends last but one.
        let given = (0..given).filter_map(|i| {
            let (_, seat) = taken[taken.len() - 2 - 2 * i];
            let mut group = self.seats[seat].take()?;
            let first = (seat * self.work.group) as u32;
            group.rise(self.lanes, first, &self.work.beginning);
            Some(group)
        });
        let given = given.collect();
        self.presence.give(given);
    }

    /// Asks for the next symbol of every lane in these seats.
    fn submit(&mut self, which: Range<usize>, ends_round: bool) -> Result<Step, Stop> {
        self.fill(which.clone());
        let (mut rows, mut queries, mut owners) = (Vec::new(), Vec::new(), Vec::new());
        for seat in which.clone() {
            let first = self.first_lane(seat);
            let Some(group) = &mut self.seats[seat] else {
                continue;
            };
            for lane in 0..group.lanes.len() {
                if group.lanes[lane].is_done() {
                    continue;
                }
                let Some(query) = group.query() else {
                    break;
                };
                let asked = &group.lanes[lane];
                let inputs = asked.inputs.iter().zip(asked.position..);
                rows.extend(inputs.map(|(&token, position)| Row {
                    lane: first + lane as u32,
                    position: position as u32,
                    token,
                }));
                queries.push((rows.len() - 1, query));
                owners.push((seat, lane));
            }
        }
        if !owners.is_empty() {
            self.lanes.submit(&rows, &queries)?;
        }
        Ok(Step {
            seats: which,
            owners,
            ends_round,
        })
    }

    /// Takes the symbols of a step.
    fn collect(&mut self, owners: &[(usize, usize)]) -> Result<(), Stop> {
        if owners.is_empty() {
            return Ok(());
        }
        let symbols = self.work.drive.model.engine().symbols();
        let (seats, beginning) = (&mut self.seats, self.work.beginning);
        let unreported = &mut self.unreported;
        self.lanes.collect(&mut |number, prediction| {
            let (seat, lane) = owners[number];
            if let Some(group) = &mut seats[seat] {
                *unreported += group.take(lane, prediction, symbols, beginning);
            }
        })?;
        Ok(())
    }

    /// Those who have come to their end leave their seats.
    fn dismiss(&mut self, which: Range<usize>) {
        for seat in &mut self.seats[which] {
            let Some(group) = seat.take_if(|group| group.is_done()) else {
                continue;
            };
            let mut done = self
                .work
                .done
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let job = group.job;
            done[job] = Some(match self.work.cut {
                true => Ok(group.into_beginning()),
                false => group.into_result(),
            });
        }
    }

    fn report(&mut self) {
        let bytes = std::mem::take(&mut self.unreported);
        if bytes > 0 {
            self.work.drive.observer.advance(self.work.phase, bytes);
        }
    }
}
