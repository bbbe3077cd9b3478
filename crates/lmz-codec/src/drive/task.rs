//! What is run in a lane.

use std::ops::Range;

use lmz_exact::{Cache, Prediction, Query, Row};

/// A sequence of symbols of which the model is asked, in a lane of its own.
pub trait Task: Send {
    /// Puts what the lane is to be run on next, and what is asked about it.
    fn ask(&mut self, pass: &mut Pass);

    /// Takes the answer to the oldest question. Returns how many raw bytes are done with it.
    fn take(&mut self, prediction: &Prediction<'_>) -> u64;

    /// Whether nothing is left to ask.
    fn is_done(&self) -> bool;

    /// Raw bytes that are still to come, about.
    fn left(&self) -> usize;

    /// Whether its lane begins with what the model is shown.
    fn begins(&self) -> bool;

    /// Goes on in a lane that has the first so many positions of its block, and no more. What was asked is not answered.
    fn resume(&mut self, positions: usize);
}

/// A task on its way.
pub struct Seated<T> {
    pub number: usize,
    pub task: T,
    /// What its positions left, while it goes from one worker to another.
    pub cache: Option<Cache>,
}

impl<T> Seated<T> {
    /// One that begins.
    pub fn new(number: usize, task: T) -> Self {
        Self {
            number,
            task,
            cache: None,
        }
    }
}

/// Rows that the lanes of some seats are run on together, and what is asked about them.
#[derive(Default)]
pub struct Pass {
    pub rows: Vec<Row>,
    pub queries: Vec<(usize, Query)>,
    /// Which seat each query is of.
    pub owners: Vec<usize>,
    pub seats: Range<usize>,
    /// Whether all seats have had their turn with it.
    pub ends_round: bool,
    /// Rows that make full use of a device.
    #[cfg_attr(
        not(feature = "encode"),
        allow(dead_code, reason = "what is decoded puts all that it has to")
    )]
    most: usize,
    /// The seat that is asking.
    seat: usize,
}

impl Pass {
    /// For the seats of a device that such a pass makes full use of.
    pub fn new(seats: Range<usize>, ends_round: bool, most: usize) -> Self {
        Self {
            seats,
            ends_round,
            most,
            ..Self::default()
        }
    }

    /// The rows and questions to come are those of this seat, whose lane has its number.
    pub fn turn_to(&mut self, seat: usize) {
        self.seat = seat;
    }

    /// Rows that can be put before the pass is full. One that has to be may be put all the same.
    #[cfg_attr(
        not(feature = "encode"),
        allow(dead_code, reason = "what is decoded puts all that it has to")
    )]
    pub fn room(&self) -> usize {
        self.most.saturating_sub(self.rows.len())
    }

    /// A position of the lane.
    pub fn put(&mut self, position: usize, token: u32) {
        self.rows.push(Row {
            lane: self.seat as u32,
            position: position as u32,
            token,
        });
    }

    /// Asks about the position that was put last.
    pub fn ask(&mut self, query: Query) {
        self.queries.push((self.rows.len() - 1, query));
        self.owners.push(self.seat);
    }
}
