//! Short messages and primes.

use serde_json::Value;

use crate::harness::{Place, nano, story};

#[test]
fn messages_have_little_around_them_under_every_verb() {
    let nano = nano();
    let place = Place::new();
    for len in [0, 100, 250, 500, 6000] {
        let raw = story(len);
        place.write("a", &raw);
        place.lmz(["-qfm", nano, "a"]).quiet();
        let packed = place.read("a.lmz");
        let piped = place.lmz_with(["-qm", nano], &raw).quiet();
        assert!(piped == packed);
        let list: Value =
            serde_json::from_slice(&place.lmz(["-l", "--json", "a.lmz"]).quiet()).unwrap();
        let coded = list[0]["container"]["coded"].as_u64().unwrap();
        let most = if len <= 500 { 27 } else { 31 };
        assert!(packed.len() as u64 - coded <= most, "{len}");
        assert_eq!(
            (&list[0]["form"], &list[0]["raw_bytes"]),
            (&"small".into(), &len.into())
        );
        assert_eq!(list[0]["model"]["id"].as_str().unwrap().len(), 16);
        place.lmz(["-lv", "a.lmz"]).quiet();
        place.lmz(["-tm", nano, "a.lmz"]).quiet();
        assert!(place.lmz(["-dcm", nano, "a.lmz"]).quiet() == raw);
        assert!(place.lmz(["cat", "-m", nano, "a.lmz"]).quiet() == raw);
        let json = place
            .lmz(["verify", "--no-float", "--json", "-m", nano, "a.lmz"])
            .quiet();
        let json: Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json[0]["file_bytes"], packed.len());
        let json = place
            .lmz(["inspect", "--json", "-m", nano, "a.lmz"])
            .quiet();
        let json: Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json["members"][0]["form"], "small");
        for at in 0..packed.len() {
            let mut bad = packed.clone();
            bad[at] ^= 0x10;
            if at % 7 == 0 && at < 200 {
                let run = place.lmz_with(["-dqm", nano], &bad);
                assert!(run.code() == 1 || run.stdout == raw, "{at}");
            }
        }
    }
}

#[test]
fn the_model_of_a_message_is_asked_for_by_its_beginning() {
    let nano = nano();
    let place = Place::new();
    let packed = place
        .lmz_with(["-qm", nano], b"Once upon a time there was a dog.")
        .quiet();
    let run = place.lmz_with(["-d"], &packed);
    run.fails(1, "it needs the model whose id begins with ");
    run.fails(1, "give it with -m");
}

#[test]
fn a_prime_is_named_by_its_hash() {
    let nano = nano();
    let place = Place::new();
    let text = story(1400);
    place.write("prime", &text[..1000]);
    place.write("other", &text[1..1001]);
    for (len, segment) in [(200, "64K"), (400, "150")] {
        place.write("a", &text[1000..1000 + len]);
        let args = ["-qfm", nano, "--segment", segment, "--prime", "prime", "a"];
        place.lmz(args).quiet();
        let restore = |prime: &[&str]| place.lmz([&["-dcm", nano, "a.lmz"], prime].concat());
        assert!(restore(&["--prime", "prime"]).quiet() == place.read("a"));
        let run = restore(&[]);
        run.fails(1, "needs that text again");
        let list: Value =
            serde_json::from_slice(&place.lmz(["-l", "--json", "a.lmz"]).quiet()).unwrap();
        let hash = list[0]["prime"]["hash"].as_str().unwrap();
        run.fails(1, hash);
        let run = restore(&["--prime", "other"]);
        run.fails(
            1,
            "other is not the text that this file was primed with: expected",
        );
        run.fails(1, hash);
        restore(&["--prime", "missing"]).fails(1, "missing: no such file");
        let args = [
            "verify",
            "--no-float",
            "-m",
            nano,
            "--prime",
            "prime",
            "a.lmz",
        ];
        place.lmz(args).quiet();
        place
            .lmz([
                "cat", "-m", nano, "--prime", "prime", "-r", "9..20", "a.lmz",
            ])
            .quiet();
        place
            .lmz(["cat", "-m", nano, "-r", "9..20", "a.lmz"])
            .fails(1, hash);
        place
            .lmz(["-tm", nano, "--keep-going", "--prime", "prime", "a.lmz"])
            .quiet();
    }
    place.write("empty", "");
    place
        .lmz(["-m", nano, "--prime", "empty", "a"])
        .fails(1, "has 0 bytes");
}
