//! Models as GGUF files.

use std::fs;

use crate::harness::{Place, story};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures");

fn fixture(name: &str) -> Vec<u8> {
    fs::read(format!("{FIXTURES}/{name}")).unwrap()
}

#[test]
fn an_earlier_recipe_can_be_asked_for() {
    let place = Place::new();
    place.write("a.gguf", fixture("gguf/bytes.gguf"));
    let recipe = |number, output| {
        let command = ["model", "prepare", "--recipe", number, "a.gguf", "-o"];
        place.lmz(command.into_iter().chain([output]))
    };
    recipe("2", "rows.lmzm").fails(0, "rows.lmzm: bytes fixture (id ");
    let info = |model| String::from_utf8(place.lmz(["model", "info", model]).quiet()).unwrap();
    assert!(info("rows.lmzm").contains("recipe 1, numerics 1\n"));
    assert!(info("a.gguf").contains("recipe 3, numerics 2\n"));
    // The file that the model was made from restores what was compressed with it, although it has blocks by itself.
    let text = story(700);
    let packed = place.lmz_with(["-m", "rows.lmzm"], &text).quiet();
    assert_ne!(place.lmz_with(["-m", "a.gguf"], &text).quiet(), packed);
    let restored = place.lmz_with(["-dm", "a.gguf"], &packed);
    assert_eq!(restored.quiet(), text);
    recipe("5", "none.lmzm").fails(2, "5 is not in 1..=4");
    assert!(!place.path("none.lmzm").exists());
}

#[test]
fn a_file_is_a_model_whatever_it_is_called() {
    for name in ["bytes", "pieces"] {
        let place = Place::new();
        place.write("a.gguf", fixture(&format!("gguf/{name}.gguf")));
        fs::create_dir(place.path("elsewhere")).unwrap();
        place.write("elsewhere/model.bin", place.read("a.gguf"));
        let text = story(700);
        let packed = place.lmz_with(["-m", "a.gguf"], &text).quiet();
        assert!(!packed.windows(6).any(|w| w == b"a.gguf"));
        let again = place.lmz_with(["-m", "elsewhere/model.bin"], &text);
        assert_eq!(again.quiet(), packed);
        let restored = place.lmz_with(["-dm", "elsewhere/model.bin"], &packed);
        assert_eq!(restored.quiet(), text);

        // Prepared, it is the same model.
        let prepared = place.lmz(["model", "prepare", "a.gguf", "-o", "a.lmzm"]);
        prepared.fails(0, &format!("a.lmzm: {name} fixture (id "));
        if name == "bytes" {
            prepared.fails(0, "has a template for chats");
        }
        let restored = place.lmz_with(["-dm", "a.lmzm"], &packed);
        assert_eq!(restored.quiet(), text);
        assert_eq!(place.lmz_with(["-m", "a.lmzm"], &text).quiet(), packed);
        let info = String::from_utf8(place.lmz(["model", "info", "a.gguf"]).quiet()).unwrap();
        assert!(
            info.starts_with(&format!("name        {name} fixture\n")),
            "{info}"
        );
        assert_eq!(
            info.contains("note        bytes fixture: it has a template"),
            name == "bytes"
        );
    }
}

#[test]
fn a_damaged_file_is_refused_by_its_name() {
    let place = Place::new();
    let whole = fixture("gguf/bytes.gguf");
    place.write("text", "text");
    place.write("cut.gguf", &whole[..whole.len() / 2]);
    let run = place.lmz(["-m", "cut.gguf", "text"]);
    run.fails(1, "cut.gguf: not a complete GGUF file");
    run.fails(1, "download it again");
    let run = place.lmz(["model", "prepare", "cut.gguf", "-o", "x.lmzm"]);
    run.fails(1, "cut.gguf: not a complete GGUF file");
    place.write("old.gguf", [&whole[..4], &[1], &whole[5..]].concat());
    place.lmz(["-m", "old.gguf", "text"]).fails(1, "version 1");
    let words = "does not start as GGUF files do";
    for bytes in [
        &b"<!DOCTYPE html>"[..],
        b"",
        &[b"GGUX", &whole[4..]].concat(),
    ] {
        place.write("page.gguf", bytes);
        place.lmz(["-m", "page.gguf", "text"]).fails(1, words);
        place.lmz(["model", "info", "page.gguf"]).fails(1, words);
    }
    place.write("model.safetensors", fixture("text/qwen2/model.safetensors"));
    let run = place.lmz(["-m", "model.safetensors", "text"]);
    run.fails(
        1,
        "model.safetensors: holds weights alone: give the directory",
    );
    let names = [
        "cut.gguf",
        "model.safetensors",
        "old.gguf",
        "page.gguf",
        "text",
    ];
    assert_eq!(place.names(), names);
}

/// The bytes depend on the model, not on where it lies.
#[test]
fn a_directory_is_a_model_wherever_it_is() {
    let place = Place::new();
    let text = story(700);
    let mut packed = Vec::new();
    for folder in ["one", "another"] {
        fs::create_dir(place.path(folder)).unwrap();
        for file in ["config.json", "model.safetensors"] {
            place.write(
                format!("{folder}/{file}"),
                fixture(&format!("text/qwen2/{file}")),
            );
        }
        place.write(
            format!("{folder}/tokenizer.json"),
            fixture("text/tokenizer.json"),
        );
        packed.push(place.lmz_with(["-m", folder], &text).quiet());
    }
    assert_eq!(packed[0], packed[1]);
    assert_eq!(place.lmz_with(["-dm", "one"], &packed[1]).quiet(), text);
}
