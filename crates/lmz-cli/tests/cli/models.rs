//! Finding models.

use std::fs;

use serde_json::Value;

use crate::harness::{Place, checkpoint, nano, run, story};

#[test]
fn a_model_is_found_by_its_identity() {
    let nano = nano();
    let place = Place::new();
    let text = story(900);
    // A short file has the model's name in it only without mixing.
    let packed = place.lmz_with(["--mix", "none", "-m", nano], &text).quiet();
    place.write("a.lmz", &packed);
    fs::create_dir_all(place.path("listed/lmz/models")).unwrap();
    fs::create_dir(place.path("empty")).unwrap();
    fs::copy(nano, place.path("listed/lmz/models/renamed.lmzm")).unwrap();
    place.write("listed/lmz/models/broken.lmzm", "broken");

    let missing = place.lmz(["-d", "a.lmz"]);
    missing.fails(1, "lmz: a.lmz: it needs the model \"stories260K\" (id ");
    missing.fails(1, "looked at: the model embedded in lmz");
    missing.fails(1, "no such directory");

    let mut command = place.command();
    command
        .env("LMZ_MODELS", "empty:/no/such:listed/lmz/models")
        .args(["-dc", "a.lmz"]);
    assert_eq!(run(&mut command, b"").quiet(), text);
    let mut command = place.command();
    command
        .env("XDG_DATA_HOME", place.path("listed"))
        .args(["-dc", "a.lmz"]);
    assert_eq!(run(&mut command, b"").quiet(), text);
    let mut command = place.command();
    command
        .env("LMZ_MODELS", "empty:/no/such")
        .args(["-dc", "a.lmz"]);
    let run = run(&mut command, b"");
    run.fails(1, "empty ($LMZ_MODELS): no .lmzm file");
    run.fails(1, "/no/such ($LMZ_MODELS): no such directory");
}

#[test]
fn names_and_ids_are_enough_to_compress() {
    let nano = nano();
    let place = Place::new();
    fs::copy(nano, place.path("x.lmzm")).unwrap();
    let expected = place.lmz_with(["-m", nano], b"text").quiet();
    let with = |model: &str| {
        let mut command = place.command();
        run(
            command
                .env("LMZ_MODELS", place.path(""))
                .args(["-m", model]),
            b"text",
        )
    };
    let info: Value =
        serde_json::from_slice(&place.lmz(["model", "info", nano, "--json"]).quiet()).unwrap();
    let id = info["id"].as_str().unwrap();
    for model in ["stories260K", id, &id[..4], &id[..10].to_uppercase()] {
        assert_eq!(with(model).quiet(), expected, "{model}");
    }
    let unknown = with("stories26");
    unknown.fails(1, "no model \"stories26\"");
    unknown.fails(1, "known by name are lmz-5m, stories260K");
    with(&id[..3]).fails(1, "no model");
    // The same model twice is one model; two of one name are not.
    fs::copy(nano, place.path("y.lmzm")).unwrap();
    with("stories260K").quiet();
    assert!(place.lmz(["models"]).quiet().starts_with(b"id "));
    let mut command = place.command();
    let list = run(
        command
            .env("LMZ_MODELS", place.path(""))
            .args(["models", "--json"]),
        b"",
    )
    .quiet();
    let list: Value = serde_json::from_slice(&list).unwrap();
    // Others prepare models in the same cache at the same time.
    let all = list.as_array().unwrap();
    let list: Vec<&Value> = all.iter().filter(|one| one["kind"] != "prepared").collect();
    assert_eq!(list.len(), 3);
    assert_eq!(
        (&list[0]["kind"], &list[1]["kind"]),
        (&"embedded".into(), &"installed".into())
    );
    assert_eq!(
        (&list[0]["embedded"], &list[1]["id"]),
        (&Value::Bool(true), &Value::from(id))
    );
    let embedded = list[0]["name"].as_str().unwrap();
    let args = [
        "model",
        "prepare",
        checkpoint(),
        "-q",
        "-o",
        "z.lmzm",
        "--name",
        embedded,
    ];
    place.lmz(args).quiet();
    with(embedded).fails(1, "more than one model");
}

#[test]
fn another_model_of_the_same_name_is_told_apart() {
    let place = Place::new();
    let embedded = lmz::embedded_model().unwrap();
    let name = embedded.name();
    place
        .lmz([
            "model",
            "prepare",
            checkpoint(),
            "-q",
            "-o",
            "twin.lmzm",
            "--name",
            name,
        ])
        .quiet();
    let text = story(900);
    place.write("a", &text);
    place.lmz(["--mix", "none", "-m", "twin.lmzm", "a"]).quiet();
    let run = place.lmz(["-dc", "a.lmz"]);
    run.fails(1, &format!("it needs the model {name:?}"));
    run.fails(
        1,
        &format!(
            "another model of the same name does not fit: embedded in lmz (id {})",
            embedded.id()
        ),
    );
    assert_eq!(place.lmz(["-dc", "-m", "twin.lmzm", "a.lmz"]).quiet(), text);
    // A wrong one given by -m does not hide the right one, and is named if there is none.
    place.write("b", &text);
    place.lmz(["b"]).quiet();
    assert_eq!(place.lmz(["-dc", "-m", "twin.lmzm", "b.lmz"]).quiet(), text);
    place
        .lmz(["model", "prepare", checkpoint(), "-q", "-o", "n.lmzm"])
        .quiet();
}

#[test]
fn preparing_gives_the_same_file_as_opening_the_directory() {
    let place = Place::new();
    let prepare = |out: &str| {
        let args = ["model", "prepare", checkpoint(), "--name", "tiny", "-o"];
        place.lmz(args.into_iter().chain([out]))
    };
    prepare("x.lmzm").fails(0, "x.lmzm: tiny (id ");
    prepare("y.lmzm").fails(0, "y.lmzm: tiny (id ");
    assert!(place.read("x.lmzm") == place.read("y.lmzm"));
    prepare("x.lmzm").fails(1, "already exists");
    let by_directory = place.lmz_with(["-m", checkpoint()], b"text").quiet();
    assert_eq!(
        place.lmz_with(["-dm", "x.lmzm"], &by_directory).quiet(),
        b"text"
    );
    let info = |path: &str| String::from_utf8(place.lmz(["model", "info", path]).quiet()).unwrap();
    let (a, b) = (info("x.lmzm"), info(checkpoint()));
    // All but the name, and the size, which depends on it.
    let identities = |text: &str| {
        let lines = text
            .lines()
            .filter(|line| !line.starts_with("name") && !line.starts_with("weights"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(identities(&a), identities(&b));
    assert!(a.starts_with("name        tiny\nid          "), "{a}");
}

#[test]
fn the_versions_are_those_of_the_file() {
    let place = Place::new();
    let archive = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../models/archive/bootstrap/bootstrap.lmzm"
    );
    for (model, numerics) in [(archive, 0), (nano(), 1)] {
        let text = String::from_utf8(place.lmz(["model", "info", model]).quiet()).unwrap();
        assert!(text.contains(&format!(", numerics {numerics}\n")), "{text}");
        let json = place.lmz(["model", "info", "--json", model]).quiet();
        let json: Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json["numerics_version"], numerics);
    }
}

#[test]
fn weights_in_blocks_are_counted() {
    let place = Place::new();
    let blocks = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/vectors/blocks.lmzm"
    );
    let text = String::from_utf8(place.lmz(["model", "info", blocks]).quiet()).unwrap();
    let json = place.lmz(["model", "info", "--json", blocks]).quiet();
    let json: Value = serde_json::from_slice(&json).unwrap();
    let count = |i: usize| json["block_weights"][i].as_u64().unwrap();
    let (half_bytes, bytes) = (count(0), count(1));
    assert!(half_bytes > 0 && bytes > 0 && json["weights"].as_u64().unwrap() > half_bytes + bytes);
    let line = format!("            in blocks: {half_bytes} of them in 4 bits, {bytes} in 8\n");
    assert!(
        text.contains("recipe 3, numerics 2\n") && text.contains(&line),
        "{text}"
    );
    // Such a model compresses and restores.
    let packed = place.lmz_with(["-m", blocks], b"text in blocks").quiet();
    assert_eq!(
        place.lmz_with(["-dm", blocks], &packed).quiet(),
        b"text in blocks"
    );
}

#[test]
fn unknown_fields_of_a_configuration_are_named() {
    let place = Place::new();
    fs::create_dir(place.path("odd")).unwrap();
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        fs::copy(
            format!("{}/{file}", checkpoint()),
            place.path("odd").join(file),
        )
        .unwrap();
    }
    let config = fs::read(place.path("odd/config.json")).unwrap();
    let mut config: Value = serde_json::from_slice(&config).unwrap();
    config["mystery"] = 7.into();
    place.write("odd/config.json", config.to_string());
    place.write("a", "text");
    let warning = "lmz: warning: mistral: unknown fields of config.json are ignored: mystery";
    for args in [
        &["-cm", "odd", "a"][..],
        &["model", "prepare", "odd", "-o", "odd.lmzm"],
        &["model", "info", "odd"],
    ] {
        let run = place.lmz(args);
        run.fails(0, warning);
        assert_eq!(run.stderr.matches("mystery").count(), 1, "{}", run.stderr);
    }
    // It makes no difference, and need not be heard.
    let expected = place.lmz(["-cm", checkpoint(), "a"]).quiet();
    assert!(place.lmz(["-cqm", "odd", "a"]).quiet() == expected);
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    let place = Place::new();
    fs::create_dir(place.path("marked")).unwrap();
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        let mut bytes = fs::read(format!("{}/{file}", checkpoint())).unwrap();
        if file == "config.json" {
            bytes.splice(..0, *b"\xef\xbb\xbf");
        }
        place.write(format!("marked/{file}"), bytes);
    }
    place.write("a", "text");
    let expected = place.lmz(["-cm", checkpoint(), "a"]).quiet();
    assert!(place.lmz(["-cm", "marked", "a"]).quiet() == expected);
}

#[test]
fn what_is_no_model_is_refused() {
    let place = Place::new();
    place.write("a", "text");
    place.write("junk.lmzm", "junk");
    fs::create_dir(place.path("directory")).unwrap();
    place
        .lmz(["-m", "junk.lmzm", "a"])
        .fails(1, "junk.lmzm: not a prepared model");
    place.lmz(["-m", "directory", "a"]).fails(1, "config.json");
    place
        .lmz(["-m", "./nothing.lmzm", "a", "a"])
        .fails(1, "no model \"./nothing.lmzm\"");
    place
        .lmz(["model", "info", "junk.lmzm"])
        .fails(1, "junk.lmzm");
    place
        .lmz(["model", "prepare", "directory", "-o", "x.lmzm"])
        .fails(1, "config.json");
    let mut whole = lmz::embedded_bytes().to_vec();
    whole.truncate(whole.len() - 1);
    place.write("cut.lmzm", whole);
    place.lmz(["-m", "cut.lmzm", "a"]).fails(1, "cut.lmzm");
    assert_eq!(place.names(), ["a", "cut.lmzm", "directory", "junk.lmzm"]);
}
