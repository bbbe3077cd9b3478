//! What the programs of a task's answers do.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::answer::Outcome;
use crate::error::{EvalError, Result};
use crate::prompt::Item;
use crate::record::{Answer, Answered, Progress};
use crate::sandbox::{Ended, Limits, Sandbox};
use crate::task::{Program, Task, templates};
use crate::template::Templates;

/// Runs the program of each answer, as many at a time as the machine has cores. None for a task without programs.
///
/// # Errors
/// There is no sandbox, or it does not start; `progress` stopped it.
pub fn outcomes(
    task: &Task,
    items: &[Item],
    answers: &[Answered],
    sandbox: Option<&Sandbox>,
    progress: &dyn Progress,
) -> Result<Option<Vec<Outcome>>> {
    let Some(program) = &task.program else {
        return Ok(None);
    };
    let Some(sandbox) = sandbox else {
        return Err(EvalError::Sandbox(format!(
            "{}: it runs programs that the model has written: --allow-code-execution allows it, in a sandbox",
            task.name
        )));
    };
    let templates = templates(task).map_err(|reason| EvalError::Task {
        file: task.name.clone(),
        reason,
    })?;
    let runner = Runner {
        program,
        templates: &templates,
        sandbox,
        modules: Mutex::new(BTreeMap::new()),
    };
    let mut jobs = Vec::with_capacity(items.len());
    for (item, answered) in items.iter().zip(answers) {
        jobs.push(runner.job(item, answered)?);
    }
    runner.all(&jobs, progress).map(Some)
}

/// A program, or why there is none.
enum Job {
    Source {
        source: String,
        /// The same without the answer.
        around: String,
        needs: Vec<String>,
    },
    Done(Outcome),
}

struct Runner<'a> {
    program: &'a Program,
    templates: &'a Templates,
    sandbox: &'a Sandbox,
    /// Modules that were asked for, and whether they are there.
    modules: Mutex<BTreeMap<String, bool>>,
}

impl Runner<'_> {
    fn job(&self, item: &Item, answered: &Answered) -> Result<Job> {
        let Answer::Text(written) = &answered.answer else {
            return Ok(Job::Done(Outcome::NotRun("there is no text".into())));
        };
        let wrong = |reason| EvalError::Data {
            file: "program".into(),
            record: item.index as u64 + 1,
            reason,
        };
        // A program cannot hold it, and Python refuses it.
        if written.text.contains('\0') {
            return Ok(Job::Done(Outcome::Failed("the text holds a byte 0".into())));
        }
        let document = &item.document;
        let source = self
            .templates
            .render_with("program", document, "completion", &written.text);
        let needs = match &self.program.needs {
            None => Vec::new(),
            Some(needs) => match self
                .templates
                .value("program.needs", needs, document)
                .map_err(wrong)?
            {
                Value::Array(all) => all
                    .iter()
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect(),
                _ => return Err(wrong("program.needs: no list".into())),
            },
        };
        let around = self
            .templates
            .render_with("program", document, "completion", "");
        Ok(Job::Source {
            source: source.map_err(wrong)?,
            around: around.map_err(wrong)?,
            needs,
        })
    }

    fn all(&self, jobs: &[Job], progress: &dyn Progress) -> Result<Vec<Outcome>> {
        let threads = std::thread::available_parallelism()
            .map_or(1, usize::from)
            .min(16);
        let next = AtomicUsize::new(0);
        let found: Vec<Mutex<Option<Result<Outcome>>>> =
            jobs.iter().map(|_| Mutex::new(None)).collect();
        let work = |stop: &dyn Fn() -> bool| {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(job) = jobs.get(number) else {
                    return;
                };
                if stop() {
                    return;
                }
                let outcome = self.one(job);
                if let Ok(mut place) = found[number].lock() {
                    *place = Some(outcome);
                }
            }
        };
        let stopped = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(|| work(&|| stopped.load(Ordering::Relaxed)));
            }
            // This thread may ask `progress`; the others hear of it.
            work(&|| {
                let cancelled = progress.cancelled();
                stopped.store(cancelled, Ordering::Relaxed);
                cancelled
            });
        });
        let each = found.into_iter().map(|place| {
            let place = place
                .into_inner()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            place.unwrap_or(Err(EvalError::Cancelled))
        });
        each.collect()
    }

    fn one(&self, job: &Job) -> Result<Outcome> {
        let (source, around, needs) = match job {
            Job::Done(outcome) => return Ok(outcome.clone()),
            Job::Source {
                source,
                around,
                needs,
            } => (source, around, needs),
        };
        for module in needs {
            if !self.has(module)? {
                return Ok(not_installed(module));
            }
        }
        let limits = Limits {
            time: Duration::from_secs(self.program.seconds.into()),
            ..Limits::default()
        };
        let ended: Ended = self.sandbox.run(source, limits)?;
        Ok(match ended.passed() {
            true => Outcome::Passed(ended.output),
            false => match missing(&ended.output, around) {
                Some(module) => not_installed(&module),
                None => Outcome::Failed(ended.reason()),
            },
        })
    }

    fn has(&self, module: &str) -> Result<bool> {
        let Ok(mut modules) = self.modules.lock() else {
            return self.sandbox.has(module);
        };
        if let Some(&there) = modules.get(module) {
            return Ok(there);
        }
        let there = self.sandbox.has(module)?;
        modules.insert(module.to_owned(), there);
        Ok(there)
    }
}

fn not_installed(module: &str) -> Outcome {
    Outcome::NotRun(format!("Python's module {module} is not installed"))
}

/// The module that a program did not find, if what stands around the answer imports it: that is not the answer's fault.
fn missing(output: &str, around: &str) -> Option<String> {
    let (_, name) = output.rsplit_once("ModuleNotFoundError: No module named '")?;
    let (name, _) = name.split_once('\'')?;
    let top = name.split('.').next().unwrap_or(name);
    let imports = around.lines().any(|line| {
        let line = line.trim_start();
        let imported = line
            .strip_prefix("import ")
            .or_else(|| line.strip_prefix("from "));
        imported.is_some_and(|rest| {
            rest.trim_start()
                .strip_prefix(top)
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        })
    });
    imports.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_that_is_missing_around_the_answer_is_not_its_fault() {
        let output = "Traceback\nModuleNotFoundError: No module named 'pandas.core'\n";
        let found = |around| missing(output, around);
        assert_eq!(found("  import pandas as pd\n"), Some("pandas.core".into()));
        assert_eq!(
            found("from pandas.core import x\n"),
            Some("pandas.core".into())
        );
        assert_eq!(found("import pandas2\n# import pandas\n"), None);
        assert_eq!(missing("AssertionError\n", "import pandas\n"), None);
    }
}
