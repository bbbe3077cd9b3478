//! The parity fixtures, prepared: `tests/vectors/families.json` and `families/NAME.lmzm`. The fixtures themselves are
//! made by Hugging Face transformers (`tools/parity`).

use lmz_exact::{Engine, Kernel, prepare};
use lmz_testkit::engine::{family, hash, logits, tokens};
use serde_json::json;

use crate::files::{Files, Result};
use crate::json;

/// One of each kind of thing that a family does.
const FAMILIES: [&str; 10] = [
    "falcon",
    "gemma2",
    "gemma3_text",
    "gpt2",
    "gpt_neox",
    "mistral",
    "olmo2",
    "phi",
    "qwen2",
    "qwen3",
];
/// Twice a window of the fixtures, and more than their tables of positions.
const TOKENS: usize = 52;

pub fn write(files: &mut Files) -> Result<()> {
    let mut families = Vec::new();
    for name in FAMILIES {
        let prepared = prepare(&family(name), name)?;
        let path = format!("tests/vectors/families/{name}.lmzm");
        files.put(&path, prepared.as_bytes())?;
        let engine = Engine::new(&prepared, Kernel::detect())?;
        let tokens = tokens(&engine, TOKENS, 78);
        let logits = hash(&logits(&engine, &tokens));
        let fields = vec![
            ("identity", json!(json::hex(prepared.identity()))),
            ("tokens", json!(tokens)),
            ("logits_blake3", json!(logits)),
        ];
        families.push((name, fields));
    }
    let text = json::models(json::ORDINARY, "families", &families);
    files.put("tests/vectors/families.json", text)
}
