//! `lmz model pull`, in a build that can fetch.

use indicatif::{DecimalBytes, ProgressBar};
use lmz::ModelStore;
use lmz::figures::show;
use lmz::hub::{Hub, HubName, PullWatch, Watch};

use super::args::PullArgs;
use super::remove::in_words;
use crate::exit::Exit;
use crate::settings::{Talk, Volume};
use crate::terminal::bar::Bar;
use crate::terminal::message::{Failure, say};
use crate::terminal::signal;

const TEMPLATE: &str =
    "{prefix} {wide_bar} {percent:>3}% of {total_bytes} {binary_bytes_per_sec} {eta} left";

/// Fetches a model.
pub fn pull(args: &PullArgs) -> Result<Exit, Failure> {
    let talk = Talk::resolve(args.talk);
    let name = HubName::read(&args.name).map_err(in_words)?;
    let hub = Hub::from_env().map_err(in_words)?;
    let progress = Progress::new(talk, &name.repo());
    let pulled = hub.pull(&name, &progress);
    drop(progress);
    let pulled = pulled.map_err(in_words)?;
    if talk.volume == Volume::Quiet {
        return Ok(Exit::Success);
    }
    let files = match pulled.files {
        1 => "1 file".to_owned(),
        n => format!("{n} files"),
    };
    match (pulled.files, pulled.fetched) {
        (0, _) => say(&format!(
            "{name}: there, in {}; HF_HUB_OFFLINE is set, so nothing was compared",
            show(&pulled.path)
        )),
        (_, 0) => say(&format!(
            "{name}: {files}, all there, in {}",
            show(&pulled.path)
        )),
        (_, fetched) => say(&format!(
            "{name}: {files}, {}, of which {} were fetched, in {}",
            DecimalBytes(pulled.bytes),
            DecimalBytes(fetched),
            show(&pulled.path)
        )),
    }
    let remarks = ModelStore::from_env().remarks(args.name.as_ref());
    for warning in &remarks.warnings {
        say(&format!("lmz: warning: {warning}"));
    }
    if let Some(chat) = &remarks.chat {
        say(&format!("lmz: {chat}"));
    }
    Ok(Exit::Success)
}

/// One bar for all files.
struct Progress {
    bar: Bar,
    talk: Talk,
}

impl Progress {
    fn new(talk: Talk, name: &str) -> Self {
        let bar = Bar::new(talk.progress);
        bar.draw(ProgressBar::new(0).with_prefix(name.to_owned()), TEMPLATE);
        Self { bar, talk }
    }
}

impl Watch for Progress {
    fn advance(&self, bytes: u64) {
        self.bar.lock().inc(bytes);
    }

    fn note(&self, text: &str) {
        if self.talk.reports {
            self.bar.lock().suspend(|| say(&format!("lmz: {text}")));
        }
    }

    fn cancelled(&self) -> bool {
        signal::interrupted()
    }
}

impl PullWatch for Progress {
    fn expect(&self, bytes: u64) {
        self.bar.lock().inc_length(bytes);
    }

    fn judge(&self, config: &[u8]) -> Result<(), String> {
        let parsed = lmz::model::parse_config(config);
        parsed.map(drop).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use indicatif::ProgressStyle;

    use super::*;

    #[test]
    fn the_template_is_valid() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }
}
