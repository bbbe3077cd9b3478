//! Requests that are tried again, and downloads that go on where they broke off.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use ureq::Agent;
use ureq::http::Response;

use super::super::watch::Watch;
use crate::error::{CorpusError, Result};

/// How often something is tried.
const TRIES: u32 = 8;
/// The longest wait that a server can ask for.
const PATIENCE: u64 = 3700;
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
    agent: Agent,
    headers: Vec<(String, String)>,
    watch: &'a dyn Watch,
    /// What a second is; tests shorten it.
    second: Duration,
}

impl<'a> Fetcher<'a> {
    /// One that says who it is, and that `watch` may stop.
    pub fn new(watch: &'a dyn Watch) -> Self {
        Self::with_seconds(watch, Duration::from_secs(1))
    }

    /// As [`Fetcher::new`], with waits of `second` for each second.
    pub fn with_seconds(watch: &'a dyn Watch, second: Duration) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(30)))
            .timeout_recv_response(Some(Duration::from_secs(120)))
            .user_agent(concat!("lmz-corpus/", env!("CARGO_PKG_VERSION")))
            .build();
        Self {
            agent: config.into(),
            headers: Vec::new(),
            watch,
            second,
        }
    }

    /// Sends a header with each request. It is not sent to another host that one is referred to.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// What is at an address.
    ///
    /// # Errors
    /// It is not there, or the server does not answer though it was asked several times.
    pub fn get(&self, url: &str) -> Result<Reply> {
        self.again(url, &mut |last| {
            let mut response = match self.send(url, &[]) {
                Ok(response) => response,
                Err(error) => return Ok(Step::Wait(error, None)),
            };
            if let Some(step) = self.judge(url, &response, last)? {
                return Ok(step);
            }
            let link = header(&response, "link");
            match response
                .body_mut()
                .with_config()
                .limit(MAX_BODY)
                .read_to_vec()
            {
                Ok(body) => Ok(Step::Done(Reply { body, link })),
                Err(error) => Ok(Step::Wait(error.to_string(), None)),
            }
        })
    }

    /// Fetches a file to `path`, which it has as its name once it is whole. What a try before has left is not fetched again,
    /// if the server can tell that it is still the same file. Gives its size.
    ///
    /// # Errors
    /// As [`Fetcher::get`]; those of the file system; the file is longer or shorter than the server said.
    pub fn download(&self, url: &str, path: &Path) -> Result<u64> {
        let part = beside(path, ".part");
        let tag_path = beside(path, ".part.tag");
        self.again(url, &mut |last| {
            let io = CorpusError::io(&part);
            let have = fs::metadata(&part).map_or(0, |found| found.len());
            let tag = fs::read_to_string(&tag_path).unwrap_or_default();
            let resumes = have > 0 && !tag.is_empty();
            let range = [("range", format!("bytes={have}-")), ("if-range", tag)];
            let response = match self.send(url, if resumes { &range } else { &[] }) {
                Ok(response) => response,
                Err(error) => return Ok(Step::Wait(error, None)),
            };
            let status = response.status().as_u16();
            if status == 416 {
                // What is there is longer than the file: begin anew.
                fs::remove_file(&part).map_err(&io)?;
                return Ok(Step::Wait("the file has changed".into(), Some(0)));
            }
            if let Some(step) = self.judge(url, &response, last)? {
                return Ok(step);
            }
            let length: Option<u64> =
                header(&response, "content-length").and_then(|length| length.parse().ok());
            let begun = if status == 206 { have } else { 0 };
            // A weak tag does not promise the same bytes.
            let tag = header(&response, "etag").filter(|tag| !tag.starts_with("W/"));
            let tag = tag
                .or_else(|| header(&response, "last-modified"))
                .unwrap_or_default();
            fs::write(&tag_path, tag).map_err(&io)?;
            let mut file = match begun {
                0 => File::create(&part).map_err(&io)?,
                _ => OpenOptions::new().append(true).open(&part).map_err(&io)?,
            };
            let mut body = response.into_body().into_reader();
            let mut size = begun;
            let mut buffer = vec![0; 1 << 16];
            loop {
                if self.watch.cancelled() {
                    return Err(CorpusError::Cancelled);
                }
                match body.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(n) => {
                        file.write_all(&buffer[..n]).map_err(&io)?;
                        self.watch.advance(n as u64);
                        size += n as u64;
                    }
                    Err(error) => return Ok(Step::Wait(error.to_string(), None)),
                }
            }
            file.sync_all().map_err(&io)?;
            if let Some(length) = length.filter(|length| begun + length != size) {
                let whole = begun + length;
                return Ok(Step::Wait(format!("{size} bytes came of {whole}"), None));
            }
            fs::rename(&part, path).map_err(CorpusError::io(path))?;
            _ = fs::remove_file(&tag_path);
            Ok(Step::Done(size))
        })
    }

    fn send(&self, url: &str, more: &[(&str, String)]) -> Result<Response<ureq::Body>, String> {
        let mut request = self.agent.get(url);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        for (name, value) in more {
            request = request.header(*name, value);
        }
        request.call().map_err(|error| error.to_string())
    }

    /// What an answer that is none means: wait, or give up. `None` if it is one.
    fn judge<T>(
        &self,
        url: &str,
        response: &Response<ureq::Body>,
        last: bool,
    ) -> Result<Option<Step<T>>> {
        let status = response.status().as_u16();
        let limited = status == 429
            || (status == 403 && header(response, "x-ratelimit-remaining").as_deref() == Some("0"))
            || (status == 403 && header(response, "retry-after").is_some());
        if (200..300).contains(&status) {
            return Ok(None);
        }
        if (limited || status >= 500) && !last {
            return Ok(Some(Step::Wait(format!("status {status}"), wait(response))));
        }
        let hint = match status {
            401 => ": the token (GITHUB_TOKEN) is not accepted",
            403 if limited => ": too many requests; a token (GITHUB_TOKEN) raises the limit",
            404 => ": there is no such file",
            422 => ": the query is not understood",
            _ => "",
        };
        Err(CorpusError::Refused(format!(
            "{url}: status {status}{hint}"
        )))
    }

    fn again<T>(&self, url: &str, one: &mut dyn FnMut(bool) -> Result<Step<T>>) -> Result<T> {
        let mut reason = String::new();
        for number in 1..=TRIES {
            if self.watch.cancelled() {
                return Err(CorpusError::Cancelled);
            }
            match one(number == TRIES)? {
                Step::Done(value) => return Ok(value),
                Step::Wait(why, asked) => {
                    let seconds = asked.unwrap_or(1 << (number - 1)).min(PATIENCE);
                    if number < TRIES {
                        self.watch
                            .note(&format!("{url}: {why}; again in {seconds} s"));
                        self.pause(seconds)?;
                    }
                    reason = why;
                }
            }
        }
        Err(CorpusError::Refused(format!(
            "{url}: {reason}, {TRIES} times"
        )))
    }

    fn pause(&self, seconds: u64) -> Result<()> {
        for _ in 0..seconds {
            if self.watch.cancelled() {
                return Err(CorpusError::Cancelled);
            }
            sleep(self.second);
        }
        Ok(())
    }
}

enum Step<T> {
    Done(T),
    /// Why, and how many seconds the server asks for.
    Wait(String, Option<u64>),
}

fn header(response: &Response<ureq::Body>, name: &str) -> Option<String> {
    response
        .headers()
        .get(name)?
        .to_str()
        .ok()
        .map(ToOwned::to_owned)
}

/// How many seconds a server asks for, in `Retry-After`, or by when GitHub's limit ends.
fn wait(response: &Response<ureq::Body>) -> Option<u64> {
    if let Some(seconds) = header(response, "retry-after").and_then(|text| text.trim().parse().ok())
    {
        return Some(seconds);
    }
    if header(response, "x-ratelimit-remaining").as_deref() != Some("0") {
        return None;
    }
    let until: u64 = header(response, "x-ratelimit-reset")?.trim().parse().ok()?;
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()?
        .as_secs();
    Some(until.saturating_sub(now) + 1)
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(end);
    path.with_file_name(name)
}
