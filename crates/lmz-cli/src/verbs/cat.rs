//! `lmz cat`: a part of a compressed file, without decoding the rest.

use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Parser;
use clap::error::ErrorKind;
use lmz::placement::{Models, Task};
use lmz::{DecompressOptions, ModelSource, Reader};

use crate::args::{RunArgs, bytes};
use crate::exit::Exit;
use crate::files::{fail, open_output, refuse_terminal};
use crate::io::input::Input;
use crate::io::output::{How, Output};
use crate::io::source::Source;
use crate::settings::{Nonsense, RunSettings};
use crate::terminal::message::Failure;
use crate::terminal::signal;
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
    /// Compressed files, one after the other; '-' is standard input
    #[arg(value_name = "FILE.lmz", required = true)]
    pub files: Vec<PathBuf>,
    /// The part of each: A..B, A..+N, A.. or ..B [default: all]
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

    /// Writes the parts.
    fn run(self, _: &[Entry]) -> Result<Exit, Failure> {
        let settings = RunSettings::resolve(self.run.clone(), true);
        let settings = settings.unwrap_or_else(|nonsense| nonsense.exit(definition_of::<Self>()));
        let prime = settings.read_prime()?;
        let sources = Source::all(self.files.clone()).unwrap_or_else(|message| {
            let nonsense = Nonsense::new(ErrorKind::TooManyValues, message);
            nonsense.exit(definition_of::<Self>())
        });
        let models = settings.models(&sources, Task::Decompress);
        let options = settings.decompress_options(prime);
        let path = self.output.as_deref();
        let path = path.filter(|path| *path != Path::new("-"));
        if let Some(path) = path
            && sources.len() > 1
        {
            return self.all_into(path, &sources, &models, &options);
        }
        let mut exit = Exit::Success;
        for source in &sources {
            let done = self.one(source, path, &models, &options);
            signal::end_if_interrupted();
            if let Err(failure) = done {
                exit = failure.exit();
                failure.end_if_broken_pipe();
                failure.print(&source.to_string());
                if matches!(failure, Failure::Fatal(_)) {
                    break;
                }
            }
        }
        Ok(exit)
    }
}

impl CatArgs {
    /// One file to its own output.
    fn one(
        &self,
        source: &Source,
        path: Option<&Path>,
        models: &Models,
        options: &DecompressOptions,
    ) -> Result<(), Failure> {
        refuse_terminal(source, self.force)?;
        let input = Input::open(source, true)?;
        let mut output = open_output(path, &input, self.how())?;
        self.part(input, &mut output, models, options)?;
        output.commit(None).map_err(|error| fail(&output, error))
    }

    /// All files to one output, which gets its name if none of them failed.
    fn all_into(
        &self,
        path: &Path,
        sources: &[Source],
        models: &Models,
        options: &DecompressOptions,
    ) -> Result<Exit, Failure> {
        let mut output = Output::file(path, self.how())?;
        for source in sources {
            refuse_terminal(source, self.force)?;
            let named = |error: anyhow::Error| Failure::File(error.context(source.to_string()));
            let input = Input::open(source, true).map_err(named)?;
            let done = self.part(input, &mut output, models, options);
            done.map_err(|failure| match failure {
                Failure::File(error) => named(error),
                other => other,
            })?;
        }
        output.commit(None).map_err(|error| fail(&output, error))?;
        Ok(Exit::Success)
    }

    fn how(&self) -> How {
        How {
            force: self.force,
            quiet: self.run.talk.quiet,
            ..How::default()
        }
    }

    /// The part of one file.
    fn part(
        &self,
        input: Input,
        output: &mut Output,
        models: &Models,
        options: &DecompressOptions,
    ) -> Result<(), Failure> {
        let file = input.into_seekable()?;
        let models = models
            .for_decompressing()
            .map_err(|error| Failure::Fatal(error.into()))?;
        let open = Reader::open(BufReader::new(file), models, options);
        let mut reader = open.map_err(anyhow::Error::from)?;
        let Range { from, to } = self.range.unwrap_or(Range {
            from: 0,
            to: u64::MAX,
        });
        if from > reader.len() {
            return Err(anyhow!(
                "byte {from} is beyond the end: the file restores to {} bytes",
                reader.len()
            )
            .into());
        }
        let to = to.min(reader.len());
        write(&mut reader, from, to, output).map_err(|error| match error {
            Stopped::Read(error) => fail(output, error.into()),
            Stopped::Write(error) => fail(output, error.into()),
        })
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
