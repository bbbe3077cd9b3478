//! Requests and downloads of a build.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lmz_net::{Client, Download, NetError, Patience, Same};

use super::super::watch::Watch;
use crate::error::{CorpusError, Result};

/// Largest answer that is read into memory.
const MAX_BODY: u64 = 64 << 20;

/// What a server says.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// The body.
    pub body: Vec<u8>,
    /// The value of `Link`.
    pub link: Option<String>,
}

/// Fetches over HTTP.
pub struct Fetcher<'a> {
    client: Client<Heard<'a>>,
}

/// Who looks on at a build, as who looks on at a download.
struct Heard<'a>(&'a dyn Watch);

impl lmz_net::Watch for Heard<'_> {
    fn advance(&self, bytes: u64) {
        self.0.advance(bytes);
    }

    fn note(&self, text: &str) {
        self.0.note(text);
    }

    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }
}

impl<'a> Fetcher<'a> {
    /// One that says who it is, and that `watch` may stop.
    pub fn new(watch: &'a dyn Watch) -> Self {
        Self::with_seconds(watch, Duration::from_secs(1))
    }

    /// As [`Fetcher::new`], with waits of `second` for each second.
    pub fn with_seconds(watch: &'a dyn Watch, second: Duration) -> Self {
        let patience = Patience {
            second,
            ..Patience::default()
        };
        let agent = concat!("lmz-corpus/", env!("CARGO_PKG_VERSION"));
        Self {
            client: Client::new(agent, patience, Heard(watch)),
        }
    }

    /// Sends a header with each request. It is not sent to another host that one is referred to.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        Self {
            client: self.client.header(name, value),
        }
    }

    /// What is at an address.
    ///
    /// # Errors
    /// It is not there, or the server does not answer though it was asked several times.
    pub fn get(&self, url: &str) -> Result<Reply> {
        let answer = self.client.get(url, MAX_BODY).map_err(in_words)?;
        Ok(Reply {
            link: answer.last_header("link").map(str::to_owned),
            body: answer.body,
        })
    }

    /// Fetches a file to `path`, which it has as its name once it is whole. What a try before has left is not fetched again,
    /// if the server can tell that it is still the same file. Gives its size.
    ///
    /// # Errors
    /// As [`Fetcher::get`]; those of the file system; the file is longer or shorter than the server said.
    pub fn download(&self, url: &str, path: &Path) -> Result<u64> {
        let part = beside(path, ".part");
        let tag = beside(path, ".part.tag");
        let size = self.client.download(&Download {
            url,
            part: &part,
            same: Same::Tag(&tag),
        });
        let size = size.map_err(in_words)?;
        fs::rename(&part, path).map_err(CorpusError::io(path))?;
        _ = fs::remove_file(&tag);
        Ok(size)
    }
}

/// What a server's refusal means for who builds a corpus.
fn in_words(error: NetError) -> CorpusError {
    match error {
        NetError::Cancelled => CorpusError::Cancelled,
        NetError::Io { path, error } => CorpusError::Io { path, error },
        NetError::Refused { url, refusal } => {
            let hint = match refusal.status {
                401 => ": the token (GITHUB_TOKEN) is not accepted",
                403 if refusal.limited => {
                    ": too many requests; a token (GITHUB_TOKEN) raises the limit"
                }
                404 => ": there is no such file",
                422 => ": the query is not understood",
                _ => "",
            };
            CorpusError::Refused(format!("{url}: status {}{hint}", refusal.status))
        }
        other => CorpusError::Refused(other.to_string()),
    }
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(end);
    path.with_file_name(name)
}
