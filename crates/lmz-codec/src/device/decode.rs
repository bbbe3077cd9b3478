//! Decoding with a model on a device: the lanes advance together, or in two halves of which one is decoded here
//! while the device computes the other.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Instant;

use lmz_exact::{Answer, Engine, Lanes, Query, Row};

use super::OnDevice;
use super::pace::Pace;
use crate::decode::{Decoded, Job};
use crate::lane::{Beginning, Lane};
use crate::observer::{Observer, Phase, check};

/// Segments on their way through the lanes.
struct Decoding<'a> {
    engine: &'a Engine,
    beginning: Beginning<'a>,
    jobs: &'a [Job<'a>],
    active: Vec<Option<Lane<'a>>>,
    /// The first job that no lane has taken.
    next: usize,
}

/// One symbol of each of some lanes, which the device has been asked for.
struct Step {
    lanes: Range<usize>,
    /// The lane of each query; none where nothing was asked.
    owners: Vec<usize>,
    /// Whether all lanes have had their turn with it.
    ends_round: bool,
}

impl<'a> Decoding<'a> {
    /// Takes up new jobs, and asks for the next symbol of these lanes.
    fn submit(
        &mut self,
        lanes: &mut dyn Lanes,
        which: Range<usize>,
    ) -> lmz_exact::Result<Vec<usize>> {
        let (mut rows, mut queries, mut owners) = (Vec::new(), Vec::new(), Vec::new());
        for number in which {
            let slot = &mut self.active[number];
            if slot.is_none()
                && let Some(&job) = self.jobs.get(self.next)
            {
                *slot = Some(Lane::new(self.next, job, self.beginning));
                self.next += 1;
            }
            let Some(lane) = slot.as_mut().filter(|lane| !lane.is_done()) else {
                continue;
            };
            let point = match lane.decoder.point() {
                Ok(point) => point,
                Err(error) => {
                    lane.failure = Some(error.to_string());
                    continue;
                }
            };
            let inputs = lane.inputs.iter().zip(lane.position..);
            rows.extend(inputs.map(|(&token, position)| Row {
                lane: number as u32,
                position: position as u32,
                token,
            }));
            queries.push((rows.len() - 1, Query::Point(point)));
            owners.push(number);
        }
        if !owners.is_empty() {
            lanes.submit(&rows, &queries)?;
        }
        Ok(owners)
    }

    /// Takes the symbols of a step.
    fn collect(&mut self, lanes: &mut dyn Lanes, owners: &[usize]) -> lmz_exact::Result<()> {
        if owners.is_empty() {
            return Ok(());
        }
        let answers = lanes.collect()?;
        let symbols = self.engine.symbols();
        for (answer, &owner) in answers.iter().zip(owners) {
            let Some(lane) = &mut self.active[owner] else {
                continue;
            };
            let Answer {
                symbol, interval, ..
            } = *answer;
            match lane.decoder.take(interval) {
                Ok(()) => lane.push(symbols, symbol, self.beginning.start_token),
                Err(error) => lane.failure = Some(error.to_string()),
            }
            lane.advance(self.beginning);
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.next >= self.jobs.len() && self.active.iter().all(Option::is_none)
    }
}

/// Decodes segments into `done`.
pub fn decode(
    lanes: &mut dyn Lanes,
    engine: &Engine,
    beginning: Beginning<'_>,
    jobs: &[Job<'_>],
    done: &mut [Option<Decoded>],
    phase: Phase,
    observer: &dyn Observer,
) -> OnDevice {
    let count = lanes.lanes().min(jobs.len());
    let mut decoding = Decoding {
        engine,
        beginning,
        jobs,
        active: (0..count).map(|_| None).collect(),
        next: 0,
    };
    let mut pace = Pace::new(count);
    let mut queued: VecDeque<Step> = VecDeque::new();
    let (mut groups, mut turn, mut advanced) = (pace.groups(), 0, 0);
    loop {
        check(observer)?;
        if queued.is_empty() {
            (groups, turn) = (pace.groups(), 0);
        }
        // Where the groups are to change, those that are queued come to their end first.
        while queued.len() < groups && groups == pace.groups() {
            let which = count * turn / groups..count * (turn + 1) / groups;
            let owners = match decoding.submit(lanes, which.clone()) {
                Ok(owners) => owners,
                Err(error) => return Ok(Err(error)),
            };
            turn = (turn + 1) % groups;
            queued.push_back(Step {
                lanes: which,
                owners,
                ends_round: turn == 0,
            });
        }
        let Some(step) = queued.pop_front() else {
            continue;
        };
        if let Err(error) = decoding.collect(lanes, &step.owners) {
            return Ok(Err(error));
        }
        advanced += step.owners.len();
        for slot in &mut decoding.active[step.lanes] {
            let Some(lane) = slot.take_if(|lane| lane.is_done()) else {
                continue;
            };
            observer.advance(phase, lane.out.len() as u64);
            let job = lane.job;
            done[job] = Some(lane.into_result());
        }
        if step.ends_round {
            pace.round(Instant::now(), std::mem::take(&mut advanced));
        }
        if decoding.is_done() {
            return Ok(Ok(()));
        }
    }
}
