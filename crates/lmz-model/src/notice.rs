//! What a user should know of a model that works all the same.

use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::blueprint::{Blueprint, Part, TensorSpec};
use crate::config::without_mark;
use crate::files::read_bounded;
use crate::tensors::Tensors;

const MAX_CONFIG_BYTES: u64 = 64 << 20;

/// That things of this kind were not looked at, if there are any.
pub(crate) fn ignored(model: &str, what: &str, names: &[String]) -> Option<String> {
    let listed = match names {
        [] => return None,
        [first, second, third, rest @ ..] if !rest.is_empty() => {
            format!("{first}, {second}, {third} and {} more", rest.len())
        }
        names => names.join(", "),
    };
    Some(format!("{model}: {what} are ignored: {listed}"))
}

/// That there is a head which counts for nothing.
pub(crate) fn unused_head(model: &str, tensor: &str) -> String {
    format!(
        "{model}: there is an output head, {tensor}, and the configuration says that the embedding is the head \
         (tie_word_embeddings): the embedding is used"
    )
}

/// That a model was made for chats.
pub(crate) fn chat(model: &str, has_template: bool) -> Option<String> {
    let mut words = model.split(['-', '_', '.', ' ', '/']);
    let says_so = words.any(|word| {
        let word = word.to_ascii_lowercase();
        matches!(word.as_str(), "instruct" | "chat" | "it" | "assistant")
    });
    if says_so {
        return Some(format!(
            "{model}: by its name it was trained to chat: it works, and the base model of its family predicts ordinary text \
             better"
        ));
    }
    // Base models may have one, too.
    has_template.then(|| {
        format!(
            "{model}: it has a template for chats: if it was trained to chat, it works, and the base model of its family \
             predicts ordinary text better"
        )
    })
}

/// What a head would be called in a model whose embedding is the head.
pub(crate) fn head_name(blueprint: &Blueprint) -> Option<String> {
    head(blueprint).map(|head| head.name)
}

fn head(blueprint: &Blueprint) -> Option<TensorSpec> {
    if !blueprint.tied_head {
        return None;
    }
    let untied = Blueprint {
        tied_head: false,
        ..blueprint.clone()
    };
    Some(untied.stored(Part::Head)?.tensor)
}

/// The name of a head that is there, is not used, and is not a copy of the embedding.
pub(crate) fn find_unused_head(blueprint: &Blueprint, tensors: &Tensors) -> Option<String> {
    let head = head(blueprint)?;
    let embedding = blueprint.stored(Part::TokenEmbedding)?.tensor;
    let own = tensors.get(&head.name, &head.shape).ok()?;
    let used = tensors.get(&embedding.name, &embedding.shape).ok()?;
    ((own.dtype, own.bytes) != (used.dtype, used.bytes)).then_some(head.name)
}

/// A directory's tokenizer has a template for chats.
pub(crate) fn has_chat_template(directory: &Path) -> bool {
    #[derive(Deserialize)]
    struct TokenizerConfig {
        chat_template: Option<IgnoredAny>,
    }
    let config = read_bounded(&directory.join("tokenizer_config.json"), MAX_CONFIG_BYTES);
    let config = config
        .ok()
        .and_then(|text| serde_json::from_slice(without_mark(&text)).ok());
    let told = config.is_some_and(|config: TokenizerConfig| config.chat_template.is_some());
    told || directory.join("chat_template.jinja").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chat_models_are_known_by_their_names() {
        for name in [
            "Qwen2.5-0.5B-Instruct",
            "gemma-3-270m-it",
            "Llama-2-7b-chat-hf",
            "SmolLM2 135M Instruct",
        ] {
            assert!(chat(name, false).unwrap().contains("by its name"), "{name}");
        }
        for name in ["Gemma 3 270m", "Qwen2.5-Coder-0.5B", "pith", "chatter"] {
            assert_eq!(chat(name, false), None, "{name}");
            assert!(chat(name, true).unwrap().contains("a template for chats"));
        }
    }
}
