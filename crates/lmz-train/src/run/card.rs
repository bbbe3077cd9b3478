//! The model card.

use std::fmt::Write;

use super::metrics::HeldOut;
use super::options::Summary;
use super::settings::Settings;
use crate::dataset::Dataset;
use crate::schedule::Budget;

/// What the card tells beside settings and summary.
pub(super) struct Facts<'a> {
    pub name: &'a str,
    pub hardware: &'a str,
    pub products: &'a str,
    pub vocab_size: usize,
    pub shares: &'a [(String, f64)],
}

/// A README.md.
pub(super) fn card(
    facts: &Facts<'_>,
    settings: &Settings,
    summary: &Summary,
    dataset: &Dataset,
) -> String {
    let mut text = String::new();
    // Writing into a String does not fail.
    let _ = write(&mut text, facts, settings, summary, dataset);
    text
}

fn write(
    out: &mut String,
    facts: &Facts<'_>,
    settings: &Settings,
    summary: &Summary,
    dataset: &Dataset,
) -> std::fmt::Result {
    let p = &settings.preset;
    writeln!(out, "# {}\n", facts.name)?;
    writeln!(
        out,
        "A language model of {} parameters for compressing text of one kind, trained by `lmz train`. \
         `model.safetensors`, `config.json` and `tokenizer.json` are a Hugging Face directory \
         (`LlamaForCausalLM`); the `.lmzm` file is the same model prepared for `lmz -m`.\n",
        summary.parameters
    )?;
    writeln!(out, "## Architecture\n")?;
    writeln!(
        out,
        "Hidden {}, {} layers, {} heads of {} ({} key-value heads), SwiGLU {}, RMSNorm, rotary \
         positions, tied head, {} entries, contexts of {} positions that start with the start token.\n",
        p.hidden_size,
        p.layers,
        p.heads,
        p.hidden_size / p.heads,
        p.kv_heads,
        p.intermediate_size,
        facts.vocab_size,
        p.context
    )?;
    writeln!(out, "## Data\n")?;
    writeln!(
        out,
        "| domain | bytes | tokens | of them held out | share of what was seen |"
    )?;
    writeln!(out, "|---|---|---|---|---|")?;
    for domain in &dataset.domains {
        let f = &domain.facts;
        let share = match facts
            .shares
            .iter()
            .find(|(name, _)| *name == f.name && !f.other)
        {
            Some((_, share)) => format!("{:.1} %", share * 100.0),
            None => "none".to_string(),
        };
        let held_out = if f.other { f.tokens } else { f.held_out };
        writeln!(
            out,
            "| {} | {} | {} | {held_out} | {share} |",
            f.name, f.bytes, f.tokens
        )?;
    }
    let files = settings.corpus.len();
    writeln!(
        out,
        "\n{files} files, {} bytes as stored.\n",
        settings.corpus_bytes
    )?;
    writeln!(out, "## Recipe\n")?;
    let budget = match settings.budget {
        Budget::Minutes(minutes) => format!("{minutes} minutes"),
        Budget::Tokens(tokens) => format!("{tokens} tokens"),
    };
    writeln!(
        out,
        "Preset `{}`, seed {}, budget {budget}. Muon ({}) for the matrices of layers with weight \
         decay {}, AdamW ({}) for embedding and norms, gradients clipped at {}; {} tokens a step; \
         the rate rises over {} steps or a twentieth, holds, and falls over the last {:.0} % to a \
         hundredth. Products in {}.\n",
        p.name,
        settings.seed,
        p.muon_rate,
        p.weight_decay,
        p.adam_rate,
        p.clip,
        p.batch,
        p.warmup,
        p.decay * 100.0,
        facts.products
    )?;
    writeln!(
        out,
        "{} steps, {} tokens, {:.1} minutes on {}.\n",
        summary.steps, summary.tokens, summary.minutes, facts.hardware
    )?;
    writeln!(out, "## Held out\n")?;
    match &summary.held_out {
        Some(held_out) => figures(out, held_out, !settings.held_out.is_empty())?,
        None => writeln!(out, "The corpus was too small to keep any of it.\n")?,
    }
    writeln!(out, "![loss and held-out bits per byte](curve.svg)")
}

fn figures(out: &mut String, held_out: &HeldOut, apart: bool) -> std::fmt::Result {
    let what = match apart {
        true => "text that was never trained on",
        false => "the ends of the domains, which were never trained on",
    };
    writeln!(out, "Bits a byte on {} bytes of {what}:\n", held_out.bytes)?;
    writeln!(out, "| domain | bits/byte |\n|---|---|")?;
    for (domain, bits) in &held_out.domains {
        writeln!(out, "| {domain} | {bits:.4} |")?;
    }
    writeln!(out, "| all | {:.4} |\n", held_out.bits_per_byte)
}
