//! Texts to compare with: whatever benchmarks and training data are kept in.

use std::io::Read;
use std::path::Path;

use serde_json::Value;

use super::super::counts::Counts;
use super::super::limits::MAX_LINE_BYTES;
use super::super::sources::folder::lines;
use super::super::text::{decode, is_binary};
use crate::error::{CorpusError, Result};
use crate::files::{Form, Selection, SourceFile, files};

/// How much of a text file is one text at most: longer ones are cut, at the end of a line.
const PIECE: usize = 4 << 20;

/// A document of a corpus.
pub struct Entry {
    /// Which file, and which line of it from 1; 0 if the file is the document.
    pub place: (usize, u64),
    pub text: String,
    /// The line as it is, for who wants to write it.
    pub line: Vec<u8>,
}

/// The files at `path`.
///
/// # Errors
/// There are none.
pub fn text_files(path: &Path) -> Result<Vec<SourceFile>> {
    files(path, Selection::AnyText)
}

/// Calls `each` for the documents of a file of a corpus.
///
/// # Errors
/// The file cannot be read; those of `each`.
pub fn documents(
    file: &SourceFile,
    number: usize,
    counts: &mut Counts,
    each: &mut dyn FnMut(Entry) -> Result<()>,
) -> Result<()> {
    let mut stream = file.open()?;
    if file.form == Form::Lines {
        let read = lines(&mut stream, counts, &mut |place, line, counts| {
            let text = match serde_json::from_slice::<Value>(&line) {
                Ok(Value::Object(mut object)) => {
                    ["content", "text"]
                        .into_iter()
                        .find_map(|field| match object.remove(field) {
                            Some(Value::String(text)) => Some(text),
                            _ => None,
                        })
                }
                _ => None,
            };
            match text {
                Some(text) => each(Entry {
                    place: (number, place),
                    text,
                    line,
                }),
                None => {
                    counts.one("skipped: lines that are no documents");
                    Ok(())
                }
            }
        })?;
        return read.map_err(CorpusError::io(&file.path));
    }
    let mut bytes = Vec::new();
    let read = stream.take(MAX_LINE_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(CorpusError::io(&file.path))?;
    if bytes.len() as u64 > MAX_LINE_BYTES {
        counts.one("skipped: file too long");
        return Ok(());
    }
    let text = decode(&bytes, None).0;
    each(Entry {
        place: (number, 0),
        text,
        line: Vec::new(),
    })
}

/// Calls `each` for the texts of a file to compare with: of JSON all strings, those of a line or of the file as one text.
///
/// # Errors
/// The file cannot be read; those of `each`.
pub fn texts(
    file: &SourceFile,
    counts: &mut Counts,
    each: &mut dyn FnMut(String) -> Result<()>,
) -> Result<()> {
    let io = CorpusError::io(&file.path);
    let mut stream = file.open()?;
    if file.form == Form::Lines {
        let read = lines(
            &mut stream,
            counts,
            &mut |_, line, counts| match serde_json::from_slice::<Value>(&line) {
                Ok(value) => each(strings(&value)),
                Err(_) => {
                    counts.one("skipped: bad JSON");
                    Ok(())
                }
            },
        )?;
        return read.map_err(io);
    }
    let name = file.path.to_string_lossy().to_ascii_lowercase();
    if name
        .trim_end_matches(".gz")
        .trim_end_matches(".zst")
        .ends_with(".json")
    {
        let mut bytes = Vec::new();
        stream
            .take(4 * MAX_LINE_BYTES)
            .read_to_end(&mut bytes)
            .map_err(&io)?;
        if let Ok(value) = serde_json::from_slice::<Value>(&bytes) {
            return each(strings(&value));
        }
        return each(decode(&bytes, None).0);
    }
    let mut piece = Vec::new();
    loop {
        let n = (&mut stream)
            .take((PIECE - piece.len().min(PIECE)) as u64)
            .read_to_end(&mut piece)
            .map_err(&io)?;
        if piece.is_empty() {
            return Ok(());
        }
        if is_binary(&piece) {
            counts.one("skipped: no text");
            return Ok(());
        }
        // A sequence of words over a cut is lost, unless the cut is where there is none.
        let cut = match piece.iter().rposition(|b| *b == b'\n') {
            Some(at) if n > 0 && piece.len() >= PIECE => at + 1,
            _ => piece.len(),
        };
        each(decode(&piece[..cut], None).0)?;
        piece.drain(..cut);
        if n == 0 {
            return Ok(());
        }
    }
}

/// All strings of a value, a line each.
fn strings(value: &Value) -> String {
    fn put(value: &Value, out: &mut String) {
        match value {
            Value::String(text) => {
                out.push_str(text);
                out.push('\n');
            }
            Value::Array(values) => values.iter().for_each(|value| put(value, out)),
            Value::Object(fields) => fields.values().for_each(|value| put(value, out)),
            _ => {}
        }
    }
    let mut out = String::new();
    put(value, &mut out);
    out
}
