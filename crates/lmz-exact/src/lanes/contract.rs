//! What a codec asks of lanes and of the devices that have them.

use super::prediction::Prediction;
use super::prefix::Prefix;
use crate::engine::{Answer, Cache};
use crate::error::Result;

/// One position of one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which lane, below [`Lanes::lanes`].
    pub lane: u32,
    /// Which position of the lane's block.
    pub position: u32,
    /// The token there.
    pub token: u32,
}

/// What is asked of the distribution after a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Query {
    /// A symbol's interval; the symbol may be the escape.
    Symbol(u32),
    /// The symbol whose interval holds a point of the code space, and its interval.
    Point(u32),
    /// All of it: logits and weights by symbol. Elsewhere than on the CPU these are downloaded.
    Distribution,
}

/// A device that holds a model.
pub trait Accelerator: std::fmt::Debug + Send + Sync {
    /// What the device is called.
    fn name(&self) -> String;

    /// Lanes that make full use of it.
    fn lanes(&self) -> usize;

    /// Caches for up to `lanes` lanes of `positions` positions; fewer lanes where memory is short.
    ///
    /// # Errors
    /// Not even one lane fits, or the device fails.
    fn open(&self, lanes: usize, positions: usize) -> Result<Box<dyn Lanes>>;
}

/// Lanes on a device, each with its keys and values.
pub trait Lanes: Send {
    /// How many there are.
    fn lanes(&self) -> usize;

    /// Rows that make full use of the device in one pass.
    fn rows(&self) -> usize;

    /// Whether it computes what is queued before it is [collected](Self::collect). If so, it pays to queue more
    /// than one pass.
    fn works_ahead(&self) -> bool {
        true
    }

    /// Queues rows for the model, with queries: pairs of an index into `rows`, in increasing order, and what is
    /// asked, all of one kind. [`Lanes::collect`] has the answers. More may be queued.
    ///
    /// The rows of a lane are in the order of their positions without gaps, and begin at position 0 or
    /// where the lane's last ended.
    ///
    /// # Errors
    /// The device fails; the caches are not to be used any more.
    fn submit(&mut self, rows: &[Row], queries: &[(usize, Query)]) -> Result<()>;

    /// Hands out the predictions of the oldest rows that are queued, with the number of each query among its own:
    /// 0, 1, 2, ...
    ///
    /// # Errors
    /// As [`Lanes::submit`]; nothing is queued. What was handed out before the error holds.
    fn collect(&mut self, take: &mut dyn FnMut(usize, &Prediction<'_>)) -> Result<()>;

    /// Gives a lane the positions of `prefix`, if this device keeps them somewhere; returns how many it then has.
    /// Those need not be submitted: they are the bits that running them would leave.
    fn begin(&mut self, lane: u32, prefix: &Prefix) -> usize {
        let _ = (lane, prefix);
        0
    }

    /// Gives up a lane's keys and values for another [`Lanes`] of the same engine, if they can be moved; the lane is
    /// empty then.
    fn take(&mut self, lane: u32) -> Option<Cache> {
        let _ = lane;
        None
    }

    /// Continues what another [gave up](Self::take). Returns whether it can.
    fn put(&mut self, lane: u32, cache: Cache) -> bool {
        let _ = (lane, cache);
        false
    }

    /// Runs rows through the model, and waits for the answers, where nothing else is queued.
    ///
    /// # Errors
    /// As [`Lanes::submit`].
    fn forward(&mut self, rows: &[Row], queries: &[(usize, Query)]) -> Result<Vec<Answer>> {
        self.submit(rows, queries)?;
        self.answers()
    }

    /// The answers of the oldest rows that are queued, none for queries of the distribution.
    ///
    /// # Errors
    /// As [`Lanes::collect`].
    fn answers(&mut self) -> Result<Vec<Answer>> {
        let mut answers = Vec::new();
        self.collect(&mut |_, prediction| answers.extend(prediction.answer()))?;
        Ok(answers)
    }
}
