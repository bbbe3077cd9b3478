//! The command line of a task.

use std::path::Path;

use super::plan::Plan;
use super::task::{Task, TaskKind};

/// The file in a compressing task's directory that is compressed.
pub(super) const TEXT: &str = "text";

/// The program and its arguments. `work` is where the task may write; `device` is what it runs on.
/// A merging task has its parts in `work`, numbered from 1.
pub(super) fn command(plan: &Plan, task: &Task, work: &Path, device: &str) -> Vec<String> {
    let config = &plan.config;
    let mut line = Line(vec![text(&plan.program())]);
    let model = config.models.iter().find(|model| model.name == task.model);
    let model = model.map_or(String::new(), |model| {
        let path = plan.directory.join(&model.path);
        if path.exists() {
            text(&path)
        } else {
            model.path.clone()
        }
    });
    let corpus = |name: &str| config.corpora.iter().find(|corpus| corpus.name == name);
    match &task.kind {
        TaskKind::Score {
            corpus: name,
            shard,
            shards,
        } => {
            line.word("bpc").option("--model", &model);
            if let Some(corpus) = corpus(name) {
                line.option("--corpus", &text(&plan.directory.join(&corpus.path)));
                line.maybe("--field", corpus.field.as_ref());
                line.maybe("--limit", corpus.limit.as_ref());
            }
            let protocol = &config.protocol;
            line.option("--protocol", &protocol.name);
            line.maybe("--window", protocol.window.as_ref());
            line.maybe("--stride", protocol.stride.as_ref());
            line.option("--dtype", &protocol.dtype)
                .option("--device", device);
            line.option("--out", &text(work)).word("--resume");
            if *shards > 1 {
                line.option("--shard", &format!("{shard}/{shards}"));
            }
            line.word("--json").word("--quiet");
        }
        TaskKind::Merge { .. } => {
            line.word("bpc").word("--merge");
            for part in 1..=task.needs.len() {
                line.word(&text(&work.join(part.to_string())));
            }
            line.option("--out", &text(work))
                .word("--json")
                .word("--quiet");
        }
        TaskKind::Compress { .. } => {
            line.option("--model", &model)
                .option("--mix", &config.compress.mix);
            if !config.compress.verify {
                line.word("--no-verify");
            }
            line.word("--stdout").word("--quiet").word("--");
            line.word(&text(&work.join(TEXT)));
        }
        TaskKind::Evaluate { benchmark: name } => {
            line.word("eval").option("--model", &model);
            if let Some(benchmark) = config.benchmarks.iter().find(|one| one.name == *name) {
                line.option("--task", &benchmark.task);
                if let Some(data) = &config.data {
                    line.option("--data", &text(&plan.directory.join(data)));
                }
                line.maybe("--shots", benchmark.shots.as_ref());
                line.maybe("--limit", benchmark.limit.as_ref());
                if let Some(k) = benchmark.min_k {
                    line.word(&format!("--min-k={k}"));
                }
            }
            line.option("--dtype", &config.protocol.dtype)
                .option("--device", device);
            line.word("--json").word("--quiet");
        }
    }
    line.0
}

struct Line(Vec<String>);

impl Line {
    fn word(&mut self, word: &str) -> &mut Self {
        self.0.push(word.into());
        self
    }

    fn option(&mut self, name: &str, value: &str) -> &mut Self {
        self.word(name).word(value)
    }

    fn maybe(&mut self, name: &str, value: Option<&impl ToString>) {
        if let Some(value) = value {
            self.option(name, &value.to_string());
        }
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
