//! `tests/vectors/numerics2.json` and `large.lmzm`: version 2 of the numerics. A model that recipe 2 gives it, and forms of
//! attention of several families with the first layer and every second one after it made wide.

use lmz_exact::{Engine, Kernel, Prepared, prepare};
use lmz_testkit::engine::{family, hash, logits, tokens, under_numerics};
use lmz_testkit::models::large_scores;
use serde_json::json;

use crate::files::{Files, Result};
use crate::json;

/// Soft caps and windows; learned positions; norms of queries and keys, whole and by head; part of a head rotating.
const FAMILIES: [&str; 5] = ["gemma2", "gpt2", "olmo2", "phi", "qwen3"];
const TOKENS: usize = 52;

pub fn write(files: &mut Files) -> Result<()> {
    let large = prepare(&large_scores().open(), "large")?;
    files.put("tests/vectors/large.lmzm", large.as_bytes())?;
    let mut all = vec![("large", large)];
    for name in FAMILIES {
        let prepared = prepare(&family(name), name)?;
        all.push((name, under_numerics(&prepared, lmz_exact::WIDE_NUMERICS)));
    }
    let mut models = Vec::new();
    for (name, prepared) in &all {
        models.push((*name, fields(prepared)?));
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
