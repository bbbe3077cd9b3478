//! Running the program.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{fs, thread};

use tempfile::TempDir;

/// The root of the repository.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// What a finished program left.
pub struct Run {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Run {
    /// The exit code; -1 for a signal.
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }

    /// Expects success without a word on standard error.
    #[track_caller]
    pub fn quiet(self) -> Vec<u8> {
        assert_eq!((self.code(), self.stderr.as_str()), (0, ""));
        self.stdout
    }

    /// Expects an exit code and a message.
    #[track_caller]
    pub fn fails(&self, code: i32, message: &str) {
        assert_eq!(self.code(), code, "{}", self.stderr);
        assert!(
            self.stderr.contains(message),
            "{:?} is not in:\n{}",
            message,
            self.stderr
        );
    }
}

/// The program, in an environment without models of this machine's user.
pub fn lmz() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lmz"));
    isolate(&mut command);
    command
}

/// Takes the user's models and settings away.
pub fn isolate(command: &mut Command) {
    command
        .env_remove("LMZ_MODELS")
        .env_remove("LMZ_KERNEL")
        .env_remove("HF_HOME")
        .env_remove("HF_HUB_CACHE")
        .env_remove("HUGGINGFACE_HUB_CACHE")
        .env_remove("HF_TOKEN")
        .env_remove("HUGGING_FACE_HUB_TOKEN")
        .env_remove("HF_TOKEN_PATH")
        .env_remove("HF_ENDPOINT")
        .env_remove("HF_HUB_OFFLINE")
        .env_remove("TRANSFORMERS_OFFLINE")
        // A Vulkan driver complains where it is missing.
        .env("XDG_RUNTIME_DIR", env!("CARGO_TARGET_TMPDIR"))
        // What is measured here is not this user's.
        .env(
            "XDG_CACHE_HOME",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"),
        )
        .env(
            "XDG_DATA_HOME",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/no-such-directory"),
        );
}

/// Runs a command to its end with this standard input.
pub fn run(command: &mut Command, stdin: &[u8]) -> Run {
    let mut child = spawn(command);
    let mut pipe = child.stdin.take().unwrap();
    let stdin = stdin.to_vec();
    // A program that stops reading is no error of the test.
    let feeder = thread::spawn(move || drop(pipe.write_all(&stdin)));
    let run = finish(child);
    feeder.join().unwrap();
    run
}

/// Starts a command with pipes.
pub fn spawn(command: &mut Command) -> Child {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Waits for a command and collects what it says.
pub fn finish(mut child: Child) -> Run {
    let stdout = child.stdout.take().map(collect);
    let stderr = child.stderr.take().map(collect);
    let status = child.wait().unwrap();
    let take = |thread: Option<thread::JoinHandle<Vec<u8>>>| {
        thread.map_or(Vec::new(), |t| t.join().unwrap())
    };
    Run {
        status,
        stdout: take(stdout),
        stderr: String::from_utf8_lossy(&take(stderr)).into_owned(),
    }
}

fn collect(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// A directory of a test's own.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    pub fn read(&self, name: impl AsRef<Path>) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// The names in it, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Runs the program in it, without standard input.
    pub fn lmz<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Run {
        self.lmz_with(args, b"")
    }

    /// Runs the program in it.
    pub fn lmz_with<S: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
        stdin: &[u8],
    ) -> Run {
        run(self.command().args(args), stdin)
    }

    /// The program, about to run in it.
    pub fn command(&self) -> Command {
        let mut command = lmz();
        command.current_dir(self.0.path());
        command
    }

    /// The same where a file must have a name from its beginning, as on systems other than Linux:
    /// here the want of /proc makes it so. To take it away, one must be root.
    #[cfg(unix)]
    pub fn command_that_names(&self) -> Command {
        let mut command = Command::new("unshare");
        let hidden = r#"umount -l /proc && exec "$0" "$@""#;
        command.args(["-m", "sh", "-c", hidden, env!("CARGO_BIN_EXE_lmz")]);
        isolate(&mut command);
        command.current_dir(self.0.path());
        command
    }

    /// A copy of the program that anybody may run in it.
    #[cfg(unix)]
    pub fn program_for_others(&self) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let anybody = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.0.path(), anybody.clone()).unwrap();
        let program = self.path("lmz");
        fs::copy(env!("CARGO_BIN_EXE_lmz"), &program).unwrap();
        fs::set_permissions(&program, anybody).unwrap();
        program
    }

    /// Whether a program that runs in it has an output, whose name is yet to come.
    #[cfg(unix)]
    pub fn has_output(&self, child: &Child) -> bool {
        if self.names().iter().any(|name| name.ends_with(".tmp")) {
            return true;
        }
        let place = self.0.path().canonicalize().unwrap();
        let open = fs::read_dir(format!("/proc/{}/fd", child.id()));
        let mut links = open
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|link| fs::read_link(link.path()).ok());
        links.any(|path| path.starts_with(&place) && path.to_string_lossy().ends_with(" (deleted)"))
    }

    /// Waits until it has.
    #[cfg(unix)]
    pub fn wait_for_output(&self, child: &Child) {
        let start = Instant::now();
        while !self.has_output(child) {
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "no output: {:?}",
                self.names()
            );
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// A prepared model so small that tests are quick. Its name is `stories260K`.
pub fn nano() -> &'static str {
    concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/models/stories260K.lmzm"
    )
}

/// A Hugging Face directory, smaller still: one of the fixtures with the tokenizer that they share.
pub fn checkpoint() -> &'static str {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| {
        let directory = format!("{}/cli-checkpoint", env!("CARGO_TARGET_TMPDIR"));
        fs::create_dir_all(&directory).unwrap();
        let fixtures = Path::new(ROOT).join("tests/fixtures/text");
        for (file, from) in [
            ("config.json", "mistral/config.json"),
            ("model.safetensors", "mistral/model.safetensors"),
            ("tokenizer.json", "tokenizer.json"),
        ] {
            fs::copy(fixtures.join(from), Path::new(&directory).join(file)).unwrap();
        }
        directory
    })
}

/// That directory prepared, for files that the nano model would take too long for. It predicts
/// badly, and that as exactly as any other.
pub fn pico() -> &'static str {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| {
        let out = format!("{}/cli-pico.lmzm", env!("CARGO_TARGET_TMPDIR"));
        let mut command = lmz();
        command.args(["model", "prepare", "-fq", "--name", "pico", "-o", &out]);
        run(command.arg(checkpoint()), b"").quiet();
        out
    })
}

/// Bytes that look random and are the same every time.
pub fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// Text of the kind that the nano model was made for: on short pieces of it the model beats zstd.
pub fn story(len: usize) -> Vec<u8> {
    let names = ["Lily", "Tom", "Mia", "Ben", "Sue", "Max", "Anna", "Tim"];
    let places = [
        "park", "forest", "beach", "garden", "house", "farm", "lake", "shop",
    ];
    let things = [
        "red ball",
        "little bird",
        "big dog",
        "shiny stone",
        "old tree",
        "small cat",
    ];
    let feelings = [
        "happy",
        "sad",
        "scared",
        "excited",
        "surprised",
        "proud",
        "tired",
    ];
    let mut text = String::new();
    let mut choices = noise(5 * (len / 100 + 1)).into_iter().map(usize::from);
    while text.len() < len {
        let mut pick = |words: &[&'static str]| words[choices.next().unwrap_or(0) % words.len()];
        let (name, place, thing) = (pick(&names), pick(&places), pick(&things));
        text.push_str(&match pick(&["a", "b", "c"]) {
            "a" => format!(
                "One day, {name} went to the {place} with her mom. She saw a {thing} and wanted to play \
                 with it. She was very {}. ",
                pick(&feelings)
            ),
            "b" => format!(
                "Once upon a time, there was a {thing}. It lived near the {place}. {name} came and said, \
                 \"Hello! Do you want to be my friend?\" They were {} together.\n",
                pick(&feelings)
            ),
            _ => format!(
                "{name} looked at the {thing} and felt {}. \"Can we go to the {place} now?\" he asked. His \
                 dad smiled and said yes.\n\n",
                pick(&feelings)
            ),
        });
    }
    text.truncate(len);
    text.into_bytes()
}

/// Whether this process may read and write whatever it likes.
#[cfg(unix)]
pub fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    let place = Place::new();
    fs::metadata(place.write("mine", "")).unwrap().uid() == 0
}
