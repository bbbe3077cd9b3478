//! Fetching, from the first request to a restored file.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::server::{COMMIT, git_hash, sha256};
use super::{World, files, fixture, snapshot};
use crate::harness::{finish, run, spawn};

#[test]
fn a_model_is_fetched_and_found_by_its_name() {
    let world = World::new(files());
    let missing = world.lmz(&["-cm", "org/tiny", "a"]);
    missing.fails(1, "no model \"org/tiny\": it is no file or directory");
    missing.fails(1, "lmz model pull org/tiny fetches it");

    let pulled = world.pull();
    pulled.fails(0, "org/tiny: 4 files, ");
    let small = ["config.json", "tokenizer.json", "tokenizer_config.json"];
    let weights = fixture("text/mistral/model.safetensors");
    // The layout of Hugging Face's own tools.
    assert_eq!(
        fs::read_to_string(world.cached("refs/main")).unwrap(),
        COMMIT
    );
    let all: BTreeMap<&str, Vec<u8>> = files().into_iter().collect();
    let mut blobs: Vec<String> = Vec::new();
    for name in small.iter().copied().chain(["model.safetensors"]) {
        let bytes = &all[name];
        let hash = match bytes.len() > 20_000 {
            true => sha256(bytes),
            false => git_hash(bytes),
        };
        let path = world.cached(&snapshot(name));
        assert_eq!(fs::read(&path).unwrap(), *bytes, "{name}");
        #[cfg(unix)]
        assert_eq!(
            fs::read_link(&path).unwrap(),
            Path::new("../../blobs").join(&hash)
        );
        blobs.push(hash);
    }
    blobs.sort();
    assert_eq!(world.blobs(), blobs, "nothing else was fetched");
    world.works("org/tiny");
    world.works(&format!("org/tiny@{COMMIT}"));

    // The second time nothing comes.
    world.hub.seen();
    world.pull().fails(0, "all there");
    let seen = world.hub.seen();
    assert!(
        seen.iter()
            .all(|seen| !seen.elsewhere && seen.method == "GET"),
        "{seen:?}"
    );
    assert_eq!(seen.len(), 1, "the list of files: {seen:?}");
    assert!(
        world
            .lmz(&["model", "pull", "-q", "org/tiny"])
            .quiet()
            .is_empty()
    );

    // Without a network, and without its server, it is there too.
    let offline = |args: &[&str]| {
        let mut command = world.command();
        command
            .env("HF_HUB_OFFLINE", "1")
            .env("HF_ENDPOINT", "http://127.0.0.1:1");
        run(command.args(args), b"")
    };
    offline(&["model", "pull", "org/tiny"]).fails(0, "HF_HUB_OFFLINE is set");
    offline(&["model", "info", "org/tiny"]).fails(0, "");
    offline(&["model", "pull", "org/other"])
        .fails(1, "HF_HUB_OFFLINE is set, so nothing is fetched");

    // A local path of that name wins.
    fs::create_dir_all(world.place.path("org/tiny")).unwrap();
    world.lmz(&["-cm", "org/tiny", "a"]).fails(1, "config.json");
    assert_eq!(
        weights,
        fs::read(world.cached(&snapshot("model.safetensors"))).unwrap()
    );
}

#[test]
fn it_is_a_model_wherever_one_can_be_named() {
    let world = World::new(files());
    world.pull().fails(0, "fetched");
    // By its name it has the name that the hub gives it.
    let info = world.lmz(&["model", "info", "org/tiny"]).quiet();
    let info = String::from_utf8(info).unwrap();
    assert!(info.contains("tokens"), "{info}");
    world
        .lmz(&["model", "prepare", "org/tiny", "-o", "x.lmzm"])
        .fails(0, "x.lmzm: ");
    world.lmz(&["-m", "org/tiny", "a"]).quiet();
    let verified = world.lmz(&["verify", "-m", "org/tiny", "a.lmz"]);
    verified.fails(0, "");
    world.lmz(&["-dfm", "x.lmzm", "a.lmz"]).quiet();
    #[cfg(feature = "float")]
    {
        world.place.write("b.txt", crate::harness::story(2000));
        let args = [
            "bpc",
            "-m",
            "org/tiny",
            "-c",
            "b.txt",
            "--protocol",
            "document",
        ];
        world.lmz(&args).fails(0, "");
    }
}

#[test]
fn revisions_have_names() {
    let world = World::new(files());
    world
        .lmz(&["model", "pull", "org/tiny@v1"])
        .fails(0, "fetched");
    assert_eq!(fs::read_to_string(world.cached("refs/v1")).unwrap(), COMMIT);
    world.works("org/tiny@v1");
    let other = world.lmz(&["-cm", "org/tiny", "a"]);
    other.fails(1, "not its revision main (there: v1, ");
    // What is the same is not fetched again.
    world.hub.seen();
    world.pull().fails(0, "all there");
    assert!(world.hub.seen().iter().all(|seen| !seen.elsewhere));
    world.works("org/tiny");
    world
        .lmz(&["model", "pull", "org/tiny@v2"])
        .fails(1, "org/tiny has no revision \"v2\"");
}

/// The same weights in two files and an index.
fn in_two_files() -> Vec<(&'static str, Vec<u8>)> {
    let whole = fixture("text/mistral/model.safetensors");
    let length = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let header: BTreeMap<String, Value> = serde_json::from_slice(&whole[8..8 + length]).unwrap();
    let data = &whole[8 + length..];
    let mut parts = [(json!({}), Vec::new()), (json!({}), Vec::new())];
    let mut map = json!({});
    let tensors = header.iter().filter(|(name, _)| *name != "__metadata__");
    for (number, (name, tensor)) in tensors.enumerate() {
        let offset = |at: usize| tensor["data_offsets"][at].as_u64().unwrap() as usize;
        let (header, bytes) = &mut parts[number % 2];
        let start = bytes.len();
        bytes.extend_from_slice(&data[offset(0)..offset(1)]);
        let mut moved = tensor.clone();
        moved["data_offsets"] = json!([start, bytes.len()]);
        header[name] = moved;
        map[name] = json!(format!("model-0000{}-of-00002.safetensors", number % 2 + 1));
    }
    let [one, two] = parts.map(|(header, bytes)| {
        let header = header.to_string();
        let length = (header.len() as u64).to_le_bytes();
        [&length[..], header.as_bytes(), &bytes].concat()
    });
    let mut all = files();
    all.retain(|(name, _)| *name != "model.safetensors");
    let index = json!({ "metadata": { "total_size": data.len() }, "weight_map": map });
    all.push((
        "model.safetensors.index.json",
        index.to_string().into_bytes(),
    ));
    all.push(("model-00001-of-00002.safetensors", one));
    all.push(("model-00002-of-00002.safetensors", two));
    all.push(("model-00003-of-00002.safetensors", vec![1; 30_000]));
    all
}

#[test]
fn weights_in_several_files_are_those_of_the_index() {
    let world = World::new(in_two_files());
    world.pull().fails(0, "org/tiny: 6 files, ");
    assert_eq!(world.blobs().len(), 6);
    world.works("org/tiny");
    // They are the same model.
    let whole = World::new(files());
    whole.pull().fails(0, "fetched");
    let id = |world: &World| {
        let json = world.lmz(&["model", "info", "--json", "org/tiny"]).quiet();
        let facts: Value = serde_json::from_slice(&json).unwrap();
        facts["identity"].clone()
    };
    assert_eq!(id(&world), id(&whole));
    fs::remove_file(world.cached(&snapshot("model-00002-of-00002.safetensors"))).unwrap();
    let run = world.lmz(&["-cm", "org/tiny", "a"]);
    run.fails(1, "model-00002-of-00002.safetensors is missing in ");
    run.fails(1, "lmz model pull org/tiny fetches what is missing");
    // The content is there; its name was not.
    world.pull().fails(0, "all there");
    world.works("org/tiny");
}

#[test]
fn of_several_gguf_files_one_is_named() {
    let whole = fixture("gguf/bytes.gguf");
    let other = fixture("gguf/pieces.gguf");
    let world = World::new([
        ("README.md", b"# Tiny".to_vec()),
        ("config.json", b"{}".to_vec()),
        ("q4/tiny.gguf", whole.clone()),
        ("q8.gguf", other),
        ("parts-00001-of-00002.gguf", whole.clone()),
        ("parts-00002-of-00002.gguf", vec![1; 50]),
    ]);
    let several = world.pull();
    several.fails(1, "several GGUF files");
    several.fails(
        1,
        "org/tiny:FILE with one of parts-00001-of-00002.gguf, q4/tiny.gguf, q8.gguf",
    );
    world
        .lmz(&["model", "pull", "org/tiny:q5.gguf"])
        .fails(1, "there is no q5.gguf in it, but parts-00001");
    world
        .lmz(&["model", "pull", "org/tiny:q4/tiny.gguf"])
        .fails(0, "org/tiny:q4/tiny.gguf: 1 file, ");
    assert_eq!(world.blobs().len(), 1);
    world.works("org/tiny:q4/tiny.gguf");
    // The only one that is there needs no name.
    world.works("org/tiny");
    world
        .lmz(&["-cm", "org/tiny:q8.gguf", "a"])
        .fails(1, "q8.gguf is missing in ");
    world
        .lmz(&["model", "pull", "org/tiny:q8.gguf"])
        .fails(0, "1 file");
    world.works("org/tiny:q8.gguf");
    world
        .lmz(&["-cm", "org/tiny", "a"])
        .fails(1, "several GGUF files");
    // All parts of one that is in parts.
    world
        .lmz(&["model", "pull", "org/tiny:parts-00001-of-00002.gguf"])
        .fails(0, "2 files");
    fs::remove_file(world.cached(&snapshot("parts-00002-of-00002.gguf"))).unwrap();
    world
        .lmz(&["-cm", "org/tiny:parts-00001-of-00002.gguf", "a"])
        .fails(1, "parts-00002-of-00002.gguf is missing");
}

#[test]
fn a_token_is_the_hubs_alone() {
    let world = World::new(files());
    let with = |name: &str, value: &str| {
        fs::remove_dir_all(world.place.path("hf")).ok();
        fs::create_dir_all(world.place.path("hf")).unwrap();
        let mut command = world.command();
        if name == "file" {
            world.place.write("hf/token", value);
        } else {
            command.env(name, value);
        }
        let run = run(command.args(["model", "pull", "-v", "org/tiny"]), b"");
        assert!(!run.stderr.contains("hf_secret"), "{}", run.stderr);
        (run, world.hub.seen())
    };
    for (name, value) in [
        ("HF_TOKEN", "hf_secret"),
        ("HUGGING_FACE_HUB_TOKEN", "hf_secret"),
        ("file", "hf_secret\n"),
    ] {
        let (run, seen) = with(name, value);
        run.fails(0, "fetched");
        let (elsewhere, own): (Vec<_>, Vec<_>) = seen.iter().partition(|seen| seen.elsewhere);
        let secret = Some("Bearer hf_secret");
        assert!(
            !own.is_empty()
                && own
                    .iter()
                    .all(|seen| seen.header("authorization") == secret)
        );
        assert!(!elsewhere.is_empty());
        assert!(
            elsewhere
                .iter()
                .all(|seen| seen.header("authorization").is_none())
        );
    }
    let (run, seen) = with("HF_TOKEN", "hf secret\u{e4}");
    run.fails(1, "HF_TOKEN holds no token");
    assert!(seen.is_empty());
}

#[test]
fn two_at_once_do_not_spoil_each_other() {
    let world = World::new(files());
    world.hub.faults().slow = true;
    let start = || {
        let mut command = world.command();
        command.args(["model", "pull", "org/tiny"]);
        spawn(&mut command)
    };
    let (one, two) = (start(), start());
    for child in [one, two] {
        finish(child).fails(0, "org/tiny: 4 files, ");
    }
    let large: Vec<_> = world
        .hub
        .seen()
        .into_iter()
        .filter(|seen| seen.elsewhere)
        .collect();
    let weights = large
        .iter()
        .filter(|seen| seen.path.contains("model.safetensors"));
    assert_eq!(weights.count(), 1, "{large:?}");
    assert!(
        world
            .blobs()
            .iter()
            .all(|name| !name.contains("incomplete"))
    );
    world.works("org/tiny");
}
