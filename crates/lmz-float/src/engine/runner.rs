//! A model on one device, in memory or read as it is needed.

mod texts;

use burn::tensor::{DType, Int, Tensor, TensorData};
use lmz_model::{Blueprint, Position};

use crate::block::Tables;
use crate::cache::Cache;
use crate::error::{FloatError, Result};
use crate::kernels::Kernels;
use crate::load::Loader;
use crate::memory::{self, Plan};
use crate::model::Model;
use crate::place::Place;
use crate::scoring::{self, Batch, Limits, Resident, Room, Scored, ScoringOptions, Store, Window};

use super::contract::{Engine, SharedWeights};

/// The window that the first plan is made for, unless the model takes less.
const TYPICAL_WINDOW: usize = 512;

/// A model, in memory or read as it is needed.
pub(super) struct Runner<B: Kernels> {
    place: Place<B>,
    weights: SharedWeights,
    options: ScoringOptions,
    notice: Option<String>,
    budget: u64,
    max_scores: usize,
    /// None if layers are read for each pass.
    model: Option<Model<B>>,
    tables: Tables<B>,
    cache: Cache<B>,
    /// Contexts that were computed, each of which begins with the one before.
    known: Vec<(Vec<u32>, Cache<B>)>,
    /// What each of the texts has seen that are written at the same time.
    texts: Vec<Cache<B>>,
    /// The tokens of `cache`, where the layers are read from disk and nothing is remembered.
    context: Vec<u32>,
    /// The largest batch that has not failed.
    limit: usize,
}

impl<B: Kernels> Runner<B> {
    pub(super) fn open(
        place: Place<B>,
        weights: SharedWeights,
        options: &ScoringOptions,
        notice: Option<String>,
    ) -> Result<Box<dyn Engine>>
    where
        B: 'static,
    {
        let blueprint = weights.blueprint();
        let budget = memory::budget(options.memory_budget, place.free);
        let window = TYPICAL_WINDOW.min(blueprint.max_positions);
        let plan = memory::plan(blueprint, options.dtype, budget, window)?;
        let max_scores = usize::try_from(plan.buffer).unwrap_or(usize::MAX);
        let dtype = options.dtype.burn();
        let opened = lmz_device::catch(|| {
            let loader = Loader::<B>::new(&*weights, &place.device, dtype, max_scores)
                .with_products(options.products);
            let model = plan.resident.then(|| loader.model()).transpose()?;
            let tables = Tables::new(blueprint, window, &place.device);
            Ok::<_, FloatError>((model, tables))
        });
        let (model, tables) = match opened {
            Ok(opened) => opened?,
            Err(reason) => {
                return Err(FloatError::Device {
                    device: place.name,
                    reason,
                });
            }
        };
        let cache = Cache::new(blueprint.layers);
        Ok(Box::new(Self {
            place,
            weights,
            options: options.clone(),
            notice,
            budget,
            max_scores,
            model,
            tables,
            cache,
            known: Vec::new(),
            texts: Vec::new(),
            context: Vec::new(),
            limit: usize::MAX,
        }))
    }

    fn dtype(&self) -> DType {
        self.options.dtype.burn()
    }

    fn plan(&self, tokens: usize) -> Result<Plan> {
        memory::plan(
            self.weights.blueprint(),
            self.options.dtype,
            self.budget,
            tokens,
        )
    }

    /// Makes sure that the rotary tables reach so far.
    fn reach(&mut self, positions: usize) {
        if self.tables.positions() < positions {
            // Generation asks for one more each time.
            let positions = positions.next_multiple_of(256);
            self.tables = Tables::new(self.weights.blueprint(), positions, &self.place.device);
        }
    }

    /// How many windows go through a layer together.
    fn together(&self, tokens: usize) -> usize {
        let planned = match self.plan(tokens) {
            Ok(plan) => plan.tokens.min(self.place.most_tokens) / tokens.max(1) as u64,
            Err(_) => 1,
        };
        let planned = usize::try_from(planned).unwrap_or(usize::MAX);
        self.options.batch.unwrap_or(planned).clamp(1, self.limit)
    }

    /// How much goes through a layer together as one row, behind a context of so many tokens.
    fn room(&self, context: usize, longest: usize) -> Result<Room> {
        let blueprint = self.weights.blueprint();
        let planned = self.plan(context + longest)?.tokens;
        let kept = 2 * blueprint.kv_heads * blueprint.head_dim;
        let token = memory::token_bytes(blueprint, self.options.dtype);
        Ok(Room {
            tokens: usize::try_from(planned.min(self.place.most_tokens)).unwrap_or(usize::MAX),
            windows: self
                .options
                .batch
                .unwrap_or(usize::MAX)
                .clamp(1, self.limit),
            context,
            copy: (kept as u64 * self.options.dtype.bytes()) as f64 / token as f64,
        })
    }

    fn loader(&self) -> Loader<'_, B> {
        Loader::new(
            &*self.weights,
            &self.place.device,
            self.dtype(),
            self.max_scores,
        )
        .with_products(self.options.products)
    }

    /// [`Engine::continuations`] where the layers are read for each pass: with the whole context, each time.
    fn continuations_from_disk(
        &mut self,
        windows: &[Window<'_>],
        with_first: bool,
    ) -> Result<Vec<Vec<Scored>>> {
        let whole = windows.iter().map(|window| {
            let tokens = [&self.context[..], window.tokens].concat();
            (tokens, window.scored)
        });
        let whole: Vec<(Vec<u32>, usize)> = whole.collect();
        if !with_first {
            let windows: Vec<Window<'_>> = whole
                .iter()
                .map(|(tokens, scored)| Window {
                    tokens,
                    scored: *scored,
                })
                .collect();
            let nats = self.surprisals(&windows)?.into_iter();
            let scored =
                |nats: Vec<f32>| nats.into_iter().map(|nats| Scored { nats, first: false });
            return Ok(nats.map(|nats| scored(nats).collect()).collect());
        }
        let mut results = Vec::with_capacity(whole.len());
        for (tokens, scored) in &whole {
            let (Some((_, read)), true) = (tokens.split_last(), *scored > 0) else {
                results.push(Vec::new());
                continue;
            };
            let logits = self.run(read, false, *scored)?;
            let rows = logits.chunks_exact(logits.len() / scored);
            let targets = &tokens[tokens.len() - scored..];
            let each = rows.zip(targets);
            results.push(
                each.map(|(row, &target)| scoring::of_logits(row, target))
                    .collect(),
            );
        }
        Ok(results)
    }

    /// Runs all layers on `ids`, `[1, tokens]`, with or without the cache; then the head on the
    /// last `rows` positions, if any.
    fn run(&mut self, tokens: &[u32], cached: bool, rows: usize) -> Result<Vec<f32>> {
        let start = if cached { self.cache.tokens } else { 0 };
        scoring::check_tokens(self.weights.blueprint(), tokens)?;
        let weights = self.weights.clone();
        let blueprint = weights.blueprint();
        let end = start + tokens.len();
        if tokens.is_empty()
            || (blueprint.position == Position::Learned && end > blueprint.max_positions)
        {
            return Err(FloatError::Window {
                tokens: end,
                scored: 0,
                reason: format!(
                    "a context has between 1 and {} tokens",
                    blueprint.max_positions
                ),
            });
        }
        self.reach(end);
        let mut cache = cached.then(|| self.cache.clone());
        let outcome = lmz_device::catch(|| {
            let ids: Vec<i32> = tokens.iter().map(|&t| t as i32).collect();
            let ids = TensorData::new(ids, [1, tokens.len()]);
            let ids = Tensor::<B, 2, Int>::from_data(ids, &self.place.device);
            let last = |hidden: Tensor<B, 3>| {
                let [_, all, width] = hidden.dims();
                hidden.narrow(1, all - rows, rows).reshape([rows, width])
            };
            let logits = match &self.model {
                Some(model) => {
                    let hidden = model.hidden(ids, &self.tables, cache.as_mut());
                    if rows == 0 {
                        return Ok(Vec::new());
                    }
                    model.head.logits(last(hidden), model.tied())
                }
                None => {
                    let loader = self.loader();
                    let mut x = loader.embedding()?.forward(ids, start);
                    for index in 0..blueprint.layers {
                        let cache = cache.as_mut().map(|c| &mut c.layers[index]);
                        x = loader.layer(index)?.forward(x, &self.tables, start, cache);
                    }
                    if let Some(cache) = &mut cache {
                        cache.tokens = end;
                    }
                    if rows == 0 {
                        return Ok(Vec::new());
                    }
                    loader.head(true)?.logits(last(x), None)
                }
            };
            Ok(logits.into_data().iter::<f32>().collect())
        });
        match outcome {
            Ok(logits) => {
                if let Some(cache) = cache {
                    self.cache = cache;
                }
                logits
            }
            Err(reason) => Err(FloatError::Failed {
                device: self.place.name.clone(),
                reason,
            }),
        }
    }
}

impl<B: Kernels> Engine for Runner<B> {
    fn batch(&self, tokens: usize) -> usize {
        let together = self.together(tokens);
        if self.model.is_some() {
            return together;
        }
        let state = (tokens * self.weights.blueprint().hidden_size) as u64 * 4;
        let memory = self.plan(tokens).map_or(0, |plan| plan.hidden);
        let room = (memory + self.options.spill_budget.unwrap_or(0)) / state.max(1);
        usize::try_from(room).unwrap_or(usize::MAX).max(together)
    }

    fn surprisals(&mut self, windows: &[Window<'_>]) -> Result<Vec<Vec<f32>>> {
        scoring::check(self.weights.blueprint(), windows)?;
        let longest = windows.iter().map(|w| w.tokens.len()).max().unwrap_or(0);
        self.reach(longest);
        let mut results = vec![Vec::new(); windows.len()];
        let batches = Batch::split(windows, |tokens| self.together(tokens));
        let max_logits = self.max_scores;
        match &self.model {
            Some(model) => {
                for batch in &batches {
                    scoring::score(
                        model,
                        &self.tables,
                        batch,
                        max_logits,
                        &self.place.device,
                        &mut self.limit,
                        &mut results,
                    )?;
                }
            }
            None => {
                let plan = self.plan(longest.max(1))?;
                let limits = Limits {
                    max_logits,
                    width: self.weights.blueprint().hidden_size,
                    layers: self.weights.blueprint().layers,
                };
                let spill = self.options.spill_budget.unwrap_or(0);
                let directory = self.options.spill_dir.as_deref();
                scoring::score_streamed(
                    &self.loader(),
                    &self.tables,
                    &batches,
                    &limits,
                    || Store::new(plan.hidden, spill, directory),
                    &mut results,
                )?;
            }
        }
        Ok(results)
    }

    fn logits(&mut self, tokens: &[u32]) -> Result<Vec<f32>> {
        self.run(tokens, false, tokens.len())
    }

    fn advance(&mut self, tokens: &[u32]) -> Result<Vec<f32>> {
        self.run(tokens, true, 1)
    }

    fn restart(&mut self) {
        self.context.clear();
        self.cache = Cache::new(self.weights.blueprint().layers);
    }

    fn begin(&mut self, tokens: &[u32], base: usize) -> Result<()> {
        self.context = tokens.to_vec();
        if self.model.is_none() {
            // Whoever advances does so from the start.
            self.restart();
            self.context = tokens.to_vec();
            if !tokens.is_empty() {
                self.run(tokens, true, 0)?;
            }
            return Ok(());
        }
        while let Some((known, _)) = self.known.last()
            && !tokens.starts_with(known)
        {
            self.known.pop();
        }
        self.cache = match self.known.last() {
            Some((_, cache)) => cache.clone(),
            None => Cache::new(self.weights.blueprint().layers),
        };
        for end in [base.min(tokens.len()), tokens.len()] {
            let start = self.cache.tokens;
            if end > start {
                self.run(&tokens[start..end], true, 0)?;
                self.known
                    .push((tokens[..end].to_vec(), self.cache.clone()));
            }
        }
        Ok(())
    }

    fn continuations(
        &mut self,
        windows: &[Window<'_>],
        with_first: bool,
    ) -> Result<Vec<Vec<Scored>>> {
        let longest = windows.iter().map(|w| w.tokens.len()).max().unwrap_or(0);
        let before = self.context.len();
        let blueprint = self.weights.blueprint();
        scoring::check(blueprint, windows)?;
        if blueprint.position == Position::Learned
            && (before + longest).saturating_sub(1) > blueprint.max_positions
        {
            return Err(FloatError::Window {
                tokens: before + longest,
                scored: 0,
                reason: format!(
                    "the model has {} learned positions",
                    blueprint.max_positions
                ),
            });
        }
        if self.model.is_none() {
            return self.continuations_from_disk(windows, with_first);
        }
        self.reach(before + longest);
        let batches = match B::packs() {
            true => Batch::in_rows(windows, self.room(before, longest)?),
            false => Batch::split(windows, |tokens| self.together(before + tokens)),
        };
        let mut results = vec![Vec::new(); windows.len()];
        let mut limit = self.limit;
        if let Some(model) = &self.model {
            let resident = Resident {
                model,
                tables: &self.tables,
                device: &self.place.device,
                max_logits: self.max_scores,
            };
            for batch in &batches {
                scoring::score_continued(
                    &resident,
                    &self.cache,
                    batch,
                    with_first,
                    &mut limit,
                    &mut results,
                )?;
            }
        }
        self.limit = limit;
        Ok(results)
    }

    fn texts(&self, tokens: usize) -> usize {
        self.room_for_texts(tokens)
    }

    fn clear_texts(&mut self) {
        self.texts.clear();
    }

    fn add_text(&mut self, prompt: &[u32], base: usize) -> Result<Vec<f32>> {
        let base = base.min(prompt.len().saturating_sub(1));
        self.begin(&prompt[..base], base)?;
        let logits = self.advance(&prompt[base..])?;
        self.texts.push(self.cache.clone());
        Ok(logits)
    }

    fn advance_texts(&mut self, next: &[(usize, u32)]) -> Result<Vec<Vec<f32>>> {
        self.step(next)
    }

    fn description(&self) -> String {
        let from = match self.model {
            Some(_) => "",
            None => ", layers read from disk",
        };
        format!("{}, {}{from}", self.place.name, self.options.dtype)
    }

    fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }

    fn packs(&self) -> bool {
        B::packs() && self.model.is_some()
    }

    fn streamed(&self) -> bool {
        self.model.is_none()
    }

    fn blueprint(&self) -> &Blueprint {
        self.weights.blueprint()
    }
}
