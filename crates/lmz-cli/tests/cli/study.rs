//! `lmz study`: the published figures, and a study that is killed.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::harness::{Place, finish, spawn};

#[test]
fn the_published_figures_reproduce() {
    let place = Place::new();
    let start = Instant::now();
    let text = String::from_utf8(place.lmz(["study", "published"]).quiet()).unwrap();
    assert!(start.elapsed() < Duration::from_secs(30));
    assert!(
        text.contains("19 figures within 0.004 in rho and 0.001 in RMSE, 0 differ, 4 need"),
        "{text}"
    );
    let json = place.lmz(["study", "published", "--json"]).quiet();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["figures"].as_array().unwrap().len(), 23);

    place
        .lmz(["study", "published", "--html", "paper.html"])
        .fails(0, "wrote paper.html");
    assert_eq!(place.names().len(), 6);
    let page = String::from_utf8(place.read("paper.html")).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.contains("Llama 2 70B"));
}

#[test]
fn what_is_no_study_is_explained() {
    let place = Place::new();
    place.lmz(["study"]).fails(2, "Usage: lmz study");
    place
        .lmz(["study", "plan", "nowhere"])
        .fails(1, "nowhere/study.toml: no such file");
    place.lmz(["study", "init", "mine"]).quiet();
    place
        .lmz(["study", "init", "mine"])
        .fails(1, "is there already");
    place
        .lmz(["study", "plan", "mine"])
        .fails(1, "corpus web: there is no mine/corpora/web.jsonl");
    place.write("mine/study.toml", "title = 3\n");
    place
        .lmz(["study", "run", "mine"])
        .fails(1, "study.toml: TOML parse error");
}

/// A study whose tasks are done by a script in place of `lmz`, each in `seconds`.
fn study(place: &Place, seconds: &str) {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lmz-study/tests/fixtures/lmz.sh");
    std::fs::create_dir(place.path("models")).unwrap();
    let mut config = String::from("title = \"t\"\nlmz = \"./lmz.sh\"\n");
    for model in ["11", "12", "14"] {
        place.write(format!("models/{model}"), model);
        config += &format!("[[model]]\nname = \"m{model}\"\npath = \"models/{model}\"\n");
    }
    config += "[[corpus]]\nname = \"web\"\npath = \"web.txt\"\n\
               [[benchmark]]\nname = \"arc\"\ntask = \"arc\"\nmetric = \"acc_norm\"\n\
               [[area]]\nname = \"k\"\ncorpus = \"web\"\nbenchmarks = [\"arc\"]\n";
    place.write("study.toml", config);
    place.write("web.txt", "text");
    let calls = place.path("calls");
    let script = format!(
        "#!/bin/sh\nFAKE_LMZ_LOG='{}' FAKE_LMZ_SLEEP={seconds} exec sh '{}' \"$@\"\n",
        calls.display(),
        fixture.display()
    );
    let program = place.write("lmz.sh", script);
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_study_that_is_killed_goes_on() {
    let place = Place::new();
    study(&place, "0.3");
    let calls = || {
        String::from_utf8(place.read("calls"))
            .unwrap()
            .lines()
            .count()
    };
    let results = || {
        std::fs::read_dir(place.path("results")).map_or(0, |entries| {
            let names = entries.map(|entry| entry.unwrap().file_name());
            names
                .filter(|name| !name.to_string_lossy().starts_with('.'))
                .count()
        })
    };
    let mut run = spawn(place.command().args(["study", "run", "."]));
    let patience = Instant::now() + Duration::from_secs(60);
    while results() < 2 {
        assert!(Instant::now() < patience, "nothing was done");
        sleep(Duration::from_millis(20));
    }
    run.kill().unwrap();
    finish(run);
    let done = results();
    assert!((2..6).contains(&done), "{done}");

    let status = String::from_utf8(place.lmz(["study", "status", "."]).stdout).unwrap();
    assert!(
        status.starts_with(&format!("6 tasks: {done} done")),
        "{status}"
    );
    place.lmz(["study", "run", "."]).fails(
        0,
        &format!("{} done, {done} done before, 0 failed", 6 - done),
    );
    // The task that was killed was begun twice; no other.
    assert!(calls() <= 7, "{}", calls());
    assert_eq!(results(), 6);
    let plan = String::from_utf8(place.lmz(["study", "plan", "."]).quiet()).unwrap();
    assert!(plan.contains("6 tasks, 0 open"), "{plan}");
    assert!(place.read("report.html").len() > 100_000);
}
