//! Coded bytes to segments. Segments are the lanes of a batch: one step of the model advances all.

use lmz_coder::Decoder;
use lmz_exact::{Cache, Prediction, Query, Symbols};

use super::context::Drive;
use super::crew::Load;
use super::task::{Pass, Task};
use super::workers::Sizes;
use crate::blocks::{Block, block_at, input};
use crate::error::Result;
use crate::observer::Phase;
use crate::pool;

/// A segment's raw bytes, or why there are none.
pub type Decoded = Result<Vec<u8>, String>;

/// Lanes of one thread: enough to reuse each weight, few enough for the caches of a processor.
const MAX_LANES: usize = 16;
/// Bytes that all lanes' caches may take together.
const CACHE_BUDGET: usize = 256 << 20;

impl Drive<'_> {
    /// Decodes segments, each given by its coded bytes and its raw length. One that cannot be decoded gives the reason;
    /// whether the bytes are the right ones only a checksum tells.
    pub fn decode(&self, segments: &[(&[u8], usize)], phase: Phase) -> Result<Vec<Decoded>> {
        let known = self.known();
        let done = self.decoded(segments, &known, phase)?;
        Ok(done.into_iter().map(Decoding::into_result).collect())
    }

    /// The bytes of the symbols that two coded strings of a segment of `raw_len` bytes have in common at their beginning,
    /// and so has any string between them. Bytes that only look alike do not count: between two symbols that begin in the
    /// same way may lie others.
    pub fn agreed(&self, coded: [&[u8]; 2], raw_len: usize, phase: Phase) -> Result<Vec<u8>> {
        let known = self.known();
        let done = self.decoded(&coded.map(|coded| (coded, raw_len)), &known, phase)?;
        let [a, b] = &done[..] else {
            return Ok(Vec::new());
        };
        let engine = self.model.engine();
        let vocabulary = engine.symbols().vocabulary();
        let mut len = 0;
        for (token, other) in a.history.iter().zip(&b.history).skip(known.len()) {
            let symbol_len = match *token == engine.start_token() {
                // An escaped byte.
                true => 1,
                false => vocabulary.get(*token).map_or(0, <[u8]>::len),
            };
            let of = |decoding: &Decoding<'_>| {
                decoding.out.get(len..len + symbol_len).map(<[u8]>::to_vec)
            };
            if token != other || of(a).is_none() || of(a) != of(b) {
                break;
            }
            len += symbol_len;
        }
        Ok(a.out[..len].to_vec())
    }

    /// What the model reads of what it is shown.
    fn known(&self) -> Vec<u32> {
        let start_token = self.model.engine().start_token();
        let shown = self.shown.iter();
        shown.map(|symbol| input(symbol, start_token)).collect()
    }

    fn decoded<'a>(
        &'a self,
        segments: &[(&'a [u8], usize)],
        known: &[u32],
        phase: Phase,
    ) -> Result<Vec<Decoding<'a>>> {
        let engine = self.model.engine();
        let raw_lens = || segments.iter().map(|(_, raw_len)| *raw_len);
        // A block never has more positions than its lane has symbols, one a byte at most.
        let longest = known.len() + raw_lens().max().unwrap_or(0) + 1;
        let positions = longest.min(self.policy.context as usize);
        let threads = pool::threads().clamp(1, segments.len().max(1));
        let affordable = CACHE_BUDGET / threads / Cache::size(engine, positions).max(1);
        let load = Load {
            tasks: segments.len(),
            raw_len: raw_lens().sum(),
            phase,
        };
        let most = MAX_LANES.min(affordable).max(1);
        let sizes = Sizes {
            device_lanes: self.model.lanes().min(segments.len()),
            threads,
            cpu_lanes: segments.len().div_ceil(threads).clamp(1, most),
            positions,
        };
        self.tasks(load, sizes, |number| {
            let (coded, raw_len) = segments[number];
            Ok(Decoding::new(self, coded, raw_len, known))
        })
    }
}

/// A segment in the middle of its decoding.
struct Decoding<'a> {
    drive: &'a Drive<'a>,
    coder: Decoder<'a>,
    raw_len: usize,
    out: Vec<u8>,
    /// What the model reads of the symbols so far, after those that it is shown.
    history: Vec<u32>,
    known: usize,
    /// The block that it is in, full length.
    block: Block,
    /// What the model is to read next, the first at `position`.
    inputs: Vec<u32>,
    position: usize,
    failure: Option<String>,
}

impl<'a> Decoding<'a> {
    fn new(drive: &'a Drive<'a>, coded: &'a [u8], raw_len: usize, known: &[u32]) -> Self {
        let mut decoding = Self {
            drive,
            coder: Decoder::new(coded),
            raw_len,
            // What the coded bytes can hold bounds what is reserved, not what the header claims.
            out: Vec::with_capacity(raw_len.min(coded.len().saturating_mul(64))),
            history: known.to_vec(),
            known: known.len(),
            block: block_at(drive.policy, known.len(), known.len()),
            inputs: Vec::new(),
            position: 0,
            failure: (raw_len == 0).then(|| "is empty".to_owned()),
        };
        decoding.resume(0);
        decoding
    }

    fn into_result(self) -> Decoded {
        self.failure.map_or(Ok(self.out), Err)
    }

    /// The next symbol of the coded bytes, as the model reads it.
    fn symbol(&mut self, prediction: &Prediction<'_>, symbols: &Symbols) -> Result<u32, String> {
        let answer = prediction.answer().ok_or("got another answer")?;
        let taken = self.coder.take(answer.interval);
        taken.map_err(|error| error.to_string())?;
        let token = symbols.token(answer.symbol);
        match token {
            Some(_) => self.out.extend_from_slice(symbols.bytes(answer.symbol)),
            None => {
                let byte = self.coder.decode_byte();
                self.out.push(byte.map_err(|error| error.to_string())?);
            }
        }
        if self.out.len() > self.raw_len {
            return Err("holds more bytes than it should".to_owned());
        }
        Ok(token.unwrap_or(self.drive.model.engine().start_token()))
    }
}

impl Task for Decoding<'_> {
    fn ask(&mut self, pass: &mut Pass) {
        match self.coder.point() {
            Err(error) => self.failure = Some(error.to_string()),
            Ok(point) => {
                for (&token, position) in self.inputs.iter().zip(self.position..) {
                    pass.put(position, token);
                }
                pass.ask(Query::Point(point));
            }
        }
    }

    fn take(&mut self, prediction: &Prediction<'_>) -> u64 {
        let before = self.out.len();
        match self.symbol(prediction, self.drive.model.engine().symbols()) {
            Err(failure) => self.failure = Some(failure),
            Ok(token) => {
                self.history.push(token);
                let n = self.history.len();
                if n < self.block.end {
                    self.position += self.inputs.len();
                    self.inputs.clear();
                    self.inputs.push(token);
                } else {
                    self.block = block_at(self.drive.policy, self.known, n);
                    self.resume(0);
                }
            }
        }
        (self.out.len() - before) as u64
    }

    fn is_done(&self) -> bool {
        self.failure.is_some() || self.out.len() >= self.raw_len
    }

    fn left(&self) -> usize {
        self.raw_len.saturating_sub(self.out.len())
    }

    fn begins(&self) -> bool {
        true
    }

    fn resume(&mut self, positions: usize) {
        let Block { first, overlap, .. } = self.block;
        let read = &self.history[first - overlap..];
        self.inputs.clear();
        self.inputs.push(self.drive.model.engine().start_token());
        self.inputs.extend_from_slice(read);
        self.inputs.drain(..positions);
        self.position = positions;
    }
}
