//! Windows that slide over a row of tokens, so that each is scored once, with context.

use crate::error::{MetricError, Result};

/// Longest window, in predictions.
pub const MAX_WINDOW: usize = 1 << 20;

/// Some tokens of a row, of which the last few are scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// The first token.
    pub start: usize,
    /// The number of its tokens.
    pub len: usize,
    /// How many at the end are scored: fewer than `len`.
    pub scored: usize,
}

impl Span {
    /// One past the last token.
    pub fn end(self) -> usize {
        self.start + self.len
    }

    /// The first token that is scored.
    pub fn first_scored(self) -> usize {
        self.end() - self.scored
    }
}

/// What happens to the tokens that do not fill a last stride.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// They are not scored.
    Drop,
    /// A last window, as long as the others, ends with the row and scores what is left.
    Keep,
}

/// The sizes of sliding windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sliding {
    window: usize,
    stride: usize,
}

impl Sliding {
    /// Windows of `window` predictions, so of `window + 1` tokens, `stride` tokens apart.
    ///
    /// # Errors
    /// [`MetricError::InvalidArgument`] unless `1 <= stride <= window <= 2^20`.
    pub fn new(window: usize, stride: usize) -> Result<Self> {
        if window == 0 || window > MAX_WINDOW {
            return Err(MetricError::InvalidArgument(format!(
                "a window of {window} tokens: between 1 and {MAX_WINDOW} are possible"
            )));
        }
        if stride == 0 || stride > window {
            return Err(MetricError::InvalidArgument(format!(
                "a stride of {stride} tokens: between 1 and the window's {window} are possible"
            )));
        }
        Ok(Self { window, stride })
    }

    /// Predictions of a window.
    pub fn window(self) -> usize {
        self.window
    }

    /// Tokens between two windows.
    pub fn stride(self) -> usize {
        self.stride
    }

    /// The windows of a row of `tokens` tokens. The first scores everything but its first token,
    /// each later one the `stride` tokens after those that are scored already. A row that does
    /// not fill the first window has a single shorter one; a row of one token has none.
    pub fn spans(self, tokens: usize, tail: Tail) -> impl Iterator<Item = Span> {
        let full = self.window + 1;
        // One past the last token scored so far.
        let mut done = 0;
        std::iter::from_fn(move || {
            let left = tokens - done;
            let (len, scored) = if done == 0 {
                let len = full.min(tokens);
                (len, len.saturating_sub(1))
            } else if left >= self.stride {
                (full, self.stride)
            } else {
                match tail {
                    Tail::Drop => return None,
                    Tail::Keep => (full, left),
                }
            };
            if scored == 0 {
                return None;
            }
            done = if done == 0 { len } else { done + scored };
            Some(Span {
                start: done - len,
                len,
                scored,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spans(tokens: usize, window: usize, stride: usize, tail: Tail) -> Vec<Span> {
        let sliding = Sliding::new(window, stride).unwrap();
        sliding.spans(tokens, tail).collect()
    }

    fn span(start: usize, len: usize, scored: usize) -> Span {
        Span { start, len, scored }
    }

    #[test]
    fn short_rows() {
        for tail in [Tail::Drop, Tail::Keep] {
            assert_eq!(spans(0, 4, 2, tail), []);
            assert_eq!(spans(1, 4, 2, tail), []);
            assert_eq!(spans(2, 4, 2, tail), [span(0, 2, 1)]);
            assert_eq!(spans(4, 4, 2, tail), [span(0, 4, 3)]);
            assert_eq!(spans(5, 4, 2, tail), [span(0, 5, 4)]);
            assert_eq!(spans(7, 4, 2, tail), [span(0, 5, 4), span(2, 5, 2)]);
        }
        assert_eq!(spans(6, 4, 2, Tail::Drop), [span(0, 5, 4)]);
        let kept = [span(0, 5, 4), span(1, 5, 1)];
        assert_eq!(spans(6, 4, 2, Tail::Keep), kept);
    }

    #[test]
    fn the_paper_s_sizes() {
        let all = spans(1901 + 3 * 512 + 511, 1900, 512, Tail::Drop);
        assert_eq!(all.len(), 4);
        assert_eq!(all[0], span(0, 1901, 1900));
        assert_eq!(all[3], span(3 * 512, 1901, 512));
    }

    #[test]
    fn impossible_sizes_are_refused() {
        for (window, stride) in [(0, 0), (0, 1), (4, 0), (4, 5), (MAX_WINDOW + 1, 1)] {
            assert!(Sliding::new(window, stride).is_err(), "{window} {stride}");
        }
    }

    proptest! {
        #[test]
        fn every_token_but_the_first_is_scored_once_but_for_the_tail(
            tokens in 0usize..600,
            (window, stride) in (1usize..70).prop_flat_map(|window| (Just(window), 1..=window)),
            keep in any::<bool>(),
        ) {
            let tail = if keep { Tail::Keep } else { Tail::Drop };
            let all = spans(tokens, window, stride, tail);
            let mut next = 1;
            for (i, span) in all.iter().enumerate() {
                prop_assert_eq!(span.first_scored(), next);
                prop_assert!(span.scored >= 1 && span.scored < span.len);
                prop_assert!(span.end() <= tokens);
                prop_assert!(span.len <= window + 1);
                prop_assert!(i == 0 || span.len == window + 1);
                if tail == Tail::Drop && i > 0 {
                    prop_assert_eq!(span.start, i * stride);
                    prop_assert_eq!(span.scored, stride);
                }
                next = span.end();
            }
            let left = tokens.max(1) - next;
            let most = if keep { 0 } else { stride - 1 };
            prop_assert!(left <= most);
        }
    }
}
