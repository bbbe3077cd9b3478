//! Finds out how long records are: tables, headers, pictures.

/// Longest record.
const LONGEST: usize = 4096;
/// So many times must a distance be seen before it counts.
const ENOUGH: u32 = 12;

/// Watches the distances between equal bytes.
#[derive(Debug)]
pub struct Records {
    /// The last three places of each byte.
    seen: [[u32; 3]; 256],
    /// Candidates: a distance and how often it was seen of late.
    candidates: [(usize, u32); 4],
    length: usize,
}

impl Records {
    pub fn new() -> Self {
        Self {
            seen: [[0; 3]; 256],
            candidates: [(0, 0); 4],
            length: 4,
        }
    }

    /// The likely length of a record; at first 4.
    pub fn length(&self) -> usize {
        self.length
    }

    /// The byte at `at` has come; places count from 1.
    pub fn push(&mut self, byte: u8, at: usize) {
        let seen = &mut self.seen[byte as usize];
        let at = at as u32;
        let (d0, d1, d2) = (at - seen[0], seen[0] - seen[1], seen[1] - seen[2]);
        *seen = [at, seen[0], seen[1]];
        let distance = d0 as usize;
        if d0 != d1 || d0 != d2 || !(2..=LONGEST).contains(&distance) {
            return;
        }
        // Known candidates gain; a new one takes the place of the weakest.
        let known = self.candidates.iter().position(|c| c.0 == distance);
        let i = known.unwrap_or_else(|| {
            let weakest = (0..4).min_by_key(|&i| self.candidates[i].1).unwrap_or(0);
            self.candidates[weakest] = (distance, 0);
            weakest
        });
        self.candidates[i].1 += 1;
        if self.candidates[i].1 > ENOUGH {
            if self.length != distance {
                self.length = distance;
            }
            for candidate in &mut self.candidates {
                candidate.1 /= 2;
            }
        }
    }
}
