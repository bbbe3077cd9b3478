//! A job of a HyperQueue server.
//!
//! The whole plan is one job definition file (HyperQueue's documentation, "Job Definition File"),
//! which `hq job submit-file` takes: dependencies between tasks are written in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::process::output;
use crate::config::Resources;
use crate::error::{Result, StudyError};
use crate::files;
use crate::tasks::{Plan, Store};

/// A job definition file.
#[derive(Serialize)]
struct JobFile {
    name: String,
    task: Vec<JobTask>,
}

#[derive(Serialize)]
struct JobTask {
    id: u32,
    command: Vec<String>,
    /// How often a worker may be lost under a task before it counts as failed.
    crash_limit: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deps: Vec<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_limit: Option<String>,
    request: [JobRequest; 1],
}

#[derive(Serialize)]
struct JobRequest {
    resources: BTreeMap<&'static str, u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_request: Option<String>,
}

/// The job definition file of what is not done, with the report as its last task; none if
/// everything is done. `program` is the `lmz` of the workers.
///
/// A task's memory is left to the server: its name there is the administrator's choice.
pub fn job_file(plan: &Plan, program: &Path) -> Option<String> {
    let store = Store::new(&plan.directory);
    let directory = std::path::absolute(&plan.directory);
    let directory = directory.unwrap_or_else(|_| plan.directory.clone());
    let directory = directory.to_string_lossy().into_owned();
    let program = program.to_string_lossy().into_owned();
    let command = |verb: &str, id: Option<&str>| {
        let mut command = vec![
            program.clone(),
            "study".into(),
            verb.into(),
            directory.clone(),
        ];
        command.extend(id.map(str::to_owned));
        command
    };
    let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
    let mut tasks = Vec::new();
    for task in &plan.tasks {
        if store.is_done(&task.id) || numbers.contains_key(task.id.as_str()) {
            continue;
        }
        let id = tasks.len() as u32;
        let needs = task.needs.iter();
        let deps = needs.filter_map(|need| numbers.get(need.as_str()).copied());
        tasks.push(JobTask {
            id,
            command: command("task", Some(&task.id)),
            crash_limit: 10,
            deps: deps.collect(),
            time_limit: duration(&task.resources),
            request: [request(&task.resources)],
        });
        numbers.insert(&task.id, id);
    }
    if tasks.is_empty() {
        return None;
    }
    let id = tasks.len() as u32;
    tasks.push(JobTask {
        id,
        command: command("report", None),
        crash_limit: 10,
        deps: (0..id).collect(),
        time_limit: None,
        request: [request(&Resources::default())],
    });
    let file = JobFile {
        name: "lmz-study".into(),
        task: tasks,
    };
    // Strings, numbers and lists have a form in TOML.
    toml::to_string(&file).ok()
}

fn request(resources: &Resources) -> JobRequest {
    let mut named = BTreeMap::from([("cpus", resources.cpus)]);
    if resources.gpus > 0 {
        named.insert("gpus/nvidia", resources.gpus);
    }
    JobRequest {
        resources: named,
        time_request: duration(resources),
    }
}

/// Slurm's time as HyperQueue writes it: seconds with their unit.
fn duration(resources: &Resources) -> Option<String> {
    let text = resources.time.as_deref()?;
    let (days, clock) = match text.split_once('-') {
        Some((days, clock)) => (days.parse::<u64>().ok()?, clock),
        None => (0, text),
    };
    let parts: Vec<u64> = clock
        .split(':')
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    let seconds = match (text.contains('-'), parts.as_slice()) {
        (false, [minutes]) => minutes * 60,
        (false, [minutes, seconds]) => minutes * 60 + seconds,
        (true, [hours]) => hours * 3600,
        (true, [hours, minutes]) => hours * 3600 + minutes * 60,
        (_, [hours, minutes, seconds]) => hours * 3600 + minutes * 60 + seconds,
        _ => return None,
    };
    Some(format!("{}s", days * 86_400 + seconds))
}

/// Submits a plan.
#[derive(Clone, Debug)]
pub struct HyperQueue<'a> {
    plan: &'a Plan,
    program: PathBuf,
}

impl<'a> HyperQueue<'a> {
    /// For a plan; `program` is the `lmz` of the workers.
    pub fn new(plan: &'a Plan, program: &Path) -> Self {
        Self {
            plan,
            program: program.to_owned(),
        }
    }

    /// Writes the job definition file, `hyperqueue/job.toml` in the study's directory; none if
    /// everything is done.
    ///
    /// # Errors
    /// The file system.
    pub fn write(&self) -> Result<Option<PathBuf>> {
        let Some(text) = job_file(self.plan, &self.program) else {
            return Ok(None);
        };
        let path = self.plan.directory.join("hyperqueue").join("job.toml");
        files::write(&path, text.as_bytes())?;
        Ok(Some(path))
    }

    /// Writes and submits it; gives what the server says, nothing if everything is done.
    ///
    /// # Errors
    /// The file system; `hq` is missing or refuses.
    pub fn submit(&self) -> Result<Option<String>> {
        let Some(path) = self.write()? else {
            return Ok(None);
        };
        let file = path.to_str().ok_or_else(|| StudyError::Executor {
            program: "hq".into(),
            reason: format!("{} is no UTF-8", path.display()),
        })?;
        let arguments = ["job", "submit-file", file].map(str::to_owned);
        output("hq", &arguments).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slurm_s_times() {
        let seconds = |time: &str| {
            duration(&Resources {
                time: Some(time.into()),
                ..Resources::default()
            })
        };
        for (time, expected) in [
            ("90", "5400s"),
            ("1:30", "90s"),
            ("2:00:00", "7200s"),
            ("1-12", "129600s"),
            ("1-0:30", "88200s"),
            ("1-0:00:01", "86401s"),
        ] {
            assert_eq!(seconds(time).as_deref(), Some(expected), "{time}");
        }
        assert_eq!(seconds("soon"), None);
        assert_eq!(duration(&Resources::default()), None);
    }
}
