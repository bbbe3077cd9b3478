//! Whether a task's parts fit each other.

use super::format::{Compare, LIKELIHOOD_METRICS, Output, Step, Task};
use crate::error::{EvalError, Result};
use crate::template::Templates;

/// Reads the text of a task's file.
///
/// # Errors
/// It is no TOML, has an unknown or missing field, or contradicts itself; with line or field.
pub fn parse(file: &str, text: &str) -> Result<Task> {
    let wrong = |reason: String| EvalError::Task {
        file: file.to_owned(),
        reason,
    };
    let task: Task = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
    check(&task).map_err(wrong)?;
    Ok(task)
}

fn check(task: &Task) -> std::result::Result<(), String> {
    let name = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    if task.name.is_empty() || !task.name.chars().all(name) {
        return Err(format!(
            "name = {:?}: letters, digits, _ and - only",
            task.name
        ));
    }
    if !task.source.iter().any(|source| source.split == "test") {
        return Err("source: none has split = \"test\"".into());
    }
    for source in &task.source {
        if source.file.is_none() {
            return Err(format!(
                "source.file of the split {} is missing",
                source.split
            ));
        }
    }
    let needs = |field: &Option<String>, name: &str| match field {
        Some(_) => Ok(()),
        None => Err(format!("prompt.{name} is missing, which this output needs")),
    };
    match task.output {
        Output::MultipleChoice => {
            needs(&task.prompt.choices, "choices")?;
            needs(&task.prompt.gold, "gold")?;
        }
        Output::Loglikelihood | Output::Rolling => needs(&task.prompt.target, "target")?,
        Output::Generate => {
            needs(&task.prompt.target, "target")?;
            let Some(generate) = &task.generate else {
                return Err("generate is missing, which this output needs".into());
            };
            if generate.max_tokens == 0 {
                return Err("generate.max_tokens must be at least 1".into());
            }
            if task.score.is_empty() {
                return Err("score is missing, which this output needs".into());
            }
        }
    }
    for metric in &task.metrics {
        if !LIKELIHOOD_METRICS.contains(&metric.as_str()) {
            return Err(format!(
                "metrics: {metric:?} is none of {}",
                LIKELIHOOD_METRICS.join(", ")
            ));
        }
    }
    let metrics = task
        .metrics
        .iter()
        .chain(task.score.iter().map(|score| &score.metric));
    let metrics: Vec<&String> = metrics.collect();
    if !metrics.contains(&&task.headline) {
        return Err(format!(
            "headline = {:?} is none of its metrics",
            task.headline
        ));
    }
    for score in &task.score {
        for pattern in patterns(score) {
            regex::Regex::new(pattern)
                .map_err(|error| format!("score.{}: {error}", score.metric))?;
        }
        let runs = matches!(score.compare, Compare::Passes | Compare::Prints);
        if runs && task.program.is_none() {
            return Err(format!(
                "score.{}: there is no program to run",
                score.metric
            ));
        }
    }
    if task.fewshot.count > 0 && task.fewshot.split.is_empty() && task.fewshot.example.is_empty() {
        return Err("fewshot: neither split nor example says where examples come from".into());
    }
    templates(task).map(drop)
}

/// Compiles all of a task's templates; expressions are tried as well.
///
/// # Errors
/// Which field is wrong, and why.
pub fn templates(task: &Task) -> std::result::Result<Templates, String> {
    let prompt = &task.prompt;
    let mut templates = vec![
        ("description", prompt.description.as_str()),
        ("context", prompt.context.as_str()),
    ];
    for (name, template) in [("shot", &prompt.shot), ("reference", &prompt.reference)] {
        templates.extend(template.as_deref().map(|template| (name, template)));
    }
    let own = [
        ("prompt.target", &prompt.target),
        ("prompt.choices", &prompt.choices),
        ("prompt.gold", &prompt.gold),
    ];
    let mut expressions: Vec<(String, &str)> = Vec::new();
    for (name, expression) in own {
        expressions.extend(expression.as_deref().map(|e| (name.to_owned(), e)));
    }
    if let Some(program) = &task.program {
        templates.push(("program", &program.source));
        expressions.extend(
            program
                .needs
                .as_deref()
                .map(|e| ("program.needs".to_owned(), e)),
        );
    }
    for source in &task.source {
        for (field, expression) in &source.fields {
            expressions.push((format!("source.fields.{field}"), expression));
        }
        expressions.extend(
            source
                .keep
                .as_deref()
                .map(|e| ("source.keep".to_owned(), e)),
        );
    }
    Templates::new(templates, &expressions)
}

fn patterns(score: &super::format::Score) -> impl Iterator<Item = &String> {
    let steps = score.extract.iter().filter_map(|step| match step {
        Step::Regex { pattern, .. } => Some(pattern),
        _ => None,
    });
    steps.chain(&score.remove)
}
