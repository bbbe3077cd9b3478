//! The report as Markdown.

use std::fmt::Write;

use super::content::Report;
use crate::analysis::Answer;
use crate::dataset::{Dataset, Metric};

/// Headline, correlations, models, methods.
pub(super) fn text(report: &Report) -> String {
    let data = &report.study.data;
    let mut text = format!("# {}\n\n", data.title);
    // Writing to a string does not fail.
    if let Some(citation) = &data.citation {
        let _ = writeln!(text, "{citation}\n");
    }
    let _ = writeln!(
        text,
        "{} models, {} benchmarks, {} corpora. ![Score against compression](report.svg)\n",
        data.models.len(),
        data.benchmarks.len(),
        data.corpora.len()
    );
    for metric in Metric::ALL.into_iter().filter(|&metric| data.has(metric)) {
        let _ = writeln!(
            text,
            "## Scores and {}\n\n| scores | corpus | models | n | Pearson | 95 % interval | Spearman | Kendall | RMSE |\n|---|---|---|---:|---:|---|---:|---:|---:|",
            metric.title()
        );
        for answer in report.study.main_answers(metric) {
            row(report, answer, &mut text);
            if let Some(all) = report.study.over_all(answer) {
                row(report, all, &mut text);
            }
        }
        text.push('\n');
    }
    let _ = writeln!(text, "## Models\n");
    let _ = write!(text, "| model | kind | parameters |");
    for corpus in &data.corpora {
        let _ = write!(text, " {}: bits/character |", corpus.title);
    }
    for benchmark in &data.benchmarks {
        let _ = write!(text, " {} |", benchmark.title);
    }
    let columns = data.corpora.len() + data.benchmarks.len();
    let _ = writeln!(text, "\n|---|---|---:|{}", "---:|".repeat(columns));
    for (m, model) in data.models.iter().enumerate() {
        let parameters = model
            .parameters
            .map_or("–".into(), |count| format!("{count}"));
        let _ = write!(
            text,
            "| {} | {} | {parameters} |",
            model.title,
            model.kind.name()
        );
        for measure in &data.compression[m] {
            let figure = measure.and_then(|measure| measure.bits_per_character);
            let _ = write!(text, " {} |", cell(figure, 3));
        }
        for score in &data.scores[m] {
            let _ = write!(text, " {} |", cell(score.map(|s| 100.0 * s.value), 1));
        }
        text.push('\n');
    }
    sizes(data, &mut text);
    let _ = writeln!(text, "\n## Methods\n");
    for fact in data.methods.iter().chain(&report.statistics) {
        let _ = writeln!(text, "* **{}**: {}", fact.name, fact.value);
    }
    for note in &data.notes {
        let _ = writeln!(text, "* {note}");
    }
    text
}

/// Bits that were counted beside bytes that were written, of the same text.
fn sizes(data: &Dataset, text: &mut String) {
    if !data.has(Metric::Compressed) {
        return;
    }
    text.push_str(
        "\n## Bits and bytes\n\n| model | corpus | bytes of text | bits/character | bits/byte | bytes of the file | its bits/byte |\n\
         |---|---|---:|---:|---:|---:|---:|\n",
    );
    for (model, row) in data.models.iter().zip(&data.compression) {
        for (corpus, measure) in data.corpora.iter().zip(row) {
            let Some(measure) = measure else { continue };
            let (Some(bytes), Some(file)) = (measure.bytes, measure.compressed_bytes) else {
                continue;
            };
            let of = |metric: Metric| cell(metric.of(measure), 3);
            let _ = writeln!(
                text,
                "| {} | {} | {bytes} | {} | {} | {file} | {} |",
                model.title,
                corpus.title,
                of(Metric::BitsPerCharacter),
                of(Metric::BitsPerByte),
                of(Metric::Compressed)
            );
        }
    }
}

fn row(report: &Report, answer: &Answer, text: &mut String) {
    let value = |found: Option<f64>| cell(found, 3);
    let interval = answer
        .resampled
        .as_ref()
        .and_then(|r| r.pearson.as_ref().ok());
    let interval = interval.map_or("–".into(), |i| format!("{:.3} to {:.3}", i.low, i.high));
    let why = answer.pearson.as_ref().err().map(|why| format!(" ({why})"));
    let _ = writeln!(
        text,
        "| {} | {} | {} | {} | {}{} | {interval} | {} | {} | {} |",
        answer.question.target.title(&report.study.data),
        answer.question.corpora.join(" + "),
        answer.question.population.name(),
        answer.n,
        value(answer.pearson.as_ref().ok().map(|found| found.value)),
        why.unwrap_or_default(),
        value(answer.spearman.as_ref().ok().map(|found| found.value)),
        value(answer.kendall.as_ref().ok().map(|found| found.value)),
        value(answer.fit.as_ref().ok().map(|fit| fit.rmse)),
    );
}

fn cell(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "–".into(), |value| format!("{value:.digits$}"))
}
