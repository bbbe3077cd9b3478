//! What a run gives: the model at its end, and the models on the way that were asked for.

use std::fs;
use std::path::Path;

use lmz_float::kernels::Kernels;

use super::Run;
use crate::error::{Result, TrainError};
use crate::files;
use crate::optimiser;
use crate::parameters::{name, slots};
use crate::run::metrics::HeldOut;
use crate::run::options::{Event, Summary};
use crate::run::{card, export, plot};

impl<B: Kernels> Run<'_, B> {
    /// Keeps the model as it is, under the number of tokens that was asked for.
    pub(super) fn keep(&mut self, tokens: u64) -> Result<()> {
        let options = self.trainer.options;
        let name = format!("{}-{tokens}", name_of(&options.out)?);
        let directory = options.out.join("checkpoints").join(name);
        fs::create_dir_all(&directory).map_err(TrainError::write(&directory))?;
        files::remove_leftovers(&directory);
        let values = self.values();
        export::write(&directory, &options.preset, self.trainer.tokenizer, &values)?;
        self.trainer.watch.event(&Event::Kept(directory));
        Ok(())
    }

    /// The parameters by their names in a checkpoint.
    fn values(&mut self) -> export::Values {
        let mut values = export::Values::new();
        for slot in slots(&mut self.model) {
            let value = slot.value();
            for (part, first, rows) in optimiser::rows(&slot.parts, &self.blueprint) {
                let value = value.clone().narrow(0, first, rows).into_data();
                let value: Vec<f32> = value.iter().collect();
                values.insert(name(part), (self.blueprint.part_shape(part), value));
            }
        }
        values
    }

    /// Writes the result, and removes what only an unfinished run needs.
    pub(super) fn finish(&mut self, held_out: Option<HeldOut>) -> Result<Summary> {
        let values = self.values();
        let summary = Summary {
            parameters: values.values().map(|(_, value)| value.len() as u64).sum(),
            steps: self.progress.step,
            tokens: self.progress.tokens,
            minutes: self.progress.seconds / 60.0,
            loss: self.progress.loss,
            held_out,
        };
        let options = self.trainer.options;
        let out = &options.out;
        let dataset = self.trainer.dataset;
        let shares = dataset.shares(&options.weights, options.preset.context)?;
        let shares = shares
            .into_iter()
            .map(|(domain, share)| (domain.facts.name.clone(), share));
        let title = name_of(out)?;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let facts = card::Facts {
            name: &title,
            hardware: &format!("{} ({threads} threads)", self.here.name),
            products: self.precision(),
            vocab_size: self.trainer.tokenizer.vocab_size,
            shares: &shares.collect::<Vec<_>>(),
        };
        let card = card::card(&facts, self.trainer.settings, &summary, dataset);
        files::replace_bytes(&out.join("README.md"), card.as_bytes())?;
        let curve = plot::curve(&self.metrics.lines);
        files::replace_bytes(&out.join("curve.svg"), curve.as_bytes())?;
        let text = self.metrics.text();
        files::replace_bytes(&out.join("metrics.jsonl"), text.as_bytes())?;
        export::write(out, &options.preset, self.trainer.tokenizer, &values)?;
        let directory = self.trainer.directory;
        fs::remove_dir_all(directory).map_err(TrainError::write(directory))?;
        Ok(summary)
    }
}

/// What a model in this directory is called.
fn name_of(out: &Path) -> Result<String> {
    let resolved = fs::canonicalize(out).map_err(TrainError::read(out))?;
    let name = resolved.file_name().unwrap_or_default();
    Ok(name.to_string_lossy().into_owned())
}
