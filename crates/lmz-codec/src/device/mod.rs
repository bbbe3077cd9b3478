//! A model on an accelerator: the same blocks and segments as on the CPU, the same bytes.
//!
//! A device that fails is given up: what it has not done is left to the CPU, and the observer is told.

mod decode;
mod pace;
mod score;

use std::sync::{Arc, Mutex, PoisonError};

use lmz_exact::{Accelerator, Lanes};
use lmz_model::Symbol;

use crate::blocks::Block;
use crate::decode::{Decoded, Job};
use crate::encode::Scored;
use crate::error::Result;
use crate::lane::Beginning;
use crate::model::Model;
use crate::observer::{Observer, Phase};
use decode::decode;
use score::score;

/// Lanes that blocks are encoded in: a pass holds many positions of each.
const ENCODING_LANES: usize = 64;

/// An accelerator, and whether it still works.
#[derive(Debug)]
pub struct Device {
    accelerator: Arc<dyn Accelerator>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failed: bool,
    /// Lanes and positions that were asked for, and what came of it.
    idle: Option<(usize, usize, Box<dyn Lanes>)>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

/// Lanes that go back to their device when they are done.
struct Borrowed<'a> {
    device: &'a Device,
    asked: (usize, usize),
    lanes: Box<dyn Lanes>,
}

impl Borrowed<'_> {
    fn give_back(self) {
        let (lanes, positions) = self.asked;
        self.device.lock().idle = Some((lanes, positions, self.lanes));
    }
}

impl Device {
    pub fn new(accelerator: Arc<dyn Accelerator>) -> Self {
        Self {
            accelerator,
            state: Mutex::default(),
        }
    }

    /// What it is called, while it works.
    pub fn name(&self) -> Option<String> {
        (!self.lock().failed).then(|| self.accelerator.name())
    }

    /// Lanes that make full use of it; none if it has failed.
    pub fn lanes(&self) -> usize {
        if self.lock().failed {
            0
        } else {
            self.accelerator.lanes()
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn borrow(&self, lanes: usize, positions: usize) -> lmz_exact::Result<Borrowed<'_>> {
        let idle = self.lock().idle.take();
        if let Some((asked, room, idle)) = idle
            && asked >= lanes
            && room >= positions
        {
            return Ok(Borrowed {
                device: self,
                asked: (asked, room),
                lanes: idle,
            });
        }
        Ok(Borrowed {
            device: self,
            asked: (lanes, positions),
            lanes: self.accelerator.open(lanes, positions)?,
        })
    }

    /// Gives the device up.
    fn give_up(&self, error: &lmz_exact::ExactError, observer: &dyn Observer) {
        self.lock().failed = true;
        observer.notice(&format!("{error}; the CPU is used instead"));
    }

    /// What the model says of the symbols of blocks; nothing for those that are left to the CPU.
    pub fn score(
        &self,
        model: &Model,
        symbols: &[Vec<Symbol>],
        tasks: &[(usize, Block)],
        observer: &dyn Observer,
    ) -> Result<Vec<Option<Scored>>> {
        let mut done: Vec<Option<Scored>> = tasks.iter().map(|_| None).collect();
        if tasks.is_empty() || self.lock().failed {
            return Ok(done);
        }
        let size = |(_, block): &(usize, Block)| block.end - block.first + block.overlap;
        let positions = tasks.iter().map(size).max().unwrap_or(1);
        let scored = self.borrow(tasks.len().min(ENCODING_LANES), positions);
        match scored {
            Err(error) => self.give_up(&error, observer),
            Ok(mut borrowed) => {
                let lanes = &mut *borrowed.lanes;
                match score(lanes, model, symbols, tasks, &mut done, observer)? {
                    Ok(()) => borrowed.give_back(),
                    Err(error) => self.give_up(&error, observer),
                }
            }
        }
        Ok(done)
    }

    /// The segments of jobs; nothing for those that are left to the CPU.
    pub fn decode(
        &self,
        model: &Model,
        beginning: Beginning<'_>,
        positions: usize,
        jobs: &[Job<'_>],
        phase: Phase,
        observer: &dyn Observer,
    ) -> Result<Vec<Option<Decoded>>> {
        let mut done: Vec<Option<Decoded>> = jobs.iter().map(|_| None).collect();
        if jobs.is_empty() || self.lock().failed {
            return Ok(done);
        }
        match self.borrow(jobs.len().min(self.accelerator.lanes()), positions) {
            Err(error) => self.give_up(&error, observer),
            Ok(mut borrowed) => {
                let lanes = &mut *borrowed.lanes;
                let engine = model.engine();
                match decode(lanes, engine, beginning, jobs, &mut done, phase, observer)? {
                    Ok(()) => borrowed.give_back(),
                    Err(error) => self.give_up(&error, observer),
                }
            }
        }
        Ok(done)
    }
}

/// Ok, or why the device has failed; an error of the outer kind ends the work altogether.
type OnDevice = Result<lmz_exact::Result<()>>;
