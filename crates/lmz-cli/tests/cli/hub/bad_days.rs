//! What a server may do, and what a line may.

use std::fs;

use serde_json::json;

use super::server::{COMMIT, sha256};
use super::{World, files, fixture, snapshot};
use crate::harness::run;

fn weights() -> Vec<u8> {
    fixture("text/mistral/model.safetensors")
}

#[test]
fn a_line_that_is_cut_is_taken_up_again() {
    let world = World::new(files());
    let half = weights().len() / 2 + 1;
    world.hub.faults().cut = Some(half);
    world.pull().fails(0, "org/tiny: 4 files, ");
    let seen = world.hub.seen();
    let ranges = seen
        .iter()
        .filter(|seen| seen.elsewhere && seen.path.contains("model.safetensors"))
        .map(|seen| seen.header("range").map(str::to_owned));
    let ranges: Vec<_> = ranges.collect();
    assert_eq!(ranges, [None, Some(format!("bytes={half}-"))]);
    assert_eq!(
        fs::read(world.cached(&snapshot("model.safetensors"))).unwrap(),
        weights()
    );
    world.works("org/tiny");
}

/// What another run, or another program, has left.
#[test]
fn a_part_that_was_left_is_gone_on_with() {
    let hash = sha256(&weights());
    let leave = |world: &World, bytes: &[u8]| {
        fs::create_dir_all(world.cached("blobs")).unwrap();
        fs::write(world.cached(&format!("blobs/{hash}.incomplete")), bytes).unwrap();
    };
    let asked = |world: &World| -> Vec<Option<String>> {
        let seen = world.hub.seen().into_iter();
        let weights = seen.filter(|seen| seen.elsewhere && seen.path.contains("model.safetensors"));
        weights
            .map(|seen| seen.header("range").map(str::to_owned))
            .collect()
    };
    let mut damaged = weights()[..5000].to_vec();
    damaged[100] ^= 1;
    let longer = [weights(), vec![0; 7]].concat();
    let from = || Some("bytes=5000-".to_owned());
    for (what, part, requests) in [
        ("sound", &weights()[..5000], vec![from()]),
        ("damaged", &damaged[..], vec![from(), None]),
        ("longer", &longer[..], vec![None]),
        ("whole", &weights()[..], vec![]),
        ("empty", &[][..], vec![None]),
    ] {
        let world = World::new(files());
        leave(&world, part);
        let run = world.lmz(&["-cm", "org/tiny", "a"]);
        run.fails(1, "(a download was not finished)");
        world.pull().fails(0, "fetched");
        assert_eq!(asked(&world), requests, "{what}");
        assert_eq!(
            fs::read(world.cached(&format!("blobs/{hash}"))).unwrap(),
            weights(),
            "{what}"
        );
        assert!(
            world
                .blobs()
                .iter()
                .all(|name| !name.contains("incomplete")),
            "{what}"
        );
    }
    // Where ranges are not understood it is fetched anew.
    let world = World::new(files());
    leave(&world, &weights()[..5000]);
    world.hub.faults().no_ranges = true;
    world.pull().fails(0, "fetched");
    world.works("org/tiny");
}

#[test]
fn what_is_not_the_file_gets_no_name() {
    let world = World::new(files());
    let fails = |words: &str| {
        let run = world.pull();
        run.fails(1, words);
        run.fails(1, "model.safetensors");
        assert!(!world.cached(&snapshot("model.safetensors")).exists());
        assert!(!world.blobs().contains(&sha256(&weights())));
        let run = world.lmz(&["-cm", "org/tiny", "a"]);
        run.fails(1, "lmz model pull org/tiny fetches what is missing");
    };
    world.hub.faults().wrong_byte = true;
    fails("what came is not the file: its hash is not ");
    world.hub.faults().wrong_byte = false;
    for announced in [u64::MAX / 2, weights().len() as u64 + 1, 10] {
        world.hub.faults().announced = Some(announced);
        fails("the server is about to send ");
    }
    world.hub.faults().announced = None;
    world.hub.faults().endless = true;
    fails("more bytes come than the ");
    world.hub.faults().endless = false;
    world.pull().fails(0, "fetched");
    world.works("org/tiny");
}

#[test]
fn refusals_are_explained() {
    let world = World::new(files());
    let refuse = |status, code, message, token: bool| {
        world.hub.faults().refuse = Some((status, code, message));
        let mut command = world.command();
        if token {
            command.env("HF_TOKEN", "hf_x");
        }
        run(command.args(["model", "pull", "org/tiny"]), b"")
    };
    let base = &world.hub.base;
    let gated = refuse(401, "GatedRepo", "Access is restricted", false);
    gated.fails(
        1,
        "org/tiny is gated: its owner lets in who has accepted its terms",
    );
    gated.fails(
        1,
        &format!("Accept them at {base}/org/tiny, and set HF_TOKEN"),
    );
    let gated = refuse(403, "GatedRepo", "You are not in the list", true);
    gated.fails(1, "the account of the token that is set has no access yet");
    gated.fails(1, "You are not in the list");
    refuse(401, "RepoNotFound", "", false).fails(
        1,
        &format!("there is no model org/tiny at {base}, or it is private and wants a token"),
    );
    refuse(404, "RepoNotFound", "", true).fails(1, "the token that is set may not read it");
    refuse(401, "", "Invalid credentials in Authorization header", true)
        .fails(1, "the token is not accepted");
    refuse(404, "RevisionNotFound", "", false).fails(1, "org/tiny has no revision \"main\"");
    refuse(403, "", "Forbidden", false)
        .fails(1, "org/tiny may not be read without a token (HF_TOKEN)");
    refuse(418, "", "a teapot", false).fails(1, "status 418");
    world.hub.faults().refuse = None;
    world
        .lmz(&["model", "pull", "org/other"])
        .fails(1, "there is no model org/other");
    world
        .lmz(&["model", "pull", "../etc"])
        .fails(1, "\"../etc\" is no model of the hub: those are ORG/NAME");
    let mut command = world.command();
    command.env("HF_ENDPOINT", "http://127.0.0.1:1");
    let run = run(command.args(["model", "pull", "org/tiny"]), b"");
    run.fails(1, "http://127.0.0.1:1 cannot be reached");
    run.fails(1, "Is there a network?");
    assert!(!world.place.path("hf/hub").exists());
}

#[test]
fn hostile_answers_are_refused() {
    let world = World::new(files());
    let answers = |info: serde_json::Value, words: &str| {
        world.hub.faults().info = Some(info);
        world.pull().fails(1, words);
    };
    let sibling = |name: &str, size: u64| json!({ "rfilename": name, "size": size });
    let with = |name: &str, size: u64| {
        let all = ["config.json", "tokenizer.json", "model.safetensors"].into_iter();
        let all = all
            .filter(|one| *one != name)
            .map(|one| json!({ "rfilename": one }));
        let all: Vec<_> = all.chain([sibling(name, size)]).collect();
        json!({ "sha": COMMIT, "siblings": all })
    };
    answers(
        json!({ "sha": "../x", "siblings": [] }),
        "the commit is \"../x\"",
    );
    answers(json!([1, 2]), "not what the hub answers");
    answers(
        json!({ "sha": COMMIT, "siblings": [sibling("../../x.gguf", 9)] }),
        "no config.json and no GGUF file",
    );
    answers(with("model.safetensors", u64::MAX), "two sizes of it");
    answers(with("config.json", 7), "two sizes of it");
    let mut lies = with(
        "config.json",
        fixture("text/mistral/config.json").len() as u64,
    );
    lies["siblings"][2]["blobId"] = "2".repeat(40).into();
    assert!(!world.place.path("x.gguf").exists() && world.blobs().len() <= 2);
    // What was checked before is there: in another cache.
    let world = World::new(files());
    world.hub.faults().info = Some(lies);
    world.pull().fails(1, "two hashes of it");
    assert!(world.blobs().is_empty());

    // An index that names what lies elsewhere.
    let mut all = files();
    all.retain(|(name, _)| *name != "model.safetensors");
    let index = json!({ "weight_map": { "a": "../x" } });
    all.push((
        "model.safetensors.index.json",
        index.to_string().into_bytes(),
    ));
    let world = World::new(all);
    world
        .pull()
        .fails(1, "names \"../x\", which is no plain file name");

    // A file that is too long for what it is.
    let mut all = files();
    all.push(("config.json", vec![b' '; (4 << 20) + 1]));
    let world = World::new(all);
    world
        .pull()
        .fails(1, "more than the 4194304 that such a file may have");
}

#[test]
fn weights_that_nothing_can_run_are_not_fetched() {
    let mut all = files();
    all.push((
        "config.json",
        br#"{"architectures":["MambaForCausalLM"],"model_type":"mamba"}"#.to_vec(),
    ));
    let world = World::new(all);
    let run = world.pull();
    run.fails(1, "org/tiny has no model that lmz can read: config.json: ");
    run.fails(1, "MambaForCausalLM");
    assert!(world.hub.seen().iter().all(|seen| !seen.elsewhere));
}

/// A disk of its own, unmounted when dropped.
#[cfg(target_os = "linux")]
struct Disk(std::path::PathBuf);

#[cfg(target_os = "linux")]
impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(&self.0).status();
    }
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "mounts a file system: needs to be root on Linux"]
fn a_full_disk_is_said_before_anything_comes() {
    let world = World::new(files());
    let path = world.place.path("hf");
    fs::create_dir(&path).unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"])
        .arg(&path)
        .status();
    assert!(mounted.unwrap().success());
    let _disk = Disk(path);
    let run = world.pull();
    run.fails(1, "no space left for ");
    run.fails(1, "more bytes are needed there");
    run.fails(1, "set HF_HOME to another place");
}
