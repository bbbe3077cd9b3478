//! Files of earlier versions decode for ever: each `tests/golden/NAME.lmz` restores to `NAME`, with
//! `NAME.prime` as its prime if there is one.
//!
//! Files are added for every version of numerics, container and mixing, and never changed.

use std::path::{Path, PathBuf};

use lmz::{ARCHIVED, DecompressOptions, Isa, Kernel, Model, ModelStore, Prime};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The tests' model, the default one and all that ever were.
fn all_models(kernel: Kernel) -> Vec<Model> {
    let archived = ARCHIVED.iter().map(|archived| archived.file);
    let files = [
        "tests/models/stories260K.lmzm",
        "tests/vectors/large.lmzm",
        "tests/vectors/blocks.lmzm",
    ];
    let files = files.into_iter().chain(archived);
    let open = |file| {
        Model::open_with(&root().join(file), kernel).unwrap_or_else(|e| panic!("{file}: {e}"))
    };
    let embedded = Model::from_lmzm(lmz::embedded_bytes(), kernel).expect("the default model");
    files.map(open).chain([embedded]).collect()
}

#[test]
fn archived_models_are_the_ones_that_the_table_names() {
    assert!(!ARCHIVED.is_empty());
    for archived in ARCHIVED {
        let model = Model::open(&root().join(archived.file)).expect(archived.file);
        assert_eq!(model.id().to_string(), archived.id, "{}", archived.file);
    }
}

#[test]
fn a_store_finds_the_models_of_golden_files_wherever_they_are() {
    let models = root().join("tests/models");
    let mut given = ModelStore::new([]);
    let nano = Model::open(&models.join("stories260K.lmzm")).expect("the tests' model");
    given.add("-m", nano);
    // Whole headers and brief ones, of versions 0 and 1 of the numerics.
    for (name, store) in [
        ("numerics0-lmz-5m", ModelStore::new([])),
        ("numerics1-lmz-5m", ModelStore::new([])),
        ("numerics0-nano", ModelStore::new([models.clone()])),
        ("numerics0-nano-small", ModelStore::new([models.clone()])),
        ("numerics1-nano-small", ModelStore::new([models])),
        ("numerics0-nano-small", given),
    ] {
        let path = root().join("tests/golden").join(name);
        let packed = std::fs::read(path.with_extension("lmz")).expect("a golden file");
        let mut restored = Vec::new();
        let options = DecompressOptions::default();
        lmz::decompress(&packed[..], &mut restored, &store, &options, &())
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(
            restored == std::fs::read(path).expect("its original"),
            "{name}"
        );
    }
}

#[test]
fn files_of_a_checkpoint_are_read_whatever_recipe_it_gets_now() {
    let folder = root().join("tests/fixtures/gguf");
    let raw = std::fs::read(folder.join("former.txt")).expect("an original");
    for name in ["former.small.lmz", "former.full.lmz"] {
        let store = ModelStore::new([]);
        let model = store.open(folder.join("bytes.gguf").as_os_str());
        let model = model.expect("a GGUF file");
        assert_eq!(model.prepared().recipe, 3);
        // Made when that file was prepared by recipe 1.
        let packed = std::fs::read(folder.join(name)).expect("a golden file");
        let mut restored = Vec::new();
        let options = DecompressOptions::default();
        lmz::decompress(&packed[..], &mut restored, &store, &options, &())
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(restored == raw, "{name}");
    }
}

#[test]
fn golden_files_decode_with_every_kernel() {
    let mut files = 0;
    for isa in Isa::available() {
        let kernel = Kernel::new(isa).expect("an available kernel");
        let models = all_models(kernel);
        for entry in root()
            .join("tests/golden")
            .read_dir()
            .expect("tests/golden")
        {
            let path = entry.expect("an entry").path();
            if path.extension().is_none_or(|e| e != "lmz") {
                continue;
            }
            let packed = std::fs::read(&path).expect("a golden file");
            let expected = std::fs::read(path.with_extension("")).expect("its original");
            let prime = std::fs::read(path.with_extension("prime")).ok();
            let options = DecompressOptions {
                prime: prime.map(|text| Prime::new("prime", text).expect("a prime")),
                ..DecompressOptions::default()
            };
            let mut restored = Vec::new();
            lmz::decompress(&packed[..], &mut restored, &models, &options, &())
                .unwrap_or_else(|e| panic!("{} with {isa:?}: {e}", path.display()));
            assert!(restored == expected, "{} with {isa:?}", path.display());
            files += 1;
        }
    }
    assert!(files >= 8, "golden files are missing");
}

#[test]
fn without_mixing_files_are_as_they_were() {
    let embedded = lmz::embedded_model().expect("the default model");
    let nano = root().join("tests/models/stories260K.lmzm");
    let nano = Model::open(&nano).expect("the tests' model");
    for (name, model) in [
        ("numerics1-nano", &nano),
        ("numerics1-nano-primed", &nano),
        ("numerics1-nano-small", &nano),
        ("numerics1-lmz-5m", &embedded),
    ] {
        let path = root().join("tests/golden").join(name);
        let raw = std::fs::read(&path).expect("an original");
        let packed = std::fs::read(path.with_extension("lmz")).expect("a golden file");
        let prime = std::fs::read(path.with_extension("prime")).ok();
        let file =
            lmz::format::IndexedReader::open(std::io::Cursor::new(&packed)).expect("a golden file");
        let header = &file.members()[0].header;
        let options = lmz::CompressOptions {
            // A small member does not say in what blocks it would have been coded, had it been longer.
            context: (!header.is_small()).then_some(header.context.context),
            overlap: (!header.is_small()).then_some(header.context.overlap),
            plan: header.plan,
            mix: lmz::Mix::None,
            prime: prime.map(|text| Prime::new("prime", text).expect("a prime")),
            ..lmz::CompressOptions::default()
        };
        let again = lmz::compress_to_vec(&raw, model, &options).expect(name);
        assert!(again == packed, "{name}");
    }
}
