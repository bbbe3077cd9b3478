//! A model's place on an accelerator: the same bits as on the CPU.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lmz_exact::{Accelerator, Lanes};

use crate::error::Result;

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

    /// Has `work` done on at most so many lanes of so many positions, which are kept for the next time unless it fails.
    /// Returns whether it was: not on a device that has failed before.
    pub fn run(
        &self,
        lanes: usize,
        positions: usize,
        work: impl FnOnce(&mut dyn Lanes) -> Result<()>,
    ) -> Result<bool> {
        let mut state = self.lock();
        if state.failed {
            return Ok(false);
        }
        let idle = state.idle.take();
        drop(state);
        let fits = |(asked, room, _): &(usize, usize, _)| *asked >= lanes && *room >= positions;
        let (lanes, positions, mut opened) = match idle.filter(fits) {
            Some(idle) => idle,
            None => (lanes, positions, self.accelerator.open(lanes, positions)?),
        };
        work(&mut *opened)?;
        self.lock().idle = Some((lanes, positions, opened));
        Ok(true)
    }

    /// It is not asked again.
    pub fn give_up(&self) {
        self.lock().failed = true;
    }
}
