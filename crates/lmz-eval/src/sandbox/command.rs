//! A program in the sandbox, from its start to its end.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::parts::{Limits, Parts};
use crate::error::{EvalError, Result};

/// How long a program may take to be gone when it was ended.
const GRACE: Duration = Duration::from_millis(10);

/// Sets limits that cannot be raised again, and becomes the program. Standard input was the filter, and is closed.
const START: &str = r#"import os, resource as r, sys
os.open("/dev/null", os.O_RDONLY)
seconds, memory, files, python = sys.argv[1:5]
def limit(kind, value):
    r.setrlimit(kind, (value, value))
limit(r.RLIMIT_CPU, int(seconds))
limit(r.RLIMIT_AS, int(memory))
limit(r.RLIMIT_FSIZE, int(files))
limit(r.RLIMIT_CORE, 0)
limit(r.RLIMIT_NOFILE, 128)
os.execv(python, [python, "-I", "-B", "-u", "/program/main.py"])
"#;

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code; none if it was ended.
    pub code: Option<i32>,
    /// Why it was ended.
    pub why: Option<&'static str>,
    /// What it printed, standard error included, as far as it was kept.
    pub output: String,
}

impl Ended {
    /// Whether it ended by itself, and well.
    pub fn passed(&self) -> bool {
        self.code == Some(0)
    }

    /// What a person should know of a failure: why it was ended, or its last line.
    pub fn reason(&self) -> String {
        let last = self.output.trim().lines().last().unwrap_or_default();
        match self.why {
            Some(why) => why.to_owned(),
            None => last.chars().take(200).collect(),
        }
    }
}

/// Runs a program until it ends or has to be ended.
pub(super) fn run(sandbox: &Parts, source: &str, limits: Limits) -> Result<Ended> {
    let failed =
        |error: io::Error| EvalError::Sandbox(format!("the sandbox does not start: {error}"));
    let directory = tempfile::tempdir().map_err(failed)?;
    fs::write(directory.path().join("main.py"), source).map_err(failed)?;
    fs::write(directory.path().join("start.py"), START).map_err(failed)?;
    let mut filter = tempfile::tempfile().map_err(failed)?;
    filter.write_all(&sandbox.filter).map_err(failed)?;
    filter.rewind().map_err(failed)?;
    let (reader, writer) = io::pipe().map_err(failed)?;
    let errors = writer.try_clone().map_err(failed)?;
    let mut command = command(sandbox, directory.path(), filter, limits);
    command.stdout(writer).stderr(errors);
    let child = command.spawn().map_err(failed)?;
    // The child alone holds the pipe's other end now.
    drop(command);
    watch(child, reader, limits).map_err(failed)
}

fn command(sandbox: &Parts, program: &Path, filter: File, limits: Limits) -> Command {
    let python = &sandbox.python;
    let mut command = Command::new(&sandbox.bubblewrap);
    // Its own environment can be read inside, as that of process 1.
    command.env_clear();
    command.args([
        "--unshare-all",
        "--disable-userns",
        "--unshare-user",
        "--die-with-parent",
        "--new-session",
        "--cap-drop",
        "ALL",
        "--clearenv",
        "--uid",
        "65534",
        "--gid",
        "65534",
        "--hostname",
        "sandbox",
    ]);
    command.args(["--ro-bind", "/usr", "/usr"]);
    for link in ["bin", "sbin", "lib", "lib32", "lib64"] {
        let path = Path::new("/").join(link);
        if let Ok(target) = fs::read_link(&path) {
            command.arg("--symlink").arg(target).arg(&path);
        } else if path.is_dir() {
            command.arg("--ro-bind").arg(&path).arg(&path);
        }
    }
    for file in ["/etc/ld.so.cache", "/etc/localtime", "/etc/alternatives"] {
        command.args(["--ro-bind-try", file, file]);
    }
    command.args(["--proc", "/proc", "--dev", "/dev"]);
    command.args(["--size", &limits.files.to_string(), "--tmpfs", "/tmp"]);
    // Behind /tmp, which they may lie in.
    for directory in &python.directories {
        command.arg("--ro-bind").arg(directory).arg(directory);
    }
    command.arg("--ro-bind").arg(program).arg("/program");
    command.args([
        "--remount-ro",
        "/dev",
        "--remount-ro",
        "/",
        "--chdir",
        "/tmp",
    ]);
    for (name, value) in [
        ("PATH", "/usr/bin:/bin"),
        ("HOME", "/tmp"),
        ("TMPDIR", "/tmp"),
        ("LANG", "C.UTF-8"),
        ("MPLBACKEND", "Agg"),
        // Each thread of these takes address space.
        ("OPENBLAS_NUM_THREADS", "1"),
        ("OMP_NUM_THREADS", "1"),
        ("MKL_NUM_THREADS", "1"),
    ] {
        command.args(["--setenv", name, value]);
    }
    command.args(["--seccomp", "0"]).stdin(filter);
    let seconds = limits.time.as_secs().max(1) + 1;
    command
        .arg("--")
        .arg(&python.executable)
        .args(["-I", "-S", "-B", "/program/start.py"]);
    command.args([
        seconds.to_string(),
        limits.memory.to_string(),
        limits.files.to_string(),
    ]);
    command.arg(&python.executable);
    command
}

fn watch(mut child: Child, reader: io::PipeReader, limits: Limits) -> io::Result<Ended> {
    let (sender, receiver) = mpsc::channel();
    let most = limits.output;
    thread::spawn(move || {
        let mut kept = Vec::new();
        let read = reader.take(most as u64 + 1).read_to_end(&mut kept);
        // Nobody listens any more where the program was ended for its time.
        let _ = sender.send(read.map(|_| kept));
    });
    let begun = Instant::now();
    let mut output = None;
    let (code, why) = loop {
        let status = child.try_wait()?;
        match receiver.try_recv() {
            Ok(kept) => {
                let kept = kept?;
                let too_much = kept.len() > most;
                output = Some(kept);
                if too_much {
                    break (None, Some("it writes too much"));
                }
            }
            Err(mpsc::TryRecvError::Empty | mpsc::TryRecvError::Disconnected) => {}
        }
        if let Some(status) = status {
            // 137 and 152: ended by the limits on memory and on computing.
            break (status.code(), None);
        }
        if begun.elapsed() > limits.time {
            break (None, Some("it takes too long"));
        }
        thread::sleep(GRACE.min(Duration::from_millis(2) + begun.elapsed() / 20));
    };
    // The namespace's first process takes all others with it.
    let _ = child.kill();
    child.wait()?;
    let output = match output {
        Some(output) => output,
        None => receiver
            .recv_timeout(Duration::from_secs(1))
            .unwrap_or(Ok(Vec::new()))?,
    };
    let mut output = String::from_utf8_lossy(&output[..output.len().min(most)]).into_owned();
    output.truncate(output.floor_char_boundary(most));
    Ok(Ended { code, why, output })
}
