//! A server on this machine that behaves as the hub does, on good days and on bad ones.
//!
//! Small files are answered by a redirect within the hub, with git's hash as their tag; large ones by a redirect to another
//! origin, as to a network that delivers contents.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use sha1::{Digest, Sha1};
use sha2::Sha256;

/// The commit that `main` is.
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A request that came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Whether it came to the other origin.
    pub elsewhere: bool,
    pub method: String,
    pub path: String,
    headers: BTreeMap<String, String>,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// What goes wrong.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// So many bytes of a large file come in one answer.
    pub cut: Option<usize>,
    /// All requests to the hub are answered so: status, `X-Error-Code`, `X-Error-Message`.
    pub refuse: Option<(u16, &'static str, &'static str)>,
    /// A byte of large files is another one.
    pub wrong_byte: bool,
    /// Large files are announced with this length.
    pub announced: Option<u64>,
    /// Large files never end, and no length is announced.
    pub endless: bool,
    /// Large files come slowly.
    pub slow: bool,
    /// Ranges are not understood.
    pub no_ranges: bool,
    /// What the list of files says instead.
    pub info: Option<Value>,
}

/// A model that the hub has.
pub struct Hub {
    /// Its address.
    pub base: String,
    shared: Arc<Shared>,
}

struct Shared {
    files: BTreeMap<String, Vec<u8>>,
    elsewhere: String,
    faults: Mutex<Faults>,
    seen: Mutex<Vec<Seen>>,
}

/// Files of more bytes are large ones.
const LARGE: usize = 20_000;

impl Hub {
    /// One with these files in the model `org/tiny`. Its threads end with the test's process.
    pub fn new(files: impl IntoIterator<Item = (&'static str, Vec<u8>)>) -> Self {
        let (hub, cdn) = (listen(), listen());
        let address = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
        let base = address(&hub);
        let shared = Arc::new(Shared {
            files: files
                .into_iter()
                .map(|(name, bytes)| (name.to_owned(), bytes))
                .collect(),
            elsewhere: address(&cdn),
            faults: Mutex::default(),
            seen: Mutex::default(),
        });
        for (listener, elsewhere) in [(hub, false), (cdn, true)] {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    let shared = Arc::clone(&shared);
                    // Who hangs up is one of the tests.
                    thread::spawn(move || shared.answer(stream, elsewhere));
                }
            });
        }
        Self { base, shared }
    }

    pub fn faults(&self) -> MutexGuard<'_, Faults> {
        self.shared.faults.lock().unwrap()
    }

    /// The requests so far, which are forgotten.
    pub fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.shared.seen.lock().unwrap())
    }
}

fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// Git's hash of a file.
pub fn git_hash(bytes: &[u8]) -> String {
    let mut hash = Sha1::new();
    hash.update(format!("blob {}\0", bytes.len()));
    hash.update(bytes);
    digits(&hash.finalize())
}

pub fn sha256(bytes: &[u8]) -> String {
    digits(&Sha256::digest(bytes))
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Shared {
    fn answer(&self, mut stream: TcpStream, elsewhere: bool) -> Option<()> {
        let seen = read(&stream, elsewhere)?;
        self.seen.lock().unwrap().push(seen.clone());
        let faults = self.faults.lock().unwrap().clone();
        let path = seen.path.split('?').next().unwrap_or_default().to_owned();
        if elsewhere {
            return self.deliver(&mut stream, &seen, path.strip_prefix("/large/")?, &faults);
        }
        let answer = match (faults.refuse, &*path) {
            (Some((status, code, message)), _) => {
                let code = match code {
                    "" => String::new(),
                    code => format!("X-Error-Code: {code}\r\n"),
                };
                head(
                    &status.to_string(),
                    &format!("{code}X-Error-Message: {message}\r\n"),
                    0,
                )
            }
            (None, path) if path.starts_with("/api/models/org/tiny/revision/") => {
                let revision = path.rsplit('/').next().unwrap_or_default();
                match revision {
                    "main" | "v1" | COMMIT => {
                        let body = faults
                            .info
                            .clone()
                            .unwrap_or_else(|| self.info())
                            .to_string();
                        head("200", "", body.len()) + &body
                    }
                    _ => head("404", "X-Error-Code: RevisionNotFound\r\n", 0),
                }
            }
            (None, path) => {
                let resolved = format!("/org/tiny/resolve/{COMMIT}/");
                let cached = format!("/api/resolve-cache/models/org/tiny/{COMMIT}/");
                if let Some(name) = path.strip_prefix(&resolved) {
                    self.resolve(name)
                } else if let Some(name) = path.strip_prefix(&cached) {
                    self.small(&mut stream, &seen, name)?;
                    return Some(());
                } else {
                    head("401", "X-Error-Code: RepoNotFound\r\n", 0)
                }
            }
        };
        stream.write_all(answer.as_bytes()).ok()
    }

    /// The list of files, as `?blobs=true` gives it.
    fn info(&self) -> Value {
        let siblings: Vec<Value> = self
            .files
            .iter()
            .map(|(name, bytes)| match bytes.len() > LARGE {
                true => json!({
                    "rfilename": name, "size": bytes.len(), "blobId": "1".repeat(40),
                    "lfs": { "sha256": sha256(bytes), "size": bytes.len(), "pointerSize": 134 },
                }),
                false => {
                    json!({ "rfilename": name, "size": bytes.len(), "blobId": git_hash(bytes) })
                }
            })
            .collect();
        json!({ "id": "org/tiny", "sha": COMMIT, "private": false, "gated": false, "siblings": siblings })
    }

    /// Where a file is.
    fn resolve(&self, name: &str) -> String {
        let Some(bytes) = self.files.get(name) else {
            return head("404", "X-Error-Code: EntryNotFound\r\n", 0);
        };
        let location = match bytes.len() > LARGE {
            true => {
                let (hash, length) = (sha256(bytes), bytes.len());
                let elsewhere = &self.elsewhere;
                format!(
                    "Location: {elsewhere}/large/{name}?sign=ed\r\nX-Linked-Etag: \"{hash}\"\r\n\
                     X-Linked-Size: {length}\r\nX-Repo-Commit: {COMMIT}\r\nETag: \"of the redirect\"\r\n"
                )
            }
            false => {
                format!("Location: /api/resolve-cache/models/org/tiny/{COMMIT}/{name}?x=y\r\n")
            }
        };
        head("302", &location, 0)
    }

    fn small(&self, stream: &mut TcpStream, seen: &Seen, name: &str) -> Option<()> {
        let bytes = self.files.get(name)?;
        let tag = format!("ETag: \"{}\"\r\n", git_hash(bytes));
        let head = head("200", &tag, bytes.len());
        stream.write_all(head.as_bytes()).ok()?;
        match seen.method.as_str() {
            "HEAD" => Some(()),
            _ => stream.write_all(bytes).ok(),
        }
    }

    /// A large file, or the rest of it.
    fn deliver(
        &self,
        stream: &mut TcpStream,
        seen: &Seen,
        name: &str,
        faults: &Faults,
    ) -> Option<()> {
        let mut bytes = self.files.get(name)?.clone();
        let whole = bytes.len();
        if faults.wrong_byte {
            bytes[whole / 2] ^= 1;
        }
        let range = seen.header("range").filter(|_| !faults.no_ranges);
        let from: usize = match range {
            Some(range) => range
                .strip_prefix("bytes=")?
                .strip_suffix('-')?
                .parse()
                .ok()?,
            None => 0,
        };
        let rest = &bytes[from..];
        let length = faults.announced.unwrap_or(rest.len() as u64);
        let (status, range) = match range {
            Some(_) => (
                "206",
                format!("Content-Range: bytes {from}-{}/{whole}\r\n", whole - 1),
            ),
            None => ("200", String::new()),
        };
        if faults.endless {
            let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
            stream.write_all(head.as_bytes()).ok()?;
            loop {
                stream.write_all(&bytes).ok()?;
            }
        }
        let head = format!(
            "HTTP/1.1 {status} OK\r\nConnection: close\r\nContent-Length: {length}\r\n{range}ETag: \"another\"\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).ok()?;
        let end = faults.cut.unwrap_or(rest.len()).min(rest.len());
        for part in rest[..end].chunks(8 << 10) {
            stream.write_all(part).ok()?;
            if faults.slow {
                thread::sleep(Duration::from_millis(20));
            }
        }
        Some(())
    }
}

fn head(status: &str, headers: &str, length: usize) -> String {
    format!(
        "HTTP/1.1 {status} Words\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    )
}

fn read(stream: &TcpStream, elsewhere: bool) -> Option<Seen> {
    let mut reader = BufReader::new(stream).take(1 << 16);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((key, value)) = line.trim().split_once(':') else {
            break;
        };
        headers.insert(key.to_ascii_lowercase(), value.trim().to_owned());
    }
    Some(Seen {
        elsewhere,
        method,
        path,
        headers,
    })
}
