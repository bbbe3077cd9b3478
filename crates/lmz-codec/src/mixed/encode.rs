//! Groups to coded bytes: all blocks of all groups are scored by the model at once, then each group is mixed.

use lmz_coder::Cost;
use lmz_mix::{Bytes, Text};
use lmz_model::Symbol;

use super::contexts::{self, size_of};
use super::layout::{Head, Shape};
use super::part::{Part, PartKind, gather, put_list, total, without_text};
use super::places::{placed, teach, without_escapes};
use super::priced::Priced;
use super::rounds::{lanes_of, policy_of};
use super::route::route;
use super::shrink::store_what_grows;
use super::views::{BlockViews, Reduce};
use crate::drive::{Coded, Drive, Keep, Scored};
use crate::error::Result;
use crate::fallback::is_repetitive;
use crate::memory::ask;
use crate::observer::{Phase, check};
use crate::pool;

/// A group on its way.
pub struct Group<'a> {
    raw: &'a [u8],
    pub parts: Vec<Part>,
    text: Vec<u8>,
    /// Of the text, behind those that are shown; none without text.
    pub symbols: Vec<Symbol>,
    pub lanes: usize,
}

impl Group<'_> {
    /// Whether it has text, and at least as much that contexts alone take.
    fn is_mostly_bytes(&self) -> bool {
        !self.text.is_empty() && self.text.len() <= total(&self.parts, PartKind::Bytes)
    }

    /// The same without the model: where little is text, among bytes that are made of the same, what each of both is coded by
    /// has not seen the other. A group without text stays as it is.
    pub fn without_text(&self, lanes: usize) -> Self {
        Self {
            raw: self.raw,
            parts: without_text(&self.parts),
            text: Vec::new(),
            symbols: Vec::new(),
            lanes,
        }
    }
}

/// A group's coded bytes, and what they stand for.
pub struct Mixed {
    pub coded: Coded,
    /// What was coded by contexts alone, the list of parts included.
    pub bytes: Cost,
    /// Bytes of the head.
    pub head: usize,
    /// Bytes that are stored.
    pub stored: usize,
}

/// Codes groups in rounds of `lanes` blocks, or of as many as the text is worth. With each come the symbols of its text.
pub fn encode_groups(
    drive: &Drive<'_>,
    groups: &[&[u8]],
    lanes: Option<usize>,
) -> Result<Vec<(Coded, Vec<Symbol>)>> {
    let groups = pool::map(groups.to_vec(), |raw| prepare(drive, raw, lanes))?;
    let keep = Reduce {
        walk: drive.model.walk(),
        table: drive.model.engine().symbols(),
    };
    let scored = score(drive, &groups, &keep)?;
    check_memory(&groups)?;
    let mixed = pool::map(groups.iter().zip(scored).collect(), |(group, blocks)| {
        let blocks: Vec<&BlockViews> = blocks.iter().map(|(_, views)| views).collect();
        let mixed = mix(drive, group, &blocks, &mut |_, _| ())?.coded;
        if !group.is_mostly_bytes() {
            return Ok(mixed);
        }
        let alone = group.without_text(lanes.unwrap_or(1));
        let alone = mix(drive, &alone, &[], &mut |_, _| ())?.coded;
        Ok(match alone.bytes.len() < mixed.bytes.len() {
            true => alone,
            false => mixed,
        })
    })?;
    // The text has passed already.
    let others: usize = groups.iter().map(|g| g.raw.len() - g.text.len()).sum();
    drive.observer.advance(Phase::Encode, others as u64);
    let shown = drive.shown.len();
    let symbols = groups
        .into_iter()
        .map(|group| group.symbols.into_iter().skip(shown).collect());
    Ok(mixed.into_iter().zip(symbols).collect())
}

/// Refuses groups whose contexts there is no memory for.
fn check_memory(groups: &[Group<'_>]) -> Result<()> {
    let of = |group: &Group<'_>| {
        let bytes = Bytes::memory(size_of(group.raw.len()));
        match group.text.len() {
            0 => bytes,
            len => bytes.max(Text::memory(size_of(len))),
        }
    };
    let at_once = pool::threads().min(groups.len());
    let most = groups.iter().map(of).max().unwrap_or(0);
    ask(at_once.saturating_mul(most), || {
        format!("contexts, {at_once} times at once,")
    })
}

/// Finds the parts of a group, and the symbols of its text.
pub fn prepare<'a>(drive: &Drive<'_>, raw: &'a [u8], lanes: Option<usize>) -> Result<Group<'a>> {
    let parts = store_what_grows(raw, route(raw), drive.mixing);
    let text = gather(raw, &parts, PartKind::Text);
    let mut symbols = Vec::new();
    if !text.is_empty() {
        symbols.extend_from_slice(drive.shown);
        symbols.extend(drive.model.symbols(&text)?);
        let table = drive.model.engine().symbols();
        without_escapes(drive.model.walk(), table, &mut symbols[drive.shown.len()..]);
    }
    let coded = symbols.len().saturating_sub(drive.shown.len());
    let lanes = lanes.unwrap_or_else(|| match is_repetitive(&text) {
        // What stands just before says most of what follows: lanes cost 2 to 6 % there, and elsewhere 1 to 2.
        true => 1,
        false => lanes_of(drive.policy, coded, drive.model.engine()),
    });
    Ok(Group {
        raw,
        parts,
        text,
        symbols,
        lanes,
    })
}

/// What `keep` keeps of each block of each group.
pub fn score<K: Keep>(
    drive: &Drive<'_>,
    groups: &[Group<'_>],
    keep: &K,
) -> Result<Vec<Scored<K::Kept>>> {
    let mut scored: Vec<Scored<K::Kept>> = groups.iter().map(|_| Vec::new()).collect();
    // Blocks overlap where one lane reads them.
    for alone in [true, false] {
        let of = |(_, group): &(usize, &Group<'_>)| (group.lanes == 1) == alone;
        let own: Vec<(usize, &Group<'_>)> = groups.iter().enumerate().filter(of).collect();
        if own.is_empty() {
            continue;
        }
        let symbols: Vec<Vec<Symbol>> = own.iter().map(|(_, g)| g.symbols.clone()).collect();
        let reader = Drive {
            policy: policy_of(drive.policy, own[0].1.lanes),
            ..*drive
        };
        let blocks = reader.score(&symbols, keep)?;
        for (&(number, _), blocks) in own.iter().zip(blocks) {
            scored[number] = blocks;
        }
    }
    Ok(scored)
}

/// Mixes a group. `told` is told of each symbol that was coded: its number, and what all so far have cost.
pub fn mix(
    drive: &Drive<'_>,
    group: &Group<'_>,
    blocks: &[&BlockViews],
    told: &mut dyn FnMut(usize, &Priced),
) -> Result<Mixed> {
    let mut text = Priced::default();
    if !group.text.is_empty() {
        mix_text(drive, group, blocks, &mut text, told)?;
    }
    let text_cost = text.cost();
    let text = text.finish();
    let head = |shape| Head {
        shape,
        lanes: group.lanes,
        symbols: group.symbols.len().saturating_sub(drive.shown.len()),
    };
    let size = size_of(group.raw.len());
    let kinds: Vec<PartKind> = group.parts.iter().map(|part| part.kind).collect();
    let (shape, packed) = match kinds[..] {
        [PartKind::Text] => (Shape::Text, None),
        [PartKind::Bytes] => (
            Shape::Bytes,
            Some(contexts::encode(group.raw, size, drive.mixing)),
        ),
        _ => {
            let list = put_list(&group.parts);
            let listed = list.len();
            let all = [list, gather(group.raw, &group.parts, PartKind::Bytes)].concat();
            // How long it gets is known in a moment.
            let shape = Shape::List {
                list: listed,
                coded: 0,
            };
            (shape, Some(contexts::encode(&all, size, drive.mixing)))
        }
    };
    let bytes = packed.as_ref().map_or(Cost::default(), Priced::cost);
    let packed = packed.map_or(Vec::new(), Priced::finish);
    let shape = match shape {
        Shape::List { list, .. } => Shape::List {
            list,
            coded: packed.len(),
        },
        other => other,
    };
    let stored = gather(group.raw, &group.parts, PartKind::Stored);
    let mut coded = Vec::new();
    head(shape).put(&mut coded);
    let head = coded.len();
    coded.extend(packed);
    coded.extend(&stored);
    coded.extend(text);
    Ok(Mixed {
        coded: Coded {
            bytes: coded,
            ideal: text_cost + bytes,
        },
        bytes,
        head,
        stored: stored.len(),
    })
}

fn mix_text(
    drive: &Drive<'_>,
    group: &Group<'_>,
    blocks: &[&BlockViews],
    encoder: &mut Priced,
    told: &mut dyn FnMut(usize, &Priced),
) -> Result<()> {
    let walk = drive.model.walk();
    let table = drive.model.engine().symbols();
    let (shown, symbols) = group.symbols.split_at(drive.shown.len());
    let mut text = Text::new(walk, size_of(group.text.len()));
    let mut first = 0;
    for (number, round) in blocks.chunks(group.lanes).enumerate() {
        check(drive.observer)?;
        text.begin_round(round.len());
        if number == 0 {
            teach(&mut text, walk, table, shown)?;
        }
        // Where each lane's block begins.
        let mut begins = Vec::with_capacity(round.len());
        for block in round {
            begins.push(first);
            first += block.len();
        }
        let longest = round.iter().map(|block| block.len()).max().unwrap_or(0);
        for at in 0..longest {
            for (lane, (begin, block)) in begins.iter().zip(round).enumerate() {
                if at < block.len() {
                    let symbol = placed(walk, table, symbols[begin + at])?;
                    text.code(lane, &mut block.of(at), encoder, symbol);
                    told(begin + at, encoder);
                }
            }
        }
    }
    Ok(())
}
