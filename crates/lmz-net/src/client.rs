//! Requests: redirects, refusals, and trying again.

use std::thread::sleep;
use std::time::{Duration, SystemTime};

use ureq::Agent;
use ureq::http::header::HeaderMap;
use ureq::http::{Response, Uri};

use super::error::{NetError, Refusal, Result};
use super::redirect::{MOST, origin, parse, target};
use super::watch::Watch;

/// The longest wait that a server can ask for, in seconds.
const LONGEST_WAIT: u64 = 3700;
/// How long a server may be silent in the middle of an answer.
const SILENCE: Duration = Duration::from_secs(60);
/// Longest text of a header that goes into a message.
const MAX_WORDS: usize = 300;

/// How often something is tried.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Tries of a server that answers, none of which brings anything.
    pub tries: u32,
    /// Tries of one that cannot be reached.
    pub unreached: u32,
    /// What a second of waiting is; tests shorten it.
    pub second: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            tries: 8,
            unreached: 8,
            second: Duration::from_secs(1),
        }
    }
}

/// Asks servers.
pub struct Client<W> {
    agent: Agent,
    headers: Vec<(String, String)>,
    pub(crate) watch: W,
    patience: Patience,
}

/// What a server says in its headers, and the body if that was asked for.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Those of all answers on the way, from the last to the first: of one of several, the last counts.
    headers: Vec<HeaderMap>,
    /// Where the server refers one to, if that is at another origin.
    pub elsewhere: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header, by its name in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|all| text(all, name))
    }

    /// The value of a header of the last answer alone.
    pub fn last_header(&self, name: &str) -> Option<&str> {
        text(self.headers.first()?, name)
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// How one try ended.
pub(crate) enum Step<T> {
    Done(T),
    Wait(Wait),
}

/// Why a try brought nothing.
pub(crate) struct Wait {
    pub(crate) why: String,
    /// How many seconds the server asks for.
    pub(crate) asked: Option<u64>,
    /// Whether the server has answered.
    pub(crate) reached: bool,
    /// Whether something was brought all the same, so that tries are counted anew.
    pub(crate) progress: bool,
}

impl Wait {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            asked: None,
            reached: true,
            progress: false,
        }
    }
}

/// An answer, and those that led to it.
pub(crate) struct Reached {
    pub(crate) response: Response<ureq::Body>,
    earlier: Vec<HeaderMap>,
}

/// Why a request has no answer.
pub(crate) enum Lost {
    Unreached(String),
    Unfit(String),
}

impl<W: Watch> Client<W> {
    /// One that says that it is `agent`, and that `watch` may stop.
    pub fn new(agent: &str, patience: Patience, watch: W) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // They are followed here, where it is known what may go where.
            .max_redirects(0)
            .timeout_connect(Some(Duration::from_secs(30)))
            .timeout_recv_response(Some(Duration::from_secs(120)))
            .timeout_per_read(Some(SILENCE))
            .user_agent(agent)
            .build();
        Self {
            agent: config.into(),
            headers: Vec::new(),
            watch,
            patience,
        }
    }

    /// Sends a header with each request. It is not sent to another origin that one is referred to.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// What is at an address, of at most `limit` bytes.
    ///
    /// # Errors
    /// It is not there or too long, or the server does not answer though it was asked several times.
    pub fn get(&self, url: &str, limit: u64) -> Result<Answer> {
        self.again(url, &mut |last| {
            let reached = match self.ask(url, &[]) {
                Ok(reached) => reached,
                Err(lost) => return lost_step(url, lost),
            };
            let Reached {
                mut response,
                mut earlier,
            } = reached;
            if let Some(wait) = judge(url, &response, last)? {
                return Ok(Step::Wait(wait));
            }
            earlier.insert(0, response.headers().clone());
            let body = response.body_mut().with_config().limit(limit).read_to_vec();
            match body {
                Ok(body) => Ok(Step::Done(Answer {
                    headers: earlier,
                    elsewhere: None,
                    body,
                })),
                Err(ureq::Error::BodyExceedsLimit(_)) => Err(NetError::Unfit {
                    url: url.to_owned(),
                    reason: format!("the answer is longer than {limit} bytes"),
                }),
                Err(error) => Ok(Step::Wait(Wait::new(error.to_string()))),
            }
        })
    }

    /// The headers of what is at an address. A redirect to another origin is not followed, but told.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub fn head(&self, url: &str) -> Result<Answer> {
        self.again(url, &mut |last| {
            let mut at = parse_or_unfit(url)?;
            let mut headers = Vec::new();
            for _ in 0..=MOST {
                let mut request = self.agent.head(&at);
                for (name, value) in &self.headers {
                    request = request.header(name, value);
                }
                let response = match request.call() {
                    Ok(response) => response,
                    Err(error) => return lost_step(url, Lost::Unreached(error.to_string())),
                };
                headers.insert(0, response.headers().clone());
                let Some(location) = location(&response) else {
                    if let Some(wait) = judge(url, &response, last)? {
                        return Ok(Step::Wait(wait));
                    }
                    return Ok(Step::Done(Answer {
                        headers,
                        ..Answer::default()
                    }));
                };
                let to = target(&at, &location).map_err(|why| unfit(url, why))?;
                if origin(&to) != origin(&at) {
                    return Ok(Step::Done(Answer {
                        headers,
                        elsewhere: Some(to.to_string()),
                        ..Answer::default()
                    }));
                }
                at = to;
            }
            Err(unfit(url, "referred on and on"))
        })
    }

    /// Asks once, with further headers that go to every origin, and follows redirects.
    pub(crate) fn ask(&self, url: &str, more: &[(&str, String)]) -> Result<Reached, Lost> {
        let mut at = parse(url).map_err(Lost::Unfit)?;
        let own = origin(&at);
        let mut earlier = Vec::new();
        for _ in 0..=MOST {
            let mut request = self.agent.get(&at);
            let ours = self.headers.iter().filter(|_| origin(&at) == own);
            for (name, value) in ours {
                request = request.header(name, value);
            }
            for (name, value) in more {
                request = request.header(*name, value);
            }
            let response = request
                .call()
                .map_err(|error| Lost::Unreached(error.to_string()))?;
            let Some(location) = location(&response) else {
                return Ok(Reached { response, earlier });
            };
            at = target(&at, &location).map_err(Lost::Unfit)?;
            earlier.insert(0, response.headers().clone());
        }
        Err(Lost::Unfit("referred on and on".into()))
    }

    /// Tries until it is done, or patience is at its end.
    pub(crate) fn again<T>(
        &self,
        url: &str,
        one: &mut dyn FnMut(bool) -> Result<Step<T>>,
    ) -> Result<T> {
        let (mut number, mut unreached) = (0, 0);
        loop {
            if self.watch.cancelled() {
                return Err(NetError::Cancelled);
            }
            let wait = match one(number + 1 >= self.patience.tries)? {
                Step::Done(value) => return Ok(value),
                Step::Wait(wait) => wait,
            };
            if wait.progress {
                number = 0;
            }
            number += 1;
            // Counted from the last time that somebody was there.
            unreached = if wait.reached { 0 } else { unreached + 1 };
            if number >= self.patience.tries || unreached >= self.patience.unreached {
                return Err(NetError::NoAnswer {
                    url: url.to_owned(),
                    reason: wait.why,
                    tries: number,
                    reached: wait.reached,
                });
            }
            let seconds = wait.asked.unwrap_or(1 << (number - 1)).min(LONGEST_WAIT);
            self.watch
                .note(&format!("{url}: {}; again in {seconds} s", wait.why));
            for _ in 0..seconds {
                if self.watch.cancelled() {
                    return Err(NetError::Cancelled);
                }
                sleep(self.patience.second);
            }
        }
    }
}

fn parse_or_unfit(url: &str) -> Result<Uri> {
    parse(url).map_err(|why| unfit(url, why))
}

fn unfit(url: &str, reason: impl Into<String>) -> NetError {
    NetError::Unfit {
        url: url.to_owned(),
        reason: reason.into(),
    }
}

pub(crate) fn lost_step<T>(url: &str, lost: Lost) -> Result<Step<T>> {
    match lost {
        Lost::Unreached(why) => Ok(Step::Wait(Wait {
            reached: false,
            ..Wait::new(why)
        })),
        Lost::Unfit(why) => Err(unfit(url, why)),
    }
}

/// Where an answer refers one to.
fn location(response: &Response<ureq::Body>) -> Option<String> {
    match response.status().as_u16() {
        301 | 302 | 303 | 307 | 308 => header(response, "location"),
        _ => None,
    }
}

/// What an answer that is none means: to wait, or to give up. `None` if it is one.
pub(crate) fn judge(
    url: &str,
    response: &Response<ureq::Body>,
    last: bool,
) -> Result<Option<Wait>> {
    let status = response.status().as_u16();
    if (200..300).contains(&status) {
        return Ok(None);
    }
    let limited = status == 429
        || (status == 403 && header(response, "x-ratelimit-remaining").as_deref() == Some("0"))
        || (status == 403 && header(response, "retry-after").is_some());
    if (limited || status >= 500) && !last {
        return Ok(Some(Wait {
            asked: asked_for(response),
            ..Wait::new(format!("status {status}"))
        }));
    }
    let words = |name: &str| {
        let text = header(response, name)?;
        let text: String = text.chars().filter(|c| !c.is_control()).collect();
        Some(text.chars().take(MAX_WORDS).collect())
    };
    Err(NetError::Refused {
        url: url.to_owned(),
        refusal: Refusal {
            status,
            limited,
            code: words("x-error-code"),
            message: words("x-error-message"),
        },
    })
}

pub(crate) fn header(response: &Response<ureq::Body>, name: &str) -> Option<String> {
    text(response.headers(), name).map(str::to_owned)
}

/// How many seconds a server asks for, in `Retry-After`, or by when GitHub's limit ends.
fn asked_for(response: &Response<ureq::Body>) -> Option<u64> {
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
