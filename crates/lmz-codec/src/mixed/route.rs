//! Which bytes are worth a model: the router. It looks at the bytes and nothing else.

use std::ops::Range;

use super::part::{ALIGNMENT, Part, PartKind, add, padding_at};
use super::repeats::repeats;
use crate::entropy::bits_per_byte;

/// Bytes that are judged together.
const WINDOW: usize = ALIGNMENT / 2;
/// Shorter stretches of text between other bytes are not worth a switch.
const SHORT_TEXT: usize = 2 * WINDOW;
/// Nor are shorter ones of what could be text but has no words: indented lines, a table in a book. A model takes them for
/// less than contexts that have not seen the text around them; only where there is much of it is its time the greater cost.
const SHORT_TABLE: usize = 16 * WINDOW;
/// Bytes that are judged together as noise or not.
const NOISE_WINDOW: usize = 4096;
/// Bits per byte, in units of 2^-24, from which on the histogram of a noise window looks like that of noise: 7.93.
const NOISE: u64 = (793 << 24) / 100;

/// The parts of a group.
pub fn route(raw: &[u8]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut at = 0;
    for repeat in repeats(raw) {
        judge(raw, at..repeat.at, &mut parts);
        add(&mut parts, PartKind::Copy(repeat.distance), repeat.len);
        at = repeat.at + repeat.len;
    }
    judge(raw, at..raw.len(), &mut parts);
    parts
}

/// What a window looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// Words.
    Text,
    /// Characters of text without words: runs, numbers, encoded bytes.
    Table,
    /// Bytes that text does not have.
    Binary,
}

/// Windows of one look, and their bytes.
type Run = (Look, usize);

/// Appends the parts of a range of the group that repeats nothing.
fn judge(group: &[u8], range: Range<usize>, parts: &mut Vec<Part>) {
    let raw = &group[range.clone()];
    // Windows lie where the group has them, whatever was repeated before.
    let first = (range.start.next_multiple_of(WINDOW) - range.start).min(raw.len());
    let (begin, others) = raw.split_at(first);
    let looks = [begin]
        .into_iter()
        .chain(others.chunks(WINDOW))
        .filter(|window| !window.is_empty())
        .map(|window| (look(window), window.len()));
    let mut runs = join(looks);
    small_files(&mut runs);
    // Words between the lines of a table belong to it; what is then still a short table belongs to the text.
    become_other(&mut runs, Look::Text, SHORT_TEXT, Look::Table);
    become_other(&mut runs, Look::Table, SHORT_TABLE, Look::Text);
    let binary = runs.iter().map(|&(look, len)| match look {
        Look::Table => (Look::Binary, len),
        _ => (look, len),
    });
    let mut runs = join(binary);
    become_other(&mut runs, Look::Text, SHORT_TEXT, Look::Binary);
    let mut at = 0;
    let count = runs.len();
    for i in 0..count {
        let (look, len) = runs[i];
        let mut end = at + len;
        if look == Look::Text && i + 1 < count {
            // Where the text ends inside the next window, or ended inside its own last one.
            let from = end - WINDOW.min(len);
            let to = (end + WINDOW).min(raw.len());
            let odd = raw[from..to].iter().position(|&byte| is_odd(byte));
            let cut = odd
                .map_or(end, |odd| from + odd)
                .clamp(at + 1, end + runs[i + 1].1 - 1);
            let moved = cut as isize - end as isize;
            runs[i + 1].1 = (runs[i + 1].1 as isize - moved) as usize;
            end = cut;
        }
        match look {
            Look::Text => add(parts, PartKind::Text, end - at),
            Look::Table | Look::Binary => {
                let padding = match i {
                    0 => 0,
                    _ => padding(&raw[at..end], range.start + at),
                };
                add(parts, PartKind::Padding, padding);
                at += padding;
                noise(&raw[at..end], parts);
            }
        }
        at = end;
    }
}

/// What lies between bytes that no text has, is short and has words for at least a quarter, is text: a small file in an archive.
fn small_files(runs: &mut Vec<Run>) {
    let count = runs.len();
    let mut begin = 0;
    while begin < count {
        let inner = |run: &&Run| run.0 != Look::Binary;
        let stretch = runs[begin..].iter().take_while(inner).count();
        let end = begin + stretch;
        if stretch > 1 && (begin > 0 || end < count) {
            let len: usize = runs[begin..end].iter().map(|run| run.1).sum();
            let words = runs[begin..end].iter().filter(|run| run.0 == Look::Text);
            let words: usize = words.map(|run| run.1).sum();
            if len < SHORT_TABLE && words * 4 >= len {
                runs[begin..end]
                    .iter_mut()
                    .for_each(|run| run.0 = Look::Text);
            }
        }
        begin = end + 1;
    }
    *runs = join(std::mem::take(runs).into_iter());
}

/// How many bytes behind a text are zeros up to where an archive's next header begins. Without them the headers
/// lie at equal distances, which the contexts learn.
fn padding(raw: &[u8], at: usize) -> usize {
    let len = padding_at(at);
    let is_padding = raw.len() >= len + ALIGNMENT && raw[..len].iter().all(|&byte| byte == 0);
    if is_padding { len } else { 0 }
}

/// Joins neighbours of one look.
fn join(runs: impl Iterator<Item = Run>) -> Vec<Run> {
    let mut joined: Vec<Run> = Vec::new();
    for (look, len) in runs {
        match joined.last_mut() {
            Some((last, sum)) if *last == look => *sum += len,
            _ => joined.push((look, len)),
        }
    }
    joined
}

/// Runs of a look of less than `short` bytes become another, if they touch a run of it, and no end of the bytes.
fn become_other(runs: &mut Vec<Run>, look: Look, short: usize, other: Look) {
    let count = runs.len();
    let looks: Vec<Look> = runs.iter().map(|run| run.0).collect();
    let changed = runs.iter().enumerate().map(|(i, &(own, len))| {
        let inner = i > 0 && i + 1 < count;
        let touches = |i: usize| looks[i] == other;
        match own == look && len < short && inner && (touches(i - 1) || touches(i + 1)) {
            true => (other, len),
            false => (own, len),
        }
    });
    *runs = join(changed);
}

/// Splits what is not text into what contexts may learn and noise.
fn noise(raw: &[u8], parts: &mut Vec<Part>) {
    for window in raw.chunks(NOISE_WINDOW) {
        let noise = window.len() == NOISE_WINDOW && bits_per_byte(window) >= NOISE;
        let kind = if noise {
            PartKind::Stored
        } else {
            PartKind::Bytes
        };
        add(parts, kind, window.len());
    }
}

/// Bytes that text does not have.
fn is_odd(byte: u8) -> bool {
    byte < 32 && !matches!(byte, b'\t' | b'\n' | b'\r' | 12 | 27)
}

/// Whether a model of language is worth its time on a window.
fn look(window: &[u8]) -> Look {
    let n = window.len();
    let (mut odd, mut letters, mut digits, mut spaces, mut same) = (0, 0, 0, 0, 0);
    let mut last = None;
    for &byte in window {
        odd += usize::from(is_odd(byte));
        letters += usize::from(byte.is_ascii_alphabetic() || byte >= 128);
        digits += usize::from(byte.is_ascii_digit());
        spaces += usize::from(byte.is_ascii_whitespace());
        same += usize::from(last == Some(byte));
        last = Some(byte);
    }
    let garbled: usize = window
        .utf8_chunks()
        .map(|chunk| chunk.invalid().len())
        .sum();
    // A character may be cut at either end.
    let garbled = garbled.saturating_sub(6);
    if (odd + garbled) * 64 > n {
        return Look::Binary;
    }
    if same * 2 > n || digits * 2 > n || (letters + spaces) * 4 < n {
        return Look::Table;
    }
    let ascii_words = window.iter().all(u8::is_ascii) && n == WINDOW;
    match ascii_words && spaces * 100 < n && is_dense(window) {
        true => Look::Table,
        false => Look::Text,
    }
}

/// Whether no punctuation or space separates anything for long: base64 and the like.
fn is_dense(window: &[u8]) -> bool {
    let longest = window
        .split(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'+' | b'/'))
        .map(<[u8]>::len)
        .max();
    longest.unwrap_or(0) >= 60
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise_of(n: usize) -> Vec<u8> {
        let mut state = 7u64;
        let next = |_| {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 56) as u8
        };
        (0..n).map(next).collect()
    }

    fn text(n: usize) -> Vec<u8> {
        // No long repeats in it.
        let words = [
            "some", "words", "that", "follow", "each", "other", "in", "no", "order",
        ];
        let mut text = String::new();
        for byte in noise_of(n) {
            text += words[usize::from(byte) % words.len()];
            text += if byte % 11 == 0 { ".\n" } else { " " };
        }
        text.truncate(n);
        text.into_bytes()
    }

    fn kinds(parts: &[Part]) -> Vec<PartKind> {
        parts.iter().map(|part| part.kind).collect()
    }

    #[test]
    fn parts_make_up_the_group() {
        for raw in [
            Vec::new(),
            b"a".to_vec(),
            text(3000),
            noise_of(20_000),
            vec![0; 5000],
            [text(1500), vec![0; 548], noise_of(9000), text(800)].concat(),
        ] {
            let parts = route(&raw);
            assert_eq!(parts.iter().map(|part| part.len).sum::<usize>(), raw.len());
            assert!(parts.iter().all(|part| part.len > 0));
        }
    }

    #[test]
    fn each_goes_where_it_belongs() {
        assert_eq!(kinds(&route(&text(3000))), [PartKind::Text]);
        assert_eq!(kinds(&route(b"hi")), [PartKind::Text]);
        assert_eq!(kinds(&route(&noise_of(8192))), [PartKind::Stored]);
        let table: Vec<u8> = (0..1000u32).flat_map(|i| (i * i).to_le_bytes()).collect();
        assert_eq!(kinds(&route(&table)), [PartKind::Bytes]);
        let zeros = route(&vec![0; 1 << 20]);
        assert_eq!(zeros.len(), 2);
        assert!(matches!(zeros[1].kind, PartKind::Copy(_)));
    }

    #[test]
    fn text_in_an_archive_ends_where_it_ends() {
        // A header, 1,300 bytes of text, padding, another header.
        let raw = [
            &[1u8, 0, 2, 0].repeat(128)[..],
            &text(1300),
            &[0; 236],
            &[3u8, 0, 1].repeat(171)[..512],
        ]
        .concat();
        let parts = route(&raw);
        let expected = [
            (PartKind::Bytes, 512),
            (PartKind::Text, 1300),
            (PartKind::Padding, 236),
            (PartKind::Bytes, 512),
        ];
        let found: Vec<_> = parts.iter().map(|part| (part.kind, part.len)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_small_file_in_an_archive_is_text_for_its_words() {
        // Words, a table, words, and not as much of each as makes a part of its own.
        let table: String = (0..40u32)
            .map(|i| format!("|{:5}|{:4}|--\n", i * i * 61, i * 17))
            .collect();
        let file = [&text(400)[..], table.as_bytes(), &text(300)].concat();
        let padded = file.len().next_multiple_of(512) - file.len();
        let header = [1u8, 0, 2, 0].repeat(128);
        let raw = [
            &header[..],
            &file,
            &vec![0; padded],
            &[5, 0, 7, 9].repeat(128),
        ]
        .concat();
        let found: Vec<_> = route(&raw)
            .iter()
            .map(|part| (part.kind, part.len))
            .collect();
        assert_eq!(
            found[..2],
            [(PartKind::Bytes, 512), (PartKind::Text, file.len())]
        );
    }

    #[test]
    fn windows_lie_where_the_group_has_them() {
        // A repeat of an odd length before a header: the text behind it begins where it begins.
        let noise = noise_of(1100);
        let header = [1u8, 0, 2, 0].repeat(128);
        let raw = [
            &noise[..700],
            &noise[..600],
            &[9; 236],
            &header,
            &text(2000),
        ]
        .concat();
        assert_eq!(raw.len() - 2000, 2048);
        let parts = route(&raw);
        assert_eq!(
            parts.last().map(|part| (part.kind, part.len)),
            Some((PartKind::Text, 2000))
        );
        assert!(
            parts.iter().any(|part| part.kind == PartKind::Copy(700)),
            "{parts:?}"
        );
    }
}
