//! Other programs that turn a format into text: bytes in, text out, in bounded time.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::super::limits::MAX_ITEM_BYTES;

/// How long a program may take for one document.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program that reads its standard input and writes text.
#[derive(Clone, Debug)]
pub struct Tool {
    program: &'static str,
    arguments: &'static [&'static str],
    /// The first line of what it says of its version.
    pub version: String,
}

/// Why a program gave no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToolFault {
    /// It did not begin, failed, or wrote something else than text.
    Failed,
    /// It took too long, or wrote too much.
    Endless,
}

impl Tool {
    /// The program, if it is installed.
    pub fn find(
        program: &'static str,
        version: &str,
        arguments: &'static [&'static str],
    ) -> Option<Self> {
        let said = Command::new(program)
            .arg(version)
            .stdin(Stdio::null())
            .output()
            .ok()?;
        // pdftotext says it on standard error.
        let words = [said.stdout, said.stderr].concat();
        let version = String::from_utf8_lossy(&words)
            .lines()
            .next()?
            .trim()
            .to_owned();
        Some(Self {
            program,
            arguments,
            version,
        })
    }

    /// What it makes of `input`.
    ///
    /// # Errors
    /// It fails, or does not end.
    pub fn run(&self, input: &[u8]) -> Result<String, ToolFault> {
        let child = Command::new(self.program)
            .args(self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut child = child.map_err(|_| ToolFault::Failed)?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let begun = Instant::now();
        let (text, ended) = thread::scope(|scope| {
            // It may end before it has read all; what it writes tells whether that was right.
            scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input)));
            let reader = scope.spawn(move || {
                let mut text = Vec::new();
                let read = stdout.map(|out| out.take(MAX_ITEM_BYTES + 1).read_to_end(&mut text));
                (read.is_some_and(|read| read.is_ok()), text)
            });
            let mut ended = None;
            while begun.elapsed() < PATIENCE && ended.is_none() {
                ended = child.try_wait().ok().flatten();
                if ended.is_none() {
                    if reader.is_finished() {
                        thread::sleep(Duration::from_millis(1));
                    }
                    thread::sleep(Duration::from_millis(2));
                }
                let too_much = reader.is_finished()
                    && ended.is_none()
                    && begun.elapsed() > Duration::from_secs(5);
                if too_much {
                    break;
                }
            }
            if ended.is_none() {
                _ = child.kill();
                _ = child.wait();
            }
            (reader.join().unwrap_or((false, Vec::new())), ended)
        });
        let (read, bytes) = text;
        let Some(status) = ended else {
            return Err(ToolFault::Endless);
        };
        if bytes.len() as u64 > MAX_ITEM_BYTES {
            return Err(ToolFault::Endless);
        }
        match status.success() && read {
            true => String::from_utf8(bytes).map_err(|_| ToolFault::Failed),
            false => Err(ToolFault::Failed),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_run_and_given_up() {
        assert!(Tool::find("no-such-program-here", "--version", &[]).is_none());
        let tool = |arguments| Tool {
            program: "sh",
            arguments,
            version: String::new(),
        };
        assert_eq!(tool(&["-c", "tr a b"]).run(b"banana"), Ok("bbnbnb".into()));
        assert_eq!(
            tool(&["-c", "cat >/dev/null; exit 3"]).run(b"a"),
            Err(ToolFault::Failed)
        );
        assert_eq!(
            tool(&["-c", "printf '\\377'"]).run(b""),
            Err(ToolFault::Failed)
        );
        let endless = tool(&["-c", "yes | head -c 20000000"]).run(b"");
        assert_eq!(endless, Err(ToolFault::Endless));
    }
}
