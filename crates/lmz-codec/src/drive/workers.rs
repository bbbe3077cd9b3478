//! Who does the work: lanes of the model's device, and threads of the CPU.

use lmz_exact::{Cache, CpuLanes, Engine, ExactError, Lanes, Scratch};

use super::context::Drive;
use crate::error::{CodecError, Result};
use crate::memory::ask;
use crate::pool;

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

/// How many lanes the workers have.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Of the device's one worker, at most.
    pub device_lanes: usize,
    /// Workers on the CPU.
    pub threads: usize,
    /// Of each of these.
    pub cpu_lanes: usize,
    /// Of a lane.
    pub positions: usize,
}

impl Sizes {
    /// Refuses lanes of the CPU that there is no memory for.
    pub fn check_memory(&self, engine: &Engine) -> Result<()> {
        let lanes = self.threads.saturating_mul(self.cpu_lanes);
        let caches = lanes.saturating_mul(Cache::size(engine, self.positions));
        let scratch = self.threads.saturating_mul(Scratch::size(engine));
        ask(caches.saturating_add(scratch), || {
            format!("{lanes} lanes of {} positions", self.positions)
        })
    }
}

impl Drive<'_> {
    /// Has `work` done: by one worker with lanes of the model's device, if it has one; if not, or once that has failed,
    /// by workers on the CPU. What a worker has not done when its lanes fail it has to leave for the others.
    pub fn run(
        &self,
        sizes: Sizes,
        work: impl Fn(&mut dyn Lanes) -> Result<(), Stop> + Sync + Send,
    ) -> Result<()> {
        if let Some(device) = self.model.device() {
            let worked = match device.borrow(sizes.device_lanes, sizes.positions) {
                Err(error) => Err(Stop::Lanes(error)),
                Ok(None) => Ok(false),
                Ok(Some(mut borrowed)) => work(borrowed.lanes()).map(|()| {
                    borrowed.give_back();
                    true
                }),
            };
            match worked {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(Stop::All(error)) => return Err(error),
                Err(Stop::Lanes(error)) => {
                    device.give_up();
                    self.observer
                        .notice(&format!("{error}; the CPU is used instead"));
                }
            }
        }
        sizes.check_memory(self.model.engine())?;
        let threads: Vec<usize> = (0..sizes.threads).collect();
        pool::map(threads, |_| {
            let engine = self.model.engine();
            let mut lanes = CpuLanes::new(engine, sizes.cpu_lanes, sizes.positions);
            work(&mut lanes).map_err(|stop| match stop {
                Stop::Lanes(error) => error.into(),
                Stop::All(error) => error,
            })
        })?;
        Ok(())
    }
}
