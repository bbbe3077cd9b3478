//! Text to tokens on disk.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use fastrand::Rng;
use rayon::prelude::*;

use super::facts::{Facts, file_name};
use crate::corpus::{Habits, Piece};
use crate::error::{Result, TrainError};
use crate::preset::Preset;
use crate::tokenizer::Tokenizer;

/// How many pieces are tokenised at once.
const TOGETHER: usize = 256;

/// Tokens on their way to disk.
pub(super) struct Writer<'a> {
    directory: &'a Path,
    tokenizer: &'a Tokenizer,
    preset: &'a Preset,
    seed: u64,
    /// Pieces so far.
    count: u64,
    files: BTreeMap<(bool, String), (usize, BufWriter<File>, Facts)>,
    waiting: Vec<Piece>,
    /// Whether what comes is held-out text.
    pub other: bool,
}

impl<'a> Writer<'a> {
    /// Of files in `directory`.
    pub fn new(
        directory: &'a Path,
        tokenizer: &'a Tokenizer,
        preset: &'a Preset,
        seed: u64,
    ) -> Self {
        Self {
            directory,
            tokenizer,
            preset,
            seed,
            count: 0,
            files: BTreeMap::new(),
            waiting: Vec::new(),
            other: false,
        }
    }

    pub fn add(&mut self, piece: Piece) -> Result<()> {
        self.waiting.push(piece);
        match self.waiting.len() < TOGETHER {
            true => Ok(()),
            false => self.flush(),
        }
    }

    pub fn flush(&mut self) -> Result<()> {
        let habits = Habits::new(self.preset);
        let pieces = std::mem::take(&mut self.waiting);
        let (first, seed, other, tokenizer) = (self.count, self.seed, self.other, self.tokenizer);
        self.count += pieces.len() as u64;
        let done: Vec<(String, usize, Vec<u16>)> = pieces
            .into_par_iter()
            .enumerate()
            .map(|(i, piece)| {
                let text = match String::from_utf8(piece.text) {
                    Ok(text) if !other => {
                        let number = (first + i as u64).wrapping_mul(0xd134_2543_de82_ef95);
                        let mut rng = Rng::with_seed(seed ^ number);
                        habits.vary(text, &piece.domain, &mut rng).into_bytes()
                    }
                    Ok(text) => text.into_bytes(),
                    Err(error) => error.into_bytes(),
                };
                (piece.domain, text.len(), tokenizer.encode(&text))
            })
            .collect();
        for (domain, bytes, tokens) in done {
            self.write(domain, bytes as u64, &tokens)?;
        }
        Ok(())
    }

    fn write(&mut self, domain: String, bytes: u64, tokens: &[u16]) -> Result<()> {
        let index = self.files.len();
        let path = self.directory.join(file_name(index));
        let key = (self.other, domain);
        if !self.files.contains_key(&key) {
            let file = File::create_new(&path).map_err(TrainError::write(&path))?;
            let facts = Facts {
                name: key.1.clone(),
                tokens: 0,
                held_out: 0,
                bytes: 0,
                other: key.0,
            };
            self.files
                .insert(key.clone(), (index, BufWriter::new(file), facts));
        }
        if let Some((index, file, facts)) = self.files.get_mut(&key) {
            let path = self.directory.join(file_name(*index));
            let ids: Vec<u8> = tokens.iter().flat_map(|id| id.to_le_bytes()).collect();
            file.write_all(&ids).map_err(TrainError::write(&path))?;
            facts.tokens += tokens.len() as u64;
            facts.bytes += bytes;
        }
        Ok(())
    }

    pub fn finish(self) -> Result<Vec<Facts>> {
        let mut all = Vec::new();
        for (index, mut file, facts) in self.files.into_values() {
            let path = self.directory.join(file_name(index));
            file.flush().map_err(TrainError::write(&path))?;
            all.push((index, facts));
        }
        all.sort_by_key(|(index, _)| *index);
        Ok(all.into_iter().map(|(_, facts)| facts).collect())
    }
}
