//! The server: its addresses, and what its refusals mean.

use std::fs::File;
use std::io::Read;

use lmz_net::{Answer, Client, Download, NetError, Patience, Refusal, quoted};

use super::info::Info;
use super::watch::PullWatch;
use crate::environment::Environment;
use crate::error::{HubError, Result};
use crate::name::HubName;

/// Longest list of a model's files.
const MAX_INFO: u64 = 32 << 20;
/// Longest file with a token.
const MAX_TOKEN: u64 = 4096;

/// A server, asked about one model.
pub(super) struct Server<'a> {
    client: Client<&'a dyn PullWatch>,
    pub(super) watch: &'a dyn PullWatch,
    pub(super) name: &'a HubName,
    endpoint: &'a str,
    has_token: bool,
}

impl<'a> Server<'a> {
    pub(super) fn new(
        environment: &'a Environment,
        name: &'a HubName,
        watch: &'a dyn PullWatch,
    ) -> Result<Self> {
        let patience = Patience {
            tries: 5,
            unreached: 3,
            ..Patience::default()
        };
        let agent = concat!("lmz/", env!("CARGO_PKG_VERSION"));
        let client = Client::new(agent, patience, watch);
        let token = token(environment)?;
        let has_token = token.is_some();
        Ok(Self {
            client: match token {
                Some(token) => client.header("authorization", &format!("Bearer {token}")),
                None => client,
            },
            watch,
            name,
            endpoint: &environment.endpoint,
            has_token,
        })
    }

    /// The commit of a revision, and its files.
    pub(super) fn info(&self) -> Result<Info> {
        let url = format!(
            "{}/api/models/{}/revision/{}?blobs=true",
            self.endpoint,
            self.name.repo(),
            quoted(self.name.revision())
        );
        let answer = self.client.get(&url, MAX_INFO);
        let answer = answer.map_err(|error| self.explain(error, None))?;
        Info::read(&url, &answer.body)
    }

    /// The address of a file.
    fn url(&self, info: &Info, file: &str) -> String {
        let parts: Vec<String> = file.split('/').map(quoted).collect();
        format!(
            "{}/{}/resolve/{}/{}",
            self.endpoint,
            self.name.repo(),
            info.sha,
            parts.join("/")
        )
    }

    /// What the server says of a file.
    pub(super) fn about(&self, info: &Info, file: &str) -> Result<Answer> {
        let answer = self.client.head(&self.url(info, file));
        answer.map_err(|error| self.explain(error, Some(file)))
    }

    /// Fills a file, and gives its size.
    pub(super) fn download(
        &self,
        info: &Info,
        file: &str,
        part: &std::path::Path,
        size: u64,
    ) -> Result<u64> {
        let done = self.client.download(&Download {
            url: &self.url(info, file),
            part,
            same: lmz_net::Same::Content(size),
        });
        done.map_err(|error| self.explain(error, Some(file)))
    }

    /// An error in words that say what to do.
    fn explain(&self, error: NetError, file: Option<&str>) -> HubError {
        match error {
            NetError::Cancelled => HubError::Cancelled,
            NetError::Io { path, error } => HubError::Io { path, error },
            NetError::Refused { refusal, .. } => HubError::Server(self.refused(&refusal, file)),
            NetError::NoAnswer {
                reason,
                reached: false,
                ..
            } => HubError::Server(format!(
                "{} cannot be reached: {reason}. Is there a network? (HF_ENDPOINT names another server; what is in the \
                 cache needs none)",
                self.endpoint
            )),
            NetError::NoAnswer { reason, tries, .. } => HubError::Server(format!(
                "{}: {reason}, {tries} times; what has come is kept, and the same command goes on",
                self.what(file)
            )),
            NetError::Unfit { reason, .. } => {
                HubError::Server(format!("{}: {reason}", self.what(file)))
            }
            other => HubError::Server(other.to_string()),
        }
    }

    fn what(&self, file: Option<&str>) -> String {
        match file {
            Some(file) => format!("{}, {file}", self.name.repo()),
            None => self.name.repo(),
        }
    }

    fn refused(&self, refusal: &Refusal, file: Option<&str>) -> String {
        let repo = self.name.repo();
        let page = format!("{}/{repo}", self.endpoint);
        let said = match &refusal.message {
            Some(message) => format!(" (the server says: {message})"),
            None => String::new(),
        };
        let tokens = format!("{}/settings/tokens", self.endpoint);
        match (refusal.status, refusal.code.as_deref()) {
            (_, Some("GatedRepo")) if self.has_token => format!(
                "{repo} is gated, and the account of the token that is set has no access yet: accept its terms at {page}, or \
                 wait until its owner has agreed{said}"
            ),
            (_, Some("GatedRepo")) => format!(
                "{repo} is gated: its owner lets in who has accepted its terms. Accept them at {page}, and set HF_TOKEN to a \
                 token of that account ({tokens})"
            ),
            (_, Some("RevisionNotFound")) => {
                format!("{repo} has no revision {:?}", self.name.revision())
            }
            (_, Some("EntryNotFound")) => {
                format!("{repo} has no file {:?}", file.unwrap_or_default())
            }
            (_, Some("DisabledRepo")) => format!("{repo} was disabled by the hub{said}"),
            (401, None) if self.has_token => format!(
                "the token is not accepted (HF_TOKEN, or the file that `hf auth login` wrote): make another at {tokens}{said}"
            ),
            (401 | 404, Some("RepoNotFound") | None) => {
                let private = match self.has_token {
                    true => "or it is private and the token that is set may not read it",
                    false => "or it is private and wants a token that may read it (HF_TOKEN)",
                };
                match file {
                    Some(file) if refusal.code.is_none() && refusal.status == 404 => {
                        format!("{repo} has no file {file:?}")
                    }
                    _ => format!("there is no model {repo} at {}, {private}", self.endpoint),
                }
            }
            (403, _) => format!(
                "{repo} may not be read{}{said}",
                match self.has_token {
                    true => " with the token that is set",
                    false => " without a token (HF_TOKEN)",
                }
            ),
            (429, _) => format!(
                "{} answers too many requests just now: wait a little{}",
                self.endpoint,
                match self.has_token {
                    true => "",
                    false => "; a token (HF_TOKEN) raises the limit",
                }
            ),
            (status, _) => format!(
                "{}: {} answers with status {status}{said}",
                self.what(file),
                self.endpoint
            ),
        }
    }
}

/// The user's token.
fn token(environment: &Environment) -> Result<Option<String>> {
    let (text, from) = match (&environment.token, &environment.token_file) {
        (Some(token), _) => (token.to_string_lossy().into_owned(), "HF_TOKEN".to_owned()),
        (None, Some(path)) => {
            let mut text = String::new();
            let read =
                File::open(path).and_then(|file| file.take(MAX_TOKEN).read_to_string(&mut text));
            match read {
                Ok(_) => (text, path.display().to_string()),
                // Most people have none.
                Err(_) => return Ok(None),
            }
        }
        (None, None) => return Ok(None),
    };
    let token = text.trim();
    if token.is_empty() {
        return Ok(None);
    }
    // Never shown.
    match token.bytes().all(|b| b.is_ascii_graphic()) {
        true => Ok(Some(token.to_owned())),
        false => Err(HubError::Server(format!(
            "{from} holds no token: one is letters, digits and signs without spaces"
        ))),
    }
}
