//! What a user should know of a model that works all the same.

use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::blueprint::{Blueprint, Part};
use crate::files::read_bounded;
use crate::gguf::Gguf;
use crate::tensors::Tensors;

const MAX_CONFIG_BYTES: u64 = 64 << 20;

/// Something that a user should know of a model. Its text is one sentence or two, without the
/// model's name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// It has a template for chats.
    Chat,
    /// The files hold an output head other than the embedding, which the configuration says is
    /// the head.
    UnusedHead {
        /// The head's tensor.
        tensor: String,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chat => f.write_str(
                "the model has a template for chats: it works, but if it was trained to chat, the \
                 base model of its family predicts ordinary text better",
            ),
            Self::UnusedHead { tensor } => write!(
                f,
                "the model has an output head of its own, {tensor}, and its configuration says \
                 that the embedding is the head (tie_word_embeddings): the embedding is used"
            ),
        }
    }
}

/// Of a directory.
pub(crate) fn of_directory(
    directory: &Path,
    blueprint: &Blueprint,
    tensors: &Tensors,
) -> Vec<Notice> {
    let head = unused_head(blueprint, tensors).map(|tensor| Notice::UnusedHead { tensor });
    let chat = has_chat_template(directory).then_some(Notice::Chat);
    head.into_iter().chain(chat).collect()
}

/// Of a GGUF file, which has a head exactly if it has one of its own.
pub(crate) fn of_gguf(gguf: &Gguf) -> Vec<Notice> {
    let chat = gguf.has_chat_template().then_some(Notice::Chat);
    chat.into_iter().collect()
}

/// The name of a head that is there, is not used, and is not a copy of the embedding.
fn unused_head(blueprint: &Blueprint, tensors: &Tensors) -> Option<String> {
    if !blueprint.tied_head {
        return None;
    }
    let untied = Blueprint {
        tied_head: false,
        ..blueprint.clone()
    };
    let head = untied.stored(Part::Head)?.tensor;
    let embedding = blueprint.stored(Part::TokenEmbedding)?.tensor;
    let own = tensors.get(&head.name, &head.shape).ok()?;
    let used = tensors.get(&embedding.name, &embedding.shape).ok()?;
    ((own.dtype, own.bytes) != (used.dtype, used.bytes)).then_some(head.name)
}

fn has_chat_template(directory: &Path) -> bool {
    #[derive(Deserialize)]
    struct TokenizerConfig {
        chat_template: Option<IgnoredAny>,
    }
    let config = read_bounded(&directory.join("tokenizer_config.json"), MAX_CONFIG_BYTES);
    let config = config
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok());
    let told = config.is_some_and(|config: TokenizerConfig| config.chat_template.is_some());
    told || directory.join("chat_template.jinja").is_file()
}
