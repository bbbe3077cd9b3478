//! Programs that try to get out of the sandbox.

use std::fs;
use std::net::TcpListener;
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use lmz_eval::sandbox::{Ended, Limits, Sandbox};

/// Its own test takes a while: once for all.
static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| Sandbox::open(None).unwrap());

fn run(source: &str) -> Ended {
    let limits = Limits {
        time: Duration::from_secs(5),
        ..Limits::default()
    };
    SANDBOX.run(source, limits).unwrap()
}

#[test]
#[ignore = "needs bubblewrap and python3"]
fn a_program_runs_and_its_failure_is_seen() {
    let ended = run("import math\nprint(math.factorial(5))\n");
    assert_eq!((ended.code, ended.output.as_str()), (Some(0), "120\n"));
    let ended = run("assert 1 == 2, 'not equal'\n");
    assert_eq!(
        (ended.code, ended.reason().as_str()),
        (Some(1), "AssertionError: not equal")
    );
    let ended = run("def f(:\n");
    assert!(
        !ended.passed() && ended.reason().contains("SyntaxError"),
        "{ended:?}"
    );
}

#[test]
#[ignore = "needs bubblewrap and python3"]
fn a_virtual_environment_brings_its_modules() {
    let directory = tempfile::tempdir().unwrap();
    let environment = directory.path().join("some environment");
    let made = Command::new("python3")
        .args(["-m", "venv", "--without-pip"])
        .arg(&environment)
        .status();
    assert!(made.unwrap().success());
    let packages = fs::read_dir(environment.join("lib"))
        .unwrap()
        .next()
        .unwrap();
    let packages = packages.unwrap().path().join("site-packages");
    fs::write(packages.join("only_here.py"), "answer = 42\n").unwrap();
    let other = Sandbox::open(Some(&environment.join("bin/python3"))).unwrap();
    assert!(other.has("only_here").unwrap() && !SANDBOX.has("only_here").unwrap());
    // One at home, as they are, shows the way to itself and nothing else there.
    let home = std::env::var("HOME").unwrap();
    if let Ok(at_home) = tempfile::tempdir_in(&home) {
        let environment = at_home.path().join("environment");
        let made = Command::new("python3")
            .args(["-m", "venv", "--without-pip"])
            .arg(&environment)
            .status();
        assert!(made.unwrap().success());
        let beside = at_home.path().join("beside");
        fs::write(&beside, "not to be seen").unwrap();
        let other = Sandbox::open(Some(&environment.join("bin/python3"))).unwrap();
        let ended = other.run(&format!("open({beside:?})\n"), Limits::default());
        assert!(ended.unwrap().reason().starts_with("FileNotFoundError"));
    }
    // It can be read there, and not written.
    let module = packages.join("only_here.py");
    let ended = other.run(&format!("open({module:?}, 'a')\n"), Limits::default());
    let ended = ended.unwrap();
    assert!(ended.output.contains("Read-only"), "{ended:?}");
    let missing = Sandbox::open(Some(&environment.join("bin/no-python")));
    assert!(missing.unwrap_err().to_string().contains("no-python"));
}

#[test]
#[ignore = "needs bubblewrap and python3"]
fn there_is_no_network() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // It is there, outside.
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    let ended = run(&format!(
        "import socket\nsocket.create_connection(('127.0.0.1', {port}), 2)\n"
    ));
    assert!(!ended.passed(), "{ended:?}");
    assert!(!run("import socket\nsocket.getaddrinfo('example.com', 80)\n").passed());
}

#[test]
#[ignore = "needs bubblewrap and python3"]
fn a_fork_bomb_does_not_go_off() {
    for attempt in [
        "import os\nwhile True: os.fork()\n",
        "import subprocess\nsubprocess.run(['/bin/sh', '-c', ':'])\n",
        "import multiprocessing as m\np = m.Process(target=print)\np.start()\n",
        "import os\nos.posix_spawn('/bin/sh', ['sh'], {})\n",
    ] {
        let ended = run(attempt);
        assert!(
            !ended.passed() && ended.why.is_none(),
            "{attempt}: {ended:?}"
        );
        assert!(
            ended.output.contains("PermissionError")
                || ended.output.contains("Operation not permitted"),
            "{ended:?}"
        );
    }
    // Threads are no processes.
    let ended = run(
        "import threading\nt = threading.Thread(target=print, args=(1,))\nt.start()\nt.join()\n",
    );
    assert!(ended.passed(), "{ended:?}");
}

#[test]
#[ignore = "needs bubblewrap and python3"]
fn nothing_outside_is_read_or_written() {
    let outside = tempfile::tempdir().unwrap();
    let file = outside.path().join("secret");
    std::fs::write(&file, "secret").unwrap();
    let path = file.display();
    for attempt in [
        format!("print(open('{path}').read())\n"),
        format!("open('{path}', 'w').write('x')\n"),
        "open('/usr/bin/x', 'w')\n".into(),
        "open('/program/x', 'w')\n".into(),
        "open('/x', 'w')\n".into(),
        "open('/dev/x', 'w')\n".into(),
        "import os\nos.mkdir('/proc/1/x')\n".into(),
        "print(open('/etc/passwd').read())\n".into(),
        "print(open('/etc/shadow').read())\n".into(),
        "import os\nprint(os.listdir('/home'))\n".into(),
    ] {
        let ended = run(&attempt);
        assert!(
            !ended.passed() && !ended.output.contains("secret\n"),
            "{attempt}: {ended:?}"
        );
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "secret");
    let ended = run("open('/tmp/x', 'w').write('x')\nprint(open('/tmp/x').read())\n");
    assert!(ended.passed(), "{ended:?}");
}

#[test]
#[ignore = "needs bubblewrap and python3"]
fn the_environment_is_not_seen() {
    let ended = run(
        "import os\nprint('CARGO_MANIFEST_DIR' in os.environ, os.getuid(), os.uname().nodename)\n",
    );
    assert_eq!(ended.output, "False 65534 sandbox\n");
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    let ended = run(
        "import os\nfor p in os.listdir('/proc'):\n    if p.isdigit(): print(open(f'/proc/{p}/environ').read())\n",
    );
    assert!(
        ended.passed() && !ended.output.contains("CARGO"),
        "{ended:?}"
    );
}

#[test]
#[ignore = "needs bubblewrap and python3"]
fn whoever_writes_or_sleeps_for_ever_is_ended() {
    let begun = Instant::now();
    let ended = run("while True: print('x' * 1000)\n");
    assert_eq!(ended.why, Some("it writes too much"));
    assert!(ended.output.len() <= Limits::default().output);
    let sandbox = &*SANDBOX;
    let limits = Limits {
        time: Duration::from_millis(700),
        ..Limits::default()
    };
    for forever in [
        "import time\ntime.sleep(1e9)\n",
        "while True: pass\n",
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(1e9)\n",
    ] {
        let ended = sandbox.run(forever, limits).unwrap();
        assert_eq!(ended.why, Some("it takes too long"), "{forever}");
    }
    assert!(begun.elapsed() < Duration::from_secs(60));
}

#[test]
#[ignore = "needs bubblewrap and python3"]
fn memory_and_files_have_limits() {
    let sandbox = &*SANDBOX;
    let limits = Limits {
        memory: 512 << 20,
        files: 1 << 20,
        ..Limits::default()
    };
    let ended = sandbox.run("x = bytearray(1 << 30)\n", limits).unwrap();
    assert!(
        !ended.passed() && ended.reason().contains("MemoryError"),
        "{ended:?}"
    );
    let ended = sandbox
        .run(
            "f = open('/tmp/x', 'wb')\nf.write(b'x' * (2 << 20))\nf.flush()\n",
            limits,
        )
        .unwrap();
    assert!(!ended.passed(), "{ended:?}");
    let many = "for i in range(100):\n    f = open(f'/tmp/{i}', 'wb')\n    f.write(b'x' * (1 << 16))\n    f.close()\n";
    let ended = sandbox.run(many, limits).unwrap();
    assert!(
        !ended.passed() && ended.reason().contains("No space left"),
        "{ended:?}"
    );
    let raise = "import resource\nresource.setrlimit(resource.RLIMIT_AS, (-1, -1))\n";
    assert!(!sandbox.run(raise, limits).unwrap().passed());
}

#[test]
#[ignore = "needs bubblewrap and python3"]
fn a_module_is_there_or_not() {
    let sandbox = &*SANDBOX;
    assert!(sandbox.has("json").unwrap());
    assert!(!sandbox.has("no_such_module_at_all").unwrap());
    assert!(sandbox.has("os; print(1)").is_err());
}
