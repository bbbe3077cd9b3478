//! Attempts to get out, before a program of a model is run.

use std::net::TcpListener;
use std::time::Duration;

use super::command;
use super::parts::{Limits, Parts};

/// A file outside that a program must not see.
const SECRET: &str = "lmz-eval-secret";

/// Runs programs that try to get out. Each prints `held` if it was held.
pub(super) fn run(sandbox: &Parts) -> Result<(), String> {
    let outside = tempfile::tempdir().map_err(|error| error.to_string())?;
    let secret = outside.path().join(SECRET);
    std::fs::write(&secret, SECRET).map_err(|error| error.to_string())?;
    // It listens until all have tried.
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let port = listener
        .local_addr()
        .map_err(|error| error.to_string())?
        .port();
    let home = std::env::var("HOME").unwrap_or("/root".into());
    let limits = Limits {
        time: Duration::from_secs(10),
        ..Limits::default()
    };
    let known = sandbox.python.directories.iter();
    let known: Vec<String> = known
        .map(|path| path.to_string_lossy().into_owned())
        .collect();
    for (what, program) in attempts(port, &secret.to_string_lossy(), &home, &known) {
        let ended = command::run(sandbox, &program, limits).map_err(|error| error.to_string())?;
        if !(ended.passed() && ended.output.trim() == "held") {
            return Err(format!("{what} ({})", ended.reason()));
        }
    }
    let short = Limits {
        time: Duration::from_millis(300),
        ..limits
    };
    let ended = command::run(sandbox, "import time\ntime.sleep(60)\n", short);
    drop(listener);
    match ended.map_err(|error| error.to_string())?.why {
        Some(_) => Ok(()),
        None => Err("a program that sleeps was not ended".into()),
    }
}

/// Looks for anything at home but Python's directories and the way to them.
const AT_HOME: &str = "import os
if home in known: raise SystemExit('Python is the home directory')
for place, directories, files in os.walk(os.path.realpath(home)):
    others = [os.path.join(place, name) for name in directories]
    others = [path for path in others if path not in known]
    directories[:] = [os.path.basename(path) for path in others]
    if files or any(not any(one.startswith(path + '/') for one in known) for path in others): break
else:
    raise OSError";

fn attempts(port: u16, secret: &str, home: &str, known: &[String]) -> Vec<(&'static str, String)> {
    let held = |what: &'static str, attempt: String| {
        let indented = attempt.replace('\n', "\n    ");
        (
            what,
            format!(
                "try:\n    {indented}\nexcept (OSError, PermissionError):\n    print('held')\n"
            ),
        )
    };
    vec![
        ("a program does not run at all", "print('held')\n".into()),
        held(
            "a program reaches the network",
            format!("import socket\nsocket.create_connection(('127.0.0.1', {port}), 2)"),
        ),
        held("a program reads files outside", format!("open({secret:?}).read()")),
        held(
            "a program reads the home directory",
            format!("home, known = {home:?}, {known:?}\n{AT_HOME}"),
        ),
        held("a program writes to the system", "open('/usr/lmz-eval', 'w')".into()),
        held("a program writes beside itself", "open('/program/x', 'w')".into()),
        held("a program makes other processes", "import os\nif os.fork() == 0: os._exit(0)".into()),
        held(
            "a program sees the environment of bubblewrap",
            "if not open('/proc/1/environ', 'rb').read().strip(b'\\0'): raise OSError".into(),
        ),
        (
            "a program sees the environment",
            "import os\nprint('held' if not set(os.environ) - {'PATH', 'HOME', 'TMPDIR', 'LANG', 'PWD', 'MPLBACKEND', \
             'LC_CTYPE', 'OPENBLAS_NUM_THREADS', 'OMP_NUM_THREADS', 'MKL_NUM_THREADS'} else dict(os.environ))\n"
                .into(),
        ),
    ]
}
