//! Downloads that go on where they broke off.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use super::client::{Client, Step, Wait, header, judge, lost_step};
use super::error::{NetError, Result};
use super::watch::Watch;

/// Bytes that a try must bring for the tries to be counted anew.
const PROGRESS: u64 = 1 << 20;

/// A file on its way.
#[derive(Clone, Copy, Debug)]
pub struct Download<'d> {
    /// Its address.
    pub url: &'d str,
    /// Where its bytes gather. What a try before has left there is not fetched again.
    pub part: &'d Path,
    /// How it is known that what comes belongs to what is there.
    pub same: Same<'d>,
}

/// How it is known that the rest of a file belongs to its beginning.
#[derive(Clone, Copy, Debug)]
pub enum Same<'d> {
    /// The server's tag is the one that was noted in this file.
    Tag(&'d Path),
    /// What is at the address never changes, and has so many bytes.
    Content(u64),
}

impl<W: Watch> Client<W> {
    /// Fills a file, and gives its size. Who is cancelled, or loses the connection once too often, goes on with the next
    /// call.
    ///
    /// # Errors
    /// As [`Client::get`]; those of the file system; the file is longer or shorter than it is said to be.
    pub fn download(&self, download: &Download<'_>) -> Result<u64> {
        if let Same::Content(size) = download.same
            && fs::metadata(download.part).is_ok_and(|found| found.len() == size)
        {
            return Ok(size);
        }
        self.again(download.url, &mut |last| self.try_download(download, last))
    }

    fn try_download(&self, download: &Download<'_>, last: bool) -> Result<Step<u64>> {
        let Download { url, part, same } = *download;
        let io = NetError::io(part);
        let have = fs::metadata(part).map_or(0, |found| found.len());
        let mut more = Vec::new();
        match same {
            Same::Tag(path) => {
                let tag = fs::read_to_string(path).unwrap_or_default();
                if have > 0 && !tag.is_empty() {
                    more = vec![("range", format!("bytes={have}-")), ("if-range", tag)];
                }
            }
            Same::Content(size) if (1..size).contains(&have) => {
                more = vec![("range", format!("bytes={have}-"))];
            }
            Same::Content(_) => {}
        }
        let response = match self.ask(url, &more) {
            Ok(reached) => reached.response,
            Err(lost) => return lost_step(url, lost),
        };
        let status = response.status().as_u16();
        if status == 416 && !more.is_empty() {
            // What is there is longer than the file: begin anew.
            fs::remove_file(part).map_err(&io)?;
            let mut wait = Wait::new("the file has changed");
            wait.asked = Some(0);
            return Ok(Step::Wait(wait));
        }
        if let Some(wait) = judge(url, &response, last)? {
            return Ok(Step::Wait(wait));
        }
        let begun = if status == 206 { have } else { 0 };
        let unfit = |reason: String| NetError::Unfit {
            url: url.to_owned(),
            reason,
        };
        if status == 206
            && let Some(range) = header(&response, "content-range")
            && !range.starts_with(&format!("bytes {have}-"))
        {
            return Err(unfit(format!(
                "bytes from {have} on were asked for, and {range:?} came"
            )));
        }
        let length: Option<u64> =
            header(&response, "content-length").and_then(|length| length.parse().ok());
        let whole = length.map(|length| begun.saturating_add(length));
        let size = match same {
            Same::Content(size) => {
                if let Some(whole) = whole.filter(|whole| *whole != size) {
                    return Err(unfit(format!(
                        "the file is said to have {size} bytes, and the server is about to send {whole}"
                    )));
                }
                Some(size)
            }
            Same::Tag(path) => {
                // A weak tag does not promise the same bytes.
                let tag = header(&response, "etag").filter(|tag| !tag.starts_with("W/"));
                let tag = tag
                    .or_else(|| header(&response, "last-modified"))
                    .unwrap_or_default();
                fs::write(path, tag).map_err(&io)?;
                whole
            }
        };
        let mut file = match begun {
            0 => File::create(part).map_err(&io)?,
            _ => OpenOptions::new().append(true).open(part).map_err(&io)?,
        };
        let mut body = response.into_body().into_reader();
        let mut now = begun;
        let mut buffer = vec![0; 1 << 16];
        let broken = loop {
            if self.watch.cancelled() {
                return Err(NetError::Cancelled);
            }
            match body.read(&mut buffer) {
                Ok(0) => break None,
                Ok(n) => {
                    now += n as u64;
                    if size.is_some_and(|size| now > size) {
                        drop(file);
                        // Nobody knows which of its bytes are right.
                        fs::remove_file(part).map_err(&io)?;
                        return Err(unfit(format!(
                            "more bytes come than the {} that were announced",
                            size.unwrap_or(0)
                        )));
                    }
                    file.write_all(&buffer[..n]).map_err(&io)?;
                    self.watch.advance(n as u64);
                }
                Err(error) => break Some(error.to_string()),
            }
        };
        file.sync_all().map_err(&io)?;
        let short = size.filter(|size| *size != now);
        let Some(why) = broken.or_else(|| Some(format!("{now} bytes came of {}", short?))) else {
            return Ok(Step::Done(now));
        };
        let mut wait = Wait::new(why);
        wait.progress = now - begun >= PROGRESS;
        Ok(Step::Wait(wait))
    }
}
