//! A model's place on an accelerator: the same bits as on the CPU.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lmz_exact::{Accelerator, Lanes, Result};

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
pub struct Borrowed<'a> {
    device: &'a Device,
    asked: (usize, usize),
    lanes: Box<dyn Lanes>,
}

impl Borrowed<'_> {
    pub fn lanes(&mut self) -> &mut dyn Lanes {
        &mut *self.lanes
    }

    /// For the next who asks. Lanes that have failed are dropped instead.
    pub fn give_back(self) {
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

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// At most so many lanes of so many positions; none if it has failed before.
    pub fn borrow(&self, lanes: usize, positions: usize) -> Result<Option<Borrowed<'_>>> {
        let mut state = self.lock();
        if state.failed {
            return Ok(None);
        }
        let idle = state.idle.take();
        drop(state);
        let fits = |(asked, room, _): &(usize, usize, _)| *asked >= lanes && *room >= positions;
        let (lanes, positions, opened) = match idle.filter(fits) {
            Some(idle) => idle,
            None => (lanes, positions, self.accelerator.open(lanes, positions)?),
        };
        Ok(Some(Borrowed {
            device: self,
            asked: (lanes, positions),
            lanes: opened,
        }))
    }

    /// It is not asked again.
    pub fn give_up(&self) {
        self.lock().failed = true;
    }
}
