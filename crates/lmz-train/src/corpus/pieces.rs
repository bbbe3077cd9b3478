//! A file's text in pieces, of which only one is in memory.

use std::io::{BufRead, Read};

use lmz_corpus::{Document, Form, Line, Skipped};

use super::file::TextFile;
use crate::error::{Result, TrainError};

/// The bytes of a piece, about: what shares one choice of line habits.
pub(crate) const PIECE: usize = 50_000;

/// Text from one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub domain: String,
    pub text: Vec<u8>,
}

impl TextFile {
    /// Calls `each` with every piece. A document ends with a line end.
    pub(super) fn pieces(
        &self,
        skipped: &mut Skipped,
        each: &mut dyn FnMut(Piece) -> Result<()>,
    ) -> Result<()> {
        match self.source.form {
            Form::Lines => self.documents(skipped, each),
            Form::Text => self.text(self.source.open()?, each),
        }
    }

    fn documents(
        &self,
        skipped: &mut Skipped,
        each: &mut dyn FnMut(Piece) -> Result<()>,
    ) -> Result<()> {
        for line in self.source.documents(None)? {
            let line = line.map_err(TrainError::read(&self.source.path))?;
            skipped.count(&line);
            let Line::Document(Document { mut text, domain }) = line else {
                continue;
            };
            if text.is_empty() {
                continue;
            }
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
            let read = read.map_err(TrainError::read(&self.source.path))?;
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
