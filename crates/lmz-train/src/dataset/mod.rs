//! A corpus as tokens on disk, a file for each domain, and the batches drawn from it.

mod checks;
mod facts;
mod writer;

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use fastrand::Rng;
use lmz_corpus::Skipped;

use crate::corpus::Corpus;
use crate::error::{Result, TrainError};
use crate::files;
use crate::preset::Preset;
use crate::tokenizer::Tokenizer;
use facts::{Facts, file_name};
use writer::Writer;

/// What is kept for validation of each domain, unless there is held-out text: this many tokens, or
/// a twentieth.
const TAIL: u64 = 250_000;

/// A corpus as tokens on disk, a file for each domain.
pub(crate) struct Dataset {
    pub domains: Vec<Domain>,
}

/// One domain: what is known of its file, and the file.
pub(crate) struct Domain {
    pub facts: Facts,
    file: Mutex<File>,
    path: PathBuf,
}

/// Rows of `[start, text from anywhere]`: what the codec feeds at the start of a block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Token ids `[rows, context]`.
    pub inputs: Vec<i32>,
    /// For each input the token that follows, `[rows, context]`.
    pub targets: Vec<u32>,
}

impl Dataset {
    /// Tokenises a corpus, and text that is held out, into the new directory `directory`; returns
    /// what of both was left out.
    pub fn make(
        directory: &Path,
        corpus: &Corpus,
        held_out: Option<&Corpus>,
        tokenizer: &Tokenizer,
        preset: &Preset,
        seed: u64,
        watch: &mut dyn FnMut(u64) -> Result<()>,
    ) -> Result<[Skipped; 2]> {
        let parent = directory.parent().unwrap_or(Path::new("."));
        // It gets its name when it is complete.
        let temporary = tempfile::Builder::new()
            .prefix(".lmz-train-")
            .tempdir_in(parent)
            .map_err(TrainError::write(directory))?;
        let mut writer = Writer::new(temporary.path(), tokenizer, preset, seed);
        let mut read = 0;
        let skipped = corpus.pieces(&mut |piece| {
            read += piece.text.len() as u64;
            watch(read)?;
            writer.add(piece)
        })?;
        writer.flush()?;
        writer.other = true;
        let mut skipped_of_held_out = Skipped::default();
        if let Some(held_out) = held_out {
            skipped_of_held_out = held_out.pieces(&mut |piece| writer.add(piece))?;
            writer.flush()?;
        }
        let mut all = writer.finish()?;
        for facts in all
            .iter_mut()
            .filter(|facts| !facts.other && held_out.is_none())
        {
            facts.held_out = TAIL.min(facts.tokens / 20);
        }
        let json = serde_json::to_vec_pretty(&all).unwrap_or_default();
        files::replace_bytes(&temporary.path().join("data.json"), &json)?;
        checks::write(temporary.path(), &tokenizer.json)?;
        let kept = temporary.keep();
        fs::rename(kept, directory).map_err(TrainError::write(directory))?;
        Ok([skipped, skipped_of_held_out])
    }

    /// Opens what [`make`](Self::make) left, with the `tokenizer.json` that it was made with.
    pub fn open(directory: &Path, tokenizer: &[u8]) -> Result<Self> {
        checks::check(directory, tokenizer)?;
        let path = directory.join("data.json");
        let json = fs::read(&path).map_err(TrainError::read(&path))?;
        let damaged = |path: &Path, reason: String| TrainError::State {
            path: path.to_owned(),
            reason,
        };
        let all: Vec<Facts> =
            serde_json::from_slice(&json).map_err(|error| damaged(&path, error.to_string()))?;
        let open = |(index, facts): (usize, Facts)| {
            let path = directory.join(file_name(index));
            let file = File::open(&path).map_err(TrainError::read(&path))?;
            let length = file.metadata().map_err(TrainError::read(&path))?.len();
            if Some(length) != facts.tokens.checked_mul(2) || facts.held_out > facts.tokens {
                return Err(damaged(&path, "its length is wrong".into()));
            }
            Ok(Domain {
                facts,
                file: Mutex::new(file),
                path,
            })
        };
        let domains = all
            .into_iter()
            .enumerate()
            .map(open)
            .collect::<Result<_>>()?;
        Ok(Self { domains })
    }

    /// The domains to train on, with their shares; refuses text that is too little.
    pub fn shares(&self, weights: &[(String, f64)], context: usize) -> Result<Vec<(&Domain, f64)>> {
        let ours: Vec<&Domain> = self.domains.iter().filter(|d| !d.facts.other).collect();
        let names: Vec<&str> = ours.iter().map(|d| d.facts.name.as_str()).collect();
        if let Some((name, _)) = weights.iter().find(|(name, _)| !names.contains(&&**name)) {
            let reason = format!(
                "there is no domain {name:?}; there are {}",
                names.join(", ")
            );
            return Err(TrainError::setting("weights", reason));
        }
        let mut shares = Vec::new();
        for domain in ours {
            let facts = &domain.facts;
            let weight = match weights.iter().find(|(name, _)| *name == facts.name) {
                Some((_, weight)) => *weight,
                None if weights.is_empty() => facts.trained() as f64,
                None => {
                    let reason = format!("{} has none (0 leaves it out)", facts.name);
                    return Err(TrainError::setting("weights", reason));
                }
            };
            // A domain is either worth a context, or so small that it may be passed over.
            let needed = context as u64 + 1;
            if weight > 0.0 && facts.trained() >= needed {
                shares.push((domain, weight));
            } else if weight > 0.0 && !weights.is_empty() {
                return Err(TrainError::Tiny {
                    what: facts.name.clone(),
                    found: facts.trained(),
                    needed,
                });
            }
        }
        let sum: f64 = shares.iter().map(|(_, weight)| weight).sum();
        if shares.is_empty() {
            return Err(TrainError::Tiny {
                what: "the corpus".into(),
                found: self.domains.iter().map(|d| d.facts.trained()).sum(),
                needed: context as u64 + 1,
            });
        }
        shares.iter_mut().for_each(|(_, weight)| *weight /= sum);
        Ok(shares)
    }

    /// Rows of held-out text, spread evenly: about `rows` of at most `context` tokens. Each comes
    /// with its domain's name.
    pub fn validation(
        &self,
        rows: usize,
        context: usize,
        start: u32,
    ) -> Result<Vec<(&str, Batch)>> {
        let held_out = self.domains.iter().filter(|d| d.facts.validation() > 1);
        let domains: Vec<&Domain> = held_out.collect();
        let each = (rows / domains.len().max(1)).max(1) as u64;
        let mut all = Vec::new();
        for domain in domains {
            let size = domain.facts.validation().min(context as u64);
            let room = domain.facts.validation() - size;
            let first = domain.facts.tokens - domain.facts.validation();
            let count = each.min(domain.facts.validation() / size);
            for i in 0..count {
                let at = first + room * i / (count - 1).max(1);
                let mut batch = Batch::default();
                batch.row(&domain.read(at, size as usize)?, start);
                all.push((domain.facts.name.as_str(), batch));
            }
        }
        Ok(all)
    }
}

impl Domain {
    fn read(&self, first: u64, count: usize) -> Result<Vec<u16>> {
        let mut bytes = vec![0; 2 * count];
        // A poisoned lock guards nothing but a position, which is set here.
        let mut file = self
            .file
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        file.seek(SeekFrom::Start(2 * first))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(TrainError::read(&self.path))?;
        let pairs = bytes.as_chunks::<2>().0.iter();
        Ok(pairs.map(|&pair| u16::from_le_bytes(pair)).collect())
    }
}

impl Batch {
    /// The batch of a step: it depends on the seed and the step alone, so that a resumed run sees
    /// what an unbroken one would.
    pub fn draw(
        shares: &[(&Domain, f64)],
        rows: usize,
        context: usize,
        start: u32,
        [seed, step]: [u64; 2],
    ) -> Result<Self> {
        let mut rng = Rng::with_seed(seed ^ (step + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut batch = Self::default();
        for _ in 0..rows {
            let mut at = rng.f64();
            let chosen = shares.iter().find(|(_, share)| {
                at -= share;
                at < 0.0
            });
            // Shares add up to 1 but for rounding.
            let Some((domain, _)) = chosen.or(shares.last()) else {
                break;
            };
            let first = rng.u64(0..=domain.facts.trained() - context as u64);
            batch.row(&domain.read(first, context)?, start);
        }
        Ok(batch)
    }

    fn row(&mut self, tokens: &[u16], start: u32) {
        self.inputs.push(start as i32);
        let before = &tokens[..tokens.len().saturating_sub(1)];
        self.inputs.extend(before.iter().map(|&id| i32::from(id)));
        self.targets.extend(tokens.iter().map(|&id| u32::from(id)));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    use super::*;

    /// Domains whose files hold these tokens.
    fn dataset(domains: &[(&str, Vec<u16>, u64, bool)]) -> (tempfile::TempDir, Dataset) {
        let directory = tempfile::tempdir().unwrap();
        let mut all = Vec::new();
        for (index, (name, tokens, held_out, other)) in domains.iter().enumerate() {
            let bytes: Vec<u8> = tokens.iter().flat_map(|id| id.to_le_bytes()).collect();
            fs::write(directory.path().join(file_name(index)), &bytes).unwrap();
            all.push(Facts {
                name: (*name).into(),
                tokens: tokens.len() as u64,
                held_out: *held_out,
                bytes: bytes.len() as u64,
                other: *other,
            });
        }
        let json = serde_json::to_vec(&all).unwrap();
        fs::write(directory.path().join("data.json"), json).unwrap();
        checks::write(directory.path(), b"").unwrap();
        let dataset = Dataset::open(directory.path(), b"").unwrap();
        (directory, dataset)
    }

    proptest! {
        #[test]
        fn rows_are_packed_from_text_in_a_row_and_never_held_out(seed: u64, step in 0_u64..1000, length in 40_u16..200) {
            let tokens: Vec<u16> = (1..=length).collect();
            let held_out = u64::from(length) / 4;
            let (_directory, dataset) = dataset(&[("a", tokens, held_out, false)]);
            let shares = dataset.shares(&[], 16).unwrap();
            let batch = Batch::draw(&shares, 3, 16, 0, [seed, step]).unwrap();
            prop_assert_eq!(&batch, &Batch::draw(&shares, 3, 16, 0, [seed, step]).unwrap());
            prop_assert_eq!((batch.inputs.len(), batch.targets.len()), (48, 48));
            for (inputs, targets) in batch.inputs.chunks(16).zip(batch.targets.chunks(16)) {
                prop_assert_eq!(inputs[0], 0);
                prop_assert!(inputs[1..].iter().zip(targets).all(|(&i, &t)| i as u32 == t));
                prop_assert!(targets.windows(2).all(|pair| pair[0] + 1 == pair[1]));
                prop_assert!(u64::from(targets[15]) <= u64::from(length) - held_out);
            }
        }
    }

    #[test]
    fn weights_decide_how_often_a_domain_comes() {
        let (_directory, dataset) = dataset(&[
            ("a", vec![1; 500], 0, false),
            ("b", vec![2; 100], 0, false),
            ("c", vec![3; 400], 400, true),
        ]);
        let count = |weights: &[(String, f64)]| {
            let shares = dataset.shares(weights, 10).unwrap();
            let batch = Batch::draw(&shares, 3000, 10, 0, [1, 2]).unwrap();
            let count = |id| batch.targets.iter().filter(|&&target| target == id).count();
            (count(1) as f64 / 30_000.0, count(3))
        };
        assert!((count(&[]).0 - 5.0 / 6.0).abs() < 0.03);
        let weights = [("a".to_string(), 1.0), ("b".to_string(), 3.0)];
        assert!((count(&weights).0 - 0.25).abs() < 0.03);
        assert_eq!(count(&weights).1, 0, "held-out text is never drawn");
        let refuse = |weights: &[(&str, f64)]| {
            let weights: Vec<_> = weights.iter().map(|(d, w)| (d.to_string(), *w)).collect();
            dataset.shares(&weights, 10).err().unwrap().to_string()
        };
        assert!(refuse(&[("a", 1.0)]).contains("b has none"));
        assert!(refuse(&[("x", 1.0)]).contains("there are a, b"));
        assert!(refuse(&[("a", 0.0), ("b", 0.0)]).contains("at least"));
    }

    #[test]
    fn validation_takes_the_held_out_end_only() {
        let tokens: Vec<u16> = (0..1000).collect();
        let (_directory, dataset) = dataset(&[("a", tokens, 100, false)]);
        let rows = dataset.validation(4, 25, 7).unwrap();
        assert_eq!(rows.len(), 4);
        for (_, batch) in &rows {
            assert_eq!(batch.inputs[0], 7);
            assert!(batch.targets.iter().all(|&id| id >= 900));
        }
        assert_eq!(rows[0].1.targets[0], 900);
        assert_eq!(rows[3].1.targets[24], 999);
    }
}
