//! Where a long input is cut before it is tokenised.

/// The most bytes that are tokenised at once; bounds the memory and the time of a merge.
pub const PIECE_BYTES: usize = 64 << 10;

/// How far before the limit a good place for a cut is looked for.
const SEARCH_BYTES: usize = 1 << 10;

/// Cuts `input` into pieces of at most [`PIECE_BYTES`] bytes. The cuts depend on the bytes alone.
pub(crate) fn pieces(mut input: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        if input.is_empty() {
            return None;
        }
        let (piece, rest) = input.split_at(cut(input));
        input = rest;
        Some(piece)
    })
}

/// The length of the first piece of `input`.
///
/// In the last [`SEARCH_BYTES`] before the limit, the last place of the best kind there is: before
/// a space that no white space follows, where the published pre-tokenizers cut anyway; after a
/// line's end that no white space follows; before the first byte of a character.
fn cut(input: &[u8]) -> usize {
    if input.len() <= PIECE_BYTES {
        return input.len();
    }
    let window = PIECE_BYTES - SEARCH_BYTES..=PIECE_BYTES;
    let last = |good: &dyn Fn(usize) -> bool| window.clone().rev().find(|&at| good(at));
    let line = |at: usize| input[at - 1] == b'\n' && !input[at].is_ascii_whitespace();
    let word = |at: usize| {
        let next = input.get(at + 1);
        input[at] == b' ' && next.is_some_and(|b| !b.is_ascii_whitespace())
    };
    let character = |at: usize| input[at] & 0xc0 != 0x80;
    last(&word)
        .or_else(|| last(&line))
        .or_else(|| last(&character))
        .unwrap_or(PIECE_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(input: &[u8]) -> Vec<usize> {
        let cut: Vec<&[u8]> = pieces(input).collect();
        assert_eq!(cut.concat(), input);
        cut.iter().map(|p| p.len()).collect()
    }

    #[test]
    fn short_inputs_are_whole() {
        assert!(lengths(b"").is_empty());
        assert_eq!(lengths(&[b'a'; PIECE_BYTES]), [PIECE_BYTES]);
        assert_eq!(lengths(&[b'a'; PIECE_BYTES + 1]), [PIECE_BYTES, 1]);
    }

    #[test]
    fn the_best_place_wins() {
        let mut input = vec![b'a'; PIECE_BYTES + 100];
        input[PIECE_BYTES - 3] = b'\n';
        assert_eq!(lengths(&input)[0], PIECE_BYTES - 2);
        input[PIECE_BYTES - 2] = b'\t';
        assert_eq!(lengths(&input)[0], PIECE_BYTES);
        input[PIECE_BYTES - 700] = b' ';
        assert_eq!(lengths(&input)[0], PIECE_BYTES - 700);
        input[PIECE_BYTES - 699] = b' ';
        assert_eq!(lengths(&input)[0], PIECE_BYTES - 699);
        // Too far back to be looked at.
        let mut input = vec![b'a'; PIECE_BYTES + 100];
        input[PIECE_BYTES - 2000] = b' ';
        assert_eq!(lengths(&input)[0], PIECE_BYTES);
    }

    #[test]
    fn characters_stay_whole() {
        let text = "a".to_owned() + &"中".repeat(30_000);
        assert_eq!(
            lengths(text.as_bytes())[0],
            PIECE_BYTES - PIECE_BYTES % 3 + 1
        );
        // Continuation bytes alone are no characters.
        assert_eq!(lengths(&[0x80; PIECE_BYTES + 1])[0], PIECE_BYTES);
    }
}
