//! `lmz cat`: a part of a compressed file, without decoding the rest.

use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Parser;
use lmz::placement::Task;
use lmz::{ModelSource, Reader};

use crate::args::{RunArgs, bytes};
use crate::exit::Exit;
use crate::files::{fail, open_output, refuse_terminal};
use crate::io::input::Input;
use crate::io::output::Output;
use crate::io::source::Source;
use crate::settings::RunSettings;
use crate::terminal::message::Failure;
use crate::verb::{Entry, Verb, definition_of};

/// Bytes that are decoded and written at a time.
const PIECE: u64 = 4 << 20;

const LONG: &str = "\
Write a part of what a compressed file restores to. Only the segments that hold the part are decoded, so \
that a few bytes from the middle of a large file take no longer than its first ones.

Ranges count bytes from 0; the end is not part of them:
  1000..2000   from byte 1000 to byte 1999
  1M..+64K     64 KiB from 1 MiB on
  1M..         all from 1 MiB on
  ..4K         the first 4 KiB
The suffixes K, M and G stand for 1024 and its powers. What lies beyond the end is left out.";

/// `lmz cat`
#[derive(Clone, Debug, Parser)]
#[command(
    about = "Write a part of a compressed file, decoding no more than that",
    long_about = LONG,
    max_term_width = 100
)]
pub struct CatArgs {
    /// A compressed file; '-' is standard input
    #[arg(value_name = "FILE.lmz")]
    pub file: PathBuf,
    /// The part: A..B, A..+N, A.. or ..B [default: all]
    #[arg(short, long, value_name = "A..B", value_parser = parse_range)]
    pub range: Option<Range>,
    /// Write to PATH ('-' is standard output)
    #[arg(short, long, value_name = "PATH")]
    pub output: Option<PathBuf>,
    /// Overwrite PATH
    #[arg(short, long)]
    pub force: bool,
    #[command(flatten)]
    pub run: RunArgs,
}

/// Bytes of what was compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    from: u64,
    /// `u64::MAX` for the end.
    to: u64,
}

impl Verb for CatArgs {
    const NAME: &'static str = "cat";

    /// Writes the part.
    fn run(self, _: &[Entry]) -> Result<Exit, Failure> {
        let settings = RunSettings::resolve(self.run.clone(), true);
        let settings = settings.unwrap_or_else(|nonsense| nonsense.exit(definition_of::<Self>()));
        let prime = settings.read_prime()?;
        let source = Source::named(self.file.clone());
        refuse_terminal(&source, self.force)?;
        let input = Input::open(&source, true)?;
        let path = self.output.as_deref();
        let path = path.filter(|path| *path != Path::new("-"));
        let mut output = open_output(path, &input, self.force)?;
        let file = input.into_seekable()?;
        let models = settings.models(std::slice::from_ref(&source), Task::Decompress);
        let models = models
            .for_decompressing()
            .map_err(|error| Failure::Fatal(error.into()))?;
        let options = settings.decompress_options(prime);
        let open = Reader::open(BufReader::new(file), models, &options);
        let named = |error: lmz::CodecError| anyhow::Error::from(error).context(source.to_string());
        let mut reader = open.map_err(named)?;
        let Range { from, to } = self.range.unwrap_or(Range {
            from: 0,
            to: u64::MAX,
        });
        if from > reader.len() {
            return Err(anyhow!(
                "{source}: byte {from} is beyond the end: the file restores to {} bytes",
                reader.len()
            )
            .into());
        }
        let to = to.min(reader.len());
        write(&mut reader, from, to, &mut output).map_err(|error| match error {
            Stopped::Read(error) => fail(&output, named(error)),
            Stopped::Write(error) => fail(&output, error.into()),
        })?;
        output.commit(None).map_err(|error| fail(&output, error))?;
        Ok(Exit::Success)
    }
}

enum Stopped {
    Read(lmz::CodecError),
    Write(io::Error),
}

fn write<R: io::Read + io::Seek, S: ModelSource>(
    reader: &mut Reader<R, S>,
    mut from: u64,
    to: u64,
    output: &mut Output,
) -> Result<(), Stopped> {
    let mut buffer = vec![0; to.saturating_sub(from).min(PIECE) as usize];
    while from < to {
        let piece = (to - from).min(PIECE) as usize;
        let n = reader
            .read_at(from, &mut buffer[..piece])
            .map_err(Stopped::Read)?;
        if n == 0 {
            break;
        }
        output.write_all(&buffer[..n]).map_err(Stopped::Write)?;
        from += n as u64;
    }
    Ok(())
}

/// `1000..2000`, `1M..+64K`, `1M..`, `..4K`
fn parse_range(text: &str) -> Result<Range, String> {
    let (from, to) = text
        .split_once("..")
        .ok_or("not of the form A..B, A..+N, A.. or ..B")?;
    let from = if from.is_empty() {
        0
    } else {
        bytes::exact(from)?
    };
    let to = match to.strip_prefix('+') {
        Some(length) => from
            .checked_add(bytes::exact(length)?)
            .ok_or("more than 2^64 bytes")?,
        None if to.is_empty() => u64::MAX,
        None => bytes::exact(to)?,
    };
    if to < from {
        return Err(format!("the end, {to}, lies before the beginning, {from}"));
    }
    Ok(Range { from, to })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_documented() {
        for (text, from, to) in [
            ("1000..2000", 1000, 2000),
            ("1M..+64K", 1 << 20, (1 << 20) + (64 << 10)),
            ("1M..", 1 << 20, u64::MAX),
            ("..4K", 0, 4096),
            ("..", 0, u64::MAX),
            ("7..7", 7, 7),
            ("1G..+1", 1 << 30, (1 << 30) + 1),
        ] {
            assert_eq!(parse_range(text), Ok(Range { from, to }), "{text}");
        }
        for text in [
            "", "5", "5-6", "9..8", "a..b", "1T..", "-1..", "1..+", "..+-1", "1..2..3",
        ] {
            assert!(parse_range(text).is_err(), "{text}");
        }
        assert!(parse_range("18446744073709551615..+1").is_err());
        assert!(parse_range("99999999999G..").is_err());
    }
}
