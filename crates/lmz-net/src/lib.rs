//! Fetching over HTTP: requests that are tried again, downloads that go on where they broke off.
//!
//! * A [`Client`] asks: [`Client::get`] reads a short answer into memory, [`Client::head`] reads headers, and
//!   [`Client::download`] fills a file. A server in trouble, one that asks for patience and a connection that breaks are
//!   tried again, with growing waits; what a server refuses is not.
//! * Headers that were given go to the origin (scheme, host and port) of the address alone. Who is referred elsewhere goes
//!   there without them, and never from an encrypted address to one that is not.
//! * Lengths are the caller's: an answer in memory has a limit, and a download of known size neither takes a byte more nor
//!   passes as whole with a byte less.
#![forbid(unsafe_code)]

mod client;
mod download;
mod error;
mod redirect;
mod watch;

pub use client::{Answer, Client, Patience};
pub use download::{Download, Same};
pub use error::{NetError, Refusal, Result};
pub use watch::{Silent, Watch};

/// A text within a URL: all but letters, digits and `-_.~` as `%XX`.
pub fn quoted(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_letter_is_quoted() {
        assert_eq!(quoted("a b>:ä/"), "a%20b%3E%3A%C3%A4%2F");
    }
}
