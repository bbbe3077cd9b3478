//! The lists of tokens that every kind of tokenizer has.

use crate::error::Result;
use crate::gguf::metadata::Meta;

/// The key of the tokens' texts.
pub(super) const TOKENS: &str = "tokenizer.ggml.tokens";
const TYPES: &str = "tokenizer.ggml.token_type";
/// More than any vocabulary has; bounds memory.
const MAX_TOKENS: usize = 1 << 20;

/// What a token is for, as SentencePiece has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Normal,
    Unknown,
    /// Special tokens, which text never produces.
    Control,
    /// Matched before anything else.
    UserDefined,
    /// Rows of the embedding that no token uses.
    Unused,
    /// One byte of a character that is no token.
    Byte,
}

/// The tokens by id, and their types.
pub(super) struct Tokens<'a> {
    pub(super) texts: Vec<&'a str>,
    pub(super) types: Vec<Type>,
}

impl<'a> Tokens<'a> {
    pub(super) fn read(meta: Meta<'a>) -> Result<Self> {
        let texts = meta.texts(TOKENS)?.ok_or_else(|| meta.missing(TOKENS))?;
        if texts.len() > MAX_TOKENS {
            let reason = format!("has {} entries, more than {MAX_TOKENS}", texts.len());
            return Err(meta.invalid(TOKENS, reason));
        }
        let types = match meta.ints(TYPES)? {
            None => vec![Type::Normal; texts.len()],
            Some(list) => list.into_iter().map(kind).collect(),
        };
        if types.len() != texts.len() {
            return Err(meta.invalid(
                TYPES,
                format!("has {} entries for {} tokens", types.len(), texts.len()),
            ));
        }
        Ok(Self { texts, types })
    }

    /// Id, text and type of every token that is one.
    pub(super) fn used(&self) -> impl Iterator<Item = (u32, &'a str, Type)> {
        let all = self.texts.iter().zip(&self.types).enumerate();
        // At most MAX_TOKENS.
        let all = all.map(|(id, (&text, &kind))| (id as u32, text, kind));
        all.filter(|&(_, text, kind)| kind != Type::Unused && !text.is_empty())
    }
}

fn kind(number: i64) -> Type {
    match number {
        2 => Type::Unknown,
        3 => Type::Control,
        4 => Type::UserDefined,
        5 => Type::Unused,
        6 => Type::Byte,
        _ => Type::Normal,
    }
}

/// The token that contexts start with, if the tokenizer adds one: `add` where the file is silent.
pub(super) fn first_token<'a>(
    meta: Meta<'_>,
    tokens: &Tokens<'a>,
    add: bool,
) -> Result<Option<(u32, &'a str)>> {
    if !meta.flag("tokenizer.ggml.add_bos_token")?.unwrap_or(add) {
        return Ok(None);
    }
    let id = meta.uint("tokenizer.ggml.bos_token_id")?;
    Ok(id.and_then(|id| Some((u32::try_from(id).ok()?, *tokens.texts.get(id)?))))
}
