//! A file's text in pieces, of which only one is in memory.

use std::io::{BufRead, Read};

use serde::Deserialize;

use super::{TextFile, open};
use crate::error::{Result, TrainError};

/// The bytes of a piece, about: what shares one choice of line habits.
pub(crate) const PIECE: usize = 50_000;

/// The longest line of a file of documents.
pub(super) const MAX_LINE: u64 = 1 << 28;

/// Text from one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub domain: String,
    pub text: Vec<u8>,
}

#[derive(Deserialize)]
struct Line {
    text: Option<String>,
    content: Option<String>,
    domain: Option<String>,
}

/// The domain and the text of a line, if it is a document.
pub(super) fn document(line: &[u8]) -> Option<(Option<String>, String)> {
    let line: Line = serde_json::from_slice(line).ok()?;
    Some((line.domain, line.text.or(line.content)?))
}

impl TextFile {
    /// Calls `each` with every piece. A document ends with a line end.
    pub(super) fn pieces(&self, each: &mut dyn FnMut(Piece) -> Result<()>) -> Result<()> {
        let reader = open(&self.path, self.kind)?;
        match self.kind.documents {
            true => self.documents(reader, each),
            false => self.text(reader, each),
        }
    }

    fn documents(
        &self,
        mut reader: Box<dyn BufRead>,
        each: &mut dyn FnMut(Piece) -> Result<()>,
    ) -> Result<()> {
        let mut line = Vec::new();
        for number in 1_u64.. {
            line.clear();
            let mut bounded = (&mut reader).take(MAX_LINE);
            bounded
                .read_until(b'\n', &mut line)
                .map_err(TrainError::read(&self.path))?;
            if line.is_empty() {
                break;
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            let Some((domain, mut text)) = document(&line) else {
                return Err(TrainError::Corpus {
                    path: self.path.clone(),
                    reason: format!("line {number} is no JSON object with a text or content"),
                });
            };
            if !text.ends_with('\n') {
                text.push('\n');
            }
            let mut rest = text.as_str();
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(rest.floor_char_boundary(PIECE));
                each(Piece {
                    domain: domain.clone().unwrap_or_else(|| self.domain.clone()),
                    text: piece.into(),
                })?;
                rest = after;
            }
        }
        Ok(())
    }

    fn text(
        &self,
        mut reader: Box<dyn BufRead>,
        each: &mut dyn FnMut(Piece) -> Result<()>,
    ) -> Result<()> {
        let mut rest = Vec::new();
        loop {
            let wanted = (PIECE - rest.len()) as u64;
            let read = (&mut reader).take(wanted).read_to_end(&mut rest);
            let read = read.map_err(TrainError::read(&self.path))?;
            let end = read == 0 && rest.len() < PIECE;
            if end && rest.last().is_some_and(|&b| b != b'\n') {
                rest.push(b'\n');
            }
            // Between lines, where there are any.
            let cut = match rest.iter().rposition(|&b| b == b'\n') {
                Some(line_end) if !end => line_end + 1,
                _ => rest.len(),
            };
            if cut > 0 && (end || rest.len() >= PIECE) {
                let after = rest.split_off(cut);
                each(Piece {
                    domain: self.domain.clone(),
                    text: std::mem::replace(&mut rest, after),
                })?;
            }
            if end {
                return Ok(());
            }
        }
    }
}
