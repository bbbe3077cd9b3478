//! Reading `study.toml`, and what it must be.

use std::collections::HashSet;
use std::path::Path;

use super::types::StudyConfig;
use crate::error::{Result, StudyError};

/// Name of the file in a study's directory.
pub const CONFIG_FILE: &str = "study.toml";
/// What `lmz study init` writes.
pub const TEMPLATE: &str = include_str!("../../assets/study.toml");

impl StudyConfig {
    /// Reads and checks the file of a study's directory.
    ///
    /// # Errors
    /// It cannot be read; it is no TOML, or has unknown, missing or contradictory entries.
    pub fn read(directory: &Path) -> Result<Self> {
        let path = directory.join(CONFIG_FILE);
        let text = std::fs::read_to_string(&path).map_err(StudyError::io(&path))?;
        Self::parse(&text).map_err(|reason| StudyError::Config { path, reason })
    }

    /// Parses and checks the text of the file.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> std::result::Result<(), String> {
        distinct("model", self.models.iter().map(|one| &one.name))?;
        distinct("corpus", self.corpora.iter().map(|one| &one.name))?;
        distinct("benchmark", self.benchmarks.iter().map(|one| &one.name))?;
        distinct("area", self.areas.iter().map(|one| &one.name))?;
        if !["paper", "document", "stream"].contains(&self.protocol.name.as_str()) {
            return Err(format!(
                "protocol {:?}: use paper, document or stream",
                self.protocol.name
            ));
        }
        if self.protocol.name == "stream" && self.protocol.stride.is_some() {
            return Err("protocol stream has no stride: leave it out".into());
        }
        if !["none", "auto"].contains(&self.compress.mix.as_str()) {
            return Err(format!(
                "compress: mix is {:?}; use none or auto",
                self.compress.mix
            ));
        }
        for corpus in &self.corpora {
            if corpus.shards == 0 || corpus.shards > 10_000 {
                return Err(format!(
                    "corpus {}: {} shards; use 1 to 10000",
                    corpus.name, corpus.shards
                ));
            }
        }
        for benchmark in &self.benchmarks {
            if benchmark.chance.is_some_and(|c| !(0.0..=1.0).contains(&c)) {
                return Err(format!(
                    "benchmark {}: chance is from 0 to 1",
                    benchmark.name
                ));
            }
            if benchmark.min_k.is_some_and(|k| !(k > 0.0 && k <= 100.0)) {
                return Err(format!(
                    "benchmark {}: min_k is percent, above 0 and up to 100",
                    benchmark.name
                ));
            }
        }
        for model in &self.models {
            if model.parameters.is_some_and(|p| !p.is_finite() || p <= 0.0) {
                return Err(format!(
                    "model {}: parameters is a positive number",
                    model.name
                ));
            }
        }
        for area in &self.areas {
            let known = |kind: &str, name: &str, there: bool| match there {
                true => Ok(()),
                false => Err(format!("area {}: no {kind} is called {name:?}", area.name)),
            };
            let corpus = self.corpora.iter().any(|one| one.name == area.corpus);
            known("corpus", &area.corpus, corpus)?;
            for name in &area.benchmarks {
                let there = self.benchmarks.iter().any(|one| one.name == *name);
                known("benchmark", name, there)?;
            }
            for out in &area.leave_out {
                let there = self.models.iter().any(|one| one.name == out.model);
                known("model", &out.model, there)?;
            }
        }
        if self.executor.jobs == 0 || self.executor.devices.is_empty() {
            return Err("executor: jobs is 1 at least, and devices names one at least".into());
        }
        Ok(())
    }
}

fn distinct<'a>(
    kind: &str,
    names: impl Iterator<Item = &'a String>,
) -> std::result::Result<(), String> {
    let mut seen = HashSet::new();
    for name in names {
        if name.is_empty() {
            return Err(format!("a {kind} has no name"));
        }
        if !seen.insert(name) {
            return Err(format!("two of [[{kind}]] are called {name:?}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_a_study() {
        let config = StudyConfig::parse(TEMPLATE).unwrap();
        assert_eq!((config.models.len(), config.areas.len()), (1, 1));
        // What is commented out is valid, too.
        let all: String = TEMPLATE
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.contains(" = ") => format!("{rest}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let config = StudyConfig::parse(&all).unwrap();
        assert_eq!(config.corpora[0].shards, 8);
        assert_eq!(config.executor.slurm.max_running, Some(64));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |from: &str, to: &str| {
            let text = TEMPLATE.replacen(from, to, 1);
            assert_ne!(text, TEMPLATE, "{from}");
            StudyConfig::parse(&text).unwrap_err()
        };
        assert!(
            wrong("corpus = \"web\"", "corpus = \"wed\"").contains("no corpus is called \"wed\"")
        );
        assert!(wrong("stride = 512", "strides = 512").contains("strides"));
        assert!(wrong("\"paper\"", "\"papers\"").contains("paper, document or stream"));
        assert!(wrong("chance = 0.25", "chance = 25").contains("0 to 1"));
        assert!(wrong("mix = \"none\"", "mix = \"all\"").contains("none or auto"));
        assert!(wrong("jobs = 1", "jobs = 0").contains("jobs"));
        let twice = "[[model]]\nname = \"small\"\npath = \"x\"\n[[corpus]]";
        assert!(wrong("[[corpus]]", twice).contains("two of [[model]]"));
    }
}
