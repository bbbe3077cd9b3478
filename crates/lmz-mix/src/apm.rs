//! Adaptive probability maps: what a probability turned out to mean in a context.

use crate::memory::{Table, fetch};
use crate::tables::{STRETCH_MAX, Tables, tables};

/// Points of a map from -12 to 12 nat.
const POINTS: usize = 33;
/// A point moves by 2^-6 of the error.
const RATE: u32 = 6;

/// Maps for a number of contexts.
#[derive(Debug)]
pub struct Apm {
    points: Table<u16>,
    /// The point nearest to the last probability asked for.
    at: usize,
    tables: &'static Tables,
}

impl Apm {
    /// Maps that change nothing yet.
    pub fn new(contexts: usize) -> Self {
        let tables = tables();
        let identity: Vec<u16> = (0..POINTS as i32)
            .map(|i| {
                let x = ((i - 16) * (12 << 12))
                    .clamp(-crate::tables::FINE_MAX, crate::tables::FINE_MAX);
                (tables.squash(x) >> 6).min(65535) as u16
            })
            .collect();
        let mut points = Table::new(0, POINTS * contexts);
        for of_context in points.chunks_exact_mut(POINTS) {
            of_context.copy_from_slice(&identity);
        }
        Self {
            points,
            at: 0,
            tables,
        }
    }

    /// Fetches a context's points, before it is known which of them are wanted.
    #[inline(always)]
    pub fn fetch(&self, context: usize) {
        fetch(&self.points, context * POINTS);
        fetch(&self.points, context * POINTS + POINTS - 1);
    }

    /// The mapped probability, 16 bits, of a stretched one.
    #[inline(always)]
    pub fn map(&mut self, stretched: i32, context: usize) -> u32 {
        let v = (stretched.clamp(-STRETCH_MAX, STRETCH_MAX) + STRETCH_MAX + 1) as u32;
        // 192 steps of 1/256 nat between points.
        let (j, f) = ((v / 192) as usize, (v % 192) * 256 / 192);
        let base = context * POINTS + j;
        self.at = base + usize::from(f >= 128);
        let (a, b) = (
            u32::from(self.points[base]),
            u32::from(self.points[base + 1]),
        );
        ((a * (256 - f) + b * f) >> 8).clamp(1, 65535)
    }

    /// As [`Apm::map`], stretched.
    #[inline(always)]
    pub fn map_stretched(&mut self, stretched: i32, context: usize) -> i16 {
        let p = self.map(stretched, context);
        self.tables.stretch16(p)
    }

    /// Learns the bit that followed.
    #[inline(always)]
    pub fn learn(&mut self, bit: bool) {
        let point = &mut self.points[self.at];
        let p = i32::from(*point);
        // Towards beyond the end, so that the end can be reached.
        let goal = if bit { 65535 + (1 << RATE) - 1 } else { 0 };
        *point = (p + ((goal - p) >> RATE)) as u16;
    }
}
