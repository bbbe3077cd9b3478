//! Files of earlier versions decode for ever: each `tests/golden/NAME.lmz` restores to `NAME`.
//!
//! A file is added for every numerics version, and never changed. (Those of numerics 0, before the first
//! release, may be dropped once.)

use std::path::Path;

use lmz::{DecompressOptions, Isa, Kernel, Model};

#[test]
fn golden_files_decode_with_every_kernel() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests");
    let mut files = 0;
    for isa in Isa::available() {
        let kernel = Kernel::new(isa).expect("an available kernel");
        let model = Model::open_with(&tests.join("models/stories260K.lmzm"), kernel)
            .expect("the tests' model");
        for entry in tests.join("golden").read_dir().expect("tests/golden") {
            let path = entry.expect("an entry").path();
            if path.extension().is_none_or(|e| e != "lmz") {
                continue;
            }
            let packed = std::fs::read(&path).expect("a golden file");
            let expected = std::fs::read(path.with_extension("")).expect("its original");
            let mut restored = Vec::new();
            lmz::decompress(
                &packed[..],
                &mut restored,
                &model,
                &DecompressOptions::default(),
                &(),
            )
            .unwrap_or_else(|e| panic!("{} with {isa:?}: {e}", path.display()));
            assert!(restored == expected, "{} with {isa:?}", path.display());
            files += 1;
        }
    }
    assert!(files > 0, "no golden file was found");
}
