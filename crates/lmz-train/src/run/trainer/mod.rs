//! The loop of training steps, with validation and saved states.

mod outcome;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use burn::backend::Autodiff;
use burn::module::AutodiffModule;
use burn::tensor::{DType, Int, Tensor, TensorData};
use lmz_float::kernels::{Kernels, Products};
use lmz_float::modules::{Loader, Model, Tables};
use lmz_float::{Dtype, FloatError, Here, Work};
use lmz_model::Blueprint;

use super::metrics::{HeldOut, Line, Metrics, Row};
use super::options::{Event, Options, Outcome, Watch};
use super::settings::Settings;
use super::state::{self, Progress, Tensors};
use crate::dataset::{Batch, Dataset};
use crate::error::{Result, TrainError};
use crate::optimiser::{self, Optimiser};
use crate::parameters::{Initial, name, slots};
use crate::tokenizer::Tokenizer;

/// Steps between rows of the record.
const ROW: u64 = 10;

/// Tokens of held-out text that are scored at once, about, and how often on the way.
const VALIDATION: usize = 32_768;
const VALIDATIONS: f64 = 10.0;

/// How many logits or scores may exist at once, where the backend keeps them.
const MAX_SCORES: usize = 1 << 26;

/// A run that is ready to train.
pub(super) struct Trainer<'a> {
    pub options: &'a Options,
    pub settings: &'a Settings,
    pub tokenizer: &'a Tokenizer,
    pub dataset: &'a Dataset,
    pub directory: &'a Path,
    pub begin: Instant,
    pub watch: &'a mut dyn Watch,
}

impl Work for Trainer<'_> {
    type Output = Result<Outcome>;

    fn run<B: Kernels>(self, here: Here<B>) -> Result<Outcome> {
        let products = match self.options.dtype {
            None => here.fastest,
            Some(Dtype::Bf16) if here.fastest == Products::Bf16 => Products::Bf16,
            Some(Dtype::F32) => Products::Full,
            Some(other) => {
                return Err(TrainError::Float(FloatError::Dtype {
                    device: here.name,
                    dtype: other.name(),
                }));
            }
        };
        let mut run = Run::new(self, here, products)?;
        match run.steps()? {
            None => Ok(Outcome::Stopped(run.progress.step)),
            Some(held_out) => run.finish(held_out).map(Outcome::Finished),
        }
    }
}

/// A run on its device.
struct Run<'a, B: Kernels> {
    trainer: Trainer<'a>,
    here: Here<B>,
    products: Products,
    blueprint: Blueprint,
    model: Model<Autodiff<B>>,
    tables: Tables<Autodiff<B>>,
    optimiser: Optimiser<B>,
    progress: Progress,
    /// Seconds of work before this call.
    before: f64,
    metrics: Metrics,
}

impl<'a, B: Kernels> Run<'a, B> {
    fn new(trainer: Trainer<'a>, here: Here<B>, products: Products) -> Result<Self> {
        let (options, tokenizer) = (trainer.options, trainer.tokenizer);
        let blueprint = options
            .preset
            .blueprint(tokenizer.vocab_size, tokenizer.start.0)?;
        let initial = Initial {
            blueprint: blueprint.clone(),
            seed: options.seed,
        };
        let loader = Loader::new(&initial, &here.device, DType::F32, MAX_SCORES);
        let model = loader.with_products(products).model()?;
        let tables = Tables::new(&blueprint, options.preset.context, &here.device);
        let mut run = Self {
            optimiser: Optimiser::new(products),
            progress: Progress::default(),
            before: 0.0,
            metrics: Metrics::open(trainer.directory, 0)?,
            trainer,
            here,
            products,
            blueprint,
            model,
            tables,
        };
        run.restore()?;
        Ok(run)
    }

    /// Goes back to the saved state, if there is one.
    fn restore(&mut self) -> Result<()> {
        let directory = self.trainer.directory;
        let Some((progress, mut tensors)) = state::load::<B>(directory, &self.here.device)? else {
            if self.trainer.options.resume {
                let notice = "no state was saved before the run ended: it begins again at step 0";
                self.trainer.watch.event(&Event::Notice(notice.into()));
            }
            return Ok(());
        };
        let wrong = |reason: String| TrainError::State {
            path: directory.join(state::FILE),
            reason,
        };
        let blueprint = &self.blueprint;
        let mut take = |key: String, shape: [usize; 2]| match tensors.remove(&key) {
            Some(tensor) if tensor.dims() == shape => Ok(tensor),
            Some(_) => Err(wrong(format!("{key} has the wrong shape"))),
            None => Err(wrong(format!("{key} is missing"))),
        };
        for mut slot in slots(&mut self.model) {
            let [_, columns] = slot.value().dims();
            let mut values = Vec::new();
            for (part, _, rows) in optimiser::rows(&slot.parts, blueprint) {
                let (name, shape) = (name(part), [rows, columns]);
                values.push(take(format!("value.{name}"), shape)?);
                if slot.is_matrix() {
                    let momentum = take(format!("momentum.{name}"), shape)?;
                    self.optimiser.momenta.insert(name, momentum);
                } else {
                    let means = [
                        take(format!("mean.{name}"), shape)?,
                        take(format!("square.{name}"), shape)?,
                    ];
                    self.optimiser.means.insert(name, means);
                }
            }
            slot.set(Tensor::cat(values, 0));
        }
        self.progress = progress;
        self.before = progress.seconds;
        self.metrics = Metrics::open(directory, progress.step)?;
        Ok(())
    }

    fn save(&mut self) -> Result<()> {
        let mut tensors: Tensors<B> = BTreeMap::new();
        for slot in slots(&mut self.model) {
            let value = slot.value();
            for (part, first, rows) in optimiser::rows(&slot.parts, &self.blueprint) {
                let value = value.clone().narrow(0, first, rows);
                tensors.insert(format!("value.{}", name(part)), value);
            }
        }
        for (name, momentum) in &self.optimiser.momenta {
            tensors.insert(format!("momentum.{name}"), momentum.clone());
        }
        for (name, [mean, square]) in &self.optimiser.means {
            tensors.insert(format!("mean.{name}"), mean.clone());
            tensors.insert(format!("square.{name}"), square.clone());
        }
        state::save(self.trainer.directory, &self.progress, tensors)?;
        self.trainer.watch.event(&Event::Saved(self.progress.step));
        Ok(())
    }

    fn seconds(&self) -> f64 {
        self.before + self.trainer.begin.elapsed().as_secs_f64()
    }

    fn share(&self) -> f64 {
        let spent = Duration::from_secs_f64(self.seconds());
        self.trainer
            .options
            .budget
            .share(self.progress.tokens, spent)
    }

    /// Trains until the budget is spent, and scores held-out text; none if it was stopped.
    fn steps(&mut self) -> Result<Option<Option<HeldOut>>> {
        let options = self.trainer.options;
        let preset = &options.preset;
        let dataset = self.trainer.dataset;
        let shares = dataset.shares(&options.weights, preset.context)?;
        let parts = self.blueprint.parts().into_iter();
        let sizes = parts.map(|part| self.blueprint.part_shape(part).iter().product::<usize>());
        self.trainer.watch.event(&Event::Start {
            parameters: sizes.sum::<usize>() as u64,
            device: format!("{}, {}", self.here.name, self.precision()),
            step: self.progress.step,
            tokens: shares
                .iter()
                .map(|(domain, _)| domain.facts.trained())
                .sum(),
        });
        let (start, first_tokens) = (Instant::now(), self.progress.tokens);
        let mut last_saved = Instant::now();
        let mut last_validated = first_tokens;
        let mut saved = (self.progress.step > 0).then_some(self.progress.step);
        let (mut sum, mut count) = (0.0, 0);
        loop {
            let share = self.share();
            if share >= 1.0 {
                break;
            }
            if self.trainer.watch.stop() {
                self.progress.seconds = self.seconds();
                self.save()?;
                return Ok(None);
            }
            let rate = crate::rate(preset, self.progress.step, share);
            let numbers = [options.seed, self.progress.step];
            let rows = preset.batch / preset.context;
            let first = self.trainer.tokenizer.start.0;
            let batch = Batch::draw(&shares, rows, preset.context, first, numbers)?;
            let (loss, gradient) = self.step(&batch, rate, saved)?;
            self.progress.step += 1;
            let before = self.progress.tokens;
            self.progress.tokens += batch.targets.len() as u64;
            self.progress.seconds = self.seconds();
            (sum, count) = (sum + loss, count + 1);
            let after = self.share();
            let mut row = Row {
                step: self.progress.step,
                tokens: self.progress.tokens,
                minutes: self.progress.seconds / 60.0,
                loss,
                gradient,
                rate,
                tokens_per_second: (self.progress.tokens - first_tokens) as f64
                    / start.elapsed().as_secs_f64(),
                share: after,
            };
            self.trainer.watch.event(&Event::Step(row.clone()));
            if self.progress.step.is_multiple_of(ROW) || after >= 1.0 {
                row.loss = sum / f64::from(count);
                self.progress.loss = row.loss;
                (sum, count) = (0.0, 0);
                self.metrics.add(Line::Row(row))?;
            }
            let passed = before + 1..=self.progress.tokens;
            for &tokens in options.keep_at.iter().filter(|at| passed.contains(at)) {
                self.keep(tokens)?;
            }
            let crossed = (share * VALIDATIONS).floor() < (after * VALIDATIONS).floor();
            // A short run has better things to do.
            let due = self.progress.tokens - last_validated >= 4 * VALIDATION as u64;
            if crossed && due && after < 1.0 {
                self.validate(VALIDATION)?;
                last_validated = self.progress.tokens;
            }
            if last_saved.elapsed() >= options.save_every {
                self.save()?;
                last_saved = Instant::now();
                saved = Some(self.progress.step);
            }
        }
        if self.progress.step == 0 {
            let reason = "the budget was spent before the first step";
            return Err(TrainError::setting("minutes", reason));
        }
        self.save()?;
        self.validate(4 * VALIDATION).map(Some)
    }

    /// One step; the loss, and the length of its gradient.
    fn step(&mut self, batch: &Batch, rate: f64, saved: Option<u64>) -> Result<(f64, f64)> {
        let preset = &self.trainer.options.preset;
        let context = preset.context;
        let whole = batch.targets.len();
        let part = (self.here.tokens / context).max(1) * context;
        let mut loss = 0.0;
        let mut sums: Vec<Option<Tensor<B, 2>>> = Vec::new();
        for (inputs, targets) in batch.inputs.chunks(part).zip(batch.targets.chunks(part)) {
            let share = targets.len() as f64 / whole as f64;
            let hidden =
                self.model
                    .hidden(ids(inputs, context, &self.here.device), &self.tables, None);
            let hidden = hidden.reshape([targets.len(), preset.hidden_size]);
            let nats = self
                .model
                .head
                .loss(hidden, self.model.tied(), targets, MAX_SCORES);
            let mean: f32 = nats
                .clone()
                .inner()
                .into_data()
                .iter()
                .next()
                .unwrap_or(f32::NAN);
            loss += f64::from(mean) * share;
            let gradients = (nats * share).backward();
            let slots = slots(&mut self.model);
            sums.resize(slots.len(), None);
            for (sum, slot) in sums.iter_mut().zip(slots) {
                let gradient = slot.gradient(&gradients);
                *sum = match (sum.take(), gradient) {
                    (Some(sum), Some(gradient)) => Some(sum + gradient),
                    (sum, gradient) => sum.or(gradient),
                };
            }
        }
        let squares = sums.iter().flatten().map(|sum| sum.clone().square().sum());
        let squares = Tensor::cat(squares.collect(), 0).sum().into_data();
        let length = squares.iter::<f64>().next().unwrap_or(f64::NAN).sqrt();
        for (what, value) in [("loss", loss), ("gradient", length)] {
            if !value.is_finite() {
                return Err(TrainError::Diverged {
                    step: self.progress.step + 1,
                    what,
                    value,
                    saved,
                });
            }
        }
        let scale = (preset.clip / length.max(1e-12)).min(1.0);
        let step = self.progress.step;
        for (mut slot, sum) in slots(&mut self.model).into_iter().zip(sums) {
            if let Some(gradient) = sum {
                let gradient = gradient * scale;
                let optimiser = &mut self.optimiser;
                optimiser.update(&mut slot, gradient, &self.blueprint, preset, step, rate);
            }
        }
        Ok((loss, length))
    }

    /// Scores held-out text; none if there is none.
    fn validate(&mut self, tokens: usize) -> Result<Option<HeldOut>> {
        let context = self.trainer.options.preset.context;
        let start = self.trainer.tokenizer.start.0;
        let rows = (tokens / context).max(1);
        let rows = self.trainer.dataset.validation(rows, context, start)?;
        let model = self.model.valid();
        let tables = Tables::new(&self.blueprint, context, &self.here.device);
        let mut domains: BTreeMap<String, (f64, u64)> = BTreeMap::new();
        for (domain, batch) in rows {
            let length = batch.inputs.len();
            let hidden = model.hidden(ids(&batch.inputs, length, &self.here.device), &tables, None);
            let hidden = hidden.reshape([length, self.blueprint.hidden_size]);
            let (tied, targets) = (model.tied(), &batch.targets);
            let nats = model
                .head
                .surprisals(hidden, tied, targets, MAX_SCORES)
                .into_data();
            let nats: f64 = nats.iter::<f32>().map(f64::from).sum();
            let ids: Vec<u16> = targets.iter().map(|&id| id as u16).collect();
            let sums = domains.entry(domain.to_string()).or_default();
            sums.0 += nats / std::f64::consts::LN_2;
            sums.1 += self.trainer.tokenizer.bytes(&ids);
        }
        let all = domains
            .values()
            .fold((0.0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
        if all.1 == 0 {
            return Ok(None);
        }
        let mean = |(bits, bytes): (f64, u64)| bits / bytes.max(1) as f64;
        let held_out = HeldOut {
            step: self.progress.step,
            tokens: self.progress.tokens,
            bits_per_byte: mean(all),
            domains: domains
                .into_iter()
                .map(|(name, sums)| (name, mean(sums)))
                .collect(),
            bytes: all.1,
        };
        self.metrics.add(Line::HeldOut {
            held_out: held_out.clone(),
        })?;
        self.trainer.watch.event(&Event::HeldOut(held_out.clone()));
        Ok(Some(held_out))
    }

    fn precision(&self) -> &'static str {
        match self.products {
            Products::Full => "f32",
            Products::Bf16 => "bf16 with sums in f32",
            Products::Double => "f32 with sums in f64",
        }
    }
}

/// Token ids in rows of `context`.
fn ids<B: Kernels>(ids: &[i32], context: usize, device: &B::Device) -> Tensor<B, 2, Int> {
    let data = TensorData::new(ids.to_vec(), [ids.len() / context, context]);
    Tensor::from_data(data, device)
}
