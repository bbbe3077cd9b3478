//! `lmz model rm`: what is in a cache goes.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::{anyhow, bail};
use indicatif::DecimalBytes;
use lmz::figures::show;
use lmz::hub::{CachedModel, HubCache, HubError, HubName};
use lmz::{KeptModel, ModelStore, Origin, PreparedCache};

use super::args::RmArgs;
use crate::exit::Exit;
use crate::io::system::describe;
use crate::terminal::message::{Failure, say};

/// Fewest digits by which a model may be named.
const MIN_ID_DIGITS: usize = 4;

/// What is to go.
enum Target {
    /// All of a model of the hub, or one commit of it.
    Hub(HubCache, CachedModel, Option<String>),
    Prepared(PreparedCache, Box<KeptModel>),
}

/// Removes a model from its cache.
pub fn remove(args: &RmArgs) -> Result<Exit, Failure> {
    let target = find(&args.name)?;
    let (what, frees) = match &target {
        Target::Hub(cache, model, commit) => {
            let revision = match commit {
                Some(commit) => format!(", its commit {}", &commit[..12.min(commit.len())]),
                None => String::new(),
            };
            let frees = cache.frees(model, commit.as_deref());
            (
                format!("{}{revision} from the Hugging Face cache", model.name),
                frees,
            )
        }
        Target::Prepared(_, model) => (
            format!(
                "the prepared model {} (id {}) from {}",
                model.summary.name,
                &model.identity[..16],
                show(model.path.parent().unwrap_or(&model.path))
            ),
            model.bytes,
        ),
    };
    let size = DecimalBytes(frees);
    if !args.yes && !agrees(&format!("remove {what} ({size})?"))? {
        return Err(Failure::Fatal(anyhow!("nothing was removed")));
    }
    match &target {
        Target::Hub(cache, model, commit) => {
            cache.remove(model, commit.as_deref()).map_err(in_words)?;
        }
        Target::Prepared(cache, model) => cache
            .remove(model)
            .map_err(|error| describe(error).context(show(&model.path)))?,
    }
    if !args.quiet {
        say(&format!("removed {what}: {size} are free"));
    }
    Ok(Exit::Success)
}

/// What has this name or id in one of the caches.
fn find(asked: &str) -> anyhow::Result<Target> {
    if let (Some(name), Some(cache)) = (HubName::parse(asked), HubCache::from_env()) {
        let mut models = cache.models().into_iter();
        if let Some(model) = models.find(|model| model.name == name.repo()) {
            let revision = name.names_revision().then(|| name.revision());
            if name.file().is_some() {
                bail!(
                    "{asked}: a file cannot be removed alone: name the model, {}",
                    name.repo()
                );
            }
            let commit = match revision.map(|revision| (revision, model.commit(revision))) {
                None => None,
                Some((_, Some(commit))) => Some(commit.to_owned()),
                Some((revision, None)) => bail!(
                    "{}: no revision {revision:?} of it is in the Hugging Face cache",
                    name.repo()
                ),
            };
            return Ok(Target::Hub(cache, model, commit));
        }
    }
    if let Some(cache) = PreparedCache::from_env() {
        let digits = asked.to_ascii_lowercase();
        let is_id = asked.len() >= MIN_ID_DIGITS && asked.bytes().all(|b| b.is_ascii_hexdigit());
        let all = cache.models();
        let (mut fits, others): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|model| model.summary.name == asked);
        if fits.is_empty() && is_id {
            let others = others.into_iter();
            fits = others
                .filter(|model| model.identity.starts_with(&digits))
                .collect();
        }
        if fits.len() > 1 {
            let ids: Vec<&str> = fits.iter().map(|model| &model.identity[..16]).collect();
            bail!(
                "{asked:?} is more than one prepared model; use the id: {}",
                ids.join(", ")
            );
        }
        if let Some(model) = fits.pop() {
            return Ok(Target::Prepared(cache, Box::new(model)));
        }
    }
    // What lies elsewhere is somebody's file.
    let known = ModelStore::from_env().models();
    for found in &known {
        match (&found.origin, &found.summary) {
            (Origin::File(path), Ok(summary)) if summary.name == asked => {
                bail!(
                    "{asked} is no model of a cache but a file of yours: remove {}",
                    show(path)
                );
            }
            (Origin::Embedded, Ok(summary)) if summary.name == asked => {
                bail!("{asked} is a part of this program");
            }
            _ => {}
        }
    }
    let caches = [
        HubCache::from_env().map(|cache| cache.directory().to_owned()),
        PreparedCache::from_env().map(|cache| cache.directory().to_owned()),
    ];
    let caches: Vec<String> = caches.iter().flatten().map(|path| show(path)).collect();
    bail!(
        "no model {asked:?} in {}: lmz models lists what there is",
        caches.join(" and in ")
    )
}

/// Asks a person.
fn agrees(question: &str) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        bail!("{question} Nobody is there to ask: --yes removes it");
    }
    let mut error = io::stderr();
    write!(error, "{} [y/N] ", lmz::figures::visible(question))?;
    error.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Errors of the operating system in the words that they have everywhere else.
pub fn in_words(error: HubError) -> Failure {
    Failure::Fatal(match error {
        HubError::Io { path, error } => describe(error).context(show(&path)),
        error => error.into(),
    })
}
