//! Who does the work: lanes of the model's device, and threads of the CPU.

use lmz_exact::{Cache, CpuLanes, Engine, Lanes, Scratch};

use super::context::Drive;
use super::crew::Crew;
use super::task::{Side, Task};
use super::worker;
use crate::error::{CodecError, Result};
use crate::memory::ask;
use crate::observer::Phase;
use crate::pool;

/// Lanes of a device that known symbols are read in: a pass holds many positions of each.
const READING_LANES: usize = 64;
/// Lanes of one thread that decodes: enough to reuse each weight, few enough for the caches of a processor.
const DECODING_LANES: usize = 16;
/// Bytes that all lanes' caches may take together.
const CACHE_BUDGET: usize = 256 << 20;

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
    /// Does tasks, and returns them in their order.
    pub fn tasks<'t, S: Side>(
        &self,
        phase: Phase,
        mut tasks: Vec<Task<'t, S>>,
    ) -> Result<Vec<Task<'t, S>>> {
        let Some(positions) = tasks.iter().map(Task::positions).max() else {
            return Ok(tasks);
        };
        let threads = pool::threads().min(tasks.len());
        let (device_lanes, cpu_lanes) = match phase {
            // A block fills a pass by itself.
            Phase::Encode => (READING_LANES, 1),
            Phase::Verify | Phase::Decode => (self.model.lanes(), DECODING_LANES),
        };
        let size = Cache::size(self.model.engine(), positions).max(1);
        let each = tasks.len().div_ceil(threads);
        let affordable = (CACHE_BUDGET / threads / size).max(1);
        let sizes = Sizes {
            device_lanes: device_lanes.min(tasks.len()),
            threads,
            cpu_lanes: each.min(cpu_lanes).min(affordable),
            positions,
        };
        let raw_len = tasks.iter().map(|task| task.left).sum();
        let numbered = tasks.iter_mut().enumerate();
        numbered.for_each(|(number, task)| task.number = number);
        let crew = Crew::new(tasks);
        self.timed(phase, raw_len, || {
            self.run(sizes, |lanes| worker::work(*self, phase, &crew, lanes))
        })?;
        let mut done = crew.into_done();
        done.sort_unstable_by_key(|task| task.number);
        Ok(done)
    }

    /// Has `work` done: by one worker with lanes of the model's device, if it has one; if not, or once that has failed,
    /// by workers on the CPU. What a worker has not done when its lanes fail it has to leave for the others.
    pub fn run(
        &self,
        sizes: Sizes,
        work: impl Fn(&mut dyn Lanes) -> Result<()> + Sync + Send,
    ) -> Result<()> {
        if let Some(device) = self.model.device() {
            match device.run(sizes.device_lanes, sizes.positions, &work) {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                // Of a model that is open, only lanes fail.
                Err(CodecError::Exact(error)) => {
                    device.give_up();
                    self.observer
                        .notice(&format!("{error}; the CPU is used instead"));
                }
                Err(error) => return Err(error),
            }
        }
        let engine = self.model.engine();
        sizes.check_memory(engine)?;
        pool::map((0..sizes.threads).collect(), |_: usize| {
            work(&mut CpuLanes::new(engine, sizes.cpu_lanes, sizes.positions))
        })?;
        Ok(())
    }
}
