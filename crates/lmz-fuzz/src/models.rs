//! The models of the targets, loaded once.

use std::sync::OnceLock;

use lmz_codec::{Header, Isa, Kernel, Model, ModelSource, Prime, Result};

/// 7,000 random weights in odd shapes, and few tokens: symbols of all kinds, at a fraction of the time that a
/// model of the smallest real size takes under a fuzzer's instrumentation.
static TINY: &[u8] = include_bytes!("../../../tests/vectors/odd.lmzm");
fn load(file: &'static [u8], kernel: Kernel) -> Model {
    Model::from_lmzm(file, kernel).expect("a model of the tests")
}

/// The targets' model, with the fastest kernels of this machine.
pub fn tiny() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| load(TINY, Kernel::detect()))
}

/// The same model with portable kernels.
pub fn tiny_portable() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| {
        let kernel = Kernel::new(Isa::Scalar).expect("portable code runs anywhere");
        load(TINY, kernel)
    })
}

/// The text that primed seeds were primed with.
pub fn prime() -> Prime {
    static PRIME: OnceLock<Prime> = OnceLock::new();
    let text = include_bytes!("../../../tests/golden/numerics0-nano-primed.prime");
    let prime = || Prime::new("prime", &text[..]).expect("a prime");
    PRIME.get_or_init(prime).clone()
}

/// The tiny model, for files whose blocks are short: a hostile context is as slow as it is long.
pub struct ShortBlocks;

/// The longest context of a [`ShortBlocks`].
pub const MAX_CONTEXT: u32 = 512;

impl ModelSource for ShortBlocks {
    fn find(&self, header: &Header) -> Result<Model> {
        if header.context.context > MAX_CONTEXT {
            let why = format!("none for a context of {}", header.context.context);
            return Err(lmz_codec::CodecError::ModelNotFound(why));
        }
        tiny().find(header)
    }
}
