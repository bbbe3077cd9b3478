//! Every seed and every regression of every fuzz target, as an ordinary test.

use std::path::{Path, PathBuf};

use lmz_fuzz::TARGETS;

fn inputs(of: &str, target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fuzz")
        .join(of)
        .join(target);
    // Not every target has regressions.
    let entries = folder.read_dir().into_iter().flatten();
    let mut inputs: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    inputs.sort();
    inputs
}

#[test]
fn seeds_and_regressions() {
    for target in TARGETS {
        let seeds = inputs("seeds", target.name);
        assert!(seeds.len() > 3, "seeds of {} are missing", target.name);
        for input in seeds.into_iter().chain(inputs("regressions", target.name)) {
            // What a failing test prints.
            println!("{}", input.display());
            (target.run)(&std::fs::read(&input).expect("an input"));
        }
    }
}

#[test]
fn short_and_plain_inputs() {
    for target in TARGETS {
        let runs = |input: Vec<u8>| {
            let shown = input.escape_ascii().to_string();
            let outcome = std::panic::catch_unwind(|| (target.run)(&input));
            assert!(outcome.is_ok(), "{} panics on {shown}", target.name);
        };
        runs(Vec::new());
        for byte in [0, 1, 0x5a, 0x89, 0xff] {
            for len in [1, 2, 40, 300] {
                runs(vec![byte; len]);
            }
        }
    }
}
