//! `lmz train` as it was typed.

use std::path::PathBuf;

use clap::{ArgGroup, CommandFactory, Parser};

use crate::args::{DeviceArgs, TalkArgs, on_the_best_device};

const LONG: &str = "\
Train a language model on files of your own, to compress such files with.

Makes a tokenizer, trains a small model until the time is up, and writes a Hugging Face directory \
with a model card, and the model prepared for `lmz -m`. To restore a file needs the same model: \
keep it.

A corpus is files and directories. A .jsonl whose first line has a content (or text) is a file of \
documents, which may name their domain; any other file is its own text. Each may be .zst or .gz. Lines \
that are no documents, hidden files and what is no text are left out. What a directory holds is one domain, \
by its name.

Presets:
  nano   0.9M parameters: a quarter of an hour on two cores, one kind of text
  small  5.5M parameters: the shape of the model that is part of this program
  base   38M parameters: for a GPU
  FILE.toml with any of the fields hidden_size, intermediate_size, layers,
         heads, kv_heads, vocab, context, batch, muon_rate, adam_rate,
         weight_decay, warmup, decay, clip, crlf, prose; what it leaves out is
         small's";

const AFTER: &str = "\
The state is saved every minute; the same command with --resume goes on. With \
--tokens a resumed run takes the very steps of an unbroken one; with --minutes the rate follows \
the clock.

Example: lmz train --corpus logs/ --preset nano --minutes 15 --out mylogs
         lmz -m mylogs/mylogs.lmzm today.log";

/// `lmz train`
#[derive(Clone, Debug, Parser)]
#[command(
    about = "Train a model on files of your own",
    long_about = LONG,
    after_long_help = AFTER,
    max_term_width = 100,
    group = ArgGroup::new("budget").args(["minutes", "tokens"])
)]
pub struct TrainArgs {
    /// Files and directories to train on
    #[arg(short, long, value_name = "PATH", required = true, num_args = 1..)]
    pub corpus: Vec<PathBuf>,
    /// nano, small, base, or a file of fields
    #[arg(short, long, value_name = "PRESET", default_value = "nano")]
    pub preset: String,
    /// The directory to write; new or empty
    #[arg(short, long, value_name = "DIR")]
    pub out: PathBuf,
    /// Stop after M minutes, preparation included [default: 15]
    #[arg(long, value_name = "M")]
    pub minutes: Option<f64>,
    /// Stop after N tokens, with suffixes K and M (1000)
    #[arg(long, value_name = "N", value_parser = count)]
    pub tokens: Option<u64>,
    /// Go on with the run in --out
    #[arg(long)]
    pub resume: bool,

    /// Text that is never trained on, to watch the progress by [default: the ends of the corpus]
    #[arg(long, value_name = "PATH", num_args = 1.., help_heading = "Data")]
    pub holdout: Vec<PathBuf>,
    /// Shares of the domains in what is seen [default: by their sizes]
    #[arg(long, value_name = "DOMAIN=W,...", value_delimiter = ',', value_parser = weight, help_heading = "Data")]
    pub weights: Vec<(String, f64)>,
    /// Take .jsonl files as they are, even where their lines have a text
    #[arg(long, help_heading = "Data")]
    pub raw: bool,
    /// Use this tokenizer.json
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "vocab",
        help_heading = "Data"
    )]
    pub tokenizer: Option<PathBuf>,
    /// Make a tokenizer of N entries [default: the preset's]
    #[arg(long, value_name = "N", help_heading = "Data")]
    pub vocab: Option<usize>,

    #[command(flatten)]
    pub device: DeviceArgs,
    /// bf16 or f32 products; weights and sums are f32 [default: what the device is faster in]
    #[arg(long, value_name = "TYPE", help_heading = "Model and speed")]
    pub dtype: Option<String>,
    /// Decides the first weights and the batches
    #[arg(
        long,
        value_name = "SEED",
        default_value_t = 0,
        help_heading = "Model and speed"
    )]
    pub seed: u64,
    /// Seconds between saved states
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 60,
        help_heading = "Output"
    )]
    pub save_every: u64,
    /// Keep the model after N tokens, too, in DIR/checkpoints
    #[arg(long, value_name = "N,...", value_delimiter = ',', value_parser = count, help_heading = "Output")]
    pub keep_at: Vec<u64>,
    #[command(flatten)]
    pub talk: TalkArgs,
}

/// The definition, with what common arguments mean for an engine in floating point.
pub fn definition() -> clap::Command {
    on_the_best_device(TrainArgs::command())
}

/// `1000`, `64K`, `1.5M`: how many.
fn count(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" => 1.0,
        "k" | "K" => 1e3,
        "m" | "M" => 1e6,
        "g" | "G" => 1e9,
        other => return Err(format!("the suffix {other:?} is none of K, M and G")),
    };
    let number: f64 = digits.parse().map_err(|_| "not a number".to_owned())?;
    let all = number * unit;
    match (1.0..=1e15).contains(&all) {
        true => Ok(all as u64),
        false => Err("out of range".into()),
    }
}

/// `books=0.3`
fn weight(text: &str) -> Result<(String, f64), String> {
    let (domain, weight) = text.rsplit_once('=').ok_or("not DOMAIN=WEIGHT")?;
    let weight: f64 = weight
        .parse()
        .map_err(|_| format!("{weight:?} is no number"))?;
    match weight >= 0.0 && weight.is_finite() && !domain.is_empty() {
        true => Ok((domain.to_owned(), weight)),
        false => Err("not DOMAIN=WEIGHT".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_weights_are_read() {
        assert_eq!(count("1.5M"), Ok(1_500_000));
        assert_eq!(count("20"), Ok(20));
        for text in ["", "0", "-1", "1T", "nan", "1e99"] {
            assert!(count(text).is_err(), "{text}");
        }
        assert_eq!(weight("a=b=0.5"), Ok(("a=b".into(), 0.5)));
        for text in ["a", "=1", "a=", "a=-1", "a=nan", "a=inf"] {
            assert!(weight(text).is_err(), "{text}");
        }
    }
}
