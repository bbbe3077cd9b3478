//! `lmz models`: the list.

use std::io::{self, Write};

use indicatif::DecimalBytes;
use lmz::figures::show;
use lmz::hub::{CachedModel, HubCache, State};
use lmz::{KeptModel, ModelStore, Origin, PreparedCache};
use serde::Serialize;

use super::facts::Facts;
use crate::exit::Exit;
use crate::terminal::message::{Failure, complain};
use crate::terminal::visible::{Visible, print_json};
use crate::verbs::prepare::count;

/// A line of the list, or an object of its JSON.
#[derive(Serialize)]
#[serde(untagged)]
enum Listed {
    /// The embedded one, or a file in a directory of models.
    Model(Box<Placed>),
    Prepared(Kept),
    Hub(Fetched),
}

/// A model, and where it is, for people.
#[derive(Serialize)]
struct Placed {
    #[serde(flatten)]
    facts: Facts,
    #[serde(skip)]
    place: String,
}

/// A prepared model that is kept.
#[derive(Serialize)]
struct Kept {
    kind: &'static str,
    name: String,
    id: String,
    identity: String,
    checkpoint: String,
    bytes: u64,
    path: String,
    #[serde(skip)]
    context: usize,
}

/// A model of the hub.
#[derive(Serialize)]
struct Fetched {
    kind: &'static str,
    name: String,
    bytes: u64,
    path: String,
    /// `ready`, `files` or `incomplete`.
    state: &'static str,
    /// GGUF files, of which one must be named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<String>,
    revisions: Vec<Revision>,
}

#[derive(Serialize)]
struct Revision {
    commit: String,
    names: Vec<String>,
}

/// Prints all models that are found without a path.
pub fn list(json: bool) -> Result<Exit, Failure> {
    let store = ModelStore::from_env();
    let mut ok = true;
    let mut models = Vec::new();
    for found in store.models() {
        match found.origin.load() {
            Ok(prepared) => {
                let place = match &found.origin {
                    Origin::Embedded => found.origin.to_string(),
                    Origin::File(path) => show(path),
                };
                let facts = Facts::new(&prepared, Some(&found.origin));
                models.push(Listed::Model(Box::new(Placed { facts, place })));
            }
            Err(error) => {
                ok = false;
                complain("", &error.into());
            }
        }
    }
    let prepared = PreparedCache::from_env().map(|cache| cache.models());
    models.extend(
        prepared
            .into_iter()
            .flatten()
            .map(|kept| Listed::Prepared(kept.into())),
    );
    let fetched = HubCache::from_env().map(|cache| cache.models());
    models.extend(
        fetched
            .into_iter()
            .flatten()
            .map(|model| Listed::Hub(model.into())),
    );
    let print = || match json {
        true => print_json(&models),
        false => print(&models),
    };
    print().map_err(Failure::stdout)?;
    Ok(Exit::of(ok))
}

impl From<KeptModel> for Kept {
    fn from(kept: KeptModel) -> Self {
        Self {
            kind: "prepared",
            name: kept.summary.name,
            id: kept.identity[..32].to_owned(),
            identity: kept.identity,
            checkpoint: kept.summary.checkpoint,
            bytes: kept.bytes,
            path: kept.path.display().to_string(),
            context: kept.summary.blueprint.max_positions,
        }
    }
}

impl From<CachedModel> for Fetched {
    fn from(model: CachedModel) -> Self {
        let (state, files) = match model.state {
            State::Ready => ("ready", Vec::new()),
            State::Files(files) => ("files", files),
            State::Incomplete => ("incomplete", Vec::new()),
        };
        let revisions = model.revisions.into_iter();
        Self {
            kind: "hub",
            name: model.name,
            bytes: model.bytes,
            path: model.folder.display().to_string(),
            state,
            files,
            revisions: revisions
                .map(|(commit, names)| Revision { commit, names })
                .collect(),
        }
    }
}

impl Fetched {
    /// Where it is, for people, and what is to be known of it.
    fn place(&self) -> String {
        let names = self.revisions.iter().flat_map(|revision| &revision.names);
        let names: Vec<&str> = names.map(String::as_str).collect();
        let names = match names.as_slice() {
            [] | ["main"] => String::new(),
            names => format!(" ({})", names.join(", ")),
        };
        let state = match self.state {
            "files" => format!(
                ": -m {}:FILE, FILE one of {}",
                self.name,
                self.files.join(", ")
            ),
            "incomplete" => format!(
                ": not all that lmz needs is there; lmz model pull {} fetches it",
                self.name
            ),
            _ => String::new(),
        };
        format!("Hugging Face cache{names}{state}")
    }
}

fn print(models: &[Listed]) -> io::Result<()> {
    let name = |listed: &Listed| match listed {
        Listed::Model(placed) => placed.facts.name.chars().count(),
        Listed::Prepared(kept) => kept.name.chars().count(),
        Listed::Hub(fetched) => fetched.name.chars().count(),
    };
    let width = models.iter().map(name).max().unwrap_or(0).clamp(20, 48);
    let mut out = Visible(io::stdout().lock());
    writeln!(
        out,
        "{:<16}  {:<width$} {:>8} {:>7} {:>10}  where",
        "id", "name", "weights", "context", "size"
    )?;
    for listed in models {
        let (id, name, weights, context, bytes, place) = match listed {
            Listed::Model(placed) => (
                &placed.facts.id[..16],
                &placed.facts.name,
                count(placed.facts.weights),
                placed.facts.blueprint.max_positions.to_string(),
                placed.facts.bytes,
                placed.place.clone(),
            ),
            Listed::Prepared(kept) => (
                &kept.id[..16],
                &kept.name,
                "-".into(),
                kept.context.to_string(),
                kept.bytes,
                "cache of prepared models".into(),
            ),
            Listed::Hub(fetched) => (
                "-",
                &fetched.name,
                "-".into(),
                "-".into(),
                fetched.bytes,
                fetched.place(),
            ),
        };
        writeln!(
            out,
            "{id:<16}  {name:<width$} {weights:>8} {context:>7} {:>10}  {place}",
            DecimalBytes(bytes).to_string()
        )?;
    }
    Ok(())
}
