//! Windows side by side in one row, without padding: what neighbours begin with is read once.

use std::ops::Range;

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::options::Window;

/// The shortest beginning that is worth a piece of its own.
const WORTH: usize = 8;

/// Tokens in a row. Each sees the context, all of another piece, and those before it in its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Where it begins in the row.
    pub start: usize,
    /// How many tokens it has.
    pub tokens: usize,
    /// Which piece it stands behind; the context alone if `None`.
    pub behind: Option<usize>,
}

impl Piece {
    /// Of the context's keys (or values) and all tokens' of the row, `[1, tokens, kv_heads, head_dim]`, what it sees.
    pub fn sees<B: Backend>(
        &self,
        pieces: &[Self],
        context: Option<&Tensor<B, 4>>,
        row: &Tensor<B, 4>,
    ) -> Tensor<B, 4> {
        let of = |piece: &Self| row.clone().narrow(1, piece.start, piece.tokens);
        let behind = self.behind.map(|behind| of(&pieces[behind]));
        let parts: Vec<Tensor<B, 4>> = context.cloned().into_iter().chain(behind).collect();
        match parts.is_empty() {
            true => of(self),
            false => Tensor::cat(parts.into_iter().chain([of(self)]).collect(), 1),
        }
    }
}

/// Windows as pieces of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The row's tokens.
    pub tokens: Vec<u32>,
    /// Where they stand behind the context.
    pub positions: Vec<usize>,
    pub pieces: Vec<Piece>,
    /// The places in the row that predict each window's scored tokens.
    pub predicting: Vec<Range<usize>>,
}

impl Layout {
    pub fn of(windows: &[Window<'_>]) -> Self {
        let mut layout = Self::default();
        for (neighbours, shared) in alike(windows) {
            let neighbours = &windows[neighbours];
            let behind =
                (shared > 0).then(|| layout.push(&neighbours[0].tokens[..shared], 0, None));
            for window in neighbours {
                let read = &window.tokens[shared..window.tokens.len() - 1];
                layout.push(read, shared, behind);
                let end = layout.tokens.len();
                layout.predicting.push(end - window.scored..end);
            }
        }
        layout
    }

    fn push(&mut self, tokens: &[u32], from: usize, behind: Option<usize>) -> usize {
        self.pieces.push(Piece {
            start: self.tokens.len(),
            tokens: tokens.len(),
            behind,
        });
        self.tokens.extend(tokens);
        self.positions.extend(from..from + tokens.len());
        self.pieces.len() - 1
    }
}

/// How large a row may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Tokens.
    pub tokens: usize,
    /// Windows.
    pub windows: usize,
    /// How many tokens the context has.
    pub context: usize,
    /// What one token that a piece stands behind takes, as a share of what a token of the row takes: keys and values are
    /// copied for each piece.
    pub copy: f64,
}

/// Windows in their order, as rows that have room: how many each has.
pub(crate) fn rows(windows: &[Window<'_>], room: Room) -> Vec<usize> {
    let copies = |tokens: usize| (tokens as f64 * room.copy).ceil() as usize;
    let mut rows = Vec::new();
    let (mut count, mut tokens) = (0, 0);
    for (neighbours, shared) in alike(windows) {
        let first = neighbours.start;
        for index in neighbours {
            let own = windows[index].tokens.len() - 1 - shared + copies(room.context + shared);
            let with_shared = own + shared + copies(room.context);
            let more = if index == first { with_shared } else { own };
            if count > 0 && (count == room.windows || tokens + more > room.tokens) {
                rows.push(count);
                (count, tokens) = (1, with_shared);
            } else {
                count += 1;
                tokens += more;
            }
        }
    }
    rows.extend((count > 0).then_some(count));
    rows
}

/// Neighbours that begin alike, and with how many tokens: none where there is one, and never those that are scored and the one before them.
fn alike(windows: &[Window<'_>]) -> Vec<(Range<usize>, usize)> {
    let room = |window: &Window<'_>| window.tokens.len() - window.scored - 1;
    let mut groups = Vec::new();
    let mut start = 0;
    while start < windows.len() {
        let first = &windows[start];
        let (mut end, mut shared) = (start + 1, room(first));
        while let Some(window) = windows.get(end) {
            let both = first.tokens.iter().zip(window.tokens);
            let both = both.take(shared.min(room(window)));
            let common = both.take_while(|(a, b)| a == b).count();
            // One that has less in common must not take away more than it brings.
            let count = end - start;
            if common < WORTH || common * count < shared * (count - 1) {
                break;
            }
            shared = common;
            end += 1;
        }
        let shared = if end > start + 1 { shared } else { 0 };
        groups.push((start..end, shared));
        start = end;
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two questions with three and two answers, and a text of its own.
    fn texts() -> Vec<(Vec<u32>, usize)> {
        let text = |question: Range<u32>, answer: &[u32]| {
            let tokens: Vec<u32> = question.chain(answer.iter().copied()).collect();
            (tokens, answer.len())
        };
        vec![
            text(0..20, &[1]),
            text(0..20, &[2, 3]),
            text(0..20, &[4, 5, 6]),
            text(100..115, &[1]),
            text(100..115, &[7, 7]),
            text(50..53, &[9, 9]),
        ]
    }

    fn windows(texts: &[(Vec<u32>, usize)]) -> Vec<Window<'_>> {
        let each = texts.iter().map(|(tokens, scored)| Window {
            tokens,
            scored: *scored,
        });
        each.collect()
    }

    #[test]
    fn each_window_can_be_read_off_its_pieces() {
        let texts = texts();
        let windows = windows(&texts);
        let layout = Layout::of(&windows);
        assert_eq!(layout.pieces.len(), 2 + 6);
        assert_eq!(layout.tokens.len(), 19 + 1 + 2 + 3 + 14 + 1 + 2 + 4);
        assert_eq!(layout.predicting.len(), windows.len());
        for (window, predicting) in windows.iter().zip(&layout.predicting) {
            let piece = layout
                .pieces
                .iter()
                .find(|piece| piece.start + piece.tokens == predicting.end)
                .expect("a window ends with a piece");
            let of = |piece: &Piece| piece.start..piece.start + piece.tokens;
            let before = piece
                .behind
                .map_or(0..0, |behind| of(&layout.pieces[behind]));
            let places: Vec<usize> = before.chain(of(piece)).collect();
            let read: Vec<u32> = places.iter().map(|&place| layout.tokens[place]).collect();
            assert_eq!(read, window.tokens[..window.tokens.len() - 1]);
            let positions: Vec<usize> = places.iter().map(|&p| layout.positions[p]).collect();
            assert_eq!(positions, Vec::from_iter(0..read.len()));
            assert!(predicting.start >= piece.start);
            assert_eq!(predicting.len(), window.scored);
        }
    }

    #[test]
    fn rows_have_room() {
        let texts = texts();
        let windows = windows(&texts);
        let room = Room {
            tokens: 1000,
            windows: 100,
            context: 0,
            copy: 0.0,
        };
        assert_eq!(rows(&windows, room), [6]);
        assert_eq!(rows(&windows, Room { windows: 4, ..room }), [4, 2]);
        assert_eq!(rows(&windows, Room { tokens: 26, ..room }), [3, 3]);
        // Half a token for each of 20 before it: [10 + 19, 20 + 1, 20 + 2], and so on.
        let half = Room {
            tokens: 75,
            context: 20,
            copy: 0.5,
            ..room
        };
        assert_eq!(rows(&windows, half), [2, 1, 2, 1]);
        assert_eq!(rows(&windows, Room { tokens: 1, ..room }), [1; 6]);
        assert!(rows(&[], room).is_empty());
    }
}
