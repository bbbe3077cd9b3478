//! Groups to coded bytes: all blocks of all groups are scored by the model at once, then each group is mixed.

use lmz_coder::Encoder;
use lmz_exact::{Prediction, Query, Symbols};
use lmz_mix::{Text, Views, Walk};
use lmz_model::Symbol;

use super::contexts::{self, size_of};
use super::layout::{Head, Shape};
use super::part::{Part, PartKind, gather, put_list};
use super::places::{placed, teach, without_escapes};
use super::rounds::policy_of;
use super::route::route;
use crate::drive::{Drive, Keep};
use crate::error::Result;
use crate::pool;

/// A group on its way.
struct Group<'a> {
    raw: &'a [u8],
    parts: Vec<Part>,
    text: Vec<u8>,
    /// Of the text, behind those that are shown.
    symbols: Vec<Symbol>,
}

/// Codes groups in rounds of `lanes` blocks.
pub fn encode_groups(drive: &Drive<'_>, groups: &[&[u8]], lanes: usize) -> Result<Vec<Vec<u8>>> {
    let walk = drive.model.walk();
    let table = drive.model.engine().symbols();
    let tokenizer = drive.model.tokenizer()?;
    let known = drive.shown.len();
    let groups = pool::map(groups.to_vec(), |raw| {
        let parts = route(raw);
        let text = gather(raw, &parts, PartKind::Text);
        let mut symbols = drive.shown.to_vec();
        symbols.extend(tokenizer.encode(&text));
        without_escapes(walk, table, &mut symbols[known..]);
        Ok(Group {
            raw,
            parts,
            text,
            symbols,
        })
    })?;
    let symbols: Vec<Vec<Symbol>> = groups
        .iter()
        .map(|group| match group.text.is_empty() {
            true => Vec::new(),
            false => group.symbols.clone(),
        })
        .collect();
    let keep = Reduce { walk, table };
    let total = groups.iter().map(|group| group.text.len()).sum();
    let reader = Drive {
        policy: policy_of(drive.policy, lanes),
        ..*drive
    };
    let scored = reader.score(&symbols, &keep, total)?;
    pool::map(groups.iter().zip(scored).collect(), |(group, blocks)| {
        let blocks = blocks.into_iter().map(|(_, views)| views).collect();
        mix(group, walk, table, known, lanes, blocks)
    })
}

/// What is kept of the model's predictions of a block.
#[derive(Debug, Default)]
struct BlockViews {
    views: Vec<i16>,
    /// Of each symbol: where its views end, and the most likely place.
    symbols: Vec<(u32, u32)>,
    /// For the next prediction.
    sums: Vec<u64>,
}

/// Reduces distributions to the views of the decisions on a symbol's path.
struct Reduce<'a> {
    walk: &'a Walk,
    table: &'a Symbols,
}

impl Keep for Reduce<'_> {
    type Kept = BlockViews;

    fn query(&self, _: usize) -> Query {
        Query::Distribution
    }

    fn keep(&self, kept: &mut BlockViews, _: Symbol, number: usize, prediction: &Prediction<'_>) {
        if let Some(scores) = prediction.distribution() {
            let place = (number < self.table.len()).then(|| self.walk.place(number));
            let mut sums = self.walk.sums(scores.weights, &mut kept.sums);
            let likely = self.walk.reduce(&mut sums, place, &mut kept.views);
            kept.symbols.push((kept.views.len() as u32, likely));
        }
    }
}

impl BlockViews {
    fn of(&self, symbol: usize) -> Views<'_> {
        let from = match symbol {
            0 => 0,
            n => self.symbols[n - 1].0,
        };
        let (to, likely) = self.symbols[symbol];
        Views::new(&self.views[from as usize..to as usize], likely)
    }
}

fn mix(
    group: &Group<'_>,
    walk: &Walk,
    table: &Symbols,
    known: usize,
    lanes: usize,
    blocks: Vec<BlockViews>,
) -> Result<Vec<u8>> {
    let text = match group.text.is_empty() {
        true => Vec::new(),
        false => mix_text(group, walk, table, known, lanes, &blocks)?,
    };
    let coded_symbols = match group.text.is_empty() {
        true => 0,
        false => group.symbols.len() - known,
    };
    let head = |shape| Head {
        shape,
        lanes,
        symbols: coded_symbols,
    };
    let mut coded = Vec::new();
    match &group.parts[..] {
        [
            Part {
                kind: PartKind::Text,
                ..
            },
        ] => head(Shape::Text).put(&mut coded),
        [
            Part {
                kind: PartKind::Bytes,
                len,
            },
        ] => {
            head(Shape::Bytes).put(&mut coded);
            coded.extend(contexts::encode(group.raw, size_of(*len)));
        }
        parts => {
            let list = put_list(parts);
            let listed = list.len();
            let bytes = gather(group.raw, parts, PartKind::Bytes);
            let all = [list, bytes].concat();
            let packed = contexts::encode(&all, size_of(group.raw.len()));
            let shape = Shape::List {
                list: listed,
                coded: packed.len(),
            };
            head(shape).put(&mut coded);
            coded.extend(packed);
            coded.extend(gather(group.raw, parts, PartKind::Stored));
        }
    }
    coded.extend(text);
    Ok(coded)
}

fn mix_text(
    group: &Group<'_>,
    walk: &Walk,
    table: &Symbols,
    known: usize,
    lanes: usize,
    blocks: &[BlockViews],
) -> Result<Vec<u8>> {
    let (shown, symbols) = group.symbols.split_at(known);
    let mut text = Text::new(walk, size_of(group.text.len()));
    let mut encoder = Encoder::new();
    let mut symbols = symbols;
    for (number, round) in blocks.chunks(lanes).enumerate() {
        text.begin_round(round.len());
        if number == 0 {
            teach(&mut text, walk, table, shown)?;
        }
        let mut rests = Vec::with_capacity(round.len());
        for block in round {
            let (own, rest) = symbols.split_at(block.symbols.len());
            rests.push(own);
            symbols = rest;
        }
        let longest = rests.iter().map(|own| own.len()).max().unwrap_or(0);
        for at in 0..longest {
            for (lane, (own, block)) in rests.iter().zip(round).enumerate() {
                if let Some(&symbol) = own.get(at) {
                    let symbol = placed(walk, table, symbol)?;
                    text.code(lane, &mut block.of(at), &mut encoder, symbol);
                }
            }
        }
    }
    Ok(encoder.finish())
}
