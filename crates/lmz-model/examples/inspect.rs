//! What a model holds, in a form that other programs can compare (tools/parity/check_gguf.py).
//!
//! ```text
//! inspect parts MODEL         # a line for each part: name, number of elements, BLAKE3 of its f32
//! inspect tokens MODEL TEXT   # the token ids of a file, one a line; e65 is the byte 0x41 by itself
//! inspect blueprint MODEL     # the blueprint as JSON, then what was ignored
//! ```

use std::error::Error;
use std::io::{BufWriter, Write};

use lmz_model::{Checkpoint, ExactTokenizer, Network, Symbol, Weights};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut out = BufWriter::new(std::io::stdout().lock());
    match arguments.as_slice() {
        ["parts", model] => {
            let network = Network::open(model)?;
            for part in network.blueprint.parts() {
                let values = network.load(part)?;
                let mut hash = blake3::Hasher::new();
                for value in &values {
                    hash.update(&value.to_le_bytes());
                }
                writeln!(out, "{part:?} {} {}", values.len(), hash.finalize())?;
            }
        }
        ["tokens", model, text] => {
            let checkpoint = Checkpoint::open(model)?;
            let tokenizer =
                ExactTokenizer::new(&checkpoint.tokenizer_json, &checkpoint.vocabulary)?;
            for symbol in tokenizer.encode(&std::fs::read(text)?) {
                match symbol {
                    Symbol::Token(id) => writeln!(out, "{id}")?,
                    Symbol::Escape(byte) => writeln!(out, "e{byte}")?,
                }
            }
        }
        ["blueprint", model] => {
            let network = Network::open(model)?;
            writeln!(out, "{}", network.name)?;
            writeln!(out, "{}", network.blueprint.canonical_json())?;
            for notice in network.notices() {
                writeln!(out, "{notice}")?;
            }
        }
        _ => return Err("inspect parts|blueprint MODEL, or inspect tokens MODEL TEXT".into()),
    }
    Ok(())
}
