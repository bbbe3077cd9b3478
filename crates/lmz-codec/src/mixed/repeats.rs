//! Long repeats: found before anything is modelled.

/// The shortest repeat that becomes a part of its own. A match model codes shorter ones in as few bytes.
const SHORTEST: usize = 512;
/// Bytes that are hashed, at every [`STEP`]th place.
const WINDOW: usize = 32;
const STEP: usize = 16;
const PRIME: u64 = 0x9E37_79B9_7F4A_7C15;

/// A repeat: where it begins, how long it is, and how many bytes before it the same stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeat {
    pub at: usize,
    pub len: usize,
    pub distance: usize,
}

/// The repeats of at least 512 bytes, in order, none overlapping another.
pub fn repeats(raw: &[u8]) -> Vec<Repeat> {
    let mut found = Vec::new();
    if raw.len() < SHORTEST + WINDOW {
        return found;
    }
    let bits = (raw.len() / STEP).next_power_of_two().ilog2().clamp(8, 22) + 1;
    let mut heads = vec![0u32; 1 << bits];
    let slot = |hash: u64| (hash.wrapping_mul(PRIME) >> (64 - bits)) as usize;
    let out = PRIME.wrapping_pow(WINDOW as u32);
    let first = |from: usize| {
        let bytes = raw[from..from + WINDOW].iter();
        bytes.fold(0u64, |h, &b| {
            h.wrapping_mul(PRIME).wrapping_add(u64::from(b) + 1)
        })
    };
    let mut hash = first(0);
    let (mut at, mut free) = (0, 0);
    // `hash` is of the window at `at`; what lies before `free` is part of a repeat.
    while at + WINDOW <= raw.len() {
        let head = heads[slot(hash)] as usize;
        if head > 0 {
            let from = head - 1;
            let ahead = common(&raw[from..], &raw[at..]);
            if ahead >= WINDOW {
                let most = (at - free).min(from);
                let before = (1..=most)
                    .take_while(|&i| raw[from - i] == raw[at - i])
                    .count();
                if ahead + before >= SHORTEST {
                    let repeat = Repeat {
                        at: at - before,
                        len: ahead + before,
                        distance: at - from,
                    };
                    found.push(repeat);
                    free = at + ahead;
                    // Places inside are not needed: what they hold stands before, too.
                    at = free.next_multiple_of(STEP);
                    if at + WINDOW <= raw.len() {
                        hash = first(at);
                    }
                    continue;
                }
            }
        }
        if at % STEP == 0 {
            heads[slot(hash)] = at as u32 + 1;
        }
        if at + WINDOW < raw.len() {
            hash = hash
                .wrapping_mul(PRIME)
                .wrapping_add(u64::from(raw[at + WINDOW]) + 1)
                .wrapping_sub(out.wrapping_mul(u64::from(raw[at]) + 1));
        }
        at += 1;
    }
    found
}

/// How many bytes two slices have in common at their beginning.
fn common(a: &[u8], b: &[u8]) -> usize {
    let n = a.len().min(b.len());
    let blocks = a[..n].chunks_exact(64).zip(b[..n].chunks_exact(64));
    let same = 64 * blocks.take_while(|(a, b)| a == b).count();
    let rest = a[same..n].iter().zip(&b[same..n]);
    same + rest.take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(n: usize, mut state: u64) -> Vec<u8> {
        let next = |_| {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 56) as u8
        };
        (0..n).map(next).collect()
    }

    #[test]
    fn long_repeats_are_found_whole() {
        let (a, b) = (noise(5000, 1), noise(3000, 2));
        let raw = [&a[..], &b, &a[100..4000], &b[..511]].concat();
        let found = repeats(&raw);
        let whole = Repeat {
            at: 8000,
            len: 3900,
            distance: 7900,
        };
        assert_eq!(found, [whole]);
    }

    #[test]
    fn a_run_repeats_itself() {
        let mut raw = vec![0; 100_000];
        raw.extend(noise(600, 3));
        let found = repeats(&raw);
        assert_eq!(found.len(), 1);
        assert!(found[0].at < 64 && found[0].at + found[0].len == 100_000);
        assert!(repeats(&noise(50_000, 4)).is_empty());
    }
}
