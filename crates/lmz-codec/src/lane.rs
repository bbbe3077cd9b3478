//! A segment in the middle of its decoding, wherever the model runs.

use lmz_coder::Decoder;
use lmz_exact::Symbols;
use lmz_format::ContextPolicy;

use crate::blocks::block_at;
use crate::decode::Job;

/// What every segment's first block reads before its symbols.
#[derive(Clone, Copy)]
pub struct Beginning<'a> {
    pub policy: ContextPolicy,
    pub known: &'a [u32],
    pub start_token: u32,
}

/// A segment in the middle of its decoding.
pub struct Lane<'a> {
    pub job: usize,
    raw_len: usize,
    pub decoder: Decoder<'a>,
    pub out: Vec<u8>,
    /// Model inputs of all symbols so far, the prime's at the front.
    history: Vec<u32>,
    /// Symbol at which the next block starts.
    block_end: usize,
    /// Inputs of the next step, the first at `position`.
    pub inputs: Vec<u32>,
    pub position: usize,
    pub failure: Option<String>,
}

impl<'a> Lane<'a> {
    pub fn new(job: usize, Job { coded, raw_len }: Job<'a>, beginning: Beginning<'_>) -> Self {
        let Beginning {
            policy,
            known,
            start_token,
        } = beginning;
        Self {
            job,
            raw_len,
            decoder: Decoder::new(coded),
            // What the coded bytes can hold bounds what is reserved, not what the header claims.
            out: Vec::with_capacity(raw_len.min(coded.len().saturating_mul(64))),
            history: known.to_vec(),
            block_end: block_at(policy, known.len(), known.len()).end,
            inputs: [&[start_token], known].concat(),
            position: 0,
            failure: (raw_len == 0).then(|| "is empty".to_owned()),
        }
    }

    /// Begins with inputs of which the first `positions` were run already.
    pub fn skip(&mut self, positions: usize) {
        self.inputs.drain(..positions);
        self.position += positions;
    }

    /// Whether nothing is left to decode.
    pub fn is_done(&self) -> bool {
        self.failure.is_some() || self.out.len() >= self.raw_len
    }

    /// Raw bytes that are still to come.
    pub fn left(&self) -> usize {
        self.raw_len.saturating_sub(self.out.len())
    }

    /// The raw bytes, or why there are none.
    pub fn into_result(self) -> Result<Vec<u8>, String> {
        self.failure.map_or(Ok(self.out), Err)
    }

    /// Appends the bytes of a symbol that the decoder has just consumed.
    pub fn push(&mut self, symbols: &Symbols, symbol: usize, start_token: u32) {
        let input = match symbols.token(symbol) {
            Some(token) => {
                self.out.extend_from_slice(symbols.bytes(symbol));
                token
            }
            None => match self.decoder.decode_byte() {
                Ok(byte) => {
                    self.out.push(byte);
                    start_token
                }
                Err(error) => return self.failure = Some(error.to_string()),
            },
        };
        if self.out.len() > self.raw_len {
            self.failure = Some("holds more bytes than it should".to_owned());
        } else {
            self.history.push(input);
        }
    }

    /// Sets up the next step: the symbol just decoded, or the start of a new block.
    pub fn advance(&mut self, beginning: Beginning<'_>) {
        let n = self.history.len();
        if n < self.block_end {
            self.position += self.inputs.len();
            self.inputs.clear();
            self.inputs.extend(self.history.last());
            return;
        }
        let block = block_at(beginning.policy, beginning.known.len(), n);
        self.block_end = block.end;
        self.position = 0;
        self.inputs.clear();
        self.inputs.push(beginning.start_token);
        self.inputs
            .extend_from_slice(&self.history[n - block.overlap..]);
    }
}
