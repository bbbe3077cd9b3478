//! Models of the hub: fetched, found by their names, listed and removed.

mod bad_days;
mod cache;
mod fetch;
mod server;

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::harness::{Place, Run, run};
use server::{COMMIT, Hub};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures");

fn fixture(name: &str) -> Vec<u8> {
    fs::read(format!("{FIXTURES}/{name}")).unwrap()
}

/// The files of a model as the hub has them: more than lmz reads.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        (".gitattributes", b"*.safetensors filter=lfs".to_vec()),
        ("README.md", b"# Tiny".to_vec()),
        ("config.json", fixture("text/mistral/config.json")),
        (
            "model.safetensors",
            fixture("text/mistral/model.safetensors"),
        ),
        ("onnx/model.onnx", vec![7; 100]),
        ("pytorch_model.bin", vec![8; 100]),
        ("tokenizer.json", fixture("text/tokenizer.json")),
        (
            "tokenizer_config.json",
            b"{\"model_max_length\": 64}".to_vec(),
        ),
    ]
}

/// A directory of a test's own, and a hub.
struct World {
    place: Place,
    hub: Hub,
}

impl World {
    fn new(files: impl IntoIterator<Item = (&'static str, Vec<u8>)>) -> Self {
        let place = Place::new();
        place.write("a", "a text");
        let hub = Hub::new(files);
        Self { place, hub }
    }

    /// The program, with this hub and caches below the directory.
    fn command(&self) -> Command {
        let mut command = self.place.command();
        command
            .env("HF_ENDPOINT", &self.hub.base)
            .env("HF_HOME", self.place.path("hf"))
            .env("XDG_CACHE_HOME", self.place.path("cache"))
            .env("NO_PROXY", "127.0.0.1");
        command
    }

    fn lmz(&self, args: &[&str]) -> Run {
        run(self.command().args(args), b"")
    }

    /// Fetches the model.
    fn pull(&self) -> Run {
        self.lmz(&["model", "pull", "org/tiny"])
    }

    /// A path below the model's folder in the cache.
    fn cached(&self, path: &str) -> std::path::PathBuf {
        self.place.path("hf/hub/models--org--tiny").join(path)
    }

    /// The names of contents in the cache.
    fn blobs(&self) -> Vec<String> {
        let entries = fs::read_dir(self.cached("blobs")).into_iter().flatten();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// That a text compressed with a model comes back.
    #[track_caller]
    fn works(&self, model: &str) {
        let text = crate::harness::story(700);
        let packed = run(self.command().args(["-qm", model]), &text).quiet();
        let restored = run(self.command().args(["-qdm", model]), &packed).quiet();
        assert_eq!(restored, text);
    }

    /// What `lmz models --json` says of models of the hub.
    fn listed(&self) -> Vec<Value> {
        let json = self.lmz(&["models", "--json"]).quiet();
        let all: Vec<Value> = serde_json::from_slice(&json).unwrap();
        all.into_iter().filter(|one| one["kind"] == "hub").collect()
    }
}

fn snapshot(file: &str) -> String {
    format!("snapshots/{COMMIT}/{file}")
}
