//! The command line itself.

use crate::harness::{Place, nano, run, story};

#[test]
fn nonsense_exits_with_2() {
    let place = Place::new();
    place.write("a", "text");
    for args in [
        &["--nonsense"][..],
        &["-x"],
        &["-o", "x", "a", "a"],
        &["-o", "x", "-c", "a"],
        &["-t", "-l", "a"],
        &["--json", "a"],
        &["-", "-"],
        &["--segment", "1G", "a"],
        &["--segment", "0", "a"],
        &["--context", "10", "--overlap", "10", "a"],
        &["-T", "many", "a"],
        &["--memory", "0", "a"],
        &["--memory", "2T", "a"],
        &["verify", "--memory", "much", "a"],
        &["model"],
        &["model", "nonsense"],
        &["model", "info"],
        &["model", "prepare", "a"],
        &["model", "prepare", "a", "-o", "x", "--name", ""],
        &["models", "a"],
    ] {
        let run = place.lmz(args);
        run.fails(2, "");
        assert!(
            run.stderr.contains("rror") || run.stderr.contains("Usage"),
            "{}",
            run.stderr
        );
        assert!(run.stdout.is_empty());
    }
    assert_eq!(place.names(), ["a"]);
}

#[test]
fn kernels_are_chosen_by_name() {
    let place = Place::new();
    place.write("a", "text");
    let with =
        |name: &str, args: &[&str]| run(place.command().env("LMZ_KERNEL", name).args(args), b"");
    with("sse9", &["a"]).fails(2, "LMZ_KERNEL=sse9 is not known");
    let missing = ["avx2", "avx512", "amx"]
        .into_iter()
        .find(|name| lmz::Isa::available().iter().all(|isa| isa.name() != *name));
    if let Some(name) = missing {
        with(name, &["a"]).fails(2, "is not available");
    }
    with("scalar", &["a"]).quiet();
    // A list needs no kernels.
    with("sse9", &["-l", "a.lmz"]).fails(0, "");
}

#[test]
fn help_and_version_are_on_standard_output() {
    let place = Place::new();
    let text = |args: &[&str]| String::from_utf8(place.lmz(args).quiet()).unwrap();
    let version = text(&["--version"]);
    assert!(
        version.starts_with(concat!("lmz ", env!("CARGO_PKG_VERSION"))),
        "{version}"
    );
    assert!(version.contains(&format!(
        "format version {}, numerics versions {} and {}, recipes {} to {}, mixing versions 1 and 2",
        lmz::format::FORMAT_VERSION,
        lmz::NUMERICS_VERSION,
        lmz::NUMERICS.end(),
        lmz::RECIPE,
        lmz::RECIPES.end()
    )));
    assert_eq!(
        text(&["-V"]).trim(),
        concat!("lmz ", env!("CARGO_PKG_VERSION"))
    );
    let (short, long) = (text(&["-h"]), text(&["help"]));
    assert_eq!(short, text(&["--help"]));
    assert!(short.lines().count() <= 44, "{}", short.lines().count());
    assert!(short.lines().count() < long.lines().count());
    for word in [
        "LMZ_MODELS",
        "LMZ_KERNEL",
        "Exit code",
        "Examples",
        "tar -I lmz",
        "lmz model prepare",
    ] {
        assert!(long.contains(word), "{word}");
    }
    for option in [
        "-d",
        "-t",
        "-l",
        "--json",
        "-c",
        "-o",
        "-f",
        "-q",
        "-v",
        "-T",
        "-m",
        "--keep-going",
        "--prime",
        "--no-verify",
    ] {
        assert!(short.contains(option) && long.contains(option), "{option}");
    }
    let seldom = [
        "-k",
        "--fill",
        "--segment",
        "--context",
        "--overlap",
        "--no-progress",
        "--memory",
    ];
    for option in seldom {
        assert!(long.contains(option), "{option}");
    }
    for text in [short, long] {
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= 100, "{widest} columns");
    }
    for verb in [
        &["models", "--help"][..],
        &["model", "--help"],
        &["model", "prepare", "--help"],
        &["help", "models"],
        &["help", "model"],
        &["help", "model", "prepare"],
    ] {
        assert!(text(verb).contains("Usage: lmz model"), "{verb:?}");
    }
}

#[test]
fn verbose_says_more_and_quiet_nothing() {
    let nano = nano();
    let place = Place::new();
    place.write("a", story(200));
    let run = place.lmz(["-vm", nano, "a"]);
    run.fails(0, "a: 200 -> ");
    run.fails(0, "model stories260K (id ");
    run.fails(0, "ideal");
    place
        .lmz(["-dvm", nano, "a.lmz", "-o", "b"])
        .fails(0, "a.lmz: ");
    place
        .lmz(["-tvm", nano, "a.lmz"])
        .fails(0, "a.lmz: OK, 200 bytes");
    place.lmz(["-vqfm", nano, "a"]).quiet();
}

#[test]
fn every_verb_is_explained_completed_and_in_the_manual() {
    let place = Place::new();
    let text = |args: &[&str]| String::from_utf8(place.lmz(args).quiet()).unwrap();
    let verbs = [
        "bpc", "cat", "corpus", "devices", "inspect", "man", "model", "models", "study", "verify",
    ];
    for verb in verbs {
        let help = text(&["help", verb]);
        assert!(help.contains(&format!("Usage: lmz {verb}")), "{help}");
    }
    place
        .lmz(["help", "nonsense"])
        .fails(2, "no verb \"nonsense\"");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = text(&["completions", shell]);
        for word in verbs.iter().chain(&["keep-going", "range", "prime"]) {
            assert!(script.contains(word), "{shell} {word}");
        }
    }
    place.lmz(["completions", "cmd"]).fails(2, "");
    assert!(text(&["man"]).starts_with(".ie"));
    std::fs::create_dir(place.path("man")).unwrap();
    place.lmz(["man", "--out", "man"]).quiet();
    for verb in verbs {
        let page = place.read(format!("man/lmz-{verb}.1"));
        assert!(page.starts_with(b".ie"), "{verb}");
    }
    let page = String::from_utf8(place.read("man/lmz.1")).unwrap();
    assert!(page.contains("keep") && page.contains("LMZ_MODELS"));
    place
        .lmz(["man", "--out", "nowhere"])
        .fails(1, "cannot write to nowhere");
}

#[test]
fn verbs_that_run_a_model_take_the_same_options() {
    let place = Place::new();
    let help = |verb: &str| String::from_utf8(place.lmz(["help", verb]).quiet()).unwrap();
    let has = |verb: &str, options: &[&str]| {
        let help = help(verb);
        for option in options {
            assert!(help.contains(option), "{verb} {option}: {help}");
        }
    };
    let talk = ["-q, --quiet", "-v, --verbose", "--no-progress"];
    let engine = ["-T, --threads <N>", "--device <DEVICE>"];
    for verb in ["verify", "inspect", "cat", "bench", "bpc", "train"] {
        has(verb, &talk);
        has(verb, &engine);
    }
    for verb in ["verify", "inspect", "cat", "bench", "bpc"] {
        has(verb, &["-m, --model <MODEL>", "--memory <SIZE>"]);
    }
    for verb in ["verify", "inspect", "cat", "bench"] {
        has(verb, &["--prime <FILE>"]);
    }
    for verb in ["verify", "inspect", "cat", "bench", "bpc", "train"] {
        let run = place.lmz([verb, "--device", "tpu", "-T2", "-qv"]);
        run.fails(2, "no device is called");
    }
}

#[cfg(not(feature = "bench"))]
#[test]
fn a_build_without_other_compressors_says_so() {
    let place = Place::new();
    place.write("a", "text");
    let run = place.lmz(["bench", "a"]);
    run.fails(1, "built without the other compressors");
    assert!(run.stdout.is_empty());
}
