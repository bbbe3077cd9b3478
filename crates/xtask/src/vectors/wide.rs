//! `tests/vectors/numerics2.json`, `large.lmzm`, `fine.lmzm` and `blocks.lmzm`: version 2 of the numerics. Models that recipes 2 and 3 give it,
//! for large scores, for rows that int8 is too coarse for, and for a checkpoint in blocks; forms of attention of several families with the first
//! layer and every second one after it made wide; and, in `tests/vectors/fine` and `tests/vectors/blocks`, fine rows and blocks with the largest weights.

use lmz_exact::{Engine, Kernel, Prepared, prepare};
use lmz_testkit::engine::{
    family, hash, logits, tokens, under_numerics, with_blocks, with_fine_rows,
};
use lmz_testkit::models::{coarse_rows, in_blocks, large_scores};
use serde_json::json;

use crate::files::{Files, Result};
use crate::json;

/// Soft caps and windows; learned positions; norms of queries and keys, whole and by head; part of a head rotating.
const FAMILIES: [&str; 5] = ["gemma2", "gpt2", "olmo2", "phi", "qwen3"];
/// Fine rows and blocks in learned positions and a tied head, and in a head with biases.
const FINE_FAMILIES: [&str; 2] = ["gpt2", "phi"];
const TOKENS: usize = 52;

pub fn write(files: &mut Files) -> Result<()> {
    let large = prepare(&large_scores().open(), "large")?;
    files.put("tests/vectors/large.lmzm", large.as_bytes())?;
    let mut all = vec![("large".to_owned(), large)];
    for name in FAMILIES {
        let prepared = prepare(&family(name), name)?;
        let wide = under_numerics(&prepared, lmz_exact::WIDE_NUMERICS);
        all.push((name.to_owned(), wide));
    }
    let fine = prepare(&coarse_rows().open(), "fine")?;
    files.put("tests/vectors/fine.lmzm", fine.as_bytes())?;
    all.push(("fine".to_owned(), fine));
    for (seed, name) in FINE_FAMILIES.into_iter().enumerate() {
        let fine = with_fine_rows(&prepare(&family(name), name)?, seed as u64);
        files.put(&format!("tests/vectors/fine/{name}.lmzm"), fine.as_bytes())?;
        all.push((format!("fine/{name}"), fine));
    }
    let blocks = prepare(&in_blocks().open(), "blocks")?;
    files.put("tests/vectors/blocks.lmzm", blocks.as_bytes())?;
    all.push(("blocks".to_owned(), blocks));
    for (seed, name) in FINE_FAMILIES.into_iter().enumerate() {
        let blocks = with_blocks(&prepare(&family(name), name)?, seed as u64);
        files.put(
            &format!("tests/vectors/blocks/{name}.lmzm"),
            blocks.as_bytes(),
        )?;
        all.push((format!("blocks/{name}"), blocks));
    }
    let mut models = Vec::new();
    for (name, prepared) in &all {
        models.push((name.as_str(), fields(prepared)?));
    }
    let text = json::models(json::WIDE, "models", &models);
    files.put("tests/vectors/numerics2.json", text)
}

fn fields(prepared: &Prepared) -> Result<Vec<(&'static str, serde_json::Value)>> {
    let engine = Engine::new(prepared, Kernel::detect())?;
    let tokens = tokens(&engine, TOKENS, 79);
    let logits = logits(&engine, &tokens);
    Ok(vec![
        ("identity", json!(json::hex(prepared.identity()))),
        ("tokens", json!(tokens)),
        ("logits_blake3", json!(hash(&logits))),
    ])
}
