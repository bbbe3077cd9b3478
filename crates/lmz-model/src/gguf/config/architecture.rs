//! The families that are known, by their GGUF names.

/// A family by its GGUF name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Architecture {
    /// Llama, Mistral and, with experts, Mixtral.
    Llama,
    Qwen2,
    Qwen3,
    Gpt2,
    GptNeox,
    Starcoder,
    Starcoder2,
    Falcon,
    Phi2,
    Gemma,
    Gemma2,
    Gemma3,
    Olmo,
    Olmo2,
}

const ARCHITECTURES: [(&str, Architecture); 14] = [
    ("llama", Architecture::Llama),
    ("qwen2", Architecture::Qwen2),
    ("qwen3", Architecture::Qwen3),
    ("gpt2", Architecture::Gpt2),
    ("gptneox", Architecture::GptNeox),
    ("starcoder", Architecture::Starcoder),
    ("starcoder2", Architecture::Starcoder2),
    ("falcon", Architecture::Falcon),
    ("phi2", Architecture::Phi2),
    ("gemma", Architecture::Gemma),
    ("gemma2", Architecture::Gemma2),
    ("gemma3", Architecture::Gemma3),
    ("olmo", Architecture::Olmo),
    ("olmo2", Architecture::Olmo2),
];

impl Architecture {
    /// The architecture of this name, and the name itself.
    pub(super) fn named(name: &str) -> Option<(&'static str, Self)> {
        ARCHITECTURES.iter().copied().find(|known| known.0 == name)
    }

    /// All names.
    pub(super) fn names() -> String {
        ARCHITECTURES.map(|known| known.0).join(", ")
    }
}
