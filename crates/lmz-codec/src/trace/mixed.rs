//! Where the bits of groups went: the model's of each symbol, and what mixing made of them.

use lmz_coder::Cost;
use lmz_exact::Prediction;
use lmz_format::SegmentInfo;

use super::parts::{MixedTrace, TracedPart};
use super::score::{BlockTold, Told};
use super::segment::SegmentTrace;
use crate::drive::{Drive, Keep, Known};
use crate::error::{CodecError, Result};
use crate::member::segment_error;
use crate::mixed::{BlockViews, Group, Head, PartKind, Reduce, mix, prepare, score};

/// What a trace and the walk keep of a prediction.
struct Both<'a>(Told<'a>, Reduce<'a>);

impl Keep for Both<'_> {
    type Kept = (BlockTold, BlockViews);

    fn keep(&self, (told, views): &mut Self::Kept, known: Known, prediction: &Prediction<'_>) {
        self.0.keep(told, known, prediction);
        self.1.keep(views, known, prediction);
    }
}

/// Traces a group that was decoded from `coded`.
pub(super) fn traced(
    drive: &Drive<'_>,
    told: Told<'_>,
    info: SegmentInfo,
    coded: &[u8],
    raw: Vec<u8>,
) -> Result<SegmentTrace> {
    let head = Head::take(&mut &coded[..], raw.len()).map_err(|why| segment_error(&info, why))?;
    let mut group = prepare(drive, &raw, Some(head.lanes))?;
    if head.symbols == 0 {
        group = group.without_text(head.lanes);
    }
    let keep = Both(
        told,
        Reduce {
            walk: drive.model.walk(),
            table: drive.model.engine().symbols(),
        },
    );
    let blocks = score(drive, std::slice::from_ref(&group), &keep)?;
    let blocks = blocks.into_iter().next().unwrap_or_default();
    let views: Vec<&BlockViews> = blocks.iter().map(|(_, (_, views))| views).collect();
    let mut costs = vec![Cost::default(); group.symbols.len()];
    let mut before = Cost::default();
    let mixed = mix(drive, &group, &views, &mut |symbol, priced| {
        let cost = priced.cost();
        costs[symbol] = Cost(cost.0.saturating_sub(before.0));
        before = cost;
    })?;
    if mixed.coded.bytes != coded {
        let place = info.place();
        return Err(CodecError::OtherEncoder { place });
    }
    let trace = MixedTrace {
        lanes: group.lanes,
        parts: parts(&group),
        text: before,
        contexts: mixed.bytes,
        head: mixed.head,
        stored: mixed.stored,
    };
    let told = blocks.into_iter().map(|(block, (told, _))| (block, told));
    let mut segment = SegmentTrace::new(drive, keep.0.each, info, raw, told);
    for (symbol, cost) in segment.symbols.iter_mut().zip(costs) {
        symbol.mixed = Some(cost);
    }
    segment.mixed = Some(trace);
    Ok(segment)
}

fn parts(group: &Group<'_>) -> Vec<TracedPart> {
    let parts = group.parts.iter().map(|part| TracedPart {
        kind: match part.kind {
            PartKind::Text => "text",
            PartKind::Bytes => "bytes",
            PartKind::Stored => "stored",
            PartKind::Copy(_) => "copy",
            PartKind::Padding => "padding",
        },
        len: part.len,
    });
    parts.collect()
}
