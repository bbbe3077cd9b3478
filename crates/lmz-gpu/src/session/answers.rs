//! From the last layer's output to predictions, which are read back while the device goes on.

use cubecl::prelude::*;
use cubecl::server::Handle;
use lmz_exact::Query;

use super::read::{Read, What};
use super::state::{Session, cubes, units};
use crate::buffer::Buffer;
use crate::kernel::ends::{ANSWER_WORDS, SymbolScalars, SymbolScalarsLaunch, symbols};
use crate::kernel::reduce::UNITS;
use crate::launch::launch;
use crate::weights::softcap_numbers;

impl<R: Runtime> Session<R> {
    /// Final norm, head and predictions of the rows that are asked for.
    pub(super) fn answers(&self, queries: &[(usize, Query)], pending: bool) -> Vec<Read> {
        let Self { model, plan, .. } = self;
        let client = model.client;
        let mut reads = Vec::new();
        for batch in queries.chunks(plan.head_rows) {
            let rows: Vec<u32> = batch.iter().map(|(row, _)| *row as u32).collect();
            let which = Buffer::new(client, &rows);
            self.enter(
                &model.weights.norm,
                &model.weights.head,
                pending,
                &which,
                rows.len(),
                &self.head_a,
            );
            self.linear(&model.weights.head, &self.head_a, &self.logits, rows.len());
            let (what, handles) = match batch[0].1 {
                Query::Distribution => {
                    let outputs = self.logits.values.first(rows.len() * model.symbols);
                    let exponents = self.logits.exponents.first(rows.len());
                    (What::Logits, vec![outputs, exponents])
                }
                Query::Symbol(_) => (What::Answers, vec![self.symbols(batch, false)]),
                Query::Point(_) => (What::Answers, vec![self.symbols(batch, true)]),
            };
            reads.push(Read::new(client, handles, rows.len(), what));
        }
        reads
    }

    /// What is to be known of a symbol of each row of logits: of those asked for, or with `search` of those at the points.
    fn symbols(&self, batch: &[(usize, Query)], search: bool) -> Handle {
        let model = &self.model;
        let client = model.client;
        let asked: Vec<u32> = batch
            .iter()
            .map(|(_, query)| match *query {
                Query::Symbol(symbol) => symbol,
                Query::Point(point) => point,
                Query::Distribution => 0,
            })
            .collect();
        let softcap = model.rules.final_softcap;
        let (cap_inverse, cap) = softcap_numbers(softcap);
        let answers = Buffer::<u64>::room(client, batch.len() * ANSWER_WORDS);
        launch!(
            client, cubes(batch.len(), 1), units(), symbols::Symbols<R>,
            [
                self.logits.values, self.logits.exponents, Buffer::new(client, &asked),
                model.weights.sigmoid, answers,
            ],
            [
                SymbolScalars: SymbolScalarsLaunch::new(
                    model.symbols, model.symbols.div_ceil(UNITS as usize),
                    u64::from(model.escape_shift), cap_inverse, cap,
                ),
            ],
            [search, softcap.is_some()],
        );
        answers.handle()
    }
}
