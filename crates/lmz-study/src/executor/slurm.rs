//! Array jobs of a Slurm cluster.
//!
//! Tasks of the same needs and resources are an array, or several where the cluster's
//! `MaxArraySize` asks for it. Each array element is `lmz study task DIR ID`, may be requeued, and
//! finds what an earlier attempt left. Merging waits for the shards (`afterany`: a task that failed
//! is reported by whoever needs it), the report for everything.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::process::{output, quoted};
use crate::config::{Resources, SlurmConfig};
use crate::error::{Result, StudyError};
use crate::files;
use crate::tasks::{Plan, Store, Task};

/// `MaxArraySize` where the cluster does not say: Slurm's default.
const MAX_ARRAY: u32 = 1001;
/// Where scripts, lists, logs and the record of jobs are, in a study's directory.
const FOLDER: &str = "slurm";

/// An array job that was submitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlurmJob {
    /// Its number.
    pub job: String,
    /// The tasks of its elements, from element 0; empty for the report.
    pub tasks: Vec<String>,
}

/// A script that is to be submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// File name of the script.
    pub name: String,
    /// The script.
    pub script: String,
    /// The tasks of the array's elements; empty for the report.
    pub tasks: Vec<String>,
    /// Places of submissions that must have ended.
    pub after: Vec<usize>,
}

/// What was submitted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitted {
    /// The jobs, in the order of submission.
    pub jobs: Vec<SlurmJob>,
}

/// What the scheduler says of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SlurmState {
    /// `PENDING`, `RUNNING`, `FAILED` and so on.
    pub state: String,
    /// The node, or why it waits.
    pub where_or_why: String,
}

/// Submits a plan.
#[derive(Clone, Debug)]
pub struct Slurm<'a> {
    plan: &'a Plan,
    /// What runs `study task` and `study report` on the nodes.
    program: PathBuf,
}

impl<'a> Slurm<'a> {
    /// For a plan; `program` is the `lmz` of the nodes.
    pub fn new(plan: &'a Plan, program: &Path) -> Self {
        Self {
            plan,
            program: program.to_owned(),
        }
    }

    fn config(&self) -> &SlurmConfig {
        &self.plan.config.executor.slurm
    }

    /// The scripts for all tasks that are not done, and for the report; arrays of `max_array`
    /// elements at most. Empty if everything is done.
    pub fn submissions(&self, max_array: u32) -> Vec<Submission> {
        let store = Store::new(&self.plan.directory);
        // By stage and resources; a task that two models share once.
        let mut groups: BTreeMap<(bool, &Resources), Vec<&Task>> = BTreeMap::new();
        let mut seen = Vec::new();
        for task in &self.plan.tasks {
            if store.is_done(&task.id) || seen.contains(&&task.id) {
                continue;
            }
            seen.push(&task.id);
            let group = (!task.needs.is_empty(), &task.resources);
            groups.entry(group).or_default().push(task);
        }
        let mut all: Vec<Submission> = Vec::new();
        let mut first_stage = Vec::new();
        for ((second, resources), tasks) in groups {
            // Indices run from 0 to MaxArraySize - 1.
            for tasks in tasks.chunks(max_array.max(1) as usize) {
                let number = all.len() + 1;
                let after = if second {
                    first_stage.clone()
                } else {
                    Vec::new()
                };
                if !second {
                    first_stage.push(all.len());
                }
                all.push(self.array(number, resources, tasks, after));
            }
        }
        if !all.is_empty() {
            all.push(self.report((0..all.len()).collect()));
        }
        all
    }

    fn directory(&self) -> String {
        // Nodes start elsewhere.
        let path = std::path::absolute(&self.plan.directory);
        let path = path.unwrap_or_else(|_| self.plan.directory.clone());
        path.to_string_lossy().into_owned()
    }

    fn head(&self, name: &str, resources: &Resources, log: &str) -> String {
        let folder = Path::new(&self.directory()).join(FOLDER);
        let mut lines = vec!["#!/bin/sh".to_owned()];
        let mut option = |text: String| lines.push(format!("#SBATCH {text}"));
        option(format!("--job-name=lmz-study-{name}"));
        option(format!("--output={}", quoted_option(&folder.join(log))));
        option("--requeue".into());
        option("--open-mode=append".into());
        option("--ntasks=1".into());
        option(format!("--cpus-per-task={}", resources.cpus));
        if let Some(memory) = &resources.memory {
            option(format!("--mem={memory}"));
        }
        if resources.gpus > 0 {
            option(format!("--gres=gpu:{}", resources.gpus));
        }
        if let Some(time) = &resources.time {
            option(format!("--time={time}"));
        }
        if let Some(partition) = &self.config().partition {
            option(format!("--partition={partition}"));
        }
        if let Some(account) = &self.config().account {
            option(format!("--account={account}"));
        }
        for extra in &self.config().extra {
            option(extra.clone());
        }
        lines.join("\n")
    }

    fn array(
        &self,
        number: usize,
        resources: &Resources,
        tasks: &[&Task],
        after: Vec<usize>,
    ) -> Submission {
        let name = format!("array-{number}.sh");
        let mut range = format!("0-{}", tasks.len() - 1);
        if let Some(most) = self.config().max_running {
            range = format!("{range}%{most}");
        }
        let folder = Path::new(&self.directory()).join(FOLDER);
        let list = folder.join(format!("array-{number}.txt"));
        let script = format!(
            "{head}\n#SBATCH --array={range}\n\n\
             # Element N does the task of line N + 1.\n\
             id=$(sed -n \"$((SLURM_ARRAY_TASK_ID + 1))p\" {list}) || exit\n\
             exec {program} study task {directory} \"$id\"\n",
            head = self.head(&number.to_string(), resources, "%A_%a.log"),
            list = quoted(&list.to_string_lossy()),
            program = quoted(&self.program.to_string_lossy()),
            directory = quoted(&self.directory()),
        );
        Submission {
            name,
            script,
            tasks: tasks.iter().map(|task| task.id.clone()).collect(),
            after,
        }
    }

    fn report(&self, after: Vec<usize>) -> Submission {
        let resources = Resources {
            time: self.plan.config.executor.resources.time.clone(),
            ..Resources::default()
        };
        let script = format!(
            "{head}\n\nexec {program} study report {directory}\n",
            head = self.head("report", &resources, "%j.log"),
            program = quoted(&self.program.to_string_lossy()),
            directory = quoted(&self.directory()),
        );
        Submission {
            name: "report.sh".into(),
            script,
            tasks: Vec::new(),
            after,
        }
    }

    /// Largest array that the cluster takes.
    ///
    /// # Errors
    /// `scontrol` is missing or fails.
    pub fn max_array(&self) -> Result<u32> {
        if let Some(most) = self.config().max_array_size {
            return Ok(most);
        }
        let text = output("scontrol", &["show".into(), "config".into()])?;
        let line = text.lines().find(|line| line.starts_with("MaxArraySize"));
        let value = line.and_then(|line| line.split_once('=')?.1.trim().parse().ok());
        Ok(value.unwrap_or(MAX_ARRAY))
    }

    /// Writes the scripts, submits them, and remembers the jobs.
    ///
    /// # Errors
    /// The file system; `sbatch` is missing or refuses.
    pub fn submit(&self) -> Result<Submitted> {
        let folder = self.plan.directory.join(FOLDER);
        let mut submitted = Submitted::default();
        for submission in self.submissions(self.max_array()?) {
            let script = folder.join(&submission.name);
            files::write(&script, submission.script.as_bytes())?;
            if !submission.tasks.is_empty() {
                let list = format!("{}\n", submission.tasks.join("\n"));
                files::write(&script.with_extension("txt"), list.as_bytes())?;
            }
            let mut arguments = vec!["--parsable".to_owned()];
            if !submission.after.is_empty() {
                let jobs = submission.after.iter();
                let jobs: Vec<&str> = jobs.map(|&i| submitted.jobs[i].job.as_str()).collect();
                arguments.push(format!("--dependency=afterany:{}", jobs.join(":")));
            }
            arguments.push(script.to_string_lossy().into_owned());
            // With several clusters: "number;cluster".
            let answer = output("sbatch", &arguments)?;
            let job = answer
                .trim()
                .split(';')
                .next()
                .unwrap_or_default()
                .to_owned();
            submitted.jobs.push(SlurmJob {
                job,
                tasks: submission.tasks,
            });
            // After each one: what is submitted is known even if the next is refused.
            self.remember(&submitted)?;
        }
        Ok(submitted)
    }

    fn record(&self) -> PathBuf {
        self.plan.directory.join(FOLDER).join("jobs.json")
    }

    fn remember(&self, submitted: &Submitted) -> Result<()> {
        let path = self.record();
        let text = serde_json::to_string_pretty(submitted)
            .map_err(|error| StudyError::io(&path)(error.into()))?;
        files::write(&path, format!("{text}\n").as_bytes())
    }

    /// The jobs of the last submission; none if there was none.
    pub fn submitted(&self) -> Option<Submitted> {
        let text = std::fs::read_to_string(self.record()).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// What the scheduler says of the tasks of the last submission, by the task's name: of those
    /// in the queue by `squeue`, of the others by `sacct` where the cluster keeps accounts.
    ///
    /// # Errors
    /// `squeue` is missing or fails.
    pub fn states(&self) -> Result<BTreeMap<String, SlurmState>> {
        let submitted = self.submitted().unwrap_or_default();
        let jobs: Vec<&str> = submitted.jobs.iter().map(|job| job.job.as_str()).collect();
        if jobs.is_empty() {
            return Ok(BTreeMap::new());
        }
        let list = jobs.join(",");
        let mut states = BTreeMap::new();
        // Accounts are optional: without them what has left the queue is known by its result.
        let accounts = ["-n", "-P", "-X", "-o", "JobID,State,NodeList", "-j", &list];
        if let Ok(text) = output("sacct", &accounts.map(str::to_owned)) {
            read_states(&text, &submitted, &mut states);
        }
        // Job numbers that have left the queue are an error to squeue; all of the user's are not.
        let queue = ["-h", "-r", "-o", "%i|%T|%R", "--me"];
        let text = output("squeue", &queue.map(str::to_owned))?;
        read_states(&text, &submitted, &mut states);
        Ok(states)
    }
}

/// An option of `#SBATCH`, which no shell reads: quoted if it has a space.
fn quoted_option(path: &Path) -> String {
    let text = path.to_string_lossy();
    match text.contains(char::is_whitespace) {
        true => format!("\"{text}\""),
        false => text.into_owned(),
    }
}

/// Lines of `JOB_ELEMENT|STATE|PLACE`.
fn read_states(text: &str, submitted: &Submitted, states: &mut BTreeMap<String, SlurmState>) {
    for line in text.lines() {
        let mut fields = line.split('|');
        let (Some(id), Some(state)) = (fields.next(), fields.next()) else {
            continue;
        };
        let Some((job, element)) = id.trim().split_once('_') else {
            continue;
        };
        let job = submitted.jobs.iter().find(|one| one.job == job);
        let element = element.parse::<usize>().ok();
        if let Some(task) = job.zip(element).and_then(|(job, i)| job.tasks.get(i)) {
            let state = SlurmState {
                // "CANCELLED by 1000".
                state: state.split(' ').next().unwrap_or_default().into(),
                where_or_why: fields.next().unwrap_or_default().into(),
            };
            states.insert(task.clone(), state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read_by_element() {
        let submitted = Submitted {
            jobs: vec![
                SlurmJob {
                    job: "7".into(),
                    tasks: vec!["a".into(), "b".into()],
                },
                SlurmJob {
                    job: "8".into(),
                    tasks: vec![],
                },
            ],
        };
        let text = "7_0|COMPLETED|n1\n7_1|CANCELLED by 1000|None assigned\n8|PENDING|\n9_0|RUNNING|n2\n7_5|RUNNING|n\nnoise\n";
        let mut states = BTreeMap::new();
        read_states(text, &submitted, &mut states);
        let state = |task: &str| states[task].state.as_str();
        assert_eq!(
            (states.len(), state("a"), state("b")),
            (2, "COMPLETED", "CANCELLED")
        );
    }
}
