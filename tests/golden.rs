//! Files of earlier versions decode for ever: each `tests/golden/NAME.lmz` restores to `NAME`, with
//! `NAME.prime` as its prime if there is one.
//!
//! Files are added for every numerics version, and never changed.

use std::path::{Path, PathBuf};

use lmz::{
    ARCHIVED, CodecError, DecompressOptions, Header, Isa, Kernel, Model, ModelSource, ModelStore,
    NUMERICS, Prime,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The tests' model, the default one and all that ever were, for all versions of the numerics.
struct AllModels(Vec<Model>);

impl AllModels {
    fn open(kernel: Kernel) -> Self {
        let archived = ARCHIVED.iter().map(|archived| archived.file);
        let files = ["tests/models/stories260K.lmzm"]
            .into_iter()
            .chain(archived);
        let open = |file| {
            Model::open_with(&root().join(file), kernel).unwrap_or_else(|e| panic!("{file}: {e}"))
        };
        let embedded = Model::from_lmzm(lmz::embedded_bytes(), kernel).expect("the default model");
        let models: Vec<Model> = files.map(open).chain([embedded]).collect();
        let versions = models.iter().flat_map(|model| {
            NUMERICS.map(|version| {
                let prepared = model.prepared().for_numerics(version).expect("a version");
                Model::from_prepared(prepared, kernel).expect("a model")
            })
        });
        Self(versions.collect())
    }
}

impl ModelSource for AllModels {
    fn find(&self, header: &Header) -> Result<Model, CodecError> {
        let model = self
            .0
            .iter()
            .find(|model| header.model_id.names(model.id()));
        model.cloned().ok_or_else(|| {
            CodecError::ModelNotFound(format!("{} {}", header.model_name, header.model_id))
        })
    }
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
fn files_of_the_draft_of_the_numerics_find_the_default_model() {
    let path = root().join("tests/golden/numerics0-lmz-5m");
    let packed = std::fs::read(path.with_extension("lmz")).expect("a golden file");
    let store = ModelStore::new([]);
    let mut restored = Vec::new();
    let options = DecompressOptions::default();
    lmz::decompress(&packed[..], &mut restored, &store, &options, &()).expect("the default model");
    assert!(restored == std::fs::read(path).expect("its original"));
}

#[test]
fn golden_files_decode_with_every_kernel() {
    let mut files = 0;
    for isa in Isa::available() {
        let kernel = Kernel::new(isa).expect("an available kernel");
        let models = AllModels::open(kernel);
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
