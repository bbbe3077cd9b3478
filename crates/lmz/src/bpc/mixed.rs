//! What a corpus takes as a file, with all that is learnt while it is coded: real bytes, and no figure of the model's alone.

use std::time::Instant;

use lmz_codec::{CompressOptions, ContextPolicy, Observer, Phase};
use lmz_format::{Event, StreamReader};
use lmz_metric::{MetricError, Part, Plan, Protocol, ProtocolIdentity, Unit};

use super::options::{BpcOptions, BpcWatch};
use crate::scoring::{ScoredModel, ScoringError};

/// What a reader of the figures should know.
const NOTE: &str = "mixing learns the corpus while it is coded: this is what lmz makes of it as a file, not the metric of \
                    arXiv 2404.09937, and no figure of the model's alone (--protocol paper, document and stream are)";

/// A corpus that was coded.
pub(super) struct Coded {
    /// A unit for each group, with the bits of its coded bytes; no windows.
    pub plan: Plan,
    pub part: Part,
    pub protocol: ProtocolIdentity,
    pub notes: Vec<String>,
    /// What coded it.
    pub engine: String,
}

/// Codes `bytes`, the corpus's texts put together, as a file, and takes the coded bytes of its groups.
pub(super) fn code(
    options: &BpcOptions,
    model: &ScoredModel,
    bytes: &[u8],
    watch: &dyn BpcWatch,
) -> Result<Coded, ScoringError> {
    let codec = model.codec()?;
    let compressing = CompressOptions {
        context: options.window,
        full: true,
        verify: false,
        threads: rayon::current_num_threads(),
        ..CompressOptions::default()
    };
    watch.coding(bytes.len() as u64);
    let begun = Instant::now();
    let mut file = Vec::new();
    let written = lmz_codec::compress(bytes, &mut file, &codec, &compressing, &Heard(watch));
    if watch.cancelled() {
        return Err(MetricError::Cancelled.into());
    }
    written?;
    let mut plan = Plan::default();
    let (mut window, mut stride) = (0, 0);
    let mut reader = StreamReader::new(&file[..]);
    loop {
        match reader.next_event().map_err(lmz_codec::CodecError::from)? {
            Event::Segment(segment, coded) => {
                let begin = segment.raw_offset as usize;
                let raw = &bytes[begin..begin + segment.raw_len as usize];
                plan.units.push(Unit {
                    first: 0,
                    bytes: raw.len() as u64,
                    characters: raw.iter().filter(|&&byte| begins_character(byte)).count() as u64,
                    extra_bits: coded.len() as f64 * 8.0,
                });
            }
            Event::End => break,
            Event::MemberStart(header) => {
                let ContextPolicy { context, overlap } = header.context;
                (window, stride) = (context.into(), (context - overlap).into());
            }
            Event::MemberEnd { .. } => {}
        }
    }
    Ok(Coded {
        plan,
        part: Part {
            pieces: Vec::new(),
            seconds: begun.elapsed().as_secs_f64(),
            batches: 0,
            resumed: 0,
            largest_batch: 0,
        },
        protocol: ProtocolIdentity {
            name: Protocol::Mixed,
            window,
            stride,
        },
        notes: vec![NOTE.into()],
        engine: format!("CPU ({})", codec.engine().kernel().isa().name()),
    })
}

/// Whether a character of UTF-8 begins with this byte.
fn begins_character(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

/// Tells a [`BpcWatch`] what a codec tells.
struct Heard<'a>(&'a dyn BpcWatch);

impl Observer for Heard<'_> {
    fn advance(&self, _: Phase, raw_bytes: u64) {
        self.0.advance(raw_bytes, false);
    }

    fn notice(&self, text: &str) {
        self.0.note(text);
    }

    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }
}
