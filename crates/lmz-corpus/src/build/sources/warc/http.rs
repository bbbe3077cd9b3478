//! The HTTP response that a record of the type `response` holds.

use std::io::Read;

use super::super::super::limits::MAX_ITEM_BYTES;
use super::super::archive::Bounded;

/// Most headers' bytes of a response.
const MAX_HEAD: usize = 1 << 16;

/// A response.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// What `Content-Type` says, in lower case.
    pub kind: String,
    /// The body, without transfer and content encoding.
    pub body: Vec<u8>,
}

/// The response in a record's body; `None` if it is none, was no success, or does not unpack.
pub fn response(bytes: &[u8]) -> Option<Response> {
    let start = &bytes[..bytes.len().min(MAX_HEAD)];
    let (head, body) = match start.windows(4).position(|w| w == b"\r\n\r\n") {
        Some(at) => (&bytes[..at], &bytes[at + 4..]),
        None => {
            let at = start.windows(2).position(|w| w == b"\n\n")?;
            (&bytes[..at], &bytes[at + 2..])
        }
    };
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let mut lines = head.lines();
    let status = lines.next()?.strip_prefix("http/")?.split(' ').nth(1)?;
    if !status.starts_with('2') {
        return None;
    }
    let mut found = Response::default();
    let mut body = body.to_vec();
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(':')).collect();
    let value = |name: &str| {
        headers
            .iter()
            .find(|(key, _)| key.trim() == name)
            .map_or("", |(_, value)| value.trim())
    };
    if value("transfer-encoding").contains("chunked") {
        // Crawlers often store a body without its chunks and leave the header.
        body = unchunked(&body).unwrap_or(body);
    }
    let encoding = value("content-encoding");
    if encoding.contains("gzip") && body.starts_with(&[0x1f, 0x8b]) {
        body = unpack(flate2::read::MultiGzDecoder::new(body.as_slice()))?;
    } else if encoding.contains("deflate") && body.starts_with(&[0x78]) {
        body = unpack(flate2::read::ZlibDecoder::new(body.as_slice()))?;
    }
    found.kind = value("content-type").to_owned();
    found.body = body;
    Some(found)
}

fn unpack(reader: impl Read) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    Bounded::new(reader, MAX_ITEM_BYTES)
        .read_to_end(&mut bytes)
        .ok()?;
    Some(bytes)
}

fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.iter().take(64).position(|b| *b == b'\n')?;
        let line = std::str::from_utf8(&rest[..end]).ok()?;
        let length = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
        rest = &rest[end + 1..];
        if length == 0 {
            return Some(body);
        }
        body.extend(rest.get(..length)?);
        rest = rest.get(length..)?;
        rest = rest.strip_prefix(b"\r\n").or(rest.strip_prefix(b"\n"))?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_are_unwrapped() {
        let plain = b"HTTP/1.1 200 OK\r\nContent-Type: Text/HTML; charset=x\r\n\r\nbody";
        let found = response(plain).unwrap();
        assert_eq!(
            (found.kind.as_str(), found.body.as_slice()),
            ("text/html; charset=x", &b"body"[..])
        );
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        assert_eq!(response(chunked).unwrap().body, b"abcde");
        let undone = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n<p>abc";
        assert_eq!(response(undone).unwrap().body, b"<p>abc");
        for none in [
            &b"HTTP/1.1 404 no\r\n\r\n"[..],
            b"",
            b"HTTP/1.1 200 OK\r\n",
            b"\r\n\r\n",
            b"GET / HTTP/1.1\r\n\r\n",
        ] {
            assert_eq!(response(none), None);
        }
    }
}
