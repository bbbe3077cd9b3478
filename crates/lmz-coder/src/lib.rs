//! From integer logits to bytes.
//!
//! A language model gives one integer logit for each symbol (log2 units, 16 fractional bits). This
//! crate turns them into a probability distribution over 32-bit intervals ([`Distribution`]), codes
//! intervals with [constriction]'s range coder ([`Encoder`], [`Decoder`]), and accounts for every
//! bit in fixed point ([`Cost`]). All of it is integer arithmetic: the same logits give the same
//! bytes on every machine. The normative text is `docs/numerics.md` (sections "Exponentials" and
//! "The distribution") and `docs/format.md` ("Coded segments").
//!
//! The coder is a *queue* (first in, first out), as an autoregressive model needs: the decoder must
//! see the first token before it can compute the second one's distribution. An ANS stack would need
//! the whole message's distributions in memory to encode it backwards.
//!
//! ```
//! use lmz_coder::{Decoder, Distribution, Encoder, exp2_weights};
//!
//! // Three symbols, the second twice as likely as the others (1.0 in log2 units with 16 bits).
//! let logits = [0, 1 << 16, 0];
//! let mut weights = [0u32; 3];
//! let max = *logits.iter().max().unwrap();
//! exp2_weights(&logits, max, &mut weights);
//! let distribution = Distribution::new(&weights, 0);
//!
//! let mut encoder = Encoder::new();
//! for symbol in [1, 1, 0, 2, 1] {
//!     encoder.encode(distribution.interval(symbol))?;
//! }
//! let bytes = encoder.finish();
//!
//! let mut decoder = Decoder::new(&bytes);
//! for symbol in [1, 1, 0, 2, 1] {
//!     assert_eq!(decoder.decode(&distribution)?, symbol);
//! }
//! # Ok::<(), lmz_coder::CoderError>(())
//! ```
//!
//! Words are those of [docs/terms.md](https://github.com/lmz-project/lmz/blob/main/docs/terms.md).
#![forbid(unsafe_code)]

mod coder;
mod cost;
mod distribution;
mod exp2;

pub use coder::{CoderError, Decoder, Encoder};
pub use cost::{Cost, log2_q24};
pub use distribution::{Distribution, ESCAPE_BYTE_BITS, Interval, Shares};
pub use exp2::{LOGIT_FRAC_BITS, WEIGHT_ONE, exp2_weight, exp2_weights};
