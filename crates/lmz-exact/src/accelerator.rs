//! The forward pass on another device than the CPU: what a codec asks of it.

use lmz_coder::{Cost, Interval, Shares};

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
}

/// What the model says of one symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The symbol; one past the last is the escape.
    pub symbol: usize,
    /// Its interval.
    pub interval: Interval,
    /// The largest logit less the symbol's; nothing for the escape.
    pub distance: u32,
    /// For its cost.
    pub shares: Shares,
}

impl Answer {
    /// The symbol's ideal cost, without the raw byte behind an escape.
    pub fn cost(&self) -> Cost {
        if self.symbol == self.shares.escape() {
            self.shares.escape_cost()
        } else {
            self.shares.cost(self.distance)
        }
    }
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

/// Lanes on a device, each with its cache.
pub trait Lanes: Send {
    /// How many there are.
    fn lanes(&self) -> usize;

    /// Rows that make full use of the device in one pass.
    fn rows(&self) -> usize;

    /// Queues rows for the model, with queries: pairs of an index into `rows`, in increasing order, and what is
    /// asked; either all of symbols or all of points. [`Lanes::collect`] has the answers. The device works
    /// meanwhile, and more may be queued.
    ///
    /// The rows of a lane are in the order of their positions without gaps, and begin at position 0 or
    /// where the lane's last ended.
    ///
    /// # Errors
    /// The device fails; the caches are not to be used any more.
    fn submit(&mut self, rows: &[Row], queries: &[(usize, Query)]) -> Result<()>;

    /// Waits for the answers of the oldest rows that are queued.
    ///
    /// # Errors
    /// As [`Lanes::submit`]; nothing is queued.
    fn collect(&mut self) -> Result<Vec<Answer>>;

    /// Runs rows through the model, and waits for the answers, where nothing else is queued.
    ///
    /// # Errors
    /// As [`Lanes::submit`].
    fn forward(&mut self, rows: &[Row], queries: &[(usize, Query)]) -> Result<Vec<Answer>> {
        self.submit(rows, queries)?;
        self.collect()
    }
}
