//! Bit histories: what was seen in a context, in one byte.
//!
//! A state stands for how often a 0 and a 1 were seen (n0, n1; bounded, the rarer one the more) and,
//! while both are small, which came last. State 0 is "nothing seen". When a bit comes, the count of the
//! other bit is cut down if it is large, so that histories follow changes.

use std::sync::LazyLock;

/// Largest count beside a count of 0, 1, 2, ...
const BOUNDS: [usize; 6] = [20, 48, 15, 8, 6, 5];
/// Histories of so many bits remember which came last.
const LAST_KNOWN: usize = 17;
const MOST: usize = 50;

/// The automaton.
#[derive(Debug)]
pub struct States {
    /// By a bit and the state before it, the state after it.
    pub next: [[u8; 256]; 2],
    /// n0 and n1.
    pub counts: [(u8, u8); 256],
}

static STATES: LazyLock<States> = LazyLock::new(States::new);

/// The automaton, made at the first call.
pub fn states() -> &'static States {
    &STATES
}

/// How many states stand for these counts: 0, 1, or 2 of which the first had a 0 last.
fn variants(n0: usize, n1: usize) -> usize {
    let (more, less) = (n0.max(n1), n0.min(n1));
    match BOUNDS.get(less) {
        Some(&bound) if more <= bound => {
            if less > 0 && n0 + n1 <= LAST_KNOWN {
                2
            } else {
                1
            }
        }
        _ => 0,
    }
}

/// A count after the other bit.
fn cut(n: usize) -> usize {
    [1, 2, 3, 4, 5, 7, 8]
        .into_iter()
        .filter(|&at| n >= at)
        .count()
}

/// Counts after bit 1 joined (`same`, `other`): counts of 1 and of 0.
fn joined(same: usize, other: usize) -> (usize, usize) {
    let (mut same, mut other) = (same + 1, cut(other));
    while variants(same, other) == 0 {
        let (more, less) = if same >= other {
            (&mut same, &mut other)
        } else {
            (&mut other, &mut same)
        };
        if *less < 2 {
            *more -= 1;
        } else {
            *more = (*more * (*less - 1) + *less / 2) / *less;
            *less -= 1;
        }
    }
    (same, other)
}

impl States {
    fn new() -> Self {
        let mut first = [[0usize; MOST]; MOST];
        let mut counts = [(0u8, 0u8); 256];
        let mut number = 0;
        for total in 0..MOST {
            for n0 in (0..=total).rev() {
                let n1 = total - n0;
                first[n0][n1] = number;
                for _ in 0..variants(n0, n1) {
                    counts[number] = (n0 as u8, n1 as u8);
                    number += 1;
                }
            }
        }
        let mut next = [[0u8; 256]; 2];
        for (state, &(n0, n1)) in counts.iter().enumerate().take(number) {
            let (n0, n1) = (n0 as usize, n1 as usize);
            let (a, b) = joined(n0, n1);
            next[0][state] = first[a][b] as u8;
            let (b, a) = joined(n1, n0);
            next[1][state] = (first[a][b] + variants(a, b) - 1) as u8;
        }
        Self { next, counts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_fit_a_byte_and_go_on() {
        let s = states();
        let used = s.counts.iter().rposition(|&c| c != (0, 0)).unwrap() + 1;
        assert!((200..=256).contains(&used), "{used} states");
        for state in 0..used {
            for bit in 0..2 {
                let to = s.next[bit][state] as usize;
                assert!(to > 0 && to < used, "{state} -> {to}");
            }
        }
        // Only ones: the count of ones never falls.
        let (mut state, mut most) = (0usize, 0);
        for _ in 0..100 {
            state = s.next[1][state] as usize;
            assert!(s.counts[state].1 >= most && s.counts[state].0 == 0);
            most = s.counts[state].1;
        }
        assert_eq!(most, 20);
    }
}
