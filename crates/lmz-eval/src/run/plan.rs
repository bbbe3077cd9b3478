//! Which rows go through a model together.
//!
//! Rows that begin alike share what is computed of their beginning: all rows of a plan their common beginning
//! (description and examples), and the rows of one item (its choices) their question. A model that packs finds the
//! latter by itself, among rows that stand side by side; for others an item's rows go by themselves, where that is worth it.

use super::encode::Pair;

/// Shortest beginning that all rows share for it to be remembered.
const BASE: usize = 16;
/// How many tokens an item's rows must save for them to go through the model by themselves.
const SAVED: usize = 64;
/// Most tokens of a batch's rows, unless one row has more.
const TOKENS: usize = 4096;

/// A row: which item, and which of its pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub item: usize,
    pub pair: usize,
}

/// Rows of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Batch {
    /// How many tokens of each row are the common context.
    pub context: usize,
    /// How many of these all batches have in common.
    pub base: usize,
    /// How many tokens are read for it.
    pub tokens: usize,
    pub rows: Vec<Place>,
}

/// How a plan is made.
#[derive(Clone, Copy)]
pub(super) struct Shape<'a> {
    /// Whether the model remembers contexts.
    pub shares: bool,
    /// Whether it reads what neighbours begin with once.
    pub packs: bool,
    /// How many rows of so many tokens a call may have.
    pub rows: &'a dyn Fn(usize) -> usize,
}

/// Batches of all rows of some items: those that share a question first, then the others, longest first.
pub(super) fn plan(items: &[Vec<Pair>], shape: Shape<'_>) -> Vec<Batch> {
    let all = || items.iter().flatten();
    let base = match shape.shares {
        true => common(all()),
        false => 0,
    };
    let base = if base >= BASE { base } else { 0 };
    if shape.packs {
        return side_by_side(items, base, shape);
    }
    let mut batches = Vec::new();
    let mut others: Vec<Place> = Vec::new();
    for (item, pairs) in items.iter().enumerate() {
        let places = (0..pairs.len()).map(|pair| Place { item, pair });
        let shared = match shape.shares {
            true => common(pairs.iter()),
            false => 0,
        };
        let saved = (shared - base.min(shared)) * pairs.len().saturating_sub(1);
        if shared > base && saved >= SAVED {
            let longest = pairs
                .iter()
                .map(|pair| pair.tokens.len())
                .max()
                .unwrap_or(1);
            let together = (shape.rows)(longest).max(1);
            let places: Vec<Place> = places.collect();
            let chunks = places.chunks(together);
            batches.extend(chunks.map(|rows| batch(items, shared, base, rows)));
        } else {
            others.extend(places);
        }
    }
    let length = |place: &Place| items[place.item][place.pair].tokens.len();
    others.sort_by_key(|place| std::cmp::Reverse(length(place)));
    let mut rest = &others[..];
    while let Some(first) = rest.first() {
        let tokens = length(first);
        let most = (TOKENS / (tokens - base).max(1)).max(1);
        let together = (shape.rows)(tokens).clamp(1, most).min(rest.len());
        let (now, later) = rest.split_at(together);
        batches.push(batch(items, base, base, now));
        rest = later;
    }
    batches
}

fn batch(items: &[Vec<Pair>], context: usize, base: usize, rows: &[Place]) -> Batch {
    let own = rows.iter().map(|place| {
        let pair = &items[place.item][place.pair];
        pair.tokens.len() - 1 - context
    });
    Batch {
        context,
        base,
        tokens: own.sum::<usize>() + context - base,
        rows: rows.to_vec(),
    }
}

/// Batches for a model that packs: the rows of an item side by side, and as many items together as have room.
fn side_by_side(items: &[Vec<Pair>], base: usize, shape: Shape<'_>) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    let mut longest = 0;
    for (item, pairs) in items.iter().enumerate() {
        let shared = common(pairs.iter()).max(base);
        let own = pairs.iter().map(|pair| pair.tokens.len() - 1 - shared);
        let more = own.sum::<usize>() + shared - base;
        let length = pairs.iter().map(|pair| pair.tokens.len()).max();
        let reach = length.unwrap_or(1).max(longest);
        // As much as rows of this length would take without packing.
        let room = ((shape.rows)(reach).max(1) * (reach - base).max(1)).min(TOKENS);
        let places = (0..pairs.len()).map(|pair| Place { item, pair });
        match batches.last_mut() {
            Some(last) if last.tokens + more <= room => {
                last.rows.extend(places);
                last.tokens += more;
                longest = reach;
            }
            _ => {
                batches.push(Batch {
                    context: base,
                    base,
                    tokens: more,
                    rows: places.collect(),
                });
                longest = length.unwrap_or(1);
            }
        }
    }
    batches.retain(|batch| !batch.rows.is_empty());
    batches
}

/// How many tokens all rows begin with, but for those that are scored and the one before them.
fn common<'a>(mut pairs: impl Iterator<Item = &'a Pair>) -> usize {
    let room = |pair: &Pair| pair.tokens.len() - pair.scored - 1;
    let Some(first) = pairs.next() else {
        return 0;
    };
    pairs.fold(room(first), |shared, pair| {
        let both = first.tokens.iter().zip(&pair.tokens);
        let alike = both
            .take(shared.min(room(pair)))
            .take_while(|(a, b)| a == b);
        alike.count()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(tokens: std::ops::Range<u32>, last: &[u32]) -> Pair {
        Pair {
            tokens: tokens.chain(last.iter().copied()).collect(),
            scored: last.len(),
        }
    }

    #[test]
    fn every_row_goes_through_once() {
        let items = vec![
            vec![pair(0..90, &[1, 2]), pair(0..90, &[3])],
            vec![pair(0..40, &[7]), pair(0..40, &[8, 9, 10])],
            vec![pair(0..30, &[5])],
        ];
        for (shares, packs, base) in [(true, false, 29), (true, true, 29), (false, false, 0)] {
            let rows = |_| 2;
            let batches = plan(
                &items,
                Shape {
                    shares,
                    packs,
                    rows: &rows,
                },
            );
            for batch in &batches {
                assert_eq!(batch.base, base);
                match packs {
                    true => assert!(batch.tokens <= 2 * 92),
                    false => assert!(batch.rows.len() <= 2),
                }
            }
            let mut places: Vec<(usize, usize)> = batches
                .iter()
                .flat_map(|batch| batch.rows.iter().map(|place| (place.item, place.pair)))
                .collect();
            places.sort_unstable();
            assert_eq!(places, [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0)]);
            for batch in &batches {
                for place in &batch.rows {
                    let row = &items[place.item][place.pair];
                    assert!(batch.context + row.scored < row.tokens.len());
                }
            }
        }
    }

    #[test]
    fn a_long_question_is_read_once_for_its_choices() {
        let items = vec![
            vec![pair(0..90, &[1]), pair(0..90, &[2])],
            vec![pair(50..60, &[1])],
        ];
        let rows = |_| 8;
        let batches = plan(
            &items,
            Shape {
                shares: true,
                packs: false,
                rows: &rows,
            },
        );
        assert_eq!(
            (batches[0].context, batches[0].base, batches[0].rows.len()),
            (89, 0, 2)
        );
        assert_eq!((batches[1].context, batches[1].rows.len()), (0, 1));
    }

    #[test]
    fn a_packing_model_gets_the_choices_of_many_questions_at_once() {
        let question = |from: u32| (0..4).map(move |choice| pair(from..from + 90, &[choice, 7]));
        let items: Vec<Vec<Pair>> = (0..10).map(|i| question(100 * i).collect()).collect();
        // 4 rows of 92 tokens are 368; a question has 89 tokens, and each of its choices 2 that are read behind it.
        let rows = |_| 4;
        let shape = Shape {
            shares: true,
            packs: true,
            rows: &rows,
        };
        let counts: Vec<usize> = plan(&items, shape).iter().map(|b| b.rows.len()).collect();
        assert_eq!(counts, [12, 12, 12, 4]);
    }
}
