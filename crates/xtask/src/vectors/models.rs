//! `tests/vectors/models.json` and `odd.lmzm`: whole models. For 200 fixed tokens the BLAKE3 of all logits and a few of
//! them; also the prepared identity, which pins the recipe.

use std::borrow::Cow;

use lmz_exact::{Engine, Kernel, Prepared};
use lmz_testkit::engine::{hash, logits, prepared, tokens};
use lmz_testkit::models::{ODD, WIDE};
use lmz_testkit::read;
use serde_json::json;

use crate::files::{Files, Result};
use crate::json;

const TOKENS: usize = 200;
/// (position, symbol) of the logits that are written out.
const SHOWN: [(usize, usize); 8] = [
    (0, 0),
    (0, 5),
    (1, 1),
    (63, 7),
    (64, 7),
    (128, 11),
    (199, 2),
    (199, 20),
];

pub fn write(files: &mut Files) -> Result<()> {
    let odd = prepared(ODD, 1);
    files.put("tests/vectors/odd.lmzm", odd.as_bytes())?;
    let bootstrap = read("models/archive/bootstrap/bootstrap.lmzm");
    let all = [
        ("bootstrap", Prepared::from_bytes(Cow::Owned(bootstrap))?),
        ("odd", odd),
        ("wide", prepared(WIDE, 2)),
    ];
    let mut models = Vec::new();
    for (name, prepared) in all {
        let engine = Engine::new(&prepared, Kernel::detect())?;
        let tokens = tokens(&engine, TOKENS, 77);
        let logits = logits(&engine, &tokens);
        let shown =
            SHOWN.map(|(position, symbol)| json!([position, symbol, logits[position][symbol]]));
        let fields = vec![
            ("identity", json!(json::hex(prepared.identity()))),
            ("tokens", json!(tokens)),
            ("logits_blake3", json!(hash(&logits))),
            ("logits", json!(shown)),
        ];
        models.push((name, fields));
    }
    files.put(
        "tests/vectors/models.json",
        json::models(json::ORDINARY, "models", &models),
    )
}
