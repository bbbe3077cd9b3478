//! Coded bytes to groups.

use lmz_exact::{CpuLanes, Engine, ExactError, Lanes, Team};
use lmz_mix::{Bytes, Text, Version};
use lmz_model::Symbol;

use super::contexts::{Decoding, size_of};
use super::layout::{Head, Shape};
use super::part::{Part, PartKind, join, take_list, total};
use super::text::{CodedText, TextGroup};
use crate::drive::{Crew, Decoded, Drive, Sizes};
use crate::error::Result;
use crate::memory::ask;
use crate::observer::{Phase, check};
use crate::pool;

/// Bytes that contexts decode from one look at the observer to the next.
const STEP: usize = 1 << 14;

/// A group that is to be decoded.
#[derive(Clone, Copy)]
pub struct CodedGroup<'a> {
    pub coded: &'a [u8],
    pub raw_len: usize,
    /// What its text should turn out to be, behind the symbols that are shown: the model reads ahead then. Empty where nobody knows.
    pub known: &'a [Symbol],
}

/// Decodes groups. One that cannot be decoded gives the reason; whether
/// the bytes are the right ones only a checksum tells.
///
/// # Errors
/// Cancellation; a model that fails.
pub fn decode_groups(
    drive: &Drive<'_>,
    groups: &[CodedGroup<'_>],
    phase: Phase,
) -> Result<Vec<Decoded>> {
    let sizes = groups
        .iter()
        .map(|group| Bytes::memory(size_of(group.raw_len)));
    let at_once = pool::threads().min(groups.len());
    ask(at_once.saturating_mul(sizes.max().unwrap_or(0)), || {
        format!("contexts, {at_once} times at once,")
    })?;
    let opened = pool::map(groups.to_vec(), |group| Opened::new(drive, group, phase))?;
    let mut done: Vec<Option<Decoded>> = opened.iter().map(|_| None).collect();
    let mut tasks = Vec::new();
    for (number, opened) in opened.iter().enumerate() {
        let Ok(Opened {
            text: Some(text), ..
        }) = opened
        else {
            continue;
        };
        if text.head.symbols == 0 {
            done[number] = Some(Err("has text without symbols".into()));
        } else {
            tasks.push(Task::new(number, *text));
        }
    }
    let mut decoded = decode_texts(drive, tasks, done, phase)?.into_iter();
    let joined = opened.into_iter().map(|opened| {
        let text = decoded.next().flatten();
        let opened = opened?;
        match (&opened.text, text) {
            (None, _) => Ok(opened.join(&[])),
            (Some(_), Some(text)) => Ok(opened.join(&text?)),
            (Some(_), None) => Err("was not decoded".into()),
        }
    });
    Ok(joined.collect())
}

/// A group of which all but the text is known.
struct Opened<'a> {
    parts: Vec<Part>,
    bytes: Vec<u8>,
    stored: &'a [u8],
    text: Option<CodedText<'a>>,
}

impl<'a> Opened<'a> {
    /// One that cannot be decoded gives the reason.
    fn new(drive: &Drive<'_>, group: CodedGroup<'a>, phase: Phase) -> Result<Result<Self, String>> {
        let (coded, raw_len) = (group.coded, group.raw_len);
        let (mut opened, packed) = match Self::read(coded, raw_len, drive.mixing) {
            Ok(read) => read,
            Err(why) => return Ok(Err(why)),
        };
        if let Some(text) = &mut opened.text {
            text.known = group.known;
        }
        if let Some(mut decoding) = packed {
            let len = total(&opened.parts, PartKind::Bytes);
            while opened.bytes.len() < len {
                check(drive.observer)?;
                let n = STEP.min(len - opened.bytes.len());
                opened.bytes.extend(decoding.take(n));
                drive.observer.advance(phase, n as u64);
            }
        }
        let others = raw_len - opened.bytes.len() - opened.text_len();
        drive.observer.advance(phase, others as u64);
        Ok(Ok(opened))
    }

    /// All but what contexts hold of the raw bytes, and these.
    fn read(
        coded: &'a [u8],
        raw_len: usize,
        mixing: Version,
    ) -> Result<(Self, Option<Decoding<'a>>), String> {
        let mut rest = coded;
        let head = Head::take(&mut rest, raw_len)?;
        let whole = |kind| vec![Part { kind, len: raw_len }];
        match head.shape {
            Shape::Bytes => {
                let opened = Self {
                    parts: whole(PartKind::Bytes),
                    bytes: Vec::new(),
                    stored: &[],
                    text: None,
                };
                Ok((opened, Some(Decoding::new(rest, size_of(raw_len), mixing))))
            }
            Shape::Text => {
                let opened = Self {
                    parts: whole(PartKind::Text),
                    bytes: Vec::new(),
                    stored: &[],
                    text: Some(CodedText {
                        head,
                        coded: rest,
                        raw_len,
                        cut: false,
                        known: &[],
                    }),
                };
                Ok((opened, None))
            }
            Shape::List { list, coded } => {
                let split = rest.split_at_checked(coded);
                let (packed, rest) = split.ok_or("ends before its parts")?;
                let mut decoding = Decoding::new(packed, size_of(raw_len), mixing);
                let parts = take_list(&decoding.take(list), raw_len, mixing)?;
                let split = rest.split_at_checked(total(&parts, PartKind::Stored));
                let (stored, rest) = split.ok_or("ends before what it stores")?;
                let text_len = total(&parts, PartKind::Text);
                let opened = Self {
                    parts,
                    bytes: Vec::new(),
                    stored,
                    text: (text_len > 0).then_some(CodedText {
                        head,
                        coded: rest,
                        raw_len: text_len,
                        cut: false,
                        known: &[],
                    }),
                };
                Ok((opened, Some(decoding)))
            }
        }
    }

    fn text_len(&self) -> usize {
        self.text.as_ref().map_or(0, |text| text.raw_len)
    }

    fn join(&self, text: &[u8]) -> Vec<u8> {
        join(&self.parts, text, &self.bytes, self.stored)
    }
}

/// Decodes one text; none if it has no symbols.
pub fn decode_text(
    drive: &Drive<'_>,
    text: CodedText<'_>,
    phase: Phase,
) -> Result<Option<Decoded>> {
    if text.head.symbols == 0 {
        return Ok(None);
    }
    let done = decode_texts(drive, vec![Task::new(0, text)], vec![None], phase)?;
    Ok(done.into_iter().next().flatten())
}

/// A text that is to be decoded.
struct Task<'a> {
    /// Of the group.
    number: usize,
    text: CodedText<'a>,
    /// What lanes that failed have left.
    begun: Option<TextGroup<'a>>,
    decoded: Option<Decoded>,
}

impl<'a> Task<'a> {
    fn new(number: usize, text: CodedText<'a>) -> Self {
        Self {
            number,
            text,
            begun: None,
            decoded: None,
        }
    }
}

/// The texts by the numbers of their groups; `done` are those that need no work.
fn decode_texts(
    drive: &Drive<'_>,
    tasks: Vec<Task<'_>>,
    mut done: Vec<Option<Decoded>>,
    phase: Phase,
) -> Result<Vec<Option<Decoded>>> {
    let raw_len = tasks.iter().map(|task| task.text.raw_len).sum();
    let lanes = tasks.iter().map(|task| task.text.lanes()).max();
    let positions = tasks.iter().map(|task| task.text.positions(drive)).max();
    let (Some(lanes), Some(positions)) = (lanes, positions) else {
        return Ok(done);
    };
    let (threads, count) = (pool::threads(), tasks.len());
    let tables = tasks
        .iter()
        .map(|task| Text::memory(size_of(task.text.raw_len)));
    let at_once = threads.min(count);
    let tables = at_once.saturating_mul(tables.max().unwrap_or(0));
    ask(tables, || format!("contexts, {at_once} times at once,"))?;
    let one_by_one = tasks.iter().all(|task| task.text.known.is_empty());
    let work = Work {
        drive: *drive,
        phase,
        crew: Crew::new(tasks),
    };
    let go = || {
        if drive.model.device_name().is_none() && count < threads {
            let sizes = Sizes {
                device_lanes: 0,
                threads,
                cpu_lanes: (count * lanes).div_ceil(threads),
                positions,
            };
            sizes.check_memory(drive.model.engine())?;
            work.together(threads)
        } else {
            let sizes = Sizes {
                device_lanes: lanes,
                threads: threads.clamp(1, count),
                cpu_lanes: lanes,
                positions,
            };
            drive.run(sizes, |lanes| work.by(lanes))
        }
    };
    // What is read ahead takes neither as long as decoding nor as encoding.
    match one_by_one {
        true => drive.timed(phase, raw_len, go)?,
        false => go()?,
    }
    for task in work.crew.into_done() {
        done[task.number] = task.decoded;
    }
    Ok(done)
}

/// What is to be decoded, and what was.
struct Work<'a> {
    drive: Drive<'a>,
    phase: Phase,
    crew: Crew<Task<'a>>,
}

impl<'a> Work<'a> {
    /// Goes on with a text, to its end or until the lanes fail: it goes back then, for another worker.
    fn run(&self, mut task: Task<'a>, lanes: &mut [&mut dyn Lanes]) -> Result<()> {
        let begun = task.begun.take();
        let mut text = begun.unwrap_or_else(|| TextGroup::new(&self.drive, task.text, self.phase));
        match text.run(lanes) {
            Ok(decoded) => {
                task.decoded = Some(decoded);
                self.crew.end(task);
                Ok(())
            }
            Err(error) => {
                task.begun = Some(text);
                self.crew.give([task]);
                Err(error)
            }
        }
    }

    /// One worker, with these lanes, until all is done.
    fn by(&self, lanes: &mut dyn Lanes) -> Result<()> {
        while let Some(task) = self.crew.take() {
            let needed = task.text.lanes();
            if lanes.lanes() < needed {
                self.crew.give([task]);
                let room = ExactError::Device {
                    device: "this device".into(),
                    reason: format!("it has no room for {needed} lanes in lock step"),
                };
                return Err(room.into());
            }
            self.run(task, &mut [&mut *lanes])?;
        }
        Ok(())
    }

    /// There are more threads than texts: each text has several. They have lanes of their own where all of them find the
    /// model's weights in their caches; where they wait for these, they share each pass.
    fn together(&self, threads: usize) -> Result<()> {
        let tasks: Vec<_> = std::iter::from_fn(|| self.crew.take()).collect();
        let count = tasks.len();
        let shares = tasks.into_iter().enumerate();
        let shares =
            shares.map(|(i, task)| (task, threads * (i + 1) / count - threads * i / count));
        pool::map(shares.collect(), |(task, share)| {
            let engine: &Engine = self.drive.model.engine();
            let positions = task.text.positions(&self.drive);
            let lanes = task.text.lanes();
            let mut workers: Vec<CpuLanes<&Engine>> = if engine.waits_for_memory() {
                let team = Team::new(share).map_err(|error| pool::cannot_start(share, &error))?;
                vec![CpuLanes::new(engine, lanes, positions).shared(team)]
            } else {
                let share = share.clamp(1, lanes);
                let own = |_| CpuLanes::new(engine, lanes.div_ceil(share), positions);
                (0..share).map(own).collect()
            };
            let mut lanes: Vec<&mut dyn Lanes> = Vec::new();
            for worker in &mut workers {
                lanes.push(worker);
            }
            self.run(task, &mut lanes)
        })?;
        Ok(())
    }
}
