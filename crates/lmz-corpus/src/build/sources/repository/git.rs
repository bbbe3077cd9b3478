//! A repository on this machine, read through git's plumbing: nothing of it is checked out, and nothing that it configures
//! (hooks, filters, signatures) is run.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::error::{CorpusError, Result};

/// A file of a commit.
pub struct Blob {
    pub path: String,
    id: String,
}

/// The commit that HEAD is.
pub struct Repository {
    pub commit: String,
    /// When it was committed, in seconds since 1970.
    pub time: i64,
    /// Its regular files, in the order of git's trees.
    pub blobs: Vec<Blob>,
    reader: Reader,
}

fn git(path: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(path)
        .args([
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.hooksPath=/dev/null",
        ])
        .args(arguments);
    command
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::null());
    command
}

fn output(path: &Path, arguments: &[&str]) -> Result<Vec<u8>> {
    let done = git(path, arguments).output().map_err(|error| {
        CorpusError::Refused(format!("git is needed to read {}: {error}", path.display()))
    })?;
    match done.status.success() {
        true => Ok(done.stdout),
        false => {
            let said = String::from_utf8_lossy(&done.stderr);
            Err(CorpusError::not_a_corpus(
                path,
                said.lines()
                    .next()
                    .unwrap_or("git does not read it")
                    .to_owned(),
            ))
        }
    }
}

impl Repository {
    /// Opens the repository at `path`.
    ///
    /// # Errors
    /// git is not installed, or does not read it; it has no commit.
    pub fn open(path: &Path) -> Result<Self> {
        let commit = output(
            path,
            &["rev-parse", "--verify", "--end-of-options", "HEAD^{commit}"],
        )?;
        let commit = String::from_utf8_lossy(&commit).trim().to_owned();
        let listing = output(path, &["ls-tree", "-r", "-z", "--full-tree", &commit])?;
        let blobs = listing.split(|b| *b == 0).filter_map(|entry| {
            let entry = std::str::from_utf8(entry).ok()?;
            let (head, path) = entry.split_once('\t')?;
            let mut head = head.split(' ');
            // Links (120000) and submodules (160000) are no files.
            let mode = head.next()?;
            let id = head.nth(1)?;
            (mode == "100644" || mode == "100755").then(|| Blob {
                path: path.to_owned(),
                id: id.to_owned(),
            })
        });
        let blobs = blobs.collect();
        let mut reader = Reader::open(path)?;
        let bytes = reader.read(&commit, 1 << 20)?.unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let time = text.lines().find_map(|line| {
            let rest = line.strip_prefix("committer ")?.rsplit_once("> ")?.1;
            rest.split(' ').next()?.parse().ok()
        });
        Ok(Self {
            commit,
            time: time.unwrap_or(0),
            blobs,
            reader,
        })
    }

    /// A file's bytes; `None` if they are more than `most`.
    ///
    /// # Errors
    /// git ends, or does not find it.
    pub fn read(&mut self, number: usize, most: u64) -> Result<Option<Vec<u8>>> {
        let id = self.blobs[number].id.clone();
        self.reader.read(&id, most)
    }
}

/// `git cat-file --batch`.
struct Reader {
    child: Child,
    stdout: BufReader<ChildStdout>,
    path: std::path::PathBuf,
}

impl Reader {
    fn open(path: &Path) -> Result<Self> {
        let io = CorpusError::io(path);
        let mut command = git(path, &["cat-file", "--batch"]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().map_err(&io)?;
        let stdout = child
            .stdout
            .take()
            .ok_or_else(|| io(std::io::ErrorKind::BrokenPipe.into()))?;
        Ok(Self {
            child,
            stdout: BufReader::with_capacity(1 << 16, stdout),
            path: path.to_owned(),
        })
    }

    fn read(&mut self, id: &str, most: u64) -> Result<Option<Vec<u8>>> {
        let io = CorpusError::io(&self.path);
        if let Some(stdin) = &mut self.child.stdin {
            stdin
                .write_all(format!("{id}\n").as_bytes())
                .and_then(|()| stdin.flush())
                .map_err(&io)?;
        }
        let mut head = String::new();
        (&mut self.stdout)
            .take(1 << 12)
            .read_line(&mut head)
            .map_err(&io)?;
        // "ID TYPE SIZE", or "ID missing".
        let Some(size) = head
            .trim()
            .rsplit_once(' ')
            .and_then(|(_, size)| size.parse::<u64>().ok())
        else {
            let reason = format!("object {id} is missing: a partial clone, or a damaged one");
            return Err(CorpusError::not_a_corpus(&self.path, reason));
        };
        let mut bytes = Vec::new();
        let mut body = (&mut self.stdout).take(size);
        if size <= most {
            body.read_to_end(&mut bytes).map_err(&io)?;
        } else {
            std::io::copy(&mut body, &mut std::io::sink()).map_err(&io)?;
        }
        let mut end = [0; 1];
        self.stdout.read_exact(&mut end).map_err(&io)?;
        Ok((size <= most).then_some(bytes))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It ends when its input does; one that does not is ended.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
