//! A tokenizer of one's own: byte-level BPE.

use fastrand::Rng;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{
    AddedToken, DecoderWrapper, NormalizerWrapper, PostProcessorWrapper, PreTokenizerWrapper,
    SplitDelimiterBehavior, TokenizerBuilder, TokenizerImpl,
};

use crate::corpus::Corpus;
use crate::error::{Result, TrainError};

/// The token that contexts start with.
pub const START: &str = "<|bos|>";

/// GPT-2's split with one alternative more: white space that ends in line ends, directly before
/// text, stays whole. Without it every CRLF, and every blank line, costs two tokens.
const SPLIT: &str =
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}{1,3}| ?[^\s\p{L}\p{N}]+|\s*[\r\n]+(?=\S)|\s+(?!\S)|\s+";

/// The bytes of a corpus that merges are counted on.
const SAMPLE: u64 = 20 << 20;

type Bpe = TokenizerImpl<
    BPE,
    NormalizerWrapper,
    PreTokenizerWrapper,
    PostProcessorWrapper,
    DecoderWrapper,
>;

/// Makes a `tokenizer.json` of `entries` entries, [`START`] being the first, from a sample of the
/// corpus. A corpus with little to merge gives fewer.
///
/// # Errors
/// Those of reading the corpus.
pub fn train(corpus: &Corpus, entries: usize, seed: u64) -> Result<Vec<u8>> {
    let failed = |error: tokenizers::Error| TrainError::Tokenizer(error.to_string());
    let split = Split::new(
        SplitPattern::Regex(SPLIT.into()),
        SplitDelimiterBehavior::Isolated,
        false,
    )
    .map_err(failed)?;
    let bytes = ByteLevel::new(false, true, false);
    let mut tokenizer: Bpe = TokenizerBuilder::new()
        .with_model(BPE::default())
        .with_normalizer(None)
        .with_pre_tokenizer(Some(Sequence::new(vec![split.into(), bytes.into()]).into()))
        .with_post_processor(None)
        .with_decoder(Some(ByteLevel::default().into()))
        .build()
        .map_err(failed)?;
    let mut trainer = BpeTrainer::builder()
        .vocab_size(entries)
        .show_progress(false)
        .special_tokens(vec![AddedToken::from(START, true)])
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .max_token_length(Some(24))
        .build();
    let sample = sample(corpus, seed)?;
    tokenizer
        .train(&mut trainer, sample.into_iter())
        .map_err(failed)?;
    let json = tokenizer.to_string(true).map_err(failed)?;
    Ok(json.into_bytes())
}

/// Pieces from everywhere, as many as the sample holds.
fn sample(corpus: &Corpus, seed: u64) -> Result<Vec<String>> {
    // What is compressed is some four times as long.
    let stored =
        |file: &crate::corpus::TextFile| file.bytes * if file.source.is_packed() { 4 } else { 1 };
    let all: u64 = corpus.files.iter().map(stored).sum();
    let share = SAMPLE as f64 / all.max(1) as f64;
    let mut rng = Rng::with_seed(seed);
    let mut left = 2 * SAMPLE;
    let mut sample = Vec::new();
    corpus.pieces(&mut |piece| {
        if rng.f64() < share && left > 0 {
            left = left.saturating_sub(piece.text.len() as u64);
            sample.push(String::from_utf8_lossy(&piece.text).into_owned());
        }
        Ok(())
    })?;
    Ok(sample)
}
