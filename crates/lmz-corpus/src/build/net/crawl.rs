//! Files of a dump of Common Crawl.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::super::dedup::rank;
use super::super::watch::Watch;
use super::fetch::Fetcher;
use crate::error::{CorpusError, Result};

/// Longest list of files, unpacked; a dump has about 12 MB.
const MAX_LIST: u64 = 256 << 20;

/// The paths of a dump's WET files, as `wet.paths.gz` at `base` lists them.
///
/// # Errors
/// There is no such dump; those of the server.
pub fn fetch_paths(fetcher: &Fetcher<'_>, base: &str, dump: &str) -> Result<Vec<String>> {
    if !dump.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') || dump.is_empty() {
        return Err(CorpusError::Refused(format!(
            "{dump:?} is no name of a dump, as CC-MAIN-2026-22 is"
        )));
    }
    let url = format!(
        "{}/crawl-data/{dump}/wet.paths.gz",
        base.trim_end_matches('/')
    );
    let reply = fetcher.get(&url)?;
    let mut text = String::new();
    let mut list = flate2::read::MultiGzDecoder::new(reply.body.as_slice()).take(MAX_LIST);
    list.read_to_string(&mut text)
        .map_err(|error| CorpusError::Refused(format!("{url}: {error}")))?;
    let paths = text.lines().map(str::trim);
    let paths: Vec<String> = paths
        .filter(|path| path.ends_with(".wet.gz") && !path.contains(".."))
        .map(ToOwned::to_owned)
        .collect();
    match paths.is_empty() {
        true => Err(CorpusError::Refused(format!(
            "{url}: no WET file is listed"
        ))),
        false => Ok(paths),
    }
}

/// Fetches `files` of the paths, chosen by `seed`, into a folder, in the order of the list.
///
/// # Errors
/// Those of the server and the file system.
pub fn spread(
    fetcher: &Fetcher<'_>,
    base: &str,
    paths: &[String],
    files: usize,
    seed: u64,
    folder: &Path,
    watch: &dyn Watch,
) -> Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder).map_err(CorpusError::io(folder))?;
    let mut order: Vec<usize> = (0..paths.len()).collect();
    order.sort_by_key(|place| rank(seed, *place as u64));
    order.truncate(files);
    order.sort_unstable();
    let mut local = Vec::new();
    for place in order {
        let path = &paths[place];
        let name = path.rsplit('/').next().unwrap_or(path);
        let to = folder.join(name);
        if !to.exists() {
            watch.note(&format!("fetching {name}"));
            fetcher.download(&format!("{}/{path}", base.trim_end_matches('/')), &to)?;
        }
        local.push(to);
    }
    Ok(local)
}
