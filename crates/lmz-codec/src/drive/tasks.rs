//! Tasks and those who do them, brought together.

use super::context::Drive;
use super::crew::{Crew, Load};
use super::task::Task;
use super::timed::Stopwatch;
use super::worker::Worker;
use super::workers::Sizes;
use crate::error::Result;
use crate::observer::Phase;
use crate::timing::Direction;

impl Drive<'_> {
    /// Does the tasks that `begin` makes of their numbers, and returns them in order.
    pub fn tasks<T: Task>(
        &self,
        load: Load,
        sizes: Sizes,
        begin: impl Fn(usize) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        if load.tasks == 0 {
            return Ok(Vec::new());
        }
        let crew = Crew::new(*self, load, &begin);
        let watch = Stopwatch::start(match load.phase {
            Phase::Encode => Direction::Encoding,
            Phase::Verify | Phase::Decode => Direction::Decoding,
        });
        self.run(sizes, |lanes| Worker::new(&crew, lanes).work())?;
        watch.stop(self, load.raw_len);
        Ok(crew.into_done())
    }
}
