//! Lanes of the CPU.

use std::collections::VecDeque;

use super::contract::{Lanes, Query, Row};
use super::prediction::Prediction;
use super::prefix::Prefix;
use crate::engine::{Cache, Engine, Run, Scratch};
use crate::error::Result;
use crate::team::Team;

/// Lanes of one thread, or of several that share each pass. A pass is computed when it is collected, and each prediction is handed out where it is
/// computed: nothing is copied, and nothing waits.
///
/// `E` holds the engine: a reference, or whatever shares it.
#[derive(Debug)]
pub struct CpuLanes<E> {
    engine: E,
    scratch: Scratch,
    caches: Vec<Cache>,
    /// Passes that were submitted and not yet collected, the oldest first.
    queued: VecDeque<Pass>,
    /// A pass that was collected: its room is used again.
    spare: Pass,
    positions: usize,
}

#[derive(Debug, Default)]
struct Pass {
    tokens: Vec<u32>,
    spans: Vec<Span>,
    queries: Vec<(usize, Query)>,
}

/// Consecutive rows of one lane.
#[derive(Clone, Copy, Debug)]
struct Span {
    lane: usize,
    position: usize,
    /// Its first row in the pass.
    row: usize,
    rows: usize,
}

impl<E: AsRef<Engine>> CpuLanes<E> {
    /// So many lanes of so many positions.
    ///
    /// # Panics
    /// If there are more positions than [`MAX_CONTEXT`](crate::MAX_CONTEXT).
    pub fn new(engine: E, lanes: usize, positions: usize) -> Self {
        let cache = |_| Cache::new(engine.as_ref(), positions);
        Self {
            caches: (0..lanes).map(cache).collect(),
            engine,
            scratch: Scratch::new(),
            queued: VecDeque::new(),
            spare: Pass::default(),
            positions,
        }
    }
}

impl<E> CpuLanes<E> {
    /// Has a team share each pass, as [`Scratch::shared`].
    #[must_use]
    pub fn shared(mut self, team: Team) -> Self {
        self.scratch = Scratch::shared(team);
        self
    }
}

impl Pass {
    fn fill(&mut self, rows: &[Row], queries: &[(usize, Query)]) {
        self.tokens.clear();
        self.tokens.extend(rows.iter().map(|row| row.token));
        self.spans.clear();
        let follows = |a: &Row, b: &Row| a.lane == b.lane && a.position + 1 == b.position;
        let mut row = 0;
        for rows in rows.chunk_by(follows) {
            self.spans.push(Span {
                lane: rows[0].lane as usize,
                position: rows[0].position as usize,
                row,
                rows: rows.len(),
            });
            row += rows.len();
        }
        self.queries.clear();
        self.queries.extend_from_slice(queries);
    }
}

impl<E: AsRef<Engine>> CpuLanes<E> {
    /// A lane that begins: its cache may have been taken.
    fn whole(&mut self, lane: usize) -> &mut Cache {
        let cache = &mut self.caches[lane];
        if cache.positions() < self.positions {
            *cache = Cache::new(self.engine.as_ref(), self.positions);
        }
        cache
    }
}

impl<E: AsRef<Engine> + Send> Lanes for CpuLanes<E> {
    fn lanes(&self) -> usize {
        self.caches.len()
    }

    fn rows(&self) -> usize {
        self.engine.as_ref().rows()
    }

    fn works_ahead(&self) -> bool {
        false
    }

    fn submit(&mut self, rows: &[Row], queries: &[(usize, Query)]) -> Result<()> {
        let mut pass = std::mem::take(&mut self.spare);
        pass.fill(rows, queries);
        for span in pass.spans.iter().filter(|span| span.position == 0) {
            self.whole(span.lane);
        }
        self.queued.push_back(pass);
        Ok(())
    }

    fn collect(&mut self, take: &mut dyn FnMut(usize, &Prediction<'_>)) -> Result<()> {
        let Some(pass) = self.queued.pop_front() else {
            return Ok(());
        };
        let mut caches: Vec<Option<&mut Cache>> = self.caches.iter_mut().map(Some).collect();
        let mut next = 0;
        let runs = pass.spans.iter().map(|span| {
            // Rows before the first that is asked for are run for their keys and values only.
            while pass.queries.get(next).is_some_and(|q| q.0 < span.row) {
                next += 1;
            }
            let asked = pass.queries.get(next).map_or(usize::MAX, |query| query.0);
            Run {
                cache: caches[span.lane]
                    .take()
                    .expect("the rows of a lane lie together"),
                start: span.position,
                tokens: &pass.tokens[span.row..span.row + span.rows],
                wanted: asked.saturating_sub(span.row).min(span.rows),
            }
        });
        let mut runs: Vec<Run<'_>> = runs.collect();
        let mut queries = pass.queries.iter().enumerate().peekable();
        let engine = self.engine.as_ref();
        engine.forward(&mut self.scratch, &mut runs, &mut |run, token, scores| {
            let row = pass.spans[run].row + token;
            let Some((number, (_, query))) = queries.next_if(|(_, (asked, _))| *asked == row)
            else {
                return;
            };
            match *query {
                Query::Symbol(symbol) => {
                    take(number, &Prediction::Answer(scores.of(symbol as usize)));
                }
                Query::Point(point) => take(number, &Prediction::Answer(scores.at(point))),
                Query::Distribution => take(number, &Prediction::Distribution(*scores)),
            }
        });
        drop(runs);
        self.spare = pass;
        Ok(())
    }

    fn begin(&mut self, lane: u32, prefix: &Prefix) -> usize {
        self.whole(lane as usize);
        prefix.copy_to(&mut self.caches[lane as usize], self.engine.as_ref())
    }

    fn take(&mut self, lane: u32) -> Option<Cache> {
        let empty = Cache::new(self.engine.as_ref(), 0);
        Some(std::mem::replace(&mut self.caches[lane as usize], empty))
    }

    fn put(&mut self, lane: u32, cache: Cache) -> bool {
        let fits = cache.positions() >= self.positions;
        if fits {
            self.caches[lane as usize] = cache;
        }
        fits
    }
}
