//! What lies in the caches: listed, and removed.

use std::fs;

use serde_json::Value;

use super::server::COMMIT;
use super::{World, files, snapshot};
use crate::harness::{Place, run};

#[test]
fn models_are_listed_with_sizes() {
    let world = World::new(files());
    assert!(world.listed().is_empty());
    world.pull().fails(0, "fetched");
    world.works("org/tiny");
    // What others have there.
    fs::create_dir_all(world.place.path("hf/hub/models--other--half/blobs")).unwrap();
    world.place.write(
        "hf/hub/models--other--half/blobs/0a.incomplete",
        vec![0; 500],
    );
    fs::create_dir_all(world.place.path("hf/hub/datasets--a--b")).unwrap();
    world.place.write("hf/hub/version.txt", "1");
    let listed = world.listed();
    let names: Vec<&str> = listed
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["org/tiny", "other/half"]);
    let sizes = world.blobs().into_iter().map(|name| {
        fs::metadata(world.cached("blobs").join(name))
            .unwrap()
            .len()
    });
    assert_eq!(listed[0]["bytes"], sizes.sum::<u64>());
    assert_eq!(
        (&listed[0]["state"], &listed[1]["state"]),
        (&"ready".into(), &"incomplete".into())
    );
    assert_eq!(listed[0]["revisions"][0]["commit"], COMMIT);
    assert_eq!(listed[0]["revisions"][0]["names"][0], "main");
    assert_eq!(listed[1]["bytes"], 500);
    let table = String::from_utf8(world.lmz(&["models"]).quiet()).unwrap();
    assert!(table.contains("  Hugging Face cache\n"), "{table}");
    assert!(
        table.contains("lmz model pull other/half fetches it"),
        "{table}"
    );
    assert!(table.contains("cache of prepared models"), "{table}");
    let json = world.lmz(&["models", "--json"]).quiet();
    let all: Vec<Value> = serde_json::from_slice(&json).unwrap();
    let prepared = all.iter().find(|one| one["kind"] == "prepared").unwrap();
    let path = prepared["path"].as_str().unwrap();
    assert_eq!(prepared["bytes"], fs::metadata(path).unwrap().len());
}

#[test]
fn what_is_removed_is_gone_and_nothing_else() {
    let world = World::new(files());
    world.pull().fails(0, "fetched");
    world.works("org/tiny");
    let rm = |args: &[&str]| world.lmz(&[&["model", "rm"][..], args].concat());
    // Nobody is there who could agree.
    rm(&["org/tiny"]).fails(1, "--yes removes it");
    assert!(world.cached("refs/main").exists());
    // Another commit, which shares all but its configuration.
    let other = "f".repeat(40);
    let twin = world.cached(&format!("snapshots/{other}"));
    fs::create_dir_all(&twin).unwrap();
    world.place.write("hf/hub/models--org--tiny/blobs/0b", "{}");
    #[cfg(unix)]
    for (name, target) in [
        ("config.json", "0b".to_owned()),
        ("tokenizer.json", blob(&world, "tokenizer.json")),
    ] {
        std::os::unix::fs::symlink(format!("../../blobs/{target}"), twin.join(name)).unwrap();
    }
    rm(&["--yes", "org/tiny@v7"]).fails(1, "no revision \"v7\"");
    rm(&["--yes", "org/tiny:x.gguf"]).fails(1, "a file cannot be removed alone");
    #[cfg(unix)]
    {
        rm(&["--yes", &format!("org/tiny@{other}")]).fails(0, "2 B are free");
        assert!(!twin.exists() && !world.cached("blobs/0b").exists());
        world.works("org/tiny");
    }
    // A link that leads out of the cache is removed, not what it leads to.
    world.place.write("precious", "mine");
    #[cfg(unix)]
    std::os::unix::fs::symlink(
        world.place.path("precious"),
        world.cached(&snapshot("more.bin")),
    )
    .unwrap();
    rm(&["-y", "org/tiny"]).fails(0, "removed org/tiny from the Hugging Face cache: ");
    assert!(!world.cached("").exists());
    assert_eq!(world.place.read("precious"), b"mine");
    rm(&["-y", "org/tiny"]).fails(1, "no model \"org/tiny\" in ");

    // Prepared ones, by id.
    let prepared = || -> Vec<Value> {
        let json = world.lmz(&["models", "--json"]).quiet();
        let all: Vec<Value> = serde_json::from_slice(&json).unwrap();
        all.into_iter()
            .filter(|one| one["kind"] == "prepared")
            .collect()
    };
    let kept = prepared();
    let id = kept[0]["id"].as_str().unwrap();
    rm(&["-yq", &id[..8]]).quiet();
    assert_eq!(prepared().len(), kept.len() - 1);
    rm(&["-y", &id[..8]]).fails(1, "no model ");
}

#[cfg(unix)]
fn blob(world: &World, file: &str) -> String {
    let link = fs::read_link(world.cached(&snapshot(file))).unwrap();
    link.file_name().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn what_lies_in_no_cache_is_not_removed() {
    let place = Place::new();
    fs::create_dir_all(place.path("data/lmz/models")).unwrap();
    let file = place.path("data/lmz/models/mine.lmzm");
    fs::copy(crate::harness::nano(), &file).unwrap();
    fs::create_dir_all(place.path("hf/hub")).unwrap();
    fs::create_dir_all(place.path("outside")).unwrap();
    place.write("outside/a", "b");
    #[cfg(unix)]
    std::os::unix::fs::symlink(
        place.path("outside"),
        place.path("hf/hub/models--org--link"),
    )
    .unwrap();
    let rm = |name: &str| {
        let mut command = place.command();
        command
            .env("XDG_DATA_HOME", place.path("data"))
            .env("XDG_CACHE_HOME", place.path("cache"))
            .env("HF_HOME", place.path("hf"));
        run(command.args(["model", "rm", "-y", name]), b"")
    };
    rm("stories260K").fails(1, "is no model of a cache but a file of yours: remove ");
    rm("lmz-5m").fails(1, "is a part of this program");
    rm("org/link").fails(1, "no model \"org/link\"");
    rm("../outside").fails(1, "no model");
    rm("nothing").fails(1, "no model \"nothing\" in ");
    assert!(file.exists() && place.path("outside/a").exists());
}
