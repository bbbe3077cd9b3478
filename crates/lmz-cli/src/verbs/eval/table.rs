//! Results as tables.

use std::fmt::Write as _;

use lmz::eval::compare::Difference;
use lmz::eval::contamination::Contamination;
use lmz::eval::metric::Figure;
use lmz::eval::report::Report;

/// A line for each metric of each task; the headline is marked.
pub fn results(reports: &[Report]) -> String {
    let mut text = String::new();
    if let Some(first) = reports.first() {
        let engine = first.engine.as_ref();
        let engine = engine.map_or(String::new(), |engine| {
            format!(" ({}, {})", engine.device, engine.dtype)
        });
        let _ = writeln!(text, "{}{engine}", first.model.name);
    }
    let _ = writeln!(
        text,
        "{:<16} {:>5} {:>6}  {:<24} {:>8} {:>8}  {:<17}",
        "task", "shots", "items", "metric", "value", "stderr", "95 %"
    );
    for report in reports {
        for figure in report.metrics.iter().chain(&report.measures) {
            let mark = if figure.name == report.task.headline {
                "*"
            } else {
                ""
            };
            let _ = writeln!(
                text,
                "{:<16} {:>5} {:>6}  {:<24} {} {}  {:<17}",
                report.task.name,
                report.task.shots,
                figure.n,
                format!("{}{mark}", figure.name),
                number(figure, Some(figure.value)),
                number(figure, figure.stderr),
                interval(figure)
            );
        }
    }
    for report in reports {
        for one in &report.min_k {
            let _ = writeln!(
                text,
                "{}: MIN-{}% is {:.3} on {} ({} texts)",
                report.task.name, one.k, one.score, one.split, one.n
            );
        }
    }
    for report in reports {
        for note in &report.notes {
            let _ = writeln!(text, "{}: {note}", report.task.name);
        }
    }
    text
}

fn is_percent(figure: &Figure) -> bool {
    !figure.name.contains("perplexity") && figure.name != "bits_per_byte"
}

fn number(figure: &Figure, value: Option<f64>) -> String {
    match value {
        None => format!("{:>8}", "-"),
        Some(value) if is_percent(figure) => format!("{:>6.2} %", 100.0 * value),
        Some(value) => format!("{value:>8.3}"),
    }
}

fn interval(figure: &Figure) -> String {
    match &figure.interval {
        None => String::new(),
        Some(interval) if is_percent(figure) => {
            format!(
                "{:.2} .. {:.2}",
                100.0 * interval.low,
                100.0 * interval.high
            )
        }
        Some(interval) => format!("{:.3} .. {:.3}", interval.low, interval.high),
    }
}

/// A line for each metric that two runs have in common.
pub fn differences(differences: &[Difference]) -> String {
    let mut text = format!(
        "{:<16} {:<24} {:>8} {:>8} {:>8} {:>8}  {:<17} {:>8}\n",
        "task", "metric", "A", "B", "B - A", "stderr", "95 %", "p"
    );
    for one in differences {
        let percent = |value: f64| format!("{:>8.2}", 100.0 * value);
        let interval = one.interval.map_or(String::new(), |[low, high]| {
            format!("{:+.2} .. {:+.2}", 100.0 * low, 100.0 * high)
        });
        let _ = writeln!(
            text,
            "{:<16} {:<24} {} {} {:>+8.2} {}  {interval:<17} {}",
            one.task,
            one.metric,
            percent(one.values[0]),
            percent(one.values[1]),
            100.0 * one.difference,
            one.stderr.map_or(format!("{:>8}", "-"), percent),
            one.p.map_or(format!("{:>8}", "-"), |p| format!("{p:>8.4}")),
        );
    }
    let mut warnings: Vec<String> = Vec::new();
    for one in differences {
        for warning in &one.warnings {
            let line = format!("{}: {warning}", one.task);
            if !warnings.contains(&line) {
                warnings.push(line);
            }
        }
    }
    if differences.iter().any(|one| !one.paired) {
        warnings.push(
            "without samples of both runs (--log-samples) values are compared as independent"
                .into(),
        );
    }
    for warning in warnings {
        let _ = writeln!(text, "{warning}");
    }
    text
}

/// A line for each split, then the flags.
pub fn contamination(found: &Contamination) -> String {
    let mut text = format!(
        "{}\n{:<16} {:<8} {:>7} {:>9} {:>8} {:>8} {:>8}\n",
        found.model.name, "task", "split", "texts", "MIN-K%", "stderr", "5 %", "95 %"
    );
    for split in &found.splits {
        let stderr = split
            .stderr
            .map_or("-".into(), |stderr| format!("{stderr:.3}"));
        let [low, .., high] = split.percentiles;
        let _ = writeln!(
            text,
            "{:<16} {:<8} {:>7} {:>9.3} {stderr:>8} {low:>8.3} {high:>8.3}",
            split.task, split.split, split.n, split.score
        );
    }
    for flag in &found.flags {
        let _ = writeln!(text, "flag: {}, {}: {}", flag.task, flag.split, flag.rule);
    }
    for note in &found.notes {
        let _ = writeln!(text, "{note}");
    }
    text
}
